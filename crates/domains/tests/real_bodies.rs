//! Every real order body that we could collect passes, or is refused for a reason that a person agrees with.
//!
//! The bodies are not part of this repository. Point `TIDEGATE_PAYLOADS` at the folder; without it the test says
//! that it was skipped.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_domains::json::{REMOVED, parse, strip};
use tidegate_domains::orders::{
    BodyCode, Order, canonical_bytes, digest, from_graphql, from_rest, from_rest_value, identify,
};

/// Order bodies that are refused: the file, what the fault must say, and why a person agrees.
const REFUSED: &[(&str, &str, &str)] = &[
    (
        "orders__create/docs-rest-2026-07-order-14.json",
        "$.subtotal_price: subtotal_price says 597.00 USD, but the lines less their discounts come to 587.00 USD",
        "an example of Shopify's reference that contradicts itself: its total is less the discount, its subtotal is not",
    ),
    (
        "orders__create/docs-rest-2026-07-order-24.json",
        "$.subtotal_price: subtotal_price says 597.00 USD",
        "the same example order in another state",
    ),
    (
        "orders__updated/docs-rest-2026-07-order.json",
        "$.subtotal_price: subtotal_price says 597.00 USD",
        "the same",
    ),
    (
        "orders__create/docs-rest-2026-07-order-small.json",
        "$.currency: is missing",
        "an answer that was asked for a few fields only: no currency, no date",
    ),
    (
        "orders__updated/ruby-rest-order.json",
        "$.total_line_items_price: total_line_items_price says 398.00 USD, but the lines' prices come to 597.00 USD",
        "a library's invented fixture: three lines of 199.00 and a total for two",
    ),
];

/// Bodies under an order topic that are no order: the topic says so, intake never reads them as one.
const NO_ORDER: &[&str] = &["orders__delete/", "orders__edited/", "orders__risk_assessment_changed/"];

/// Altered at their source; they may be refused for what was altered.
const DAMAGED: &[(&str, &str)] = &[
    ("damaged/orders__paid-usd-web-order-2025.json", "$.line_items[0].price_set: should be a set"),
    (
        "damaged/orders__updated-docs-rest-field-examples-2022.json",
        "$.line_items[0].price_set.presentment_money.currency_code: is EUR where the order says CAD",
    ),
];

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

/// All files below the folder with their path in it, sorted.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    walk(folder, &mut found);
    found.sort();
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

#[test]
fn each_order_passes_or_is_refused_for_a_reason() {
    let Some(folder) = folder() else { return };
    let (mut taken, mut tests, mut refused) = (0, 0, 0);
    for (name, raw) in files(&folder) {
        if !name.starts_with("orders__") || NO_ORDER.iter().any(|topic| name.starts_with(topic)) {
            continue;
        }
        let expected = REFUSED.iter().find(|(file, ..)| *file == name);
        match (from_rest(&raw), expected) {
            (Ok(order), None) => {
                taken += 1;
                tests += usize::from(order.test);
                check_taken(&name, &raw, &order);
            }
            (Err(fault), Some((_, said, why))) => {
                refused += 1;
                assert!(fault.to_string().starts_with(said), "{name}: {fault}");
                println!("refused: {name}: {fault} ({why})");
            }
            (Ok(_), Some(_)) => panic!("{name} passes: take it off the table of refusals"),
            (Err(fault), None) => panic!("{name}: {fault}"),
        }
    }
    println!("{taken} order bodies taken ({tests} of them test orders), {refused} refused");
    assert!(taken >= 30 && refused == REFUSED.len());
}

/// The same from what is stored, the same when read twice, and named alike by the quick look at intake.
fn check_taken(name: &str, raw: &[u8], order: &Order) {
    let stored = strip(raw).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    let again = from_rest(&stored).unwrap_or_else(|fault| panic!("{name} as stored: {fault}"));
    assert_eq!(canonical_bytes(&again).unwrap(), canonical_bytes(order).unwrap(), "{name}");
    assert_eq!(digest(&again).unwrap(), digest(order).unwrap(), "{name}");
    let identity = identify(raw).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    assert_eq!(
        (identity.order_id.as_str(), identity.updated_at),
        (order.order_id.as_str(), Some(order.updated_at)),
        "{name}"
    );
    assert_eq!(identity.test, order.test, "{name}");
}

/// Envelopes hold a body inside; pages hold several orders.
#[test]
fn orders_inside_other_files_pass_or_are_refused_with_a_path() {
    let Some(folder) = folder() else { return };
    let mut seen = 0;
    for (name, raw) in files(&folder) {
        let Ok(value) = serde_json::from_slice::<Value>(&raw) else { continue };
        let mut orders: Vec<&Value> = match &value {
            Value::Array(all) => all.iter().collect(),
            other => {
                other.get("orders").and_then(Value::as_array).map_or(Vec::new(), |all| all.iter().collect())
            }
        };
        orders.extend(value.get("body").or(value.get("payload")));
        for order in orders
            .into_iter()
            .filter(|order| order.get("line_items").is_some() && order.get("total_price").is_some())
        {
            seen += 1;
            match from_rest_value(order) {
                Ok(order) => println!("{name}: {} taken", order.name),
                Err(fault) => {
                    println!("{name}: {fault}");
                    assert!(fault.path.starts_with('$') && !fault.message.is_empty());
                }
            }
        }
    }
    println!("{seen} orders inside other files");
}

/// All that is JSON can be stored without card fields, and no file whatever makes us panic.
#[test]
fn every_body_is_taken_or_refused_cleanly() {
    let Some(folder) = folder() else { return };
    let (mut stored, mut other) = (0, 0);
    for (name, raw) in files(&folder) {
        let (rest, graphql) = (from_rest(&raw), from_graphql(&raw));
        for fault in [rest.as_ref().err(), graphql.as_ref().err()].into_iter().flatten() {
            assert!(fault.path.starts_with('$') && !fault.message.is_empty(), "{name}: {fault}");
        }
        if let Some((_, said)) = DAMAGED.iter().find(|(file, _)| *file == name) {
            assert!(rest.unwrap_err().to_string().starts_with(said), "{name}");
        }
        match strip(&raw) {
            Ok(kept) => {
                stored += 1;
                let text = String::from_utf8(kept).unwrap();
                let gone = |key: &str| !text.contains(&format!("\"{key}\":"));
                assert!(REMOVED.iter().all(|removed| gone(removed.key)), "{name}");
                assert!(parse(text.as_bytes()).is_ok(), "{name}");
            }
            Err(fault) => {
                other += 1;
                assert!(serde_json::from_slice::<Value>(&raw).is_err(), "{name}: {fault}");
            }
        }
        let _ = identify(&raw)
            .map_err(|fault| assert!(matches!(fault.code, BodyCode::Missing | BodyCode::NotJson)));
    }
    println!("{stored} bodies can be stored; {other} files are not one JSON value (lists of lines, notes)");
    assert!(stored > 500);
}
