//! `inventorySetQuantities` and `inventoryActivate`: their arguments, their key, and how they answer. The rules are the
//! stock's own (`stock::set`, `stock::activate`).
//!
//! `@idempotent` is optional in the schema and mandatory at run time; so is `changeFromQuantity`, which may be null but
//! not absent.

use super::payload;
use crate::shopify::answer::{Answer, Arguments, Refusal, Request, Resolved};
use crate::shopify::nodes::{AdjustmentNode, LevelNode, id_of, user_error};
use crate::shopify::shop::State;
use crate::shopify::stock::{
    Activation, Adjustment, Entry, Fault, Fingerprint, Pair, Remembered, SetQuantities,
};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn set_quantities(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let key = key(args)?;
    let wanted = wanted(args.get("input").unwrap_or(&Value::Null))?;
    let shop = &request.shop;
    let fingerprint = Fingerprint::of("inventorySetQuantities", &args.whole());
    let mut state = shop.state();
    match known(&mut state, &key, fingerprint, shop.now()) {
        Some(Ok(adjustment)) => return answered(adjustment, Vec::new()),
        Some(Err(fault)) => return answered(None, vec![fault]),
        None => {}
    }
    let id = state.next_id();
    match state.stock.set_quantities(&wanted, &key, id, shop.config.clock.now()) {
        Ok(adjustment) => {
            state.stock.keys.remember(&key, fingerprint, Remembered::Done(adjustment.clone()), shop.now());
            let pairs: Vec<Pair> =
                adjustment.iter().flat_map(|group| &group.deltas).map(|(pair, _)| *pair).collect();
            shop.raise_levels(&state, "inventory_levels/update", &pairs);
            answered(adjustment, Vec::new())
        }
        Err(faults) => {
            state.stock.keys.remember(&key, fingerprint, Remembered::Failed, shop.now());
            answered(None, faults)
        }
    }
}

fn answered(adjustment: Option<Arc<Adjustment>>, faults: Vec<Fault>) -> Resolved {
    let errors = faults
        .into_iter()
        .map(|fault| {
            user_error("InventorySetQuantitiesUserError", Some(fault.code), fault.field, &fault.text)
        })
        .collect();
    let group = adjustment.map(|adjustment| Answer::node(AdjustmentNode(adjustment)));
    payload("InventorySetQuantitiesPayload", "inventoryAdjustmentGroup", group, errors)
}

pub(super) fn activate(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let key = key(args)?;
    if args.flag("stockAtLegacyLocation") {
        return Err(Refusal::not_modelled("inventoryActivate with stockAtLegacyLocation"));
    }
    let wanted = Activation {
        inventory_item_id: id_of("InventoryItem", args.text("inventoryItemId").unwrap_or_default())?,
        location_id: id_of("Location", args.text("locationId").unwrap_or_default())?,
        available: args.number("available"),
        on_hand: args.number("onHand"),
    };
    let shop = &request.shop;
    let fingerprint = Fingerprint::of("inventoryActivate", &args.whole());
    let errors = {
        let mut state = shop.state();
        match known(&mut state, &key, fingerprint, shop.now()) {
            Some(Ok(_)) => Vec::new(),
            Some(Err(fault)) => vec![fault],
            None => {
                let done = state.stock.activate(&wanted, &key, shop.now());
                let outcome = if done.is_ok() { Remembered::Done(None) } else { Remembered::Failed };
                state.stock.keys.remember(&key, fingerprint, outcome, shop.now());
                match done {
                    Ok(activated) if activated.is_new => {
                        shop.raise_levels(&state, "inventory_levels/connect", &[activated.pair]);
                        shop.raise_levels(&state, "inventory_levels/update", &[activated.pair]);
                        Vec::new()
                    }
                    Ok(_) => Vec::new(),
                    Err(faults) => faults,
                }
            }
        }
    };
    let good = request.shop.state().stock.goods().by_inventory_item(wanted.inventory_item_id);
    let level = good.and_then(|good| LevelNode::of(request, good, wanted.location_id, false));
    let errors =
        errors.into_iter().map(|fault| user_error("UserError", None, fault.field, &fault.text)).collect();
    payload("InventoryActivatePayload", "inventoryLevel", level.map(Answer::node), errors)
}

fn key(args: &Arguments) -> Result<Arc<str>, Refusal> {
    let given = args.idempotency_key.as_deref().filter(|key| !key.trim().is_empty());
    given.map(Arc::from).ok_or_else(|| {
        Refusal::bad_request("The @idempotent directive is required for this mutation but was not provided.")
    })
}

/// What the same key was answered before; none for a new one.
fn known(
    state: &mut State,
    key: &Arc<str>,
    fingerprint: Fingerprint,
    now: jiff::Timestamp,
) -> Option<Result<Option<Arc<Adjustment>>, Fault>> {
    let (code, text) = match state.stock.keys.look_up(key, fingerprint, now)? {
        Remembered::Done(adjustment) => {
            state.stock.counts.repeated += 1;
            return Some(Ok(adjustment));
        }
        Remembered::InProgress => {
            ("IDEMPOTENCY_CONCURRENT_REQUEST", "This request is currently in progress, please try again.")
        }
        Remembered::Other => (
            "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
            "The same idempotency key cannot be used with different operation parameters.",
        ),
        Remembered::Failed => (
            "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
            "A previous request with this idempotency key failed. Retry with a new idempotency key.",
        ),
    };
    state.stock.counts.refused += 1;
    Some(Err(Fault { code, field: None, text: text.to_owned() }))
}

fn wanted(input: &Value) -> Result<SetQuantities, Refusal> {
    let text = |name: &str| input.get(name).and_then(Value::as_str).map(str::to_owned);
    let entries = input.get("quantities").and_then(Value::as_array);
    Ok(SetQuantities {
        name: text("name").unwrap_or_default(),
        reason: text("reason").unwrap_or_default(),
        reference: text("referenceDocumentUri"),
        entries: entries.into_iter().flatten().map(entry).collect::<Result<_, _>>()?,
    })
}

fn entry(input: &Value) -> Result<Entry, Refusal> {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default();
    let Some(change_from) = input.get("changeFromQuantity") else {
        let text = "InventoryQuantityInput must include the following argument: changeFromQuantity.";
        return Err(Refusal::new("INVALID_FIELD_ARGUMENTS", text));
    };
    Ok(Entry {
        inventory_item_id: id_of("InventoryItem", text("inventoryItemId"))?,
        location_id: id_of("Location", text("locationId"))?,
        quantity: input.get("quantity").and_then(Value::as_i64).unwrap_or_default(),
        change_from: change_from.as_i64(),
    })
}
