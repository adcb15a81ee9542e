//! What orders do to the stock, found by comparing an order before and after a change: whatever happened to it, the same
//! units move.
//!
//! A placed unit goes from `available` to `committed` at one location: the first that has enough for all lines, else line
//! by line the first that has enough, else the first. A shipped unit leaves `committed` and is gone; where its fulfilment is
//! cancelled, it is `committed` again. A unit that is removed leaves `committed` too, and is `available` again only where it
//! is restocked; so is one that came back.

use super::{Good, Level, Pair, Stock};
use crate::shop::catalogue::WAREHOUSES;
use crate::shop::{Line, Order, RestockType};
use anyhow::{Result, ensure};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Where a line's units are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Assigned {
    line_id: u64,
    pair: Pair,
}

/// What one change of an order did to one of its lines, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Moved {
    placed: u32,
    shipped: u32,
    /// Their fulfilment was cancelled: they are to be shipped again.
    unshipped: u32,
    /// Taken out of what was open.
    removed: u32,
    restocked: u32,
}

impl Moved {
    fn of(before: Option<&Order>, after: &Order, line: &Line) -> Self {
        let old = before.and_then(|order| order.line(line.id));
        let (had, was_shipped, open) =
            old.map_or((0, 0, 0), |old| (old.quantity, old.fulfilled, old.fulfillable()));
        let placed = line.quantity.saturating_sub(had);
        let shipped = line.fulfilled.saturating_sub(was_shipped);
        let unshipped = was_shipped.saturating_sub(line.fulfilled);
        let new_refunds = after.refunds.iter().skip(before.map_or(0, |order| order.refunds.len()));
        let back = new_refunds.flat_map(|refund| &refund.lines);
        let back = back.filter(|back| back.line_id == line.id && back.restock != RestockType::NoRestock);
        Self {
            placed,
            shipped,
            unshipped,
            removed: (open + placed + unshipped).saturating_sub(shipped + line.fulfillable()),
            restocked: back.map(|back| back.quantity).sum(),
        }
    }
}

impl Stock {
    /// Refuses an order for more than there is, where the shop does not sell below zero. Shopify would split a line over
    /// locations; here each is taken from one.
    pub(in crate::shopify) fn check(&self, order: &Order) -> Result<()> {
        if self.may_oversell {
            return Ok(());
        }
        let wanted: Vec<_> =
            self.tracked(order).map(|(good, line)| (good, line.id, i64::from(line.quantity))).collect();
        let mut taken: BTreeMap<Pair, i64> = BTreeMap::new();
        for (assigned, (good, _, units)) in self.spread(&wanted).iter().zip(&wanted) {
            let all = taken.entry(assigned.pair).or_default();
            *all += units;
            let there = self.level(assigned.pair).filter(Level::is_active).map_or(0, |level| level.available);
            ensure!(*all <= there, "{all} units of {} were ordered and {there} are available", good.sku());
        }
        Ok(())
    }

    /// Moves the units that a change of an order moves; returns the levels that it changed.
    pub(in crate::shopify) fn follow(
        &mut self,
        before: Option<&Order>,
        after: &Order,
        at: Timestamp,
    ) -> Vec<Pair> {
        let moved: Vec<_> = self
            .tracked(after)
            .map(|(good, line)| (good, line.id, Moved::of(before, after, line)))
            .filter(|(_, _, moved)| *moved != Moved::default())
            .collect();
        self.assign(after.id, &moved);
        let mut touched = BTreeSet::new();
        for (_, line_id, moved) in &moved {
            if let Some(pair) = self.pair_of_line(after.id, *line_id) {
                self.shift(pair, *moved, at);
                touched.insert(pair);
            }
        }
        touched.into_iter().collect()
    }

    /// A deleted order's units are no longer committed, and not restocked.
    pub(in crate::shopify) fn forget(&mut self, order: &Order, at: Timestamp) -> Vec<Pair> {
        let mut touched = BTreeSet::new();
        for assigned in self.assigned.remove(&order.id).unwrap_or_default() {
            let open = order.line(assigned.line_id).map_or(0, Line::fulfillable);
            if open > 0 {
                self.shift(assigned.pair, Moved { removed: open, ..Moved::default() }, at);
                touched.insert(assigned.pair);
            }
        }
        touched.into_iter().collect()
    }

