//! What each step of `then` does to a value. An absent value passes through every step untouched.

use std::borrow::Cow;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::{Map, Number, Value, json};
use sha2::{Digest as _, Sha256};

use super::val::Val;
use crate::dates;
use crate::digest::hex;
use crate::fault::{Failure, FaultCode};
use crate::mapping::Context;
use crate::plan::{Cast, Operation, Rounding, Step, Table, Zone};

/// Applies a step that needs no further operand.
pub(super) fn apply<'a>(step: &'a Step, value: Val<'a>, context: &'a Context) -> Result<Val<'a>, Failure> {
    match step {
        Step::Trim => Ok(Val::Text(trim(value.text()?))),
        Step::Upper => Ok(Val::Text(Cow::Owned(value.text()?.to_uppercase()))),
        Step::Lower => Ok(Val::Text(Cow::Owned(value.text()?.to_lowercase()))),
        Step::Truncate(max) => Ok(Val::Text(truncate(value.text()?, *max))),
        Step::Split { by, index } => split(&value.text()?, by, *index),
        Step::LookUp { name, table, otherwise } => look_up(&value, name, table, otherwise.as_ref(), context),
        Step::Reference { kind, system } => Ok(Val::Made(reference(&value.text()?, kind, system.as_deref()))),
        Step::Scale(rounding) => Ok(Val::Decimal(round(value.decimal()?, *rounding))),
        Step::As(cast) => convert(value, *cast),
        Step::Unit { numerator, denominator, rounding } => {
            let product = combine(Operation::Multiply, value.decimal()?, *numerator, Exact::Yes)?;
            let result = combine(Operation::Divide, product, *denominator, Exact::Rounded)?;
            Ok(Val::Decimal(rounding.map_or(result, |rounding| round(result, rounding))))
        }
        Step::Date(zone) => dates::date_of(&value.text()?, zone_of(zone, context)).map(text),
        Step::Zone(zone) => dates::in_zone(&value.text()?, zone_of(zone, context)).map(text),
        Step::Format { form, zone } => dates::format(&value.text()?, form, zone_of(zone, context)).map(text),
        Step::Parse { form, zone, yields } => {
            dates::parse(&value.text()?, form, zone_of(zone, context), *yields).map(text)
        }
        Step::AddDays(days) => dates::add_days(&value.text()?, *days).map(text),
        Step::Hash => Ok(text(hex(&Sha256::digest(value.text()?.as_bytes())))),
        Step::Mask { keep, with } => Ok(text(mask(&value.text()?, *keep, *with))),
        Step::Arithmetic { .. } => Err(Failure::new(FaultCode::Arithmetic, "an operand is missing")),
    }
}

fn text<'a>(text: String) -> Val<'a> {
    Val::Text(Cow::Owned(text))
}

fn zone_of<'a>(zone: &'a Zone, context: &'a Context) -> &'a jiff::tz::TimeZone {
    match zone {
        Zone::Named(zone) => zone,
        Zone::FromContext => &context.zone,
    }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// Cuts after so many characters, never within one.
fn truncate(text: Cow<'_, str>, max: usize) -> Cow<'_, str> {
    // As many bytes are at most as many characters.
    if text.len() <= max {
        return text;
    }
    match text.char_indices().nth(max) {
        None => text,
        Some((end, _)) => match text {
            Cow::Borrowed(text) => Cow::Borrowed(&text[..end]),
            Cow::Owned(mut text) => {
                text.truncate(end);
                Cow::Owned(text)
            }
        },
    }
}

fn split<'a>(whole: &str, by: &str, index: Option<usize>) -> Result<Val<'a>, Failure> {
    let mut parts = whole.split(by).map(|part| part.trim().to_owned());
    match index {
        Some(index) => Ok(parts.nth(index).filter(|part| !part.is_empty()).map_or(Val::Absent, text)),
        None => Ok(Val::List(parts.filter(|part| !part.is_empty()).map(text).collect())),
    }
}

fn look_up<'a>(
    value: &Val<'a>,
    name: &str,
    table: &'a Table,
    otherwise: Option<&'a Value>,
    context: &'a Context,
) -> Result<Val<'a>, Failure> {
    let rows = match table {
        Table::Inline(rows) => rows.as_ref(),
        Table::FromContext => context.tables.get(name).ok_or_else(|| {
            let message = format!("the table `{name}` was not handed in with the run");
            Failure::new(FaultCode::Context, message)
        })?,
    };
    let key = value.text()?;
    match rows.get(key.as_ref()).or(otherwise) {
        Some(found) => Ok(Val::of(Some(found))),
        None => Err(Failure::with_value(
            FaultCode::NotInTable,
            format!("the table `{name}` has no row for this value; add one, or say `otherwise`"),
            &near_key(&key, rows.keys()),
        )),
    }
}

