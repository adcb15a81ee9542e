//! What a load changes. Owns how two prices of one SKU are compared: at every instant, unit and quantity at which one of them
//! begins to be another, so that a future validity and a tier of a hundred are seen as well as the price of one piece today.

use crate::form::PriceForm;
use crate::guards::Guards;
use crate::version::Version;
use crate::word::{Value, micros};
use kernel::quantity::Unit;
use pricing::{Price, Window};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many prices of one list, or of all, do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    pub up: u64,
    pub down: u64,
    /// Up here and down there, or another validity or unit.
    pub other: u64,
    pub new: u64,
    pub gone: u64,
    pub same: u64,
}

impl Counts {
    #[must_use]
    pub fn before(&self) -> u64 {
        self.up + self.down + self.other + self.gone + self.same
    }

    #[must_use]
    pub fn after(&self) -> u64 {
        self.up + self.down + self.other + self.new + self.same
    }

    #[must_use]
    pub fn changed(&self) -> u64 {
        self.up + self.down + self.other + self.new + self.gone
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.up += other.up;
        self.down += other.down;
        self.other += other.other;
        self.new += other.new;
        self.gone += other.gone;
        self.same += other.same;
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCounts {
    pub list: String,
    /// False: the terms know no list of this id, so that nobody sees its prices.
    pub in_terms: bool,
    #[serde(flatten)]
    pub counts: Counts,
}

/// One price, before and after. None: there was, or is, none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceChange {
    pub list: String,
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<PriceForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PriceForm>,
    /// The largest change at any quantity or time, to a tenth: `-50`, `12.5`. None: of nothing, or from zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

/// What a load changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Diff {
    /// Over the lists of the load.
    pub total: Counts,
    /// The lists of the load, in the order of their first load.
    pub lists: Vec<ListCounts>,
    /// The largest first, at most ten.
    pub largest_falls: Vec<PriceChange>,
    pub largest_rises: Vec<PriceChange>,
    /// How many fall by more than the guards let through.
    pub falls_beyond: u64,
    /// How many become zero, and one of them.
    pub zeros: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_zero: Option<PriceChange>,
}

const LARGEST_MAX: usize = 10;

/// Weighs one price after the other.
#[derive(Debug)]
pub(crate) struct Scales<'a> {
    guards: &'a Guards,
    at_s: i64,
    falls: Vec<Seen>,
    rises: Vec<Seen>,
    falls_beyond: u64,
    zeros: u64,
    first_zero: Option<Seen>,
}

#[derive(Debug, Clone)]
struct Seen {
    /// Of the amount before, in millionths; from zero, all that there is.
    ppm: u64,
    list: u32,
    sku: u32,
    before: Option<Price>,
    after: Option<Price>,
}

impl<'a> Scales<'a> {
    pub(crate) fn new(guards: &'a Guards, at_s: i64) -> Self {
        Self {
            guards,
            at_s,
            falls: Vec::new(),
            rises: Vec::new(),
            falls_beyond: 0,
            zeros: 0,
            first_zero: None,
        }
    }

    /// True: it is another price than before.
    pub(crate) fn weigh(
        &mut self,
        counts: &mut Counts,
        (list, sku): (u32, u32),
        before: Option<Value<'_>>,
        after: Option<Value<'_>>,
    ) -> bool {
        let (before, after) = match (before, after) {
            (None, None) => return false,
            (None, Some(after)) => {
                counts.new += 1;
                self.zero((list, sku), None, after);
                return true;
            }
            (Some(_), None) => {
                counts.gone += 1;
                return true;
            }
            (Some(before), Some(after)) if before == after => {
                counts.same += 1;
                return false;
            }
            (Some(before), Some(after)) => (before, after),
        };
        self.zero((list, sku), Some(before), after);
        let moved = if let (Value::Plain(before), Value::Plain(after)) = (before, after) {
            let mut moved = Moved::default();
            moved.see(micros(before), micros(after), self.guards);
            moved
        } else {
            moved(before, after, self.at_s, self.guards)
        };
        match (moved.fall > 0, moved.rise > 0) {
            (true, false) => counts.down += 1,
            (false, true) => counts.up += 1,
            _ => counts.other += 1,
        }
        self.falls_beyond += u64::from(moved.beyond);
        let seen = |ppm| Seen { ppm, list, sku, before: before.price(), after: after.price() };
        keep(&mut self.falls, moved.fall, seen);
        keep(&mut self.rises, moved.rise, seen);
        true
    }

    fn zero(&mut self, (list, sku): (u32, u32), before: Option<Value<'_>>, after: Value<'_>) {
        if is_zero(after) && !before.is_some_and(is_zero) {
            self.zeros += 1;
            if self.first_zero.is_none() {
                let before = before.and_then(Value::price);
                self.first_zero = Some(Seen { ppm: 1_000_000, list, sku, before, after: after.price() });
            }
        }
    }

