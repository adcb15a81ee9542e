//! Holds on fulfilment orders: who may place one, how many, and which of them a release ends. Those of apps alone; a person's
//! hold is a [`Stop`](super::Stop) of the whole order. Not modelled: a hold of some lines, which would split the fulfilment
//! order.

use super::{FulfilmentOrder, Stop, find};
use crate::shopify::shop::{Shop, State};
use std::collections::BTreeMap;

/// So many may one app have on one fulfilment order at a time (shopify.dev: `FULFILLMENT_ORDER_HOLD_LIMIT_REACHED`).
const HOLDS_MAX: usize = 10;
/// Characters of a handle.
const HANDLE_MAX: usize = 64;

/// One app's, on one fulfilment order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: u64,
    /// Unique among the app's holds there; empty where the app named none.
    pub handle: String,
    pub reason: String,
    pub notes: Option<String>,
}

/// By fulfilment order.
pub(in crate::shopify) type Holds = BTreeMap<u64, Vec<Hold>>;

/// A `userError`; many have no code.
#[derive(Clone, Debug)]
pub(in crate::shopify) struct Refused {
    pub(in crate::shopify) code: Option<&'static str>,
    pub(in crate::shopify) field: &'static [&'static str],
    pub(in crate::shopify) text: String,
}

fn refused(code: Option<&'static str>, field: &'static [&'static str], text: impl Into<String>) -> Refused {
    Refused { code, field, text: text.into() }
}

const ID: &[&str] = &["id"];
const HANDLE: &[&str] = &["fulfillmentHold", "handle"];

fn found(state: &State, id: u64) -> Result<(u64, FulfilmentOrder), Refused> {
    let missing = || refused(Some("FULFILLMENT_ORDER_NOT_FOUND"), ID, "Fulfillment order does not exist.");
    find(state, id).ok_or_else(missing)
}

/// Places one more on a fulfilment order that is open or on hold already; the number that it got.
pub(in crate::shopify) fn hold(shop: &Shop, id: u64, wanted: &Hold) -> Result<u64, Refused> {
    let (order_id, hold_id) = {
        let mut state = shop.state();
        let (order_id, of) = found(&state, id)?;
        if !of.is_open() && of.status != "ON_HOLD" {
            let status = of.status.to_ascii_lowercase();
            return Err(refused(
                None,
                ID,
                format!("Fulfillment order {id} cannot be held, its status= {status}."),
            ));
        }
        if wanted.handle.chars().count() > HANDLE_MAX {
            let text = format!("Handle is too long (maximum is {HANDLE_MAX} characters)");
            return Err(refused(None, HANDLE, text));
        }
        if of.holds.iter().any(|held| held.handle == wanted.handle) {
            let text = "The handle provided for the fulfillment hold is already in use by this app for another hold on \
                        this fulfillment order.";
            return Err(refused(Some("DUPLICATE_FULFILLMENT_HOLD_HANDLE"), HANDLE, text));
        }
        if of.holds.len() >= HOLDS_MAX {
            let text = "The maximum number of fulfillment holds for this fulfillment order has been reached for this app.";
            return Err(refused(Some("FULFILLMENT_ORDER_HOLD_LIMIT_REACHED"), ID, text));
        }
        let hold_id = state.next_id();
        state.holds.entry(id).or_default().push(Hold { id: hold_id, ..wanted.clone() });
        (order_id, hold_id)
    };
    told(shop, order_id);
    Ok(hold_id)
}

/// Ends those that are named and stand there, or all, whoever placed them, where none is named.
pub(in crate::shopify) fn release(shop: &Shop, id: u64, named: Option<&[u64]>) -> Result<(), Refused> {
    let order_id = {
        let mut state = shop.state();
        let (order_id, of) = found(&state, id)?;
        if of.status != "ON_HOLD" {
            return Err(refused(None, ID, format!("Fulfillment order {id} is not on hold.")));
        }
        match named {
            Some(named) => {
                if let Some(holds) = state.holds.get_mut(&id) {
                    holds.retain(|held| !named.contains(&held.id));
                }
            }
            None => {
                state.holds.remove(&id);
                if matches!(of.stop, Some(Stop::Hold { .. })) {
                    state.stops.remove(&order_id);
                }
            }
        }
        order_id
    };
    told(shop, order_id);
    Ok(())
}

/// The order is another one by now: it is dated anew, and told of.
fn told(shop: &Shop, order_id: u64) {
    // It was found a moment ago; one that somebody deleted meanwhile tells nothing.
    let _ = shop.update(order_id, shop.now(), |_| {});
}
