//! What a catalog can say, which catalogs there are, and what differs.

use super::*;
use kernel::money::Currency;
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn tiers(all: &[(&str, &str)]) -> Offer {
    Offer::tiered(all.iter().map(|(minimum, price)| (d(minimum), d(price))).collect())
}

fn wanted(id: &str, locations: &[u64], prices: &[(&str, Offer)]) -> Wanted {
    let prices: Vec<(String, Offer)> =
        prices.iter().map(|(sku, offer)| ((*sku).to_owned(), offer.clone())).collect();
    let place = Place::Locations(locations.iter().copied().collect());
    Wanted { id: id.to_owned(), currency: eur(), place, prices: Box::new(prices), has_quantities: true }
}

fn plain(price: &str) -> Offer {
    Offer::plain(d(price))
}

/// `A` to `E`, each of one variant, at 10.00 in the shop.
fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    for (number, sku) in ["A", "B", "C", "D", "E"].into_iter().enumerate() {
        shelf.add(sku, 100 + number as u64, Some(1000));
    }
    shelf
}

fn arranged(all: &[Wanted]) -> Arranged {
    let shelf = shelf();
    let lists: Vec<List> = all.iter().map(|one| gather(one, &shelf).unwrap()).collect();
    arrange(all, &lists, (&shelf, eur()), &BTreeMap::new(), "tidegate/")
}

fn names(arranged: &Arranged) -> Vec<(&str, Vec<u64>)> {
    arranged.catalogs.iter().map(|one| (one.name.as_str(), one.locations.iter().copied().collect())).collect()
}

#[test]
fn a_price_that_a_catalog_can_say_is_said_exactly() {
    let item = express(eur(), &tiers(&[("1", "10.00"), ("10", "9"), ("20", "9.00"), ("50", "8.5")])).unwrap();
    assert_eq!(
        (item.price, item.breaks()),
        (1000, &[(10, 900), (50, 850)][..]),
        "a tier that changes nothing is none"
    );
    assert_eq!([1, 9, 10, 49, 50].map(|quantity| item.at(quantity)), [1000, 1000, 900, 900, 850]);
    let cases = Offer { pieces: Some(d("12")), ..tiers(&[("0", "120"), ("2", "108")]) };
    let item = express(eur(), &cases).unwrap();
    assert_eq!((item.price, item.breaks()), (1000, &[(24, 900)][..]));
    let yen = Currency::from_code("JPY").unwrap();
    assert_eq!(express(yen, &plain("100")).unwrap().price, 100);
}

#[test]
fn what_a_catalog_cannot_say_is_told_with_its_reason() {
    let eleven: Vec<(Decimal, Decimal)> =
        (1..=12_i64).map(|step| (Decimal::from(step), Decimal::from(100 - step))).collect();
    let rule = Some(Rule { minimum: 6, maximum: Some(60), increment: 6 });
    let two = tiers(&[("1", "10"), ("10", "9")]);
    for (offer, why) in [
        (Offer { graduated: true, ..two.clone() }, Why::Graduated),
        (tiers(&[("5", "10")]), Why::FirstMinimum(d("5"))),
        (Offer { pieces: Some(d("12")), ..tiers(&[("1", "120")]) }, Why::FirstMinimum(d("12"))),
        (Offer::tiered(eleven), Why::TooManyBreaks(11)),
        (tiers(&[("1", "10"), ("1.5", "9")]), Why::Quantity(d("1.5"))),
        (tiers(&[("0", "10"), ("0.5", "9")]), Why::Quantity(d("0.5"))),
        (Offer { pieces: None, ..plain("1") }, Why::Unit),
        (plain("0.125"), Why::Decimals(d("0.125"))),
        (Offer { pieces: Some(d("0.3")), ..plain("1") }, Why::Decimals(d("1") / d("0.3"))),
        (plain("-1"), Why::Amount(d("-1"))),
        (Offer { rule, ..two.clone() }, Why::Rule(10)),
        (Offer::default(), Why::Unit),
        (Offer { tiers: Vec::new(), ..plain("1") }, Why::NoPrice),
        (Offer { at_the_cart: Some("buy 3, get 1".into()), ..plain("1") }, Why::Cart("buy 3, get 1".into())),
    ] {
        assert_eq!(express(eur(), &offer), Err(why.clone()), "{offer:?}");
        assert!(!why.to_string().is_empty() && !why.code().is_empty());
    }
    assert!(express(eur(), &Offer { graduated: true, ..plain("10") }).is_ok(), "one tier is one price");
}

