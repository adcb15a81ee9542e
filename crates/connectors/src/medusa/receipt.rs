//! The calls by which a return is begun, asked for and received, frozen. Owns their paths and bodies. None of them has a key, and
//! asking for units twice asks for twice as many: each is made once what was done is read.

use super::came_back::{Return, Units};
use super::frozen::Frozen;
use super::order::number;
use super::sale::{KEY, Sale};
use connector::outbound::segment;
use connector::port::{ExternalRef, Step};
use serde_json::{Value, json};

/// Begun twice is refused: an order has one open change. `external`: what stands for the refund already.
pub(super) fn open(order: &Sale, key: &str, location: &str, external: Option<ExternalRef>) -> Step {
    let body =
        json!({"order_id": order.id, "location_id": location, "internal_note": key, "metadata": {KEY: key}});
    let frozen = Frozen { object: external, ..Frozen::of_sale("/admin/returns".to_owned(), &body, order) };
    frozen.named("return", true, false)
}

/// What is to come back.
pub(super) fn name_units(order: &Sale, own: &Return, units: &Units, external: ExternalRef) -> Step {
    call("return_lines", order, own, "/request-items", &items(order, units), external)
}

/// It stands for good.
pub(super) fn ask(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    call("return_confirm", order, own, "/request", &json!({}), external)
}

/// As if it had not been begun.
pub(super) fn call_off(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    delete("return_drop", order, own, "/request", external)
}

/// It was asked for, and nothing of it was received.
pub(super) fn cancel(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    call("return_cancel", order, own, "/cancel", &json!({}), external)
}

/// It is received from now on.
pub(super) fn begin(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    call("receipt", order, own, "/receive", &json!({"internal_note": own.name}), external)
}

/// All that was not received yet.
pub(super) fn lay(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    call("receipt_lines", order, own, "/receive-items", &items(order, &own.rest()), external)
}

/// It lies on the shelf.
pub(super) fn confirm(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    call("receipt_confirm", order, own, "/receive/confirm", &json!({}), external)
}

/// As if it had not been begun to be received.
pub(super) fn end(order: &Sale, own: &Return, external: ExternalRef) -> Step {
    delete("receipt_drop", order, own, "/receive", external)
}

fn items(order: &Sale, units: &Units) -> Value {
    let name = |id: &str| order.items.iter().find(|item| item.id == id).and_then(|item| item.line.as_deref());
    let item =
        |(id, units): (&String, _)| json!({"id": id, "quantity": number(units), "internal_note": name(id)});
    json!({"items": units.iter().map(|(id, units)| item((id, *units))).collect::<Vec<_>>()})
}

fn path(own: &Return, rest: &str) -> String {
    format!("/admin/returns/{}{rest}", segment(&own.id))
}

fn call(name: &str, order: &Sale, own: &Return, rest: &str, body: &Value, external: ExternalRef) -> Step {
    let frozen = Frozen { object: Some(external), ..Frozen::of_sale(path(own, rest), body, order) };
    frozen.named(name, false, false)
}

fn delete(name: &str, order: &Sale, own: &Return, rest: &str, external: ExternalRef) -> Step {
    let frozen = Frozen::of_sale(path(own, rest), &Value::Null, order);
    Frozen { object: Some(external), deletes: true, ..frozen }.named(name, false, false)
}
