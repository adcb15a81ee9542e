//! What each price list has: as it was read the last time, with what is open since then read again, or read in whole. Owns how
//! it is read, which is what a run costs, and what somebody else changed meanwhile.

use super::look::{Fixed, Known};
use super::memory::{self, Recalled};
use super::open::Asked;
use super::patience::Shop;
use super::places::Places;
use super::plan::{Basis, Drift, Whole};
use super::{HandMade, Options, Tell};
use domains::prices::{ARRAY_MAX, Catalog, Held, HeldItem, Record, Rule, Wanted};
use kernel::fault::Fault;
use kernel::money::Currency;
use std::collections::{BTreeMap, BTreeSet};

/// Shopify shows no page beyond the 25,000th price; in bulk there are all.
const PAGED_MAX: u64 = 24_000;
/// A part of all prices, one in so many, is read by pages rather than all of them in bulk.
const PART: u64 = 20;

/// One price list that is to be known.
struct One {
    place: usize,
    id: u64,
    currency: Currency,
    /// Fixed prices there, as Shopify counts them.
    count: u64,
    /// What is wanted has breaks or rules.
    has_quantities: bool,
    has_rules: bool,
    /// What is there may have some, for all that is known without a record.
    may_have_quantities: bool,
    record: Option<Record>,
    /// Why it is read in whole.
    whole: Option<Whole>,
}

/// What was found out.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) held: BTreeMap<usize, Held>,
    pub(super) basis: Basis,
    /// By the catalog's place.
    pub(super) drift: BTreeMap<usize, Vec<Drift>>,
}

pub(super) struct Looker<'a> {
    pub(super) shop: &'a Shop<'a>,
    pub(super) wanted: &'a [Wanted],
    pub(super) fixed: &'a Fixed,
    pub(super) places: &'a Places,
    pub(super) options: &'a Options,
}