    /// Where a line's units were taken from.
    pub(in crate::shopify) fn location_of(&self, order_id: u64, line_id: u64) -> Option<u64> {
        self.pair_of_line(order_id, line_id).map(|pair| pair.warehouse().id)
    }

    fn pair_of_line(&self, order_id: u64, line_id: u64) -> Option<Pair> {
        let lines = self.assigned.get(&order_id)?;
        lines.iter().find(|assigned| assigned.line_id == line_id).map(|assigned| assigned.pair)
    }

    /// Lines of what the shop still sells, by their variant as Shopify does it: their SKU may be spoiled.
    fn tracked<'a>(&self, order: &'a Order) -> impl Iterator<Item = (Good, &'a Line)> {
        let goods = self.goods;
        order.lines.iter().filter_map(move |line| Some((goods.by_variant(line.variant_id?)?, line)))
    }

    fn assign(&mut self, order_id: u64, moved: &[(Good, u64, Moved)]) {
        let is_new = |line_id: u64| self.pair_of_line(order_id, line_id).is_none();
        let new: Vec<_> = moved
            .iter()
            .filter(|(_, line_id, _)| is_new(*line_id))
            .map(|(good, line_id, moved)| (*good, *line_id, i64::from(moved.placed)))
            .collect();
        let lines = self.spread(&new);
        if !lines.is_empty() {
            self.assigned.entry(order_id).or_default().extend(lines);
        }
    }

    /// Where each of some new lines is taken from.
    fn spread(&self, lines: &[(Good, u64, i64)]) -> Vec<Assigned> {
        let mut wanted: BTreeMap<Good, i64> = BTreeMap::new();
        for (good, _, units) in lines {
            *wanted.entry(*good).or_default() += units;
        }
        let whole =
            self.first_with(|place| wanted.iter().all(|(good, units)| self.has(*good, place, *units)));
        let mut taken: BTreeMap<Pair, i64> = BTreeMap::new();
        let assigned = |(good, line_id, units): &(Good, u64, i64)| {
            let left = |place| taken.get(&Pair { good: *good, place }).copied().unwrap_or(0);
            let place = whole
                .or_else(|| self.first_with(|place| self.has(*good, place, left(place) + units)))
                .or_else(|| self.first_with(|place| self.has(*good, place, i64::MIN)))
                .unwrap_or(0);
            let pair = Pair { good: *good, place };
            *taken.entry(pair).or_default() += units;
            Assigned { line_id: *line_id, pair }
        };
        lines.iter().map(assigned).collect()
    }

    fn first_with(&self, fits: impl Fn(u8) -> bool) -> Option<u8> {
        (0..WAREHOUSES.len()).filter_map(|place| u8::try_from(place).ok()).find(|place| fits(*place))
    }

    fn has(&self, good: Good, place: u8, units: i64) -> bool {
        self.level(Pair { good, place }).is_some_and(|level| level.is_active() && level.available >= units)
    }

    fn shift(&mut self, pair: Pair, moved: Moved, at: Timestamp) {
        let [placed, shipped, unshipped, removed, restocked] =
            [moved.placed, moved.shipped, moved.unshipped, moved.removed, moved.restocked].map(i64::from);
        let level = self.level_mut(pair);
        let short = placed - level.available.clamp(0, placed);
        level.available += restocked - placed;
        level.committed += placed + unshipped - shipped - removed;
        level.updated_at = at.as_second();
        if level.presence == super::Presence::Absent {
            level.presence = super::Presence::Inactive;
        }
        let counts = &mut self.counts;
        counts.sold += u64::from(moved.placed);
        counts.shipped += u64::from(moved.shipped);
        counts.unshipped += u64::from(moved.unshipped);
        counts.restocked += u64::from(moved.restocked);
        counts.oversold += u64::try_from(short).unwrap_or(0);
    }
}
