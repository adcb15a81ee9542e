//! The canonical payment. Its JSON Schema is published as `docs/schema/payment.schema.json`.

use jiff::Timestamp;
use kernel::money::{Currency, MoneyBag};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Money that was taken for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Payment {
    /// The number of the global id of Shopify's transaction, as text.
    pub payment_id: String,
    pub order_id: String,
    /// As people call the order, `#1001`.
    pub order_name: String,
    /// `sale`: taken at once; `capture`: of what was authorised before.
    pub kind: String,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub paid_at: Timestamp,
    /// What took it: `shopify_payments`, `manual`, `gift_card`. Null where Shopify does not say.
    pub gateway: Option<String>,
    /// What payment providers' own lists call it, `#1001.1`.
    pub reference: Option<String>,
    /// The number of the authorisation or sale that it belongs to.
    pub parent_id: Option<String>,
    /// The shop's currency.
    pub currency: Currency,
    /// The buyer's currency.
    pub presentment_currency: Currency,
    pub amount: MoneyBag,
}

/// The canonical form as a tree, and its digest.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn canonical(payment: &Payment) -> Result<(Value, [u8; 32]), serde_json::Error> {
    let body = serde_json::to_value(payment)?;
    let digest = Sha256::digest(serde_json::to_vec(&body)?).into();
    Ok((body, digest))
}

/// The JSON Schema of the canonical payment, pretty-printed and ending in a line break.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn json_schema() -> Result<String, serde_json::Error> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Payment>();
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}
