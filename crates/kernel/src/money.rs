//! Money: an exact decimal with an ISO 4217 currency, and the two kinds of it that an order has.
//!
//! Owns the table of currencies, exact parsing and spelling of amounts, arithmetic that refuses to mix
//! currencies, rounding by rule and allocation that keeps the rounding. Refuses floats, currencies that it does
//! not know, and results that would not be exact: an amount is never quietly rounded.

mod allocate;
mod currency;
mod decimal;
mod kinds;

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

pub use currency::Currency;
pub use decimal::{exact_add, exact_mul, exact_sub, parse_exact};
pub use kinds::{MoneyBag, PresentmentMoney, ShopMoney};

/// Why an amount could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("'{0}' is not a currency of ISO 4217")]
    UnknownCurrency(String),
    #[error("'{0}' is not a decimal number")]
    NotDecimal(String),
    #[error("'{0}' is out of range: at most 18 digits before the point and 28 in all")]
    OutOfRange(String),
    #[error("{0} and {1} are different currencies and cannot be added, subtracted or compared")]
    MixedCurrencies(Currency, Currency),
    #[error("the result has more than 28 digits and would have to be rounded")]
    Inexact,
    #[error("nothing to allocate over: there are no weights, one is negative, or all are zero")]
    NoWeights,
}

/// How a half of the minor unit is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// 0.125 → 0.13, −0.125 → −0.13: what shops and invoices do.
    HalfUp,
    /// 0.125 → 0.12, 0.135 → 0.14: what many ledgers do.
    HalfEven,
}

/// An amount in one currency. Equal amounts are equal however many zeros they were spelled with.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: Currency,
}

impl Money {
    /// An exact amount. Not rounded: a unit price may have more decimals than its currency.
    #[must_use]
    pub fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount: amount.normalize(), currency }
    }

    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { amount: Decimal::ZERO, currency }
    }

    /// Reads the text of a JSON string or of a JSON number, exactly. The number of decimals is not checked
    /// against the currency: real bodies do not follow it ("5900.0" JPY).
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Ok(Self::new(parse_exact(text)?, currency))
    }

    #[must_use]
    pub fn amount(self) -> Decimal {
        self.amount
    }

    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    #[must_use]
    pub fn is_zero(self) -> bool {
        self.amount.is_zero()
    }

    #[must_use]
    pub fn is_negative(self) -> bool {
        self.amount.is_sign_negative() && !self.amount.is_zero()
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(Self::new(exact_add(self.amount, other.amount)?, self.currency))
    }

    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        Ok(Self::new(exact_sub(self.amount, other.amount)?, self.currency))
    }

    /// Price times quantity; exact, so not yet rounded to the minor unit.
    pub fn checked_mul(self, factor: Decimal) -> Result<Self, MoneyError> {
        Ok(Self::new(exact_mul(self.amount, factor)?, self.currency))
    }

    pub fn checked_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// The sum of what the iterator yields; zero of `currency` when it yields nothing.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// To the minor unit of the currency: 0, 2, 3 or 4 decimals.
    #[must_use]
    pub fn round(self, rule: Rounding) -> Self {
        let strategy = match rule {
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        };
        Self::new(self.amount.round_dp_with_strategy(self.currency.minor_digits(), strategy), self.currency)
    }

    /// True when both round to the same minor unit: the sense in which two totals agree.
    pub fn agrees_with(self, other: Self) -> Result<bool, MoneyError> {
        self.same_currency(other)?;
        Ok(self.round(Rounding::HalfUp) == other.round(Rounding::HalfUp))
    }

    /// The amount as text: at least as many decimals as the currency has, more only where they are not zero.
    #[must_use]
    pub fn amount_text(self) -> String {
        let mut amount = self.amount.normalize();
        if amount.is_zero() {
            amount = Decimal::ZERO; // never "-0.00"
        }
        if amount.scale() < self.currency.minor_digits() {
            amount.rescale(self.currency.minor_digits());
        }
        amount.to_string()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::MixedCurrencies(self.currency, other.currency))
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Money", 2)?;
        object.serialize_field("amount", &self.amount_text())?;
        object.serialize_field("currency", &self.currency)?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Spelled {
            amount: String,
            currency: Currency,
        }
        let spelled = Spelled::deserialize(deserializer)?;
        Self::parse(&spelled.amount, spelled.currency).map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Money {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let currency = generator.subschema_for::<Currency>();
        schemars::json_schema!({
            "type": "object",
            "description": "An exact amount in one currency.",
            "properties": {
                "amount": {
                    "type": "string",
                    "description": "Decimal text with at least the decimals of the currency.",
                    "pattern": r"^-?[0-9]+(\.[0-9]+)?$"
                },
                "currency": currency
            },
            "required": ["amount", "currency"],
            "additionalProperties": false
        })
    }
}

#[cfg(test)]
mod tests;
