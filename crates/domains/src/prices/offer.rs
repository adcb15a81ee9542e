//! One price as the model has it, and the same as a catalog can say it: a price for one piece, up to ten quantity breaks, a
//! quantity rule. What cannot be said so has its reason.

use jiff::Timestamp;
use kernel::money::Currency;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use std::fmt;

/// An amount in the minor unit of its list's currency.
pub type Minor = i64;

/// Quantity breaks of one item of a price list (shopify.dev: `quantityPricingByVariantUpdate`).
pub const BREAKS_MAX: usize = 10;

/// The price of one SKU in one list at the instant of the run, after everything that the list itself does to it (base,
/// surcharges, rounding).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Offer {
    /// Smallest quantity and unit price, in rising order of the quantity.
    pub tiers: Vec<(Decimal, Decimal)>,
    /// Each part of a quantity has the price of its own tier.
    pub graduated: bool,
    /// How many pieces the unit is that it is priced in; none where that is not known.
    pub pieces: Option<Decimal>,
    pub rule: Option<Rule>,
    /// When it will be another: a catalog has no dates, so that it has to be pushed again by then.
    pub ends: Option<Timestamp>,
    /// Where the caller knows that only the cart can say it (a promotion that depends on the cart), and why.
    pub at_the_cart: Option<String>,
}

impl Offer {
    /// So much for each piece, however many.
    #[must_use]
    pub fn plain(price: Decimal) -> Self {
        Self { tiers: vec![(Decimal::ONE, price)], pieces: Some(Decimal::ONE), ..Self::default() }
    }

    /// With tiers of pieces.
    #[must_use]
    pub fn tiered(tiers: Vec<(Decimal, Decimal)>) -> Self {
        Self { tiers, pieces: Some(Decimal::ONE), ..Self::default() }
    }
}

/// What may be ordered, in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    pub minimum: u32,
    pub maximum: Option<u32>,
    pub increment: u32,
}

impl Default for Rule {
    /// Any number.
    fn default() -> Self {
        Self { minimum: 1, maximum: None, increment: 1 }
    }
}

/// What depends on the quantity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Quantities {
    /// From so many pieces on, so much for each; rising.
    pub breaks: Vec<(u32, Minor)>,
    pub rule: Rule,
}

/// A price as a catalog has it. Small, because there are millions of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    pub price: Minor,
    /// None: the same price for any number.
    pub quantities: Option<Box<Quantities>>,
}

impl Item {
    /// `None` where there is nothing that depends on the quantity.
    #[must_use]
    pub fn new(price: Minor, quantities: Quantities) -> Self {
        let is_plain = quantities == Quantities::default();
        Self { price, quantities: (!is_plain).then(|| Box::new(quantities)) }
    }

    #[must_use]
    pub fn breaks(&self) -> &[(u32, Minor)] {
        self.quantities.as_deref().map_or(&[], |quantities| &quantities.breaks)
    }

    #[must_use]
    pub fn rule(&self) -> Rule {
        self.quantities.as_deref().map_or(Rule::default(), |quantities| quantities.rule)
    }

    /// What a unit costs in so many.
    #[must_use]
    pub fn at(&self, quantity: u32) -> Minor {
        let reached = self.breaks().iter().take_while(|(minimum, _)| *minimum <= quantity).last();
        reached.map_or(self.price, |(_, price)| *price)
    }
}

/// Why a catalog cannot say a price: it stays on the cart path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Parts of a quantity have prices of their own; a catalog has one price for all of it.
    Graduated,
    /// There is no price below so many, and a catalog's price is from one piece on.
    FirstMinimum(Decimal),
    TooManyBreaks(usize),
    /// A tier begins at a part of a piece, or beyond what can be ordered.
    Quantity(Decimal),
    /// It is priced in a unit that is not so many pieces.
    Unit,
    /// It has more decimals than its currency.
    Decimals(Decimal),
    /// Below zero, or larger than any price.
    Amount(Decimal),
    /// A tier begins at a number that the quantity rule does not allow: Shopify refuses both together.
    Rule(u32),
    NoPrice,
    /// The list has the SKU twice.
    Twice,
    Cart(String),
}

