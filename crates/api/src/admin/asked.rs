//! Reads questions: bodies and query strings as JSON-like types, refused with a sentence where they cannot be read; who
//! asks and why.

use super::AdminError;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use kernel::id::ShopId;
use kernel::subject::Subject;
use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use store::operate::By;

/// A body in JSON. The content type is not asked for: nothing else is taken.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AdminError> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| {
            let mut error = AdminError::mend(refused.body_text());
            if refused.status() == StatusCode::PAYLOAD_TOO_LARGE {
                error.status = StatusCode::PAYLOAD_TOO_LARGE;
            }
            error
        })?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes)
            .map(Body)
            .map_err(|error| AdminError::mend(format!("the body is not what this endpoint takes: {error}")))
    }
}

/// A query string.
pub(super) struct Question<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Question<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        let asked: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Question(asked)).map_err(|refused| AdminError::mend(refused.body_text()))
    }
}

/// Flattened into a body as its last part: refuses whatever no other part has taken, so that a misspelt name is not
/// silently left out of what was meant.
#[derive(Debug, Default)]
pub(super) struct NothingElse;

impl<'de> Deserialize<'de> for NothingElse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rest;
        impl<'de> Visitor<'de> for Rest {
            type Value = NothingElse;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("no further field")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut rest: A) -> Result<NothingElse, A::Error> {
                match rest.next_key::<String>()? {
                    None => Ok(NothingElse),
                    Some(name) => Err(A::Error::custom(format!("unknown field {name:?}"))),
                }
            }
        }
        deserializer.deserialize_map(Rest)
    }
}

/// Who does something, and why.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Hand {
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    why: Option<String>,
}

/// Where nobody says who asks.
const SOMEBODY: &str = "operator";
/// A name or a reason that is longer is no name and no reason.
const TEXT_MAX: usize = 500;

impl Hand {
    /// For the audit: it is a person's, so it may not bear the hub's own name.
    pub(super) fn by(&self, at: Timestamp) -> Result<By, AdminError> {
        let why = text(self.why.as_deref());
        let why = why.ok_or_else(|| {
            AdminError::mend("\"why\" is missing or empty: write the reason, it stands in the audit")
        })?;
        Ok(By { who: self.who()?, why: bounded("why", why)?, at })
    }

    /// Where the reason is in the doing itself.
    pub(super) fn by_or(&self, why: &str, at: Timestamp) -> Result<By, AdminError> {
        let why = bounded("why", text(self.why.as_deref()).unwrap_or(why))?;
        Ok(By { who: self.who()?, why, at })
    }

    fn who(&self) -> Result<String, AdminError> {
        let who = bounded("who", text(self.who.as_deref()).unwrap_or(SOMEBODY))?;
        let by = By { who, why: String::new(), at: Timestamp::UNIX_EPOCH };
        if by.is_person() {
            return Ok(by.who);
        }
        Err(AdminError::mend(format!(
            "\"who\" is {:?}, which is what the hub calls itself: write a person's name",
            by.who
        )))
    }
}

fn text(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

fn bounded(name: &str, text: &str) -> Result<String, AdminError> {
    if text.len() > TEXT_MAX {
        return Err(AdminError::mend(format!("{name:?} has more than {TEXT_MAX} bytes: shorten it")));
    }
    Ok(text.to_owned())
}

/// `acme/order:5678`.
pub(super) fn subject(text: &str) -> Result<Subject, AdminError> {
    let spelled = || AdminError::mend(format!("{text:?} is no subject; write it as \"acme/order:5678\""));
    let (shop, path) = text.split_once('/').ok_or_else(spelled)?;
    let shop = ShopId::new(shop).map_err(|_| spelled())?;
    let whole =
        |part: &str| part.split_once(':').is_some_and(|(kind, key)| !kind.is_empty() && !key.is_empty());
    if !path.split('/').all(whole) {
        return Err(spelled());
    }
    Ok(Subject { shop, path: path.to_owned() })
}

/// The root of an order, from its parts of a path.
pub(super) fn order(shop: &str, order: &str) -> Result<Subject, AdminError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if order.is_empty() || order.len() > 128 || !order.chars().all(plain) {
        return Err(AdminError::mend(format!(
            "{order:?} is no order id; ask by what people call it: GET /admin/v1/orders?name=%231001"
        )));
    }
    Ok(Subject::new(ShopId::new(shop)?, "order", order))
}
