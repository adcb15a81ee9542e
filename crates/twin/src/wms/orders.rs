//! Reservations of a shop's orders: made once, changed, shipped, settled, given back. Each act changes a pair at most once.

use super::books::Books;
use super::refusal::Refusal;
use super::shelf::Slot;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an order wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedLine {
    pub sku: String,
    pub quantity: u32,
    /// Absent: the first location with enough, else the first.
    #[serde(default)]
    pub location: Option<String>,
}

/// An order as the warehouse shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderView {
    pub order: String,
    /// `accepted` (and not counted yet), `reserved`, `shipped`, `cancelled`.
    pub state: &'static str,
    pub lines: Vec<LineView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineView {
    pub sku: String,
    pub location: &'static str,
    pub quantity: i64,
    pub shipped: i64,
}

#[derive(Debug, Default)]
pub(super) struct Orders {
    by_name: BTreeMap<String, Order>,
    /// The order that a key brought, and what it wanted.
    keys: BTreeMap<String, (String, Vec<WantedLine>)>,
}

#[derive(Debug)]
struct Order {
    /// Accepted and not counted: in no pair yet.
    is_held: bool,
    is_cancelled: bool,
    parts: BTreeMap<Slot, Part>,
    /// By SKU: units that the shop gave back before they left. They are not wanted again with the order's lines.
    released: BTreeMap<String, i64>,
}

/// Units of one pair.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    quantity: i64,
    shipped: i64,
    settled: i64,
    /// Of what was shipped.
    returned: i64,
}

impl Part {
    fn open(&self) -> i64 {
        self.quantity - self.shipped
    }
}

impl Order {
    fn view(&self, order: &str) -> OrderView {
        let is_shipped = self.parts.values().all(|part| part.open() == 0)
            && self.parts.values().any(|part| part.shipped > 0);
        let state = match () {
            () if self.is_cancelled => "cancelled",
            () if self.is_held => "accepted",
            () if is_shipped => "shipped",
            () => "reserved",
        };
        let line = |(slot, part): (&Slot, &Part)| LineView {
            sku: slot.sku(),
            location: slot.location(),
            quantity: part.quantity,
            shipped: part.shipped,
        };
        OrderView { order: order.to_owned(), state, lines: self.parts.iter().map(line).collect() }
    }
}

impl Order {
    /// The lines without the units that were given back.
    fn less_released(&self, lines: &[WantedLine]) -> Vec<WantedLine> {
        let mut released = self.released.clone();
        let less = |line: &WantedLine| {
            let given_back = released.entry(line.sku.clone()).or_default();
            let units = u32::try_from(*given_back).unwrap_or(u32::MAX).min(line.quantity);
            *given_back -= i64::from(units);
            WantedLine { quantity: line.quantity - units, ..line.clone() }
        };
        lines.iter().map(less).collect()
    }

    /// Up to so many units of a SKU, from pair after pair.
    fn take(
        &mut self,
        sku: &str,
        mut units: i64,
        there: impl Fn(&Part) -> i64,
        how: impl Fn(&mut Part, i64),
    ) -> Vec<(Slot, i64)> {
        let mut taken = Vec::new();
        for (slot, part) in self.parts.iter_mut().filter(|(slot, _)| slot.sku() == sku) {
            let some = units.min(there(part));
            if some > 0 {
                how(part, some);
                units -= some;
                taken.push((*slot, some));
            }
        }
        taken
    }
}

impl Orders {
    pub(super) fn is_known(&self, order: &str) -> bool {
        self.by_name.contains_key(order)
    }

    /// Whether its units are in the pairs.
    pub(super) fn is_counted(&self, order: &str) -> bool {
        self.by_name.get(order).is_some_and(|order| !order.is_held)
    }

    /// Takes up to so many open units out of an order.
    pub(super) fn release(&mut self, order: &str, sku: &str, units: i64) -> Vec<(Slot, i64)> {
        let Some(known) = self.by_name.get_mut(order) else { return Vec::new() };
        let taken = known.take(sku, units, Part::open, |part, units| part.quantity -= units);
        let all: i64 = taken.iter().map(|(_, units)| units).sum();
        *known.released.entry(sku.to_owned()).or_default() += all;
        taken
    }

