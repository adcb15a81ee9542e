//! Quantities: an exact decimal with its unit.
//!
//! Owns the pair and its spelling. Refuses floats, negative amounts and arithmetic across units; converting
//! between units is the mapping's work, because the factor depends on the product.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::money::{MoneyError, exact_add, exact_sub, parse_exact};

/// A unit by its UN/ECE Recommendation 20 code: two or three capitals and digits, such as `C62` or `KGM`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(Box<str>);

/// Why a quantity could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("'{0}' is not a UN/ECE unit code (two or three capitals and digits, such as C62)")]
    NotUnit(String),
    #[error(transparent)]
    NotDecimal(#[from] MoneyError),
    #[error("{0} is negative")]
    Negative(Decimal),
    #[error("{0} and {1} are different units; convert one first")]
    MixedUnits(Unit, Unit),
}

impl Unit {
    /// One piece (UN/ECE `C62`, "one"): what Shopify counts in.
    #[must_use]
    pub fn piece() -> Self {
        Self("C62".into())
    }

    pub fn from_code(code: &str) -> Result<Self, QuantityError> {
        let well_formed = (2..=3).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if well_formed {
            Ok(Self(code.into()))
        } else {
            Err(QuantityError::NotUnit(code.chars().take(20).collect()))
        }
    }

    #[must_use]
    pub fn code(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        Self::from_code(&code).map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Unit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Unit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A UN/ECE Recommendation 20 code.",
            "pattern": "^[A-Z0-9]{2,3}$"
        })
    }
}

/// How much of something: never negative.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Quantity {
    amount: Decimal,
    unit: Unit,
}

impl Quantity {
    pub fn new(amount: Decimal, unit: Unit) -> Result<Self, QuantityError> {
        if amount.is_sign_negative() && !amount.is_zero() {
            return Err(QuantityError::Negative(amount));
        }
        Ok(Self { amount: amount.abs().normalize(), unit })
    }

    /// A whole number of pieces.
    #[must_use]
    pub fn pieces(count: u64) -> Self {
        Self { amount: Decimal::from(count).normalize(), unit: Unit::piece() }
    }

    #[must_use]
    pub fn amount(&self) -> Decimal {
        self.amount
    }

    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.unit
    }

    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    pub fn checked_add(&self, other: &Self) -> Result<Self, QuantityError> {
        self.same_unit(other)?;
        Self::new(exact_add(self.amount, other.amount)?, self.unit.clone())
    }

    /// Fails where the result would be negative.
    pub fn checked_sub(&self, other: &Self) -> Result<Self, QuantityError> {
        self.same_unit(other)?;
        Self::new(exact_sub(self.amount, other.amount)?, self.unit.clone())
    }

    fn same_unit(&self, other: &Self) -> Result<(), QuantityError> {
        if self.unit == other.unit {
            Ok(())
        } else {
            Err(QuantityError::MixedUnits(self.unit.clone(), other.unit.clone()))
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.unit)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Quantity({self})")
    }
}

#[derive(Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Quantity", description = "An exact amount of a unit; never negative.")]
struct Spelled {
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    amount: String,
    unit: Unit,
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Spelled { amount: self.amount.to_string(), unit: self.unit.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spelled = Spelled::deserialize(deserializer)?;
        let amount = parse_exact(&spelled.amount).map_err(de::Error::custom)?;
        Self::new(amount, spelled.unit).map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <Spelled as schemars::JsonSchema>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelled_as_text_and_read_back() {
        let quantity =
            Quantity::new(parse_exact("7000.50").unwrap(), Unit::from_code("KGM").unwrap()).unwrap();
        let json = serde_json::to_string(&quantity).unwrap();
        assert_eq!(json, r#"{"amount":"7000.5","unit":"KGM"}"#);
        assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
        assert_eq!(
            serde_json::to_string(&Quantity::pieces(7000)).unwrap(),
            r#"{"amount":"7000","unit":"C62"}"#
        );
    }

    #[test]
    fn refuses_what_cannot_be_a_quantity() {
        for bad in [
            r#"{"amount":"-1","unit":"C62"}"#,
            r#"{"amount":"NaN","unit":"C62"}"#,
            r#"{"amount":1,"unit":"C62"}"#,
            r#"{"amount":"1","unit":"piece"}"#,
            r#"{"amount":"1"}"#,
        ] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arithmetic_stays_within_the_unit_and_above_zero() {
        let (two, five) = (Quantity::pieces(2), Quantity::pieces(5));
        assert_eq!(five.checked_sub(&two).unwrap(), Quantity::pieces(3));
        assert_eq!(five.checked_add(&two).unwrap(), Quantity::pieces(7));
        assert!(matches!(two.checked_sub(&five), Err(QuantityError::Negative(_))));
        let kilo = Quantity::new(Decimal::ONE, Unit::from_code("KGM").unwrap()).unwrap();
        assert!(matches!(two.checked_add(&kilo), Err(QuantityError::MixedUnits(..))));
    }
}
