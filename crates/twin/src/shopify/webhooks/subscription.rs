//! A subscription: topic, address, and what of the payload it wants. Whether it wants an event, and what is wrong
//! with one that a client asks for.

use crate::shopify::answer::Request;
use crate::shopify::search::{Found, Query, Searchable};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const FAILURES_MAX: u32 = 8;

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) id: u64,
    /// As the schema names it: `ORDERS_CREATE`.
    pub(crate) topic: String,
    pub(crate) wanted: Wanted,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) health: Arc<Health>,
}

/// What a client sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) uri: String,
    pub(crate) include_fields: Vec<String>,
    pub(crate) metafield_namespaces: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) name: Option<String>,
}

/// Shared with the deliveries under way.
#[derive(Debug, Default)]
pub(crate) struct Health {
    failures: AtomicU32,
    deleted: AtomicBool,
}

impl Health {
    /// True for the failure that deletes the subscription.
    pub(super) fn failed(&self) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        failures >= FAILURES_MAX && !self.deleted.swap(true, Ordering::Relaxed)
    }

    pub(super) fn succeeded(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Relaxed)
    }

    pub(crate) fn delete(&self) {
        self.deleted.store(true, Ordering::Relaxed);
    }
}

/// `orders/create` → `ORDERS_CREATE`.
pub(crate) fn topic_name(topic: &str) -> String {
    topic.replace(['/', '.'], "_").to_uppercase()
}

impl Subscription {
    pub(crate) fn new(id: u64, topic: String, wanted: Wanted, at: Timestamp) -> Self {
        Self { id, topic, wanted, created_at: at, updated_at: at, health: Arc::default() }
    }

    pub(super) fn wants(&self, topic: &str, body: &Value) -> bool {
        !self.health.is_deleted() && self.topic == topic_name(topic) && self.filter_holds(body)
    }

    fn filter_holds(&self, body: &Value) -> bool {
        let Some(Ok(query)) = self.wanted.filter.as_deref().map(Query::parse) else { return true };
        query.holds(&|field| found(body, field), &jiff::tz::TimeZone::UTC)
    }
}

/// A dotted path into the payload; lists are looked into.
fn found(body: &Value, field: Option<&str>) -> Found {
    let Some(field) = field else { return Found::Values(Vec::new()) };
    let mut here = vec![body];
    for step in field.split('.') {
        here = here.into_iter().flat_map(items).filter_map(|value| value.get(step)).collect();
    }
    let leaves = here.into_iter().filter_map(|value| match value {
        Value::String(text) => Some(text.parse().map_or_else(|_| Searchable::text(text), Searchable::Number)),
        Value::Number(number) => number.to_string().parse().ok().map(Searchable::Number),
        Value::Bool(flag) => Some(Searchable::text(flag.to_string())),
        _ => None,
    });
    Found::Values(leaves.collect())
}

/// A list's items, or the value by itself.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

impl Wanted {
    /// Shopify's own sentences, by input field; the first found.
    pub(crate) fn fault(&self) -> Option<(Vec<&'static str>, String)> {
        let address = |text: String| Some((vec!["webhookSubscription", "callbackUrl"], text));
        if self.uri.trim().is_empty() {
            return address("Address can't be blank".to_owned());
        }
        match self.uri.split_once("://") {
            Some(("https", host)) if !host.is_empty() => {}
            // Shopify has TLS only; the look-alike also speaks to its own machine in the clear.
            Some(("http", host)) if is_loopback(host) => {}
            Some((scheme, _)) if scheme != "https" => {
                return address(format!("Address protocol {scheme}:// is not supported"));
            }
            _ => return address("Address is invalid".to_owned()),
        }
        self.fault_of_name().or_else(|| self.fault_of_filter())
    }

    fn fault_of_name(&self) -> Option<(Vec<&'static str>, String)> {
        let name = self.name.as_deref()?;
        let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        let text = if name.is_empty() {
            "Name is too short (minimum is 1 character)"
        } else if name.len() > 50 {
            "Name is too long (maximum is 50 characters)"
        } else if !name.chars().all(letters) {
            "Name name field can only contain alphanumeric characters, underscores, and hyphens"
        } else {
            return None;
        };
        Some((vec!["webhookSubscription", "name"], text.to_owned()))
    }

