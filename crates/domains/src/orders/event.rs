//! What happened to an order: refunds, payments and fulfilments, derived from every state that is read.
//!
//! An event's identity is its source object's id under its order (`order:5678/refund:999`), so that the same event
//! derived from two states, or received by its own topic, is one.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Order;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Refund,
    Payment,
    Fulfilment,
}

impl EventKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Payment => "payment",
            Self::Fulfilment => "fulfilment",
        }
    }
}

/// One event of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DerivedEvent {
    pub kind: EventKind,
    /// The source object's numeric id.
    pub id: String,
    /// Its status, where it has one that may still change (`success`, `cancelled`).
    pub status: Option<String>,
    pub occurred_at: Timestamp,
    pub body: Value,
}

impl DerivedEvent {
    /// The last part of its subject: `refund:999`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.id)
    }

    /// The webhook's body holds refunds and fulfilments but no payments: only the first two may count in a digest
    /// that both forms agree on.
    pub(crate) fn in_both_forms(&self) -> bool {
        !matches!(self.kind, EventKind::Payment)
    }
}

/// The events of an order that was read, oldest first.
#[must_use]
pub fn events(order: &Order) -> &[DerivedEvent] {
    &order.events
}

/// Oldest first; among equals by kind and id.
pub(crate) fn sort(events: &mut [DerivedEvent]) {
    events.sort_by(|a, b| {
        (a.occurred_at, a.kind, a.id.len(), &a.id).cmp(&(b.occurred_at, b.kind, b.id.len(), &b.id))
    });
}
