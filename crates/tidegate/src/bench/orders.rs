//! Webhooks as bytes on the wire, made before the clock runs: real order bodies of about five kilobytes, each with an
//! order id, a name and a webhook id of its own, signed as Shopify signs.

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;
use twin::shop::{Mix, What, Workload, WorkloadConfig, webhook_body};
use twin::shopify::ShopConfig;

/// What the issue measures with.
const BODY_BYTES: std::ops::RangeInclusive<usize> = 4_500..=5_600;
/// Bodies that differ in more than their ids.
const TEMPLATES: usize = 16;
/// The first order id: as many digits as every later one.
const FIRST_ID: u64 = 5_100_000_000_000;
/// Digits of an id.
const DIGITS: usize = 13;

/// Makes requests; no two of one maker are of the same order.
#[derive(Debug)]
pub struct Orders {
    templates: Vec<Template>,
    secret: SecretString,
    domain: String,
    next: u64,
}

/// A body, and where its order's id stands in it.
#[derive(Debug)]
struct Template {
    body: Vec<u8>,
    ids: Vec<usize>,
}

/// Requests one after another in one piece of memory.
#[derive(Debug)]
pub struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The order of the first request; the others follow by ones.
    pub first_order: u64,
    pub body_bytes: u64,
}

impl Orders {
    pub fn new(domain: &str, secret: &str, placed_at: Timestamp) -> anyhow::Result<Self> {
        let config = WorkloadConfig {
            seed: 7,
            orders: 20_000,
            first_number: 1,
            start: placed_at,
            interval_ms: 0,
            shop: Arc::new(ShopConfig::new(domain).profile),
            mix: plain(),
        };
        let mut templates = Vec::with_capacity(TEMPLATES);
        for (_, change) in Workload::new(config) {
            let What::Place(order) = &change.what else { continue };
            let body = serde_json::to_vec(&without_nulls(webhook_body(order)))?;
            if BODY_BYTES.contains(&body.len())
                && crate::demo::is_exportable(order)
                && let Some(template) = Template::of(body, order.id)
            {
                templates.push(template);
            }
            if templates.len() == TEMPLATES {
                break;
            }
        }
        ensure!(
            templates.len() == TEMPLATES,
            "the look-alike's shop places too few orders of five kilobytes"
        );
        Ok(Self { templates, secret: SecretString::from(secret), domain: domain.to_owned(), next: FIRST_ID })
    }

    /// The next `count` orders as requests.
    pub fn make(&mut self, count: usize) -> Requests {
        let first_order = self.next;
        let mut made =
            Requests { bytes: Vec::with_capacity(count * 6_000), ends: vec![], first_order, body_bytes: 0 };
        for _ in 0..count {
            let order = self.next;
            self.next += 1;
            let template = &self.templates[usize::try_from(order).unwrap_or(0) % self.templates.len()];
            let body = template.with(order);
            let signature = shopify::webhook::sign(&self.secret, &body);
            let head = format!(
                "POST /webhooks/shopify HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n\
                 X-Shopify-Topic: orders/create\r\nX-Shopify-Shop-Domain: {}\r\nX-Shopify-API-Version: {}\r\n\
                 X-Shopify-Webhook-Id: {}\r\nX-Shopify-Hmac-Sha256: {signature}\r\nContent-Length: {}\r\n\r\n",
                self.domain,
                twin::shopify::API_VERSION,
                webhook_id(order),
                body.len(),
            );
            made.body_bytes += body.len() as u64;
            made.bytes.extend_from_slice(head.as_bytes());
            made.bytes.extend_from_slice(&body);
            made.ends.push(made.bytes.len());
        }
        made
    }
}

impl Requests {
    /// Of other things than orders.
    pub fn of(requests: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut made = Self { bytes: Vec::new(), ends: Vec::new(), first_order: 0, body_bytes: 0 };
        for request in requests {
            made.bytes.extend_from_slice(&request);
            made.ends.push(made.bytes.len());
        }
        made
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)?;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        Some(&self.bytes[start..end])
    }

    /// Its webhook id and its body.
    pub fn webhook(&self, index: usize) -> Option<(&str, &[u8])> {
        let request = self.get(index)?;
        let head = request.windows(4).position(|window| window == b"\r\n\r\n")?;
        let text = std::str::from_utf8(&request[..head]).ok()?;
        let id = text.lines().find_map(|line| line.strip_prefix("X-Shopify-Webhook-Id: "))?;
        Some((id, &request[head + 4..]))
    }
}

