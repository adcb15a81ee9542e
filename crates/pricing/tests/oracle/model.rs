//! What a case of the oracle is made of: the things of `docs/pricing.md`, section "What there is", as plain as they can be. Owns
//! no rule. Refuses to share a type with the library: two that share one can be wrong together.

use crate::number::{Half, Number};

/// All that is given for one answer.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// By how many hours the clocks of the document's zone are ahead of UTC.
    pub(crate) zone: i64,
    pub(crate) locations: Vec<Location>,
    pub(crate) units: Vec<UnitDefinition>,
    pub(crate) quantity_rules: Vec<QuantityRule>,
    pub(crate) lists: Vec<List>,
    pub(crate) surcharges: Vec<Surcharge>,
    pub(crate) promotions: Vec<Promotion>,
    pub(crate) ask: Ask,
}

/// A company location that is known: what it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) id: String,
    pub(crate) company: Option<String>,
    pub(crate) groups: Vec<String>,
}

/// `1 <code> = <pieces> C62`, for one SKU or for all.
#[derive(Debug, Clone)]
pub(crate) struct UnitDefinition {
    pub(crate) sku: Option<String>,
    pub(crate) code: String,
    pub(crate) pieces: Number,
}

/// Which quantities of a SKU may be ordered, in pieces.
#[derive(Debug, Clone)]
pub(crate) struct QuantityRule {
    pub(crate) sku: String,
    pub(crate) minimum: Option<Number>,
    pub(crate) step: Option<Number>,
    pub(crate) maximum: Option<Number>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Contract,
    List,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum For {
    Everyone,
    Location(String),
    Company(String),
    Group(String),
}

/// The first instant counts, the last does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Valid {
    pub(crate) from: Option<Moment>,
    pub(crate) until: Option<Moment>,
}

/// An instant in seconds since 1970 in UTC, or a date: a day of the zone, counted from the first of January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Second(i64),
    Day(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TierWay {
    Volume,
    Graduated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoundTo {
    Exact,
    Minor,
    Increment(Number),
    /// The part below one that a price ends with: 0.99 for `*.99`.
    Ending(Number),
}

#[derive(Debug, Clone)]
pub(crate) struct List {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    /// Each of them; at least one.
    pub(crate) whom: Vec<For>,
    pub(crate) currency: String,
    pub(crate) priority: i32,
    pub(crate) approved: bool,
    pub(crate) valid: Valid,
    /// Whether its prices are with tax.
    pub(crate) taxed: bool,
    pub(crate) tiers: TierWay,
    pub(crate) unit: String,
    pub(crate) round_to: RoundTo,
    pub(crate) half: Half,
    pub(crate) base: Option<Base>,
    pub(crate) prices: Vec<Price>,
}

/// Of a derived list: whose price is changed, and by how many percent.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    pub(crate) id: String,
    pub(crate) percent: Number,
}

#[derive(Debug, Clone)]
pub(crate) struct Price {
    pub(crate) sku: String,
    pub(crate) windows: Vec<Window>,
}

#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) valid: Valid,
    pub(crate) unit: Option<String>,
    pub(crate) tiers: Vec<Tier>,
}

#[derive(Debug, Clone)]
pub(crate) struct Tier {
    pub(crate) minimum: Number,
    pub(crate) price: Number,
}

/// Which SKUs a surcharge or a promotion is for.
#[derive(Debug, Clone)]
pub(crate) enum Skus {
    All,
    Only(Vec<Named>),
}

#[derive(Debug, Clone)]
pub(crate) enum Named {
    Sku(String),
    /// How they begin: `PUMP-` of `PUMP-*`.
    Beginning(String),
}

/// With which kinds of source a surcharge or a promotion combines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources {
    pub(crate) contract: bool,
    pub(crate) list: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Surcharge {
    pub(crate) id: String,
    pub(crate) approved: bool,
    pub(crate) valid: Valid,
    /// Each of them; at least one.
    pub(crate) whom: Vec<For>,
    pub(crate) skus: Skus,
    pub(crate) sources: Sources,
    pub(crate) priority: i32,
    /// An amount always has one.
    pub(crate) currency: Option<String>,
    pub(crate) unit: String,
    pub(crate) adds: Adds,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Adds {
    Percent(Number),
    Amount(Number),
}

#[derive(Debug, Clone)]
pub(crate) struct Promotion {
    pub(crate) id: String,
    pub(crate) approved: bool,
    pub(crate) valid: Valid,
    /// Each of them; at least one.
    pub(crate) whom: Vec<For>,
    pub(crate) skus: Skus,
    pub(crate) sources: Sources,
    pub(crate) priority: i32,
    pub(crate) stacks: bool,
    pub(crate) minimum: Option<Number>,
    /// What is in percent needs none.
    pub(crate) currency: Option<String>,
    pub(crate) unit: String,
    pub(crate) gives: Gives,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Gives {
    PercentOff(Number),
    AmountOff(Number),
    Fixed(Number),
    BuyGet { buy: i128, get: i128, percent: Number },
}

#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) location: Option<String>,
    pub(crate) currency: String,
    /// Seconds.
    pub(crate) instant: i64,
    pub(crate) sku: String,
    pub(crate) quantity: Number,
    pub(crate) unit: String,
}

/// So many units at such a price each, both in the asked unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Portion {
    pub(crate) quantity: Number,
    pub(crate) price: Number,
}

/// Why there is no price, by its word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Quantity,
    NoPrice,
    Range,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) source: String,
    pub(crate) kind: Kind,
    /// For whom the source is: 1 the company location, 2 the company, 3 a group, 4 everyone.
    pub(crate) nearness: u8,
    pub(crate) taxed: bool,
    pub(crate) portions: Vec<Portion>,
    pub(crate) total: Number,
    pub(crate) unit_price: Number,
    pub(crate) average: bool,
    pub(crate) list_price: Option<Number>,
    pub(crate) surcharges: Vec<String>,
    pub(crate) promotions: Vec<String>,
    /// Whether the quantity rule of the SKU allows the quantity.
    pub(crate) allowed: bool,
}

pub(crate) type Outcome = Result<Answer, Cause>;
