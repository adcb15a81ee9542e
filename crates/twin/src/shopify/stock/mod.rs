//! The shop's stock: what each item has at each location, what orders do to it, and who set it when.
//!
//! It follows Shopify's rules: placing an order takes from `available` into `committed`, shipping takes from `committed`,
//! and only `available` (or `on_hand` through it) is set from outside. It refuses to know the warehouse's truth.

mod activate;
mod goods;
mod keys;
mod level;
mod orders;
mod set;

pub(super) use activate::Activation;
pub(super) use goods::{Good, Goods};
pub(super) use keys::{Fingerprint, Remembered};
pub use level::Levels;
pub(super) use level::{Level, NAMES};
pub(super) use set::{Adjustment, Entry, Fault, SetQuantities};

use super::config::StockConfig;
use crate::shop::catalogue::{WAREHOUSES, Warehouse};
use jiff::Timestamp;
use keys::Keys;
use level::Presence;
use orders::Assigned;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One item at one location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) good: Good,
    /// Of `WAREHOUSES`.
    pub(super) place: u8,
}

impl Pair {
    pub(super) fn warehouse(self) -> &'static Warehouse {
        &WAREHOUSES[usize::from(self.place)]
    }

    fn slot(self) -> usize {
        self.good.0 as usize * WAREHOUSES.len() + usize::from(self.place)
    }
}

/// The place of a location by its number.
pub(super) fn place_of(location_id: u64) -> Option<u8> {
    WAREHOUSES.iter().position(|one| one.id == location_id).and_then(|place| u8::try_from(place).ok())
}

/// One row of the shop's stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockRow {
    pub sku: String,
    /// The warehouse's code: `WH-1`.
    pub location: &'static str,
    pub levels: Levels,
}

/// A quantity that somebody set, and that was another before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StockSet {
    /// To the shop clock's own precision, where Shopify shows whole seconds.
    pub at: Timestamp,
    /// Of the call; none: a person in the shop's admin.
    pub key: Option<String>,
    pub sku: String,
    pub location: &'static str,
    /// Of `available`.
    pub from: i64,
    pub to: i64,
}

/// What was done to the stock, for ledgers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StockCounts {
    /// Calls of `inventorySetQuantities` that got as far as its rules.
    pub calls: u64,
    /// Quantities that were set and changed something.
    pub sets: u64,
    /// Quantities that were set and were so already.
    pub unchanged: u64,
    /// Calls answered again by their key.
    pub repeated: u64,
    /// Calls that were refused for a quantity that was another by then.
    pub stale: u64,
    /// Calls that were refused for anything else.
    pub refused: u64,
    pub activated: u64,
    pub by_hand: u64,
    /// Units.
    pub sold: u64,
    pub shipped: u64,
    /// Of fulfilments that were cancelled.
    pub unshipped: u64,
    pub restocked: u64,
    /// Units that were sold when nothing was available any more.
    pub oversold: u64,
}

#[derive(Debug)]
struct SetEntry {
    at: Timestamp,
    key: Option<Arc<str>>,
    pair: Pair,
    from: i64,
    to: i64,
}

#[derive(Debug)]
pub(super) struct Stock {
    goods: Goods,
    levels: Vec<Level>,
    /// By order: where each line's units are taken from.
    assigned: BTreeMap<u64, Vec<Assigned>>,
    pub(super) keys: Keys,
    history: Vec<SetEntry>,
    pub(super) counts: StockCounts,
    may_oversell: bool,
}

impl Stock {
    pub(super) fn new(config: &StockConfig, at: Timestamp) -> Self {
        let goods = Goods::new(config.generated);
        let level = |slot: usize| Level {
            available: if slot % WAREHOUSES.len() < config.stocked_at { config.available } else { 0 },
            committed: 0,
            presence: if slot % WAREHOUSES.len() < config.stocked_at {
                Presence::Active
            } else {
                Presence::Absent
            },
            updated_at: at.as_second(),
        };
        Self {
            goods,
            levels: (0..goods.count() * WAREHOUSES.len()).map(level).collect(),
            assigned: BTreeMap::new(),
            keys: Keys::default(),
            history: Vec::new(),
            counts: StockCounts::default(),
            may_oversell: config.may_oversell,
        }
    }

    pub(super) fn goods(&self) -> Goods {
        self.goods
    }

    pub(super) fn may_oversell(&self) -> bool {
        self.may_oversell
    }

    /// A pair that exists or could.
    pub(super) fn pair(&self, good: Good, location_id: u64) -> Option<Pair> {
        Some(Pair { good, place: place_of(location_id)? })
    }

    /// None where the item was never stocked nor counted.
    pub(super) fn level(&self, pair: Pair) -> Option<Level> {
        self.levels.get(pair.slot()).copied().filter(Level::exists)
    }

    /// The levels of one item.
    pub(super) fn levels_of(&self, good: Good) -> impl Iterator<Item = (Pair, Level)> {
        (0..WAREHOUSES.len()).filter_map(move |place| {
            let pair = Pair { good, place: u8::try_from(place).ok()? };
            Some((pair, self.level(pair)?))
        })
    }

    /// Over all locations that stock it.
    pub(super) fn available(&self, good: Good) -> i64 {
        self.levels_of(good).filter(|(_, level)| level.is_active()).map(|(_, level)| level.available).sum()
    }

    pub(super) fn find(&self, sku: &str, location: &str) -> Option<Pair> {
        self.pair(self.goods.by_sku(sku)?, Warehouse::find(location)?.id)
    }

    pub(super) fn shown(&self, pair: Pair) -> Option<Levels> {
        self.level(pair).map(|level| level.shown())
    }

    /// By item, then location.
    pub(super) fn rows(&self) -> Vec<StockRow> {
        let levels = self.goods.all().flat_map(|good| self.levels_of(good));
        levels
            .map(|(pair, level)| StockRow {
                sku: pair.good.sku(),
                location: pair.warehouse().code,
                levels: level.shown(),
            })
            .collect()
    }

    pub(super) fn sets(&self) -> Vec<StockSet> {
        let shown = |entry: &SetEntry| StockSet {
            at: entry.at,
            key: entry.key.as_deref().map(str::to_owned),
            sku: entry.pair.good.sku(),
            location: entry.pair.warehouse().code,
            from: entry.from,
            to: entry.to,
        };
        self.history.iter().map(shown).collect()
    }

    /// A person in the shop's admin types another quantity.
    pub(super) fn set_by_hand(&mut self, pair: Pair, available: i64, at: Timestamp) {
        self.counts.by_hand += 1;
        self.set_available(pair, available, None, at);
    }

    /// Stocks the item at the location, or no longer; its quantities stay.
    pub(super) fn set_active(&mut self, pair: Pair, is_active: bool, at: Timestamp) {
        let level = self.level_mut(pair);
        level.presence = if is_active { Presence::Active } else { Presence::Inactive };
        level.updated_at = at.as_second();
    }

    fn level_mut(&mut self, pair: Pair) -> &mut Level {
        &mut self.levels[pair.slot()]
    }

    /// Remembers the change; a level that was never counted exists from now on.
    fn set_available(&mut self, pair: Pair, to: i64, key: Option<&Arc<str>>, at: Timestamp) {
        let level = self.level_mut(pair);
        let from = std::mem::replace(&mut level.available, to);
        level.updated_at = at.as_second();
        if level.presence == Presence::Absent {
            level.presence = Presence::Inactive;
        }
        if from != to {
            self.history.push(SetEntry { at, key: key.cloned(), pair, from, to });
        }
    }
}
