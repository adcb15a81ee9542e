//! From what an order has to what was shipped of it: noted, then made, piece by piece where it is divided; tracked otherwise, or
//! taken back. Owns that a customer is written to once for a parcel: with the last call that it takes. Pure.

use super::code;
use super::config::{Config, KEY};
use super::note::Share;
use super::parcel::Parcel;
use super::refusal::{begun, cancelled_there, no_order, refused, told};
use super::seen::{Context, Made};
use super::want::{Want, is_place};
use crate::graphql::{
    CANCEL_FULFILMENT, CREATE_FULFILMENT, Document, NOTE_SHIPMENT, TRACK_FULFILMENT, frozen,
};
use crate::source::{order_gid, order_of};
use connector::port::{Done, ExternalRef, ObjectState, Observation, Observed, Plan, Stage, Step, Wanted};
use domains::shipments::{Allotment, Open, Short, allot, allot_at};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn plan(config: &Config, wanted: &Wanted, observed: &Observation) -> Plan {
    let (order, want) = match (order_of(&wanted.subject), Want::read(&wanted.body)) {
        (Ok(order), Ok(want)) => (order, want),
        (Err(fault), _) | (_, Err(fault)) => return Plan::NotAllowed(fault),
    };
    let Some(context) = Context::read(&observed.context) else {
        let what = "an order is looked at before a shipment of it is recorded, and this one was not";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::SHAPE, what));
    };
    match &observed.object {
        Observed::One(state) => made(config, order, wanted, &want, &context, state),
        Observed::Many(ids) => {
            let what = format!("{} fulfilments could be this shipment: {}", ids.len(), ids.join(", "));
            Plan::NotAllowed(Fault::new(FaultKind::Conflict, code::FROZEN, what))
        }
        // Nothing of it was ever made there, and nothing is wanted any more.
        Observed::None if wanted.stage == Stage::Cancelled => Plan::Done(Done {
            external: ExternalRef { id: String::new(), number: None, state: None },
            note: None,
            unchanged: true,
            adopted: false,
        }),
        Observed::None => make(config, order, &want, &context),
    }
}

/// Nothing of it is there.
fn make(config: &Config, order: &str, want: &Want, context: &Context) -> Plan {
    if !context.has_order {
        return Plan::NotAllowed(no_order(order));
    }
    if want.lines.is_empty() {
        let what = "the mapping left no line of this shipment: mend it, or skip this";
        return refused(code::BODY, what, "lines");
    }
    let nothing = Parcel::divided(context.notes.parts(&want.shipment));
    match rest(want, &nothing, &want.lines, &context.open) {
        Ok(allotments) => go_on(config, order, want, context, &nothing, &allotments),
        Err(short) => Plan::NotAllowed(told(&short, context)),
    }
}

/// What is to be made of it yet, in this order: as it was divided, while that can be, so that what was decided once stays so.
fn rest(
    want: &Want,
    parcel: &Parcel,
    missing: &[(String, u32)],
    open: &[Open],
) -> Result<Vec<Allotment>, Short> {
    let lines: Vec<(&str, u32)> = missing.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
    let shares = parcel.open_shares();
    let as_noted = |share: &&Share| {
        let place = open.iter().find(|order| order.place == share.at)?;
        let may = want.left_from(&place.place, &place.place_name);
        allot_at(&share.lines(), &share.at, open).filter(|_| may)
    };
    if sum(shares.iter().flat_map(|share| share.lines())) == sum(lines.iter().copied())
        && let Some(noted) = shares.iter().map(as_noted).collect()
    {
        return Ok(noted);
    }
    let id = |wanted: &'_ String| {
        let known = open.iter().find(|order| is_place(wanted, &order.place, &order.place_name));
        known.map_or_else(|| wanted.clone(), |order| order.place.clone())
    };
    let places: Vec<String> = want.locations.iter().map(id).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    allot(&lines, &places, open)
}

/// By SKU.
fn sum<'a>(lines: impl Iterator<Item = (&'a str, u32)>) -> BTreeMap<&'a str, u64> {
    let mut sum = BTreeMap::new();
    for (sku, units) in lines {
        *sum.entry(sku).or_default() += u64::from(units);
    }
    sum
}