#[test]
fn skus_are_found_whatever_their_case_and_those_that_are_not_there_are_told() {
    let list = wanted(
        "x",
        &[1],
        &[
            (" a ", plain("1")),
            ("b", plain("0.001")),
            ("Z", plain("1")),
            ("c", plain("1")),
            ("C", plain("2")),
        ],
    );
    let read = gather(&list, &shelf()).unwrap();
    assert_eq!(read.items.len(), 1);
    assert_eq!(read.unknown, ["Z"]);
    let left: Vec<(&str, &str)> = read.left.iter().map(|left| (left.sku.as_str(), left.why.code())).collect();
    assert_eq!(left, [("b", "decimals"), ("C", "twice")]);
    let told = serde_json::json!({ "sku": "C", "code": "twice", "why": "the list has it twice" });
    assert_eq!(serde_json::to_value(&read.left[1]).unwrap(), told);
}

/// The contract goes first, and where its price is the lowest the dealers' list may stand beside it.
#[test]
fn lists_stand_apart_where_the_lowest_price_is_that_of_resolution() {
    let contract = wanted("contract", &[1], &[("A", plain("7"))]);
    let dealers = wanted("dealers", &[1, 2], &[("A", plain("8")), ("B", plain("9"))]);
    let apart = arranged(&[contract, dealers]);
    assert_eq!(names(&apart), [("tidegate/contract EUR", vec![1]), ("tidegate/dealers EUR", vec![1, 2])]);
    assert_eq!(apart.merged, []);
}

#[test]
fn lists_are_merged_where_another_price_would_be_charged() {
    let dealers = || wanted("dealers", &[1, 2], &[("A", plain("8")), ("B", plain("9"))]);
    for (contract, sku) in [
        // Dearer than the dealers' price.
        (vec![("A", plain("8.50"))], "A"),
        // Dearer at some quantity.
        (vec![("A", tiers(&[("1", "7"), ("10", "8.01")]))], "A"),
        // Dearer than the shop's own price, at which the dealers' catalog offers what it has no price for.
        (vec![("C", plain("11"))], "C"),
    ] {
        let merged = arranged(&[wanted("contract", &[1], &contract), dealers()]);
        assert_eq!(merged.merged, [(vec![0, 1], Some(sku.to_owned()))]);
        let expected = [("tidegate/contract + dealers EUR", vec![1]), ("tidegate/dealers EUR", vec![2])];
        assert_eq!(names(&merged), expected);
    }
    let shelf = shelf();
    let all = [wanted("contract", &[1], &[("A", plain("8.50"))]), dealers()];
    let lists: Vec<List> = all.iter().map(|one| gather(one, &shelf).unwrap()).collect();
    let merged = arranged(&all);
    let diff = compare(&merged.catalogs[0], &lists, &shelf, &Held::new());
    let set: Vec<(u64, Minor)> =
        diff.changes.iter().map(|change| (change.variant, change.to.as_ref().unwrap().price)).collect();
    assert_eq!(set, [(100, 850), (101, 900)], "the contract's price goes before the dealers'");
}

#[test]
fn no_location_gets_more_catalogs_than_it_may_have() {
    let ids: Vec<String> = (0..26).map(|number| format!("l{number:02}")).collect();
    let all: Vec<Wanted> = ids.iter().map(|id| wanted(id, &[1], &[])).collect();
    let one = arranged(&all);
    assert_eq!((one.catalogs.len(), one.merged.len()), (1, 1));
    let shelf = shelf();
    let lists = vec![List::default(); 25];
    let foreign: BTreeMap<u64, usize> = [(1, 1)].into();
    let with_theirs = arrange(&all[..25], &lists, (&shelf, eur()), &foreign, "tidegate/");
    assert_eq!(with_theirs.catalogs.len(), 1);
    assert_eq!(arrange(&all[..25], &lists, (&shelf, eur()), &BTreeMap::new(), "t/").catalogs.len(), 25);
    let long: Vec<Wanted> = (0..26).map(|n| wanted(&format!("{n}{}", "x".repeat(30)), &[1], &[])).collect();
    let name = &arranged(&long).catalogs[0].name;
    assert!(name.chars().count() <= 255 && name.starts_with("tidegate/0xxx"), "{name}");
}

#[test]
fn a_list_for_nobody_and_one_that_a_person_made_are_told_apart() {
    let mut theirs = wanted("market", &[], &[]);
    theirs.place = Place::Existing("Spain".into());
    let all = arranged(&[wanted("nobody", &[], &[]), theirs]);
    assert_eq!((all.for_nobody.as_slice(), all.catalogs.len()), (&[0][..], 1));
    assert_eq!((all.catalogs[0].name.as_str(), all.catalogs[0].is_existing), ("Spain", true));
}

