//! The canonical order. Its JSON Schema is published as `docs/schema/order.schema.json`.

use jiff::Timestamp;
use kernel::money::{Currency, MoneyBag};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::event::DerivedEvent;
use super::line::{Attribute, Line, ShippingLine, Tax};
use super::party::{Address, Company, Contact, PaymentTerms};
use super::status::{FinancialStatus, FulfilmentStatus};

/// An order as edited and not as refunded. Every member is always there; what is not known is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The number of the global id, as text: it may exceed 2^53.
    pub order_id: String,
    pub gid: String,
    /// As people call it, `#1001`; not unique.
    pub name: String,
    pub confirmation_number: Option<String>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Timestamp,
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub processed_at: Option<Timestamp>,
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub updated_at: Timestamp,
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub closed_at: Option<Timestamp>,
    pub cancellation: Option<Cancellation>,
    pub test: bool,
    /// The shop's currency: of every `shop` amount.
    pub currency: Currency,
    /// The buyer's currency: of every `presentment` amount.
    pub presentment_currency: Currency,
    pub taxes_included: bool,
    pub duties_included: bool,
    pub tax_exempt: bool,
    pub financial_status: Option<FinancialStatus>,
    pub fulfilment_status: FulfilmentStatus,
    pub source: Source,
    pub po_number: Option<String>,
    pub note: Option<String>,
    /// Sorted by name.
    pub attributes: Vec<Attribute>,
    /// Sorted; without the tags that we write ourselves.
    pub tags: Vec<String>,
    pub company: Option<Company>,
    pub contact: Contact,
    pub payment_terms: Option<PaymentTerms>,
    pub billing_address: Option<Address>,
    pub shipping_address: Option<Address>,
    /// In the order of their index.
    pub discounts: Vec<Discount>,
    /// In the order of their ids.
    pub lines: Vec<Line>,
    pub shipping_lines: Vec<ShippingLine>,
    /// Taxes of the order as a whole; only where no line has any.
    pub taxes: Vec<Tax>,
    pub totals: Totals,
    /// What happened to the order; not part of its canonical form, and empty in one that was read back.
    #[serde(skip)]
    pub events: Vec<DerivedEvent>,
}

/// Where the order came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Shopify's `source_name`: `web`, `pos`, `shopify_draft_order`, or an app's own.
    pub channel: Option<String>,
    pub app_id: Option<String>,
    /// The order's id in the channel it came from.
    pub identifier: Option<String>,
}

/// The order was called off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancellation {
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub cancelled_at: Timestamp,
    /// `customer`, `declined`, `fraud`, `inventory`, `other` or `staff`.
    pub reason: Option<String>,
}

/// A discount whose shares stand in the lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discount {
    pub index: u32,
    /// `automatic`, `discount_code`, `manual` or `script`.
    pub kind: String,
    /// The code or the title.
    pub label: Option<String>,
    /// `line_item` or `shipping_line`.
    pub target: String,
    /// Decimal text, `10` for 10 %; null for a fixed amount, which the shares give.
    pub percentage: Option<String>,
}

/// Recomputed from the lines and checked against Shopify's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Of all that was ever ordered, before edits took anything away.
    pub original: OrderTotals,
    /// As edited; refunds do not change it. What the target's total is compared with.
    pub current: OrderTotals,
    /// The tips are lines too, so that the total must not add them again.
    pub tips_in_lines: bool,
}

/// One set of totals. `total = subtotal + shipping + duties + fees + tips`, and `+ tax` where it is not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderTotals {
    /// Lines less their discounts.
    pub subtotal: MoneyBag,
    /// All discounts, of lines and of shipping; positive.
    pub discount: MoneyBag,
    /// Shipping less its discounts.
    pub shipping: MoneyBag,
    pub duties: MoneyBag,
    pub fees: MoneyBag,
    pub tips: MoneyBag,
    pub tax: MoneyBag,
    pub total: MoneyBag,
}
