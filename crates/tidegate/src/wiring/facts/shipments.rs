//! Shipments as a source tells them: the whole of each, shipped or taken back.

use domains::inventory::Rules;
use domains::{inventory, shipments};
use engine::facts::{Facts, State, Touched};
use kernel::envelope::FactKind;
use kernel::fault::Fault;
use kernel::id::DomainName;
use serde_json::Value;
use std::sync::Arc;

#[derive(Debug)]
pub struct Shipments {
    /// Where the same source's stock is kept.
    stock: DomainName,
    /// What is sold in bundles there.
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

    fn follows_levels(&self) -> bool {
        true
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
        // Of a bundle its source knows the components.
        let levels = skus.flat_map(|sku| match self.rules.bundles().made_of(&sku) {
            Some(pieces) => pieces.iter().map(|piece| piece.sku.clone()).collect(),
            None => vec![sku],
        });
        let touched = |sku: String| Touched {
            domain: self.stock.clone(),
            path: inventory::path(&sku, &location),
            once: false,
            written: false,
        };
        levels.map(touched).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domains::inventory::bundles::Bundles;

    #[test]
    fn of_a_bundle_that_was_sent_the_levels_of_its_components_are_read() {
        let rules = Rules::default();
        let text = b"bundle,component,quantity\nSET,TABLE,1\nSET,CHAIR,4\n";
        let rules = rules.clone().with_bundles(Arc::new(Bundles::parse(text, &rules).unwrap()), &[]).unwrap();
        let facts = Shipments::new(DomainName::new("inventory").unwrap(), rules);
        let payload =
            br#"{"shipment":"SH-1","order":"5001","location":"W","shipped_at":"2026-11-26T14:00:00Z",
            "lines":[{"sku":"SET","quantity":1},{"sku":"LAMP","quantity":2}]}"#;
        let state = facts.read(shipments::TOPIC, payload).unwrap();
        let paths: Vec<String> = facts
            .touches(shipments::TOPIC, payload, &state)
            .into_iter()
            .map(|touched| touched.path)
            .collect();
        assert_eq!(paths, ["ats:CHAIR@W", "ats:TABLE@W", "ats:LAMP@W"]);
    }
}
