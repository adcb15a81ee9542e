//! The app proxy: what a storefront asks below `/apps/…` is handed to the app, with who is logged in and a signature over
//! the query (shopify.dev: "Authenticate app proxies"). Logged in is whoever the cookie `logged_in_customer` names: the
//! look-alike has no passwords. It follows no redirect and renders no Liquid.
//!
//! Where the documentation says nothing, the stricter reading is taken: what a storefront sends under one of Shopify's own
//! names stays beside Shopify's, and of its headers neither cookies nor credentials are handed on.

use super::http::{not_found, refusal};
use super::shop::Shop;
use anyhow::{Context as _, Result, ensure};
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

const CUSTOMER_COOKIE: &str = "logged_in_customer";
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Of a storefront's request: they end here, are made anew, or are nobody else's business.
const NOT_HANDED_ON: [HeaderName; 12] = [
    header::HOST,
    header::COOKIE,
    header::SET_COOKIE,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::UPGRADE,
    header::PROXY_AUTHORIZATION,
    FORWARDED_FOR,
    FORWARDED_HOST,
];

/// What Shopify says of a storefront's request.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// `acme.myshopify.com`.
    pub shop: &'a str,
    /// `/apps/prices`.
    pub path_prefix: &'a str,
    /// Whoever is logged in.
    pub customer: Option<u64>,
    pub at: Timestamp,
}

impl Forwarded<'_> {
    /// The query with which the app is asked: the storefront's own, what Shopify says, and the signature over both.
    pub fn query(&self, own: &str, client_secret: &str) -> String {
        let Ok(mut url) = Url::parse("https://storefront") else { return String::new() };
        url.set_query(Some(own).filter(|own| !own.is_empty()));
        let customer = self.customer.map_or_else(String::new, |id| id.to_string());
        url.query_pairs_mut()
            .append_pair("shop", self.shop)
            .append_pair("logged_in_customer_id", &customer)
            .append_pair("path_prefix", self.path_prefix)
            .append_pair("timestamp", &self.at.as_second().to_string());
        let signature = signature(&url, client_secret);
        url.query_pairs_mut().append_pair("signature", &signature);
        url.query().unwrap_or_default().to_owned()
    }
}

/// Hexadecimal: `name=value` of each parameter, values of one name behind each other with commas, sorted, without anything
/// between them.
fn signature(url: &Url, client_secret: &str) -> String {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in url.query_pairs() {
        values.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let mut signed: Vec<String> =
        values.into_iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
    // By the whole text, as Shopify's example sorts: `line2=` comes before `line=`.
    signed.sort_unstable();
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(client_secret.as_bytes()) else { return String::new() };
    mac.update(signed.concat().as_bytes());
    mac.finalize().into_bytes().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Which requests go where.
#[derive(Clone, Debug)]
pub(super) struct AppProxy {
    path_prefix: String,
    to: Url,
    client: reqwest::Client,
}

impl AppProxy {
    pub(super) fn new(path_prefix: &str, to: &str) -> Result<Self> {
        let below = ["/apps/", "/a/", "/community/", "/tools/"];
        let named = below.iter().find_map(|prefix| path_prefix.strip_prefix(prefix));
        ensure!(
            named.is_some_and(|name| !name.is_empty() && !name.contains('/')),
            "an app proxy is at /apps/NAME, /a/NAME, /community/NAME or /tools/NAME, not at {path_prefix:?}"
        );
        let to = Url::parse(to).with_context(|| format!("no proxy URL: {to:?}"))?;
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { path_prefix: path_prefix.to_owned(), to, client })
    }

    /// Where a path of the storefront goes; none where it is not the app's.
    fn target(&self, path: &str) -> Option<Url> {
        let rest = path.strip_prefix(&self.path_prefix)?;
        if !rest.is_empty() && !rest.starts_with('/') {
            return None;
        }
        let mut target = self.to.clone();
        target.set_path(&format!("{}{rest}", self.to.path().trim_end_matches('/')));
        Some(target)
    }
}

/// Everything that is not the Admin API.
pub(super) async fn storefront(State(shop): State<Arc<Shop>>, request: Request) -> Response {
    let proxy = shop.state().app_proxy.clone();
    let found = proxy.and_then(|proxy| Some((proxy.target(request.uri().path())?, proxy)));
    let Some((mut target, proxy)) = found else { return not_found().await };
    shop.count("storefront");
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
    let (method, own) = (request.method().clone(), request.uri().query().unwrap_or_default().to_owned());
    let headers = request.headers().clone();
    let body = match Bytes::from_request(request, &()).await {
        Ok(body) => body,
        Err(refused) => return refused.into_response(),
    };
    let domain = &shop.config.profile.domain;
    let forwarded = Forwarded {
        shop: domain,
        path_prefix: &proxy.path_prefix,
        customer: customer(&headers),
        at: shop.config.clock.now(),
    };
    target.set_query(Some(&forwarded.query(&own, &shop.config.client_secret)));
    let mut handed = handed_on(&headers);
    let mut say = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            handed.insert(name, value);
        }
    };
    say(FORWARDED_HOST, domain);
    say(FORWARDED_FOR, from.as_deref().unwrap_or("127.0.0.1"));
    match proxy.client.request(method, target).headers(handed).body(body).send().await {
        Ok(answer) => answered(answer),
        Err(error) => {
            tracing::warn!(error = %error, "the app does not answer its storefront");
            refusal(StatusCode::BAD_GATEWAY, &json!("Bad Gateway"))
        }
    }
}

