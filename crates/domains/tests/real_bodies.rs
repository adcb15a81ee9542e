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

/// Orders inside other files that are refused, by what the fault must say.
const REFUSED_INSIDE: &[(&str, &str, &str)] = &[
    (
        "envelopes/2024-10-draft_orders-create.json",
        "$.admin_graphql_api_id: is the id of a DraftOrder, not of an Order",
        "a draft is no order",
    ),
    (
        "rest/mock-2012-orders.json",
        "$.total_line_items_price: total_line_items_price says 199.00 USD",
        "invented: a second line was added and the total was not",
    ),
    (
        "rest/ruby-orders-page.json",
        "$.total_line_items_price: total_line_items_price says 398.00 USD",
        "the library's invented fixture, in a page",
    ),
];

/// The structure of real orders with every leaf replaced at their source: no amount, date or currency is left in them.
const ANONYMISED: &[&str] = &["$.currency: 'example stri' is not a currency of ISO 4217", "$.id: is missing"];

/// Topics whose bodies are not the order and have to name it.
const BELONG_TO_ORDERS: &[&str] = &[
    "orders__edited/",
    "orders__delete/",
    "orders__risk_assessment_changed/",
    "refunds__create/",
    "fulfillments__create/",
    "fulfillments__update/",
    "order_transactions__create/",
];

/// Of these, bodies that name no order: kept as they came, and a person hears of it.
const UNNAMED: &[(&str, &str)] = &[
    (
        "orders__risk_assessment_changed/docs-2026-04.json",
        "a sample of the reference with null in place of each id",
    ),
    (
        "refunds__create/docs-rest-2026-07-refund-4.json",
        "the answer of a calculation: there is no refund yet",
    ),
];

/// The answers that our own documents could have got; all others were asked for other fields.
const OUR_ANSWERS: usize = 1;

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
fn orders_inside_other_files_pass_or_are_refused_for_a_reason() {
    let Some(folder) = folder() else { return };
    let (mut taken, mut refused) = (0, 0);
    for (name, raw) in files(&folder) {
        for order in inside(&raw) {
            match (from_rest_value(&order), REFUSED_INSIDE.iter().find(|(file, ..)| *file == name)) {
                (Ok(_), None) => taken += 1,
                (Err(fault), Some((_, said, why))) => {
                    refused += 1;
                    assert!(fault.to_string().starts_with(said), "{name}: {fault}");
                    println!("refused: {name}: {fault} ({why})");
                }
                (Ok(_), Some(_)) => panic!("{name} passes: take it off the table of refusals"),
                (Err(fault), None) => panic!("{name}: {fault}"),
            }
        }
    }
    assert_eq!((taken, refused), (2, REFUSED_INSIDE.len()));
}

fn inside(raw: &[u8]) -> Vec<Value> {
    let Ok(value) = serde_json::from_slice::<Value>(raw) else { return Vec::new() };
    let mut orders = match &value {
        Value::Array(all) => all.clone(),
        other => other.get("orders").and_then(Value::as_array).cloned().unwrap_or_default(),
    };
    orders.extend(value.get("body").or(value.get("payload")).cloned());
    orders.retain(|order| order.get("line_items").is_some() && order.get("total_price").is_some());
    orders
}

/// What is no order of its own names the order that it belongs to, or is on the table.
#[test]
fn what_belongs_to_an_order_names_it() {
    let Some(folder) = folder() else { return };
    let mut named = 0;
    for (name, raw) in files(&folder) {
        if !BELONG_TO_ORDERS.iter().any(|topic| name.starts_with(topic)) {
            continue;
        }
        let is_event = !name.starts_with("orders__");
        match (identify(&raw), UNNAMED.iter().find(|(file, _)| *file == name)) {
            (Ok(identity), None) => {
                named += 1;
                assert!(!is_event || identity.object_id.is_some(), "{name} has no id of its own");
            }
            (Err(fault), Some((_, why))) => {
                assert_eq!(fault.code, BodyCode::Missing, "{name}: {fault}");
                println!("unnamed: {name}: {fault} ({why})");
            }
            (Ok(_), Some(_)) => panic!("{name} names its order: take it off the table"),
            (Err(fault), None) => panic!("{name}: {fault}"),
        }
    }
    assert!(named >= 23, "{named}");
}

/// All that is JSON can be stored without card fields, and no file whatever makes us panic.
#[test]
fn every_body_is_taken_or_refused_cleanly() {
    let Some(folder) = folder() else { return };
    let (mut stored, mut other, mut answers) = (0, 0, 0);
    let all = files(&folder);
    let names: Vec<&str> =
        all.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "INDEX.md").collect();
    assert_eq!(names, indexed(&folder), "INDEX.md names other files than there are");
    for (name, raw) in all {
        let (rest, graphql) = (from_rest(&raw), from_graphql(&raw));
        for fault in [rest.as_ref().err(), graphql.as_ref().err()].into_iter().flatten() {
            assert!(fault.path.starts_with('$') && !fault.message.is_empty(), "{name}: {fault}");
        }
        answers += usize::from(name.starts_with("graphql") && graphql.is_ok());
        if name.starts_with("anonymised__orders/") {
            let said = rest.as_ref().unwrap_err().to_string();
            assert!(ANONYMISED.iter().any(|start| said.starts_with(start)), "{name}: {said}");
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
    assert_eq!(answers, OUR_ANSWERS);
    assert!(stored > 500);
}

/// The files that the index has a row for, sorted.
fn indexed(folder: &Path) -> Vec<String> {
    let index = std::fs::read_to_string(folder.join("INDEX.md")).unwrap();
    let rows = index.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let mut files: Vec<String> = rows.filter(|cell| *cell != "file").map(str::to_owned).collect();
    files.sort();
    files
}
