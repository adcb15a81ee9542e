//! What belongs to an order and never changes at its source: what was paid for it, what was given back. Each is final as it is.

use domains::{orders, payments, refunds};
use engine::facts::{Facts, State};
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;
use std::sync::Arc;

/// One kind of them, as it was read.
#[derive(Debug)]
pub enum FinalStates {
    Payments,
    Refunds,
}

/// A canonical form as a tree, and its digest.
type Canonical = Result<(Value, [u8; 32]), serde_json::Error>;

impl FinalStates {
    fn topic(&self) -> &'static str {
        match self {
            Self::Payments => payments::TOPIC,
            Self::Refunds => refunds::TOPIC,
        }
    }

    /// The order's name, when it came about, and its canonical form.
    fn parsed(&self, payload: &[u8]) -> Result<(String, Timestamp, Canonical), orders::BodyFault> {
        Ok(match self {
            Self::Payments => {
                let payment = payments::from_graphql(payload)?;
                let canonical = payments::canonical(&payment);
                (payment.order_name, payment.paid_at, canonical)
            }
            Self::Refunds => {
                let refund = refunds::from_graphql(payload)?;
                let canonical = refunds::canonical(&refund);
                (refund.order_name, refund.created_at, canonical)
            }
        })
    }
}

impl Facts for FinalStates {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == self.topic()).then_some(FactKind::State)
    }

    fn read(&self, topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let (label, at, canonical) = self.parsed(payload).map_err(orders::BodyFault::into_fault)?;
        let (body, digest) = canonical.map_err(|error| {
            Fault::new(FaultKind::Bug, "TG-5006", format!("what came as {topic} cannot be written: {error}"))
        })?;
        Ok(State {
            label,
            customer: None,
            created_at: at,
            updated_at: at,
            changed_at: at,
            cancelled: false,
            digest,
            body: Arc::new(body),
        })
    }
}
