//! `fulfillmentOrderHold` and `fulfillmentOrderReleaseHold`: their arguments and how they answer. The rules are
//! `fulfil::holds`'s.

use crate::shopify::answer::{Answer, Arguments, Record, Refusal, Request, Resolved};
use crate::shopify::fulfil::holds::{self, Hold, Refused};
use crate::shopify::nodes::{FulfilmentOrderNode, by_app, id_of, user_error};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn hold(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = id_of("FulfillmentOrder", args.text("id").unwrap_or_default())?;
    let input = args.get("fulfillmentHold").cloned().unwrap_or_default();
    let text = |name: &str| input.get(name).and_then(Value::as_str).map(str::to_owned);
    if input.get("fulfillmentOrderLineItems").and_then(Value::as_array).is_some_and(|some| !some.is_empty()) {
        return Err(Refusal::not_modelled(
            "fulfillmentOrderHold of some lines, which splits the fulfilment order",
        ));
    }
    let wanted = Hold {
        id: 0,
        handle: text("handle").unwrap_or_default(),
        reason: text("reason").unwrap_or_default(),
        notes: text("reasonNotes"),
    };
    let held = holds::hold(&request.shop, id, &wanted);
    let placed = held.as_ref().ok().map(|hold_id| Answer::node(by_app(&Hold { id: *hold_id, ..wanted })));
    let record = Record::new("FulfillmentOrderHoldPayload")
        .answer("fulfillmentHold", placed.unwrap_or(Answer::Leaf(Value::Null)))
        .answer("remainingFulfillmentOrder", Answer::Leaf(Value::Null));
    answered(record, request, id, held.map(drop), "FulfillmentOrderHoldUserError")
}

pub(super) fn release(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = id_of("FulfillmentOrder", args.text("id").unwrap_or_default())?;
    let named = args.texts("holdIds").filter(|named| !named.is_empty());
    let named: Option<Vec<u64>> = named
        .map(|named| named.iter().map(|id| id_of("FulfillmentHold", id)).collect::<Result<_, _>>())
        .transpose()?;
    let released = holds::release(&request.shop, id, named.as_deref());
    let record = Record::new("FulfillmentOrderReleaseHoldPayload");
    answered(record, request, id, released, "FulfillmentOrderReleaseHoldUserError")
}

fn answered(
    record: Record,
    request: &Arc<Request>,
    id: u64,
    result: Result<(), Refused>,
    error_type: &'static str,
) -> Resolved {
    let (node, errors) = match result {
        Ok(()) => (FulfilmentOrderNode::find(request, id).map(Answer::node), Vec::new()),
        Err(Refused { code, field, text }) => {
            let field = field.iter().map(|part| (*part).to_owned()).collect();
            (None, vec![user_error(error_type, code, Some(field), &text)])
        }
    };
    let node = node.unwrap_or(Answer::Leaf(Value::Null));
    Ok(Answer::node(record.answer("fulfillmentOrder", node).answer("userErrors", Answer::List(errors))))
}
