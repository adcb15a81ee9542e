//! The truth of the warehouse: what each pair has, its version, and in which order pairs changed. Everything that happens
//! goes through `change`, so that no change is without a version and none is told twice.

use super::config::WmsConfig;
use super::counts::WmsCounts;
use super::form::Told;
use super::orders::Orders;
use super::releases::Releases;
use super::shelf::{Shelf, Slot};
use super::shipments::{Shipments, Told as ToldShipment};
use crate::shop::Chance;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a pair has, as a test or a ledger sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    pub on_hand: i64,
    /// For this shop's orders and for others.
    pub reserved: i64,
    /// Of this shop's orders: reserved, or shipped and not settled.
    pub counted: i64,
    /// Grows by one with each change.
    pub version: u64,
    pub changed_at: Timestamp,
}

impl Truth {
    /// May be negative.
    pub fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) on_hand: i64,
    /// For other channels.
    pub(super) held: i64,
    /// For this shop's orders.
    pub(super) reserved: i64,
    /// Of this shop's orders, and not settled.
    pub(super) shipped: i64,
    version: u64,
    changed_at: Timestamp,
    /// Of its last change, among all.
    position: u64,
}

impl Pair {
    pub(super) fn truth(&self) -> Truth {
        Truth {
            on_hand: self.on_hand,
            reserved: self.held + self.reserved,
            counted: self.reserved + self.shipped,
            version: self.version,
            changed_at: self.changed_at,
        }
    }

    /// Free to be promised.
    pub(super) fn free(&self) -> i64 {
        self.on_hand - self.held - self.reserved
    }
}

#[derive(Debug)]
pub(super) struct Books {
    pub(super) shelf: Shelf,
    pairs: Vec<Pair>,
    /// The position of each pair's last change.
    feed: BTreeMap<u64, Slot>,
    position: u64,
    pub(super) orders: Orders,
    pub(super) shipments: Shipments,
    pub(super) releases: Releases,
    pub(super) counts: WmsCounts,
    /// Of the movements.
    pub(super) chance: Chance,
    /// Changes that are to be pushed.
    told: Vec<Told>,
    /// Changes go past feed and pushes.
    pub(super) unlisted: bool,
}

impl Books {
    /// Each pair begins at version 1, with as much as the seed says.
    pub(super) fn open(config: &WmsConfig, at: Timestamp) -> Self {
        let shelf = Shelf { generated: config.generated };
        let mut chance = Chance::new(config.seed);
        let (low, high) = config.on_hand;
        let pair = |slot: u32| Pair {
            on_hand: i64::try_from(chance.between(low, high.max(low))).unwrap_or(0),
            held: 0,
            reserved: 0,
            shipped: 0,
            version: 1,
            changed_at: at,
            position: u64::from(slot) + 1,
        };
        let pairs: Vec<Pair> = (0..shelf.pairs()).map(pair).collect();
        let feed = (0..shelf.pairs()).map(|slot| (u64::from(slot) + 1, Slot(slot))).collect();
        Self {
            shelf,
            position: pairs.len() as u64,
            pairs,
            feed,
            orders: Orders::default(),
            shipments: Shipments::default(),
            releases: Releases::default(),
            counts: WmsCounts::default(),
            chance,
            told: Vec::new(),
            unlisted: false,
        }
    }

    pub(super) fn pair(&self, slot: Slot) -> &Pair {
        &self.pairs[slot.0 as usize]
    }

    pub(super) fn truth(&self, slot: Slot) -> Truth {
        self.pair(slot).truth()
    }

    /// Of the newest change.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Changes a pair; one that is as it was has not changed.
    pub(super) fn change(&mut self, slot: Slot, at: Timestamp, how: impl FnOnce(&mut Pair)) {
        let pair = &mut self.pairs[slot.0 as usize];
        let before = *pair;
        how(pair);
        if *pair == before {
            return;
        }
        pair.version += 1;
        pair.changed_at = at.max(pair.changed_at);
        self.counts.changes += 1;
        if self.unlisted {
            self.counts.unlisted += 1;
            return;
        }
        self.position += 1;
        pair.position = self.position;
        self.feed.remove(&before.position);
        self.feed.insert(self.position, slot);
        self.told.push(Told { slot, truth: pair.truth() });
    }

    /// What changed since it was asked last.
    pub(super) fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    /// The shipments among it.
    pub(super) fn take_told_shipments(&mut self) -> Vec<ToldShipment> {
        self.shipments.take_told()
    }

    /// Pairs that changed after a position, oldest first, and the position of the last; whether there are more.
    pub(super) fn after(&self, position: u64, limit: usize) -> (Vec<Told>, u64, bool) {
        let mut later = self.feed.range(position.saturating_add(1)..);
        let page: Vec<_> = later.by_ref().take(limit).collect();
        let told = page.iter().map(|(_, slot)| Told { slot: **slot, truth: self.truth(**slot) }).collect();
        let last = page.last().map_or(position, |(position, _)| **position);
        (told, last, later.next().is_some())
    }

    /// A stretch of all pairs, in the order of the books.
    pub(super) fn stretch(&self, from: usize, count: usize) -> Vec<Told> {
        let slots =
            (from..self.pairs.len()).take(count).filter_map(|slot| u32::try_from(slot).ok()).map(Slot);
        slots.map(|slot| Told { slot, truth: self.truth(slot) }).collect()
    }

    pub(super) fn pair_count(&self) -> usize {
        self.pairs.len()
    }
}
