//! To what a unit price is rounded. Owns the four targets (exact, the minor unit, an increment, an ending) and their text form.
//! Refuses to round twice: it is called once, at the place that the rules name.

use crate::price::AMOUNT_DECIMALS_MAX;
use kernel::money::{Currency, Rounding as Half, parse_exact};
use rust_decimal::Decimal;
use std::fmt;

/// The nearest values that a unit price may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// Six decimals, which is what a price may have.
    Exact,
    /// The minor unit of the currency.
    Minor,
    /// A whole multiple.
    Increment(Decimal),
    /// A whole number and this, which is at least 0 and less than 1: `0.99`.
    Ending(Decimal),
}

/// How one list rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitRounding {
    pub to: To,
    pub half: Half,
}

impl Default for UnitRounding {
    fn default() -> Self {
        Self { to: To::Exact, half: Half::HalfUp }
    }
}

impl To {
    /// `exact`, `minor`, an increment such as `0.05`, an ending such as `*.99`. What is wrong is said for a person.
    ///
    /// # Errors
    /// Any other text, an increment of 0, more than six decimals.
    pub fn parse(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            parse_exact(digits)
                .ok()
                .filter(|n| n.scale() <= AMOUNT_DECIMALS_MAX && *n < Decimal::from(1_000_000))
        };
        match text {
            "exact" => return Ok(Self::Exact),
            "minor" => return Ok(Self::Minor),
            _ => {}
        }
        if let Some(ending) = text.strip_prefix("*.") {
            let digits = ending.bytes().all(|b| b.is_ascii_digit());
            return match number(&format!("0.{ending}")) {
                Some(ending) if digits => Ok(Self::Ending(ending)),
                _ => Err(format!("'{text}' is no ending: write it as *.99, with at most six digits")),
            };
        }
        match number(text) {
            Some(increment) if increment > Decimal::ZERO => Ok(Self::Increment(increment)),
            _ => Err(format!(
                "'{text}' is no rounding: write exact, minor, an increment such as 0.05 or an ending such as *.99"
            )),
        }
    }
}

impl To {
    /// As it is written in a document.
    #[must_use]
    pub fn spelled(&self) -> String {
        match self {
            Self::Exact => "exact".to_owned(),
            Self::Minor => "minor".to_owned(),
            Self::Increment(step) => step.normalize().to_string(),
            Self::Ending(ending) if ending.is_zero() => "*.0".to_owned(),
            Self::Ending(ending) => format!("*{}", ending.normalize().to_string().trim_start_matches('0')),
        }
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact => f.write_str("six decimals"),
            Self::Minor => f.write_str("the minor unit"),
            Self::Increment(increment) => write!(f, "a multiple of {increment}"),
            Self::Ending(ending) => write!(f, "an ending of {}", ending.to_string().trim_start_matches('0')),
        }
    }
}

impl UnitRounding {
    /// `value` is not negative.
    #[must_use]
    pub fn apply(self, value: Decimal, currency: Currency) -> Decimal {
        if value.is_zero() {
            return Decimal::ZERO;
        }
        let to_decimals = |digits| (Decimal::new(1, digits), Decimal::ZERO);
        let (step, offset) = match self.to {
            // Most prices have no more decimals than are asked.
            To::Exact if value.scale() <= AMOUNT_DECIMALS_MAX => return value.normalize(),
            To::Minor if value.scale() <= currency.minor_digits() => return value.normalize(),
            To::Exact => to_decimals(AMOUNT_DECIMALS_MAX),
            To::Minor => to_decimals(currency.minor_digits()),
            To::Increment(increment) => (increment, Decimal::ZERO),
            To::Ending(ending) => (Decimal::ONE, ending),
        };
        if value <= offset {
            return offset.normalize();
        }
        let above = value - offset;
        let rest = above % step;
        let whole = ((above - rest) / step).round();
        let twice = rest + rest;
        let up = match self.half {
            Half::HalfUp => twice >= step,
            Half::HalfEven => twice > step || (twice == step && !(whole % Decimal::TWO).is_zero()),
        };
        ((if up { whole + Decimal::ONE } else { whole }) * step + offset).normalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(to: &str, half: Half, value: &str, currency: &str) -> String {
        let rounding = UnitRounding { to: To::parse(to).unwrap(), half };
        rounding.apply(parse_exact(value).unwrap(), Currency::from_code(currency).unwrap()).to_string()
    }

    #[test]
    fn each_target_by_both_ways_with_halves() {
        let rows = [
            ("exact", "1.23456750", "EUR", "1.234568", "1.234568"),
            ("exact", "1.23456650", "EUR", "1.234567", "1.234566"),
            ("minor", "1.125", "EUR", "1.13", "1.12"),
            ("minor", "1.135", "EUR", "1.14", "1.14"),
            ("minor", "1.5", "JPY", "2", "2"),
            ("minor", "2.5", "JPY", "3", "2"),
            ("minor", "1.0005", "KWD", "1.001", "1"),
            ("0.05", "1.024", "CHF", "1", "1"),
            ("0.05", "1.025", "CHF", "1.05", "1"),
            ("0.05", "1.075", "CHF", "1.1", "1.1"),
            ("*.99", "12.48", "EUR", "11.99", "11.99"),
            ("*.99", "12.49", "EUR", "12.99", "12.99"),
            ("*.99", "13.49", "EUR", "13.99", "12.99"),
            ("*.99", "0.2", "EUR", "0.99", "0.99"),
            ("*.99", "0", "EUR", "0", "0"),
            ("minor", "0.004", "EUR", "0", "0"),
        ];
        for (to, value, currency, up, even) in rows {
            assert_eq!(rounded(to, Half::HalfUp, value, currency), up, "{value} to {to}");
            assert_eq!(rounded(to, Half::HalfEven, value, currency), even, "{value} to {to}, half even");
        }
    }

    #[test]
    fn a_target_is_spelled_as_it_is_read() {
        for text in ["exact", "minor", "0.05", "25", "*.99", "*.0", "*.5"] {
            let to = To::parse(text).unwrap();
            assert_eq!(to.spelled(), text);
            assert_eq!(To::parse(&to.spelled()), Ok(to));
        }
    }

    #[test]
    fn what_is_no_rounding_is_said_with_what_is_one() {
        for text in ["", "0", "-0.05", "*.9x", "*.", "cents", "*.1234567"] {
            assert!(To::parse(text).is_err(), "{text}");
        }
        assert!(To::parse("cents").unwrap_err().contains("minor"));
    }
}
