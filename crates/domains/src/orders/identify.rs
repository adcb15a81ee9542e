//! Who a body is about, without reading it whole: what intake needs before it commits.
//!
//! One scan, no tree. It checks that the body is JSON, because it walks over all of it, but not that it is an order.

use jiff::Timestamp;

use super::fault::{BodyCode, BodyFault};
use super::read::gid_digits;
use crate::json::{JsonFault, RawString, Scanner};

/// What a body says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The order it is, or belongs to.
    pub order_id: String,
    /// The body's own id, where it is not the order: of a refund, a transaction, a fulfilment.
    pub object_id: Option<String>,
    pub updated_at: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
    /// `#1001`, where the body has it.
    pub name: Option<String>,
    pub test: bool,
}

/// What was met on the way; still text.
#[derive(Debug, Default)]
pub(super) struct Met<'a> {
    id: Option<&'a str>,
    gid: Option<&'a str>,
    order_id: Option<&'a str>,
    order_gid: Option<&'a str>,
    updated_at: Option<&'a str>,
    created_at: Option<&'a str>,
    name: Option<String>,
    test: bool,
}

/// Identifies the body of an order, or of something that belongs to one (it then has an `order_id`).
///
/// # Errors
/// Where the body is not JSON, or names no order.
pub fn identify(body: &[u8]) -> Result<Identity, BodyFault> {
    let mut scanner = Scanner::new(body)?;
    scanner.blank();
    let mut met = Met::default();
    if scanner.peek() == Some(b'{') {
        members(&mut scanner, 0, &mut met)?;
    } else {
        scanner.skip(0)?;
    }
    scanner.end()?;
    met.identity()
}

fn members<'a>(scanner: &mut Scanner<'a>, depth: usize, met: &mut Met<'a>) -> Result<(), JsonFault> {
    scanner.object(depth, |inner, key| {
        let begin = inner.offset();
        inner.skip(depth + 1)?;
        met.note(depth, key.raw, inner.slice(begin, inner.offset()));
        Ok(())
    })
}

/// The string that a value is, as it stands between its quotes.
pub(super) fn text(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.strip_suffix('"')
}

/// A number or a string as it is spelled.
fn id(value: &str) -> Option<&str> {
    if value.starts_with(|first: char| first.is_ascii_digit()) { Some(value) } else { text(value) }
}

impl<'a> Met<'a> {
    /// A member, with its value as it stands in a text that was checked.
    pub(super) fn note(&mut self, depth: usize, key: &str, value: &'a str) {
        match key {
            "id" => self.id = self.id.or(id(value)),
            "admin_graphql_api_id" => self.gid = self.gid.or(text(value)),
            "order_id" => self.order_id = self.order_id.or(id(value)),
            "admin_graphql_api_order_id" => self.order_gid = self.order_gid.or(text(value)),
            "updated_at" => self.updated_at = text(value),
            "created_at" => self.created_at = text(value),
            "name" => {
                self.name = text(value).map(|raw| RawString::new(raw).decode().into_owned());
            }
            "test" => self.test = value.starts_with('t'),
            // `orders/edited` wraps its body.
            "order_edit" if depth == 0 && value.starts_with('{') => {
                // Walked once already: what it is made of was checked then.
                if let Ok(mut inner) = Scanner::new(value.as_bytes()) {
                    let _ = members(&mut inner, depth + 1, self);
                }
            }
            _ => {}
        }
    }

    pub(super) fn identity(self) -> Result<Identity, BodyFault> {
        let own = self.gid.and_then(gid_digits).or_else(|| self.id.and_then(digits));
        let order = self.order_gid.and_then(gid_digits).or_else(|| self.order_id.and_then(digits));
        let belongs = order.is_some();
        // A well-formed gid of another type says that it is no order.
        let is_order =
            self.gid.is_none_or(|gid| gid_digits(gid).is_none() || gid.starts_with("gid://shopify/Order/"));
        let order_id = order.or(own.filter(|_| is_order)).ok_or_else(|| {
            let message = "names no order: it has neither an id of an order nor an order_id";
            BodyFault::new(BodyCode::Missing, "$.id", message)
        })?;
        Ok(Identity {
            order_id: order_id.to_owned(),
            object_id: own.filter(|_| belongs).map(str::to_owned),
            updated_at: self.updated_at.and_then(|text| text.parse().ok()),
            created_at: self.created_at.and_then(|text| text.parse().ok()),
            name: self.name,
            test: self.test,
        })
    }
}

fn digits(text: &str) -> Option<&str> {
    let text = gid_digits(text).unwrap_or(text);
    (!text.is_empty() && text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gid_wins_and_what_belongs_to_an_order_names_it() {
        for (body, order_id, object_id) in [
            (r#"{"id":5}"#, "5", None),
            (
                r#"{"id":820982911946154500,"admin_graphql_api_id":"gid:\/\/shopify\/Order\/7"}"#,
                "820982911946154500",
                None,
            ),
            (
                r#"{"id":820982911946154500,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508"}"#,
                "820982911946154508",
                None,
            ),
            (r#"{"id":9,"order_id":5,"admin_graphql_api_id":"gid://shopify/Refund/9"}"#, "5", Some("9")),
            (r#"{"order_edit":{"id":78,"order_id":5}}"#, "5", Some("78")),
            (r#"{"id":"gid://shopify/Order/5"}"#, "5", None),
        ] {
            let found = identify(body.as_bytes()).unwrap();
            assert_eq!(
                (found.order_id.as_str(), found.object_id.as_deref()),
                (order_id, object_id),
                "{body}"
            );
        }
    }

    #[test]
    fn what_names_no_order_is_refused() {
        for body in [
            "{}",
            "[]",
            "1",
            r#"{"id":null}"#,
            r#"{"order_id":null}"#,
            r#"{"id":1.5}"#,
            r#"{"id":-1}"#,
            r#"{"id":9,"admin_graphql_api_id":"gid://shopify/Product/9"}"#,
        ] {
            assert_eq!(identify(body.as_bytes()).unwrap_err().code, BodyCode::Missing, "{body}");
        }
        for body in ["", "{", r#"{"id":5"#, r#"{"id":5}}"#, r#"{"id":05}"#, "{\"id\":5,\"x\":\"\\ud800\"}"] {
            assert_eq!(identify(body.as_bytes()).unwrap_err().code, BodyCode::NotJson, "{body}");
        }
    }
}
