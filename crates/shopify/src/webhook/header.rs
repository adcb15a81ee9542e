//! The names of Shopify's webhook headers, in this one place: their successor ("Events", in preview) drops the `X-`.
//! Owns the reading of one header; a header that comes twice is refused, because which of the two counts is a guess.

use super::refusal::Refusal;
use http::HeaderMap;

pub const TOPIC: &str = "x-shopify-topic";
pub const SIGNATURE: &str = "x-shopify-hmac-sha256";
pub const SHOP_DOMAIN: &str = "x-shopify-shop-domain";
pub const API_VERSION: &str = "x-shopify-api-version";
/// Of the delivery: the same on every retry.
pub const WEBHOOK_ID: &str = "x-shopify-webhook-id";
/// Of the event: the same across several subscriptions.
pub const EVENT_ID: &str = "x-shopify-event-id";
pub const TRIGGERED_AT: &str = "x-shopify-triggered-at";

/// Longer values are not Shopify's.
const VALUE_BYTES_MAX: usize = 255;

/// The one value of a header, as visible ASCII.
pub(super) fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    let text = first.to_str().ok().map(str::trim).filter(|text| text.len() <= VALUE_BYTES_MAX);
    match (text, values.next()) {
        (Some(text), None) => Ok(Some(text).filter(|text| !text.is_empty())),
        _ => Err(Refusal::UnreadableHeader { header: name }),
    }
}

pub(super) fn required<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Refusal> {
    one(headers, name)?.ok_or(Refusal::MissingHeader { header: name })
}
