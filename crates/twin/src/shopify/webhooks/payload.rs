//! The payload of one subscription: the fields that it includes, the metafields that it asks for, and protected
//! customer data taken out where the app is not approved for it.

use super::subscription::Wanted;
use crate::shop::{Metafield, Order, gid, whole_second};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The body as this subscription gets it, in bytes.
pub(super) fn shaped(
    wanted: &Wanted,
    approved: &BTreeSet<String>,
    order: Option<&Order>,
    body: &Value,
) -> Vec<u8> {
    let mut body = if wanted.include_fields.is_empty() {
        body.clone()
    } else {
        let paths: Vec<Vec<&str>> =
            wanted.include_fields.iter().map(|path| path.split('.').collect()).collect();
        included(body, &paths.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    if let (false, Some(order), Value::Object(fields)) =
        (wanted.metafield_namespaces.is_empty(), order, &mut body)
    {
        fields.insert("metafields".to_owned(), metafields(order, &wanted.metafield_namespaces));
    }
    redact(&mut body, approved, false);
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Only what lies on one of the paths; lists are looked into.
fn included(value: &Value, paths: &[&[&str]]) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| included(item, paths)).collect(),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, inner) in fields {
                let here: Vec<&[&str]> = paths
                    .iter()
                    .filter(|path| path.first() == Some(&name.as_str()))
                    .map(|path| &path[1..])
                    .collect();
                if here.iter().any(|rest| rest.is_empty()) {
                    kept.insert(name.clone(), inner.clone());
                } else if !here.is_empty() {
                    kept.insert(name.clone(), included(inner, &here));
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

fn metafields(order: &Order, namespaces: &[String]) -> Value {
    let wanted = order.metafields.iter().filter(|field| namespaces.contains(&field.namespace));
    wanted.map(|field| metafield(order, field)).collect()
}

fn metafield(order: &Order, field: &Metafield) -> Value {
    json!({
        "id": field.id,
        "namespace": field.namespace,
        "key": field.key,
        "value": field.value,
        "type": field.kind,
        "description": null,
        "owner_id": order.id,
        "owner_resource": "order",
        "created_at": whole_second(field.created_at).to_string(),
        "updated_at": whole_second(field.updated_at).to_string(),
        "admin_graphql_api_id": gid("Metafield", field.id),
    })
}

/// Keys of personal data, and the approval that each needs. Inside an address or a customer only.
const PERSONAL: [(&str, &str); 14] = [
    ("first_name", "name"),
    ("last_name", "name"),
    ("name", "name"),
    ("email", "email"),
    ("contact_email", "email"),
    ("phone", "phone"),
    ("address1", "address"),
    ("address2", "address"),
    ("zip", "address"),
    ("latitude", "address"),
    ("longitude", "address"),
    ("company", "name"),
    ("verified_email", "email"),
    ("browser_ip", "address"),
];

fn redact(value: &mut Value, approved: &BTreeSet<String>, personal: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, approved, personal)),
        Value::Object(fields) => {
            for (name, inner) in fields {
                let top = !personal && ["email", "contact_email", "phone"].contains(&name.as_str());
                let needs = PERSONAL.iter().find(|(key, _)| key == name).map(|(_, needs)| *needs);
                if (personal || top) && needs.is_some_and(|needs| !approved.contains(needs)) {
                    *inner = Value::Null;
                } else {
                    let person = ["customer", "billing_address", "shipping_address", "default_address"];
                    redact(inner, approved, personal || person.contains(&name.as_str()));
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approved(what: &[&str]) -> BTreeSet<String> {
        what.iter().map(|what| (*what).to_owned()).collect()
    }

    #[test]
    fn include_fields_keep_what_is_named_and_look_into_lists() {
        let body = json!({ "id": 1, "note": "x", "line_items": [{ "sku": "A", "price": "1" }], "customer": { "id": 2 } });
        let wanted = Wanted {
            include_fields: ["id", "line_items.sku", "missing"].map(str::to_owned).into(),
            ..Wanted::default()
        };
        let shaped: Value = serde_json::from_slice(&shaped(&wanted, &approved(&[]), None, &body)).unwrap();
        assert_eq!(shaped, json!({ "id": 1, "line_items": [{ "sku": "A" }] }));
    }

    #[test]
    fn protected_data_is_null_without_approval_and_nothing_else_is() {
        let body = json!({
            "name": "#1001", "email": "a@example.com", "line_items": [{ "name": "Chair" }],
            "customer": { "id": 2, "first_name": "Ada", "default_address": { "zip": "1", "city": "X" } },
        });
        let without: Value =
            serde_json::from_slice(&shaped(&Wanted::default(), &approved(&["name"]), None, &body)).unwrap();
        assert_eq!(
            without,
            json!({
                "name": "#1001", "email": null, "line_items": [{ "name": "Chair" }],
                "customer": { "id": 2, "first_name": "Ada", "default_address": { "zip": null, "city": "X" } },
            })
        );
    }
}
