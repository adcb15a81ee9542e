//! What a source may say, and what is refused of it, with the place.

use super::*;
use serde_json::{Value, json};

fn level(change: impl FnOnce(&mut Value)) -> Result<Stock, StockFault> {
    let mut level = json!({
        "sku": "SKU-0001", "location": "WH-1", "on_hand": "120", "changed_at": "2026-11-26T14:00:00Z"
    });
    change(&mut level);
    read(level.to_string().as_bytes())
}

#[test]
fn what_is_not_said_is_nothing_but_counted_which_is_unknown() {
    let stock = level(|_| {}).unwrap();
    assert_eq!((stock.on_hand, stock.reserved, stock.safety), (120.into(), 0.into(), 0.into()));
    assert_eq!((stock.counted, stock.unit, stock.incoming), (None, None, Vec::new()));
    let null = level(|level| level["counted"] = Value::Null).unwrap();
    assert_eq!(null.counted, None);
}

#[test]
fn quantities_are_whole_numbers_or_exact_texts() {
    for (written, read) in
        [(json!(7), "7"), (json!("1.50"), "1.5"), (json!(" 12 "), "12"), (json!("-3"), "-3")]
    {
        let stock = level(|level| level["on_hand"] = written.clone()).unwrap();
        assert_eq!(stock.on_hand.to_string(), read, "{written}");
    }
    for written in ["1.5", "1e12", "12.0"] {
        let text = format!(
            "{{\"sku\":\"A\",\"location\":\"B\",\"on_hand\":{written},\"changed_at\":\"2026-11-26T14:00:00Z\"}}"
        );
        let fault = read(text.as_bytes()).unwrap_err();
        assert_eq!((fault.code, fault.path.as_str()), (StockCode::NotQuantity, "$.on_hand"), "{written}");
        assert!(fault.message.contains("write an exact decimal"), "{fault}");
    }
    for written in [
        "",
        "12 pieces",
        "1,5",
        "1e3",
        "0x10",
        "NaN",
        "1_000",
        ".5",
        "-.5",
        "5.",
        "-",
        "--5",
        "5-",
        "12.5.1",
        "9999999999",
        "0.1234567",
    ] {
        let fault = level(|level| level["on_hand"] = json!(written)).unwrap_err();
        assert_eq!((fault.code, fault.path.as_str()), (StockCode::NotQuantity, "$.on_hand"), "{written}");
    }
}

/// By this beginning the engine's triage knows that the source's word is not sound, and not that the target refused it.
#[test]
fn each_code_is_one_of_a_body() {
    use StockCode::{Missing, Negative, NotJson, NotQuantity, UnknownUnit, WrongType};
    for code in [NotJson, Missing, WrongType, NotQuantity, Negative, UnknownUnit] {
        assert!(code.as_str().starts_with("body_"), "{code:?}");
    }
    let fault = level(|level| level["on_hand"] = json!("x")).unwrap_err().into_fault();
    assert_eq!(
        (fault.code.as_str(), fault.field.as_deref()),
        ("body_quantity_unreadable", Some("$.on_hand"))
    );
}

#[test]
fn only_what_is_on_hand_may_be_negative() {
    assert_eq!(level(|level| level["on_hand"] = json!(-4)).unwrap().on_hand, (-4).into());
    for key in ["reserved", "counted", "safety"] {
        let fault = level(|level| level[key] = json!(-1)).unwrap_err();
        assert_eq!((fault.code, fault.path), (StockCode::Negative, format!("$.{key}")));
    }
}

#[test]
fn a_sku_with_a_line_break_at_its_end_is_the_same_sku_and_one_without_letters_is_none() {
    let stock = level(|level| level["sku"] = json!(" SKU-1\r\n")).unwrap();
    assert_eq!(stock.sku, "SKU-1");
    for (sku, code) in [
        (json!(" \r\n"), StockCode::Missing),
        (json!("A\nB"), StockCode::WrongType),
        (json!("A".repeat(256)), StockCode::WrongType),
        (json!(17), StockCode::WrongType),
    ] {
        let fault = level(|level| level["sku"] = sku.clone()).unwrap_err();
        assert_eq!((fault.code, fault.path.as_str()), (code, "$.sku"), "{sku}");
    }
}

#[test]
fn what_is_missing_or_of_another_kind_is_named_by_its_path() {
    for (key, value, path) in [
        ("changed_at", json!("yesterday"), "$.changed_at"),
        ("changed_at", Value::Null, "$.changed_at"),
        ("location", Value::Null, "$.location"),
        ("on_hand", Value::Null, "$.on_hand"),
        ("on_hand", json!([1]), "$.on_hand"),
        ("unit", json!(12), "$.unit"),
        ("incoming", json!({}), "$.incoming"),
        (
            "incoming",
            json!([{"quantity": 1, "at": "2026-12-01T00:00:00Z"}, {"at": 1}]),
            "$.incoming[1].quantity",
        ),
        ("incoming", json!([{"quantity": 1, "at": "soon"}]), "$.incoming[0].at"),
    ] {
        let fault = level(|level| level[key] = value.clone()).unwrap_err();
        assert_eq!(fault.path, path, "{key} = {value}: {fault}");
    }
    assert_eq!(read(b"[]").unwrap_err().path, "$");
    assert_eq!(read(b"{\"sku\":\"A\",\"sku\":\"B\"}").unwrap_err().code, StockCode::NotJson);
    assert_eq!(read(b"{\"sku\":").unwrap_err().code, StockCode::NotJson);
}
