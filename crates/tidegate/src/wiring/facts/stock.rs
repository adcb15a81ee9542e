//! Stock as a source tells it, with the rules of one flow: what is kept back, units, and what shares its units in bundles.

use domains::inventory::composed::{self, TOPIC as COMPOSED};
use domains::inventory::{self, Canonical, Rules, StockFault};
use engine::facts::{Facts, State, Touched};
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority};
use kernel::fault::Fault;
use kernel::id::DomainName;
use kernel::subject::Subject;
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

    /// What a payload comes to: whose it is, when it changed, and what may be sold.
    fn canonical(&self, topic: &str, payload: &[u8]) -> Result<(String, Timestamp, Canonical), StockFault> {
        if topic == COMPOSED {
            let composed = composed::read(payload)?;
            let canonical = composed.canonical(&self.rules)?;
            return Ok((composed.sku.clone(), composed.changed_at(), canonical));
        }
        let stock = inventory::read(payload)?;
        let canonical = inventory::canonical(&stock, &self.rules)?;
        Ok((stock.sku, stock.changed_at, canonical))
    }
}

/// The paths of all that share units with a SKU at a location, itself among them; empty where it shares none.
fn family(rules: &Rules, sku: &str, location: &str) -> Vec<String> {
    let members = rules.bundles().family(sku);
    let Some(first) = members.first() else { return Vec::new() };
    members.iter().map(|member| inventory::shared(first, member, location)).collect()
}

