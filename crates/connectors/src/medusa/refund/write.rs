//! The calls by which a refund is taken off its order, frozen. Owns their paths and bodies.

use super::super::frozen::Frozen;
use super::super::order::number;
use super::super::sale::{Edit, Sale};
use super::super::write::{CONFIRM_EDIT, edit_path};
use super::Going;
use connector::outbound::segment;
use connector::port::{ExternalRef, Step};
use serde_json::{Value, json};

/// Begun twice is refused: an order has one open change.
pub(super) fn begin(order: &Sale, key: &str) -> Step {
    let body = json!({"order_id": order.id, "internal_note": key});
    let path = "/admin/order-edits".to_owned();
    let frozen = Frozen { object: None, ..Frozen::of_sale(path, &body, order) };
    frozen.named("edit", true, false)
}

/// The next line that says something else in the edit than it is to say. `None`: all of it is there.
pub(super) fn next_line(order: &Sale, edit: &Edit, going: &[Going<'_>], own: &ExternalRef) -> Option<Step> {
    let line = going.iter().find(|line| {
        let there = edit.items.iter().find(|item| item.id == line.item.id).map(|item| item.quantity);
        there.unwrap_or_default() != line.stays()
    })?;
    // Its name and its price, because a line of which nothing is left is no line of the order any more.
    let body = json!({
        "quantity": number(line.stays()),
        "unit_price": number(line.item.unit_price),
        "internal_note": line.item.line,
    });
    let path = edit_path(order, &format!("/items/item/{}", segment(&line.item.id)));
    Some(of_edit(order, path, &body, own.clone()).named("edit_line", false, true))
}

/// What was reserved for it is free.
pub(super) fn confirm(order: &Sale, own: ExternalRef) -> Step {
    of_edit(order, edit_path(order, "/confirm"), &json!({}), own).named(CONFIRM_EDIT, false, false)
}

/// As if it had not been begun.
pub(super) fn cancel(order: &Sale, own: ExternalRef) -> Step {
    let frozen = Frozen { deletes: true, ..of_edit(order, edit_path(order, ""), &Value::Null, own) };
    frozen.named("edit_cancel", false, false)
}

fn of_edit(order: &Sale, path: String, body: &Value, own: ExternalRef) -> Frozen {
    Frozen { object: Some(own), ..Frozen::of_sale(path, body, order) }
}
