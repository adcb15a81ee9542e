//! The heart of the full check: what the source says may be sold of each pair, against what Shopify has, over a million pairs
//! and more. Owns the comparison; who reads both sides, and what becomes of a difference, is the caller's.
//!
//! One side has to be in memory: Shopify's, 24 bytes a pair, its name as 128 bits (`names`), in the order of those. The source
//! streams past it. Both sides come as they come, in any order:
//!
//! 1. [`Shelves`] gathers what Shopify has.
//! 2. [`Check`] takes each pair of the source, and knows at once whether it is missing or differs, by its name.
//! 3. What then remains is in Shopify alone, and of it only the 128 bits are known: [`Naming`] is shown Shopify's side once more,
//!    until all have their name. So it is where something is missing, to tell a SKU that Shopify does not have from one that lies
//!    elsewhere. Where nothing remains there is nothing to show.
//!
//! Nothing is concluded from half a side: a caller whose stream fails drops the check. A pair that a side has twice (two
//! variants of one SKU) is a finding of its own and not compared; of what only the source has, its reader knows
//! (`drop::check`).

mod found;
mod shelves;

pub use found::{Cause, Difference, Found, Report};
pub use shelves::{Shelf, Shelves, TooMany};

use super::family::Shown;
use super::names::Key;
use found::Elsewhere;
use shelves::{Bits, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Of what Shopify sold and has not shipped, what is held back (the mapping's `in_flight`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InFlight {
    /// What the source has not counted.
    Counted,
    All,
    None,
}

impl InFlight {
    /// Of what Shopify has committed, the units that must not go back on sale.
    #[must_use]
    pub fn held_back(self, committed: i64, counted: Option<i64>) -> i64 {
        match self {
            Self::Counted => committed.saturating_sub(counted.unwrap_or(0)).max(0),
            Self::All => committed.max(0),
            Self::None => 0,
        }
    }
}

/// What the source says of a pair, by the rules of the flow ([`super::Canonical`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth<'a> {
    pub sku: &'a str,
    pub location: &'a str,
    pub available: i64,
    pub counted: Option<i64>,
}

/// Looks into memory that are under way at once.
const AT_ONCE: usize = 16;

/// The source's side, as it streams past.
#[derive(Debug)]
pub struct Check {
    key: Key,
    table: Table,
    in_flight: InFlight,
    /// Which pairs of Shopify's the source has named.
    seen: Bits,
    report: Report,
}

impl Check {
    /// `limit`: of each cause so many differences are kept with their names; beyond they are counted.
    #[must_use]
    pub fn new(shelves: Shelves, in_flight: InFlight, limit: usize) -> Self {
        let (key, table) = shelves.sorted();
        let seen = Bits::new(table.len());
        let report = Report::new(table.pairs(), limit);
        Self { key, table, in_flight, seen, report }
    }

    /// Compares one pair; `None`: both sides agree on it.
    pub fn add(&mut self, truth: &Truth<'_>) -> Option<Cause> {
        self.add_named(self.key.name(truth.sku, truth.location), truth)
    }

