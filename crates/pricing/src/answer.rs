//! What is asked and what is answered. Owns the shapes of both, in decimals and ids; how they look on the wire is the API's.

use crate::audience::Nearness;
use crate::book::ListIndex;
use crate::document::{Kind, Tax};
use crate::sku::SkuFault;
use crate::terms::QuantityRule;
use kernel::quantity::Unit;
use rust_decimal::Decimal;
use std::fmt;

/// One line of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// As it was written; compared in its one spelling.
    pub sku: &'a str,
    pub quantity: Decimal,
    pub unit: Unit,
}

/// So many units at this price each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    pub quantity: Decimal,
    pub unit_price: Decimal,
}

/// Which list gave the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub list: ListIndex,
    pub kind: Kind,
    pub nearness: Nearness,
}

/// What the last unit costs from a quantity on, before surcharges and promotions; both in the asked unit. The quantity is one that
/// can be asked; 0 where any quantity has the price of a unit that is not counted whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    pub minimum: Decimal,
    pub unit_price: Decimal,
}

/// A line with its price. Amounts are in the cart's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced<'t> {
    pub source: Source,
    pub portions: Vec<Portion>,
    /// The portion's, or the average of several.
    pub unit_price: Decimal,
    pub is_average: bool,
    pub total: Decimal,
    /// What a unit costs by the lists of kind `list` alone.
    pub list_price: Option<Decimal>,
    pub tax: Tax,
    pub breaks: Vec<Break>,
    /// Ids of those that count, in the order in which they were applied.
    pub surcharges: Vec<&'t str>,
    pub promotions: Vec<&'t str>,
    pub quantity_rule: Option<QuantityRule>,
    /// Whether that rule allows the quantity.
    pub quantity_allowed: bool,
}

/// Why a line has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpriced {
    Sku(SkuFault),
    Quantity(QuantityFault),
    /// No list that is for this buyer has a price.
    NoPrice,
    Range,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantityFault {
    NotPositive,
    Large,
    Decimals,
    /// Counted whole, and it is not.
    NotWhole,
}

impl Unpriced {
    /// The cause in one word, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Sku(_) => "sku",
            Self::Quantity(_) => "quantity",
            Self::NoPrice => "no_price",
            Self::Range => "range",
        }
    }
}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sku(fault) => fault.fmt(f),
            Self::Quantity(fault) => f.write_str(match fault {
                QuantityFault::NotPositive => "a quantity is more than 0",
                QuantityFault::Large => "a quantity is at most 1,000,000,000",
                QuantityFault::Decimals => "a quantity has at most 6 decimals",
                QuantityFault::NotWhole => "this unit is counted whole",
            }),
            Self::NoPrice => f.write_str("no list that is for this buyer has a price for it"),
            Self::Range => f.write_str("an amount on the way has more than 28 digits"),
        }
    }
}
