//! One frozen call of a shipment. Owns what an answer has to show.

use super::code;
use crate::graphql::{
    CANCEL_FULFILMENT, CREATE_FULFILMENT, Claim, Document, NOTE_SHIPMENT, ShopClient, TRACK_FULFILMENT,
};
use connector::outbound::Access;
use connector::port::{Applied, CallContext, ExternalRef, Step};
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
    // What came of the others shows when it is looked at again.
    let made = reply.data.pointer("/fulfillmentCreate/fulfillment").filter(|made| made.is_object());
    let text = |name: &str| made?.get(name)?.as_str().map(str::to_owned);
    let external = text("id").map(|id| ExternalRef {
        id,
        number: text("name"),
        state: text("status").map(|status| status.to_ascii_lowercase()),
    });
    Ok(Applied { external, observation: None })
}
