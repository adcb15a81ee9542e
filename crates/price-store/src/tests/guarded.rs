//! Each guard, and the difference that is shown.

use super::given::{at, load, many, request, rows};
use crate::{Guards, LoadRequest, Mode, Options, Outcome, PriceForm, PriceStore, Row};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

const TERMS: &str = r#"
[[lists]]
id = "a"
kind = "list"
currency = "EUR"
for = "everyone"

[[lists]]
id = "b"
kind = "list"
currency = "CHF"
for = "everyone"
"#;

fn alike(list: &str, numbers: std::ops::Range<u32>, price: &str) -> String {
    many(list, numbers, |_| price.to_owned())
}

/// What a load upon 100 prices of list a and 2 of list b would be held for.
fn reasons(guards: Guards, mode: Mode, text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let store = PriceStore::open(folder.path(), Options { guards }).unwrap();
    store.set_terms(TERMS.as_bytes(), "Ada", false, at(0)).unwrap();
    let first = format!("{},{}", alike("a", 0..100, "10"), alike("b", 0..2, "10"));
    let outcome = load(&store, Mode::All, &first, 1).unwrap();
    assert!(matches!(outcome, Outcome::Live { .. }));
    let dry = LoadRequest { dry_run: true, ..request(mode) };
    let Outcome::DryRun { reasons, .. } = store.load(dry, rows(text).into_iter(), at(2)).unwrap() else {
        panic!("no dry run")
    };
    reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn each_guard_says_in_words_what_it_found() {
    let text = |from, to, price| alike("a", from..to, price);
    let cases: [(Mode, String, &[&str]); 9] = [
        (Mode::Changes, text(0, 30, "11"), &[]),
        (Mode::Changes, text(0, 31, "11"), &["31 of 100 prices change or go, more than 30 %"]),
        (Mode::Changes, text(0, 1, "6"), &[]),
        (
            Mode::Changes,
            text(0, 1, "5.99"),
            &["1 prices fall by more than 40 %; the most: SKU-0 in a, by 40.1 %"],
        ),
        (Mode::Changes, "a NEW 0".into(), &["1 prices become zero; the first: NEW in a"]),
        (Mode::Lists(vec![]), text(0, 90, "10"), &[]),
        (Mode::Lists(vec![]), text(0, 89, "10"), &["the list a shrinks from 100 to 89 prices"]),
        (
            Mode::Lists(vec!["b".into()]),
            text(0, 100, "10"),
            &["no list in CHF has a price any more", "the list b shrinks from 2 to 0 prices"],
        ),
        // Of few prices no share is judged; that a list is emptied is told always.
        (Mode::Lists(vec![]), "b SKU-0 11".into(), &[]),
    ];
    for (mode, rows, expected) in cases {
        assert_eq!(reasons(Guards::default(), mode.clone(), &rows), expected, "{mode:?} {rows}");
        assert_eq!(reasons(Guards::none(), mode, &rows), [""; 0]);
    }
}

#[test]
fn a_limit_has_decimals_and_a_first_load_is_not_held() {
    let guards = Guards { fall_percent: Some(Decimal::new(405, 1)), ..Guards::default() };
    assert_eq!(reasons(guards, Mode::Changes, "a SKU-0 5.99"), [""; 0]);
    assert_eq!(reasons(Guards::default(), Mode::Changes, &alike("new", 0..500, "3")), [""; 0]);
}

fn weigh(before: &str, after: &str) -> crate::Diff {
    let folder = tempfile::tempdir().unwrap();
    let store = PriceStore::open(folder.path(), Options { guards: Guards::default() }).unwrap();
    let row = |form: &str| {
        let form: PriceForm = serde_json::from_str(form).unwrap();
        let price = Some(form.read(&TimeZone::UTC).unwrap());
        std::iter::once(Ok(Row { list: "a".into(), sku: "X".into(), price, line: None }))
    };
    store.load(request(Mode::Changes), row(before), at(0)).unwrap();
    match store.load(LoadRequest { dry_run: true, ..request(Mode::Changes) }, row(after), at(1)).unwrap() {
        Outcome::DryRun { diff, .. } => diff,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fall_is_seen_at_every_quantity_and_in_a_validity_to_come() {
    let tiers = |last: &str| format!(r#"[{{"tiers":[["1","10"],["100","{last}"]]}}]"#);
    let diff = weigh(&tiers("8"), &tiers("4"));
    assert_eq!((diff.total.down, diff.largest_falls[0].percent.as_deref()), (1, Some("-50")));
    let coming = |amount: &str| {
        format!(
            r#"[{{"valid_until":"2027-12-31","tiers":[["1","10"]]}},{{"valid_from":"2028-01-01","tiers":[["1","{amount}"]]}}]"#
        )
    };
    let diff = weigh(&coming("10.5"), &coming("1"));
    assert_eq!(
        (diff.total.down, diff.falls_beyond, diff.largest_falls[0].percent.as_deref()),
        (1, 1, Some("-90.5"))
    );
    // A plain price that becomes one of windows is compared where both say something.
    let diff = weigh(r#""10""#, &coming("12"));
    assert_eq!((diff.total.up, diff.largest_rises[0].percent.as_deref()), (1, Some("20")));
    // Up for one piece and down for a hundred, and another unit: neither up nor down.
    let diff = weigh(&tiers("8"), r#"[{"tiers":[["1","11"],["100","7"]]}]"#);
    assert_eq!((diff.total.other, diff.total.up, diff.total.down), (1, 0, 0));
    let diff = weigh(r#""10""#, r#"[{"unit":"CS","tiers":[["1","10"]]}]"#);
    assert_eq!((diff.total.other, diff.largest_falls.len()), (1, 0));
    // A price that was written in another way is the same.
    assert_eq!(weigh(r#""10""#, r#"[{"tiers":[["1","10.000"]]}]"#).total.same, 1);
}

#[test]
fn of_many_changes_the_ten_largest_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = PriceStore::open(folder.path(), Options { guards: Guards::none() }).unwrap();
    load(&store, Mode::All, &alike("a", 0..300, "100"), 0).unwrap();
    let other = many("a", 0..300, |number| (number * 37 % 300).to_string());
    let Outcome::Live { diff, .. } = load(&store, Mode::All, &other, 1).unwrap() else { panic!("not live") };
    let told = |changes: &[crate::PriceChange]| {
        changes.iter().map(|change| change.percent.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(told(&diff.largest_falls), (0..10).map(|fall| format!("-{}", 100 - fall)).collect::<Vec<_>>());
    assert_eq!(told(&diff.largest_rises), (0..10).map(|rise| format!("{}", 199 - rise)).collect::<Vec<_>>());
    assert_eq!((diff.total.up, diff.total.down, diff.total.same, diff.zeros), (199, 100, 1, 1));
}
