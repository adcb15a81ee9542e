//! `metafieldsSet`: up to 25 at a time, all or none, with compare-and-set by `compareDigest`.
//!
//! On an order it is a change of the order: `updated_at` moves and `orders/updated` goes out.

use super::payload;
use crate::shop::{Change, Metafield, What};
use crate::shopify::answer::{Answer, Arguments, Refusal, Request, Resolved};
use crate::shopify::nodes::{MetafieldNode, OwnerNode, digest, user_error};
use serde_json::Value;
use std::sync::Arc;

const AT_ONCE_MAX: usize = 25;

const ACCESS: &str = "the same access level needed to mutate the owner resource. For instance, if you want to set a \
                      metafield on a product, you need the same permissions as you would need to mutate a product.";

/// One of the inputs, judged.
struct Write {
    owner: OwnerNode,
    owner_id: String,
    namespace: String,
    key: String,
    kind: String,
    value: String,
}

pub(super) fn set(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let inputs = args.get("metafields").and_then(Value::as_array).cloned().unwrap_or_default();
    if inputs.len() > AT_ONCE_MAX {
        let text = "Exceeded the maximum metafields input limit of 25.";
        let error = user_error(
            "MetafieldsSetUserError",
            Some("LESS_THAN_OR_EQUAL_TO"),
            Some(vec!["metafields".to_owned()]),
            text,
        );
        return refused(vec![error]);
    }
    let mut writes = Vec::new();
    let mut errors = Vec::new();
    for (index, input) in inputs.iter().enumerate() {
        match judge(request, input)? {
            Ok(write) => writes.push(write),
            Err(Fault { code, part, text }) => {
                let field =
                    ["metafields".to_owned(), index.to_string()].into_iter().chain(part.map(str::to_owned));
                errors.push(user_error("MetafieldsSetUserError", Some(code), Some(field.collect()), &text));
            }
        }
    }
    if !errors.is_empty() {
        return refused(errors);
    }
    let set: Result<Vec<_>, _> = writes.into_iter().map(|write| apply(request, write)).collect();
    let nodes = set?.into_iter().map(Answer::node).collect();
    payload("MetafieldsSetPayload", "metafields", Some(Answer::List(nodes)), Vec::new())
}

fn refused(errors: Vec<Answer>) -> Resolved {
    payload("MetafieldsSetPayload", "metafields", None, errors)
}

struct Fault {
    code: &'static str,
    part: Option<&'static str>,
    text: String,
}

fn fault<T>(code: &'static str, part: Option<&'static str>, text: &str) -> Result<Result<T, Fault>, Refusal> {
    Ok(Err(Fault { code, part, text: text.to_owned() }))
}

/// The outer error refuses the whole field (no access); the inner one is a `userError`.
fn judge(request: &Request, input: &Value) -> Result<Result<Write, Fault>, Refusal> {
    let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let owner_id = text("ownerId");
    let Some(owner) = OwnerNode::find(request, &owner_id)? else {
        return fault("INVALID_VALUE", Some("ownerId"), "Owner does not exist.");
    };
    if !owner.write_scopes().is_empty() {
        request.access.check_scope("metafieldsSet", owner.write_scopes(), ACCESS)?;
    }
    let namespace = input.get("namespace").and_then(Value::as_str).unwrap_or("custom").to_owned();
    let (key, value) = (text("key"), text("value"));
    let known = current(request, &owner, &owner_id, &namespace, &key);
    let kind = match input.get("type").and_then(Value::as_str) {
        Some(kind) => kind.to_owned(),
        None => known.as_ref().map(|field| field.kind.clone()).unwrap_or_default(),
    };
    let length = |count: usize| count.to_string();
    match (namespace.len(), key.len()) {
        (..3, _) => {
            return fault("TOO_SHORT", Some("namespace"), "Namespace is too short (minimum is 3 characters)");
        }
        (256.., _) => {
            return fault("TOO_LONG", Some("namespace"), "Namespace is too long (maximum is 255 characters)");
        }
        (_, ..2) => return fault("TOO_SHORT", Some("key"), "Key is too short (minimum is 2 characters)"),
        (_, 65..) => {
            return fault(
                "TOO_LONG",
                Some("key"),
                &format!("Key is too long (maximum is {} characters)", length(64)),
            );
        }
        _ => {}
    }
    if ["protected", "shopify_standard", "shopify-l10n-fields"].contains(&namespace.as_str()) {
        return fault(
            "INVALID_VALUE",
            Some("namespace"),
            &format!("Namespace {namespace} is a reserved namespace"),
        );
    }
    if kind.is_empty() {
        return fault("BLANK", Some("type"), "Type can't be blank");
    }
    if let Some(wrong) = wrong_value(&kind, &value) {
        return fault("INVALID_VALUE", Some("value"), &wrong);
    }
    match (input.get("compareDigest"), known.as_ref().map(digest)) {
        // Absent: whatever is there. Null: nothing may be there.
        (None, _) | (Some(Value::Null), None) => {}
        (Some(Value::String(expected)), Some(found)) if *expected == found => {}
        _ => {
            return fault(
                "STALE_OBJECT",
                None,
                "The resource has been updated since it was loaded. Try again with an updated `compareDigest` value.",
            );
        }
    }
    Ok(Ok(Write { owner, owner_id, namespace, key, kind, value }))
}

