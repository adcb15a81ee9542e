//! All that intake needs of a body in one walk over it: what may be stored, whose it is, and what it says of a few
//! members that others ask for. Owns no rule: what is stripped stands in `json::strip`, who it is about in `identify`.

use super::fault::BodyFault;
use super::identify::{Identity, Met, text};
use crate::json::{RawString, strip_and_note};

/// A body, walked over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What may be stored of it.
    pub payload: Vec<u8>,
    /// Who it is about, or why nobody can say.
    pub identity: Result<Identity, BodyFault>,
    /// The strings that the members asked for hold, in their order, as often as they come.
    pub told: Vec<String>,
}

/// Walks over the body once. `asked` are keys of its outermost object.
///
/// # Errors
/// Where it is not JSON.
pub fn take(body: &[u8], asked: &[&str]) -> Result<Taken, BodyFault> {
    let (mut met, mut told) = (Met::default(), Vec::new());
    let payload = strip_and_note(body, |key, value| {
        met.note(0, key, value);
        if asked.contains(&RawString::new(key).decode().as_ref())
            && let Some(raw) = text(value)
        {
            told.push(RawString::new(raw).decode().into_owned());
        }
    })?;
    Ok(Taken { payload, identity: met.identity(), told })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orders::identify;

    const BODIES: [&str; 8] = [
        concat!(
            r##"{"id":820982911946154500,"admin_graphql_api_id":"gid://shopify/Order/820982911946154508","##,
            r##""name":"#1001 \u00e9","test":true,"updated_at":"2026-10-01T10:00:00+02:00"}"##
        ),
        r#"{"id":9,"order_id":5,"admin_graphql_api_id":"gid://shopify/Refund/9","receipt":{"id":1}}"#,
        r#"{"order_edit":{"id":78,"order_id":5,"name":"x"}}"#,
        r#"{"token":"t","id":7,"id":8}"#,
        r#"{"id":null}"#,
        "[]",
        r#"{"id":5"#,
        r#"{"id":5,"x":"\ud800"}"#,
    ];

    #[test]
    fn one_walk_finds_what_two_would() {
        for body in BODIES {
            let taken = take(body.as_bytes(), &[]);
            match crate::json::strip(body.as_bytes()) {
                Ok(payload) => {
                    let taken = taken.unwrap();
                    assert_eq!(taken.payload, payload, "{body}");
                    assert_eq!(taken.identity, identify(body.as_bytes()), "{body}");
                }
                Err(fault) => assert_eq!(taken.unwrap_err(), fault.into(), "{body}"),
            }
        }
    }

    #[test]
    fn what_is_asked_for_is_told_also_where_it_is_not_stored() {
        let body = concat!(
            r#"{"order_status_url":"https:\/\/acme.myshopify.com\/1","#,
            r#""shop":{"shop":"x"},"a":{"shop":"y"},"shop":"z"}"#
        );
        let taken = take(body.as_bytes(), &["shop", "order_status_url"]).unwrap();
        assert_eq!(taken.told, ["https://acme.myshopify.com/1", "z"]);
        assert!(!String::from_utf8(taken.payload).unwrap().contains("acme"));
    }
}
