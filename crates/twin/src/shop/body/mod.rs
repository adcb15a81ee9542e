//! The REST bodies that webhooks carry, API version 2026-10: the order itself, and the refund, transaction, fulfilment
//! and order edit of their own topics.
//!
//! Spelling is the real thing's: money as strings, refund lines' sums as JSON numbers, dates with the shop's offset,
//! absent things as null. Nothing is left out because a reader would not need it.

mod order;
mod parts;
mod refund;
mod write;

pub use order::webhook_body;
pub use refund::{fulfilment_body, refund_body, transaction_body};

use serde_json::{Value, json};

use super::order::Order;

/// `orders/delete`: nothing but the id.
pub fn deleted_body(order: &Order) -> Value {
    json!({ "id": order.id })
}

/// `orders/edited`: which lines came and went, not the order. `lines` holds line id and the change in quantity.
pub fn edited_body(order: &Order, edit_id: u64, lines: &[(u64, i64)]) -> Value {
    let side = |wanted: fn(i64) -> bool| -> Vec<Value> {
        lines
            .iter()
            .filter(|(_, delta)| wanted(*delta))
            .map(|(id, delta)| json!({ "id": id, "delta": delta.unsigned_abs() }))
            .collect()
    };
    let at = write::date(order, order.updated_at);
    json!({ "order_edit": {
        "id": edit_id,
        "app_id": null,
        "order_id": order.id,
        "created_at": at,
        "committed_at": at,
        "notify_customer": false,
        "staff_note": "",
        "user_id": null,
        "discounts": { "line_item": { "additions": [], "removals": [] } },
        "line_items": { "additions": side(|delta| delta > 0), "removals": side(|delta| delta < 0) },
        "shipping_lines": { "additions": [], "removals": [] },
    }})
}
