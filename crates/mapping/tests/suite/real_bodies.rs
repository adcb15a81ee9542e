//! Every real order body that the order domain takes goes through both worked mappings, or is refused for a reason
//! that a person agrees with. What the order domain itself refuses is judged by its own test of the same name.
//!
//! The bodies are not part of this repository: `TIDEGATE_PAYLOADS` names the folder; without it the test is skipped.

use std::path::{Path, PathBuf};

use crate::worked::{adds_up_at_the_back_office, adds_up_in_medusa, adds_up_in_tryton, context, worked};
use domains::orders::{Order, from_graphql, from_rest, from_rest_value};
use serde_json::{Value, json};

/// What a mapping refuses: the file, code and field, and why a person agrees. The rest of such an order is tried with
/// the row that is missing.
const REFUSED: &[(&str, &str, &str, &str)] = &[(
    "orders__create/cop-draft-origin-1-2025.json",
    "TG-2103",
    "payment_term",
    "terms called \"Fixed\": a merchant says in the table what these are in the ERP, nobody guesses",
)];

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("TIDEGATE_PAYLOADS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/payloads"),
        PathBuf::from,
    );
    if !folder.is_dir() {
        println!("skipped: no payloads folder");
        return None;
    }
    Some(folder)
}

/// Every order that the domain takes, with the file that holds it: alone, in an envelope, in a page, as an answer.
fn orders(folder: &Path) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    let orders = found.iter().flat_map(|path| {
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        let raw = std::fs::read(path).unwrap();
        within(&raw).into_iter().map(move |order| (name.clone(), serde_json::to_value(&order).unwrap()))
    });
    orders.collect()
}

fn within(raw: &[u8]) -> Vec<Order> {
    let mut orders: Vec<Order> =
        [from_rest(raw).ok(), from_graphql(raw).ok()].into_iter().flatten().collect();
    let Ok(value) = serde_json::from_slice::<Value>(raw) else { return orders };
    let page = value.get("orders").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    let inner = page.iter().chain(value.get("body")).chain(value.get("payload"));
    orders.extend(inner.filter_map(|order| from_rest_value(order).ok()));
    orders
}

type AddsUp = fn(&str, &Value, &Value);

#[test]
fn each_real_order_goes_through_both_mappings_or_is_refused_for_a_reason() {
    let Some(folder) = folder() else { return };
    let orders = orders(&folder);
    assert!(orders.len() >= 38, "{} orders; where are the others?", orders.len());
    let checks: [(&str, AddsUp); 2] = [
        ("orders_to_http_erp.toml", adds_up_at_the_back_office),
        ("orders_to_tryton.toml", adds_up_in_tryton),
    ];
    for (file, adds_up) in checks {
        let (mapping, validator) = worked(file);
        for (name, order) in &orders {
            let mut order = order.clone();
            if let Some((_, code, field, why)) = REFUSED.iter().find(|(refused, ..)| refused == name) {
                let fault = mapping.run(&order, &context()).expect_err(name);
                assert_eq!((fault.code.as_str(), fault.target_path.as_str()), (*code, *field), "{name}");
                assert!(fault.value.is_some(), "{name}: {fault} does not say which value");
                println!("{file}: {name} refused: {fault} ({why})");
                order["payment_terms"]["name"] = json!("Net 30");
            }
            let body = mapping
                .run(&order, &context())
                .unwrap_or_else(|fault| panic!("{file}: {name}: {fault}"))
                .body;
            assert!(validator.is_valid(&body), "{file}: {name}: {:?}", validator.validate(&body));
            adds_up(name, &order, &body);
        }
        println!("{file}: {} orders, {} of them refused as they stand", orders.len(), REFUSED.len());
    }
}

/// No table and no code of the shop's: each goes through as it stands.
#[test]
fn each_real_order_becomes_an_order_of_medusa() {
    let Some(folder) = folder() else { return };
    let (mapping, validator) = worked("orders_to_medusa.toml");
    for (name, order) in &orders(&folder) {
        let body = mapping.run(order, &context()).unwrap_or_else(|fault| panic!("{name}: {fault}")).body;
        assert!(validator.is_valid(&body), "{name}: {:?}", validator.validate(&body));
        adds_up_in_medusa(name, order, &body);
    }
}
