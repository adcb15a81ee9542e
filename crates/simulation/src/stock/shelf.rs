//! The warehouse: what is on its shelves, what it reserved for whom, what it shipped; and the level that it tells of it.
//! Every level that it ever told is kept with the truth behind it, for the judge.

use super::bundles::Items;
use super::item_of;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What one object at the warehouse reserves: an order, or the second of a double.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) order: u64,
    pub(crate) quantity: u64,
    /// Where it is reserved.
    pub(crate) place: usize,
    /// By the place that it left.
    shipped: BTreeMap<usize, u64>,
    pub(crate) cancelled: bool,
}

impl Line {
    pub(crate) fn shipped(&self) -> u64 {
        self.shipped.values().sum()
    }

    fn open(&self) -> u64 {
        if self.cancelled { 0 } else { self.quantity.saturating_sub(self.shipped()) }
    }
}

/// A pair at one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bin {
    pub(crate) on_hand: i64,
    /// Reserved for other channels.
    pub(crate) others: i64,
    pub(crate) sequence: i64,
    /// Of what was shipped, what came back there, and how much of that was booked, ever.
    pub(crate) came_back: i64,
    pub(crate) booked_back: i64,
    /// On hand, reserved, and of that this shop's, as of its newest number.
    pub(super) numbered: [i64; 3],
    /// Its number when it was told last to whoever asks.
    pub(super) asked_to: i64,
}

/// A parcel that left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shipment {
    pub(crate) id: u64,
    pub(crate) order: u64,
    pub(crate) quantity: u64,
    pub(crate) item: usize,
    pub(crate) place: usize,
    pub(crate) shipped_at: Timestamp,
}

/// The truth behind a level that was told.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    /// Units there for this shop, whoever of its buyers has them, less all that ever came back.
    pub(crate) units: i64,
    /// What had left there by then, of each order.
    pub(crate) shipped: BTreeMap<u64, u64>,
}

impl Truth {
    /// Behind the levels of several places of one pair.
    pub(crate) fn of_all(truths: &[&Self]) -> Self {
        let mut all = Self { units: 0, shipped: BTreeMap::new() };
        for truth in truths {
            all.units += truth.units;
            for (order, units) in &truth.shipped {
                *all.shipped.entry(*order).or_default() += units;
            }
        }
        all
    }
}

/// A level as it is told: its number, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Level {
    pub(crate) bin: usize,
    pub(crate) sequence: i64,
    pub(crate) body: Value,
    pub(crate) changed_at: Timestamp,
    /// By what it differs from the number before, where it is told because it changed.
    pub(crate) change: Option<Value>,
}

