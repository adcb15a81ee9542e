//! What a price list has against what it should have. Owns the comparison; every price that differs is one change, whoever
//! made it differ: what is owned here and was typed by hand there becomes again what the owner says.

use super::arrange::{Catalog, merged};
use super::offer::{Item, Minor, Quantities, Rule};
use super::shelf::Shelf;
use super::wanted::List;
use std::collections::BTreeMap;

/// A price that is there. Shopify may hold a rule without a price.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeldItem {
    pub price: Option<Minor>,
    pub quantities: Option<Box<Quantities>>,
}

impl HeldItem {
    #[must_use]
    pub fn plain(price: Minor) -> Self {
        Self { price: Some(price), quantities: None }
    }

    #[must_use]
    pub fn breaks(&self) -> &[(u32, Minor)] {
        self.quantities.as_deref().map_or(&[], |quantities| &quantities.breaks)
    }

    #[must_use]
    pub fn rule(&self) -> Rule {
        self.quantities.as_deref().map_or(Rule::default(), |quantities| quantities.rule)
    }

    /// To be filled.
    pub fn quantities_mut(&mut self) -> &mut Quantities {
        self.quantities.get_or_insert_default()
    }
}

/// All fixed prices of one price list, by variant.
pub type Held = BTreeMap<u64, HeldItem>;

/// What is to be done with one variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub variant: u64,
    /// None: it goes.
    pub to: Option<Item>,
    /// The price itself is another, or new.
    pub sets_price: bool,
    /// Its breaks are others.
    pub sets_breaks: bool,
    /// It has breaks there that go first.
    pub has_breaks: bool,
    /// None: its rule stays. Some of the default: it goes.
    pub rule: Option<Rule>,
    /// A fixed price is there.
    pub has_price: bool,
}

impl Change {
    /// Whether it concerns anything that depends on the quantity.
    #[must_use]
    pub fn is_of_quantities(&self) -> bool {
        self.sets_breaks || self.has_breaks || self.rule.is_some()
    }
}

/// How many prices, of variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    pub new: u64,
    pub up: u64,
    pub down: u64,
    pub gone: u64,
    /// The price stays, what depends on the quantity changes.
    pub quantities: u64,
    pub same: u64,
}

impl Counts {
    #[must_use]
    pub fn changes(self) -> u64 {
        self.new + self.up + self.down + self.gone + self.quantities
    }

    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            new: self.new + other.new,
            up: self.up + other.up,
            down: self.down + other.down,
            gone: self.gone + other.gone,
            quantities: self.quantities + other.quantities,
            same: self.same + other.same,
        }
    }
}

/// One of the largest changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    pub sku: String,
    pub from: Minor,
    pub to: Minor,
}

impl Moved {
    /// Per mille of what it was; from nothing to something is more than any other.
    fn size(&self) -> u64 {
        let by = self.from.abs_diff(self.to);
        by.saturating_mul(1000).checked_div(self.from.unsigned_abs()).unwrap_or(u64::MAX)
    }
}

/// Of one catalog.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    pub counts: Counts,
    /// By variant, rising.
    pub changes: Vec<Change>,
    /// The ten largest, the largest first.
    pub largest: Vec<Moved>,
}

const LARGEST: usize = 10;

/// `held` of the catalog's price list; of one that is yet to be made it is empty.
#[must_use]
pub fn compare(catalog: &Catalog, lists: &[List], shelf: &Shelf, held: &Held) -> Diff {
    let several;
    let wanted = match catalog.lists.as_slice() {
        [one] => lists[*one].items.as_slice(),
        more => {
            several = merged(lists, more);
            several.as_slice()
        }
    };
    let mut by_variant: BTreeMap<u64, (&str, &Item)> = BTreeMap::new();
    for (number, item) in wanted {
        let Some(good) = shelf.good(*number) else { continue };
        by_variant.extend(good.variants.iter().map(|variant| (*variant, (good.sku.as_str(), item))));
    }
    let mut diff = Diff::default();
    for (variant, (sku, item)) in &by_variant {
        diff.wanted(*variant, sku, item, held.get(variant));
    }
    for (variant, there) in held.iter().filter(|(variant, _)| !by_variant.contains_key(variant)) {
        diff.gone(*variant, there);
    }
    diff.changes.sort_unstable_by_key(|change| change.variant);
    diff
}

impl Diff {
    fn wanted(&mut self, variant: u64, sku: &str, item: &Item, there: Option<&HeldItem>) {
        let (price, breaks, rule) = there
            .map_or((None, &[][..], Rule::default()), |there| (there.price, there.breaks(), there.rule()));
        let sets_price = price != Some(item.price);
        let sets_breaks = item.breaks() != breaks;
        let sets_rule = item.rule() != rule;
        let counts = &mut self.counts;
        match price {
            None => counts.new += 1,
            Some(from) if from < item.price => counts.up += 1,
            Some(from) if from > item.price => counts.down += 1,
            Some(_) if sets_breaks || sets_rule => counts.quantities += 1,
            Some(_) => {
                counts.same += 1;
                return;
            }
        }
        if let Some(from) = price.filter(|from| *from != item.price) {
            self.note(Moved { sku: sku.to_owned(), from, to: item.price });
        }
        self.changes.push(Change {
            variant,
            to: Some(item.clone()),
            sets_price,
            sets_breaks,
            has_breaks: sets_breaks && !breaks.is_empty(),
            rule: sets_rule.then(|| item.rule()),
            has_price: price.is_some(),
        });
    }

    fn gone(&mut self, variant: u64, there: &HeldItem) {
        if there.price.is_none() && there.breaks().is_empty() && there.rule() == Rule::default() {
            return;
        }
        self.counts.gone += 1;
        self.changes.push(Change {
            variant,
            to: None,
            sets_price: false,
            sets_breaks: false,
            has_breaks: !there.breaks().is_empty(),
            rule: (there.rule() != Rule::default()).then(Rule::default),
            has_price: there.price.is_some(),
        });
    }

    fn note(&mut self, moved: Moved) {
        let at = self.largest.partition_point(|known| known.size() >= moved.size());
        if at < LARGEST {
            self.largest.insert(at, moved);
            self.largest.truncate(LARGEST);
        }
    }
}
