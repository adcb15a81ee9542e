//! From what an order has to what was shipped of it: noted, then made; tracked otherwise, or taken back. Pure.

use super::code;
use super::config::{Config, KEY};
use super::seen::{Context, Made};
use super::want::{Want, is_place};
use crate::graphql::{
    CANCEL_FULFILMENT, CREATE_FULFILMENT, Document, NOTE_SHIPMENT, TRACK_FULFILMENT, frozen,
};
use crate::source::{order_gid, order_of};
use connector::port::{Done, ExternalRef, ObjectState, Observation, Observed, Plan, Stage, Step, Wanted};
use domains::shipments::{Allotment, Open, Short, allot};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

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
        Observed::One(state) => made(wanted, &want, state),
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

fn make(config: &Config, order: &str, want: &Want, context: &Context) -> Plan {
    if !context.has_order {
        return Plan::NotAllowed(no_order(order));
    }
    if want.lines.is_empty() {
        let what = "the mapping left no line of this shipment: mend it, or skip this";
        return refused(code::BODY, what, "lines");
    }
    let allotment = match allotted(want, &context.open) {
        Ok(allotment) => allotment,
        Err(short) => return Plan::NotAllowed(told(&short, context)),
    };
    if !context.notes.has(&want.shipment) {
        let notes = context.notes.with(&want.shipment, &context.made);
        let metafield = json!({
            "ownerId": order_gid(order),
            "namespace": config.namespace,
            "key": KEY,
            "type": "json",
            "value": notes.value(),
        });
        return step("note", &NOTE_SHIPMENT, false, &json!({ "metafields": [metafield] }));
    }
    step("create", &CREATE_FULFILMENT, true, &json!({ "fulfillment": input(want, &allotment) }))
}

fn input(want: &Want, allotment: &Allotment) -> Value {
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
    let mut input = json!({ "lineItemsByFulfillmentOrder": parts, "notifyCustomer": want.notify });
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

/// The fulfilment is there: it is to be taken back, or to be tracked by other numbers, or as it is to be.
fn made(wanted: &Wanted, want: &Want, state: &ObjectState) -> Plan {
    let Ok(made) = serde_json::from_value::<Made>(state.body.clone()) else {
        let what = "a fulfilment was looked at and cannot be read back";
        return Plan::NotAllowed(Fault::new(FaultKind::Bug, code::FROZEN, what));
    };
    let done = |note: Option<&str>| {
        Plan::Done(Done {
            external: state.external.clone(),
            note: note.map(str::to_owned),
            unchanged: true,
            adopted: state.adopted,
        })
    };
    match (wanted.stage == Stage::Cancelled, made.is_cancelled()) {
        (true, true) => done(None),
        (true, false) => step("cancel", &CANCEL_FULFILMENT, false, &json!({ "id": made.id })),
        (false, true) => {
            let what = format!(
                "{} was cancelled in Shopify, and its source says that it was shipped: cancel the shipment there and tell \
                 it anew under another number, or skip this",
                made.name
            );
            refused(code::CANCELLED_THERE, what, "shipment")
        }
        (false, false) if !want.tracking.numbers.is_empty() && !want.tracking.has(&made.numbers) => {
            let variables = json!({ "id": made.id, "tracking": tracking(want), "notify": want.notify });
            step("track", &TRACK_FULFILMENT, false, &variables)
        }
        (false, false) => {
            let note =
                "somebody had recorded it in Shopify with the same tracking numbers: it was taken over";
            done(Some(note).filter(|_| state.adopted))
        }
    }
}

/// What of the order's open units the shipment takes.
pub(super) fn allotted<'a>(want: &'a Want, open: &'a [Open]) -> Result<Allotment, Short> {
    let id = |wanted: &'a String| {
        let known = open.iter().find(|order| is_place(wanted, &order.place, &order.place_name));
        known.map_or(wanted.as_str(), |order| order.place.as_str())
    };
    let places: Vec<&str> = want.locations.iter().map(id).collect();
    allot(&want.lines(), &places, open)
}

fn told(short: &Short, context: &Context) -> Fault {
    let fault =
        |code: &str, what: String, field: &str| Fault::new(FaultKind::Rejected, code, what).field(field);
    match short {
        Short::UnknownSku { sku, similar } => {
            let near = similar.as_ref().map(|near| format!(" (it has {near:?})")).unwrap_or_default();
            let what = format!(
                "the order has no line with the SKU {sku:?}{near}: correct it at the source, whose newer state heals this"
            );
            fault(code::UNKNOWN_SKU, what, "sku")
        }
        Short::TooMany { sku, wanted, open, closed } => {
            let why = match (context.order_cancelled, closed) {
                (true, _) => " (the order is cancelled)".to_owned(),
                (false, Some(why)) => format!(" (its fulfilment order is {why})"),
                (false, None) => String::new(),
            };
            let what = format!(
                "{wanted} units of {sku:?} were shipped and {open} are open at the order{why}: they were recorded, refunded \
                 or edited away already; correct the shipment at its source, or skip this"
            );
            fault(code::TOO_MANY, what, "quantity")
        }
        Short::Elsewhere { sku, places } => {
            let what = format!(
                "{sku:?} is open at {}, and not where it was shipped from: move its fulfilment order to that location in \
                 Shopify and release this, or correct the location at the source",
                places.join(" and ")
            );
            fault(code::ELSEWHERE, what, "location")
        }
        Short::Spread { places } => {
            let what = format!(
                "no one location has all of it open, only {} together: a fulfilment leaves from one location, so tell a \
                 shipment for each, or move the fulfilment orders in Shopify and release this",
                places.join(" and ")
            );
            fault(code::ELSEWHERE, what, "location")
        }
        Short::Later { why } => Fault::new(
            FaultKind::Conflict,
            code::LATER,
            format!("the order's units may not leave yet: {why}"),
        ),
    }
}

fn no_order(order: &str) -> Fault {
    let what = format!(
        "Shopify shows no order {order}: it is another shop's, it was deleted, or it is older than 60 days and the app lacks \
         read_all_orders; this is released by itself as soon as it is there"
    );
    let fault = Fault::new(FaultKind::Rejected, "missing_order", what).field("order");
    fault.missing("order".to_owned(), order.to_owned())
}

fn step(name: &str, document: &Document, creates: bool, variables: &Value) -> Plan {
    Plan::Next(Step {
        name: name.to_owned(),
        creates,
        // Each but the create is absolute: a second one leaves the same.
        idempotent: !creates,
        request: frozen(document, variables),
    })
}

fn refused(code: &str, what: impl Into<String>, field: &str) -> Plan {
    Plan::NotAllowed(Fault::new(FaultKind::Rejected, code, what).field(field))
}