    /// Up to so many units that had left came back.
    pub(super) fn bring_back(&mut self, order: &str, sku: &str, units: i64) -> Vec<(Slot, i64)> {
        let Some(known) = self.by_name.get_mut(order) else { return Vec::new() };
        known.take(sku, units, |part| part.shipped - part.returned, |part, units| part.returned += units)
    }
}

impl Books {
    /// Reserves once for each key; true: just now. An order may want nothing, and something later.
    pub(super) fn reserve(
        &mut self,
        key: &str,
        order: &str,
        lines: &[WantedLine],
        hold: bool,
        at: Timestamp,
    ) -> Result<(OrderView, bool), Refusal> {
        if let Some((known, wanted)) = self.orders.keys.get(key) {
            if known != order || wanted != lines {
                let text = format!("the key {key} came with another order or other lines before");
                return Err(Refusal::new(422, "key_reused", text));
            }
            self.counts.repeated += 1;
            return self.order(order).map(|view| (view, false));
        }
        if self.orders.by_name.contains_key(order) {
            let text = format!("there is an order {order}, and it came under another key");
            return Err(Refusal::new(409, "duplicate", text));
        }
        let wanted = self.spread(lines)?;
        self.orders.keys.insert(key.to_owned(), (order.to_owned(), lines.to_vec()));
        let parts =
            wanted.into_iter().map(|(slot, quantity)| (slot, Part { quantity, ..Part::default() })).collect();
        self.orders.by_name.insert(
            order.to_owned(),
            Order { is_held: true, is_cancelled: false, parts, released: BTreeMap::new() },
        );
        self.counts.orders += 1;
        if !hold {
            self.count_order(order, at);
        }
        self.order(order).map(|view| (view, true))
    }

    /// Puts an accepted order into the books.
    fn count_order(&mut self, order: &str, at: Timestamp) {
        let Some(known) = self.orders.by_name.get_mut(order).filter(|known| known.is_held) else { return };
        known.is_held = false;
        let open: Vec<_> = known.parts.iter().map(|(slot, part)| (*slot, part.open())).collect();
        for (slot, units) in open {
            self.promise(slot, units, at);
        }
    }

    /// All that were accepted and not counted.
    pub(super) fn count_held(&mut self, at: Timestamp) -> usize {
        let held: Vec<String> = self
            .orders
            .by_name
            .iter()
            .filter(|(_, order)| order.is_held && !order.is_cancelled)
            .map(|(name, _)| name.clone())
            .collect();
        for order in &held {
            self.count_order(order, at);
        }
        held.len()
    }

    pub(super) fn order(&self, order: &str) -> Result<OrderView, Refusal> {
        let known = self.orders.by_name.get(order).ok_or_else(|| Refusal::unknown_order(order))?;
        Ok(known.view(order))
    }

    /// Reserves other lines instead, or none any more; what was shipped stays shipped.
    pub(super) fn replace(
        &mut self,
        order: &str,
        lines: &[WantedLine],
        at: Timestamp,
    ) -> Result<OrderView, Refusal> {
        let lines = self.known(order)?.less_released(lines);
        let mut wanted = self.spread_over(&lines, self.known(order)?)?;
        let known = self.known(order)?;
        for (slot, part) in &known.parts {
            let wants = wanted.entry(*slot).or_default();
            *wants = (*wants).max(part.shipped);
        }
        let is_held = known.is_held;
        for (slot, quantity) in wanted {
            let before = self.known(order)?.parts.get(&slot).map_or(0, |part| part.quantity);
            if let Some(known) = self.orders.by_name.get_mut(order) {
                known.parts.entry(slot).or_default().quantity = quantity;
                known.parts.retain(|_, part| part.quantity > 0);
            }
            if !is_held {
                self.promise(slot, quantity - before, at);
            }
        }
        self.order(order)
    }

