//! Values as Medusa's API spells them. Owns that an amount or a quantity is read from the twin that holds it exactly
//! (`raw_unit_price` of `unit_price`), and never from the float beside it.

use rust_decimal::Decimal;
use serde_json::Value;

/// The exact value of a field: `{"value": "9.1234", "precision": 20}` under the field's name with `raw_` before it.
pub(super) fn exact(record: &Value, field: &str) -> Option<Decimal> {
    decimal(record.get(format!("raw_{field}"))?.get("value")?)
}

/// A decimal as text, in the shortest or in the scientific spelling: 0.0000001 is `1e-7` there.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.as_str().to_owned(),
        // Whole numbers alone: what a float means cannot be known.
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .ok()
        .map(|read| read.normalize())
}

/// A number as it is spelled, where there is no exact twin: the shortest spelling of the number is what was sent.
pub(super) fn spelled(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

pub(super) fn text(record: &Value, field: &str) -> Option<String> {
    record.get(field)?.as_str().map(str::to_owned)
}

pub(super) fn list<'a>(record: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    record.get(field).and_then(Value::as_array).into_iter().flatten().filter(|item| !item.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_amount_is_read_from_its_exact_twin_alone() {
        let read = |record: Value| exact(&record, "unit_price").map(|read| read.to_string());
        let twin =
            |value: &str| json!({"unit_price": 9.12, "raw_unit_price": {"value": value, "precision": 20}});
        assert_eq!(read(twin("9.1234")).as_deref(), Some("9.1234"));
        assert_eq!(read(twin("9.50")).as_deref(), Some("9.5"));
        assert_eq!(read(twin("1e-7")).as_deref(), Some("0.0000001"));
        assert_eq!(read(json!({"unit_price": 9.12})), None);
        assert_eq!(read(json!({"raw_unit_price": {"value": 9.12}})), None);
        assert_eq!(read(json!({"raw_unit_price": {"value": 9}})).as_deref(), Some("9"));
    }
}
