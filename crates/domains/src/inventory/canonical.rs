//! What may be sold of a level, by the rules of one flow, and how that came about. Owns the canonical state, the form that
//! mappings read.

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
struct State {
    /// As the source spells it, without blanks at its ends.
    sku: String,
    /// As the source spells it.
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
    /// When the source says that it changed.
    changed_at: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Incoming")]
struct Due {
    quantity: String,
    at: String,
}

/// What may be sold of a level, without how that came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sold {
    /// In whole sales units; may be negative.
    pub available: i64,
    /// In whole sales units; `None`: the source does not say.
    pub counted: Option<i64>,
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
    let Sold { available, counted } = sum(stock, rules, &mut why)?;
    let state = State {
        sku: stock.sku.clone(),
        location: stock.location.clone(),
        on_hand: stock.on_hand.to_string(),
        reserved: stock.reserved.to_string(),
        safety: stock.safety.to_string(),
        unit: stock.unit.clone(),
        available,
        counted,
        incoming: stock
            .incoming
            .iter()
            .map(|due| Due { quantity: due.quantity.to_string(), at: due.at.to_string() })
            .collect(),
        changed_at: stock.changed_at.to_string(),
    };
    let (body, digest) = tree(&state, stock.changed_at)?;
    Ok(Canonical { body, digest, available, why: why.unwrap_or_default() })
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
fn factor<'a>(stock: &Stock, rules: &'a Rules) -> Result<(Decimal, Option<&'a str>), StockFault> {
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

fn tree(state: &State, changed_at: Timestamp) -> Result<(Value, [u8; 32]), StockFault> {
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
