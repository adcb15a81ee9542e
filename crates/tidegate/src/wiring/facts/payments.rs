//! What was taken for an order, as it was read.

use domains::payments;
use engine::facts::{Admission, Confirm, Facts, History, State};
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::OrderPolicy;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug)]
pub struct Payments;

impl Facts for Payments {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == payments::TOPIC).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let payment = payments::from_graphql(payload).map_err(domains::orders::BodyFault::into_fault)?;
        let unwritable =
            |error| Fault::new(FaultKind::Bug, "TG-5006", format!("a payment cannot be written: {error}"));
        let (body, digest) = payments::canonical(&payment).map_err(unwritable)?;
        Ok(State {
            label: payment.order_name,
            customer: None,
            created_at: payment.paid_at,
            updated_at: payment.paid_at,
            changed_at: payment.paid_at,
            cancelled: false,
            digest,
            body: Arc::new(body),
        })
    }

    /// Nothing of a payment is listed.
    fn can_be(&self, _: &Value, _: &str) -> bool {
        true
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }

    /// It is final as it is.
    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
    }
}
