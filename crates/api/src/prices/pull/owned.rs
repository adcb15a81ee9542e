//! The lists of a source. Owns that no row of another list comes through it, whatever the system behind it says.

use price_store::{PriceStore, Row, RowFault};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
pub(super) struct Owned {
    source: String,
    patterns: Vec<String>,
}

impl Owned {
    pub(super) fn new(source: &str, patterns: Vec<String>) -> Self {
        Self { source: source.to_owned(), patterns }
    }

    pub(super) fn owns(&self, list: &str) -> bool {
        self.patterns.iter().any(|pattern| config::list_matches(pattern, list))
    }

    /// All lists of its own that have a price.
    pub(super) fn known(&self, prices: &PriceStore) -> BTreeSet<String> {
        let version = prices.current();
        let with_prices = version.lists().filter(|(_, prices)| *prices > 0).map(|(list, _)| list);
        with_prices.filter(|list| self.owns(list)).map(str::to_owned).collect()
    }

    pub(super) fn judge<'r>(&self, row: Row<'r>) -> Result<Row<'r>, RowFault> {
        match self.refused(&row.list) {
            None => Ok(row),
            Some(what) => Err(RowFault { line: row.line, what }),
        }
    }

    /// Why nothing may be told of a list; none: it may.
    pub(super) fn refused(&self, list: &str) -> Option<String> {
        (!self.owns(list)).then(|| {
            let Self { source, patterns } = self;
            format!(
                "list: '{list}' is not a list of the source {source}, whose are {}: correct what is told, or \
                 prices.sources.{source}.lists",
                patterns.join(", ")
            )
        })
    }
}
