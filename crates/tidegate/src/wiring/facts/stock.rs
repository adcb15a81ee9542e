//! Stock as a source tells it, with the rules of one flow: what is kept back, units, and what is composed of several levels because it
//! is sold in bundles, lies at several locations that are one to the shop, or is divided over several of the shop's.

use domains::inventory::change::{self, TOPIC as CHANGE};
use domains::inventory::composed::{self, TOPIC as COMPOSED};
use domains::inventory::figures::figures;
use domains::inventory::folding;
use domains::inventory::{self, Canonical, Rules, StockFault, sharing};
use engine::facts::{Became, Facts, Folding, State, Told, Touched};
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority};
use kernel::fault::Fault;
use kernel::id::DomainName;
use kernel::subject::Subject;
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

    /// What a payload comes to: whose it is, when it changed, and what may be sold.
    fn canonical(&self, topic: &str, payload: &[u8]) -> Result<(String, Timestamp, Canonical), StockFault> {
        if topic == COMPOSED {
            let composed = composed::read(payload)?;
            let canonical = composed.canonical(&self.rules)?;
            return Ok((composed.sku.clone(), composed.changed_at(), canonical));
        }
        if topic == CHANGE {
            let change = change::read(payload)?;
            return Err(folding::not_alone(&change));
        }
        let stock = inventory::read(payload)?;
        let canonical = inventory::canonical(&stock, &self.rules)?;
        Ok((stock.sku, stock.changed_at, canonical))
    }
}

impl Facts for Stock {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        match topic {
            LEVEL | COMPOSED => Some(FactKind::State),
            CHANGE => Some(FactKind::Change),
            _ => None,
        }
    }

    fn fold(&self, told: &Told<'_>, record: Option<&[u8]>) -> Result<Folding, Fault> {
        folded(told, record)
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

    fn composes(&self, subject: &Subject) -> Option<Vec<String>> {
        sharing::composes(&self.rules, subject)
    }

    fn kin(&self, subject: &Subject) -> Option<Vec<String>> {
        sharing::kin(&self.rules, subject)
    }

    fn displaced(&self, topic: &str, subject: &Subject) -> Option<Vec<String>> {
        sharing::displaced(&self.rules, topic == COMPOSED, subject)
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
        let own = sharing::told_to_kin(&self.rules, sku, location).filter(|_| topic == COMPOSED);
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

    fn figures(&self, topic: &str, payload: &[u8]) -> Value {
        let figures = match topic {
            COMPOSED => composed::read(payload).and_then(|composed| composed.figures(&self.rules)),
            _ => inventory::read(payload).and_then(|stock| figures(&stock, &self.rules)),
        };
        // What cannot be read its explanation says.
        figures.ok().and_then(|figures| serde_json::to_value(figures).ok()).unwrap_or_default()
    }

    fn explain(&self, topic: &str, payload: &[u8]) -> Vec<String> {
        match self.canonical(topic, payload) {
            Ok((_, _, canonical)) => {
                let why = canonical.why.iter().map(ToString::to_string);
                // Each a line of the sum that adds nothing.
                let said = |text| inventory::Term { adds: None, text }.to_string();
                why.chain(folding::explain(payload).into_iter().map(said)).collect()
            }
            Err(fault) => vec![fault.to_string()],
        }
    }
}

/// What is folded is the same whatever the rules of a flow: it is what the source has.
pub(crate) fn folded(told: &Told<'_>, record: Option<&[u8]>) -> Result<Folding, Fault> {
    let Told { topic, payload, sequence, received_at: at, asked } = *told;
    let told = folding::Told { topic, payload, sequence, at, asked };
    let folding = folding::fold(&told, record).map_err(StockFault::into_fault)?;
    Ok(Folding {
        record: folding.record,
        became: match folding.became {
            folding::Became::Level(payload) => Became::State { topic: LEVEL, payload },
            folding::Became::AsTold => Became::AsTold,
            folding::Became::Known => Became::Known,
            folding::Became::Older => Became::Older,
            folding::Became::NoLevel(fault) => Became::NoState(fault.into_fault()),
        },
        read: folding.ask,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_on_sale_or_goes_off_it_is_pressing() {
        let stock = Stock::new(Rules::default());
        for (on_hand, known, pressing) in [
            ("0", Some("5"), true),
            ("-3", Some("1"), true),
            ("5", Some("0"), true),
            ("1", Some("-2"), true),
            ("5", Some("6"), false),
            ("0", Some("-2"), false),
            ("-3", Some("0"), false),
            // Never set: what is off sale is pressing, and a first number is not.
            ("0", None, true),
            ("5", None, false),
        ] {
            let level = format!(
                r#"{{"sku":"A","location":"WH","on_hand":"{on_hand}","changed_at":"2026-11-26T14:00:00Z"}}"#
            );
            let state = stock.read(LEVEL, level.as_bytes()).unwrap();
            let expected = if pressing { Priority::Live } else { Priority::Sweep };
            assert_eq!(stock.urgency(&state, known), expected, "{on_hand} after {known:?}");
        }
    }
}
