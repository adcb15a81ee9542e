//! One buyer's prices as they travel into Shopify's checkout: the lists, surcharges and promotions that are for one company
//! location, and the prices of some SKUs, in a form small enough for a metafield. A Shopify Function reads it there and asks
//! [`crate::Resolver`], as the hub does.
//!
//! Owns that form (`docs/checkout.md` describes it) and that what was packed gives, once it is opened, what resolution gives.
//! Refuses to carry a SKU in part: of each SKU that is in it, every price that could count is in it. A reader needs neither a time
//! zone nor a clock: the form says at which second each day of the shop is to be priced.

pub mod json;
mod open;
mod pack;

pub use open::{OpenFault, Opened, Shelf, decimal, open};
pub use pack::{PackFault, Packing};

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The form that is written.
pub const FORM: u32 = 1;
/// What a Shopify Function is given of a metafield's value: a longer one is withheld from it.
pub const BYTES_MAX: usize = 10_000;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// [`FORM`].
    pub form: u32,
    /// From each day of the shop on (`2026-12-01`), at which second it is priced. In their order; before the first nothing is said.
    pub days: Vec<(String, i64)>,
    /// The last day on which it counts. None: as long as nothing else is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    pub lists: Vec<List>,
    /// Of a SKU (none: of all) a unit is so many pieces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<(Option<String>, String, Number)>,
    /// In the order in which they are applied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub surcharges: Vec<Rule>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<Rule>,
    /// By SKU, in its one spelling: what each list, by its place in `lists`, has for it.
    pub prices: BTreeMap<String, Vec<(u32, Price)>>,
}

/// A price list without its prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct List {
    pub id: String,
    pub currency: String,
    #[serde(skip_serializing_if = "is_false")]
    pub contract: bool,
    /// None: it only stands behind another.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub near: Option<Near>,
    #[serde(skip_serializing_if = "is_zero")]
    pub priority: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    #[serde(skip_serializing_if = "is_false")]
    pub graduated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// As documents write it; exact, unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub half_even: bool,
    /// The list behind it, by its place, and how much of a hundred its prices are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<(u32, Number)>,
}

/// How near a list is to the one buyer whose prices these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Near {
    Location,
    Company,
    Group,
    Everyone,
}

/// A surcharge or a promotion that is for the buyer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub id: String,
    /// SKUs of the carried ones, and how SKUs begin.
    pub skus: Vec<String>,
    /// It does not count with this kind of source.
    #[serde(skip_serializing_if = "is_false")]
    pub not_contract: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub not_list: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    pub stacks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Number>,
    pub does: Does,
}

/// What a rule does to a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Of a surcharge: so much of a hundred.
    OfHundred(Number),
    /// Of a surcharge: so much more.
    Amount(Number),
    PercentOff(Number),
    AmountOff(Number),
    FixedPrice(Number),
    /// Of every `.0 + .1` units, `.1` are at `.2` percent off.
    BuyGet(u32, u32, Number),
}

/// What a list has for a SKU: one amount, as a text, or windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    Plain(Number),
    Windows(Vec<Window>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Window {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// None: the list's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// From which quantity on a unit is how much.
    pub tiers: Vec<(Number, Number)>,
}

/// An exact number, as a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(pub Decimal);

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(value: &i32) -> bool {
    *value == 0
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.normalize().to_string())
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(amount) => amount.serialize(serializer),
            Self::Windows(windows) => windows.serialize(serializer),
        }
    }
}