/// The next of what is to be made yet, once our note says that it is, and how it is divided.
fn go_on(
    config: &Config,
    order: &str,
    want: &Want,
    context: &Context,
    parcel: &Parcel,
    allotments: &[Allotment],
) -> Plan {
    let Some(next) = allotments.first() else {
        let what = "nothing is left to be made of a shipment, and it was to be made";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::SHAPE, what));
    };
    let made = parcel.made_shares();
    let share = |one: &Allotment| Share { at: one.place.clone(), lines: one.lines.iter().cloned().collect() };
    let shares: Vec<Share> = made.iter().cloned().chain(allotments.iter().map(share)).collect();
    let parts = if shares.len() == 1 { Vec::new() } else { shares };
    if !context.notes.stands(&want.shipment, &parts) {
        let others = context.made.iter().filter(|id| !parcel.has(id));
        let notes = context.notes.with(&want.shipment, &parts, others);
        let metafield = json!({
            "ownerId": order_gid(order),
            "namespace": config.namespace,
            "key": KEY,
            "type": "json",
            "value": notes.value(),
        });
        return step("note", &NOTE_SHIPMENT, false, &json!({ "metafields": [metafield] }));
    }
    let notifies = want.notify && allotments.len() == 1;
    let variables = json!({ "fulfillment": input(want, next, notifies) });
    match parts.len() {
        0 => step("create", &CREATE_FULFILMENT, true, &variables),
        // The first brings the parcel into being; whether the others were made is seen of each.
        _ => step(&piece_name("create", made.len()), &CREATE_FULFILMENT, made.is_empty(), &variables),
    }
}

/// Of a step that is about one piece of a parcel that is divided; `index` from nought.
fn piece_name(step: &str, index: usize) -> String {
    format!("{step}_{}", index + 1)
}

/// The piece that a step is about, from nought; `None`: all of the parcel.
pub(super) fn piece_of(step: &Step) -> Option<usize> {
    let (_, number) = step.name.split_once('_')?;
    number.parse::<usize>().ok()?.checked_sub(1)
}

fn input(want: &Want, allotment: &Allotment, notifies: bool) -> Value {
    let parts: Vec<Value> = allotment
        .parts
        .iter()
        .map(|part| {
            let lines = part.lines.iter().map(|(id, units)| json!({ "id": id, "quantity": units }));
            json!({
                "fulfillmentOrderId": part.fulfilment_order,
                "fulfillmentOrderLineItems": lines.collect::<Vec<_>>(),
            })
        })
        .collect();
    let mut input = json!({ "lineItemsByFulfillmentOrder": parts, "notifyCustomer": notifies });
    if !want.tracking.is_empty() {
        input["trackingInfo"] = tracking(want);
    }
    input
}

/// What is not known is left out: Shopify makes the addresses of carriers that it knows itself.
fn tracking(want: &Want) -> Value {
    let mut input = json!({});
    if let Some(company) = &want.tracking.company {
        input["company"] = json!(company);
    }
    for (name, list) in [("numbers", &want.tracking.numbers), ("urls", &want.tracking.urls)] {
        if !list.is_empty() {
            input[name] = json!(list);
        }
    }
    input
}

/// It is there, or some of it is: it is to be taken back, to be tracked by other numbers, to be made to the end, or as it is to be.
fn made(
    config: &Config,
    order: &str,
    wanted: &Wanted,
    want: &Want,
    context: &Context,
    state: &ObjectState,
) -> Plan {
    let Some(parcel) = Parcel::read(state) else {
        let what = "a fulfilment was looked at and cannot be read back";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::FROZEN, what));
    };
    let named = |step: &str, index: usize| match parcel.is_divided() {
        true => piece_name(step, index),
        false => step.to_owned(),
    };
    if wanted.stage == Stage::Cancelled {
        let standing = parcel.made().find(|(_, made)| !made.is_cancelled());
        return match standing {
            Some((index, made)) => {
                step(&named("cancel", index), &CANCEL_FULFILMENT, false, &json!({ "id": made.id }))
            }
            None => done(&parcel, state, None),
        };
    }
    if let Some((_, made)) = parcel.made().find(|(_, made)| made.is_cancelled()) {
        return cancelled_there(made);
    }
    let missing = parcel.missing(&want.lines);
    let is_tracked = |made: &Made| want.tracking.numbers.is_empty() || want.tracking.has(&made.numbers);
    let mut untracked = parcel.made().filter(|(_, made)| !is_tracked(made));
    if let Some((index, made)) = untracked.next() {
        let notify = want.notify && missing.is_empty() && untracked.next().is_none();
        let variables = json!({ "id": made.id, "tracking": tracking(want), "notify": notify });
        return step(&named("track", index), &TRACK_FULFILMENT, false, &variables);
    }
    if missing.is_empty() {
        let note = "somebody had recorded it in Shopify with the same tracking numbers: it was taken over";
        let note = Some(note.to_owned()).filter(|_| state.adopted);
        return done(&parcel, state, note.or_else(|| parcel.told()));
    }
    match rest(want, &parcel, &missing, &context.open) {
        Ok(allotments) => go_on(config, order, want, context, &parcel, &allotments),
        Err(short) => Plan::NotAllowed(begun(told(&short, context), &parcel)),
    }
}

fn done(parcel: &Parcel, state: &ObjectState, note: Option<String>) -> Plan {
    Plan::Done(Done { external: parcel.external(), note, unchanged: true, adopted: state.adopted })
}

fn step(name: &str, document: &Document, creates: bool, variables: &Value) -> Plan {
    Plan::Next(Step {
        name: name.to_owned(),
        creates,
        // Each but a create is absolute: a second one leaves the same.
        idempotent: document.name != CREATE_FULFILMENT.name,
        request: frozen(document, variables),
    })
}
