//! What is composed: its written form, the sum over a pool, and what a bundle comes to.

use super::*;
use crate::inventory::bundles::Bundles;
use crate::inventory::pools::Pools;
use crate::inventory::sharing;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

fn level(sku: &str, on_hand: &str) -> Vec<u8> {
    level_at(sku, "WH-1", on_hand, "1")
}

fn level_at(sku: &str, at: &str, on_hand: &str, counted: &str) -> Vec<u8> {
    format!(
        r#"{{"sku":"{sku}","location":"{at}","on_hand":"{on_hand}","reserved":"{counted}","counted":"{counted}","changed_at":"2026-11-26T14:00:00Z"}}"#
    )
    .into_bytes()
}

fn rules() -> Rules {
    let rules = Rules::parse(&["2".to_owned()], &[]).unwrap();
    let text = b"bundle,component,quantity\nSET,TABLE,1\nSET,CHAIR,4\nPAIR,CHAIR,2\n";
    let bundles = Arc::new(Bundles::parse(text, &rules).unwrap());
    rules.with_bundles(bundles, &["40%".to_owned(), "TAB*: 100%".to_owned()]).unwrap()
}

fn pooled(rules: Rules) -> Rules {
    rules.with_pools(Pools::parse(&["ALL = WH-1 + WH-2 + WH-3".to_owned()]).unwrap())
}

/// What is composed of these levels.
fn composed(rules: &Rules, sku: &str, at: &str, levels: &[Vec<u8>]) -> Composed {
    let levels: BTreeMap<(String, String), &[u8]> = levels
        .iter()
        .map(|payload| {
            let level = level::read(payload).unwrap();
            ((level.sku, level.location), payload.as_slice())
        })
        .collect();
    let of = |sku: &str, at: &str| levels.get(&(sku.to_owned(), at.to_owned())).copied();
    read(&write(sku, at, &sharing::made_of(rules, sku, at), of)).unwrap()
}

fn texts(canonical: &Canonical) -> Vec<String> {
    canonical.why.iter().map(ToString::to_string).collect()
}

#[test]
fn a_bundle_is_as_many_as_its_scarcest_component_allows() {
    let rules = rules();
    let levels = [level("CHAIR", "30"), level("TABLE", "11")];
    let canonical = composed(&rules, "SET", "WH-1", &levels).canonical(&rules).unwrap();
    // Less what is reserved and kept back: 27 chairs, 8 tables.
    assert_eq!(canonical.available, 6);
    let why: Vec<String> = canonical.why.iter().map(|term| term.text.clone()).collect();
    assert!(
        why[0].contains("CHAIR: 27 available, 4 in each") && why[2].ends_with("CHAIR limits it"),
        "{why:?}"
    );
    let parts = &canonical.body["parts"];
    assert_eq!(parts[0]["bundles"].as_array().map(Vec::len), Some(2));
    assert_eq!((&parts[0]["bundle_share"], &parts[1]["bundle_share"]), (&40.into(), &100.into()));
    assert_eq!(parts[1]["counted"], 1);
}

#[test]
fn of_what_was_never_told_nothing_is_sold_and_a_bundle_s_own_level_is_refused() {
    let rules = rules();
    let chair = level("CHAIR", "30");
    let composed = composed(&rules, "SET", "WH-1", std::slice::from_ref(&chair));
    let canonical = composed.canonical(&rules).unwrap();
    assert_eq!(canonical.available, 0);
    assert!(canonical.why[1].text.contains("TABLE: its source never told it"), "{:?}", canonical.why);
    let own = level::read(&level("SET", "5")).unwrap();
    let fault = crate::inventory::canonical(&own, &rules).unwrap_err();
    assert_eq!(fault.code, StockCode::Bundle);
    // The component says in which bundles it is.
    let chair = crate::inventory::canonical(&level::read(&chair).unwrap(), &rules).unwrap();
    assert_eq!(chair.body["bundles"].as_array().map(Vec::len), Some(2));
    assert!(chair.why.last().unwrap().text.contains("40 % may be shown by 2 bundles: PAIR, SET"));
}

#[test]
fn what_lies_at_several_locations_is_sold_as_one() {
    let rules = pooled(rules());
    let levels = [level_at("LAMP", "WH-1", "10", "3"), level_at("LAMP", "WH-3", "5", "1")];
    let lamp = composed(&rules, "LAMP", "ALL", &levels);
    assert_eq!(lamp.made_of(), sharing::made_of(&rules, "LAMP", "ALL"));
    let canonical = lamp.canonical(&rules).unwrap();
    // Of each two are kept back: 10 − 3 − 2, and 5 − 1 − 2.
    assert_eq!(canonical.available, 7);
    let (body, why) = (&canonical.body, texts(&canonical));
    assert_eq!(
        (&body["location"], &body["on_hand"], &body["reserved"]),
        (&"ALL".into(), &"15".into(), &"4".into())
    );
    assert_eq!(
        (&body["counted"], &body["available"], &body["unit"]),
        (&4.into(), &7.into(), &serde_json::Value::Null)
    );
    for expected in [
        "10  WH-1: on hand",
        "5  WH-1: available",
        "WH-2: its source never told it there",
        "2  WH-3: available",
    ] {
        assert!(why.iter().any(|line| line.ends_with(expected)), "{expected}: {why:?}");
    }
    assert!(why.last().unwrap().ends_with("7  available at ALL, all of these together"), "{why:?}");
    // What one location owes the others have to give.
    let owing = [level_at("LAMP", "WH-1", "10", "3"), level_at("LAMP", "WH-2", "-4", "0")];
    assert_eq!(composed(&rules, "LAMP", "ALL", &owing).canonical(&rules).unwrap().available, -1);
    // Nor has a pool a level of its own.
    let own = level::read(&level_at("LAMP", "ALL", "5", "0")).unwrap();
    assert_eq!(crate::inventory::canonical(&own, &rules).unwrap_err().code, StockCode::Pool);
}

