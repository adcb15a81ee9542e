//! What may be sold of a level, by the rules of one flow, and how that came about. Owns the canonical state, the form that
//! mappings read. A bundle's is `composed`'s, in the same form; that of several locations together [`pooled`]'s, and over
//! which of the shop's it is divided [`divided`]'s.

mod divided;
mod pooled;

use super::bundles::Piece;
use super::fault::{StockCode, StockFault};
use super::level::Stock;
use super::rules::Rules;
use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt;

use divided::Shown;
pub(super) use divided::divided;
pub(super) use pooled::pooled;

/// The canonical state, its digest, and its explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    pub body: Value,
    /// Of the body without its instant: the same level told again is the same.
    pub digest: [u8; 32],
    /// In whole sales units; may be negative.
    pub available: i64,
    /// From on hand to available, a term each; not in the digest.
    pub why: Vec<Term>,
}

/// One term of the sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// What it adds, in sales units; `None`: it only says how.
    pub adds: Option<Decimal>,
    pub text: String,
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.adds {
            Some(adds) => write!(f, "{:>12}  {}", adds.normalize().to_string(), self.text),
            None => write!(f, "{:>12}  {}", "", self.text),
        }
    }
}

/// What a source has of one SKU at one location, and what of it may be sold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stock")]
pub(super) struct State {
    /// As the source spells it, without blanks at its ends.
    sku: String,
    /// As the source spells it; of several that are one to the shop the name that these have together, and the quantities are then
    /// the sums, in sales units; of what is divided over several of the shop's the name of the outlet, and the quantities are those
    /// of all of it.
    location: String,
    /// What is physically there, in the source's unit.
    on_hand: String,
    /// What the source has promised to anybody, in its unit.
    reserved: String,
    /// What the source itself keeps back, in its unit.
    safety: String,
    /// The source's unit; null: the sales unit.
    unit: Option<String>,
    /// On hand less reserved and all that is kept back, in whole sales units, rounded down. May be negative.
    available: i64,
    /// How many units of this shop's unshipped orders the source has taken account of, in whole sales units, rounded down;
    /// null: it does not say.
    counted: Option<i64>,
    /// What is on its way, in the source's unit.
    incoming: Vec<Due>,
    /// The bundles that this is sold in as well, by the flow's `bundles`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bundles: Vec<Held>,
    /// Of what is free of it, in percent, what these may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_share: Option<u8>,
    /// What a bundle is made of. `available` is the least over these then, and the quantities in the source's unit are 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Made>,
    /// Where the same units are shown, by the flow's `outlets`, this location among them: each has its part of what is free.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outlets: Vec<Shown>,
    /// When the source says that it changed.
    changed_at: String,
}

/// A bundle, and how many of the component are in one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StockBundle")]
pub(super) struct Held {
    sku: String,
    quantity: u32,
}

impl Held {
    fn of(piece: &Piece) -> Self {
        Self { sku: piece.sku.clone(), quantity: piece.quantity }
    }
}

/// A component of a bundle.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StockPart")]
pub(super) struct Made {
    sku: String,
    /// How many are in one bundle, in sales units.
    quantity: u32,
    /// Of the component, in whole sales units. May be negative.
    available: i64,
    /// As of a level.
    counted: Option<i64>,
    /// Of what is free of it, in percent, what bundles may have.
    bundle_share: u8,
    /// All bundles that hold it.
    bundles: Vec<Held>,
}

impl Made {
    pub(super) fn of(piece: &Piece, sold: Sold, rules: &Rules) -> Self {
        Self {
            sku: piece.sku.clone(),
            quantity: piece.quantity,
            available: sold.available,
            counted: sold.counted,
            bundle_share: rules.bundle_share(&piece.sku),
            bundles: rules.bundles().held_by(&piece.sku).iter().map(Held::of).collect(),
        }
    }
}

