//! How a pair is told, by what the hub answered.

use super::*;

fn pair(now: Value) -> Value {
    json!({
        "shop": "acme", "subject": "acme/ats:SKU-1@WH-1", "flow": "stock_to_shopify", "target": "shopify",
        "fact": {
            "changed_at": "2026-11-26T02:00:00Z",
            "state": { "location": "WH-1", "available": 110 },
            "figures": {
                "shelf": { "on_hand": "120", "reserved": "7", "safety": "3" },
                "incoming": [
                    { "at": "2026-12-01T00:00:00Z", "quantity": "40", "available": 150 },
                    { "at": null, "quantity": "7", "available": null },
                ],
            },
            "why": ["         110  available"],
        },
        "now": now, "external": [{ "system": "shopify", "state": "107" }], "open": [], "dead_letters": [],
    })
}

fn answered(why: Value) -> Value {
    json!({
        "answered": "answered", "available": 108, "committed": 8, "in_flight": 3, "to_show": 107,
        "since": "2026-11-26T02:30:00Z", "why": why,
        "terms": ["          -3  in flight: 8 committed", "         107  to show in Shopify"],
    })
}

fn told(of: Value, explain: bool) -> String {
    drawn("SKU-1", &[of], explain).text().to_owned()
}

#[test]
fn what_the_shop_has_stands_beside_what_it_is_to_have_and_why() {
    let text = told(pair(answered(json!("changed_in_shop"))), true);
    let row: Vec<&str> =
        text.lines().nth(2).unwrap().split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect();
    let since = "2026-11-26 02:30:00";
    let words = "changed in the shop by somebody else";
    assert_eq!(row, ["acme", "WH-1", "120", "7", "3", "110", "3", "107", "108", "8", since, words], "{text}");
    assert!(text.contains("from 2026-12-01 00:00:00 on 150 available: 40 more come"), "{text}");
    assert!(text.contains("7 more come, and the source says no date"), "{text}");
    // Term by term, from the source to the shop.
    let at = |term: &str| text.find(term).unwrap_or_else(|| panic!("{term}: {text}"));
    assert!(at("110  available") < at("-3  in flight") && at("-3  in flight") < at("107  to show"), "{text}");
    assert!(told(pair(answered(Value::Null)), false).contains("told"));
    assert!(!told(pair(answered(Value::Null)), false).contains("-3  in flight"));
}

#[test]
fn a_shop_that_was_not_asked_or_did_not_answer_is_said_with_what_it_was_set_to() {
    let offline = told(pair(json!({ "answered": "not_asked", "problem": "it was not to be asked" })), false);
    assert!(offline.contains("its shop was not asked"), "{offline}");
    assert!(offline.contains("set in shop") && offline.contains("107"), "{offline}");
    let down = json!({ "answered": "unreachable", "problem": "no answer within 4 s", "why": "under_way" });
    let text = told(pair(down), false);
    let said =
        "acme/ats:SKU-1@WH-1: the shop could not be asked: no answer within 4 s; it was set to 107 last";
    assert!(text.contains(said), "{text}");
    assert!(text.contains("under way"), "{text}");
}

#[test]
fn what_cannot_be_read_says_so_and_still_has_its_row() {
    let mut of = pair(json!({ "answered": "not_asked", "problem": "it cannot be read" }));
    (of["fact"], of["unreadable"]) = (Value::Null, json!("on_hand is no quantity"));
    let text = told(of, false);
    assert!(text.contains("acme/ats:SKU-1@WH-1: on_hand is no quantity"), "{text}");
}