fn customer(headers: &HeaderMap) -> Option<u64> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == CUSTOMER_COOKIE).and_then(|(_, id)| id.parse().ok())
}

fn handed_on(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| !NOT_HANDED_ON.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn answered(answer: reqwest::Response) -> Response {
    let headers = handed_on(answer.headers());
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/liquid") {
        return refusal(StatusCode::NOT_IMPLEMENTED, &json!("the look-alike does not model Liquid answers"));
    }
    (answer.status(), headers, Body::from_stream(answer.bytes_stream())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(customer: Option<u64>) -> Forwarded<'static> {
        let at = Timestamp::from_second(1_317_327_555).unwrap();
        Forwarded { shop: "shop-name.myshopify.com", path_prefix: "/apps/awesome_reviews", customer, at }
    }

    fn signature_of(query: &str) -> &str {
        query.rsplit_once("&signature=").unwrap().1
    }

    /// The two examples of Shopify's page, with its signatures.
    #[test]
    fn a_request_is_signed_as_shopify_signs_it() {
        let query = forwarded(Some(1)).query("extra=1&extra=2", "hush");
        assert_eq!(
            query,
            "extra=1&extra=2&shop=shop-name.myshopify.com&logged_in_customer_id=1\
             &path_prefix=%2Fapps%2Fawesome_reviews&timestamp=1317327555\
             &signature=4c68c8624d737112c91818c11017d24d334b524cb5c2b8ba08daa056f7395ddb"
        );
        let nobody = forwarded(None).query("extra=1&extra=2", "hush");
        assert!(nobody.contains("&logged_in_customer_id=&"), "{nobody}");
        let expected = "e072b6d7e6622d85912a5214b860d3100dc1e73d9bc29f43796ac8c9ff8093cb";
        assert_eq!(signature_of(&nobody), expected);
    }

    /// Computed apart, by `printf … | openssl dgst -sha256 -hmac hush` over what stands between the slashes.
    #[test]
    fn names_are_sorted_with_their_values_and_signed_as_they_are_meant() {
        let query = forwarded(None).query("line=a%20b&line2=%C3%BC", "hush");
        // line2=üline=a blogged_in_customer_id=path_prefix=/apps/awesome_reviewsshop=shop-name.myshopify.comtimestamp=1317327555
        let expected = "f97f0b4106b1c5dbf43c2af7fd1c6197bed85cc89739ebeaef6156ae5491fc68";
        assert_eq!(signature_of(&query), expected);
        let alone = forwarded(None).query("", "hush");
        assert!(alone.starts_with("shop=shop-name"), "{alone}");
    }

    #[test]
    fn an_app_has_what_is_below_its_path_and_nothing_else() {
        let proxy = AppProxy::new("/apps/prices", "http://127.0.0.1:1/proxy/prices/").unwrap();
        let target = |path: &str| proxy.target(path).map(|url| url.path().to_owned());
        assert_eq!(target("/apps/prices/resolve").as_deref(), Some("/proxy/prices/resolve"));
        assert_eq!(target("/apps/prices").as_deref(), Some("/proxy/prices"));
        assert_eq!((target("/apps/pricesx"), target("/apps/other")), (None, None));
        for wrong in ["/prices", "/apps/", "/apps/a/b"] {
            assert!(AppProxy::new(wrong, "http://127.0.0.1:1").is_err(), "{wrong}");
        }
    }
}
