//! Every planted difference is found and none is invented.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEY: Key = Key([7, 11]);

type Had<'a> = (&'a str, &'a str, i32, i32);
type Said<'a> = (&'a str, &'a str, i64, Option<i64>);

fn shelf<'a>(&(sku, location, available, committed): &Had<'a>) -> Shelf<'a> {
    Shelf { sku, location, available, committed }
}

fn compared(shopify: &[Had<'_>], source: &[Said<'_>], in_flight: InFlight, limit: usize) -> Report {
    let mut shelves = Shelves::new(KEY, 1_000_000);
    shopify.iter().for_each(|had| shelves.add(&shelf(had)).unwrap());
    let mut check = Check::new(shelves, in_flight, limit);
    for &(sku, location, available, counted) in source {
        check.add(&Truth { sku, location, available, counted });
    }
    let mut naming = check.end();
    shopify.iter().for_each(|had| naming.add(&shelf(had)));
    assert!(naming.nameless.is_empty(), "every name is found on the side that it came from");
    naming.end()
}

fn said(report: &Report) -> Vec<String> {
    report.all().into_iter().flat_map(|(_, found)| &found.kept).map(ToString::to_string).collect()
}

#[test]
fn each_difference_is_told_by_its_cause() {
    let shopify = [
        ("A", "W1", 10, 0),
        ("A", "W2", 3, 2),
        ("B", "W1", 9, 0),
        ("c", "W1", 1, 0),
        ("D", "W1", 1, 0),
        ("TWO", "W1", 1, 0),
        ("TWO", "W1", 5, 0),
        ("E", "W1", 4, 0),
    ];
    let source = [
        ("TWO", "W1", 5, None),
        ("A", "W1", 10, Some(0)),
        ("A", "W2", 5, Some(0)),
        ("B", "W1", 8, None),
        ("C", "W1", 1, None),
        ("E", "W1", 4, None),
        ("E", "W1", 4, None),
    ];
    let report = compared(&shopify, &source, InFlight::Counted, 10);
    assert_eq!(
        said(&report),
        [
            "B at W1: differs, Shopify has 9 and should have 8",
            "C at W1: unknown_sku, should have 1; the other side spells it \"c\" at \"W1\"",
            "c at W1: unknown_in_source, Shopify has 1; the other side spells it \"C\" at \"W1\"",
            "D at W1: unknown_in_source, Shopify has 1",
            "E at W1: twice_in_source, Shopify has 4 and should have 4",
            "TWO at W1: twice_in_shopify, Shopify has 1 and should have 5",
        ]
    );
    assert_eq!((report.source, report.shopify, report.same, report.differences()), (7, 7, 3, 6));
}

#[test]
fn what_is_in_flight_is_no_difference() {
    for (in_flight, counted, has) in [
        (InFlight::Counted, Some(2), 97),
        (InFlight::Counted, Some(5), 100),
        (InFlight::Counted, Some(9), 100),
        (InFlight::Counted, None, 95),
        (InFlight::All, Some(5), 95),
        (InFlight::None, None, 100),
    ] {
        let at =
            |has| compared(&[("A", "W", has, 5)], &[("A", "W", 100, counted)], in_flight, 10).differs.count;
        assert_eq!((at(has), at(has - 1), at(has + 1)), (0, 1, 1), "{in_flight:?} {counted:?}");
    }
}

#[test]
fn beyond_the_limit_differences_are_counted() {
    let names: Vec<String> = (0..500).map(|n| format!("SKU-{n}")).collect();
    let shopify: Vec<_> = names[..400].iter().map(|sku| (sku.as_str(), "W", 1, 0)).collect();
    let source: Vec<_> = names[100..].iter().map(|sku| (sku.as_str(), "W", 2, None)).collect();
    let report = compared(&shopify, &source, InFlight::None, 7);
    for (cause, count, kept) in [
        (Cause::Differs, 300, 7),
        (Cause::MissingInShopify, 93, 0),
        (Cause::UnknownSku, 7, 7),
        (Cause::UnknownInSource, 100, 7),
    ] {
        let (_, found) = report.all().into_iter().find(|(of, _)| *of == cause).unwrap();
        assert_eq!((found.count, found.kept.len()), (count, kept), "{cause:?}");
    }
}

#[test]
fn what_can_be_sold_has_its_name_before_what_cannot() {
    let names: Vec<String> = (0..100).map(|n| format!("SKU-{n}")).collect();
    let shopify: Vec<_> =
        names.iter().enumerate().map(|(n, sku)| (sku.as_str(), "W", i32::from(n % 20 == 0), 0)).collect();
    let report = compared(&shopify, &[], InFlight::None, 5);
    assert_eq!(report.unknown_in_source.count, 100);
    assert!(report.unknown_in_source.kept.iter().all(|it| it.has == Some(1)), "{report:?}");
}

