//! Why a line was charged otherwise than agreed. Owns the causes, their words and what to do about each; refuses to guess: what
//! nothing explains is said to be unexplained.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What explains a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub(super) enum Cause {
    /// Shopify charges whole cents for a unit.
    UnitRounded,
    /// A discount of Shopify was taken off a price off which nothing more was to be taken.
    Stacked,
    /// It is what counted before a change.
    Stale {
        until: Timestamp,
        by: String,
    },
    /// It is what anybody pays.
    EverybodysPrice,
    /// It is the price of a single one.
    NoBreaks,
    /// A person made the order in Shopify.
    ByHand,
    /// No list has a price for it.
    NoPrice {
        why: String,
    },
    Unexplained,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnitRounded => f.write_str("Shopify rounds the price of a unit: agree on one that it can charge"),
            Self::Stacked => f.write_str(
                "a discount of Shopify came on top, which no promotion here allows: end it there, or let it combine",
            ),
            Self::Stale { until, by } => write!(
                f,
                "it is what counted until {until} ({by}): Shopify's catalog is behind; run tidegate prices hydrate"
            ),
            Self::EverybodysPrice => f.write_str(
                "it is what anybody pays: no catalog of this location had its price; tidegate prices plan tells",
            ),
            Self::NoBreaks => f.write_str(
                "it is the price of a single one: the quantity breaks are not in Shopify; run tidegate prices hydrate",
            ),
            Self::ByHand => f.write_str("a person made the order in Shopify and set the price: ask who"),
            Self::NoPrice { why } => {
                write!(f, "nothing was agreed ({why}): load a price, or take it off the shop")
            }
            Self::Unexplained => f.write_str(
                "nothing that is known explains it: see tidegate prices explain --at, and the order's time line in Shopify",
            ),
        }
    }
}
