//! Shipments as a source tells them: the whole of each, shipped or taken back.

use super::stock::family;
use domains::inventory::Rules;
use domains::{inventory, shipments};
use engine::facts::{Admission, Confirm, Facts, History, State, Touched};
use jiff::Timestamp;
use kernel::envelope::FactKind;
use kernel::fault::Fault;
use kernel::flow::OrderPolicy;
use kernel::id::DomainName;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug)]
pub struct Shipments {
    /// Where the same source's stock is kept.
    stock: DomainName,
    /// What shares units there.
    rules: Rules,
}

impl Shipments {
    pub fn new(stock: DomainName, rules: Rules) -> Self {
        Self { stock, rules }
    }
}

impl Facts for Shipments {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == shipments::TOPIC).then_some(FactKind::State)
    }

    fn read(&self, _topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let shipment = shipments::read(payload).map_err(shipments::ShipmentFault::into_fault)?;
        let canonical = shipments::canonical(&shipment).map_err(shipments::ShipmentFault::into_fault)?;
        let changed_at = shipment.changed_at();
        Ok(State {
            label: shipment.shipment,
            customer: None,
            created_at: shipment.shipped_at.unwrap_or(changed_at),
            updated_at: changed_at,
            changed_at,
            cancelled: shipment.cancelled_at.is_some(),
            digest: canonical.digest,
            body: Arc::new(canonical.body),
        })
    }

    /// What left is no longer committed in the shop: what it may sell of it is decided anew.
    fn touches(&self, _topic: &str, _payload: &[u8], state: &State) -> Vec<Touched> {
        let text = |of: &Value, name: &str| of[name].as_str().map(str::to_owned);
        let Some(location) = text(&state.body, "location") else { return Vec::new() };
        let lines = state.body["lines"].as_array();
        let skus = lines.into_iter().flatten().filter_map(|line| text(line, "sku"));
        let paths = skus.flat_map(|sku| {
            let family = family(&self.rules, &sku, &location);
            if family.is_empty() { vec![inventory::path(&sku, &location)] } else { family }
        });
        paths.map(|path| Touched { domain: self.stock.clone(), path, once: false, written: false }).collect()
    }

    /// A list of shipments shows no fingerprint.
    fn can_be(&self, _: &Value, _: &str) -> bool {
        true
    }

    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        Admission::Export
    }

    /// A shipment is recorded; there is nothing to confirm.
    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        Confirm::NotByThis
    }
}
