//! Against the real Tryton: what the worked mapping makes of orders (mappings/cases/orders_to_tryton) is taken as it
//! is, once products of those codes are there. The products are the seed's; everything else is the cases' own.

use super::contract::Tryton;
use super::real::{done, refused};
use super::wire;
use kernel::flow::Difference;
use serde_json::{Value, json};
use std::path::PathBuf;

fn cases() -> Vec<(String, Value)> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../mappings/cases/orders_to_tryton"));
    let mut cases: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(path.join("expected.json")).ok()?;
            Some((path.file_name()?.to_string_lossy().into_owned(), serde_json::from_str(&text).unwrap()))
        })
        .collect();
    cases.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(cases.len() >= 3, "{cases:?}");
    cases
}

/// One record, made where it is not there.
async fn ensure(admin: &Tryton, model: &str, domain: Value, make: impl AsyncFnOnce()) -> i64 {
    let search = || vec![domain.clone(), json!(0), json!(1), json!(null)];
    let method = format!("model.{model}.search");
    if admin.ask(&method, search()).await == json!([]) {
        make().await;
    }
    admin.ask(&method, search()).await[0].as_i64().unwrap()
}

/// What the cases need and the seed does not have.
async fn furnish(admin: &Tryton) {
    let amount = |text: &str| wire::decimal(text.parse().unwrap());
    ensure(admin, "party.party", json!([["code", "=", "CUST-WEB"]]), async || {
        let address =
            json!([["create", [{"street_unstructured": "Online", "city": "Rotterdam", "country": 1}]]]);
        let party = json!([{"code": "CUST-WEB", "name": "Web orders", "addresses": address}]);
        admin.ask("model.party.party.create", vec![party]).await;
    })
    .await;
    let yen = ensure(admin, "currency.currency", json!([["code", "=", "JPY"]]), async || {
        let yen =
            json!([{"code": "JPY", "name": "Yen", "symbol": "¥", "rounding": amount("1"), "digits": 0}]);
        admin.ask("model.currency.currency.create", vec![yen]).await;
    })
    .await;
    ensure(admin, "currency.currency.rate", json!([["currency", "=", yen]]), async || {
        let rate = json!([{"currency": yen, "rate": amount("160"), "date": wire::date("2020-01-01".parse().unwrap())}]);
        admin.ask("model.currency.currency.rate.create", vec![rate]).await;
    })
    .await;
    ensure(admin, "account.tax", json!([["rate", "=", amount("0.1")]]), async || {
        let values = json!({"name": "VAT 10 %", "description": "VAT 10 %", "rate": amount("0.1")});
        admin.ask("model.account.tax.copy", vec![json!([1]), values]).await;
    })
    .await;
}

#[tokio::test]
async fn real_tryton_takes_what_the_worked_mapping_makes() {
    let tryton = Tryton::real();
    furnish(&tryton.as_admin()).await;
    let connector = tryton.here();
    for (name, body) in cases() {
        let mut wanted = tryton.order();
        wanted.body = body;
        wanted.difference = Difference::AdjustLine;
        let named = |line: &Value| line["product"]["$ref"]["value"].as_str().map(str::to_owned);
        let codes: Vec<String> = wanted.body["lines"].as_array().unwrap().iter().filter_map(named).collect();
        let (_, fault) = refused(&*connector, &mut wanted).await;
        let missing = fault.missing.clone().unwrap_or_else(|| panic!("{name}: {fault}"));
        assert!(codes.contains(&missing.value) && missing.kind == "product", "{name}: {fault}");
        let goods = wanted.body["lines"].as_array_mut().unwrap().iter_mut();
        for (number, line) in goods.filter(|line| line["kind"] == "goods").enumerate() {
            // Every fifth is sold by weight.
            line["product"]["$ref"]["value"] = json!(format!("SKU-{:04}", number % 4 + 1));
        }
        let (_, ended) = done(&*connector, &mut wanted).await;
        let id: i64 = ended.external.id.parse().unwrap();
        let fields = json!([
            "state",
            "total_amount",
            "untaxed_amount",
            "tax_amount",
            "party.code",
            "shipment_address.attn"
        ]);
        let sale = tryton.ask("model.sale.sale.read", vec![json!([id]), fields]).await[0].clone();
        assert_eq!(sale["state"], "processing", "{name}");
        for (field, total) in [("untaxed_amount", "net"), ("tax_amount", "tax"), ("total_amount", "gross")] {
            let stored = wire::read_decimal(&sale[field]).unwrap();
            let wanted: rust_decimal::Decimal =
                wanted.body["totals"][total].as_str().unwrap().parse().unwrap();
            assert_eq!(stored, wanted, "{name}: {total} ({:?})", ended.note);
        }
        assert_eq!(sale["party."]["code"], wanted.body["party"]["$ref"]["value"], "{name}");
        if let Some(person) = wanted.body["shipment_address"]["name"].as_str() {
            assert_eq!(sale["shipment_address."]["attn"], person, "{name}");
        }
    }
}
