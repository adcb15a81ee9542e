//! A webhook as far as intake judges it before it commits: headers and raw bytes. Nothing is taken that an app of ours
//! did not sign; what is taken names its configured shop; whatever the body is, it can be kept, and what is kept of it
//! is about the same order.
//!
//! An input is a head and a body with an empty line between, as on the wire. `X-Shopify-Hmac-Sha256: sign NAME` is
//! signed here with that app's secret, because no fuzzer finds a signature.

use domains::orders::{TopicKind, classify, identify, take};
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::id::ShopId;
use secrecy::SecretString;
use shopify::webhook::{AppSecrets, SHOP_MEMBERS, ShopEntry, header, sign, verify};
use std::sync::LazyLock;

static APPS: LazyLock<Vec<AppSecrets>> = LazyLock::new(|| {
    let app = |name: &str, current: &str, previous: Option<&str>| AppSecrets {
        name: name.to_owned(),
        current: secret(current),
        previous: previous.map(secret),
    };
    vec![app("main", "new", Some("old")), app("other", "others", None)]
});

static SHOPS: LazyLock<Vec<ShopEntry>> = LazyLock::new(|| {
    let shop = |id: &str, app: &str| ShopEntry {
        id: ShopId::new(id).expect("a name"),
        domain: format!("{id}.myshopify.com"),
        app: app.to_owned(),
        api_version: "2026-10".to_owned(),
    };
    vec![shop("acme", "main"), shop("beta", "main"), shop("gamma", "other")]
});

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub(crate) fn check(input: &[u8]) {
    let (head, body) = parts(input);
    let (headers, signer) = headers(head, body);
    let verified = match verify(&headers, body, &APPS, &SHOPS) {
        Ok(verified) => verified,
        Err(refusal) => {
            assert!((400..500).contains(&refusal.status()), "{refusal}: {}", refusal.status());
            assert!(!refusal.name().is_empty() && refusal.to_string().starts_with("TG-"), "{refusal}");
            return;
        }
    };
    let shop = SHOPS.iter().find(|shop| shop.id == verified.shop).expect("a configured shop");
    assert_eq!(shop.app, verified.app, "of another app");
    assert_eq!(signer.as_deref(), Some(shop.app.as_str()), "taken without the signature of its app");
    if verified.wrong_shop_of(body).as_deref().is_some_and(|other| other.eq_ignore_ascii_case(&shop.domain)) {
        panic!("its own shop is called a wrong one");
    }
    kept(classify(&verified.topic), body);
}

/// What `api::intake` does with a body that is proved.
fn kept(kind: TopicKind, body: &[u8]) {
    let Ok(taken) = take(body, &SHOP_MEMBERS) else { return };
    assert_eq!(taken.identity, identify(body), "one walk says something else than two");
    let Ok(identity) = taken.identity else { return };
    let stored = taken.payload;
    assert_eq!(domains::json::strip(body).as_ref(), Ok(&stored), "one walk keeps something else than two");
    let again = identify(&stored).expect("what is stored can be identified");
    assert_eq!(again, identity, "what is stored is about something else");
    let digits = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    assert!(digits(&identity.order_id), "{:?}", identity.order_id);
    if let (TopicKind::Event(_), Some(object)) = (kind, &identity.object_id) {
        assert!(digits(object), "{object:?}");
    }
}

/// Head and body; without an empty line all is body.
fn parts(input: &[u8]) -> (&[u8], &[u8]) {
    match input.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (b"", input),
    }
}

/// The headers that HTTP lets through, and the app whose signature was asked for: `sign main`, `sign main previous`.
fn headers(head: &[u8], body: &[u8]) -> (HeaderMap, Option<String>) {
    let (mut map, mut signer) = (HeaderMap::new(), None);
    for line in head.split(|byte| *byte == b'\n').take(64) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        let Ok(name) = HeaderName::from_bytes(name) else { continue };
        let value = match asked(value).filter(|_| name == header::SIGNATURE) {
            Some((app, secret)) => {
                signer = Some(app);
                HeaderValue::try_from(sign(&secret, body)).expect("base64")
            }
            None => match HeaderValue::from_bytes(value) {
                Ok(value) => value,
                Err(_) => continue,
            },
        };
        map.append(name, value);
    }
    (map, signer)
}

fn asked(value: &[u8]) -> Option<(String, SecretString)> {
    let text = std::str::from_utf8(value).ok()?.strip_prefix("sign ")?;
    let (name, former) = text.strip_suffix(" previous").map_or((text, false), |name| (name, true));
    let app = APPS.iter().find(|app| app.name == name)?;
    let secret = if former { app.previous.clone()? } else { app.current.clone() };
    Some((app.name.clone(), secret))
}
