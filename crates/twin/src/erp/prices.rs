//! Prices that are made when they are asked for: what is configured to order has no list. Nothing of it is kept.

use super::content::json as read_json;
use super::fields::Fields;
use super::refusal::Refusal;
use rust_decimal::Decimal;
use serde_json::{Value, json};

const FIELDS: [&str; 3] = ["company_location", "currency", "lines"];
const LINE_FIELDS: [&str; 3] = ["sku", "quantity", "unit"];
/// `CFG-18`: configured to order.
const CONFIGURED: &str = "CFG-";

/// One answer for each line, in their order.
pub(super) fn asked(body: &[u8]) -> Result<Value, Refusal> {
    let value = read_json(body)?;
    let fields = Fields::of(&value, "", &FIELDS)?;
    fields.text_or_null("company_location", 128)?;
    fields.text("currency", 3)?;
    let mut lines = Vec::new();
    for (index, line) in fields.list("lines")?.iter().enumerate() {
        let line = Fields::of(line, &format!("lines[{index}]"), &LINE_FIELDS)?;
        line.quantity("quantity")?;
        line.text("unit", 8)?;
        lines.push(json!({ "unit_price": price(&line.text("sku", 64)?).map(|price| price.to_string()) }));
    }
    Ok(json!({ "lines": lines }))
}

/// A hundred, and its number in the currency: `CFG-18` is 118.00.
#[must_use]
pub fn price(sku: &str) -> Option<Decimal> {
    let number: u32 = sku.strip_prefix(CONFIGURED)?.parse().ok()?;
    Some(Decimal::new((i64::from(number) + 100) * 100, 2))
}
