//! The figures add up to what may be sold, and what is promised is what would be sold by then.

use super::*;
use crate::inventory::bundles::Bundles;
use crate::inventory::{canonical, composed, pools::Pools, read, sharing};
use serde_json::{Value, json};
use std::sync::Arc;

fn level(sku: &str, at: &str, more: Value) -> Vec<u8> {
    let mut level = json!({"sku": sku, "location": at, "changed_at": "2026-11-26T14:00:00Z"});
    level.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    level.to_string().into_bytes()
}

fn rules() -> Rules {
    let rules = Rules::parse(&["10%".to_owned()], &["case = 12 each".to_owned()]).unwrap();
    let bundles = Bundles::parse(b"bundle,component,quantity\nSET,TABLE,1\nSET,CHAIR,4\n", &rules).unwrap();
    rules.with_bundles(Arc::new(bundles), &[]).unwrap()
}

type Said = (String, Option<String>, Option<i64>);

fn promises(figures: &Figures) -> Vec<Said> {
    let of = |promise: &Promise| {
        let quantity = promise.quantity.map(|quantity| quantity.to_string());
        let at = promise.at.map_or_else(|| "some day".to_owned(), |at| at.strftime("%F").to_string());
        (at, quantity, promise.available)
    };
    figures.incoming.iter().map(of).collect()
}

fn due(quantity: &str, day: &str) -> Value {
    json!({"quantity": quantity, "at": format!("{day}T00:00:00Z")})
}

fn said(day: &str, quantity: Option<&str>, available: i64) -> Said {
    (day.to_owned(), quantity.map(str::to_owned), Some(available))
}

#[test]
fn of_what_comes_without_a_date_nothing_is_promised() {
    let incoming = json!([{"quantity": "4"}, due("2", "2026-12-01"), {"quantity": 3, "at": null}]);
    let level = level("LAMP", "WH-1", json!({"on_hand": "5", "incoming": incoming}));
    let stock = read(&level).unwrap();
    let figures = figures(&stock, &Rules::default()).unwrap();
    let some_day = ("some day".to_owned(), Some("7".to_owned()), None);
    assert_eq!(promises(&figures), [said("2026-12-01", Some("2"), 7), some_day]);
    let body = canonical(&stock, &Rules::default()).unwrap().body;
    assert_eq!(body["incoming"][0], json!({"quantity": "4", "at": null}));
    // As a file or a connector writes it, it is the same level.
    assert_eq!(read(&crate::inventory::drop::payload(&stock)).unwrap(), stock);
}

#[test]
fn a_level_s_figures_add_up_and_what_comes_is_promised_by_the_same_rules() {
    let rules = rules();
    let incoming = json!([due("2", "2026-12-09"), due("1", "2026-12-01"), due("0.5", "2026-12-09")]);
    let level = level(
        "SKU-0001",
        "WH-1",
        json!({"on_hand": "10", "reserved": "1", "safety": "1", "unit": "case", "incoming": incoming}),
    );
    let stock = read(&level).unwrap();
    let figures = figures(&stock, &rules).unwrap();
    let shelf = figures.shelf.clone().unwrap();
    assert_eq!((shelf.on_hand, shelf.reserved, shelf.safety), (120.into(), 12.into(), 24.into()));
    let available = canonical(&stock, &rules).unwrap().available;
    assert_eq!(shelf.on_hand - shelf.reserved - shelf.safety, available.into());
    // Of 132 on hand 10 % are kept back as well, and of 162.
    assert_eq!(promises(&figures), [said("2026-12-01", Some("12"), 94), said("2026-12-09", Some("30"), 121)]);
}

#[test]
fn what_is_composed_has_the_sum_and_a_bundle_what_its_components_allow_by_then() {
    let rules = rules();
    let chairs = level("CHAIR", "WH-1", json!({"on_hand": "30", "incoming": [due("20", "2026-12-01")]}));
    let tables = level("TABLE", "WH-1", json!({"on_hand": "20"}));
    let of = |sku: &str, _: &str| Some(if sku == "CHAIR" { chairs.as_slice() } else { tables.as_slice() });
    let set = composed::write("SET", "WH-1", &sharing::made_of(&rules, "SET", "WH-1"), of);
    let set = composed::read(&set).unwrap();
    assert_eq!(set.canonical(&rules).unwrap().available, 6, "27 chairs");
    let figures = set.figures(&rules).unwrap();
    assert_eq!(figures.shelf, None);
    assert_eq!(promises(&figures), [said("2026-12-01", None, 11)], "45 chairs");

    let rules = Rules::default().with_pools(Pools::parse(&["ALL = WH-1 + WH-2".to_owned()]).unwrap());
    let one =
        level("LAMP", "WH-1", json!({"on_hand": "5", "reserved": "2", "incoming": [due("3", "2026-12-01")]}));
    let other = level("LAMP", "WH-2", json!({"on_hand": "7", "incoming": [due("4", "2026-12-01")]}));
    let of = |_: &str, at: &str| Some(if at == "WH-1" { one.as_slice() } else { other.as_slice() });
    let pool = composed::write("LAMP", "ALL", &sharing::made_of(&rules, "LAMP", "ALL"), of);
    let figures = composed::read(&pool).unwrap().figures(&rules).unwrap();
    let shelf = figures.shelf.clone().unwrap();
    assert_eq!((shelf.on_hand, shelf.reserved, shelf.safety), (12.into(), 2.into(), 0.into()));
    assert_eq!(promises(&figures), [said("2026-12-01", Some("7"), 17)]);
}
