//! What is read of a shipment, and what is refused with its place.

use super::*;
use serde_json::{Value, json};

fn good() -> Value {
    json!({
        "shipment": "SH-1",
        "order": "5678",
        "location": "WH-1",
        "lines": [{ "sku": "SKU-1", "quantity": "2" }, { "sku": " SKU-2 ", "quantity": 1 }],
        "tracking": { "company": "DHL", "numbers": ["00340434", " ", "00340434"], "urls": ["https://dhl.example/1"] },
        "notify_customer": true,
        "shipped_at": "2026-11-26T14:00:00Z",
    })
}

fn of(body: &Value) -> Result<Shipment, ShipmentFault> {
    read(body.to_string().as_bytes())
}

#[test]
fn a_shipment_is_read_exactly() {
    let shipment = of(&good()).unwrap();
    let line = |sku: &str, quantity| Line { sku: sku.to_owned(), quantity };
    assert_eq!(shipment.lines, [line("SKU-1", 2), line("SKU-2", 1)]);
    assert_eq!(shipment.tracking.numbers, ["00340434"]);
    assert_eq!((shipment.location.as_deref(), shipment.notify_customer), (Some("WH-1"), true));
    let again = super::super::canonical(&shipment).unwrap();
    assert_eq!(
        again.body["lines"],
        json!([{ "sku": "SKU-1", "quantity": 2 }, { "sku": "SKU-2", "quantity": 1 }])
    );
    assert_eq!(again.body["cancelled_at"], Value::Null);
}

#[test]
fn one_sku_on_two_lines_is_one_line() {
    let mut body = good();
    body["lines"] = json!([{ "sku": "A", "quantity": 1 }, { "sku": "B", "quantity": "3" }, { "sku": "A ", "quantity": "2.0" }]);
    let lines = of(&body).unwrap().lines;
    assert_eq!(
        lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect::<Vec<_>>(),
        [("A", 3), ("B", 3)]
    );
}

#[test]
fn what_was_taken_back_needs_no_lines() {
    let body = json!({ "shipment": "SH-1", "order": 5678, "cancelled_at": "2026-11-26T15:00:00Z" });
    let shipment = of(&body).unwrap();
    assert_eq!((shipment.order.as_str(), shipment.lines.len()), ("5678", 0));
    assert_eq!(shipment.changed_at().to_string(), "2026-11-26T15:00:00Z");
}

#[test]
fn what_says_nothing_certain_is_refused_with_its_place() {
    use ShipmentCode::*;
    let line = |quantity: Value| json!([{ "sku": "A", "quantity": quantity }]);
    let cases = [
        ("lines", json!([]), "$.lines", Empty),
        ("lines", json!(null), "$.lines", Empty),
        ("lines", json!({}), "$.lines", WrongType),
        ("lines", line(json!(0)), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("0")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!(-1)), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!(1.5)), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("1.5")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("two")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("1e3")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("1_000")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("+2")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!("2.")), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!(1_000_001)), "$.lines[0].quantity", NotQuantity),
        ("lines", line(json!(true)), "$.lines[0].quantity", WrongType),
        ("lines", json!([{ "sku": " ", "quantity": 1 }]), "$.lines[0].sku", Missing),
        ("lines", json!(vec![json!({ "sku": "A", "quantity": 1 }); 251]), "$.lines", TooMany),
        ("order", json!("acme-5678"), "$.order", WrongType),
        ("order", json!("05678"), "$.order", WrongType),
        ("order", json!(0), "$.order", WrongType),
        ("order", json!(""), "$.order", Missing),
        ("order", json!(null), "$.order", Missing),
        ("shipment", json!(" "), "$.shipment", Missing),
        ("shipment", json!("x".repeat(41)), "$.shipment", WrongType),
        ("shipped_at", json!("yesterday"), "$.shipped_at", WrongType),
        ("shipped_at", json!(null), "$.shipped_at", Missing),
        ("notify_customer", json!("yes"), "$.notify_customer", WrongType),
        ("tracking", json!({ "numbers": "1" }), "$.tracking.numbers", WrongType),
        ("tracking", json!({ "numbers": [1] }), "$.tracking.numbers[0]", WrongType),
        ("tracking", json!({ "urls": ["javascript:alert(1)"] }), "$.tracking.urls[0]", WrongType),
        ("tracking", json!(["1"]), "$.tracking", WrongType),
    ];
    for (field, value, path, code) in cases {
        let mut body = good();
        body[field] = value;
        let fault = of(&body).unwrap_err();
        assert_eq!((fault.path.as_str(), fault.code), (path, code), "{body}");
    }
    assert_eq!(read(b"[1]").unwrap_err().code, WrongType);
    assert_eq!(read(b"{\"shipment\":").unwrap_err().code, NotJson);
}