    /// Compares several, each as [`add`](Self::add) does. Where they lie is far apart in memory, and is waited for once for all of
    /// them.
    pub fn add_all(&mut self, truths: &[Truth<'_>]) -> Vec<Option<Cause>> {
        let names: Vec<u128> = truths.iter().map(|truth| self.key.name(truth.sku, truth.location)).collect();
        for some in names.chunks(AT_ONCE) {
            self.table.approach(some);
        }
        truths.iter().zip(names).map(|(truth, name)| self.add_named(name, truth)).collect()
    }

    fn add_named(&mut self, name: u128, truth: &Truth<'_>) -> Option<Cause> {
        let in_flight = self.in_flight;
        self.by(name, truth, |shown, _| {
            truth.available.saturating_sub(in_flight.held_back(shown.committed, truth.counted))
        })
    }

    /// As [`add`](Self::add), where what a pair is to show depends on others. `to_show` is given what is shown of the pair, and whom
    /// to ask what is shown of another: by its SKU, at the same location or at another, which is named as Shopify's side names it.
    pub fn add_by(
        &mut self,
        truth: &Truth<'_>,
        to_show: impl FnOnce(Shown, &dyn Fn(&str, Option<&str>) -> Option<Shown>) -> i64,
    ) -> Option<Cause> {
        self.by(self.key.name(truth.sku, truth.location), truth, to_show)
    }

    fn by(
        &mut self,
        name: u128,
        truth: &Truth<'_>,
        to_show: impl FnOnce(Shown, &dyn Fn(&str, Option<&str>) -> Option<Shown>) -> i64,
    ) -> Option<Cause> {
        self.report.source += 1;
        let Some(at) = self.table.find(name) else {
            let cause = Cause::MissingInShopify;
            self.report.add(cause, truth.sku, truth.location, Some(truth.available), None);
            return Some(cause);
        };
        let again = self.seen.set(at);
        let (available, committed) = self.table.quantities(at);
        let other = |sku: &str, location: Option<&str>| {
            let name = self.key.name(sku, location.unwrap_or(truth.location));
            let (available, committed) = self.table.quantities(self.table.find(name)?);
            Some(Shown { available, committed })
        };
        let wanted = to_show(Shown { available, committed }, &other);
        let cause = if again {
            Cause::TwiceInSource
        } else if self.table.is_twice(at) {
            Cause::TwiceInShopify
        } else if wanted != available {
            Cause::Differs
        } else {
            self.report.same += 1;
            return None;
        };
        self.report.add(cause, truth.sku, truth.location, Some(wanted), Some(available));
        Some(cause)
    }

    /// How many pairs the source has named, each counted once where the shop has it.
    #[must_use]
    pub fn named(&self) -> u64 {
        self.report.source - self.twice()
    }

    /// How many lines of the source named a pair of the shop's that was named before.
    #[must_use]
    pub fn twice(&self) -> u64 {
        self.report.twice_in_source.count
    }

    /// The end of the source's side.
    #[must_use]
    pub fn end(self) -> Naming {
        let unseen = || (0..self.table.len()).filter(|at| !self.seen.get(*at) && self.table.is_first(*at));
        // What can be sold there first.
        let sells = |at: &usize| self.table.quantities(*at).0 > 0;
        let all = unseen().filter(|at| sells(at)).chain(unseen().filter(|at| !sells(at)));
        let nameless: BTreeSet<u128> = all.take(self.report.limit).map(|at| self.table.name(at)).collect();
        let count = unseen().count();
        let mut report = self.report;
        report.unknown_in_source.count = count as u64;
        let missing = report.missing_in_shopify.kept.iter();
        let missing = missing.map(|it| (sku_of(&self.key, &it.sku), Elsewhere::default())).collect();
        Naming { key: self.key, table: self.table, seen: self.seen, nameless, missing, report }
    }
}

/// A SKU alone; no location is called so.
fn sku_of(key: &Key, sku: &str) -> u128 {
    key.name(sku, "")
}

/// What Shopify has and the source does not name, until it has its names; and what is missing, until it is known where else it is.
#[derive(Debug)]
pub struct Naming {
    key: Key,
    table: Table,
    seen: Bits,
    nameless: BTreeSet<u128>,
    missing: BTreeMap<u128, Elsewhere>,
    report: Report,
}

impl Naming {
    /// Whether Shopify's side has to be shown once more: to its end where something is missing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.nameless.is_empty() || !self.missing.is_empty()
    }

    pub fn add(&mut self, shelf: &Shelf<'_>) {
        if !self.is_open() {
            return;
        }
        let name = self.key.name(shelf.sku, shelf.location);
        if self.nameless.remove(&name) {
            self.report.name_unknown(shelf.sku, shelf.location, i64::from(shelf.available));
        }
        if !self.missing.is_empty()
            && let Some(elsewhere) = self.missing.get_mut(&sku_of(&self.key, shelf.sku))
        {
            elsewhere.stocked = true;
            let is_untold = self.table.find(name).is_some_and(|at| !self.seen.get(at));
            let (units, most) =
                (i64::from(shelf.available), elsewhere.untold.as_ref().map_or(0, |(_, has)| *has));
            if is_untold && units > most {
                elsewhere.untold = Some((shelf.location.to_owned(), units));
            }
        }
    }

    /// What was found.
    #[must_use]
    pub fn end(mut self) -> Report {
        self.report.match_spellings();
        let (key, missing) = (self.key, self.missing);
        self.report.tell_missing_apart(|sku| missing.get(&sku_of(&key, sku)).cloned().unwrap_or_default());
        self.report
    }
}

#[cfg(test)]
mod tests;