#[test]
fn each_difference_is_counted_and_the_largest_are_named() {
    let shelf = shelf();
    let all = [wanted(
        "x",
        &[1],
        &[
            ("A", plain("11")),
            ("B", plain("5")),
            ("C", plain("3")),
            ("D", tiers(&[("1", "10"), ("10", "9")])),
        ],
    )];
    let lists = [gather(&all[0], &shelf).unwrap()];
    let catalog = arranged(&all).catalogs.remove(0);
    let price = HeldItem::plain;
    let held: Held =
        [(100, price(1000)), (101, price(1000)), (103, price(1000)), (104, price(1)), (999, price(1))].into();
    let diff = compare(&catalog, &lists, &shelf, &held);
    let counts = Counts { new: 1, up: 1, down: 1, gone: 2, quantities: 1, same: 0 };
    assert_eq!((diff.counts, diff.counts.changes()), (counts, 6));
    let largest: Vec<(&str, Minor, Minor)> =
        diff.largest.iter().map(|one| (one.sku.as_str(), one.from, one.to)).collect();
    assert_eq!(largest, [("B", 1000, 500), ("A", 1000, 1100)]);
    let calls = batches(diff.changes);
    let sizes: Vec<_> = calls.iter().map(|call| (call.changes.len(), call.has_quantities)).collect();
    assert_eq!(sizes, [(5, false), (1, true)]);
}

fn item() -> impl Strategy<Value = Item> {
    let breaks = prop::collection::btree_map(2_u32..60, 1_i64..40, 0..4);
    (1_i64..40, breaks, 1_u32..3).prop_map(|(price, breaks, increment)| {
        let rule = Rule { minimum: increment, maximum: None, increment };
        Item::new(price, Quantities { breaks: breaks.into_iter().collect(), rule })
    })
}

fn held_of(item: &Item) -> HeldItem {
    HeldItem { price: Some(item.price), quantities: item.quantities.clone() }
}

proptest! {
    /// Done as they say, the changes make what is wanted of whatever is there, and then there are none; no call is too long.
    #[test]
    fn changes_make_of_what_is_there_what_is_wanted(
        to in prop::collection::btree_map(0_u32..400, item(), 0..300),
        from in prop::collection::btree_map(0_u64..400, item(), 0..300),
    ) {
        let mut shelf = Shelf::default();
        (0..400_u64).for_each(|number| shelf.add(&format!("S{number}"), number, None));
        let lists = [List { items: to.clone().into_iter().collect(), ..List::default() }];
        let catalog = Catalog { name: "x".into(), currency: eur(), locations: BTreeSet::new(), is_existing: false, lists: vec![0] };
        let mut held: Held = from.iter().map(|(variant, item)| (*variant, held_of(item))).collect();
        let diff = compare(&catalog, &lists, &shelf, &held);
        let count = diff.changes.len();
        let calls = batches(diff.changes);
        prop_assert_eq!(calls.iter().map(|call| call.changes.len()).sum::<usize>(), count);
        for call in &calls {
            let sum = |of: &dyn Fn(&Change) -> usize| call.changes.iter().map(of).sum::<usize>();
            let breaks = sum(&|change| change.to.as_ref().filter(|_| change.sets_breaks).map_or(0, |to| to.breaks().len()));
            prop_assert!(breaks <= ARRAY_MAX && sum(&|change| usize::from(change.to.is_some())) <= ARRAY_MAX);
            for change in &call.changes {
                prop_assert!(call.has_quantities || !change.is_of_quantities());
                let there = held.entry(change.variant).or_default();
                match &change.to {
                    Some(item) => {
                        if change.sets_price { there.price = Some(item.price); }
                        if change.has_breaks { there.quantities_mut().breaks.clear(); }
                        if change.sets_breaks { there.quantities_mut().breaks = item.breaks().to_vec(); }
                    }
                    None => { there.price = None; there.quantities_mut().breaks.clear(); }
                }
                if let Some(rule) = change.rule { there.quantities_mut().rule = rule; }
            }
        }
        prop_assert_eq!(compare(&catalog, &lists, &shelf, &held).counts.changes(), 0);
    }

    /// Lists that stand apart charge what resolution says: the first list's price.
    #[test]
    fn the_lowest_over_catalogs_is_the_first_that_has_a_price(
        first in prop::collection::btree_map(0_u32..5, item(), 0..5),
        second in prop::collection::btree_map(0_u32..5, item(), 0..5),
    ) {
        let mut shelf = Shelf::default();
        (0..5_u64).for_each(|number| shelf.add(&format!("S{number}"), number, Some(20)));
        let list = |items: &BTreeMap<u32, Item>| List { items: items.clone().into_iter().collect(), ..List::default() };
        let lists = [list(&first), list(&second)];
        let all = [wanted("one", &[1], &[]), wanted("two", &[1], &[])];
        let done = arrange(&all, &lists, (&shelf, eur()), &BTreeMap::new(), "");
        for good in 0..5 {
            for quantity in [1, 2, 5, 30, 60] {
                let Some(right) = first.get(&good).or(second.get(&good)) else { continue };
                let offer = |catalog: &Catalog| {
                    let items = catalog.lists.iter().filter_map(|at| [&first, &second][*at].get(&good));
                    items.map(|item| item.at(quantity)).next().unwrap_or(20)
                };
                prop_assert_eq!(done.catalogs.iter().map(offer).min(), Some(right.at(quantity)));
            }
        }
    }
}