    /// Gives back what is open.
    pub(super) fn cancel(&mut self, order: &str, at: Timestamp) -> Result<OrderView, Refusal> {
        let known = self.known(order)?;
        let is_held = known.is_held;
        let open: Vec<_> = known.parts.iter().map(|(slot, part)| (*slot, part.open())).collect();
        if let Some(known) = self.orders.by_name.get_mut(order) {
            known.is_cancelled = true;
            for part in known.parts.values_mut() {
                part.quantity = part.shipped;
            }
        }
        for (slot, units) in open.into_iter().filter(|_| !is_held) {
            self.promise(slot, -units, at);
        }
        self.counts.cancelled += 1;
        self.order(order)
    }

    /// Ships what is open, or so many units of some SKUs. All of it has to be there.
    pub(super) fn ship(
        &mut self,
        order: &str,
        some: &[WantedLine],
        at: Timestamp,
    ) -> Result<OrderView, Refusal> {
        let known = self.known(order)?;
        if known.is_held {
            return Err(Refusal::new(
                409,
                "not_counted",
                format!("order {order} is accepted and not counted yet"),
            ));
        }
        let mut going: BTreeMap<Slot, i64> = BTreeMap::new();
        if some.is_empty() {
            going.extend(
                known.parts.iter().map(|(slot, part)| (*slot, part.open())).filter(|(_, open)| *open > 0),
            );
        }
        for line in some {
            let mut left = i64::from(line.quantity);
            let of_line = |slot: &Slot| {
                slot.sku() == line.sku && line.location.as_ref().is_none_or(|at| slot.location() == at)
            };
            for (slot, part) in known.parts.iter().filter(|(slot, _)| of_line(slot)) {
                let there = going.entry(*slot).or_default();
                let units = left.min(part.open() - *there);
                (*there, left) = (*there + units, left - units);
            }
            if left > 0 {
                let text =
                    format!("order {order} has {left} units of {} less to ship than asked for", line.sku);
                return Err(Refusal::new(409, "nothing_open", text));
            }
        }
        if going.values().all(|units| *units == 0) {
            return Err(Refusal::new(409, "nothing_open", format!("order {order} has nothing left to ship")));
        }
        if let Some((slot, units)) = going.iter().find(|(slot, units)| self.pair(**slot).on_hand < **units) {
            let text = format!(
                "{units} units of {} are to leave {}, and are not there",
                slot.sku(),
                slot.location()
            );
            return Err(Refusal::new(409, "short", text));
        }
        let before = self.shipments.all().len();
        self.shipments.left(order, &going, at);
        self.counts.shipments += (self.shipments.all().len() - before) as u64;
        for (slot, units) in going {
            if let Some(part) =
                self.orders.by_name.get_mut(order).and_then(|known| known.parts.get_mut(&slot))
            {
                part.shipped += units;
            }
            self.counts.shipped += u64::try_from(units).unwrap_or(0);
            self.change(slot, at, |pair| {
                pair.on_hand -= units;
                pair.reserved -= units;
                pair.shipped += units;
            });
        }
        self.order(order)
    }

    /// Units of a shipment that did not leave after all.
    pub(super) fn unship(
        &mut self,
        order: &str,
        slot: Slot,
        units: i64,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        self.known(order)?;
        let part = self.orders.by_name.get_mut(order).and_then(|known| known.parts.get_mut(&slot));
        let part = part.filter(|part| part.shipped - part.returned >= units).ok_or_else(|| {
            Refusal::new(409, "nothing_shipped", format!("order {order} has nothing to take back"))
        })?;
        let unsettled = units.min(part.shipped - part.settled);
        part.shipped -= units;
        part.settled -= units - unsettled;
        self.change(slot, at, |pair| {
            pair.on_hand += units;
            pair.reserved += units;
            pair.shipped -= unsettled;
        });
        Ok(())
    }

