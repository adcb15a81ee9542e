//! How many pieces a unit holds, for one SKU or for all. Owns conversion between units; refuses to guess one.

use crate::decimal::{OutOfRange, mul_div, mul_div_cut};
use crate::sku::Sku;
use kernel::quantity::Unit;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Units {
    of_sku: BTreeMap<Sku, Vec<(Unit, Decimal)>>,
    of_all: Vec<(Unit, Decimal)>,
}

/// Pieces of one unit and of another: `amount × over ÷ under` converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    pub over: Decimal,
    pub under: Decimal,
}

impl Units {
    pub(crate) fn define(&mut self, sku: Option<Sku>, unit: Unit, pieces: Decimal) -> bool {
        let rows = match sku {
            Some(sku) => self.of_sku.entry(sku).or_default(),
            None => &mut self.of_all,
        };
        let is_new = rows.iter().all(|(known, _)| *known != unit);
        rows.push((unit, pieces));
        is_new
    }

    /// None: this unit is not counted in pieces. `sku` in its one spelling.
    #[must_use]
    pub fn pieces(&self, sku: &str, unit: &Unit) -> Option<Decimal> {
        if unit.code() == "C62" {
            return Some(Decimal::ONE);
        }
        let own = if self.of_sku.is_empty() { None } else { self.of_sku.get(sku) };
        let rows = own.into_iter().flatten().chain(&self.of_all);
        rows.into_iter().find(|(known, _)| known == unit).map(|(_, pieces)| *pieces)
    }

    /// How a number of `from` becomes a number of `to`. None: they do not convert.
    #[must_use]
    pub fn ratio(&self, sku: &str, from: &Unit, to: &Unit) -> Option<Ratio> {
        if from == to {
            return Some(Ratio { over: Decimal::ONE, under: Decimal::ONE });
        }
        Some(Ratio { over: self.pieces(sku, from)?, under: self.pieces(sku, to)? })
    }
}

impl Ratio {
    #[must_use]
    pub fn is_one(self) -> bool {
        // Units are mostly the same, and of one number the digits are: comparing what they stand for takes ten times as long.
        let digits = |number: Decimal| (number.mantissa(), number.scale());
        digits(self.over) == digits(self.under) || self.over == self.under
    }

    /// A quantity that is converted to look for its tier: to 8 decimals, cut.
    ///
    /// # Errors
    /// Too many digits on the way.
    pub fn of_quantity(self, quantity: Decimal) -> Result<Decimal, OutOfRange> {
        if self.is_one() { Ok(quantity) } else { mul_div_cut(quantity, self.over, self.under) }
    }

    /// To 8 decimals, a half up.
    ///
    /// # Errors
    /// Too many digits on the way.
    pub fn apply(self, amount: Decimal) -> Result<Decimal, OutOfRange> {
        if self.is_one() { Ok(amount) } else { mul_div(amount, self.over, self.under) }
    }
}
