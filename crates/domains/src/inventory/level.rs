//! A level as its source tells it (docs/connectors/stock_feed.md). Owns its reading: exact, strict, with the place of what
//! is wrong; what may be sold of it is `canonical`'s.

use super::fault::{StockCode, StockFault};
use crate::json::{Json, parse};
use jiff::Timestamp;
use rust_decimal::Decimal;

/// What a source has of one SKU at one location, in the source's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// Without blanks at its ends; capitals count.
    pub sku: String,
    pub location: String,
    /// May be negative: some systems ship first and book later.
    pub on_hand: Decimal,
    /// Promised to anybody, in any channel.
    pub reserved: Decimal,
    /// Of this shop's unshipped orders, what the source has taken account of. `None`: it does not say.
    pub counted: Option<Decimal>,
    /// Kept back by the source itself.
    pub safety: Decimal,
    /// `None`: the sales unit.
    pub unit: Option<String>,
    pub incoming: Vec<Incoming>,
    pub changed_at: Timestamp,
}

/// What is on its way, and until when; `None`: the source says no date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    pub quantity: Decimal,
    pub at: Option<Timestamp>,
}

/// No shelf holds more; a number beyond is a mistake of its sender.
const QUANTITY_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// More than any scale shows; the sum over rules stays exact.
const DECIMALS_MAX: u32 = 6;
pub(super) const NAME_CHARS_MAX: usize = 255;

/// Reads a level.
///
/// # Errors
/// The first thing that is wrong, with its path and what to write.
pub fn read(payload: &[u8]) -> Result<Stock, StockFault> {
    of(&parse(payload)?)
}

/// The same of a body that is parsed already.
pub(super) fn of(body: &Json<'_>) -> Result<Stock, StockFault> {
    if !matches!(body, Json::Object(_)) {
        let what = format!("a level is an object; this is {}", body.kind());
        return Err(StockFault::new(StockCode::WrongType, "$", what));
    }
    Ok(Stock {
        sku: name(body, "sku")?,
        location: name(body, "location")?,
        on_hand: required(body, "on_hand")?,
        reserved: not_negative(body, "reserved")?.unwrap_or_default(),
        counted: not_negative(body, "counted")?,
        safety: not_negative(body, "safety")?.unwrap_or_default(),
        unit: text(body, "unit")?.map(|unit| unit.trim().to_owned()).filter(|unit| !unit.is_empty()),
        incoming: incoming(body)?,
        changed_at: instant(body, "$", "changed_at")?,
    })
}

fn text<'a>(body: &'a Json<'_>, key: &str) -> Result<Option<&'a str>, StockFault> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong_type(key, other, "a text")),
    }
}

pub(super) fn name(body: &Json<'_>, key: &str) -> Result<String, StockFault> {
    let name = text(body, key)?.map(str::trim).unwrap_or_default();
    if name.is_empty() {
        return Err(missing(&format!("$.{key}"), "a text that is not blank"));
    }
    if name.chars().count() > NAME_CHARS_MAX || name.contains(char::is_control) {
        let what = format!("at most {NAME_CHARS_MAX} characters, and no control characters within");
        return Err(StockFault::new(StockCode::WrongType, format!("$.{key}"), what));
    }
    Ok(name.to_owned())
}

fn required(body: &Json<'_>, key: &str) -> Result<Decimal, StockFault> {
    quantity(body, "$", key)?.ok_or_else(|| missing(&format!("$.{key}"), "a quantity, as in \"120\""))
}

fn not_negative(body: &Json<'_>, key: &str) -> Result<Option<Decimal>, StockFault> {
    match quantity(body, "$", key)? {
        Some(quantity) if quantity.is_sign_negative() && !quantity.is_zero() => {
            let what = format!("{quantity} is negative; only on_hand may be");
            Err(StockFault::new(StockCode::Negative, format!("$.{key}"), what))
        }
        found => Ok(found),
    }
}

