//! `fulfillmentCreate`, `fulfillmentCancel` and `fulfillmentTrackingInfoUpdate`: their arguments and how they answer. The rules
//! are `fulfil`'s.

use super::{payload, plain_error};
use crate::shop::{Order, Tracking};
use crate::shopify::answer::{Answer, Arguments, Refusal, Request, Resolved};
use crate::shopify::fulfil::{self, Refused, Wanted};
use crate::shopify::nodes::{FulfilmentNode, id_of};
use serde_json::Value;
use std::sync::Arc;

const SCOPES: &[&str] = &[
    "write_assigned_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];

pub(super) fn create(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let input = args.get("fulfillment").cloned().unwrap_or_default();
    let parts = input.get("lineItemsByFulfillmentOrder").and_then(Value::as_array);
    let wanted = parts.into_iter().flatten().map(wanted).collect::<Result<Vec<_>, _>>()?;
    let tracking = tracking(input.get("trackingInfo").unwrap_or(&Value::Null))?;
    let made = fulfil::create(&request.shop, &wanted, &tracking);
    if let (Ok((_, id)), Some(true)) = (&made, input.get("notifyCustomer").and_then(Value::as_bool)) {
        request.shop.state().mails.push(*id);
    }
    answered("FulfillmentCreatePayload", made.map(|(order, id)| node(&order, id)))
}

pub(super) fn cancel(args: &Arguments, request: &Arc<Request>) -> Resolved {
    request.access.check_scope("fulfillmentCancel", SCOPES, "`write_merchant_managed_fulfillment_orders`")?;
    let id = id_of("Fulfillment", args.text("id").unwrap_or_default())?;
    let order = fulfil::cancel(&request.shop, id);
    answered("FulfillmentCancelPayload", order.map(|order| node(&order, id)))
}

pub(super) fn track(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = id_of("Fulfillment", args.text("fulfillmentId").unwrap_or_default())?;
    let tracking = tracking(args.get("trackingInfoInput").unwrap_or(&Value::Null))?;
    let order = fulfil::track(&request.shop, id, &tracking);
    if order.is_ok() && args.get("notifyCustomer").and_then(Value::as_bool) == Some(true) {
        request.shop.state().mails.push(id);
    }
    answered("FulfillmentTrackingInfoUpdatePayload", order.map(|order| node(&order, id)))
}

fn node(order: &Arc<Order>, id: u64) -> Option<Answer> {
    let index = order.fulfilments.iter().position(|one| one.id == id)?;
    Some(Answer::node(FulfilmentNode { order: order.clone(), index }))
}

fn answered(payload_type: &'static str, result: Result<Option<Answer>, Refused>) -> Resolved {
    match result {
        Ok(node) => payload(payload_type, "fulfillment", node, Vec::new()),
        Err(Refused { field, text }) => {
            payload(payload_type, "fulfillment", None, vec![plain_error(field, &text)])
        }
    }
}

fn wanted(input: &Value) -> Result<Wanted, Refusal> {
    let id = |value: &Value, kind: &str, name: &str| {
        id_of(kind, value.get(name).and_then(Value::as_str).unwrap_or_default())
    };
    let lines = input.get("fulfillmentOrderLineItems").and_then(Value::as_array);
    let line = |line: &Value| {
        let quantity = line.get("quantity").and_then(Value::as_i64).unwrap_or_default();
        Ok((id(line, "FulfillmentOrderLineItem", "id")?, quantity))
    };
    Ok(Wanted {
        fulfilment_order: id(input, "FulfillmentOrder", "fulfillmentOrderId")?,
        lines: lines.into_iter().flatten().map(line).collect::<Result<_, Refusal>>()?,
    })
}

/// One number or several, not both; the same of addresses.
fn tracking(input: &Value) -> Result<Tracking, Refusal> {
    let several = |one: &str, many: &str| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let single = input.get(one).and_then(text);
        let list: Option<Vec<String>> =
            input.get(many).and_then(Value::as_array).map(|list| list.iter().filter_map(text).collect());
        match (single, list) {
            (Some(_), Some(list)) if !list.is_empty() => {
                let text = format!("Only one of {one} and {many} may be given.");
                Err(Refusal::new("INVALID_FIELD_ARGUMENTS", text))
            }
            (Some(single), _) => Ok(vec![single]),
            (None, list) => Ok(list.unwrap_or_default()),
        }
    };
    Ok(Tracking {
        company: input.get("company").and_then(Value::as_str).map(str::to_owned),
        numbers: several("number", "numbers")?,
        urls: several("url", "urls")?,
    })
}
