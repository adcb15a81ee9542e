//! Writes to an order: `tagsAdd`, `tagsRemove`, `orderUpdate`.

use super::{payload, plain_error};
use crate::shop::{Address, Order};
use crate::shopify::answer::{Answer, Arguments, Refusal, Request, Resolved};
use crate::shopify::nodes::{OrderNode, global_id, id_of};
use serde_json::Value;
use std::sync::Arc;

const TAGS_MAX: usize = 250;

#[derive(Clone, Copy)]
pub(super) enum TagChange {
    Add,
    Remove,
}

pub(super) fn tags(args: &Arguments, request: &Arc<Request>, change: TagChange) -> Resolved {
    let (field, type_name) = match change {
        TagChange::Add => ("tagsAdd", "TagsAddPayload"),
        TagChange::Remove => ("tagsRemove", "TagsRemovePayload"),
    };
    let (kind, id) = global_id(args.text("id").unwrap_or_default())?;
    if kind != "Order" {
        return Err(Refusal::not_modelled(format_args!("{field} on {kind}")));
    }
    request.access.check_scope(field, &["write_orders"], "`write_orders` access scope.")?;
    if !request.shop.state().orders.contains_key(&id) {
        return payload(type_name, "node", None, vec![plain_error(Some(&["id"]), "Order does not exist")]);
    }
    let tags: Vec<String> =
        args.texts("tags").unwrap_or_default().iter().map(|tag| tag.trim().to_owned()).collect();
    if let Some(long) = tags.iter().find(|tag| tag.chars().count() > 40) {
        let text = format!("Tag {long} is too long (maximum is 40 characters)");
        return payload(type_name, "node", None, vec![plain_error(Some(&["tags"]), &text)]);
    }
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    write(request, id, |order| match change {
        TagChange::Remove => order.tags.retain(|known| !tags.iter().any(|tag| same(tag, known))),
        TagChange::Add => {
            for tag in tags.iter().filter(|tag| !tag.is_empty()) {
                if !order.tags.iter().any(|known| same(known, tag)) && order.tags.len() < TAGS_MAX {
                    order.tags.push(tag.clone());
                }
            }
            order.tags.sort();
        }
    })
    .and_then(|node| payload(type_name, "node", Some(node), Vec::new()))
}

fn write(request: &Request, id: u64, change: impl FnOnce(&mut Order)) -> Result<Answer, Refusal> {
    let shop = &request.shop;
    let order = shop.update(id, shop.now(), change);
    let order = order.map_err(|error| Refusal::new("INTERNAL_SERVER_ERROR", error.to_string()))?;
    Ok(Answer::node(OrderNode::new(order)))
}

pub(super) fn update(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let input = args.get("input").and_then(Value::as_object).cloned().unwrap_or_default();
    for feature in ["localizationExtensions", "localizedFields", "metafields"] {
        if input.get(feature).is_some_and(|value| !value.is_null()) {
            return Err(Refusal::not_modelled(format_args!("orderUpdate with {feature}")));
        }
    }
    let id = id_of("Order", input.get("id").and_then(Value::as_str).unwrap_or_default())?;
    let Some(known) = request.shop.state().orders.get(&id).cloned() else {
        let error = plain_error(Some(&["id"]), "Order does not exist");
        return payload("OrderUpdatePayload", "order", None, vec![error]);
    };
    let text = |name: &str| input.get(name).map(|value| value.as_str().map(str::to_owned));
    if text("poNumber").flatten().is_some_and(|number| number.chars().count() > 255) {
        let error = plain_error(Some(&["poNumber"]), "PO number is too long (maximum is 255 characters)");
        let node = Answer::node(OrderNode::new(known));
        return payload("OrderUpdatePayload", "order", Some(node), vec![error]);
    }
    write(request, id, |order| {
        let set = |slot: &mut Option<String>, name: &str| {
            if let Some(value) = text(name) {
                *slot = value;
            }
        };
        set(&mut order.note, "note");
        set(&mut order.email, "email");
        set(&mut order.phone, "phone");
        set(&mut order.po_number, "poNumber");
        if let Some(tags) = input.get("tags").and_then(Value::as_array) {
            order.tags =
                tags.iter().filter_map(|tag| tag.as_str().map(|tag| tag.trim().to_owned())).collect();
            order.tags.sort();
        }
        if let Some(attributes) = input.get("customAttributes").and_then(Value::as_array) {
            order.note_attributes = attributes.iter().map(attribute).collect();
        }
        if let Some(address) = input.get("shippingAddress").filter(|address| !address.is_null()) {
            order.shipping_address =
                Some(changed(order.shipping_address.clone().unwrap_or_default(), address));
        }
    })
    .and_then(|node| payload("OrderUpdatePayload", "order", Some(node), Vec::new()))
}

fn attribute(input: &Value) -> (String, String) {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("key"), text("value"))
}

/// Only what the input names.
fn changed(mut address: Address, input: &Value) -> Address {
    let parts: [(&str, &mut Option<String>); 12] = [
        ("address1", &mut address.address1),
        ("address2", &mut address.address2),
        ("city", &mut address.city),
        ("company", &mut address.company),
        ("country", &mut address.country),
        ("countryCode", &mut address.country_code),
        ("firstName", &mut address.first_name),
        ("lastName", &mut address.last_name),
        ("phone", &mut address.phone),
        ("province", &mut address.province),
        ("provinceCode", &mut address.province_code),
        ("zip", &mut address.zip),
    ];
    for (name, slot) in parts {
        if let Some(value) = input.get(name) {
            *slot = value.as_str().map(str::to_owned);
        }
    }
    address
}
