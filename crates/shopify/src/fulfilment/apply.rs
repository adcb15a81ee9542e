//! One frozen call of a shipment. Owns what an answer has to show.

use super::code;
use super::seen::{Context, Made};
use crate::graphql::{
    CANCEL_FULFILMENT, CREATE_FULFILMENT, Claim, Document, NOTE_SHIPMENT, ShopClient, TRACK_FULFILMENT,
};
use connector::outbound::Access;
use connector::port::{Applied, CallContext, ExternalRef, Observation, Observed, Step};
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;

const OURS: [&Document; 4] = [&NOTE_SHIPMENT, &CREATE_FULFILMENT, &CANCEL_FULFILMENT, &TRACK_FULFILMENT];

/// Of a frozen call, if it is one of ours.
pub(super) fn document(step: &Step) -> Option<&'static Document> {
    let body: Value = serde_json::from_slice(&step.request).ok()?;
    let name = body.get("operationName")?.as_str()?;
    OURS.iter().find(|document| document.name == name).and_then(|document| Document::named(document.name))
}

pub(super) async fn apply(client: &ShopClient, call: &CallContext, step: &Step) -> Result<Applied, Fault> {
    let Some(document) = document(step) else {
        let what = format!("the frozen {} cannot be read back; nothing was sent", step.name);
        return Err(Fault::new(FaultKind::Bug, code::FROZEN, what));
    };
    let reply = client.send(call, Claim::LIVE, document, Access::Write, step.request.clone()).await?;
    // A note shows when the order is looked at again; the others answer with the fulfilment as it is now.
    let made = ["fulfillmentCreate", "fulfillmentCancel", "fulfillmentTrackingInfoUpdate"]
        .iter()
        .find_map(|field| reply.data.get(field)?.get("fulfillment"))
        .filter(|made| made.is_object());
    let Some(node) = made else { return Ok(Applied { external: None, observation: None }) };
    Ok(match Made::read(node) {
        Ok(made) => {
            let object = Observed::One(made.state(false));
            let observation = Observation { object, context: Context::unread().value(), missing: Vec::new() };
            Applied { external: Some(made.external()), observation: Some(observation) }
        }
        // It is there, and what it is like is looked at.
        Err(_) => {
            let id = node.get("id").and_then(Value::as_str).map(str::to_owned);
            let external = id.map(|id| ExternalRef { id, number: None, state: None });
            Applied { external, observation: None }
        }
    })
}