/// The value, and whether a row differs from it only by case or blanks.
fn near_key<'k>(key: &str, rows: impl Iterator<Item = &'k String>) -> String {
    let plain = |text: &str| text.trim().to_lowercase();
    let wanted = plain(key);
    match rows.into_iter().find(|row| plain(row) == wanted) {
        Some(row) => format!("{key} (the row `{row}` differs only by case or blanks)"),
        None => key.to_owned(),
    }
}

fn reference(value: &str, kind: &str, system: Option<&str>) -> Value {
    let mut inner = Map::new();
    inner.insert("kind".to_owned(), json!(kind));
    if let Some(system) = system {
        inner.insert("system".to_owned(), json!(system));
    }
    inner.insert("value".to_owned(), json!(value));
    json!({ "$ref": inner })
}

pub(super) fn round(number: Decimal, rounding: Rounding) -> Decimal {
    let mut rounded = number.round_dp_with_strategy(rounding.places, rounding.strategy);
    rounded.rescale(rounding.places);
    // Minus nothing is nothing, in the spelling too.
    if rounded.is_zero() {
        rounded.set_sign_positive(true)
    }
    rounded
}

/// Whether a result that loses digits is a fault, or will be rounded anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exact {
    Yes,
    Rounded,
}

impl Exact {
    pub(super) fn unless(rounding: Option<Rounding>) -> Self {
        if rounding.is_some() { Self::Rounded } else { Self::Yes }
    }
}

/// Two decimals become one.
pub(super) fn combine(
    operation: Operation,
    a: Decimal,
    b: Decimal,
    exact: Exact,
) -> Result<Decimal, Failure> {
    let failure =
        |message: &str| Failure::with_value(FaultCode::Arithmetic, message, &format!("{a} and {b}"));
    let result = match operation {
        Operation::Add => a.checked_add(b),
        Operation::Subtract => a.checked_sub(b),
        Operation::Multiply => a.checked_mul(b),
        Operation::Divide if b.is_zero() => return Err(failure("division by zero")),
        Operation::Divide => a.checked_div(b),
    };
    let result = result.ok_or_else(|| failure("the result is larger than a decimal holds"))?;
    if exact == Exact::Rounded {
        return Ok(result);
    }
    let digits = match operation {
        Operation::Multiply if !result.is_zero() => a.normalize().scale() + b.normalize().scale(),
        Operation::Add | Operation::Subtract => a.normalize().scale().max(b.normalize().scale()),
        _ => 0,
    };
    if result.scale() < digits {
        return Err(failure("the result has more digits than a decimal holds; state a scale"));
    }
    Ok(result)
}

fn convert(value: Val<'_>, cast: Cast) -> Result<Val<'_>, Failure> {
    match cast {
        Cast::Text => value.text().map(Val::Text),
        Cast::Decimal => value.decimal().map(Val::Decimal),
        Cast::Integer => {
            let number = value.decimal()?;
            let whole = number.normalize();
            match (whole.scale(), whole.to_i64()) {
                (0, Some(integer)) => Ok(Val::Integer(integer)),
                _ => Err(not_convertible("a whole number", &value)),
            }
        }
        Cast::Number => number(&value),
        Cast::Boolean => match value.text()?.trim() {
            "true" | "1" | "yes" => Ok(Val::Bool(true)),
            "false" | "0" | "no" => Ok(Val::Bool(false)),
            _ => Err(not_convertible("true or false", &value)),
        },
    }
}

fn not_convertible(wanted: &str, value: &Val<'_>) -> Failure {
    Failure::with_value(FaultCode::NotConvertible, format!("{wanted} was expected"), &value.describe())
}

/// A JSON number, if writing it as one and reading it back gives the same decimal.
fn number<'a>(value: &Val<'_>) -> Result<Val<'a>, Failure> {
    let decimal = value.decimal()?.normalize();
    let made = match decimal.to_i64() {
        Some(integer) if decimal.scale() == 0 => Some(Number::from(integer)),
        _ => decimal.to_string().parse::<f64>().ok().and_then(Number::from_f64),
    };
    let made = made.map(Value::Number);
    match made {
        Some(made) if Val::Json(&made).decimal().is_ok_and(|read| read == decimal) => Ok(Val::Made(made)),
        _ => Err(not_convertible("a number that JSON can hold exactly", value)),
    }
}

fn mask(text: &str, keep: usize, with: char) -> String {
    let hidden = text.chars().count().saturating_sub(keep);
    text.chars().enumerate().map(|(at, c)| if at < hidden { with } else { c }).collect()
}