impl State {
    /// Of a bundle.
    pub(super) fn of_parts(
        sku: &str,
        location: &str,
        available: i64,
        parts: Vec<Made>,
        outlets: Vec<Shown>,
        at: Timestamp,
    ) -> Self {
        let none = || "0".to_owned();
        Self {
            sku: sku.to_owned(),
            location: location.to_owned(),
            on_hand: none(),
            reserved: none(),
            safety: none(),
            unit: None,
            available,
            counted: None,
            incoming: Vec::new(),
            bundles: Vec::new(),
            bundle_share: None,
            parts,
            outlets,
            changed_at: at.to_string(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Incoming")]
struct Due {
    quantity: String,
    /// Null: the source says no date.
    at: Option<String>,
}

impl Due {
    fn of(quantity: Decimal, at: Option<Timestamp>) -> Self {
        Self { quantity: quantity.to_string(), at: at.map(|at| at.to_string()) }
    }
}

/// What may be sold of a level, without how that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sold {
    /// In whole sales units; may be negative.
    pub available: i64,
    /// In whole sales units; `None`: the source does not say.
    pub counted: Option<i64>,
}

impl Sold {
    /// Of what was never told.
    pub(super) const NOTHING: Self = Self { available: 0, counted: None };

    /// Both together; what one of them does not say of what it counted is none.
    pub(super) fn and(self, other: Self) -> Self {
        let counted = match (self.counted, other.counted) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        Self { available: self.available.saturating_add(other.available), counted }
    }
}

/// What may be sold of a level: the same as [`canonical`] says, at a fraction of its cost, for a million of them.
///
/// # Errors
/// As [`canonical`].
pub fn sold(stock: &Stock, rules: &Rules) -> Result<Sold, StockFault> {
    sum(stock, rules, &mut None)
}

/// What may be sold of a level.
///
/// # Errors
/// A unit of which no rule says how many sales units it holds.
pub fn canonical(stock: &Stock, rules: &Rules) -> Result<Canonical, StockFault> {
    let mut why = Some(Vec::new());
    if rules.bundles().made_of(&stock.sku).is_some() {
        return Err(told_by_source(&stock.sku));
    }
    if rules.pools().sources(&stock.location).is_some() {
        return Err(told_of_pool(&stock.location));
    }
    if let Some(place) = rules.outlets().place_of(&stock.location) {
        return Err(told_of_outlet(&stock.location, place));
    }
    let Sold { available, counted } = sum(stock, rules, &mut why)?;
    let mut why = why.unwrap_or_default();
    let (bundles, share) = bundled(&stock.sku, rules, &mut why);
    let state = State {
        sku: stock.sku.clone(),
        location: stock.location.clone(),
        on_hand: stock.on_hand.to_string(),
        reserved: stock.reserved.to_string(),
        safety: stock.safety.to_string(),
        unit: stock.unit.clone(),
        available,
        counted,
        incoming: stock.incoming.iter().map(|due| Due::of(due.quantity, due.at)).collect(),
        bundles,
        bundle_share: share,
        parts: Vec::new(),
        outlets: Vec::new(),
        changed_at: stock.changed_at.to_string(),
    };
    let (body, digest) = tree(&state, stock.changed_at)?;
    Ok(Canonical { body, digest, available, why })
}

/// The bundles that a SKU is sold in as well, and what of it these may have.
fn bundled(sku: &str, rules: &Rules, why: &mut Vec<Term>) -> (Vec<Held>, Option<u8>) {
    let held_by = rules.bundles().held_by(sku);
    if held_by.is_empty() {
        return (Vec::new(), None);
    }
    let share = rules.bundle_share(sku);
    let bundles =
        if held_by.len() == 1 { "1 bundle".to_owned() } else { format!("{} bundles", held_by.len()) };
    let text = format!("of what is free of these, {share} % may be shown by {bundles}: {}", names(held_by));
    why.push(Term { adds: None, text });
    (held_by.iter().map(Held::of).collect(), Some(share))
}

/// A few of them.
fn names(pieces: &[Piece]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = pieces.iter().take(SHOWN).map(|piece| piece.sku.as_str()).collect();
    let more = if pieces.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

fn told_by_source(sku: &str) -> StockFault {
    let what = format!(
        "{sku:?} is written down as a bundle, so its level follows from its components: let the source leave it out, or take \
         it out of the flow's bundles"
    );
    StockFault::new(StockCode::Bundle, "$.sku", what)
}

fn told_of_pool(location: &str) -> StockFault {
    let what = format!(
        "{location:?} is written down as what several locations have together, so its levels follow from theirs: let the source \
         leave it out, or give it another name in the flow's stock.locations"
    );
    StockFault::new(StockCode::Pool, "$.location", what)
}

fn told_of_outlet(location: &str, place: &str) -> StockFault {
    let what = format!(
        "{location:?} is written down as an outlet of {place:?}, so what it shows follows from that: let the source leave it out, or \
         give it another name in the flow's stock.outlets"
    );
    StockFault::new(StockCode::Outlet, "$.location", what)
}

/// The sum, and where it is asked for, each of its terms.
fn sum(stock: &Stock, rules: &Rules, why: &mut Option<Vec<Term>>) -> Result<Sold, StockFault> {
    let mut told = |adds: Option<Decimal>, text: &dyn Fn() -> String| {
        if let Some(why) = why {
            why.push(Term { adds, text: text() });
        }
    };
    let (factor, rule) = factor(stock, rules)?;
    let on_hand = stock.on_hand * factor;
    told(Some(on_hand), &|| match (rule, &stock.unit) {
        (Some(rule), Some(unit)) => format!("on hand: {} {unit}, by the rule {rule:?}", stock.on_hand),
        _ => "on hand".to_owned(),
    });
    let mut available = on_hand;
    let mut less = |quantity: Decimal, text: &dyn Fn() -> String| {
        if !quantity.is_zero() {
            available -= quantity;
            told(Some(-quantity), text);
        }
    };
    less(stock.reserved * factor, &|| "reserved at the source".to_owned());
    less(stock.safety * factor, &|| "kept back by the source".to_owned());
    if let Some(safety) = rules.safety(stock, on_hand) {
        less(safety.quantity, &|| format!("kept back by the rule {:?}", safety.rule));
    }
    let whole = available.floor();
    if whole != available {
        told(Some(whole - available), &|| "rounded down to whole sales units".to_owned());
    }
    told(Some(whole), &|| "available".to_owned());
    let counted = stock.counted.map(|counted| (counted * factor).floor());
    told(None, &|| match counted {
        Some(counted) => {
            format!("{counted} units of this shop's unshipped orders are in these figures already")
        }
        None => {
            "the source does not say how many of this shop's unshipped orders are in these figures".to_owned()
        }
    });
    let number = |quantity: Decimal, path: &str| {
        let what = || format!("{quantity} is no quantity that can be sold");
        quantity.to_i64().ok_or_else(|| StockFault::new(StockCode::NotQuantity, path, what()))
    };
    let counted = counted.map(|counted| number(counted, "$.counted")).transpose()?;
    Ok(Sold { available: number(whole, "$.on_hand")?, counted })
}

/// How many sales units a unit of the source holds, and by which rule.
pub(super) fn factor<'a>(stock: &Stock, rules: &'a Rules) -> Result<(Decimal, Option<&'a str>), StockFault> {
    let Some(unit) = &stock.unit else { return Ok((Decimal::ONE, None)) };
    if let Some((holds, rule)) = rules.holds(unit) {
        return Ok((holds, Some(rule)));
    }
    if rules.is_sales_unit(unit) {
        return Ok((Decimal::ONE, None));
    }
    let what = format!(
        "no rule says how many sales units {unit:?} holds; add one to the flow's stock.units, as in \"{unit} = 12 each\", or \
         \"{unit} = 1 each\" where it is what the shop sells"
    );
    Err(StockFault::new(StockCode::UnknownUnit, "$.unit", what))
}

pub(super) fn tree(state: &State, changed_at: Timestamp) -> Result<(Value, [u8; 32]), StockFault> {
    let unwritable = |error: serde_json::Error| {
        StockFault::new(StockCode::NotJson, "$", format!("a level cannot be written: {error}"))
    };
    let mut body = serde_json::to_value(state).map_err(unwritable)?;
    if let Some(members) = body.as_object_mut() {
        members.remove("changed_at");
    }
    let digest = Sha256::digest(serde_json::to_vec(&body).map_err(unwritable)?).into();
    if let Some(members) = body.as_object_mut() {
        members.insert("changed_at".to_owned(), Value::String(changed_at.to_string()));
    }
    Ok((body, digest))
}

/// The JSON Schema of the canonical state, pretty-printed and ending in a line break.
///
/// # Errors
/// Only what `serde_json` reports.
pub fn json_schema() -> Result<String, serde_json::Error> {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<State>();
    let mut text = serde_json::to_string_pretty(&schema)?;
    text.push('\n');
    Ok(text)
}

#[cfg(test)]
mod tests;
