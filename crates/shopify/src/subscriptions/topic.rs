//! Topics: as headers spell them (`orders/create`) and as the Admin API does (`ORDERS_CREATE`), and the scopes that a
//! subscription needs.

use domains::orders::{ORDER_TOPICS, TopicKind};

/// Every installation subscribes to them: the app's own life.
pub const APP_TOPICS: [&str; 2] = ["app/scopes_update", "app/uninstalled"];

/// Obligatory, and set in the app's configuration at Shopify alone: the Admin API does not know them.
pub const COMPLIANCE_TOPICS: [&str; 3] = ["customers/data_request", "customers/redact", "shop/redact"];

/// A topic that flows may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Topic {
    pub name: &'static str,
    pub domain: &'static str,
    pub scopes: &'static [&'static str],
}

/// The topics of orders. All of their data is the order's, so that one scope opens them.
pub fn order_topics() -> impl Iterator<Item = Topic> {
    let is_of_orders =
        |kind: &TopicKind| matches!(kind, TopicKind::State | TopicKind::Event(_) | TopicKind::Hint);
    ORDER_TOPICS.iter().filter(move |(_, kind)| is_of_orders(kind)).map(|(name, _)| Topic {
        name,
        domain: "orders",
        scopes: &["read_orders"],
    })
}

/// `orders/partially_fulfilled` → `ORDERS_PARTIALLY_FULFILLED`. The other way is not unique, so that live topics are
/// compared in this spelling.
pub fn enum_name(topic: &str) -> String {
    topic.replace('/', "_").to_ascii_uppercase()
}
