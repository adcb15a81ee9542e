//! Stock as a source tells it, with the rules of one flow: what is kept back, and units.

use domains::inventory::{self, Rules};
use engine::facts::{Admission, Confirm, Facts, History, State};
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority};
use kernel::fault::Fault;
use kernel::flow::OrderPolicy;
use serde_json::Value;
use std::sync::Arc;

/// The topic of a level.
pub const LEVEL: &str = "stock/level";

#[derive(Debug)]
pub struct Stock {
    rules: Rules,
}

impl Stock {
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }
}

impl Facts for Stock {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == LEVEL).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let stock = inventory::read(payload).map_err(inventory::StockFault::into_fault)?;
        let canonical =
            inventory::canonical(&stock, &self.rules).map_err(inventory::StockFault::into_fault)?;
        Ok(State {
            label: stock.sku,
            customer: None,
            created_at: stock.changed_at,
            updated_at: stock.changed_at,
            changed_at: stock.changed_at,
            cancelled: false,
            digest: canonical.digest,
            body: Arc::new(canonical.body),
        })
    }

    /// What comes on sale or goes off it overtakes what only moves a number. `known` is the quantity that the shop was last
    /// set to; where it was never set, only what goes off sale is pressing.
    fn urgency(&self, state: &State, known: Option<&str>) -> Priority {
        let sells = |quantity: i64| quantity > 0;
        let now = state.body["available"].as_i64().is_some_and(sells);
        let before = known.and_then(|known| known.parse().ok()).is_none_or(sells);
        if now == before { Priority::Sweep } else { Priority::Live }
    }

    /// A list of stock shows no fingerprint.
    fn can_be(&self, _: &Value, _: &str) -> bool {
        true
    }

    fn explain(&self, _topic: &str, payload: &[u8]) -> Vec<String> {
        let canonical = inventory::read(payload).and_then(|stock| inventory::canonical(&stock, &self.rules));
        match canonical {
            Ok(canonical) => canonical.why.iter().map(ToString::to_string).collect(),
            Err(fault) => vec![fault.to_string()],
        }
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }

    /// A level is set; there is nothing to confirm.
    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
    }
}
