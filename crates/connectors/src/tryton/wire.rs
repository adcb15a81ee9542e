//! Values as Tryton's JSON-RPC spells them. Owns decimals, dates and nested records in both directions; an amount is
//! never a JSON number here.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// `{"__class__": "Decimal", "decimal": "4.2500"}`.
pub(super) fn decimal(amount: Decimal) -> Value {
    json!({"__class__": "Decimal", "decimal": amount.to_string()})
}

pub(super) fn date(date: Date) -> Value {
    json!({"__class__": "date", "year": date.year(), "month": date.month(), "day": date.day()})
}

/// A quantity: Tryton keeps it as a float and limits its digits by the unit. `None` where a float cannot hold it.
pub(super) fn quantity(amount: Decimal) -> Option<Value> {
    let text = amount.normalize().to_string();
    let number: f64 = text.parse().ok()?;
    let held = Decimal::from_str_exact(&json!(number).to_string()).ok()?;
    (held == amount).then(|| json!(number))
}

/// An amount, or a quantity in its shortest spelling.
pub(super) fn read_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            Decimal::from_str_exact(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
        }
        value => Decimal::from_str_exact(value.get("decimal")?.as_str()?).ok(),
    }
}

pub(super) fn read_date(value: &Value) -> Option<Date> {
    let part = |name: &str| value.get(name)?.as_i64();
    Date::new(
        i16::try_from(part("year")?).ok()?,
        i8::try_from(part("month")?).ok()?,
        i8::try_from(part("day")?).ok()?,
    )
    .ok()
}

/// An instant: Tryton keeps UTC without saying so, to the microsecond.
pub(super) fn instant(at: Timestamp) -> Value {
    let at = at.to_zoned(TimeZone::UTC).datetime();
    json!({"__class__": "datetime", "year": at.year(), "month": at.month(), "day": at.day(), "hour": at.hour(),
           "minute": at.minute(), "second": at.second(), "microsecond": at.subsec_nanosecond() / 1000})
}

pub(super) fn read_instant(value: &Value) -> Option<Timestamp> {
    let part = |name: &str| value.get(name)?.as_i64();
    let small = |name: &str| i8::try_from(part(name)?).ok();
    let nanosecond = i32::try_from(part("microsecond")?.checked_mul(1000)?).ok()?;
    let at = read_date(value)?.to_datetime(
        jiff::civil::Time::new(small("hour")?, small("minute")?, small("second")?, nanosecond).ok()?,
    );
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// A field of a record that a link leads to: `"party."` holds what was asked for as `party.code`.
pub(super) fn linked<'a>(record: &'a Value, link: &str, field: &str) -> Option<&'a Value> {
    record.get(format!("{link}."))?.get(field).filter(|value| !value.is_null())
}

pub(super) fn text(record: &Value, field: &str) -> Option<String> {
    record.get(field)?.as_str().map(str::to_owned)
}

pub(super) fn linked_text(record: &Value, link: &str, field: &str) -> Option<String> {
    linked(record, link, field)?.as_str().map(str::to_owned)
}

/// The ids of a link to many.
pub(super) fn ids(record: &Value, link: &str) -> Vec<i64> {
    let all = record.get(link).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_i64).collect()
}

pub(super) fn id(record: &Value) -> Option<i64> {
    record.get("id")?.as_i64()
}

/// The records of a link to many.
pub(super) fn many<'a>(record: &'a Value, link: &str) -> impl Iterator<Item = &'a Value> {
    record.get(format!("{link}.")).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_survive_both_ways() {
        for text in ["0.01", "-12.3450", "136.84", "7000", "0"] {
            let amount: Decimal = text.parse().unwrap();
            assert_eq!(read_decimal(&decimal(amount)), Some(amount), "{text}");
        }
        for text in ["7000", "2.5", "0.001", "0.1", "123456.789"] {
            let amount: Decimal = text.parse().unwrap();
            assert_eq!(read_decimal(&quantity(amount).unwrap()), Some(amount), "{text}");
        }
        assert_eq!(quantity("9007199254740993".parse().unwrap()), None);
        assert_eq!(read_decimal(&json!(1e-7)), "0.0000001".parse().ok());
        assert_eq!(read_decimal(&json!(null)), None);
    }

    #[test]
    fn instants_survive_both_ways() {
        for text in ["2026-11-26T08:23:34.644497Z", "2026-02-28T23:59:59Z"] {
            let at: Timestamp = text.parse().unwrap();
            assert_eq!(read_instant(&instant(at)), Some(at));
        }
        assert_eq!(read_instant(&date("2026-02-28".parse().unwrap())), None, "a day is no instant");
    }

    #[test]
    fn dates_survive_both_ways() {
        let day: Date = "2026-02-28".parse().unwrap();
        assert_eq!(read_date(&date(day)), Some(day));
        assert_eq!(read_date(&json!({"year": 2026, "month": 13, "day": 1})), None);
    }
}
