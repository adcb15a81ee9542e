//! A value on its way from source to target: borrowed as long as it is not changed.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::{Number, Value};

use crate::fault::{Failure, FaultCode};

#[derive(Debug, Clone)]
pub(crate) enum Val<'a> {
    Absent,
    Json(&'a Value),
    Text(Cow<'a, str>),
    Decimal(Decimal),
    Integer(i64),
    Bool(bool),
    List(Vec<Val<'a>>),
    /// A value made by a step: a reference marker, a JSON number.
    Made(Value),
}

impl<'a> Val<'a> {
    pub(crate) fn of(value: Option<&'a Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Absent,
            Some(value) => Self::Json(value),
        }
    }

    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Absent, a text of blanks, or an empty list.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Json(Value::String(text)) => text.trim().is_empty(),
            Self::Json(Value::Array(items)) => items.is_empty(),
            Self::List(items) => items.is_empty(),
            _ => false,
        }
    }

    /// The value as text, where it has one spelling.
    pub(crate) fn text(&self) -> Result<Cow<'a, str>, Failure> {
        match self {
            Self::Json(Value::String(text)) => Ok(Cow::Borrowed(text)),
            Self::Text(text) => Ok(text.clone()),
            Self::Decimal(number) => Ok(Cow::Owned(number.to_string())),
            Self::Integer(number) => Ok(Cow::Owned(number.to_string())),
            Self::Json(Value::Number(number)) => Ok(Cow::Owned(number.to_string())),
            Self::Bool(flag) | Self::Json(Value::Bool(flag)) => {
                Ok(Cow::Borrowed(if *flag { "true" } else { "false" }))
            }
            Self::Made(Value::Number(number)) => Ok(Cow::Owned(number.to_string())),
            Self::Made(Value::String(text)) => Ok(Cow::Owned(text.clone())),
            _ => Err(Failure::new(
                FaultCode::NotConvertible,
                "a text was expected, this is a list or an object",
            )),
        }
    }

    /// The value as a decimal, exactly.
    pub(crate) fn decimal(&self) -> Result<Decimal, Failure> {
        match self {
            Self::Decimal(number) => Ok(*number),
            Self::Integer(number) => Ok(Decimal::from(*number)),
            Self::Json(Value::Number(number)) | Self::Made(Value::Number(number)) => {
                decimal_of_number(number)
            }
            Self::Json(Value::String(text)) => decimal_of_text(text),
            Self::Text(text) => decimal_of_text(text),
            other => Err(not_decimal(&other.describe())),
        }
    }

    /// The value as JSON; absent is `None`.
    pub(crate) fn into_json(self) -> Option<Value> {
        Some(match self {
            Self::Absent => return None,
            Self::Json(value) => value.clone(),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Decimal(number) => Value::String(number.to_string()),
            Self::Integer(number) => Value::from(number),
            Self::Bool(flag) => Value::Bool(flag),
            Self::List(items) => Value::Array(items.into_iter().filter_map(Val::into_json).collect()),
            Self::Made(value) => value,
        })
    }

    /// The value in short, for a fault.
    pub(crate) fn describe(&self) -> String {
        self.clone().into_json().map_or_else(|| "nothing".to_owned(), |value| value.to_string())
    }
}

fn not_decimal(value: &str) -> Failure {
    Failure::with_value(FaultCode::NotDecimal, "a decimal was expected, such as \"12.50\"", value)
}

/// Digits beyond what a decimal holds are refused, not rounded; exponents and separators are no decimals.
fn decimal_of_text(text: &str) -> Result<Decimal, Failure> {
    let trimmed = text.trim();
    match Decimal::from_str_exact(trimmed) {
        Ok(number) if !trimmed.contains('_') => Ok(number),
        _ => Err(not_decimal(text)),
    }
}

fn decimal_of_number(number: &Number) -> Result<Decimal, Failure> {
    if let Some(integer) = number.as_i64() {
        return Ok(Decimal::from(integer));
    }
    if let Some(integer) = number.as_u64() {
        return Ok(Decimal::from(integer));
    }
    let text = number.to_string();
    Decimal::from_str_exact(&text)
        .or_else(|_| Decimal::from_scientific(&text))
        .map_err(|_| not_decimal(&text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_refused() {
        for (value, expected) in [
            (json!("12.50"), Some("12.50")),
            (json!(" -0.001 "), Some("-0.001")),
            (json!(7), Some("7")),
            (json!(0.1), Some("0.1")),
            (json!(18_446_744_073_709_551_615_u64), Some("18446744073709551615")),
            (json!(1e300), None),
            (json!("1,50"), None),
            (json!(""), None),
            (json!("NaN"), None),
            (json!("1e3"), None),
            (json!("1_000"), None),
            (json!(1.5e-7), Some("0.00000015")),
            (json!("0.12345678901234567890123456789012345"), None),
            (json!(true), None),
        ] {
            let found = Val::Json(&value).decimal().ok().map(|number| number.to_string());
            assert_eq!(found.as_deref(), expected, "{value}");
        }
    }
}
