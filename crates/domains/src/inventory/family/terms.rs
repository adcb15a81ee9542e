//! How what a pair is to show in the shop comes about, a term each, from what its source has to sell: what is in flight, what falls to
//! the other outlets, what is for bundles, and what the others have not given up yet. The terms are of the same arithmetic that
//! decides, and add up to what it says.

use super::Component;
use crate::inventory::canonical::Term;
use crate::inventory::compare::InFlight;
use rust_decimal::Decimal;

/// What is held back because it was sold, and the source has not counted it. `of`: where the shop has it committed.
#[must_use]
pub fn in_flight_term(in_flight: InFlight, committed: i64, counted: Option<i64>, of: &str) -> Term {
    let held = in_flight.held_back(committed, counted);
    let text = match in_flight {
        InFlight::Counted => format!(
            "in flight: {committed} committed in Shopify{of}, of which the source has counted {}",
            counted.unwrap_or(0)
        ),
        InFlight::All => format!("in flight: all that is committed in Shopify{of}, by the mapping"),
        InFlight::None => {
            format!("in flight: nothing of {committed} committed in Shopify{of}, by the mapping")
        }
    };
    Term { adds: Some(Decimal::from(-held)), text }
}

impl Component {
    /// From what is available of it to what it shows by itself: all that it adds, none of the sums.
    #[must_use]
    pub fn terms(&self, in_flight: InFlight) -> Vec<Term> {
        let mut terms = vec![in_flight_term(in_flight, self.committed(), self.counted, self.at())];
        let mut adds = |adds: i64, text: String| terms.push(Term { adds: Some(Decimal::from(adds)), text });
        let free = self.free(in_flight);
        let part = self.part(free);
        if self.division.is_some() {
            adds(part - free, format!("at the other outlets: {part} of {free} fall to this one"));
        }
        let bundled = self.bundled(part);
        if !self.holders.is_empty() || bundled != 0 {
            adds(-bundled, format!("for bundles: {} % of {}", self.share, part.max(0)));
        }
        let (rest, show) = (part - bundled, self.to_show(in_flight));
        if show != rest {
            let others = self.shown_by_others(None);
            adds(
                show - rest,
                format!("until the others give it up: {others} of {free} free units are shown by them"),
            );
        }
        terms
    }

    /// What it allows of one of its holders, in one line.
    #[must_use]
    pub fn term_of(&self, sku: &str, holder: usize, in_flight: InFlight) -> Term {
        let (free, committed) = (self.free(in_flight), self.committed());
        let part = self.part(free);
        let here = if self.division.is_some() { format!(", {part} of them here") } else { String::new() };
        let quantity = self.holders.get(holder).map_or(0, |own| own.quantity);
        let text = format!(
            "by {sku}: {} available, {} in flight (of {committed} committed in Shopify{}), {free} free{here}; {} of them for {}, \
             and {} shown by the others; {quantity} in each",
            self.available,
            self.available - free,
            self.at(),
            self.bundled(part),
            match self.holders.len() {
                1 => "this bundle".to_owned(),
                bundles => format!("{bundles} bundles"),
            },
            self.shown_by_others(Some(holder)),
        );
        Term { adds: Some(Decimal::from(self.allows(holder, in_flight))), text }
    }

    /// Where what is committed of it was sold.
    fn at(&self) -> &'static str {
        match (self.holders.is_empty(), self.division.is_some()) {
            (true, false) => "",
            (false, false) => " by itself and in bundles",
            (true, true) => " at all outlets",
            (false, true) => " by itself and in bundles, at all outlets",
        }
    }
}

#[cfg(test)]
mod tests;