impl Why {
    /// For reports that machines read.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Graduated => "graduated",
            Self::FirstMinimum(_) => "first_minimum",
            Self::TooManyBreaks(_) => "too_many_breaks",
            Self::Quantity(_) => "quantity",
            Self::Unit => "unit",
            Self::Decimals(_) => "decimals",
            Self::Amount(_) => "amount",
            Self::Rule(_) => "rule",
            Self::NoPrice => "no_price",
            Self::Twice => "twice",
            Self::Cart(_) => "cart",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Graduated => {
                f.write_str("its tiers are graduated, and a catalog has one price for all of a quantity")
            }
            Self::FirstMinimum(minimum) => {
                write!(f, "it has no price below {minimum}, and a catalog's price is from one piece on")
            }
            Self::TooManyBreaks(breaks) => {
                write!(
                    f,
                    "it has {breaks} quantity breaks, and a catalog has at most {BREAKS_MAX} for an item"
                )
            }
            Self::Quantity(minimum) => write!(f, "a tier begins at {minimum}, which is no number of pieces"),
            Self::Unit => f.write_str("it is priced in a unit that is not so many pieces"),
            Self::Decimals(price) => write!(f, "{price} has more decimals than its currency"),
            Self::Amount(price) => write!(f, "{price} is no price that a catalog takes"),
            Self::Rule(minimum) => {
                write!(f, "its quantity rule does not allow {minimum}, where a tier begins")
            }
            Self::NoPrice => f.write_str("it has no price"),
            Self::Twice => f.write_str("the list has it twice"),
            Self::Cart(why) => write!(f, "the cart decides it: {why}"),
        }
    }
}

fn minor(currency: Currency, price: Decimal, pieces: Decimal) -> Result<Minor, Why> {
    let each = price.checked_div(pieces).ok_or(Why::Unit)?;
    // A quotient that does not end is no price for a piece.
    if each.checked_mul(pieces) != Some(price) || each.normalize().scale() > currency.minor_digits() {
        return Err(Why::Decimals(each));
    }
    let scaled = each.checked_mul(Decimal::from(10_u64.pow(currency.minor_digits())));
    let minor = scaled.and_then(|scaled| scaled.to_i64()).filter(|minor| (0..=MINOR_MAX).contains(minor));
    minor.ok_or(Why::Amount(each))
}

/// Far beyond any price, and far from where sums overflow.
const MINOR_MAX: Minor = 1_000_000_000_000_000;

/// A price as a catalog can say it.
pub fn express(currency: Currency, offer: &Offer) -> Result<Item, Why> {
    if let Some(why) = &offer.at_the_cart {
        return Err(Why::Cart(why.clone()));
    }
    let pieces = offer.pieces.filter(|pieces| *pieces > Decimal::ZERO).ok_or(Why::Unit)?;
    let (&(first, price), rest) = offer.tiers.split_first().ok_or(Why::NoPrice)?;
    let least = first.checked_mul(pieces).ok_or(Why::Quantity(first))?;
    if least > Decimal::ONE {
        return Err(Why::FirstMinimum(least));
    }
    let price = minor(currency, price, pieces)?;
    let (mut breaks, mut last): (Vec<(u32, Minor)>, Minor) = (Vec::new(), price);
    for &(minimum, amount) in rest {
        let at = minimum.checked_mul(pieces).ok_or(Why::Quantity(minimum))?;
        let whole = at.is_integer().then(|| at.to_i32()).flatten().and_then(|at| u32::try_from(at).ok());
        let at = whole.filter(|at| *at > 1).ok_or(Why::Quantity(at))?;
        let amount = minor(currency, amount, pieces)?;
        // A tier that changes nothing is no break.
        if amount != last {
            breaks.push((at, amount));
            last = amount;
        }
    }
    if offer.graduated && !breaks.is_empty() {
        return Err(Why::Graduated);
    }
    if breaks.len() > BREAKS_MAX {
        return Err(Why::TooManyBreaks(breaks.len()));
    }
    let rule = offer.rule.unwrap_or_default();
    let misfit = breaks.iter().map(|(at, _)| *at).find(|at| {
        *at < rule.minimum
            || rule.maximum.is_some_and(|maximum| *at > maximum)
            || at % rule.increment.max(1) != 0
    });
    match misfit {
        Some(at) => Err(Why::Rule(at)),
        None => Ok(Item::new(price, Quantities { breaks, rule })),
    }
}
