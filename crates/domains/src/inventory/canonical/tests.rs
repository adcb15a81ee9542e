//! From on hand to available, with units, rules and rounding.

use super::*;
use crate::inventory::read;
use proptest::prelude::*;
use serde_json::json;

fn rules(safety: &[&str], units: &[&str]) -> Rules {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Rules::parse(&owned(safety), &owned(units)).unwrap()
}

fn stock(more: Value) -> Stock {
    let mut level = json!({"sku": "SKU-0001", "location": "WH-1", "changed_at": "2026-11-26T14:00:00Z"});
    level.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    read(level.to_string().as_bytes()).unwrap()
}

#[test]
fn what_may_be_sold_is_explained_term_by_term() {
    let stock =
        stock(json!({"on_hand": "10.5", "reserved": "1", "counted": "0.5", "safety": 1, "unit": "case"}));
    let canonical = canonical(&stock, &rules(&["10%"], &["case = 12 each"])).unwrap();
    let why: Vec<String> = canonical.why.iter().map(ToString::to_string).collect();
    assert_eq!(
        why,
        [
            "         126  on hand: 10.5 case, by the rule \"case = 12 each\"",
            "         -12  reserved at the source",
            "         -12  kept back by the source",
            "       -12.6  kept back by the rule \"10%\"",
            "        -0.4  rounded down to whole sales units",
            "          89  available",
            "              6 units of this shop's unshipped orders are in these figures already",
        ]
    );
    assert_eq!((canonical.available, &canonical.body["counted"]), (89, &json!(6)));
}

#[test]
fn oversold_stock_is_negative_and_never_rounded_up() {
    for (on_hand, reserved, available) in [("0", "3", -3), ("-0.5", "0", -1), ("2.9", "0", 2), ("0", "0", 0)]
    {
        let stock = stock(json!({"on_hand": on_hand, "reserved": reserved}));
        assert_eq!(
            canonical(&stock, &Rules::default()).unwrap().available,
            available,
            "{on_hand} {reserved}"
        );
    }
}

#[test]
fn a_unit_that_nobody_explained_is_refused_with_the_rule_to_write() {
    let palettes = stock(json!({"on_hand": "3", "unit": "palette"}));
    let fault = canonical(&palettes, &rules(&[], &["case = 12 each"])).unwrap_err();
    assert_eq!((fault.code, fault.path.as_str()), (StockCode::UnknownUnit, "$.unit"));
    assert!(fault.message.contains("palette = "), "{fault}");
    // Nor is it guessed where there are no rules at all: grams are no kilograms.
    assert_eq!(canonical(&palettes, &Rules::default()).unwrap_err().code, StockCode::UnknownUnit);
    // The sales unit needs no rule.
    for (unit, rule) in [("each", "case = 12 each"), ("kg", "t = 1000 kg"), ("EA", "case = 12 each")] {
        let told = stock(json!({"on_hand": "3", "unit": unit}));
        assert_eq!(canonical(&told, &rules(&[], &[rule])).unwrap().available, 3, "{unit}");
    }
}

#[test]
fn the_largest_that_is_allowed_is_exact() {
    let stock = stock(json!({"on_hand": "999999999.999999", "unit": "case"}));
    let canonical = canonical(&stock, &rules(&["33.33%"], &["case = 999999.999 each"])).unwrap();
    // 999999999.999999 × 999999.999 × 0.6667, by a calculator of any precision.
    assert_eq!(canonical.available, 666_699_999_333_299);
}

#[test]
fn the_same_level_told_later_is_the_same_and_another_is_not() {
    let at = |instant: &str, on_hand: &str| {
        canonical(&stock(json!({"on_hand": on_hand, "changed_at": instant})), &Rules::default())
            .unwrap()
            .digest
    };
    let first = at("2026-11-26T14:00:00Z", "5");
    assert_eq!(first, at("2026-11-26T15:00:00Z", "5.0"));
    assert_ne!(first, at("2026-11-26T14:00:00Z", "6"));
}

proptest! {
    /// Never more than there is: each term only takes away, whatever the rule.
    #[test]
    fn no_more_is_sold_than_there_is(on_hand in 0u32..100_000, reserved in 0u32..100_000, share in 0u32..=100) {
        let stock = stock(json!({"on_hand": on_hand, "reserved": reserved}));
        let rule = format!("{share}%");
        let rules = rules(&[&rule], &[]);
        let canonical = canonical(&stock, &rules).unwrap();
        prop_assert_eq!(canonical.available, sold(&stock, &rules).unwrap().available);
        prop_assert!(canonical.available <= i64::from(on_hand) - i64::from(reserved));
        let exact = i64::from(on_hand) * i64::from(100 - share) - i64::from(reserved) * 100;
        prop_assert_eq!(canonical.available, exact.div_euclid(100));
    }
}
