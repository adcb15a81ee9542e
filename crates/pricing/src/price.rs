//! What one price list says of one SKU. Owns its windows and tiers, and which of them are refused: an amount that is no price,
//! minimums that do not rise, a tier that is dearer than the one before, validities that overlap.

use crate::validity::Validity;
use kernel::quantity::Unit;
use rust_decimal::Decimal;
use std::fmt;

/// A unit price and the quantity from which it counts, in the window's unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    pub minimum: Decimal,
    pub amount: Decimal,
}

impl Tier {
    /// As a first tier: a minimum of 1 or less means any quantity.
    #[must_use]
    pub fn counts_from_the_smallest(&self) -> bool {
        self.minimum <= Decimal::ONE
    }
}

/// What counts during one validity, for one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub validity: Validity,
    /// None: the list's own.
    pub unit: Option<Unit>,
    /// At least one, in rising order of the minimum.
    pub tiers: Vec<Tier>,
}

/// All that one list says of one SKU. Most prices are one amount, always, for any quantity, in the list's unit: these take no
/// allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    Plain(Decimal),
    /// In the order of their validity's beginning, then their unit.
    Windows(Vec<Window>),
}

/// The largest amount of a price, exclusive, and its decimals: so that quantity × price stays exact.
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0); // 10^12
pub const AMOUNT_DECIMALS_MAX: u32 = 6;
/// The largest quantity, inclusive, and its decimals.
pub const QUANTITY_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
pub const QUANTITY_DECIMALS_MAX: u32 = 6;
/// More tiers or windows of one SKU than that are a mistake of the source.
pub const TIERS_MAX: usize = 100;
pub const WINDOWS_MAX: usize = 100;

/// Why a price is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceFault {
    Negative(Decimal),
    Amount(Decimal),
    Minimum(Decimal),
    NoTier,
    MinimumsDoNotRise {
        before: Decimal,
        after: Decimal,
    },
    /// More for each unit of a larger quantity: nobody means it.
    Rises {
        minimum: Decimal,
        before: Decimal,
        after: Decimal,
    },
    Overlap(Box<(Validity, Validity)>),
    Many(&'static str, usize),
}

impl fmt::Display for PriceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative(amount) => write!(f, "{amount} is negative: a price is not"),
            Self::Amount(amount) => {
                write!(
                    f,
                    "{amount} is no price: at most {AMOUNT_DECIMALS_MAX} decimals and 12 digits before the point"
                )
            }
            Self::Minimum(minimum) => write!(
                f,
                "{minimum} is no minimum quantity: more than 0, at most {QUANTITY_MAX}, at most {QUANTITY_DECIMALS_MAX} decimals"
            ),
            Self::NoTier => f.write_str("there is a validity without any price in it"),
            Self::MinimumsDoNotRise { before, after } => {
                write!(
                    f,
                    "the tier from {after} comes after the tier from {before}: write them in rising order, each once"
                )
            }
            Self::Rises { minimum, before, after } => {
                write!(
                    f,
                    "from {minimum} on a unit would cost {after}, more than the {before} of a smaller quantity"
                )
            }
            Self::Overlap(two) => {
                write!(f, "two validities overlap: {} and {}", span(two.0), span(two.1))
            }
            Self::Many(what, most) => write!(f, "more than {most} {what}"),
        }
    }
}

impl std::error::Error for PriceFault {}

fn span(validity: Validity) -> String {
    let side = |second: Option<i64>| {
        second
            .and_then(|s| jiff::Timestamp::from_second(s).ok())
            .map_or_else(|| "…".to_owned(), |instant| instant.to_string())
    };
    format!("{} to {}", side(validity.from_s), side(validity.until_s))
}

impl Price {
    /// One window that always counts and has one tier from the smallest quantity on is the plain price that it is.
    ///
    /// # Errors
    /// What is wrong with them, the first that is found.
    pub fn new(mut windows: Vec<Window>) -> Result<Self, PriceFault> {
        if windows.is_empty() {
            return Err(PriceFault::NoTier);
        }
        if windows.len() > WINDOWS_MAX {
            return Err(PriceFault::Many("validities", WINDOWS_MAX));
        }
        for window in &mut windows {
            tidy(window)?;
        }
        windows.sort_by(|a, b| (a.validity, &a.unit).cmp(&(b.validity, &b.unit)));
        for (index, window) in windows.iter().enumerate() {
            let same_unit = windows[..index].iter().filter(|other| other.unit == window.unit);
            if let Some(other) = same_unit.clone().find(|other| other.validity.overlaps(window.validity)) {
                return Err(PriceFault::Overlap(Box::new((other.validity, window.validity))));
            }
        }
        Ok(match windows.as_slice() {
            [Window { validity: Validity::ALWAYS, unit: None, tiers }]
                if tiers.len() == 1 && tiers[0].counts_from_the_smallest() =>
            {
                Self::Plain(tiers[0].amount)
            }
            _ => Self::Windows(windows),
        })
    }

