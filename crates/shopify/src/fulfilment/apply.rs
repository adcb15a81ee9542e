//! One frozen call of a shipment. Owns what an answer has to show, and what a refusal means.

use super::code;
use super::note::{Note, Notes};
use super::parcel::Parcel;
use super::plan::piece_of;
use super::seen::{Context, Made, may_leave};
use super::want::has_same;
use crate::graphql::{
    CANCEL_FULFILMENT, CREATE_FULFILMENT, Claim, Deadline, Document, FULFILMENT_ORDER_LINES, NOTE_SHIPMENT,
    ShopClient, TRACK_FULFILMENT,
};
use connector::outbound::Access;
use connector::port::{Applied, CallContext, ExternalRef, Observation, Observed, Step};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

const OURS: [&Document; 4] = [&NOTE_SHIPMENT, &CREATE_FULFILMENT, &CANCEL_FULFILMENT, &TRACK_FULFILMENT];

/// Of a frozen call, if it is one of ours.
pub(super) fn document(step: &Step) -> Option<&'static Document> {
    let body: Value = serde_json::from_slice(&step.request).ok()?;
    let name = body.get("operationName")?.as_str()?;
    OURS.iter().find(|document| document.name == name).and_then(|document| Document::named(document.name))
}

/// Whether what was looked at shows that a frozen call was carried out. `None`: what is planned tells; so it is with a create that
/// is all of the parcel.
pub(super) fn shows(step: &Step, context: &Context, object: &Observed) -> Option<bool> {
    let body: Value = serde_json::from_slice(&step.request).ok()?;
    let name = body.get("operationName")?.as_str()?;
    if name == NOTE_SHIPMENT.name {
        let value = body.pointer("/variables/metafields/0/value").and_then(Value::as_str);
        let sent: Note = Notes::read(value).shipments.pop()?;
        return Some(context.notes.has(&sent));
    }
    let parcel = match object {
        Observed::One(state) => Parcel::read(state)?,
        Observed::None | Observed::Many(_) => return None,
    };
    if name == CREATE_FULFILMENT.name {
        let piece = parcel.pieces.get(piece_of(step)?)?;
        return Some(piece.made.is_some());
    }
    let id = body.pointer("/variables/id")?.as_str()?;
    let (_, made) = parcel.made().find(|(_, made)| made.id == id)?;
    if name == CANCEL_FULFILMENT.name {
        return Some(made.is_cancelled());
    }
    let numbers = body.pointer("/variables/tracking/numbers").and_then(Value::as_array);
    let numbers: Vec<String> =
        numbers.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(has_same(&numbers, &made.numbers))
}

pub(super) async fn apply(client: &ShopClient, call: &CallContext, step: &Step) -> Result<Applied, Fault> {
    let Some(document) = document(step) else {
        let what = format!("the frozen {} cannot be read back; nothing was sent", step.name);
        return Err(Fault::new(FaultKind::Bug, code::FROZEN, what));
    };
    let deadline = Deadline::new(client, call);
    let sent = client.send(call, Claim::LIVE, document, Access::Write, step.request.clone()).await;
    let reply = match sent {
        Err(refused) if refused.kind == FaultKind::Rejected && has_moved(client, &deadline, step).await => {
            let what = format!(
                "what was open of the order changed between the look and the call; it is looked at again. {}",
                refused.message
            );
            return Err(Fault::new(FaultKind::Conflict, code::MOVED, what));
        }
        sent => sent?,
    };
    // A note shows when the order is looked at again; the others answer with the fulfilment as it is now.
    let made = ["fulfillmentCreate", "fulfillmentCancel", "fulfillmentTrackingInfoUpdate"]
        .iter()
        .find_map(|field| reply.data.get(field)?.get("fulfillment"))
        .filter(|made| made.is_object());
    let nothing = Applied { external: None, observation: None };
    let Some(node) = made else { return Ok(nothing) };
    Ok(match (Made::read(node), piece_of(step)) {
        // It is known by its first piece.
        (_, Some(_)) if !step.creates => nothing,
        (Ok(made), piece) => {
            let parcel = Parcel::whole(made);
            let object = Observed::One(parcel.state(false));
            let observation = Observation { object, context: Context::unread().value(), missing: Vec::new() };
            // One piece is not the parcel: the others are looked at.
            Applied {
                external: Some(parcel.external()),
                observation: Some(observation).filter(|_| piece.is_none()),
            }
        }
        // It is there, and what it is like is looked at.
        (Err(_), _) => {
            let id = node.get("id").and_then(Value::as_str).map(str::to_owned);
            let external = id.map(|id| ExternalRef { id, number: None, state: None });
            Applied { external, observation: None }
        }
    })
}

/// Whether a create that was refused asks for units that may no longer leave: somebody held, shipped, refunded or moved them
/// meanwhile. Shopify gives its refusals no code, so it is asked and not read out of their text. Only reads, within the call's own
/// time.
async fn has_moved(client: &ShopClient, deadline: &Deadline, step: &Step) -> bool {
    let body: Value = serde_json::from_slice(&step.request).unwrap_or_default();
    let parts = body.pointer("/variables/fulfillment/lineItemsByFulfillmentOrder").and_then(Value::as_array);
    for part in parts.into_iter().flatten() {
        let variables = json!({ "id": part["fulfillmentOrderId"], "after": null });
        let Ok(reply) = client.ask_within(deadline, Claim::LIVE, &FULFILMENT_ORDER_LINES, &variables).await
        else {
            return false;
        };
        let order = &reply.data["fulfillmentOrder"];
        if !order.is_object() || may_leave(order).is_ok_and(|may_leave| !may_leave) {
            return true;
        }
        let asked = part["fulfillmentOrderLineItems"].as_array();
        let open = order["lineItems"]["nodes"].as_array();
        let is_short = |line: &Value| {
            let left = open.into_iter().flatten().find(|open| open["id"] == line["id"]);
            left.is_some_and(|left| left["remainingQuantity"].as_u64() < line["quantity"].as_u64())
        };
        if asked.into_iter().flatten().any(is_short) {
            return true;
        }
    }
    false
}
