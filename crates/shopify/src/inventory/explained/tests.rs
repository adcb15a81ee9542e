//! A line for each term, up to what the shop has.

use super::*;
use crate::inventory::seen::{AllKin, Kin, Level, among, observation};
use serde_json::json;
use std::collections::BTreeMap;

fn level(available: i64, committed: i64) -> Seen {
    let id = |kind: &str| format!("gid://shopify/{kind}/1");
    Seen::Level(Level {
        id: id("InventoryLevel"),
        item: id("InventoryItem"),
        location: id("Location"),
        sku: "CHAIR".to_owned(),
        tracked: true,
        active: true,
        available,
        committed,
    })
}

fn lines(explained: &Explained) -> Vec<String> {
    explained.terms.iter().map(|term| term.to_string().trim_start().to_owned()).collect()
}

#[test]
fn from_the_source_to_shopify_s_available_each_term_is_said() {
    let body = json!({ "sku": "CHAIR", "location": 1, "available": 113, "counted": 5 });
    let seen = explained(&body, &observation(level(112, 8), false, None)).unwrap();
    assert_eq!((seen.in_flight, seen.to_show), (Some(3), 110));
    assert_eq!(seen.level.as_ref().map(|level| (level.available, level.committed)), Some((112, 8)));
    assert_eq!(
        lines(&seen),
        [
            "-3  in flight: 8 committed in Shopify, of which the source has counted 5",
            "110  to show in Shopify",
            "112  in Shopify now, beside 8 committed",
        ]
    );
}

#[test]
fn more_sold_than_counted_is_told_where_the_source_counts_and_the_flow_goes_by_it() {
    let told = |body: serde_json::Value, committed: i64| {
        let subject =
            kernel::subject::Subject::new(kernel::id::ShopId::new("acme").unwrap(), "ats", "CHAIR@1");
        let wanted = Wanted {
            object_key: kernel::key::ObjectKey::of(&subject),
            subject,
            body,
            stage: connector::port::Stage::Present,
            after_confirm: kernel::flow::AfterConfirm::default(),
            difference: kernel::flow::Difference::default(),
            known: None,
            also_known_as: Vec::new(),
        };
        unaccounted(&wanted, &observation(level(112, committed), false, None))
    };
    let body = |counted: serde_json::Value, in_flight: &str| json!({ "sku": "CHAIR", "location": 1, "available": 113, "counted": counted, "in_flight": in_flight });
    assert!(told(body(json!(5), "counted"), 6));
    assert!(!told(body(json!(5), "counted"), 5), "all of it is counted");
    assert!(
        !told(body(json!(null), "counted"), 6),
        "the source counts nothing: it says nothing of what was heard"
    );
    assert!(!told(body(json!(5), "all"), 6));
    assert!(!told(body(json!(5), "none"), 6));
    let mut in_bundles = body(json!(5), "counted");
    in_bundles["bundles"] = json!([{ "sku": "SET", "quantity": 4 }]);
    assert!(told(in_bundles.clone(), 6));
    assert!(!told(in_bundles, 5));
}

#[test]
fn a_component_and_its_bundle_say_what_they_leave_each_other() {
    let body = json!({
        "sku": "CHAIR", "location": 1, "available": 20, "counted": 0, "bundle_share": 50,
        "bundles": [{ "sku": "SET", "quantity": 4 }],
    });
    let kin = |of: &[(&str, i64, i64)]| {
        let kin = |(sku, available, committed): &(&str, i64, i64)| {
            ((*sku).to_owned(), Kin { available: *available, committed: *committed })
        };
        AllKin { here: of.iter().map(kin).collect(), elsewhere: BTreeMap::new() }
    };
    let seen = explained(&body, &among(level(6, 0), false, None, kin(&[("SET", 3, 2)]))).unwrap();
    assert_eq!((seen.in_flight, seen.to_show), (Some(8), 0));
    assert_eq!(
        lines(&seen),
        [
            "-8  in flight: 8 committed in Shopify by itself and in bundles, of which the source has counted 0",
            "-6  for bundles: 50 % of 12",
            "-6  until the others give it up: 12 of 12 free units are shown by them",
            "0  to show in Shopify",
            "6  in Shopify now, beside 0 committed",
        ]
    );
    let body = json!({
        "sku": "SET", "location": 1, "available": 5, "parts": [
            { "sku": "CHAIR", "quantity": 4, "available": 20, "counted": null, "bundle_share": 50,
              "bundles": [{ "sku": "SET", "quantity": 4 }] },
        ],
    });
    let seen = explained(&body, &among(level(2, 0), false, None, kin(&[("CHAIR", 0, 3)]))).unwrap();
    assert_eq!((seen.in_flight, seen.to_show), (None, 2));
    assert_eq!(lines(&seen)[1], "2  to show in Shopify, the least of these");
    assert!(lines(&seen)[0].starts_with("2  by CHAIR: 20 available, 3 in flight"), "{:?}", lines(&seen));
}

#[test]
fn what_is_not_stocked_says_so_and_what_is_unknown_is_a_plan_s_to_say() {
    let body = json!({ "sku": "CHAIR", "location": 1, "available": 4, "counted": 0 });
    let text = |text: &str| text.to_owned();
    let none = Seen::NotStocked { item: text("i"), location: text("l"), sku: text("CHAIR"), tracked: true };
    let seen = explained(&body, &observation(none, false, None)).unwrap();
    assert_eq!((seen.level.is_none(), seen.to_show), (true, 4));
    assert_eq!(lines(&seen).last().map(String::as_str), Some("in Shopify it is not stocked there"));
    let gone = Seen::NoSku { sku: text("CHAIR"), similar: None };
    assert_eq!(explained(&body, &observation(gone, false, None)), None);
    assert_eq!(explained(&body, &Observation::unasked()), None);
}