#[test]
fn a_bundle_at_a_pool_is_made_of_what_all_of_its_locations_have() {
    let rules = pooled(rules());
    let levels = [
        level_at("CHAIR", "WH-1", "12", "1"),
        level_at("CHAIR", "WH-2", "9", "2"),
        level_at("TABLE", "WH-2", "11", "1"),
    ];
    let canonical = composed(&rules, "SET", "ALL", &levels).canonical(&rules).unwrap();
    // 9 and 5 chairs, 8 tables.
    assert_eq!(canonical.available, 3);
    let why = texts(&canonical);
    assert!(why[0].contains("of CHAIR: 14 available (WH-1: 9, WH-2: 5), 4 in each"), "{why:?}");
    let parts = &canonical.body["parts"];
    assert_eq!((&parts[0]["available"], &parts[0]["counted"]), (&14.into(), &3.into()));
    let chair = composed(&rules, "CHAIR", "ALL", &levels).canonical(&rules).unwrap();
    assert_eq!((chair.available, chair.body["bundles"].as_array().map(Vec::len)), (14, Some(2)));
}

#[test]
fn what_is_divided_says_where_else_it_is_shown() {
    use crate::inventory::outlets::Outlets;
    let rules = rules();
    let outlets = Outlets::parse(&["WH-1 = WEB 70% + SHOP 30%".to_owned()], rules.pools()).unwrap();
    let rules = rules.with_outlets(outlets);
    let levels = [level("LAMP", "13"), level("CHAIR", "30"), level("TABLE", "11")];
    let lamp = composed(&rules, "LAMP", "SHOP", &levels).canonical(&rules).unwrap();
    let (body, why) = (&lamp.body, texts(&lamp));
    assert_eq!(
        (&body["location"], &body["available"], &body["counted"]),
        (&"SHOP".into(), &10.into(), &1.into())
    );
    let outlets =
        serde_json::json!([{ "location": "WEB", "percent": 70 }, { "location": "SHOP", "percent": 30 }]);
    assert_eq!(body["outlets"], outlets);
    for expected in ["10  available at WH-1", "WEB shows 70 %, now 7", "SHOP shows 30 %, now 3"] {
        assert!(why.iter().any(|line| line.ends_with(expected)), "{expected}: {why:?}");
    }
    // A bundle is divided by what its components are.
    let set = composed(&rules, "SET", "WEB", &levels).canonical(&rules).unwrap();
    assert_eq!((set.available, &set.body["outlets"]), (6, &outlets));
    let own = level::read(&level_at("LAMP", "WEB", "5", "0")).unwrap();
    assert_eq!(crate::inventory::canonical(&own, &rules).unwrap_err().code, StockCode::Outlet);
}

proptest! {
    /// No unit is there that lies nowhere, none is left out, and a pool has whatever its locations have by themselves.
    #[test]
    fn a_pool_is_the_sum_of_its_locations(
        told in proptest::collection::vec(proptest::option::of((-50i64..1_000, 0i64..60)), 3),
        safety in 0u32..5,
    ) {
        let rules = pooled(Rules::parse(&[safety.to_string()], &[]).unwrap());
        let mut levels = Vec::new();
        let (mut available, mut counted) = (0, None);
        for (at, told) in ["WH-1", "WH-2", "WH-3"].into_iter().zip(told) {
            let Some((on_hand, reserved)) = told else { continue };
            levels.push(level_at("LAMP", at, &on_hand.to_string(), &reserved.to_string()));
            available += on_hand - reserved - i64::from(safety);
            *counted.get_or_insert(0) += reserved;
        }
        let canonical = composed(&rules, "LAMP", "ALL", &levels).canonical(&rules).unwrap();
        prop_assert_eq!(canonical.available, available);
        prop_assert_eq!(canonical.body["counted"].as_i64(), counted);
    }
}

#[test]
fn what_the_hub_did_not_write_is_refused() {
    for text in [
        "{}",
        "[]",
        r#"{"sku":"A","location":"B","parts":[{}]}"#,
        r#"{"sku":"A","location":"B","parts":[{"sku":"A","quantity":1,"levels":[{"level":null}]}]}"#,
        r#"{"parts":[]}"#,
    ] {
        assert!(read(text.as_bytes()).is_err(), "{text}");
    }
}
