//! The derivation of a price, step by step. Owns the steps and their sentences, which a finance person reads; refuses to decide
//! anything. Where nobody asked why, nothing is written down.

use crate::audience::Nearness;
use crate::document::Kind;
use crate::terms::Idle;
use kernel::money::{Currency, Money};
use rust_decimal::Decimal;
use std::fmt;

/// One step. Amounts are in the cart's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'t> {
    UnknownSku,
    /// A list that was asked and has no price.
    Passed {
        list: &'t str,
        kind: Kind,
        why: Passed<'t>,
    },
    /// The list that gives the price.
    Chosen {
        list: &'t str,
        kind: Kind,
        nearness: Nearness,
    },
    /// Where the chosen list has the price from.
    FromBase {
        base: &'t str,
        of_hundred: Decimal,
    },
    /// The tier that prices a portion.
    Tier {
        list: &'t str,
        minimum: Option<Decimal>,
        amount: Decimal,
        unit: String,
    },
    Converted {
        from: String,
        to: String,
        over: Decimal,
        under: Decimal,
    },
    Portion {
        quantity: Decimal,
        unit_price: Decimal,
    },
    Surcharge {
        id: &'t str,
        what: String,
        to: Vec<Decimal>,
    },
    Promotion {
        id: &'t str,
        what: String,
        to: Vec<Decimal>,
    },
    /// A surcharge or promotion for these goods that does not count.
    Idle {
        id: &'t str,
        what: &'static str,
        why: Why,
    },
    Rounded {
        from: Decimal,
        to: Decimal,
        by: String,
    },
    Total {
        total: Decimal,
    },
}

/// Why a list was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed<'t> {
    Draft,
    NotValid,
    NoEntry,
    NoWindow,
    NoConversion {
        unit: String,
    },
    BelowMinimum {
        minimum: Decimal,
        unit: String,
    },
    /// Its base has none either.
    Base {
        base: &'t str,
        why: Box<Passed<'t>>,
    },
}

/// Why a surcharge or a promotion does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Idle(Idle),
    NoConversion,
    BelowMinimum(Decimal),
    NotLower,
    /// Another one that does not stack is better for the buyer, or goes first.
    Beaten,
    /// Buy X get Y needs one price for all units, and a whole number of them.
    Portions,
}

/// Collects steps, or does not.
#[derive(Debug)]
pub(crate) enum Trail<'t> {
    Off,
    On(Vec<Step<'t>>),
}

impl<'t> Trail<'t> {
    pub(crate) fn note(&mut self, step: impl FnOnce() -> Step<'t>) {
        if let Self::On(steps) = self {
            steps.push(step());
        }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Contract => "Contract",
        Kind::List => "List",
    }
}

impl<'t> Step<'t> {
    /// The step as a sentence, its amounts as the currency writes them.
    #[must_use]
    pub fn sentence(&self, currency: Currency) -> impl fmt::Display + '_ {
        Sentence { step: self, currency }
    }
}

#[derive(Debug)]
struct Sentence<'s, 't> {
    step: &'s Step<'t>,
    currency: Currency,
}

impl Sentence<'_, '_> {
    fn amount(&self, amount: Decimal) -> String {
        Money::new(amount, self.currency).amount_text()
    }

    fn amounts(&self, amounts: &[Decimal]) -> String {
        amounts.iter().map(|amount| self.amount(*amount)).collect::<Vec<_>>().join(" and ")
    }
}

/// A unit as a person says it.
pub(crate) fn each(unit: &str) -> &str {
    if unit == "C62" { "piece" } else { unit }
}

impl fmt::Display for Sentence<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.step {
            Step::UnknownSku => f.write_str("No list has a price for this SKU."),
            Step::Passed { list, kind, why } => {
                write!(f, "{} '{list}' has no price: {why}.", kind_name(*kind))
            }
            Step::Chosen { list, kind, nearness } => {
                write!(
                    f,
                    "{} '{list}' counts: it is the first that has a price, and it is {nearness}.",
                    kind_name(*kind)
                )
            }
            Step::FromBase { base, of_hundred } => {
                write!(f, "It has no price of its own for it and takes {of_hundred} % of its base '{base}'.")
            }
            Step::Tier { list, minimum, amount, unit } => {
                write!(f, "'{list}' says {} per {}", self.amount(*amount), each(unit))?;
                minimum.map_or(Ok(()), |minimum| write!(f, " from {minimum} on"))?;
                f.write_str(".")
            }
            Step::Converted { from, to, over, under } => {
                let (from, to) = (each(from), each(to));
                write!(
                    f,
                    "In pieces a {from} is {over} and a {to} {under}, so the price is × {over} ÷ {under}."
                )
            }
            Step::Portion { quantity, unit_price } => {
                write!(f, "{quantity} at {} each.", self.amount(*unit_price))
            }
            Step::Surcharge { id, what, to } => {
                write!(f, "Surcharge '{id}': {what}, which makes {}.", self.amounts(to))
            }
            Step::Promotion { id, what, to } => {
                write!(f, "Promotion '{id}': {what}, which makes {}.", self.amounts(to))
            }
            Step::Idle { id, what, why } => write!(f, "{what} '{id}' does not count: {why}."),
            Step::Rounded { from, to, by } => {
                write!(f, "{} is rounded to {}: {by}.", self.amount(*from), self.amount(*to))
            }
            Step::Total { total } => write!(f, "The total is {}.", self.amount(*total)),
        }
    }
}

impl fmt::Display for Passed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draft => f.write_str("it is a draft, not approved"),
            Self::NotValid => f.write_str("it is not valid at that time"),
            Self::NoEntry => f.write_str("the SKU is not in it"),
            Self::NoWindow => f.write_str("its prices for the SKU are not valid at that time"),
            Self::NoConversion { unit } => {
                write!(
                    f,
                    "it has the price per {unit}, and nobody said how many pieces that and the asked unit are"
                )
            }
            Self::BelowMinimum { minimum, unit } => write!(f, "its price begins at {minimum} {}", each(unit)),
            Self::Base { base, why } => {
                write!(f, "the SKU is not in it, and its base '{base}' has none: {why}")
            }
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle(Idle::Draft) => f.write_str("it is a draft, not approved"),
            Self::Idle(Idle::NotValid) => f.write_str("it is not valid at that time"),
            Self::Idle(Idle::OtherBuyer) => f.write_str("it is for others"),
            Self::Idle(Idle::OtherCurrency) => f.write_str("it is in another currency"),
            Self::Idle(Idle::OtherSource) => f.write_str("it does not combine with a price of this kind"),
            Self::NoConversion => f.write_str("nobody said how many pieces its unit or the asked one is"),
            Self::BelowMinimum(minimum) => write!(f, "it begins at a quantity of {minimum}"),
            Self::NotLower => f.write_str("it would not lower the price"),
            Self::Beaten => f.write_str("another one that does not stack is better, or goes first"),
            Self::Portions => f.write_str("it needs one price for all units and a whole number of them"),
        }
    }
}
