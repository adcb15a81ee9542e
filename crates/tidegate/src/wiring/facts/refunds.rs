//! What was given back of an order, as it was read.

use domains::refunds;
use engine::facts::{Admission, Confirm, Facts, History, State};
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::OrderPolicy;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug)]
pub struct Refunds;

impl Facts for Refunds {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == refunds::TOPIC).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let refund = refunds::from_graphql(payload).map_err(domains::orders::BodyFault::into_fault)?;
        let unwritable =
            |error| Fault::new(FaultKind::Bug, "TG-5006", format!("a refund cannot be written: {error}"));
        let (body, digest) = refunds::canonical(&refund).map_err(unwritable)?;
        Ok(State {
            label: refund.order_name,
            customer: None,
            created_at: refund.created_at,
            updated_at: refund.created_at,
            changed_at: refund.created_at,
            cancelled: false,
            digest,
            body: Arc::new(body),
        })
    }

    /// Nothing of a refund is listed.
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
