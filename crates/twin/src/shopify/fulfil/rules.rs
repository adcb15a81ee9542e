//! What may be done with fulfilments, and what Shopify says to the rest. A refused call changes nothing; a second one for the
//! same units is refused because they are no longer open: there is no key here that would make two calls one.

use super::{FulfilmentOrder, find, of};
use crate::shop::{About, FulfilmentStatus, Notice, Order, Tracking};
use crate::shopify::shop::{Shop, State};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A `userError`, which has no code here.
#[derive(Clone, Debug)]
pub(in crate::shopify) struct Refused {
    pub(in crate::shopify) field: Option<&'static [&'static str]>,
    pub(in crate::shopify) text: String,
}

impl Refused {
    fn new(field: &'static [&'static str], text: impl Into<String>) -> Self {
        Self { field: Some(field), text: text.into() }
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self { field: None, text: error.to_string() }
    }
}

/// What of one fulfilment order is to be fulfilled; no lines: all that is open.
#[derive(Clone, Debug)]
pub(in crate::shopify) struct Wanted {
    pub(in crate::shopify) fulfilment_order: u64,
    /// Line and units.
    pub(in crate::shopify) lines: Vec<(u64, i64)>,
}

const FULFILMENT: &[&str] = &["fulfillment"];
const ID: &[&str] = &["id"];

/// The order, and the number of the fulfilment that was made.
pub(in crate::shopify) fn create(
    shop: &Shop,
    wanted: &[Wanted],
    tracking: &Tracking,
) -> Result<(Arc<Order>, u64), Refused> {
    let order_id = {
        let state = shop.state();
        let mut orders = BTreeSet::new();
        for one in wanted {
            let found = find(&state, one.fulfilment_order).map(|(order_id, _)| order_id);
            orders
                .insert(found.ok_or_else(|| Refused::new(FULFILMENT, "Fulfillment order does not exist."))?);
        }
        match orders.into_iter().collect::<Vec<_>>().as_slice() {
            [one] => *one,
            [] => return Err(Refused::new(FULFILMENT, "Line items by fulfillment order can't be blank.")),
            _ => {
                return Err(Refused::new(
                    FULFILMENT,
                    "All fulfillment orders must belong to the same order.",
                ));
            }
        }
    };
    let (at, mut made) = (shop.now(), 0);
    let order = shop.change_within(order_id, |state, order| {
        let units = judged(state, order, wanted)?;
        made = order.fulfil_with(&units, tracking.clone(), at)?;
        let topic = match order.fulfilment_status() {
            FulfilmentStatus::Fulfilled => "orders/fulfilled",
            FulfilmentStatus::Partial | FulfilmentStatus::Unfulfilled => "orders/partially_fulfilled",
        };
        Ok::<_, Refused>(vec![
            Notice { topic, about: About::Order },
            Notice { topic: "fulfillments/create", about: About::Fulfilment(made) },
            Notice { topic: "orders/updated", about: About::Order },
        ])
    })?;
    Ok((order, made))
}

/// The order's own lines and units.
fn judged(state: &State, order: &Order, wanted: &[Wanted]) -> Result<Vec<(u64, u32)>, Refused> {
    let all = of(state, order);
    let mut places = BTreeSet::new();
    let (mut units, mut seen) = (Vec::new(), BTreeSet::new());
    for one in wanted {
        let known = all.iter().find(|known| known.id == one.fulfilment_order);
        let known = known.ok_or_else(|| Refused::new(FULFILMENT, "Fulfillment order does not exist."))?;
        if !known.is_open() {
            let status = known.status.to_ascii_lowercase();
            let text = format!("Fulfillment order {} has an unfulfillable status= {status}.", known.id);
            return Err(Refused::new(FULFILMENT, text));
        }
        places.insert(known.warehouse.id);
        units.extend(lines(order, known, &one.lines, &mut seen)?);
    }
    if places.len() > 1 {
        return Err(Refused::new(
            FULFILMENT,
            "All fulfillment orders must be assigned to a single location.",
        ));
    }
    Ok(units)
}

fn lines(
    order: &Order,
    of: &FulfilmentOrder,
    wanted: &[(u64, i64)],
    seen: &mut BTreeSet<u64>,
) -> Result<Vec<(u64, u32)>, Refused> {
    if wanted.is_empty() {
        let open = of.lines.iter().filter(|line| line.remaining > 0);
        return Ok(open.map(|line| (order.lines[line.index].id, line.remaining)).collect());
    }
    let mut units = Vec::new();
    for (id, quantity) in wanted {
        let line = of.lines.iter().find(|line| line.id == *id);
        let line =
            line.ok_or_else(|| Refused::new(FULFILMENT, "Fulfillment order line item does not exist."))?;
        if !seen.insert(*id) {
            return Err(Refused::new(FULFILMENT, "Fulfillment order line items must be unique."));
        }
        let count = u32::try_from(*quantity).ok().filter(|count| (1..=line.remaining).contains(count));
        let count = count.ok_or_else(|| {
            Refused::new(FULFILMENT, "Invalid fulfillment order line item quantity requested.")
        })?;
        units.push((order.lines[line.index].id, count));
    }
    Ok(units)
}

/// Takes a fulfilment back.
pub(in crate::shopify) fn cancel(shop: &Shop, id: u64) -> Result<Arc<Order>, Refused> {
    changed(shop, id, |order, at| order.cancel_fulfilment(id, at))
}

/// Says otherwise how its way can be followed.
pub(in crate::shopify) fn track(shop: &Shop, id: u64, tracking: &Tracking) -> Result<Arc<Order>, Refused> {
    changed(shop, id, |order, at| order.track(id, tracking.clone(), at))
}

fn changed(
    shop: &Shop,
    id: u64,
    how: impl FnOnce(&mut Order, Timestamp) -> anyhow::Result<()>,
) -> Result<Arc<Order>, Refused> {
    let has = |order: &Arc<Order>| order.fulfilments.iter().any(|one| one.id == id);
    let found = shop.state().orders.values().find(|order| has(order)).map(|order| order.id);
    let order_id = found.ok_or_else(|| Refused::new(ID, "Fulfillment does not exist."))?;
    let at = shop.now();
    shop.change_within(order_id, |_, order| {
        how(order, at)?;
        Ok(vec![
            Notice { topic: "fulfillments/update", about: About::Fulfilment(id) },
            Notice { topic: "orders/updated", about: About::Order },
        ])
    })
}