impl Template {
    /// `None` where the id has another length.
    fn of(body: Vec<u8>, order: u64) -> Option<Self> {
        let text = order.to_string();
        let ids: Vec<usize> = positions(&body, text.as_bytes());
        if text.len() == DIGITS { Some(Self { body, ids }) } else { Self::longer(&body, &text) }
    }

    /// The look-alike's ids have other lengths: the body is made anew with one of ours.
    fn longer(body: &[u8], old: &str) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let new = FIRST_ID.to_string();
        let body = text.replace(old, &new).into_bytes();
        let ids = positions(&body, new.as_bytes());
        (!ids.is_empty()).then_some(Self { body, ids })
    }

    fn with(&self, order: u64) -> Vec<u8> {
        let mut body = self.body.clone();
        let text = order.to_string();
        for at in &self.ids {
            body[*at..*at + DIGITS].copy_from_slice(text.as_bytes());
        }
        body
    }
}

/// A small order, written in full, has seven kilobytes; without members that say nothing, the issue's five.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members.into_iter().filter(|(_, value)| !says_nothing(value));
            said.map(|(key, value)| (key, without_nulls(value))).collect()
        }
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        value => value,
    }
}

fn says_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn positions(body: &[u8], wanted: &[u8]) -> Vec<usize> {
    (0..body.len().saturating_sub(wanted.len())).filter(|at| body[*at..].starts_with(wanted)).collect()
}

/// Random to look at, as Shopify's are: what costs in an index.
fn webhook_id(order: u64) -> String {
    let (a, b) = (twin::shop::chance::mix(order), twin::shop::chance::mix(!order));
    let hex = format!("{a:016x}{b:016x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Orders without the rarities: this is about pace.
fn plain() -> Mix {
    Mix {
        b2b: 500,
        tip: 0,
        gift_card_bought: 0,
        gift_card_paid: 0,
        test: 0,
        many_lines: 0,
        null_variant: 0,
        custom_line: 0,
        unknown_sku: 0,
        null_customer: 0,
        null_address: 0,
        poison: 0,
        free: 0,
        pending: 0,
        changed: 0,
        ..Mix::demo()
    }
}

/// The order that a body sent to the target is about, by the object key in it.
pub fn order_in(body: &[u8]) -> Option<u64> {
    const BEFORE: &[u8] = b"-order-";
    let at = body.windows(BEFORE.len()).position(|window| window == BEFORE)? + BEFORE.len();
    let digits = body[at..].iter().take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(&body[at..at + digits.count()]).context("digits").ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_signed_and_no_two_are_of_one_order() {
        let mut orders = Orders::new("acme.myshopify.com", "hush", crate::demo::now()).unwrap();
        let (one, other) = (orders.make(3), orders.make(3));
        assert_eq!((one.len(), other.first_order), (3, one.first_order + 3));
        let mut seen = std::collections::BTreeSet::new();
        for requests in [&one, &other] {
            for index in 0..3 {
                let request = String::from_utf8(requests.get(index).unwrap().to_vec()).unwrap();
                let (head, body) = request.split_once("\r\n\r\n").unwrap();
                let signature = twin::shopify::signature("hush", body.as_bytes());
                assert!(head.contains(&signature), "{head}");
                let (id, own_body) = requests.webhook(index).unwrap();
                assert!(head.contains(id) && own_body == body.as_bytes());
                let identity = domains::orders::identify(body.as_bytes()).unwrap();
                assert_eq!(identity.order_id, (requests.first_order + index as u64).to_string());
                assert!(seen.insert(identity.order_id), "twice");
            }
        }
        assert!(one.get(3).is_none());
    }

    #[test]
    fn the_order_is_found_in_what_the_target_gets() {
        assert_eq!(order_in(br#"{"reference":"acme-order-5100000000007","x":1}"#), Some(5_100_000_000_007));
        assert_eq!(order_in(b"{}"), None);
    }
}
