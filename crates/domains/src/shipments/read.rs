//! A shipment as its source tells it (docs/shipments.md). Owns its reading: exact, strict, with the place of what is wrong.

use super::fault::{ShipmentCode, ShipmentFault};
use crate::inventory::is_spelled;
use crate::json::{Json, parse};
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::BTreeMap;

/// What left the house in one go, or was to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// The source's own number of it.
    pub shipment: String,
    /// The order's number in the shop, in digits.
    pub order: String,
    /// Where it left from, as the source calls it; `None`: the target knows where the units are.
    pub location: Option<String>,
    /// Each SKU once, in the order of their first line. Empty only where it is cancelled.
    pub lines: Vec<Line>,
    pub tracking: Tracking,
    /// Whether the shop is to write to the customer.
    pub notify_customer: bool,
    /// Absent only where it is cancelled.
    pub shipped_at: Option<Timestamp>,
    pub cancelled_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Without blanks at its ends; capitals count.
    pub sku: String,
    /// In sales units, at least one.
    pub quantity: u32,
}

/// How its way can be followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tracking {
    pub company: Option<String>,
    pub numbers: Vec<String>,
    pub urls: Vec<String>,
}

impl Shipment {
    /// When it came to be as it is.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.cancelled_at.or(self.shipped_at).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A shop takes as many lines in one call.
const LINES_MAX: usize = 250;
/// No parcel holds more; a number beyond is a mistake of its sender.
const UNITS_MAX: u32 = 1_000_000;
/// As many are read back of a fulfilment.
const NUMBERS_MAX: usize = 10;
const NAME_CHARS_MAX: usize = 255;
/// It is a part of a subject, where each byte may take three.
const SHIPMENT_BYTES_MAX: usize = 40;

/// The path of a shipment by what it says of itself, whatever else is wrong with it: so that it can be refused by itself.
///
/// # Errors
/// Where it names neither its order nor itself.
pub fn path_of(payload: &[u8]) -> Result<String, ShipmentFault> {
    let body = parse(payload)?;
    Ok(super::path(&order(&body)?, &shipment(&body)?))
}

/// Reads a shipment.
///
/// # Errors
/// The first thing that is wrong, with its path and what to write.
pub fn read(payload: &[u8]) -> Result<Shipment, ShipmentFault> {
    let body = parse(payload)?;
    if !matches!(body, Json::Object(_)) {
        let what = format!("a shipment is an object; this is {}", body.kind());
        return Err(ShipmentFault::new(ShipmentCode::WrongType, "$", what));
    }
    let cancelled_at = instant(&body, "cancelled_at")?;
    let shipped_at = instant(&body, "shipped_at")?;
    if cancelled_at.is_none() && shipped_at.is_none() {
        return Err(missing("$.shipped_at", INSTANT));
    }
    Ok(Shipment {
        shipment: shipment(&body)?,
        order: order(&body)?,
        location: text(&body, "$", "location")?.map(str::to_owned),
        lines: lines(&body, cancelled_at.is_some())?,
        tracking: tracking(&body)?,
        notify_customer: match body.get("notify_customer") {
            None | Some(Json::Null) => false,
            Some(Json::Bool(notify)) => *notify,
            Some(other) => return Err(wrong_type("$.notify_customer", other, "true or false")),
        },
        shipped_at,
        cancelled_at,
    })
}

fn shipment(body: &Json<'_>) -> Result<String, ShipmentFault> {
    let expected = "the number that you give to this shipment, as in \"SH-1\"";
    let name = text(body, "$", "shipment")?.ok_or_else(|| missing("$.shipment", expected))?;
    if name.len() > SHIPMENT_BYTES_MAX {
        let what = format!("it has {} bytes; write at most {SHIPMENT_BYTES_MAX}", name.len());
        return Err(ShipmentFault::new(ShipmentCode::WrongType, "$.shipment", what));
    }
    Ok(name.to_owned())
}

fn order(body: &Json<'_>) -> Result<String, ShipmentFault> {
    let expected = "the order's number in the shop, in digits, as in \"5678\"";
    let digits = match body.get("order") {
        Some(Json::Number(number)) => number,
        _ => text(body, "$", "order")?.ok_or_else(|| missing("$.order", expected))?,
    };
    if digits.len() > 20 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        let shown: String = digits.chars().take(40).collect();
        let what = format!("{shown:?} is no order of a shop; write {expected}");
        return Err(ShipmentFault::new(ShipmentCode::WrongType, "$.order", what));
    }
    // Under two spellings it would be two orders, and a parcel of each.
    if digits.starts_with('0') {
        let what = format!("{digits:?} begins with a zero, as no order's number does; write {expected}");
        return Err(ShipmentFault::new(ShipmentCode::WrongType, "$.order", what));
    }
    Ok(digits.to_owned())
}

