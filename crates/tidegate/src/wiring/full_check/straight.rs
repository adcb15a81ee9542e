//! The short way through a mapping, for a million pairs of which nearly all agree. A mapping that copies SKU, available and
//! counted, sets how much is held back, and makes the shop's location of the source's alone, says of a level nothing that
//! the level's own figures do not; of each location it is asked once. Any other mapping is asked for each pair. What differs is
//! mapped in full either way, before anything is said or done about it.

use domains::inventory::{Rules, Sold, read, sold};
use kernel::fault::Fault;
use mapping::{Mapping, Verb};

/// What the short way needs.
#[derive(Debug, Clone)]
pub struct Straight {
    rules: Rules,
    /// The mapping says how much the source has counted.
    counts: bool,
}

/// A level as the mapping would make it, but for its location.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) sku: String,
    /// As the source calls it.
    pub(super) location: String,
    pub(super) available: i64,
    pub(super) counted: Option<i64>,
}

impl Straight {
    /// `None`: the mapping has to be asked for each pair.
    pub fn of(mapping: &Mapping, rules: &Rules) -> Option<Self> {
        let fields = mapping.fields();
        let field = |to: &str| fields.iter().find(|(path, _)| path.as_str() == to).map(|(_, facts)| facts);
        let only = |to: &str, from: &str, verbs: &[Verb]| {
            field(to).map(|facts| {
                facts.verbs.iter().all(|verb| verbs.contains(verb))
                    && facts.reads.iter().all(|path| path.as_str() == from)
            })
        };
        let location = field("location").is_some_and(|facts| {
            let own = |verb: &Verb| !matches!(verb, Verb::Context | Verb::ExternalRef | Verb::Expr);
            facts.verbs.iter().all(own) && facts.reads.iter().all(|path| path.as_str() == "location")
        });
        let is_straight = location
            && only("sku", "sku", &[Verb::Copy]) == Some(true)
            && only("available", "available", &[Verb::Copy]) == Some(true)
            && only("counted", "counted", &[Verb::Copy]) != Some(false)
            && only("in_flight", "", &[Verb::Constant]) != Some(false);
        is_straight.then(|| Self { rules: rules.clone(), counts: field("counted").is_some() })
    }

    /// # Errors
    /// As the facts of the flow would refuse the level.
    pub(super) fn figures(&self, payload: &[u8]) -> Result<Figures, Fault> {
        let stock = read(payload).map_err(domains::inventory::StockFault::into_fault)?;
        let Sold { available, counted } =
            sold(&stock, &self.rules).map_err(domains::inventory::StockFault::into_fault)?;
        let counted = counted.filter(|_| self.counts);
        Ok(Figures { sku: stock.sku, location: stock.location, available, counted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = include_str!("../../../../../mappings/stock_to_shopify.toml");

    fn straight(text: &str) -> bool {
        let schemas = crate::wiring::schemas::all();
        let (_, mapping) = check::load_mapping("stock.toml", text, &schemas);
        Straight::of(&mapping.unwrap(), &Rules::parse(&[], &[]).unwrap()).is_some()
    }

    #[test]
    fn a_mapping_that_reckons_is_asked_for_each_pair() {
        assert!(straight(FILE), "the one that ships");
        for (from, to) in [
            ("{ to = \"sku\", copy = \"sku\" }", "{ to = \"sku\", copy = \"sku\", then = [\"upper\"] }"),
            ("{ to = \"available\", copy = \"available\" }", "{ to = \"available\", constant = 7 }"),
            // Its own, and not that of an outlet.
            ("\n  { to = \"location\", copy = \"location\"", "\n  { to = \"location\", copy = \"sku\""),
        ] {
            assert!(FILE.contains(from), "{from}");
            assert!(!straight(&FILE.replace(from, to)), "{to}");
        }
    }

    #[test]
    fn the_figures_are_the_levels_own() {
        let level = br#"{"sku":" A ","location":"WH-1","on_hand":"10","reserved":"3","counted":"2",
                         "changed_at":"2026-11-26T14:00:00Z"}"#;
        let straight = Straight { rules: Rules::parse(&["1".to_owned()], &[]).unwrap(), counts: true };
        let figures = straight.figures(level).unwrap();
        assert_eq!((figures.sku.as_str(), figures.available, figures.counted), ("A", 6, Some(2)));
        assert!(straight.figures(b"{}").is_err());
    }
}