fn wrong_value(kind: &str, value: &str) -> Option<String> {
    let wrong = match kind {
        _ if value.is_empty() => "Value can't be blank.".to_owned(),
        "single_line_text_field" if value.contains('\n') => {
            "Value must be a single line text string.".to_owned()
        }
        "single_line_text_field" | "multi_line_text_field" | "id" | "url" => return None,
        "number_integer" if value.parse::<i64>().is_err() => "Value must be an integer.".to_owned(),
        "boolean" if value != "true" && value != "false" => "Value must be true or false.".to_owned(),
        "date" if value.parse::<jiff::civil::Date>().is_err() => {
            "Value must be in YYYY-MM-DD format.".to_owned()
        }
        "number_decimal" if value.parse::<rust_decimal::Decimal>().is_err() => {
            "Value must be a decimal.".to_owned()
        }
        "date_time"
            if value.parse::<jiff::Timestamp>().is_err()
                && value.parse::<jiff::civil::DateTime>().is_err() =>
        {
            "Value must be in “YYYY-MM-DDTHH:MM:SS” format. For example: 2022-06-01T15:30:00".to_owned()
        }
        "json" => match serde_json::from_str::<Value>(value) {
            Err(error) => format!("Value is invalid JSON: {error}."),
            Ok(_) => return None,
        },
        "number_integer" | "number_decimal" | "boolean" | "date" | "date_time" => return None,
        other => format!("Type {other} is not one that the look-alike models."),
    };
    Some(wrong)
}

fn current(
    request: &Request,
    owner: &OwnerNode,
    owner_id: &str,
    namespace: &str,
    key: &str,
) -> Option<Metafield> {
    let state = request.shop.state();
    if let OwnerNode::Order(id) = owner {
        return state.orders.get(id).and_then(|order| order.metafield(namespace, key)).cloned();
    }
    let all = state.metafields.get(owner_id)?;
    all.iter().find(|field| field.namespace == namespace && field.key == key).cloned()
}

fn apply(request: &Request, write: Write) -> Result<MetafieldNode, Refusal> {
    let Write { owner, owner_id, namespace, key, kind, value } = write;
    let internal = |text: String| Refusal::new("INTERNAL_SERVER_ERROR", text);
    let (shop, at) = (&request.shop, request.shop.now());
    if let OwnerNode::Order(order_id) = owner {
        let what = What::SetMetafield { namespace: namespace.clone(), key: key.clone(), kind, value };
        let order =
            shop.apply(&Change { order_id, what }, at).map_err(|error| internal(error.to_string()))?;
        let field = order
            .metafield(&namespace, &key)
            .cloned()
            .ok_or_else(|| internal("it was just set".to_owned()))?;
        return Ok(MetafieldNode { owner: owner_id, field });
    }
    let mut state = shop.state();
    let id = state.next_id();
    let all = state.metafields.entry(owner_id.clone()).or_default();
    let fresh = Metafield { id, namespace, key, kind, value, created_at: at, updated_at: at };
    let field =
        match all.iter_mut().find(|known| known.namespace == fresh.namespace && known.key == fresh.key) {
            Some(known) => {
                *known = Metafield { id: known.id, created_at: known.created_at, ..fresh };
                known.clone()
            }
            None => {
                all.push(fresh.clone());
                fresh
            }
        };
    Ok(MetafieldNode { owner: owner_id, field })
}
