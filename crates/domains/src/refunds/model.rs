//! The canonical refund. Its JSON Schema is published as `docs/schema/refund.schema.json`.

use jiff::Timestamp;
use kernel::money::{Currency, MoneyBag};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// What was given back of an order. `total` = lines + shipping + duties + `difference`, to the cent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refund {
    /// The number of the global id, as text.
    pub refund_id: String,
    pub order_id: String,
    /// As people call the order, `#1001`.
    pub order_name: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    /// The shop's currency: of every `shop` amount.
    pub currency: Currency,
    /// The buyer's currency: of every `presentment` amount.
    pub presentment_currency: Currency,
    pub note: Option<String>,
    /// Whether the order's prices hold the tax.
    pub taxes_included: bool,
    /// What the buyer got back.
    pub total: MoneyBag,
    /// In the order of their ids.
    pub lines: Vec<RefundLine>,
    pub shipping: Vec<RefundShipping>,
    pub duties: MoneyBag,
    /// What was given back beyond lines, shipping and duties; negative where less was (a restocking fee). Shopify calls it an
    /// adjustment.
    pub difference: MoneyBag,
}

/// Units of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefundLine {
    /// Of the order's line.
    pub line_id: String,
    pub sku: Option<String>,
    pub title: String,
    /// A whole number.
    pub quantity: String,
    /// `return`: they came back; `cancel`: they never left; `no_restock`: they are not put back.
    pub restock: Option<String>,
    /// Less discounts, without tax, whether the order's prices hold it or not.
    pub net: MoneyBag,
    pub tax: MoneyBag,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RefundShipping {
    /// Without tax.
    pub net: MoneyBag,
    pub tax: MoneyBag,
}

/// The canonical form as a tree, and its digest.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn canonical(refund: &Refund) -> Result<(Value, [u8; 32]), serde_json::Error> {
    let body = serde_json::to_value(refund)?;
    let digest = Sha256::digest(serde_json::to_vec(&body)?).into();
    Ok((body, digest))
}

/// The JSON Schema of the canonical refund, pretty-printed and ending in a line break.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn json_schema() -> Result<String, serde_json::Error> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Refund>();
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}
