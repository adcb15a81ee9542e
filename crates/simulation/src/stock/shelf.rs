//! The warehouse: what is on its shelves, what it reserved for whom, what it shipped; and the level that it tells of it.
//! Every level that it ever told is kept with the truth behind it, for the judge.

use super::bundles::Items;
use super::{LOCATION, item_of, sku};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What one object at the warehouse reserves: an order, or the second of a double.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) order: u64,
    pub(crate) quantity: u64,
    pub(crate) shipped: u64,
    pub(crate) cancelled: bool,
}

impl Line {
    fn open(&self) -> u64 {
        if self.cancelled { 0 } else { self.quantity.saturating_sub(self.shipped) }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Pair {
    pub(crate) on_hand: i64,
    /// Reserved for other channels.
    pub(crate) others: i64,
    pub(crate) sequence: i64,
}

/// A parcel that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shipment {
    pub(crate) id: u64,
    pub(crate) order: u64,
    pub(crate) quantity: u64,
    pub(crate) item: usize,
    pub(crate) shipped_at: Timestamp,
}

/// The truth behind a level that was told.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    /// Units there for this shop, whoever of its buyers has them.
    pub(crate) units: i64,
    /// What had left by then, of each order.
    pub(crate) shipped: BTreeMap<u64, u64>,
}

/// A level as it is told: its number, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) pair: usize,
    pub(crate) sequence: i64,
    pub(crate) body: Value,
    pub(crate) changed_at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) items: Items,
    /// By the target's own id.
    pub(crate) lines: BTreeMap<u64, Line>,
    pub(crate) shipments: Vec<Shipment>,
    /// By pair and `changed_at`, which no two levels share.
    told: BTreeMap<(usize, String), Truth>,
    /// It says how many units of this shop's orders its figures know of.
    pub(crate) counts: bool,
}

impl Shelf {
    /// Those that take units of a pair, each with how many in one.
    pub(crate) fn lines_of(&self, pair: usize) -> impl Iterator<Item = (&Line, i64)> {
        let held = move |line: &Line| self.items.holds(item_of(line.order, self.items.len()), pair);
        self.lines.values().map(move |line| (line, held(line))).filter(|(_, held)| *held > 0)
    }

    /// Reserved for this shop.
    pub(crate) fn reserved(&self, pair: usize) -> i64 {
        let open = |line: &Line| i64::try_from(line.open()).unwrap_or(i64::MAX);
        self.lines_of(pair).map(|(line, held)| held * open(line)).sum()
    }

    fn shipped(&self, pair: usize) -> BTreeMap<u64, u64> {
        let mut shipped = BTreeMap::new();
        for (line, _) in self.lines_of(pair) {
            *shipped.entry(line.order).or_default() += line.shipped;
        }
        shipped
    }

    /// Something changed: the next level of the pair, told from now on.
    pub(crate) fn changed(&mut self, pair: usize, wall: Timestamp) -> Level {
        self.pairs[pair].sequence += 1;
        self.level(pair, wall)
    }

    /// The level as it is now.
    pub(crate) fn level(&mut self, pair: usize, wall: Timestamp) -> Level {
        let Pair { on_hand, others, sequence } = self.pairs[pair];
        let ours = self.reserved(pair);
        let changed_at = wall.checked_add(std::time::Duration::from_nanos(sequence.unsigned_abs()));
        let changed_at = changed_at.unwrap_or(wall);
        let body = json!({
            "sku": sku(pair),
            "location": LOCATION,
            "on_hand": on_hand.to_string(),
            "reserved": (others + ours).to_string(),
            "counted": self.counts.then(|| ours.to_string()),
            "changed_at": changed_at.to_string(),
        });
        let truth = Truth { units: on_hand - others, shipped: self.shipped(pair) };
        self.told.insert((pair, changed_at.to_string()), truth);
        Level { pair, sequence, body, changed_at }
    }

    pub(crate) fn truth(&self, pair: usize, changed_at: &str) -> Option<&Truth> {
        self.told.get(&(pair, changed_at.to_owned()))
    }

    /// An order's object was made, amended or called off; the item that it is of.
    pub(crate) fn takes(&mut self, object: u64, order: u64, quantity: Option<u64>) -> usize {
        let item = item_of(order, self.items.len());
        let line =
            self.lines.entry(object).or_insert(Line { order, quantity: 0, shipped: 0, cancelled: false });
        match quantity {
            Some(quantity) => line.quantity = quantity,
            None => line.cancelled = true,
        }
        item
    }

    /// Takes units from the shelves for a parcel, as far as they are there.
    pub(crate) fn ships(&mut self, object: u64, most: u64, now: Timestamp) -> Option<Shipment> {
        let line = self.lines.get_mut(&object)?;
        let item = item_of(line.order, self.items.len());
        let of = self.items.pairs_of(item);
        let there = of.iter().map(|pair| self.pairs[*pair].on_hand / self.items.holds(item, *pair)).min()?;
        let there = u64::try_from(there).unwrap_or(0);
        let quantity = line.open().min(most).min(there);
        if quantity == 0 {
            return None;
        }
        line.shipped += quantity;
        for pair in of {
            let units = i64::try_from(quantity).unwrap_or(i64::MAX);
            self.pairs[pair].on_hand -= self.items.holds(item, pair) * units;
        }
        let id = self.shipments.len() as u64 + 1;
        let shipment = Shipment { id, order: line.order, quantity, item, shipped_at: now };
        self.shipments.push(shipment.clone());
        Some(shipment)
    }
}