impl Facts for Stock {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        matches!(topic, LEVEL | COMPOSED).then_some(FactKind::State)
    }

    fn read(&self, topic: &str, payload: &[u8]) -> Result<State, Fault> {
        let (sku, changed_at, canonical) = self.canonical(topic, payload).map_err(StockFault::into_fault)?;
        Ok(State {
            label: sku,
            customer: None,
            created_at: changed_at,
            updated_at: changed_at,
            changed_at,
            cancelled: false,
            digest: canonical.digest,
            body: Arc::new(canonical.body),
        })
    }

    /// Itself, and the bundles that hold it.
    fn composes(&self, subject: &Subject) -> Option<Vec<String>> {
        let (sku, location) = inventory::alone(subject)?;
        let bundles = self.rules.bundles();
        let first = bundles.family(&sku).first()?;
        let held_by = bundles.held_by(&sku).iter().map(|piece| piece.sku.as_str());
        let own = std::iter::once(sku.as_str());
        Some(own.chain(held_by).map(|member| inventory::shared(first, member, &location)).collect())
    }

    /// All that share its units: those are set one at a time, each by what the others show.
    fn kin(&self, subject: &Subject) -> Option<Vec<String>> {
        let (sku, location) = inventory::parts(subject).filter(|_| inventory::alone(subject).is_none())?;
        let mut family = family(&self.rules, &sku, &location);
        family.retain(|path| *path != subject.path);
        (!family.is_empty()).then_some(family)
    }

    /// A level that was routed before it was sold in bundles; what was composed by another file of them.
    fn displaced(&self, topic: &str, subject: &Subject) -> Option<Vec<String>> {
        let (sku, location) = inventory::parts(subject)?;
        let family = family(&self.rules, &sku, &location);
        let stands = match (topic == COMPOSED, family.is_empty()) {
            (true, _) => family.contains(&subject.path),
            (false, is_alone) => is_alone && inventory::alone(subject).is_some(),
        };
        match family.as_slice() {
            _ if stands => None,
            // Each of these has the others composed anew, and so both all.
            [first, second, ..] => Some(vec![first.clone(), second.clone()]),
            _ => Some(vec![inventory::path(&sku, &location)]),
        }
    }

    fn is_composed(&self, topic: &str) -> bool {
        topic == COMPOSED
    }

    /// What one of those that share units gave up, the others may take.
    fn touches(&self, topic: &str, _payload: &[u8], state: &State) -> Vec<Touched> {
        let (Some(sku), Some(location)) = (state.body["sku"].as_str(), state.body["location"].as_str())
        else {
            return Vec::new();
        };
        let Ok(domain) = DomainName::new(crate::wiring::plan::INVENTORY) else { return Vec::new() };
        let first = self.rules.bundles().family(sku).first().filter(|_| topic == COMPOSED);
        let own = first.map(|first| inventory::shared(first, sku, location));
        own.into_iter()
            .map(|path| Touched { domain: domain.clone(), path, once: false, written: true })
            .collect()
    }

    /// What comes on sale or goes off it overtakes what only moves a number. `known` is the quantity that the shop was last
    /// set to; where it was never set, only what goes off sale is pressing.
    fn urgency(&self, state: &State, known: Option<&str>) -> Priority {
        let sells = |quantity: i64| quantity > 0;
        let now = state.body["available"].as_i64().is_some_and(sells);
        let before = known.and_then(|known| known.parse().ok()).is_none_or(sells);
        if now == before { Priority::Sweep } else { Priority::Live }
    }

    fn explain(&self, topic: &str, payload: &[u8]) -> Vec<String> {
        match self.canonical(topic, payload) {
            Ok((_, _, canonical)) => canonical.why.iter().map(ToString::to_string).collect(),
            Err(fault) => vec![fault.to_string()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domains::inventory::bundles::Bundles;
    use kernel::id::ShopId;

    fn stock(rows: &str) -> Stock {
        let rules = Rules::default();
        let text = format!("bundle,component,quantity\n{rows}");
        let bundles = Arc::new(Bundles::parse(text.as_bytes(), &rules).unwrap());
        Stock::new(rules.with_bundles(bundles, &[]).unwrap())
    }

    fn subject(path: &str) -> Subject {
        Subject { shop: ShopId::new("acme").unwrap(), path: path.to_owned() }
    }

    const ROWS: &str = "SET,TABLE,1\nSET,CHAIR,4\nPAIR,CHAIR,2\n";

    #[test]
    fn a_level_is_sent_as_what_is_made_of_it() {
        let stock = stock(ROWS);
        let composes = |path: &str| stock.composes(&subject(path)).unwrap_or_default();
        let chairs = ["ats:CHAIR@W/ats:CHAIR", "ats:CHAIR@W/ats:PAIR", "ats:CHAIR@W/ats:SET"];
        assert_eq!(composes("ats:CHAIR@W"), chairs);
        assert_eq!(composes("ats:TABLE@W"), ["ats:CHAIR@W/ats:TABLE", "ats:CHAIR@W/ats:SET"]);
        assert!(composes("ats:LAMP@W").is_empty() && composes(chairs[0]).is_empty());
        // What one of them gave up, all others may take.
        let kin = |path: &str| stock.kin(&subject(path)).unwrap_or_default();
        assert_eq!(kin("ats:CHAIR@W/ats:TABLE"), chairs);
        assert!(kin("ats:CHAIR@W").is_empty() && kin("ats:LAMP@W").is_empty());
    }

    #[test]
    fn what_waits_from_before_the_bundles_were_changed_is_composed_anew() {
        let stock = stock(ROWS);
        let displaced = |topic: &str, path: &str| stock.displaced(topic, &subject(path));
        assert_eq!(displaced(LEVEL, "ats:LAMP@W"), None);
        assert_eq!(displaced(COMPOSED, "ats:CHAIR@W/ats:SET"), None);
        // Its level was to be sent by itself; another SKU stood for all of them.
        for (topic, path) in [(LEVEL, "ats:CHAIR@W"), (COMPOSED, "ats:ARMCHAIR@W/ats:CHAIR")] {
            let paths = displaced(topic, path).unwrap();
            let kin = |path: &String| stock.kin(&subject(path)).unwrap();
            let all: std::collections::BTreeSet<String> = paths.iter().flat_map(kin).collect();
            assert_eq!(all.len(), 4, "{all:?}");
        }
        // It is in no bundle any more.
        let alone = Some(vec!["ats:LAMP@W".to_owned()]);
        assert_eq!(displaced(COMPOSED, "ats:CHAIR@W/ats:LAMP"), alone);
        assert_eq!(displaced(LEVEL, "ats:CHAIR@W/ats:LAMP"), alone);
    }
}