    /// # Errors
    /// A negative amount, and one with too many digits.
    pub fn plain(amount: Decimal) -> Result<Self, PriceFault> {
        Ok(Self::Plain(amount_of(amount)?))
    }
}

fn tidy(window: &mut Window) -> Result<(), PriceFault> {
    if window.tiers.is_empty() {
        return Err(PriceFault::NoTier);
    }
    if window.tiers.len() > TIERS_MAX {
        return Err(PriceFault::Many("tiers", TIERS_MAX));
    }
    let mut before: Option<Tier> = None;
    for tier in &mut window.tiers {
        tier.amount = amount_of(tier.amount)?;
        tier.minimum = minimum_of(tier.minimum)?;
        if let Some(before) = before {
            if before.minimum >= tier.minimum {
                return Err(PriceFault::MinimumsDoNotRise { before: before.minimum, after: tier.minimum });
            }
            if before.amount < tier.amount {
                let (minimum, after) = (tier.minimum, tier.amount);
                return Err(PriceFault::Rises { minimum, before: before.amount, after });
            }
        }
        before = Some(*tier);
    }
    Ok(())
}

/// An amount as prices have it, or why it is none.
///
/// # Errors
/// A negative amount, and one with too many digits.
pub fn amount_of(amount: Decimal) -> Result<Decimal, PriceFault> {
    let amount = amount.normalize();
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(PriceFault::Negative(amount));
    }
    if amount.scale() > AMOUNT_DECIMALS_MAX || amount >= AMOUNT_MAX {
        return Err(PriceFault::Amount(amount));
    }
    Ok(amount.abs())
}

fn minimum_of(minimum: Decimal) -> Result<Decimal, PriceFault> {
    let minimum = minimum.normalize();
    let fits = minimum > Decimal::ZERO && minimum <= QUANTITY_MAX && minimum.scale() <= QUANTITY_DECIMALS_MAX;
    if fits { Ok(minimum) } else { Err(PriceFault::Minimum(minimum)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::money::parse_exact;

    fn number(text: &str) -> Decimal {
        parse_exact(text).unwrap()
    }

    fn window(from_s: Option<i64>, until_s: Option<i64>, tiers: &[(&str, &str)]) -> Window {
        let tiers = tiers
            .iter()
            .map(|(minimum, amount)| Tier { minimum: number(minimum), amount: number(amount) })
            .collect();
        Window { validity: Validity { from_s, until_s }, unit: None, tiers }
    }

    #[test]
    fn the_largest_amount_is_a_trillion() {
        assert_eq!(AMOUNT_MAX, number("1000000000000"));
        assert!(Price::plain(number("999999999999.999999")).is_ok());
        assert!(matches!(Price::plain(AMOUNT_MAX), Err(PriceFault::Amount(_))));
        assert!(matches!(Price::plain(number("0.0000001")), Err(PriceFault::Amount(_))));
        assert!(matches!(Price::plain(number("-0.01")), Err(PriceFault::Negative(_))));
        assert_eq!(Price::plain(number("-0.00")), Ok(Price::Plain(Decimal::ZERO)));
    }

    #[test]
    fn one_amount_for_any_quantity_and_time_is_plain() {
        assert_eq!(Price::new(vec![window(None, None, &[("1", "4.750")])]), Ok(Price::Plain(number("4.75"))));
        assert_eq!(
            Price::new(vec![window(None, None, &[("0.5", "4.75")])]),
            Ok(Price::Plain(number("4.75")))
        );
        assert!(matches!(Price::new(vec![window(None, None, &[("2", "4.75")])]), Ok(Price::Windows(_))));
        assert!(matches!(Price::new(vec![window(Some(1), None, &[("1", "4.75")])]), Ok(Price::Windows(_))));
    }

    #[test]
    fn tiers_rise_in_quantity_and_not_in_price() {
        let fault = |tiers| Price::new(vec![window(None, None, tiers)]).unwrap_err();
        assert!(matches!(fault(&[("10", "4"), ("1", "5")]), PriceFault::MinimumsDoNotRise { .. }));
        assert!(matches!(fault(&[("1", "5"), ("1", "4")]), PriceFault::MinimumsDoNotRise { .. }));
        assert!(matches!(fault(&[("1", "4"), ("10", "5")]), PriceFault::Rises { .. }));
        assert!(matches!(fault(&[("0", "4")]), PriceFault::Minimum(_)));
        assert_eq!(fault(&[]), PriceFault::NoTier);
        assert_eq!(
            fault(&[("1", "4"), ("10", "5")]).to_string(),
            "from 10 on a unit would cost 5, more than the 4 of a smaller quantity"
        );
    }

    #[test]
    fn validities_of_one_unit_do_not_overlap_and_those_of_two_may() {
        let (old, new) = (window(None, Some(10), &[("1", "5")]), window(Some(9), None, &[("1", "4")]));
        assert!(matches!(Price::new(vec![old.clone(), new.clone()]), Err(PriceFault::Overlap(_))));
        let case = Window { unit: Some(Unit::from_code("CS").unwrap()), ..new };
        assert!(Price::new(vec![old, case]).is_ok());
    }
}