/// Without blanks at its ends; `None` where nothing is left.
fn text<'a>(body: &'a Json<'_>, parent: &str, key: &str) -> Result<Option<&'a str>, ShipmentFault> {
    let path = || format!("{parent}.{key}");
    match body.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => plain(text, &path()),
        Some(other) => Err(wrong_type(&path(), other, "a text")),
    }
}

fn plain<'a>(text: &'a str, path: &str) -> Result<Option<&'a str>, ShipmentFault> {
    let text = text.trim();
    if text.chars().count() > NAME_CHARS_MAX || text.contains(char::is_control) {
        let what = format!("at most {NAME_CHARS_MAX} characters, and no control characters within");
        return Err(ShipmentFault::new(ShipmentCode::WrongType, path, what));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn list<'a, 'b>(body: &'a Json<'b>, parent: &str, key: &str) -> Result<&'a [Json<'b>], ShipmentFault> {
    match body.get(key) {
        None | Some(Json::Null) => Ok(&[]),
        Some(Json::Array(items)) => Ok(items),
        Some(other) => Err(wrong_type(&format!("{parent}.{key}"), other, "a list")),
    }
}

fn lines(body: &Json<'_>, may_be_empty: bool) -> Result<Vec<Line>, ShipmentFault> {
    let items = list(body, "$", "lines")?;
    if items.is_empty() && !may_be_empty {
        let what = "a shipment of nothing: write what it holds, or cancelled_at where it did not leave";
        return Err(ShipmentFault::new(ShipmentCode::Empty, "$.lines", what));
    }
    if items.len() > LINES_MAX {
        let what =
            format!("{} lines; the shop takes {LINES_MAX} in one: tell it as several shipments", items.len());
        return Err(ShipmentFault::new(ShipmentCode::TooMany, "$.lines", what));
    }
    let mut lines: Vec<Line> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("$.lines[{index}]");
        let sku = text(item, &path, "sku")?
            .ok_or_else(|| missing(&format!("{path}.sku"), "a SKU as it stands in the shop"))?;
        let units = quantity(item, &path)?;
        let place = *places.entry(sku.to_owned()).or_insert(lines.len());
        match lines.get_mut(place) {
            None => lines.push(Line { sku: sku.to_owned(), quantity: units }),
            Some(line) => {
                let sum = line.quantity.saturating_add(units);
                line.quantity = bounded(sum, &format!("{path}.quantity"))?;
            }
        }
    }
    Ok(lines)
}

