//! The whole judgement of a webhook: signature, shop, topic, id, version. Pure; the order is that of trust: nothing
//! but the signature is looked at before the signature is proved.

use super::body_shop;
use super::header::{self, one, required};
use super::refusal::Refusal;
use super::signature::{self, AppSecrets};
use http::HeaderMap;
use jiff::Timestamp;
use kernel::id::ShopId;
use sha2::{Digest as _, Sha256};

/// A configured shop, as intake needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopEntry {
    pub id: ShopId,
    /// `acme.myshopify.com`, in lower case.
    pub domain: String,
    /// The name of its `[apps.NAME]`.
    pub app: String,
    /// The version that its app's webhooks should have.
    pub api_version: String,
}

/// A webhook that is Shopify's and of a configured shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub shop: ShopId,
    /// `orders/create`.
    pub topic: String,
    pub webhook_id: String,
    pub event_id: Option<String>,
    pub api_version: VersionStanding,
    pub triggered_at: Option<Timestamp>,
    pub app: String,
    /// The shop's permanent domain, as its header says and the configuration knows it.
    pub domain: String,
}

impl Verified {
    /// The permanent domain that the body names in place of the header's: such a body is to be kept aside, not taken
    /// for this shop's. `told` is what its [`SHOP_MEMBERS`](super::SHOP_MEMBERS) hold.
    pub fn wrong_shop(&self, told: &[String]) -> Option<String> {
        body_shop::other_than(&self.domain, told.iter().map(String::as_str))
    }

    /// The same of a body that was not walked over yet.
    pub fn wrong_shop_of(&self, body: &[u8]) -> Option<String> {
        self.wrong_shop(&body_shop::told(body))
    }
}

/// How the body's API version stands to the configured one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionStanding {
    AsConfigured,
    /// Read all the same; worth a warning, because the app's webhook version is another than was meant.
    Other(String),
    /// The header is missing.
    Unstated,
}

/// Judges a webhook. `shops` and `apps` are small; each look-up walks them.
///
/// # Errors
/// What is wrong with it, the first thing only. Before the signature is proved no other reason is given.
pub fn verify(
    headers: &HeaderMap,
    raw: &[u8],
    apps: &[AppSecrets],
    shops: &[ShopEntry],
) -> Result<Verified, Refusal> {
    let signature = one(headers, header::SIGNATURE)?.ok_or(Refusal::MissingSignature)?;
    let signature = signature::parse(signature)?;
    // Not proved by anything yet: it only chooses whose secrets are tried first.
    let domain = one(headers, header::SHOP_DOMAIN).ok().flatten().map(str::to_ascii_lowercase);
    let shop = shops.iter().find(|shop| Some(&shop.domain) == domain.as_ref());
    let own = shop.and_then(|shop| apps.iter().find(|app| app.name == shop.app));
    let signed_by = match own {
        Some(app) if app.signed(raw, &signature) => app,
        _ => apps.iter().find(|app| app.signed(raw, &signature)).ok_or(Refusal::WrongSignature)?,
    };

    let domain = required(headers, header::SHOP_DOMAIN)?.to_ascii_lowercase();
    let topic = required(headers, header::TOPIC)?.to_owned();
    if !is_topic(&topic) {
        return Err(Refusal::UnreadableHeader { header: header::TOPIC });
    }
    let Some(shop) = shop else {
        return Err(Refusal::UnknownShop { domain, app: signed_by.name.clone(), topic });
    };
    if shop.app != signed_by.name {
        let (signed_by, configured) = (signed_by.name.clone(), shop.app.clone());
        return Err(Refusal::OtherApp { domain, signed_by, configured });
    }
    Ok(Verified {
        shop: shop.id.clone(),
        topic,
        webhook_id: required(headers, header::WEBHOOK_ID)?.to_owned(),
        event_id: one(headers, header::EVENT_ID)?.map(str::to_owned),
        api_version: standing(one(headers, header::API_VERSION)?, &shop.api_version)?,
        triggered_at: one(headers, header::TRIGGERED_AT)?.and_then(|text| text.parse().ok()),
        app: signed_by.name.clone(),
        domain,
    })
}

/// `orders/create`, `customers/data_request`.
fn is_topic(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    text.split_once('/').is_some_and(|(of, what)| part(of) && part(what))
}

