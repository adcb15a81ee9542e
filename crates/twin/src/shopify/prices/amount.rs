//! An amount of a price list, in thousandths: no currency of Shopify has more decimals. Four million of them are kept.

use crate::shop::Currency;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::shopify) struct Amount(i64);

impl Amount {
    /// To the minor unit of its currency; none where it is too large.
    pub(in crate::shopify) fn of(currency: Currency, amount: Decimal) -> Option<Self> {
        (currency.round(amount) * Decimal::ONE_THOUSAND).to_i64().map(Self)
    }

    pub(in crate::shopify) fn decimal(self) -> Decimal {
        Decimal::new(self.0, 3)
    }

    pub(in crate::shopify) fn is_negative(self) -> bool {
        self.0 < 0
    }
}

/// A `Decimal` of an input, which may be a text or a number.
pub(in crate::shopify) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
