//! What a Shopify topic is to the order domain (DESIGN section 4).

use super::event::EventKind;

/// What the arrival of a topic means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicKind {
    /// The body is the whole order; any of these may come first.
    State,
    /// The body is one refund, payment or fulfilment of an order.
    Event(EventKind),
    /// Something about the order changed and the body is not the order: it is read by id.
    Hint,
    /// Obligatory: personal data is to be listed or destroyed.
    Privacy,
    /// The app's own life: uninstalled, other scopes.
    App,
    /// Nothing of this domain.
    Other,
}

/// The topics that concern orders, and those that are always handled.
pub const ORDER_TOPICS: &[(&str, TopicKind)] = &[
    ("app/scopes_update", TopicKind::App),
    ("app/uninstalled", TopicKind::App),
    ("customers/data_request", TopicKind::Privacy),
    ("customers/redact", TopicKind::Privacy),
    ("fulfillments/create", TopicKind::Event(EventKind::Fulfilment)),
    ("fulfillments/update", TopicKind::Event(EventKind::Fulfilment)),
    ("order_transactions/create", TopicKind::Event(EventKind::Payment)),
    ("orders/cancelled", TopicKind::State),
    ("orders/create", TopicKind::State),
    ("orders/delete", TopicKind::Hint),
    ("orders/edited", TopicKind::Hint),
    ("orders/fulfilled", TopicKind::State),
    ("orders/paid", TopicKind::State),
    ("orders/partially_fulfilled", TopicKind::State),
    ("orders/risk_assessment_changed", TopicKind::Hint),
    ("orders/updated", TopicKind::State),
    ("refunds/create", TopicKind::Event(EventKind::Refund)),
    ("shop/redact", TopicKind::Privacy),
];

/// Finds what a topic is, as `X-Shopify-Topic` spells it.
#[must_use]
pub fn classify(topic: &str) -> TopicKind {
    ORDER_TOPICS
        .binary_search_by(|(known, _)| (*known).cmp(topic))
        .map_or(TopicKind::Other, |index| ORDER_TOPICS[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_sorted_and_found() {
        assert!(ORDER_TOPICS.is_sorted_by(|a, b| a.0 < b.0));
        for (topic, kind) in ORDER_TOPICS {
            assert_eq!(classify(topic), *kind, "{topic}");
        }
        for other in ["", "orders", "orders/created", "ORDERS/CREATE", "products/update"] {
            assert_eq!(classify(other), TopicKind::Other, "{other}");
        }
    }
}