    fn fault_of_filter(&self) -> Option<(Vec<&'static str>, String)> {
        let filter = self.filter.as_deref().filter(|filter| !filter.is_empty())?;
        let named = Query::parse(filter).is_ok_and(|query| !query.fields().is_empty());
        let text =
            "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on.";
        (!named).then(|| (vec!["webhookSubscription"], text.to_owned()))
    }
}

fn is_loopback(host: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]"].iter().any(|known| {
        host.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
    })
}

/// The sentence for a topic whose data the app may not read.
pub(crate) fn forbidden(request: &Request, topic: &str) -> Option<String> {
    let needed: &[&str] = match topic {
        "ORDER_TRANSACTIONS_CREATE" => &["read_orders", "read_marketplace_orders"],
        of if of.starts_with("ORDERS_") || of.starts_with("REFUNDS_") => {
            &["read_orders", "read_marketplace_orders"]
        }
        of if of.starts_with("FULFILLMENTS_") => {
            &["read_fulfillments", "read_orders", "read_marketplace_orders"]
        }
        of if of.starts_with("CUSTOMERS_") => &["read_customers"],
        of if of.starts_with("COMPAN") => &["read_customers", "read_companies"],
        of if of.starts_with("PRODUCTS_") => &["read_products"],
        of if of.starts_with("INVENTORY_") => &["read_inventory"],
        _ => return None,
    };
    let held = needed.iter().any(|scope| request.access.holds(scope));
    (!held).then(|| format!("You do not have permission to create or update webhooks with {topic} topic."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(uri: &str) -> Wanted {
        Wanted { uri: uri.to_owned(), ..Wanted::default() }
    }

    #[test]
    fn addresses_names_and_filters_are_judged_as_shopify_does() {
        let cases = [
            (wanted("https://hub.example.com/webhooks"), None),
            (wanted("http://127.0.0.1:8080/webhooks"), None),
            (wanted("http://hub.example.com"), Some("Address protocol http:// is not supported")),
            (wanted("http://127.0.0.1.example.com"), Some("Address protocol http:// is not supported")),
            (wanted("ftp://hub.example.com"), Some("Address protocol ftp:// is not supported")),
            (wanted(""), Some("Address can't be blank")),
            (wanted("hub.example.com"), Some("Address is invalid")),
            (
                Wanted { name: Some("a b".to_owned()), ..wanted("https://a.b") },
                Some("Name name field can only contain alphanumeric characters, underscores, and hyphens"),
            ),
            (
                Wanted { filter: Some("paid".to_owned()), ..wanted("https://a.b") },
                Some(
                    "The specified filter is invalid, please ensure you specify the field(s) you wish to filter on.",
                ),
            ),
        ];
        for (wanted, expected) in cases {
            assert_eq!(wanted.fault().map(|(_, text)| text).as_deref(), expected, "{wanted:?}");
        }
    }

    #[test]
    fn a_filter_looks_into_the_payload() {
        let body = json!({ "total_price": "120.00", "test": false, "customer": { "tags": "vip" }, "line_items": [{ "sku": "A" }, { "sku": "B" }] });
        let cases = [
            ("total_price:>=100", true),
            ("total_price:>=1000", false),
            ("line_items.sku:B", true),
            ("customer.tags:vip AND test:false", true),
            ("NOT test:false", false),
        ];
        for (filter, holds) in cases {
            let subscription = Subscription {
                id: 1,
                topic: "ORDERS_CREATE".to_owned(),
                wanted: Wanted { filter: Some(filter.to_owned()), ..wanted("https://a.b") },
                created_at: Timestamp::UNIX_EPOCH,
                updated_at: Timestamp::UNIX_EPOCH,
                health: Arc::default(),
            };
            assert_eq!(subscription.wants("orders/create", &body), holds, "{filter}");
            assert!(!subscription.wants("orders/updated", &body));
        }
    }
}
