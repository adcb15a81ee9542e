//! The worked mappings of `mappings/` against the published order schema and every canonical order of the fixtures:
//! what they make is valid by the target's schema and adds up to the order's own totals.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidegate_mapping::{Context, Mapping, Schema, cases};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn json_file(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

fn schema(name: &str) -> Value {
    match name {
        "order" => json_file("docs/schema/order.schema.json"),
        // Any object: what the target's own configuration makes of it.
        "http.object" => serde_json::json!({ "type": "object" }),
        "refund" => json_file("docs/schema/refund.schema.json"),
        "shipment" => json_file("docs/schema/shipment.schema.json"),
        "shopify.hold" => json_file("crates/shopify/schemas/hold.schema.json"),
        "shopify.fulfillment" => json_file("crates/shopify/schemas/fulfillment.schema.json"),
        "stock" => json_file("docs/schema/stock.schema.json"),
        "shopify.inventory" => json_file("crates/shopify/schemas/inventory.schema.json"),
        "shopify.order_write_back" => json_file("crates/shopify/schemas/order_write_back.schema.json"),
        name => json_file(&format!("crates/mapping/schemas/{name}.schema.json")),
    }
}

pub(crate) fn worked(file: &str) -> (Mapping, jsonschema::Validator) {
    let text = std::fs::read_to_string(root().join("mappings").join(file)).unwrap();
    let header = Mapping::header_of(file, &text).unwrap();
    let read = |name: &str| {
        let document = schema(name.split('/').next().unwrap());
        (Schema::new(name, &document).unwrap(), document)
    };
    let ((source, _), (target, document)) = (read(&header.source), read(&header.target));
    let mapping = Mapping::load(file, &text, &source, &target).unwrap_or_else(|errors| {
        let lines: Vec<String> =
            errors.iter().map(|e| format!("{}:{} {} {:?}", file, e.position().0, e, e.help)).collect();
        panic!("{}", lines.join("\n"))
    });
    (mapping, jsonschema::validator_for(&document).unwrap())
}

pub(crate) fn context() -> Context {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap();
    Context::new("2026-11-24T08:00:00Z".parse().unwrap(), zone, "acme-order-5678")
}

/// The canonical orders of the domain's fixtures.
fn orders() -> Vec<(String, Value)> {
    let folder = root().join("crates/domains/tests/fixtures/pairs");
    let mut orders = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path().join("canonical.json");
        if let Ok(text) = std::fs::read_to_string(&path) {
            let mut order: Value = serde_json::from_str(&text).unwrap();
            // Companies and terms that the mappings' tables have.
            if !order["company"].is_null() {
                order["company"]["company_location_id"] = json!("76500000001");
            }
            if !order["payment_terms"].is_null() {
                order["payment_terms"]["name"] = json!("Net 30");
            }
            let name = path.parent().and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
            orders.push((name, order));
        }
    }
    orders.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(orders.len() >= 5, "the fixtures are gone");
    orders
}

pub(crate) fn decimal(value: &Value) -> Decimal {
    Decimal::from_str(value.as_str().unwrap_or_else(|| panic!("{value} is no decimal"))).unwrap()
}

pub(crate) fn sum(lines: &[Value], of: impl Fn(&Value) -> Decimal) -> Decimal {
    lines.iter().map(of).sum()
}

/// Lines and tax of the back office's sale give the order's own total.
pub(crate) fn adds_up_at_the_back_office(name: &str, order: &Value, body: &Value) {
    let lines = body["lines"].as_array().unwrap();
    let base = sum(lines, |line| {
        let discount = line.get("discount").map_or(Decimal::ZERO, decimal);
        decimal(&line["quantity"]) * decimal(&line["unit_price"]) - discount
    });
    let tax = sum(lines, |line| line.get("tax").map_or(Decimal::ZERO, decimal));
    let included = body["tax_included"] == true;
    let gross = if included { base } else { base + tax };
    assert_eq!(gross, decimal(&order["totals"]["current"]["total"]["shop"]["amount"]), "{name}: {body:#}");
    assert_eq!(tax, decimal(&order["totals"]["current"]["tax"]["shop"]["amount"]), "{name}: {body:#}");
    assert_eq!(decimal(&body["totals"]["gross"]), gross, "{name}");
    assert_eq!(decimal(&body["totals"]["net"]) + tax, gross, "{name}");
}

/// Unit prices of the Tryton sale give its nets, and its lines the order's own total.
pub(crate) fn adds_up_in_tryton(name: &str, order: &Value, body: &Value) {
    let lines = body["lines"].as_array().unwrap();
    for line in lines {
        let (quantity, price, net) =
            (decimal(&line["quantity"]), decimal(&line["unit_price"]), decimal(&line["net"]));
        // Four decimals of a unit price leave at most half of the last for each piece.
        let slack = quantity * Decimal::from_str("0.00005").unwrap();
        assert!((quantity * price - net).abs() <= slack, "{name}: {line:#}");
        assert_eq!(net + decimal(&line["tax"]), decimal(&line["gross"]), "{name}: {line:#}");
        let taxes = sum(line["taxes"].as_array().unwrap(), |tax| decimal(&tax["amount"]));
        assert!(
            (taxes - decimal(&line["tax"])).abs() <= Decimal::from_str("0.01").unwrap(),
            "{name}: {line:#}"
        );
    }
    let gross = decimal(&order["totals"]["current"]["total"]["shop"]["amount"]);
    assert_eq!(sum(lines, |line| decimal(&line["gross"])), gross, "{name}: {body:#}");
    assert_eq!(decimal(&body["totals"]["gross"]), gross, "{name}");
}

