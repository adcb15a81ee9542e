//! The calls that change something in Medusa, frozen. Owns their paths and bodies.

use super::compare::{self, billing};
use super::config::Config;
use super::frozen::Frozen;
use super::observe::Context;
use super::order::{Line, Order, number};
use super::sale::{EDIT_NOTE, Edit, Item, KEY, Sale};
use super::taken::Excess;
use connector::outbound::segment;
use connector::port::{ExternalRef, Step, Wanted};
use serde_json::{Map, Value, json};

/// The step that ends an edit.
pub(super) const CONFIRM_EDIT: &str = "edit_confirm";

fn order_path(sale: &Sale, rest: &str) -> String {
    format!("/admin/orders/{}{rest}", segment(&sale.id))
}

pub(super) fn edit_path(sale: &Sale, rest: &str) -> String {
    format!("/admin/order-edits/{}{rest}", segment(&sale.id))
}

/// A draft: nothing is reserved yet.
pub(super) fn create(config: &Config, wanted: &Wanted, order: &Order, context: &Context) -> Step {
    let key = wanted.object_key.as_str();
    let line = |line: &Line| {
        let mut item = thing(line, context);
        item.insert("quantity".to_owned(), number(line.quantity).unwrap_or_default());
        // As text: exact, whatever its digits.
        item.insert("unit_price".to_owned(), json!(line.unit_price.normalize().to_string()));
        Value::Object(item)
    };
    let method = |name: &str, amount: String| json!({"name": name, "shipping_option_id": config.shipping_option, "amount": amount});
    let mut methods: Vec<Value> =
        order.shipping.iter().map(|one| method(&one.name, one.amount.normalize().to_string())).collect();
    if methods.is_empty() {
        // An order without a way to ship cannot be fulfilled: Medusa answers 500 to that.
        methods.push(method("No shipping", "0".to_owned()));
    }
    let mut metadata = json!({KEY: key, "shopify_shop": wanted.subject.shop.as_str()});
    if let Some((_, number)) = wanted.subject.path.split_once(':') {
        metadata["shopify_order_id"] = json!(number);
    }
    if let Some(number) = &order.order_number {
        metadata["shopify_order_number"] = json!(number);
    }
    let mut body = json!({
        "region_id": config.region,
        "sales_channel_id": config.sales_channel,
        "currency_code": order.currency(),
        "billing_address": billing(order, key),
        "items": order.lines.iter().map(line).collect::<Vec<_>>(),
        "shipping_methods": methods,
        "metadata": metadata,
        // Who bought hears of it from the shop.
        "no_notification_order": true,
    });
    if let Some(email) = &order.email {
        body["email"] = json!(email);
    }
    if let Some(address) = &order.shipping_address {
        body["shipping_address"] = json!(address.written());
    }
    Frozen::step("create", "/admin/draft-orders".to_owned(), &body, None, false)
}

/// The draft becomes an order, and reserves. Twice is refused.
pub(super) fn convert(sale: &Sale) -> Step {
    let path = format!("/admin/draft-orders/{}/convert-to-order", segment(&sale.id));
    Frozen::step("convert", path, &json!({}), Some(sale), false)
}

/// What it had reserved is free again.
pub(super) fn cancel(sale: &Sale) -> Step {
    Frozen::step("cancel", order_path(sale, "/cancel"), &json!({}), Some(sale), false)
}

/// Whom and where; absolute.
pub(super) fn amend(order: &Order, key: &str, sale: &Sale) -> Step {
    let mut body = json!({"billing_address": billing(order, key)});
    if let Some(email) = &order.email {
        body["email"] = json!(email);
    }
    if let Some(address) = &order.shipping_address {
        body["shipping_address"] = json!(address.written());
    }
    Frozen::step("amend", order_path(sale, ""), &body, Some(sale), true)
}

/// The next call by which the lines become what is wanted: an edit is begun, each line is changed in it, and it is confirmed. What
/// is reserved follows at the last one.
pub(super) fn edit(order: &Order, context: &Context, sale: &Sale) -> Step {
    let Some(edit) = &sale.edit else {
        let body = json!({"order_id": sale.id, "internal_note": EDIT_NOTE});
        return Frozen::step("edit", "/admin/order-edits".to_owned(), &body, Some(sale), false);
    };
    next_line(order, context, sale, edit).unwrap_or_else(|| {
        Frozen::step(CONFIRM_EDIT, edit_path(sale, "/confirm"), &json!({}), Some(sale), false)
    })
}

fn next_line(order: &Order, context: &Context, sale: &Sale, edit: &Edit) -> Option<Step> {
    for line in &order.lines {
        match edit.items.iter().find(|item| compare::is(item, line)) {
            None => return Some(add(line, context, sale)),
            Some(item) if item.quantity != line.quantity || item.unit_price != line.unit_price => {
                let body = json!({"quantity": number(line.quantity), "unit_price": number(line.unit_price)});
                return Some(set(sale, item, &body));
            }
            Some(_) => {}
        }
    }
    let gone = edit.items.iter().find(|item| !order.lines.iter().any(|line| compare::is(item, line)))?;
    Some(set(sale, gone, &json!({"quantity": 0})))
}

/// What of it left is not reserved any more.
pub(super) fn unreserve(sale: &Sale, excess: &Excess) -> Step {
    unreserve_of(sale, excess, sale.external())
}

/// The same, for an edit of the order. Absolute.
pub(super) fn unreserve_of(sale: &Sale, excess: &Excess, object: ExternalRef) -> Step {
    let path = format!("/admin/reservations/{}", segment(&excess.reservation));
    let body = json!({"quantity": number(excess.open)});
    let deletes = excess.open.is_zero();
    let frozen = Frozen { object: Some(object), deletes, ..Frozen::of_sale(path, &body, sale) };
    frozen.named("unreserve", false, true)
}

/// Absolute: twice leaves the same.
fn set(sale: &Sale, item: &Item, body: &Value) -> Step {
    let path = edit_path(sale, &format!("/items/item/{}", segment(&item.id)));
    Frozen::step("edit_line", path, body, Some(sale), true)
}

fn add(line: &Line, context: &Context, sale: &Sale) -> Step {
    let mut item = thing(line, context);
    item.insert("quantity".to_owned(), number(line.quantity).unwrap_or_default());
    item.insert("unit_price".to_owned(), number(line.unit_price).unwrap_or_default());
    let body = json!({"items": [item]});
    Frozen::step("edit_add", edit_path(sale, "/items"), &body, Some(sale), false)
}

/// What is sold, and our name of the line.
fn thing(line: &Line, context: &Context) -> Map<String, Value> {
    let mut item = Map::new();
    match line.sku().and_then(|sku| context.variants.get(sku)) {
        Some(variant) => item.insert("variant_id".to_owned(), json!(variant)),
        None => item.insert("title".to_owned(), json!(line.title)),
    };
    item.insert("metadata".to_owned(), json!({"line": line.line}));
    item
}