#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) bins: Vec<Bin>,
    pub(crate) items: Items,
    /// By the target's own id.
    pub(crate) lines: BTreeMap<u64, Line>,
    pub(crate) shipments: Vec<Shipment>,
    /// By bin and `changed_at`, which no two levels share.
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

    /// Reserved for this shop, in one bin.
    pub(crate) fn reserved(&self, bin: usize) -> i64 {
        let pair = self.items.pair_of(bin);
        let here = |(line, _): &(&Line, i64)| self.items.bin(pair, line.place) == bin;
        let open = |line: &Line| i64::try_from(line.open()).unwrap_or(i64::MAX);
        self.lines_of(pair).filter(here).map(|(line, held)| held * open(line)).sum()
    }

    fn shipped(&self, bin: usize) -> BTreeMap<u64, u64> {
        let pair = self.items.pair_of(bin);
        let mut shipped = BTreeMap::new();
        for (line, _) in self.lines_of(pair) {
            let here = |(place, _): &(&usize, &u64)| self.items.bin(pair, **place) == bin;
            *shipped.entry(line.order).or_default() +=
                line.shipped.iter().filter(here).map(|(_, units)| units).sum::<u64>();
        }
        shipped
    }

    /// Something changed: the next level of the bin, told from now on.
    pub(crate) fn changed(&mut self, bin: usize, wall: Timestamp) -> Level {
        let of = &mut self.bins[bin];
        of.sequence += 1;
        let is_first = of.sequence == 1;
        let level = self.level(bin, wall);
        let now = self.quantities(bin);
        let before = std::mem::replace(&mut self.bins[bin].numbered, now);
        let [on_hand, reserved, ours] = [0, 1, 2].map(|nth| (now[nth] - before[nth]).to_string());
        let mut by = json!({ "on_hand": on_hand, "reserved": reserved });
        if self.counts {
            by["counted"] = json!(ours);
        }
        let [sku, location, changed_at] =
            ["sku", "location", "changed_at"].map(|name| level.body[name].clone());
        let change = json!({ "sku": sku, "location": location, "change": by, "changed_at": changed_at });
        Level { change: (!is_first).then_some(change), ..level }
    }

    /// Whether whoever asks has not been told this level.
    pub(crate) fn is_news(&mut self, level: &Level) -> bool {
        std::mem::replace(&mut self.bins[level.bin].asked_to, level.sequence) < level.sequence
    }

    /// On hand, reserved, and of that this shop's.
    fn quantities(&self, bin: usize) -> [i64; 3] {
        let (Bin { on_hand, others, .. }, ours) = (&self.bins[bin], self.reserved(bin));
        [*on_hand, others + ours, ours]
    }

    /// The level as it is now.
    pub(crate) fn level(&mut self, bin: usize, wall: Timestamp) -> Level {
        let Bin { on_hand, others, sequence, booked_back, .. } = self.bins[bin];
        let ours = self.reserved(bin);
        let changed_at = wall.checked_add(std::time::Duration::from_nanos(sequence.unsigned_abs()));
        let changed_at = changed_at.unwrap_or(wall);
        let (sku, location) = self.items.told_as(bin);
        let body = json!({
            "sku": sku,
            "location": location,
            "on_hand": on_hand.to_string(),
            "reserved": (others + ours).to_string(),
            "counted": self.counts.then(|| ours.to_string()),
            "changed_at": changed_at.to_string(),
        });
        let truth = Truth { units: on_hand - others - booked_back, shipped: self.shipped(bin) };
        self.told.insert((bin, changed_at.to_string()), truth);
        Level { bin, sequence, body, changed_at, change: None }
    }

    pub(crate) fn truth(&self, bin: usize, changed_at: &str) -> Option<&Truth> {
        self.told.get(&(bin, changed_at.to_owned()))
    }

    /// Of all places of a pair: on hand less what others have, and what is reserved for this shop.
    pub(crate) fn in_all(&self, pair: usize) -> (i64, i64) {
        let bins = self.items.bins(pair);
        let units = |bin: usize| self.bins[bin].on_hand - self.bins[bin].others;
        (bins.clone().map(units).sum(), bins.map(|bin| self.reserved(bin)).sum())
    }

    /// Of all places, what ever came back.
    pub(crate) fn came_back_in_all(&self, pair: usize) -> i64 {
        self.items.bins(pair).map(|bin| self.bins[bin].came_back).sum()
    }

    /// Of all places, what lies there unbooked; less than nothing where more was booked.
    pub(crate) fn unbooked_in_all(&self, pair: usize) -> i64 {
        let booked: i64 = self.items.bins(pair).map(|bin| self.bins[bin].booked_back).sum();
        self.came_back_in_all(pair) - booked
    }

    /// From where most of an order left.
    pub(crate) fn left_from(&self, order: u64) -> Option<usize> {
        let of = self.lines.values().filter(|line| line.order == order);
        let left = of.flat_map(|line| &line.shipped).max_by_key(|(_, units)| **units);
        left.map(|(place, _)| *place)
    }

    /// Units of an item came back there.
    pub(crate) fn lies_unbooked(&mut self, item: usize, place: usize, quantity: u64) {
        for (bin, units) in self.units_of(item, place, quantity) {
            self.bins[bin].came_back += units;
        }
    }

    /// What came back is on hand; the bins that changed by it.
    pub(crate) fn books(&mut self, item: usize, place: usize, quantity: u64) -> Vec<usize> {
        let units = self.units_of(item, place, quantity);
        for (bin, units) in &units {
            self.bins[*bin].booked_back += units;
            self.bins[*bin].on_hand += units;
        }
        units.into_iter().map(|(bin, _)| bin).collect()
    }

    fn units_of(&self, item: usize, place: usize, quantity: u64) -> Vec<(usize, i64)> {
        let quantity = i64::try_from(quantity).unwrap_or(0);
        let of = |pair: usize| (self.items.bin(pair, place), self.items.holds(item, pair) * quantity);
        self.items.pairs_of(item).into_iter().map(of).collect()
    }

    /// An order's object was made, amended or called off; the bins that changed by it.
    pub(crate) fn takes(&mut self, object: u64, order: u64, quantity: Option<u64>) -> Vec<usize> {
        let item = item_of(order, self.items.len());
        // Wherever: the warehouse does not look whether it lies there.
        let place = usize::try_from(order / (self.items.len().max(1) as u64)).unwrap_or(0);
        let none = Line { order, quantity: 0, place, shipped: BTreeMap::new(), cancelled: false };
        let line = self.lines.entry(object).or_insert(none);
        match quantity {
            Some(quantity) => line.quantity = quantity,
            None => line.cancelled = true,
        }
        let place = line.place;
        self.items.pairs_of(item).into_iter().map(|pair| self.items.bin(pair, place)).collect()
    }

    /// Sees to it that a line is reserved where most of it lies; the bins that changed by it.
    pub(crate) fn moves_to_where_it_lies(&mut self, object: u64) -> Vec<usize> {
        let Some(line) = self.lines.get(&object) else { return Vec::new() };
        let (item, from) = (item_of(line.order, self.items.len()), line.place);
        let pairs = self.items.pairs_of(item);
        let places = pairs.first().map_or(0, |pair| self.items.bins(*pair).len());
        let there = |place: &usize| {
            let of = |pair: &usize| {
                self.bins[self.items.bin(*pair, *place)].on_hand / self.items.holds(item, *pair)
            };
            pairs.iter().map(of).min().unwrap_or(0)
        };
        let Some(to) = (0..places).max_by_key(there).filter(|to| there(to) > there(&from)) else {
            return Vec::new();
        };
        let bins = pairs.iter().flat_map(|pair| [self.items.bin(*pair, from), self.items.bin(*pair, to)]);
        let bins = bins.collect();
        if let Some(line) = self.lines.get_mut(&object) {
            line.place = to;
        }
        bins
    }

    /// Takes units from the shelves for a parcel, as far as they are there; and the bins that it left.
    pub(crate) fn ships(&mut self, object: u64, most: u64, now: Timestamp) -> Option<(Shipment, Vec<usize>)> {
        let line = self.lines.get_mut(&object)?;
        let (item, place) = (item_of(line.order, self.items.len()), line.place);
        let pairs = self.items.pairs_of(item);
        let on_hand =
            |pair: &usize| self.bins[self.items.bin(*pair, place)].on_hand / self.items.holds(item, *pair);
        let there = pairs.iter().map(on_hand).min()?;
        let there = u64::try_from(there).unwrap_or(0);
        let quantity = line.open().min(most).min(there);
        if quantity == 0 {
            return None;
        }
        *line.shipped.entry(place).or_default() += quantity;
        let mut left = Vec::new();
        for pair in pairs {
            let units = i64::try_from(quantity).unwrap_or(i64::MAX);
            let bin = self.items.bin(pair, place);
            self.bins[bin].on_hand -= self.items.holds(item, pair) * units;
            left.push(bin);
        }
        let id = self.shipments.len() as u64 + 1;
        let shipment = Shipment { id, order: line.order, quantity, item, place, shipped_at: now };
        self.shipments.push(shipment.clone());
        Some((shipment, left))
    }
}
