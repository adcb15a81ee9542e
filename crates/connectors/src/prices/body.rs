//! An order as the mapping makes it for a comparison. Owns its form; `prices.charged/1` is its schema.

use jiff::Timestamp;
use kernel::money::Currency;
use rust_decimal::Decimal;
use serde::Deserialize;

/// What a mapping to `prices` is checked against.
pub const SCHEMA: &str = "prices.charged/1";

/// What a buyer was charged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// As people call it.
    pub(super) order: String,
    /// When it was placed: the instant that prices are asked of.
    pub(super) at: Timestamp,
    pub(super) currency: Currency,
    /// As the terms of prices spell it; nobody in particular where it is none.
    pub(super) company_location: Option<String>,
    /// Whether amounts hold the tax.
    pub(super) tax_included: bool,
    /// A person has set the prices, as in a draft order.
    #[serde(default)]
    pub(super) by_hand: bool,
    #[serde(default)]
    pub(super) lines: Vec<Line>,
}

/// One line of goods that have a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) sku: String,
    pub(super) quantity: Decimal,
    /// All of it, before discounts.
    pub(super) gross: Decimal,
    /// Taken off all of it.
    pub(super) discount: Decimal,
    pub(super) tax: Decimal,
}