    /// The shop has taken what was shipped out of what it has sold.
    pub(super) fn settle(&mut self, order: &str, at: Timestamp) -> Result<OrderView, Refusal> {
        let known = self.orders.by_name.get_mut(order).ok_or_else(|| Refusal::unknown_order(order))?;
        let mut settled = Vec::new();
        for (slot, part) in &mut known.parts {
            settled.push((*slot, part.shipped - part.settled));
            part.settled = part.shipped;
        }
        for (slot, units) in settled {
            self.counts.settled += u64::try_from(units).unwrap_or(0);
            self.change(slot, at, |pair| pair.shipped -= units);
        }
        self.order(order)
    }

    /// One that is not cancelled.
    fn known(&self, order: &str) -> Result<&Order, Refusal> {
        let known = self.orders.by_name.get(order).ok_or_else(|| Refusal::unknown_order(order))?;
        if known.is_cancelled {
            return Err(Refusal::new(409, "cancelled", format!("order {order} is cancelled")));
        }
        Ok(known)
    }

    /// Promises units to the shop, or takes a promise back where they are negative.
    pub(super) fn promise(&mut self, slot: Slot, units: i64, at: Timestamp) {
        let before = (-self.pair(slot).free()).max(0);
        self.change(slot, at, |pair| pair.reserved += units);
        let after = (-self.pair(slot).free()).max(0);
        if units > 0 {
            self.counts.reserved += units.unsigned_abs();
            self.counts.oversold += u64::try_from(after - before).unwrap_or(0);
        } else {
            self.counts.given_back += units.unsigned_abs();
        }
    }

    /// Refuses lines for more units than are free beside those that the order has.
    pub(super) fn enough(&self, order: &str, lines: &[WantedLine]) -> Result<(), Refusal> {
        let known = self.orders.by_name.get(order);
        let wanted = match known {
            Some(known) => self.spread_over(&known.less_released(lines), known)?,
            None => self.spread(lines)?,
        };
        for (slot, units) in wanted {
            let counted = known.filter(|known| !known.is_held);
            let has = counted.and_then(|known| known.parts.get(&slot)).map_or(0, |part| part.quantity);
            let free = self.pair(slot).free();
            if units - has > free.max(0) {
                let text = format!(
                    "{} more units of {} are wanted at {}, and {free} are free",
                    units - has,
                    slot.sku(),
                    slot.location()
                );
                return Err(Refusal::new(422, "no_stock", text));
            }
        }
        Ok(())
    }

    fn spread(&self, lines: &[WantedLine]) -> Result<BTreeMap<Slot, i64>, Refusal> {
        let empty =
            Order { is_held: false, is_cancelled: false, parts: BTreeMap::new(), released: BTreeMap::new() };
        self.spread_over(lines, &empty)
    }

    /// Which pair each line is taken from. What an order has already stays where it is.
    fn spread_over(&self, lines: &[WantedLine], had: &Order) -> Result<BTreeMap<Slot, i64>, Refusal> {
        let mut wanted: BTreeMap<Slot, i64> = BTreeMap::new();
        for line in lines {
            let units = i64::from(line.quantity);
            let unknown = || Refusal::unknown_pair(&line.sku, line.location.as_deref());
            let slot = match &line.location {
                Some(location) => self.shelf.slot(&line.sku, location).ok_or_else(unknown)?,
                None => {
                    let slots: Vec<Slot> = self.shelf.slots(&line.sku).ok_or_else(unknown)?.collect();
                    let fits = |slot: &&Slot| {
                        let own = if had.is_held { 0 } else { had.parts.get(slot).map_or(0, Part::open) };
                        self.pair(**slot).free() + own >= wanted.get(slot).copied().unwrap_or(0) + units
                    };
                    let had_before = slots.iter().find(|slot| had.parts.contains_key(slot));
                    *had_before.or_else(|| slots.iter().find(fits)).or(slots.first()).ok_or_else(unknown)?
                }
            };
            *wanted.entry(slot).or_default() += units;
        }
        Ok(wanted)
    }
}