impl Looker<'_> {
    /// Of one that is settled nothing is read.
    pub(super) async fn held(
        &self,
        known: &mut Known,
        ids: &[Option<u64>],
        tell: &mut Tell<'_>,
    ) -> Result<Seen, Fault> {
        let mut all = Vec::new();
        for (place, catalog) in self.fixed.arranged.catalogs.iter().enumerate() {
            if let Some(id) = ids[place].filter(|_| !known.settled.contains(&catalog.name)) {
                let is_asked = self.options.against_shop && known.compared.insert(catalog.name.clone());
                all.push(self.one(place, id, catalog, is_asked).await);
            }
        }
        let mut seen = Seen::default();
        let is_plain = |one: &One| !one.needs_quantities();
        let calls = |one: &One| one.open().map_or(0, |open| open.variants.len().div_ceil(ARRAY_MAX));
        let of_plain =
            all.iter().filter(|one| one.whole.is_none() && is_plain(one)).map(calls).sum::<usize>();
        if of_plain > self.options.again_max {
            for one in all.iter_mut().filter(|one| one.whole.is_none() && is_plain(one) && calls(one) > 0) {
                one.whole = Some(Whole::ManyOpen);
            }
        }
        let of_plain = all.iter().filter(|one| one.whole.is_none() && is_plain(one)).filter_map(One::open);
        let mut found = self.shop.open_prices(&of_plain.collect::<Vec<_>>()).await?;
        for one in &mut all {
            let found = found.remove(&one.id);
            self.again(one, found, &mut seen, known.is_dry).await?;
        }
        let (whole, rest): (Vec<One>, Vec<One>) = all.into_iter().partition(|one| one.whole.is_some());
        for one in rest {
            if let Some(record) = one.record {
                seen.basis.kept += record.held.len() as u64;
                seen.held.insert(one.place, record.held);
            }
        }
        seen.basis.kept = seen.basis.kept.saturating_sub(seen.basis.again);
        self.in_whole(whole, &mut seen, known.is_dry, tell).await?;
        Ok(seen)
    }

    async fn one(&self, place: usize, id: u64, catalog: &Catalog, is_asked: bool) -> One {
        let items = || catalog.lists.iter().flat_map(|list| &self.fixed.lists[*list].items);
        let count = self.places.list(&catalog.name).map_or(0, |list| list.prices);
        let recalled = memory::recall(self.options.memory.as_ref(), id).await;
        let (record, whole) = match recalled {
            Recalled::Nothing => (None, Some(Whole::First)),
            Recalled::Damaged => (None, Some(Whole::Damaged)),
            Recalled::Record(record) if record.currency != catalog.currency => (None, Some(Whole::First)),
            Recalled::Record(record) => (Some(*record), is_asked.then_some(Whole::Asked)),
        };
        let is_countable = record.as_ref().is_some_and(|record| record.open.is_empty());
        let is_counted = record.as_ref().is_some_and(|record| record.fixed_prices() == count);
        let miscounted = (is_countable && !is_counted).then_some(Whole::Count);
        One {
            place,
            id,
            currency: catalog.currency,
            count,
            has_quantities: items().any(|(_, item)| item.quantities.is_some()),
            has_rules: items().any(|(_, item)| item.rule() != Rule::default()),
            may_have_quantities: catalog.lists.iter().any(|list| self.wanted[*list].has_quantities),
            record,
            whole: whole.or(miscounted),
        }
    }

    /// What is open of one, where the rest of it is believed. `found`: where nothing of it depends on the quantity.
    async fn again(
        &self,
        one: &mut One,
        found: Option<Held>,
        seen: &mut Seen,
        is_dry: bool,
    ) -> Result<(), Fault> {
        let (id, currency) = (one.id, one.currency);
        let Some(record) =
            one.record.as_mut().filter(|record| one.whole.is_none() && !record.open.is_empty())
        else {
            return Ok(());
        };
        let asked = record.open.clone();
        let found = match found {
            Some(found) => found,
            None => {
                let there = record.held.values().any(|item| item.rule() != Rule::default());
                self.shop.prices_of(id, currency, Some(&asked), one.has_rules || there).await?
            }
        };
        record.found(&asked, found);
        if record.fixed_prices() != one.count {
            one.whole = Some(Whole::Count);
            return Ok(());
        }
        seen.basis.again += asked.len() as u64;
        if is_dry { Ok(()) } else { memory::keep(self.options.memory.as_ref(), record).await }
    }

    async fn in_whole(
        &self,
        whole: Vec<One>,
        seen: &mut Seen,
        is_dry: bool,
        tell: &mut Tell<'_>,
    ) -> Result<(), Fault> {
        let plain = || whole.iter().filter(|one| !one.needs_quantities());
        let of_plain: u64 = plain().map(|one| one.count).sum();
        let of_all: u64 = self.places.lists.iter().map(|list| list.prices).sum();
        let is_part = of_plain <= self.options.paged_max || of_plain.saturating_mul(PART) <= of_all;
        let in_bulk: BTreeMap<u64, Currency> = plain()
            .filter(|one| one.count > 0 && (!is_part || one.count > PAGED_MAX))
            .map(|one| (one.id, one.currency))
            .collect();
        let mut read = match in_bulk.is_empty() {
            true => BTreeMap::new(),
            false => self.shop.all_prices(&in_bulk, self.options, tell).await?,
        };
        for one in whole {
            let held = if let Some(held) = read.remove(&one.id) {
                held
            } else if one.needs_quantities() {
                self.shop.prices_of(one.id, one.currency, None, true).await?
            } else if one.count > 0 {
                self.shop.plain_prices_of(one.id, one.currency).await?
            } else {
                Held::new()
            };
            self.read_in_whole(one, held, seen, is_dry).await?;
        }
        Ok(())
    }

    /// Against what was there the last time; then it is what is believed.
    async fn read_in_whole(
        &self,
        one: One,
        mut held: Held,
        seen: &mut Seen,
        is_dry: bool,
    ) -> Result<(), Fault> {
        let name = self.fixed.arranged.catalogs[one.place].name.clone();
        seen.basis.whole.extend(one.whole.map(|why| (name, why)));
        let is_plain = held.values().all(|item| item.quantities.is_none())
            && (one.needs_quantities() || one.record.as_ref().is_none_or(|record| record.is_plain));
        let there = held.values().filter(|item| item.price.is_some()).count();
        let mut drift = Vec::new();
        if let Some(record) = &one.record {
            drift = self.drift(record, &held);
            if self.options.hand_made == HandMade::Stays {
                for variant in drift.iter().map(|one| one.variant) {
                    match record.held.get(&variant) {
                        Some(item) => held.insert(variant, item.clone()),
                        None => held.remove(&variant),
                    };
                }
            }
        }
        if !drift.is_empty() {
            seen.drift.insert(one.place, drift);
        }
        let mut record = Record { is_plain, held, ..Record::of_new(one.id, one.currency) };
        record.others = there.cast_signed() as i64 - record.fixed_prices().cast_signed();
        if !is_dry {
            memory::keep(self.options.memory.as_ref(), &record).await?;
        }
        seen.held.insert(one.place, record.held);
        Ok(())
    }

    /// What was open may be of our own making.
    fn drift(&self, record: &Record, held: &Held) -> Vec<Drift> {
        let none = HeldItem::default();
        let variants: BTreeSet<u64> = record.held.keys().chain(held.keys()).copied().collect();
        let one = |variant: &u64| {
            let before = record.held.get(variant).unwrap_or(&none);
            let now = held.get(variant).unwrap_or(&none);
            let same =
                before.price == now.price && before.breaks() == now.breaks() && before.rule() == now.rule();
            let good = self.fixed.shelf.of_variant(*variant).and_then(|good| self.fixed.shelf.good(good));
            let sku = good.map(|good| good.sku.clone());
            (!same).then_some(Drift { variant: *variant, sku, from: before.price, to: now.price })
        };
        variants.difference(&record.open).filter_map(one).collect()
    }
}

impl One {
    fn open(&self) -> Option<Asked> {
        let variants = self.record.as_ref().map(|record| record.open.clone())?;
        (!variants.is_empty()).then_some(Asked { list: self.id, currency: self.currency, variants })
    }

    /// Whether breaks and rules have to be read, which costs far more.
    fn needs_quantities(&self) -> bool {
        let there = match &self.record {
            Some(record) if self.whole != Some(Whole::Asked) => !record.is_plain,
            Some(_) | None => self.may_have_quantities,
        };
        self.has_quantities || there
    }
}