fn standing(stated: Option<&str>, configured: &str) -> Result<VersionStanding, Refusal> {
    match stated {
        None => Ok(VersionStanding::Unstated),
        Some(version) if version == configured => Ok(VersionStanding::AsConfigured),
        Some(version) if crate::version::is_read(version) => Ok(VersionStanding::Other(version.to_owned())),
        Some(version) => Err(Refusal::UnsupportedVersion { version: version.to_owned() }),
    }
}

/// What a duplicate is known by: the first 16 bytes of SHA-256 over shop, topic and webhook id, each with its length.
pub fn dedupe_key(shop: &ShopId, topic: &str, webhook_id: &str) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [shop.as_str(), topic, webhook_id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut key = [0; 16];
    key.copy_from_slice(&hash.finalize()[..16]);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};
    use secrecy::SecretString;

    const BODY: &[u8] = br##"{"id":1,"name":"#1001"}"##;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn apps() -> Vec<AppSecrets> {
        vec![
            AppSecrets { name: "main".into(), current: secret("new"), previous: Some(secret("old")) },
            AppSecrets { name: "other".into(), current: secret("others"), previous: None },
        ]
    }

    fn shops() -> Vec<ShopEntry> {
        vec![ShopEntry {
            id: ShopId::new("acme").unwrap(),
            domain: "acme.myshopify.com".into(),
            app: "main".into(),
            api_version: "2026-10".into(),
        }]
    }

    fn headers(signer: &str, body: &[u8]) -> HeaderMap {
        let values = [
            ("X-Shopify-Topic", "orders/create".to_owned()),
            ("X-Shopify-Hmac-Sha256", super::super::sign(&secret(signer), body)),
            ("X-Shopify-Shop-Domain", "Acme.myshopify.com".to_owned()),
            ("X-Shopify-API-Version", "2026-10".to_owned()),
            ("X-Shopify-Webhook-Id", "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043".to_owned()),
            ("X-Shopify-Event-Id", "98880550-7158-44d4-b7cd-2c97c8a091b5".to_owned()),
            ("X-Shopify-Triggered-At", "2026-11-24T10:11:12.345Z".to_owned()),
        ];
        let mut map = HeaderMap::new();
        for (name, value) in values {
            map.insert(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::try_from(value).unwrap(),
            );
        }
        map
    }

    fn judged(headers: &HeaderMap) -> Result<Verified, Refusal> {
        verify(headers, BODY, &apps(), &shops())
    }

    #[test]
    fn what_shopify_sends_is_taken_also_under_the_former_secret() {
        for signer in ["new", "old"] {
            let found = judged(&headers(signer, BODY)).unwrap();
            assert_eq!(
                found,
                Verified {
                    shop: ShopId::new("acme").unwrap(),
                    topic: "orders/create".into(),
                    webhook_id: "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043".into(),
                    event_id: Some("98880550-7158-44d4-b7cd-2c97c8a091b5".into()),
                    api_version: VersionStanding::AsConfigured,
                    triggered_at: Some("2026-11-24T10:11:12.345Z".parse().unwrap()),
                    app: "main".into(),
                    domain: "acme.myshopify.com".into(),
                }
            );
        }
    }

    /// Header, its value (`None` takes it out), and what comes of it.
    #[test]
    fn every_header_is_judged() {
        let signature = super::super::sign(&secret("new"), BODY);
        let cut = &signature[..40];
        let table: &[(&str, Option<&str>, &str, u16)] = &[
            (header::SIGNATURE, None, "missing_signature", 401),
            (header::SIGNATURE, Some(""), "missing_signature", 401),
            (header::SIGNATURE, Some(cut), "malformed_signature", 401),
            (header::SIGNATURE, Some("not base64!"), "malformed_signature", 401),
            (header::SIGNATURE, Some("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="), "wrong_signature", 401),
            (header::SHOP_DOMAIN, None, "missing_header", 400),
            (header::SHOP_DOMAIN, Some("beta.myshopify.com"), "unknown_shop", 404),
            (header::TOPIC, None, "missing_header", 400),
            (header::TOPIC, Some("orders"), "unreadable_header", 400),
            (header::TOPIC, Some("orders/create/x"), "unreadable_header", 400),
            (header::WEBHOOK_ID, None, "missing_header", 400),
            (header::API_VERSION, Some("2024-01"), "unsupported_version", 400),
            (header::API_VERSION, Some("unstable"), "unsupported_version", 400),
        ];
        for (name, value, expected, status) in table {
            let mut map = headers("new", BODY);
            map.remove(*name);
            if let Some(value) = value {
                map.insert(*name, HeaderValue::from_str(value).unwrap());
            }
            let refusal = judged(&map).unwrap_err();
            assert_eq!((refusal.name(), refusal.status()), (*expected, *status), "{name} {value:?}");
        }
        for name in [header::SIGNATURE, header::SHOP_DOMAIN, header::TOPIC, header::WEBHOOK_ID] {
            let mut map = headers("new", BODY);
            let value = map[name].clone();
            map.append(name, value);
            assert_eq!(judged(&map).unwrap_err().name(), "unreadable_header", "{name} twice");
        }
    }

    #[test]
    fn another_release_is_a_warning_and_a_missing_version_too() {
        for (value, expected) in [
            (Some("2026-07"), VersionStanding::Other("2026-07".into())),
            (Some("2027-01"), VersionStanding::Other("2027-01".into())),
            (None, VersionStanding::Unstated),
        ] {
            let mut map = headers("new", BODY);
            map.remove(header::API_VERSION);
            if let Some(value) = value {
                map.insert(header::API_VERSION, HeaderValue::from_static(value));
            }
            assert_eq!(judged(&map).unwrap().api_version, expected);
        }
    }

    #[test]
    fn who_signed_decides_and_not_what_the_headers_say() {
        assert_eq!(judged(&headers("stranger", BODY)).unwrap_err(), Refusal::WrongSignature);
        assert_eq!(judged(&headers("others", BODY)).unwrap_err().name(), "other_app");
        // A changed body, and a truncated one.
        let map = headers("new", BODY);
        for body in [&BODY[..BODY.len() - 1], b"".as_slice(), br##"{"id":2,"name":"#1001"}"##] {
            assert_eq!(verify(&map, body, &apps(), &shops()), Err(Refusal::WrongSignature));
        }
        // Without a proved signature nothing is learnt about shops or topics.
        let mut map = headers("stranger", BODY);
        map.remove(header::TOPIC);
        map.insert(header::SHOP_DOMAIN, HeaderValue::from_static("beta.myshopify.com"));
        assert_eq!(judged(&map).unwrap_err(), Refusal::WrongSignature);
    }

    #[test]
    fn a_body_of_another_shop_is_marked() {
        let body = br#"{"shop_domain":"beta.myshopify.com"}"#;
        let found = verify(&headers("new", body), body, &apps(), &shops()).unwrap();
        assert_eq!(found.wrong_shop_of(body).as_deref(), Some("beta.myshopify.com"));
        assert_eq!(found.wrong_shop(&["beta.myshopify.com".into()]).as_deref(), Some("beta.myshopify.com"));
        assert_eq!(found.wrong_shop_of(b"not json at all"), None);
    }

    #[test]
    fn a_dedupe_key_is_of_shop_topic_and_webhook_id() {
        let acme = ShopId::new("acme").unwrap();
        let key = dedupe_key(&acme, "orders/create", "1");
        assert_eq!(key, dedupe_key(&acme, "orders/create", "1"));
        for other in [
            dedupe_key(&ShopId::new("beta").unwrap(), "orders/create", "1"),
            dedupe_key(&acme, "orders/updated", "1"),
            dedupe_key(&acme, "orders/create", "2"),
            dedupe_key(&acme, "orders/create1", ""),
        ] {
            assert_ne!(key, other);
        }
    }

    proptest::proptest! {
        /// Whatever comes: a verdict, and never a verified one without the signature.
        #[test]
        fn nothing_is_taken_unsigned(body: Vec<u8>, signature in "[A-Za-z0-9+/]{43}=") {
            let mut map = headers("new", BODY);
            map.insert(header::SIGNATURE, HeaderValue::try_from(signature).unwrap());
            proptest::prop_assert!(verify(&map, &body, &apps(), &shops()).is_err());
        }
    }
}