#[test]
fn what_is_missing_is_nowhere_or_elsewhere_or_where_nobody_told_of_it() {
    let shopify =
        [("A", "W1", 7, 0), ("B", "W1", 3, 0), ("B", "W3", 9, 0), ("B", "W4", 2, 0), ("D", "W1", 0, 0)];
    let source = [
        ("A", "W1", 7, None),
        ("A", "W2", 1, None),
        ("B", "W2", 9, None),
        ("C", "W1", 4, None),
        ("D", "W2", 5, None),
    ];
    let mut said = said(&compared(&shopify, &source, InFlight::None, 10));
    said.retain(|line| !line.contains("unknown_in_source"));
    assert_eq!(
        said,
        [
            "C at W1: unknown_sku, should have 4",
            "A at W2: not_stocked, should have 1",
            // What shows nothing elsewhere sells nothing at the wrong place.
            "D at W2: not_stocked, should have 5",
            "B at W2: wrong_location, should have 9; it has 9 at W3",
        ]
    );
}

#[test]
fn more_pairs_than_there_is_memory_for_are_refused() {
    let mut shelves = Shelves::new(KEY, 1);
    shelves.add(&shelf(&("A", "W", 1, 0))).unwrap();
    let refused = shelves.add(&shelf(&("B", "W", 1, 0))).unwrap_err();
    assert!(refused.to_string().contains("one location at a time"));
}

#[test]
fn sides_that_have_nothing_agree() {
    let report = compared(&[], &[], InFlight::Counted, 10);
    assert_eq!((report.differences(), report.same), (0, 0));
    assert_eq!(compared(&[], &[("A", "W", 0, None)], InFlight::Counted, 10).unknown_sku.count, 1);
    assert_eq!(compared(&[("A", "W", 0, 0)], &[], InFlight::Counted, 10).unknown_in_source.count, 1);
}

#[test]
fn two_pairs_whose_letters_are_the_same_do_not_meet() {
    let report = compared(&[("AB", "C", 1, 0)], &[("A", "BC", 1, None)], InFlight::None, 10);
    assert_eq!((report.unknown_sku.count, report.unknown_in_source.count), (1, 1));
}

/// SKU and location to available and committed or counted.
type Side = BTreeMap<(String, String), (i32, u8)>;

fn side() -> impl Strategy<Value = Side> {
    proptest::collection::btree_map(("[AB]{1,4}", "[AB]{1,2}"), (-3i32..3, 0u8..3), 0..60)
}

proptest! {
    /// Against a comparison by whole names.
    #[test]
    fn none_is_invented_and_none_is_hidden(shopify in side(), source in side(), key in any::<[u64; 2]>()) {
        let mut shelves = Shelves::new(Key(key), 1000);
        for ((sku, location), (available, committed)) in &shopify {
            shelves.add(&shelf(&(sku, location, *available, i32::from(*committed)))).unwrap();
        }
        let mut check = Check::new(shelves, InFlight::Counted, 1000);
        for ((sku, location), (available, counted)) in &source {
            check.add(&Truth { sku, location, available: i64::from(*available), counted: Some(i64::from(*counted)) });
        }
        let mut naming = check.end();
        for ((sku, location), (available, committed)) in &shopify {
            naming.add(&shelf(&(sku, location, *available, i32::from(*committed))));
        }
        let report = naming.end();
        let mut expected = Vec::new();
        for (pair, (available, counted)) in &source {
            match shopify.get(pair) {
                None => {
                    let mut elsewhere = shopify.iter().filter(|((sku, _), _)| *sku == pair.0).peekable();
                    let is_stocked = elsewhere.peek().is_some();
                    let untold = elsewhere.any(|(other, (has, _))| *has > 0 && !source.contains_key(other));
                    let cause = match (untold, is_stocked) {
                        (true, _) => Cause::WrongLocation,
                        (false, true) => Cause::NotStocked,
                        (false, false) => Cause::UnknownSku,
                    };
                    expected.push((pair.clone(), cause));
                }
                Some((has, committed)) if *has != available - i32::from(committed.saturating_sub(*counted)) => {
                    expected.push((pair.clone(), Cause::Differs));
                }
                Some(_) => {}
            }
        }
        let unknown = shopify.keys().filter(|pair| !source.contains_key(*pair));
        expected.extend(unknown.map(|pair| (pair.clone(), Cause::UnknownInSource)));
        let mut found: Vec<_> = report
            .all()
            .into_iter()
            .flat_map(|(_, found)| &found.kept)
            .map(|it| ((it.sku.clone(), it.location.clone()), it.cause))
            .collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}
