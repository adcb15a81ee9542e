//! Fulfilment orders: what of an order is to leave from which location, and whether it may.
//!
//! There is one for each location that has units of the order. It is derived from the order and from where the stock has its
//! lines, so that it can never say otherwise than they do: what is open of a line is open here. When a fulfilment is
//! cancelled, its location has a new one and the former one is closed, as at Shopify. Not modelled: one order's line split
//! over locations, fulfilment services, moves, merges and splits.

pub(in crate::shopify) mod holds;
mod rules;

pub(super) use rules::{Refused, Wanted, cancel, create, track};

use self::holds::Hold;
use super::shop::State;
use super::stock::place_of;
use crate::shop::catalogue::{WAREHOUSES, Warehouse};
use crate::shop::{Line, Order};
use jiff::Timestamp;

/// Why nothing of an order may leave now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shopify) enum Stop {
    /// By a person or an app, for one of Shopify's reasons.
    Hold { reason: &'static str },
    /// Not before.
    Scheduled { at: Timestamp },
}

#[derive(Clone, Debug)]
pub(in crate::shopify) struct FulfilmentOrder {
    pub(in crate::shopify) id: u64,
    pub(in crate::shopify) warehouse: &'static Warehouse,
    pub(in crate::shopify) status: &'static str,
    pub(in crate::shopify) stop: Option<Stop>,
    /// Of the app.
    pub(in crate::shopify) holds: Vec<Hold>,
    pub(in crate::shopify) lines: Vec<OpenLine>,
}

#[derive(Clone, Copy, Debug)]
pub(in crate::shopify) struct OpenLine {
    pub(in crate::shopify) id: u64,
    /// Of the order's lines.
    pub(in crate::shopify) index: usize,
    pub(in crate::shopify) total: u32,
    pub(in crate::shopify) remaining: u32,
}

impl FulfilmentOrder {
    /// Whether `fulfillmentCreate` takes it.
    pub(in crate::shopify) fn is_open(&self) -> bool {
        matches!(self.status, "OPEN" | "IN_PROGRESS")
    }
}

/// So many times a location may have cancelled fulfilments of one order.
const GENERATIONS_MAX: u64 = 32;

/// The number of a location's fulfilment order: the order can be found from it.
fn id_of(order_id: u64, place: u8, generation: u64) -> u64 {
    order_id ^ ((generation + 1) << 57) ^ ((u64::from(place) + 1) << 54)
}

/// The fulfilment order of that number, and its order's.
pub(in crate::shopify) fn find(state: &State, id: u64) -> Option<(u64, FulfilmentOrder)> {
    let places = || (0..WAREHOUSES.len()).filter_map(|place| u8::try_from(place).ok());
    let keys = (0..GENERATIONS_MAX).flat_map(|generation| places().map(move |place| (generation, place)));
    keys.filter_map(|(generation, place)| state.orders.get(&id_of(id, place, generation))).find_map(|order| {
        let found = of(state, order).into_iter().find(|one| one.id == id)?;
        Some((order.id, found))
    })
}

/// All of an order, by location, closed ones first.
pub(in crate::shopify) fn of(state: &State, order: &Order) -> Vec<FulfilmentOrder> {
    let place = |line: &Line| {
        let at = state.stock.location_of(order.id, line.id).unwrap_or(order.shop.location_id);
        place_of(at).unwrap_or(0)
    };
    let mut all = Vec::new();
    for (at, warehouse) in (0..).zip(&WAREHOUSES) {
        let here = |(_, line): &(usize, &Line)| !line.tip && place(line) == at;
        let lines: Vec<(usize, &Line)> = order.lines.iter().enumerate().filter(here).collect();
        if lines.is_empty() {
            continue;
        }
        let of_here = |id: &u64| lines.iter().any(|(_, line)| line.id == *id);
        let cancelled = order.fulfilments.iter().filter(|one| one.cancelled_at.is_some());
        let cancelled = cancelled.filter(|one| one.lines.iter().any(|(id, _)| of_here(id))).count() as u64;
        for generation in 0..=cancelled.min(GENERATIONS_MAX - 1) {
            let is_last = generation == cancelled.min(GENERATIONS_MAX - 1);
            let id = id_of(order.id, at, generation);
            let line = |(index, line): &(usize, &Line)| OpenLine {
                id: line.id ^ (id >> 7),
                index: *index,
                total: line.quantity,
                remaining: if is_last { line.fulfillable() } else { 0 },
            };
            let lines: Vec<OpenLine> = lines.iter().map(line).collect();
            let stop = state.stops.get(&order.id).filter(|_| is_last).cloned();
            let holds = state.holds.get(&id).cloned().unwrap_or_default();
            all.push(FulfilmentOrder {
                id,
                warehouse,
                status: status(order, &lines, stop.as_ref(), &holds),
                stop,
                holds,
                lines,
            });
        }
    }
    all
}

fn status(order: &Order, lines: &[OpenLine], stop: Option<&Stop>, holds: &[Hold]) -> &'static str {
    let open: u32 = lines.iter().map(|line| line.remaining).sum();
    let shipped = lines.iter().any(|line| order.lines[line.index].fulfilled > 0);
    match stop {
        _ if open == 0 && order.cancelled_at.is_some() => "CANCELLED",
        _ if open == 0 => "CLOSED",
        Some(Stop::Hold { .. }) => "ON_HOLD",
        _ if !holds.is_empty() => "ON_HOLD",
        Some(Stop::Scheduled { .. }) => "SCHEDULED",
        None if shipped => "IN_PROGRESS",
        None => "OPEN",
    }
}
