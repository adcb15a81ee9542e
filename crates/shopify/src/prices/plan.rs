//! What a run would do, for people and for machines.

use super::places::Step;
use domains::prices::{Counts, Left, Minor, Moved, Undercut};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Of one catalog.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CatalogPlan {
    pub name: String,
    /// Ids of the lists that it holds; of more than one the first that has a price goes first.
    pub lists: Vec<String>,
    pub locations: usize,
    pub counts: Counts,
    pub largest: Vec<Moved>,
    /// Calls, or lines of a write in bulk.
    pub calls: usize,
    /// Why nothing of it is written.
    pub refused: Option<String>,
    /// Prices that somebody else changed since they were last read: where the whole list was read.
    pub drift: u64,
    /// The ten that are furthest off; one that came or went is further than any.
    pub drifted: Vec<Drift>,
}

/// A price that is another than when it was last read, and of which nothing was open: somebody typed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    pub variant: u64,
    /// None where the shop has no SKU for it.
    pub sku: Option<String>,
    /// Both the same: only what depends on the quantity is another.
    pub from: Option<Minor>,
    pub to: Option<Minor>,
}

/// Why a price list was read in whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// Nothing is kept of it.
    First,
    /// What is kept of it is not as it was written.
    Damaged,
    /// It has another number of prices than was read last.
    Count,
    /// So much of it is open that all of it is cheaper.
    ManyOpen,
    Asked,
}

impl Whole {
    fn text(self) -> &'static str {
        match self {
            Self::First => "nothing is kept of them from an earlier run",
            Self::Damaged => "what was kept of them is damaged",
            Self::Count => "the shop counts another number of prices than when they were last read",
            Self::ManyOpen => "so much of them was written and not yet read back that reading all is cheaper",
            Self::Asked => "that was asked for",
        }
    }
}

/// From where it is known what the shop has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Basis {
    /// Prices that are believed to be as they were last read.
    pub kept: u64,
    /// Prices that were written since then, and are read again.
    pub again: u64,
    /// Catalogs of which all was read.
    pub whole: Vec<(String, Whole)>,
}

/// Of one wanted list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ListPlan {
    pub id: String,
    /// Prices that a catalog can say.
    pub prices: usize,
    /// Prices that stay on the cart path, and why.
    pub left: Vec<Left>,
    /// SKUs that the shop does not have.
    pub unknown: Vec<String>,
    /// When the first of its prices is another: it is to be hydrated again by then.
    pub ends: Option<Timestamp>,
    pub is_for_nobody: bool,
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Plan {
    pub catalogs: Vec<CatalogPlan>,
    pub lists: Vec<ListPlan>,
    pub steps: Vec<Step>,
    /// Lists that are merged into one catalog, with the SKU for which another price would be charged else; none where a
    /// location would have too many catalogs.
    pub merged: Vec<(Vec<String>, Option<String>)>,
    /// Catalogs that are not ours and count at a location of ours: the lowest price over all of them is charged.
    pub foreign: Vec<(u64, String)>,
    /// Where a market's price list is lower than what is wanted for company locations, should it reach them.
    pub undercuts: Vec<Undercut>,
    /// Catalogs of ours that are not wanted, and stay because not all was given.
    pub left_over: Vec<String>,
    pub in_bulk: bool,
    pub basis: Basis,
}

impl Plan {
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.catalogs.iter().fold(Counts::default(), |sum, one| sum.plus(one.counts))
    }

    /// Prices that somebody else changed.
    #[must_use]
    pub fn drift(&self) -> u64 {
        self.catalogs.iter().map(|one| one.drift).sum()
    }

    #[must_use]
    pub fn calls(&self) -> usize {
        self.catalogs.iter().map(|one| one.calls).sum()
    }

    /// Nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.calls() == 0
    }
}

fn lines(f: &mut fmt::Formatter<'_>, what: &str, all: &[String]) -> fmt::Result {
    const SHOWN: usize = 5;
    if all.is_empty() {
        return Ok(());
    }
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    writeln!(f, "  {what}: {shown}{more}")
}

