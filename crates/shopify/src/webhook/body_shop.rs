//! The shop that a body itself names. The signature covers the body alone: a body of one shop under another shop's
//! header is signed as well, if both have the app installed. Reads only the body's top level.

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// Members that hold a shop's permanent domain: of the privacy topics, of the shop's own topics, and the page that
/// shows an order to its buyer (which may also stand under a domain of the merchant's: then it says nothing).
pub const SHOP_MEMBERS: [&str; 4] = ["shop_domain", "myshopify_domain", "shop", "order_status_url"];
const PERMANENT: &str = ".myshopify.com";

/// What these members hold, as often as they come. A body that cannot be read tells nothing; that it cannot be read is
/// found where it is parsed.
pub(super) fn told(body: &[u8]) -> Vec<String> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    reader.deserialize_any(TopLevel).unwrap_or_default()
}

/// The permanent domain, in lower case, that is named in place of `domain`.
pub(super) fn other_than<'a>(domain: &str, told: impl IntoIterator<Item = &'a str>) -> Option<String> {
    told.into_iter().filter_map(permanent_domain).find(|named| !named.eq_ignore_ascii_case(domain))
}

struct TopLevel;

impl<'de> Visitor<'de> for TopLevel {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of a webhook, an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
        let mut told = Vec::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if SHOP_MEMBERS.contains(&key.as_ref()) {
                if let Value::String(text) = map.next_value()? {
                    told.push(text);
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(told)
    }
}

/// The host of a URL, or the text itself, where it is a permanent domain.
fn permanent_domain(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().trim().to_ascii_lowercase();
    (host.len() > PERMANENT.len() && host.ends_with(PERMANENT)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_its_shop_at_its_top_level_or_not_at_all() {
        let table = [
            (r#"{"shop_domain":"other.myshopify.com"}"#, Some("other.myshopify.com")),
            (r#"{"shop_domain":"ACME.myshopify.com"}"#, None),
            (
                r#"{"myshopify_domain":"other.myshopify.com","domain":"acme.com"}"#,
                Some("other.myshopify.com"),
            ),
            (
                r#"{"order_status_url":"https://Other.myshopify.com/68817321/orders/x/authenticate?key=y"}"#,
                Some("other.myshopify.com"),
            ),
            (r#"{"order_status_url":"https://shop.acme.com/68817321/orders/x"}"#, None),
            (r#"{"order_status_url":"https://acme.myshopify.com/1/orders/x"}"#, None),
            (r#"{"customer":{"shop_domain":"other.myshopify.com"}}"#, None),
            (
                r#"{"shop_domain":"acme.myshopify.com","shop_domain":"other.myshopify.com"}"#,
                Some("other.myshopify.com"),
            ),
            (r#"{"shop_domain":17}"#, None),
            (r#"{"shop_domain":".myshopify.com"}"#, None),
            (r#"["shop_domain"]"#, None),
            ("", None),
            (r#"{"shop_domain":"other.myshopify.com""#, None),
        ];
        for (body, expected) in table {
            let told = told(body.as_bytes());
            let other = other_than("acme.myshopify.com", told.iter().map(String::as_str));
            assert_eq!(other.as_deref(), expected, "{body}");
        }
        assert!(told("[".repeat(10_000).as_bytes()).is_empty());
    }
}