/// Whole units, at least one; what half a unit or none of it would be nobody can send.
fn quantity(item: &Json<'_>, parent: &str) -> Result<u32, ShipmentFault> {
    let path = format!("{parent}.quantity");
    let digits = match item.get("quantity") {
        None | Some(Json::Null) => return Err(missing(&path, "how many units, as in \"2\"")),
        Some(Json::Number(number)) if !number.contains(['.', 'e', 'E']) => *number,
        Some(Json::String(text)) => text.trim(),
        Some(Json::Number(number)) => {
            let what = format!("{number} is a float; write whole units, as in \"2\"");
            return Err(ShipmentFault::new(ShipmentCode::NotQuantity, path, what));
        }
        Some(other) => return Err(wrong_type(&path, other, "how many units")),
    };
    let units =
        Decimal::from_str_exact(digits).ok().filter(|units| is_spelled(digits) && units.fract().is_zero());
    let units = units.and_then(|units| units.to_u32()).filter(|units| *units > 0);
    let units = units.ok_or_else(|| {
        let shown: String = digits.chars().take(40).collect();
        let what = format!("{shown:?} is no number of whole units, one at least; write digits, as in \"2\"");
        ShipmentFault::new(ShipmentCode::NotQuantity, path.clone(), what)
    })?;
    bounded(units, &path)
}

fn bounded(units: u32, path: &str) -> Result<u32, ShipmentFault> {
    if units <= UNITS_MAX {
        return Ok(units);
    }
    let what = format!("{units} is more than any shipment holds ({UNITS_MAX})");
    Err(ShipmentFault::new(ShipmentCode::NotQuantity, path, what))
}

fn tracking(body: &Json<'_>) -> Result<Tracking, ShipmentFault> {
    let tracking = match body.get("tracking") {
        None | Some(Json::Null) => return Ok(Tracking::default()),
        Some(tracking @ Json::Object(_)) => tracking,
        Some(other) => return Err(wrong_type("$.tracking", other, "an object")),
    };
    let urls = texts(tracking, "urls")?;
    for (index, url) in urls.iter().enumerate() {
        let good = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if good.is_none_or(|rest| rest.is_empty() || rest.contains(char::is_whitespace)) {
            let what = "this is no address of a page; write it with https://";
            return Err(ShipmentFault::new(
                ShipmentCode::WrongType,
                format!("$.tracking.urls[{index}]"),
                what,
            ));
        }
    }
    Ok(Tracking {
        company: text(tracking, "$.tracking", "company")?.map(str::to_owned),
        numbers: texts(tracking, "numbers")?,
        urls,
    })
}

/// Without those that are blank, and each once.
fn texts(tracking: &Json<'_>, key: &str) -> Result<Vec<String>, ShipmentFault> {
    let items = list(tracking, "$.tracking", key)?;
    if items.len() > NUMBERS_MAX {
        let what = format!("{} of them; write at most {NUMBERS_MAX}", items.len());
        return Err(ShipmentFault::new(ShipmentCode::TooMany, format!("$.tracking.{key}"), what));
    }
    let mut found: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("$.tracking.{key}[{index}]");
        let Json::String(text) = item else { return Err(wrong_type(&path, item, "a text")) };
        if let Some(text) = plain(text, &path)?.filter(|text| !found.iter().any(|known| known == text)) {
            found.push(text.to_owned());
        }
    }
    Ok(found)
}

const INSTANT: &str = "an instant with its zone, as in \"2026-11-26T14:00:00Z\"";

fn instant(body: &Json<'_>, key: &str) -> Result<Option<Timestamp>, ShipmentFault> {
    let path = format!("$.{key}");
    match body.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => text.trim().parse().map(Some).map_err(|_| {
            ShipmentFault::new(ShipmentCode::WrongType, path.clone(), format!("write {INSTANT}"))
        }),
        Some(other) => Err(wrong_type(&path, other, INSTANT)),
    }
}

fn missing(path: &str, expected: &str) -> ShipmentFault {
    ShipmentFault::new(ShipmentCode::Missing, path, format!("it is missing; write {expected}"))
}

fn wrong_type(path: &str, found: &Json<'_>, expected: &str) -> ShipmentFault {
    ShipmentFault::new(ShipmentCode::WrongType, path, format!("this is {}; write {expected}", found.kind()))
}

#[cfg(test)]
mod tests;
