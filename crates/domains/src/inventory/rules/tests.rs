//! Which rule counts, and which is refused.

use super::*;
use jiff::Timestamp;

fn stock(sku: &str, location: &str) -> Stock {
    Stock {
        sku: sku.to_owned(),
        location: location.to_owned(),
        on_hand: 100.into(),
        reserved: Decimal::ZERO,
        counted: None,
        safety: Decimal::ZERO,
        unit: None,
        incoming: Vec::new(),
        changed_at: Timestamp::UNIX_EPOCH,
    }
}

fn rules(safety: &[&str], units: &[&str]) -> Result<Rules, Vec<RuleFault>> {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    Rules::parse(&owned(safety), &owned(units))
}

#[test]
fn the_last_rule_that_fits_counts() {
    let rules = rules(&["2", "SKU-00*: 10%", "@WH-2: 7", "SKU-0007@WH-*: 0"], &[]).unwrap();
    let kept = |sku: &str, location: &str| {
        let stock = stock(sku, location);
        let safety = rules.safety(&stock, stock.on_hand).unwrap();
        (safety.quantity.normalize().to_string(), safety.rule.to_owned())
    };
    assert_eq!(kept("OTHER", "WH-1"), ("2".to_owned(), "2".to_owned()));
    assert_eq!(kept("SKU-0001", "WH-1"), ("10".to_owned(), "SKU-00*: 10%".to_owned()));
    assert_eq!(kept("SKU-0001", "WH-2").0, "7");
    assert_eq!(kept("SKU-0007", "WH-2").0, "0");
    assert_eq!(Rules::default().safety(&stock("A", "B"), 1.into()), None);
}

#[test]
fn nothing_is_kept_back_of_what_is_not_there() {
    let rules = rules(&["10%"], &[]).unwrap();
    assert_eq!(rules.safety(&stock("A", "B"), (-50).into()).unwrap().quantity, Decimal::ZERO);
}

#[test]
fn a_star_stands_for_any_number_of_characters() {
    for (pattern, text, fits) in [
        ("A", "A", true),
        ("A", "AB", false),
        ("A*", "A", true),
        ("*", "", true),
        ("*B", "AB", true),
        ("A*C*E", "ABCDE", true),
        ("A*C*E", "ABDE", false),
        ("a*", "A", false),
        ("A*A", "A", false),
    ] {
        assert_eq!(like(pattern, text), fits, "{pattern} {text}");
    }
}

#[test]
fn every_rule_that_cannot_be_read_is_named_with_what_to_write() {
    let faults = rules(
        &["2", "lots", "-1", "101%", ": 5", "1e3", "0.001%", "99999999999"],
        &["case", "case = 0 each", "a = 2 each", "a = 3 each", "b = 1000001 each"],
    );
    let faults = faults.unwrap_err();
    let places: Vec<_> = faults.iter().map(|fault| (fault.list, fault.index)).collect();
    assert_eq!(
        places,
        [
            ("safety", 1),
            ("safety", 2),
            ("safety", 3),
            ("safety", 4),
            ("safety", 5),
            ("safety", 6),
            ("safety", 7),
            ("units", 0),
            ("units", 1),
            ("units", 3),
            ("units", 4)
        ]
    );
    assert!(faults.iter().all(|fault| fault.message.contains("write") || fault.message.contains("already")));
}