/// A whole number, or an exact decimal as a text: what a float means to its sender cannot be known.
pub(super) fn quantity(body: &Json<'_>, parent: &str, key: &str) -> Result<Option<Decimal>, StockFault> {
    let fault = |code, what: String| StockFault::new(code, format!("{parent}.{key}"), what);
    let unreadable = |what: String| fault(StockCode::NotQuantity, what);
    let text = match body.get(key) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Number(number)) if number.contains(['.', 'e', 'E']) => {
            let what = format!("{number} is a float; write an exact decimal as a text, as in \"1.5\"");
            return Err(unreadable(what));
        }
        Some(Json::Number(number)) => number,
        Some(Json::String(text)) => text.trim(),
        Some(other) => {
            let what = format!("this is {}; write a quantity", other.kind());
            return Err(fault(StockCode::WrongType, what));
        }
    };
    if let Some(plain) = plain_digits(text) {
        return Ok(Some(plain));
    }
    let read = Decimal::from_str_exact(text).ok().filter(|_| is_spelled(text));
    let read = read.ok_or_else(|| {
        let shown: String = text.chars().take(40).collect();
        unreadable(format!("{shown:?} is no quantity; write digits, as in \"120\" or \"1.5\""))
    })?;
    if read.abs() > QUANTITY_MAX {
        return Err(unreadable(format!("{read} is more than any shelf holds ({QUANTITY_MAX})")));
    }
    let read = read.normalize();
    if read.scale() > DECIMALS_MAX {
        return Err(unreadable(format!("{read} has more than {DECIMALS_MAX} decimals; round it")));
    }
    Ok(Some(read))
}

/// Digits, where there is a point on both sides of it, and at most a minus before them: what else a decimal may be read from (`1_000`,
/// `+5`, `.5`, `5.`) is a slip of its sender.
pub(crate) fn is_spelled(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    [whole, decimals].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Nearly every quantity: some digits.
fn plain_digits(text: &str) -> Option<Decimal> {
    let is_plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse::<u32>().ok().map(Decimal::from) } else { None }
}

fn incoming(body: &Json<'_>) -> Result<Vec<Incoming>, StockFault> {
    let items = match body.get("incoming") {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(other) => return Err(wrong_type("incoming", other, "a list")),
    };
    let read = |(index, item): (usize, &Json<'_>)| {
        let path = format!("$.incoming[{index}]");
        let due = quantity(item, &path, "quantity")?;
        let quantity = due.ok_or_else(|| missing(&format!("{path}.quantity"), "a quantity, as in \"40\""))?;
        let at = match item.get("at") {
            None | Some(Json::Null) => None,
            Some(_) => Some(instant(item, &path, "at")?),
        };
        Ok(Incoming { quantity, at })
    };
    items.iter().enumerate().map(read).collect()
}

pub(super) fn instant(body: &Json<'_>, parent: &str, key: &str) -> Result<Timestamp, StockFault> {
    let expected = "an instant with its zone, as in \"2026-11-26T14:00:00Z\"";
    let wrong = |what| StockFault::new(StockCode::WrongType, format!("{parent}.{key}"), what);
    match body.get(key) {
        Some(Json::String(text)) => text.trim().parse().map_err(|_| wrong(format!("write {expected}"))),
        None | Some(Json::Null) => Err(missing(&format!("{parent}.{key}"), expected)),
        Some(other) => Err(wrong(format!("this is {}; write {expected}", other.kind()))),
    }
}

fn missing(path: &str, expected: &str) -> StockFault {
    StockFault::new(StockCode::Missing, path, format!("it is missing; write {expected}"))
}

fn wrong_type(key: &str, found: &Json<'_>, expected: &str) -> StockFault {
    let what = format!("this is {}; write {expected}", found.kind());
    StockFault::new(StockCode::WrongType, format!("$.{key}"), what)
}

#[cfg(test)]
mod tests;
