//! The shop's own stock: what it shows as available, what it sold of it and has not shipped. It sells what it shows, lowers
//! `available` itself, and refuses a set that was decided upon another value.

use super::bundles::Items;
use super::{Stock, item_of};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default)]
pub(crate) struct Sold {
    pub(crate) quantity: u64,
    pub(crate) fulfilled: u64,
    /// Of these, what came back.
    pub(crate) returned: u64,
    pub(crate) cancelled: bool,
}

impl Sold {
    /// Sold, still to be shipped as far as the shop knows.
    fn committed(&self) -> u64 {
        if self.cancelled { 0 } else { self.quantity.saturating_sub(self.fulfilled) }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Shelves {
    /// By item.
    pub(crate) available: Vec<i64>,
    pub(crate) items: Items,
    pub(crate) orders: BTreeMap<u64, Sold>,
    /// How many fulfilments were made for each shipment.
    pub(crate) fulfilments: BTreeMap<u64, u32>,
    /// Parcels that left the socket of a node that had slept.
    pub(crate) from_sleepers: BTreeSet<u64>,
    /// Pairs at which a set from such a socket put too much on sale.
    pub(crate) set_by_sleepers: BTreeSet<usize>,
    /// Buyers who found too little.
    pub(crate) turned_away: u64,
}

fn whole(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

impl Shelves {
    fn item_of(&self, order: u64) -> usize {
        item_of(order, self.items.len())
    }

    /// Of one item.
    pub(crate) fn committed(&self, item: usize) -> i64 {
        let of = self.orders.iter().filter(|(id, _)| self.item_of(**id) == item);
        whole(of.map(|(_, sold)| sold.committed()).sum())
    }

    /// Of these orders alone.
    pub(crate) fn committed_by(&self, item: usize, orders: &BTreeSet<u64>) -> i64 {
        let of = self.orders.iter().filter(|(id, _)| self.item_of(**id) == item && orders.contains(id));
        whole(of.map(|(_, sold)| sold.committed()).sum())
    }

    /// Units of a pair, in whatever item.
    pub(crate) fn committed_of(&self, pair: usize) -> i64 {
        self.items.holders(pair).map(|item| self.items.holds(item, pair) * self.committed(item)).sum()
    }

    /// Units of a pair that are on sale, in whatever item.
    pub(crate) fn on_sale(&self, pair: usize) -> i64 {
        let shown = |item: usize| self.available[item].max(0);
        self.items.holders(pair).map(|item| self.items.holds(item, pair) * shown(item)).sum()
    }

    /// Units of a pair that buyers have a right to and that had not left by then.
    pub(crate) fn claims(&self, pair: usize, shipped: &BTreeMap<u64, u64>) -> i64 {
        let left = |id: u64| shipped.get(&id).copied().unwrap_or_default();
        let open = |(id, sold): (&u64, &Sold)| match sold.cancelled {
            true => 0,
            false => {
                self.items.holds(self.item_of(*id), pair) * whole(sold.quantity.saturating_sub(left(*id)))
            }
        };
        self.orders.iter().map(open).sum()
    }

    /// A buyer takes more or gives some back; `false`: there is too little.
    pub(crate) fn order_changes(&mut self, id: u64, quantity: u64) -> bool {
        let item = self.item_of(id);
        let before = self.orders.get(&id).map_or(0, |sold| sold.quantity);
        let more = whole(quantity) - whole(before);
        if more > 0 && self.available[item] < more {
            self.turned_away += 1;
            return false;
        }
        self.available[item] -= more;
        self.orders.entry(id).or_default().quantity = quantity;
        true
    }

    /// Called off before anything left.
    pub(crate) fn is_cancelled(&mut self, id: u64) {
        let item = self.item_of(id);
        let Some(sold) = self.orders.get_mut(&id) else { return };
        self.available[item] += whole(sold.committed());
        sold.cancelled = true;
    }

    pub(crate) fn is_fulfilled(&mut self, id: u64, shipment: u64, quantity: u64) {
        *self.fulfilments.entry(shipment).or_default() += 1;
        if let Some(sold) = self.orders.get_mut(&id) {
            sold.fulfilled += quantity;
        }
    }
}

impl Stock {
    /// Nothing of the order has left the warehouse, whether the shop knows or not.
    pub(crate) fn is_untouched(&self, id: u64) -> bool {
        self.shelf.lines.values().all(|line| line.order != id || line.shipped() == 0)
    }
}