impl Drift {
    /// By how much, in the currency's smallest unit.
    #[must_use]
    pub fn by(&self) -> Minor {
        match (self.from, self.to) {
            (Some(from), Some(to)) => to.saturating_sub(from).saturating_abs(),
            _ => Minor::MAX,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let price = |price: Option<Minor>| price.map_or_else(|| "none".to_owned(), |price| price.to_string());
        match &self.sku {
            Some(sku) => write!(f, "{sku}")?,
            None => write!(f, "variant {}", self.variant)?,
        }
        match self.from == self.to {
            true => f.write_str(" in its breaks or its rule"),
            false => write!(f, " {} → {}", price(self.from), price(self.to)),
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kept + self.again > 0 {
            let (kept, again) = (self.kept, self.again);
            writeln!(f, "{kept} prices are as they were last read, {again} were open and were read again")?;
        }
        let mut by_why: BTreeMap<Whole, Vec<String>> = BTreeMap::new();
        for (name, why) in &self.whole {
            by_why.entry(*why).or_default().push(name.clone());
        }
        for (why, names) in by_why {
            lines(f, &format!("{} read in whole, because {}", names.len(), why.text()), &names)?;
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let Counts { new, up, down, gone, quantities, same } = counts;
        writeln!(
            f,
            "{new} new, {up} up, {down} down, {gone} gone, {quantities} in quantities only, {same} as they are"
        )?;
        if self.is_empty() {
            writeln!(f, "nothing is to be done: the shop has what is wanted")?;
        } else {
            let way = if self.in_bulk { "lines of writes in bulk" } else { "calls" };
            writeln!(f, "{} {way}, {} changes of catalogs", self.calls(), self.steps.len())?;
        }
        write!(f, "{}", self.basis)?;
        for one in &self.catalogs {
            let Counts { new, up, down, gone, .. } = one.counts;
            if one.counts.changes() > 0 || one.refused.is_some() {
                writeln!(f, "catalog {}: {new} new, {up} up, {down} down, {gone} gone", one.name)?;
            }
            if let Some(why) = &one.refused {
                writeln!(f, "  nothing of it is written: {why}")?;
            }
            if one.drift > 0 {
                writeln!(f, "catalog {}: {} prices were changed by somebody else", one.name, one.drift)?;
                let all: Vec<String> = one.drifted.iter().map(Drift::to_string).collect();
                lines(f, "changed, in minor units", &all)?;
            }
            let moved = |one: &Moved| format!("{} {} → {}", one.sku, one.from, one.to);
            lines(f, "largest, in minor units", &one.largest.iter().map(moved).collect::<Vec<_>>())?;
        }
        for one in &self.lists {
            if one.is_for_nobody {
                writeln!(f, "list {}: it is for no company location, and nothing of it is written", one.id)?;
            }
            if !one.left.is_empty() || !one.unknown.is_empty() {
                writeln!(f, "list {}: {} prices fit", one.id, one.prices)?;
            }
            let left = |left: &Left| format!("{}: {}", left.sku, left.why);
            let what = format!("{} stay at the cart", one.left.len());
            lines(f, &what, &one.left.iter().map(left).collect::<Vec<_>>())?;
            lines(f, &format!("{} are not in the shop", one.unknown.len()), &one.unknown)?;
            if let Some(ends) = one.ends {
                writeln!(f, "list {}: a price of it ends at {ends}: hydrate again by then", one.id)?;
            }
        }
        for (lists, sku) in &self.merged {
            let why = match sku {
                Some(sku) => format!("apart, another price would be charged for {sku}"),
                None => "apart, a location would have too many catalogs".to_owned(),
            };
            writeln!(f, "lists {} are one catalog: {why}", lists.join(", "))?;
        }
        for Undercut { market, list, prices, sku } in &self.undercuts {
            writeln!(
                f,
                "the market's price list {market} is lower than {list} for {prices} items, {sku} first: a company location that \
                 the market reaches is charged the lower"
            )?;
        }
        let foreign: Vec<String> =
            self.foreign.iter().map(|(location, title)| format!("{title} at {location}")).collect();
        lines(f, "catalogs of others count too, the lowest price is charged", &foreign)?;
        lines(f, "catalogs of ours that were not given stay", &self.left_over)
    }
}