#[test]
fn every_order_becomes_a_sale_of_the_back_office_that_adds_up() {
    let (mapping, validator) = worked("orders_to_http_erp.toml");
    for (name, order) in orders() {
        let body = mapping.run(&order, &context()).unwrap_or_else(|fault| panic!("{name}: {fault}")).body;
        assert!(validator.is_valid(&body), "{name}: {:?}", validator.validate(&body));
        adds_up_at_the_back_office(&name, &order, &body);
    }
}

#[test]
fn every_order_becomes_a_tryton_sale_whose_unit_prices_give_its_amounts() {
    let (mapping, validator) = worked("orders_to_tryton.toml");
    for (name, order) in orders() {
        let body = mapping.run(&order, &context()).unwrap_or_else(|fault| panic!("{name}: {fault}")).body;
        assert!(validator.is_valid(&body), "{name}: {:?}", validator.validate(&body));
        adds_up_in_tryton(&name, &order, &body);
    }
    let kinds: Vec<&str> = mapping.references().iter().map(|reference| reference.kind.as_str()).collect();
    assert_eq!(kinds, ["party", "payment_term", "product"]);
}

/// Medusa adds up what its lines and its shipping come to, and rounds nothing: what is paid is the order's own total.
pub(crate) fn adds_up_in_medusa(name: &str, order: &Value, body: &Value) {
    let lines = sum(body["lines"].as_array().unwrap(), |line| {
        decimal(&line["quantity"]) * decimal(&line["unit_price"])
    });
    let shipping = body.get("shipping").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let total = lines + sum(shipping, |way| decimal(&way["amount"]));
    let gross = decimal(&order["totals"]["current"]["total"]["shop"]["amount"]);
    let mut names: Vec<&str> =
        body["lines"].as_array().unwrap().iter().map(|line| line["line"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{name}: two lines of one name: {names:?}");
    // Half of the last of six decimals, for each piece of each line.
    assert!((total - gross).abs() < Decimal::from_str("0.005").unwrap(), "{name}: {total} {body:#}");
    assert_eq!(decimal(&body["gross"]), gross, "{name}");
}

#[test]
fn every_order_becomes_an_order_of_medusa_that_adds_up() {
    let (mapping, validator) = worked("orders_to_medusa.toml");
    for (name, order) in orders() {
        let body = mapping.run(&order, &context()).unwrap_or_else(|fault| panic!("{name}: {fault}")).body;
        assert!(validator.is_valid(&body), "{name}: {:?}", validator.validate(&body));
        adds_up_in_medusa(&name, &order, &body);
    }
    let kinds: Vec<&str> = mapping.references().iter().map(|reference| reference.kind.as_str()).collect();
    assert_eq!(kinds, ["variant"]);
}

#[test]
fn a_company_location_without_a_row_is_named() {
    let (mapping, _) = worked("orders_to_tryton.toml");
    let (_, mut order) = orders().remove(0);
    order["company"] = json!({"company_id": "1", "company_location_id": "4711"});
    let fault = mapping.run(&order, &context()).unwrap_err();
    assert_eq!((fault.code.as_str(), fault.target_path.as_str()), ("TG-2103", "party"));
    assert_eq!(fault.source_path, "company.company_location_id");
    assert_eq!(fault.value.as_deref(), Some("4711"));
    order["company"]["company_location_id"] = json!("76500000002");
    let body = mapping.run(&order, &context()).unwrap().body;
    assert_eq!(body["party"], json!({"$ref": {"kind": "party", "value": "CUST-002"}}));
    order["company"]["company_location_id"] = Value::Null;
    assert_eq!(mapping.run(&order, &context()).unwrap_err().code.as_str(), "TG-2101");
}

#[test]
fn the_number_goes_back_to_the_order() {
    let (mapping, validator) = worked("erp_number_to_shopify.toml");
    let told = json!({"id": "17", "number": "SO-000017", "state": null, "object_key": "acme-order-5678",
        "told_at": "2026-11-24T08:00:00Z"});
    let body = mapping.run(&told, &context()).unwrap().body;
    assert!(validator.is_valid(&body));
    assert_eq!(body, json!({"erp": {"number": "SO-000017"}}));
    let waiting = json!({"id": "17", "number": null, "state": null, "object_key": "acme-order-5678",
        "told_at": "2026-11-24T08:00:00Z"});
    assert_eq!(mapping.run(&waiting, &context()).unwrap().body, json!({}));
}

#[test]
fn the_cases_beside_the_worked_mappings_hold() {
    let folder = root().join("mappings/cases");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let (mapping, _) = worked(&format!("{name}.toml"));
        let report = cases::run(&mapping, &cases::read_folder(&folder).unwrap());
        assert!(report.is_good(), "{report}");
    }
}
