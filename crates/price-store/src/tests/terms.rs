//! Terms: refused as a whole, told field by field, of one version with the prices.

use super::given::{at, load, price};
use crate::{Guards, Mode, Options, PriceStore, PriceStoreError};
use pricing::{Buyer, Line, Resolver};

const TERMS: &str = r#"
[[lists]]
id = "dealer"
kind = "list"
currency = "EUR"
for = "everyone"

[[promotions]]
id = "spring"
skus = "*"
percent_off = "10"
"#;

fn open(folder: &std::path::Path) -> PriceStore {
    PriceStore::open(folder, Options { guards: Guards::none() }).unwrap()
}

fn total(store: &PriceStore) -> Option<String> {
    let version = store.current();
    let book = version.book();
    let buyer = Buyer::default();
    let currency = kernel::money::Currency::from_code("EUR").unwrap();
    let resolver = Resolver::new(version.terms(), &book, &buyer, currency, at(0).as_second());
    let line = |sku| Line { sku, quantity: 2.into(), unit: kernel::quantity::Unit::piece() };
    let (asked, others) = (line(" x-1"), ["none", "", "x-1\n", "y"].map(line));
    // All at once, few and many: of each what is said of it alone.
    for count in [0, 1, 40] {
        let lines = || std::iter::once(&asked).chain(others.iter().cycle().take(count));
        let alone: Vec<_> = lines().map(|line| resolver.price(line)).collect();
        assert_eq!(resolver.prices(lines()), alone, "{count} others");
    }
    resolver.price(&asked).ok().map(|priced| priced.total.to_string())
}

#[test]
fn a_cart_is_resolved_with_the_terms_of_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    load(&store, Mode::All, "other Y 1, dealer X-1 10", 0).unwrap();
    assert_eq!(total(&store), None);
    let held = store.current();
    let outcome = store.set_terms(TERMS.as_bytes(), "Ada", false, at(1)).unwrap();
    assert_eq!((outcome.version, outcome.lists_unknown), (Some(2), vec!["other".to_owned()]));
    assert_eq!((total(&store).as_deref(), held.terms().lists().len()), (Some("18"), 0));
    // A list that is loaded after the terms that name it.
    let more = TERMS.replace("dealer", "later");
    let outcome = store.set_terms(more.as_bytes(), "Ada", false, at(2)).unwrap();
    assert_eq!((total(&store), outcome.lists_empty), (None, vec!["later".to_owned()]));
    load(&store, Mode::Changes, "later X-1 20", 3).unwrap();
    assert_eq!(total(&store).as_deref(), Some("36"));
    drop((store, held));
    let store = open(folder.path());
    assert_eq!(total(&store).as_deref(), Some("36"));
    assert_eq!(store.current().price_of("dealer", "x-1"), Some(price("10")));
}

#[test]
fn what_differs_is_told_field_by_field_and_a_dry_run_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = store.set_terms(TERMS.as_bytes(), "Ada", false, at(1)).unwrap();
    let told = |outcome: &crate::TermsOutcome| -> Vec<String> {
        let text =
            |value: &Option<serde_json::Value>| value.as_ref().map_or("–".to_owned(), ToString::to_string);
        let changes = outcome.difference.iter();
        changes
            .map(|change| {
                let field = change.field.as_deref().unwrap_or("all");
                let after = if change.field.is_some() { text(&change.after) } else { "…".to_owned() };
                format!("{} {} {field}: {} → {after}", change.section, change.id, text(&change.before))
            })
            .collect()
    };
    assert_eq!(told(&first), ["lists dealer all: – → …", "promotions spring all: – → …"]);
    let json = serde_json::json!({
        "zone": "Europe/Berlin",
        "lists": [{"id": "dealer", "kind": "list", "currency": "EUR", "for": "everyone"}],
        "promotions": [{"id": "spring", "skus": "*", "percent_off": "15", "state": "draft"}],
        "units": [{"unit": "CS", "pieces": "12", "sku": "X-1"}],
    })
    .to_string();
    let dry = store.set_terms(json.as_bytes(), "Ada", true, at(2)).unwrap();
    assert_eq!(
        told(&dry),
        [
            r#"promotions spring percent_off: "10" → "15""#,
            r#"promotions spring state: "approved" → "draft""#,
            "units CS of X-1 all: – → …",
            "zone zone all: – → …",
        ]
    );
    assert_eq!((dry.version, store.current().number()), (None, 1));
    assert_eq!(store.set_terms(TERMS.as_bytes(), "Ada", false, at(3)).unwrap().version, None);
    store.set_terms(json.as_bytes(), "Ada", false, at(4)).unwrap();
    assert_eq!(store.current().terms_document().unwrap().0, json.as_bytes());
}

#[test]
fn terms_with_a_fault_are_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let faults = |text: &str| store.set_terms(text.as_bytes(), "Ada", false, at(1)).unwrap_err();
    let PriceStoreError::Terms(found) = faults(&TERMS.replace("EUR", "EURO").replace("\"10\"", "\"-10\""))
    else {
        panic!("not refused")
    };
    assert_eq!(found.len(), 2);
    assert!(matches!(faults("{\"lists\": 1}"), PriceStoreError::TermsUnreadable(_)));
    assert!(matches!(faults("lists = 1"), PriceStoreError::TermsUnreadable(_)));
    assert_eq!(store.current().number(), 0);
}