    /// `name`: of a list and of a SKU.
    pub(crate) fn end(self, lists: Vec<ListCounts>, name: impl Fn(u32, u32) -> (String, String)) -> Diff {
        let mut total = Counts::default();
        for of_list in &lists {
            total.add(&of_list.counts);
        }
        let told = |seen: &Seen, sign: &str| {
            let (list, sku) = name(seen.list, seen.sku);
            let form = |price: &Option<Price>| price.as_ref().map(PriceForm::from);
            let percent = (seen.before.is_some() && seen.ppm < u64::MAX).then(|| percent(seen.ppm, sign));
            PriceChange { list, sku, before: form(&seen.before), after: form(&seen.after), percent }
        };
        Diff {
            total,
            lists,
            largest_falls: self.falls.iter().map(|seen| told(seen, "-")).collect(),
            largest_rises: self.rises.iter().map(|seen| told(seen, "")).collect(),
            falls_beyond: self.falls_beyond,
            zeros: self.zeros,
            first_zero: self.first_zero.as_ref().map(|seen| told(seen, "-")),
        }
    }
}

fn keep(largest: &mut Vec<Seen>, ppm: u64, seen: impl Fn(u64) -> Seen) {
    if ppm == 0 || (largest.len() == LARGEST_MAX && largest.last().is_some_and(|least| least.ppm >= ppm)) {
        return;
    }
    let at = largest.partition_point(|other| other.ppm >= ppm);
    largest.insert(at, seen(ppm));
    largest.truncate(LARGEST_MAX);
}

fn percent(ppm: u64, sign: &str) -> String {
    let tenths = ppm / 1000 + u64::from(ppm % 1000 >= 500);
    let point = if tenths.is_multiple_of(10) { String::new() } else { format!(".{}", tenths % 10) };
    format!("{sign}{}{point}", tenths / 10)
}

/// The most that a price moves, in millionths of what it was.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    fall: u64,
    rise: u64,
    beyond: bool,
}

impl Moved {
    fn see(&mut self, before: u64, after: u64, guards: &Guards) {
        let ppm = |by: u64| match u128::from(by) * 1_000_000 / u128::from(before.max(1)) {
            _ if before == 0 => u64::MAX,
            // What moves at all is seen, however little.
            ppm => u64::try_from(ppm).unwrap_or(u64::MAX - 1).max(1),
        };
        if after < before {
            self.fall = self.fall.max(ppm(before - after));
            self.beyond |= guards.is_fall_beyond(before, after);
        } else if after > before {
            self.rise = self.rise.max(ppm(after - before));
        }
    }
}

fn is_zero(value: Value<'_>) -> bool {
    match value {
        Value::Plain(word) => micros(word) == 0,
        Value::Gone => false,
        Value::Side(_) => match value.price() {
            Some(Price::Windows(windows)) => {
                windows.iter().flat_map(|window| &window.tiers).any(|tier| tier.amount.is_zero())
            }
            Some(Price::Plain(amount)) => amount.is_zero(),
            None => false,
        },
    }
}

/// At every point at which one of the two begins to be another price.
fn moved(before: Value<'_>, after: Value<'_>, at_s: i64, guards: &Guards) -> Moved {
    let mut moved = Moved::default();
    let (Some(before), Some(after)) = (before.price(), after.price()) else { return moved };
    let (mut instants, mut quantities, mut units) =
        (BTreeSet::from([at_s]), BTreeSet::from([Decimal::ONE]), BTreeSet::from([None]));
    for window in windows(&before).iter().chain(windows(&after)) {
        instants.extend(window.validity.from_s.filter(|from| *from > at_s));
        quantities.extend(window.tiers.iter().map(|tier| tier.minimum));
        units.insert(window.unit.as_ref());
    }
    for at_s in instants {
        for unit in &units {
            for quantity in &quantities {
                let amount = |price| amount(price, at_s, *unit, *quantity);
                if let (Some(before), Some(after)) = (amount(&before), amount(&after)) {
                    moved.see(before, after, guards);
                }
            }
        }
    }
    moved
}

fn windows(price: &Price) -> &[Window] {
    match price {
        Price::Plain(_) => &[],
        Price::Windows(windows) => windows,
    }
}

fn amount(price: &Price, at_s: i64, unit: Option<&Unit>, quantity: Decimal) -> Option<u64> {
    let amount = match price {
        Price::Plain(amount) => unit.is_none().then_some(*amount)?,
        Price::Windows(windows) => {
            let of_unit = |window: &&Window| window.unit.as_ref() == unit && window.validity.contains(at_s);
            let tiers = &windows.iter().find(of_unit)?.tiers;
            let reached = tiers.iter().rev().find(|tier| tier.minimum <= quantity);
            match (reached, tiers.first()) {
                (Some(tier), _) => tier.amount,
                (None, Some(first)) if first.counts_from_the_smallest() => first.amount,
                _ => return None,
            }
        }
    };
    u64::try_from(amount.mantissa() * 10_i128.pow(6_u32.saturating_sub(amount.scale()))).ok()
}

/// Currencies whose lists had prices and have none.
pub(crate) fn currencies_gone(version: &Version, live_after: impl Fn(u32) -> u64) -> Vec<String> {
    let mut had = BTreeSet::new();
    let mut have = BTreeSet::new();
    for list in version.terms().lists() {
        let Some(number) = version.lists.find(&list.id) else { continue };
        if version.live(number) > 0 {
            had.insert(list.currency);
        }
        if live_after(number) > 0 {
            have.insert(list.currency);
        }
    }
    had.difference(&have).map(ToString::to_string).collect()
}
