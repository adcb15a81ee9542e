//! The lines of the canonical order: what was bought, what was taken off, what it is taxed with.

use kernel::money::MoneyBag;
use kernel::quantity::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of goods, a gift card, a tip or a custom line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub line_id: String,
    pub gid: String,
    /// Null for a custom line, a tip, or a product that has been deleted.
    pub product_id: Option<String>,
    /// Null for a custom line, a tip, or a variant that has been deleted.
    pub variant_id: Option<String>,
    /// As Shopify has it, blanks and line breaks included; an empty one is null.
    pub sku: Option<String>,
    pub title: String,
    pub variant_title: Option<String>,
    pub vendor: Option<String>,
    pub quantity: LineQuantities,
    /// For one unit, before discounts; with tax where the order's taxes are included.
    pub unit_price: MoneyBag,
    pub discounts: Vec<Allocation>,
    pub taxes: Vec<Tax>,
    pub duties: Vec<Duty>,
    pub taxable: bool,
    pub requires_shipping: bool,
    pub gift_card: bool,
    pub attributes: Vec<Attribute>,
    /// The bundle that this line is a component of.
    pub group_id: Option<String>,
    /// For the quantity ordered.
    pub original: LineAmounts,
    /// For the quantity as edited; a refund does not change it.
    pub current: LineAmounts,
}

/// How many, before and after edits. Refunds are events and change neither.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineQuantities {
    /// As ordered, or as added by an edit.
    pub original: Quantity,
    /// Less what edits removed: what the target is to deliver.
    pub current: Quantity,
}

/// What a line comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineAmounts {
    /// Unit price times quantity.
    pub gross: MoneyBag,
    /// The discounts' share, positive.
    pub discount: MoneyBag,
    /// Gross less discount; with tax where the order's taxes are included.
    pub total: MoneyBag,
    /// All taxes of the line, whether included in the total or not.
    pub tax: MoneyBag,
}

/// A discount's share in one line, as Shopify rounded it: the shares add up to the discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Index of the discount in the order's `discounts`.
    pub discount: u32,
    pub amount: MoneyBag,
}

/// One tax on a line, a shipping line or a duty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    pub title: String,
    pub rate: Option<TaxRate>,
    pub amount: MoneyBag,
    /// A marketplace remits it, not the shop.
    pub channel_liable: bool,
}

/// A rate as decimal text, `0.19` for 19 %.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TaxRate(pub String);

/// A customs duty on a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    pub duty_id: String,
    pub harmonized_system_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country_of_origin: Option<String>,
    pub amount: MoneyBag,
    pub taxes: Vec<Tax>,
}

/// A name and value that the buyer, the theme or an app put there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    pub name: String,
    pub value: String,
}

/// One way of shipping that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingLine {
    pub shipping_line_id: Option<String>,
    pub title: String,
    pub code: Option<String>,
    pub source: Option<String>,
    pub carrier_identifier: Option<String>,
    pub price: MoneyBag,
    pub discounts: Vec<Allocation>,
    pub taxes: Vec<Tax>,
    /// Taken off by an edit: counts in the original totals, not in the current ones.
    pub removed: bool,
    /// Price less discounts.
    pub total: MoneyBag,
    pub tax: MoneyBag,
}
