//! The rules of one flow: what is kept back from sale, and how many sales units a unit of the source holds. Owns their
//! text form. Of several that fit a pair the last one counts, as with a file of things to ignore: the general first, the
//! exceptions after it.

use super::bundles::{Bundles, FAMILY_MAX};
use super::level::Stock;
use super::outlets::Outlets;
use super::pools::Pools;
use super::rule_text;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// All rules of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    safety: Vec<Safety>,
    units: Vec<UnitRule>,
    bundles: Arc<Bundles>,
    shares: Vec<Share>,
    pools: Pools,
    outlets: Outlets,
}

/// What of a component bundles may have.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Share {
    sku: Option<String>,
    percent: u8,
}

/// Of what is free of a component, the part that all bundles with it may have, where nobody said otherwise, in percent.
pub const BUNDLE_SHARE: u8 = 50;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Safety {
    sku: Option<String>,
    location: Option<String>,
    keeps: Keeps,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Quantity(Decimal),
    /// Of what is on hand.
    Percent(Decimal),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct UnitRule {
    unit: String,
    holds: Decimal,
    sales: String,
    text: String,
}

/// What a rule may say, so that every sum stays exact: six decimals of a quantity, three of what a unit holds and two of
/// a share are at most 28 digits, which a decimal has.
const QUANTITY_MAX: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const QUANTITY_DECIMALS_MAX: u32 = 6;
const HOLDS_MAX: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
const HOLDS_DECIMALS_MAX: u32 = 3;
const SHARE_DECIMALS_MAX: u32 = 2;

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFault {
    /// `safety`, `units`, `bundle_share`, `locations` or `outlets`.
    pub list: &'static str,
    /// Its place in the list.
    pub index: usize,
    /// For a person: what is wrong and what to write.
    pub message: String,
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.list, self.index, self.message)
    }
}

/// What is kept back of a pair, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafetyOf<'a> {
    pub quantity: Decimal,
    pub rule: &'a str,
}

impl Rules {
    /// `"2"`, `"10%"`, `"SKU-00*: 5"`, `"SKU-00*@WH-1: 10%"`, `"@WH-1: 2"`; units `"case = 12 each"`.
    ///
    /// # Errors
    /// Every rule that cannot be read.
    pub fn parse(safety: &[String], units: &[String]) -> Result<Self, Vec<RuleFault>> {
        let (safety, faults) = rule_text::each("safety", safety, safety_of);
        let mut known = BTreeSet::new();
        let (units, of_units) = rule_text::each("units", units, |text| {
            let rule = unit_of(text)?;
            match known.insert(rule.unit.clone()) {
                true => Ok(rule),
                false => Err(format!("the unit {:?} has a rule already", rule.unit)),
            }
        });
        let safety = safety.into_iter().map(|(_, rule)| rule).collect();
        let units = units.into_iter().map(|(_, rule)| rule).collect();
        faults.and(of_units).or(Self { safety, units, ..Self::default() })
    }

    /// The same with bundles; `shares`: what of a component they may have, `"50%"`, `"BOX-*: 100%"`.
    ///
    /// # Errors
    /// Every share that cannot be read.
    pub fn with_bundles(mut self, bundles: Arc<Bundles>, shares: &[String]) -> Result<Self, Vec<RuleFault>> {
        self.bundles = bundles;
        let (shares, faults) = rule_text::each("bundle_share", shares, share_of);
        self.shares.extend(shares.into_iter().map(|(_, share)| share));
        faults.or(self)
    }

    /// The same with locations of the source that are one to the shop.
    #[must_use]
    pub fn with_pools(mut self, pools: Pools) -> Self {
        self.pools = pools;
        self
    }

    /// The same with places that are divided over several of the shop's.
    #[must_use]
    pub fn with_outlets(mut self, outlets: Outlets) -> Self {
        self.outlets = outlets;
        self
    }

    #[must_use]
    pub fn outlets(&self) -> &Outlets {
        &self.outlets
    }

    #[must_use]
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    #[must_use]
    pub fn bundles(&self) -> &Bundles {
        &self.bundles
    }

    /// Of what is free of a component, what bundles may have, in percent.
    #[must_use]
    pub fn bundle_share(&self, sku: &str) -> u8 {
        let fits = |share: &&Share| share.sku.as_deref().is_none_or(|pattern| like(pattern, sku));
        self.shares.iter().rev().find(fits).map_or(BUNDLE_SHARE, |share| share.percent)
    }

    /// Rules that are written for one SKU and mean nothing, because what is sold of it is worked out otherwise: what is kept back of
    /// a bundle, at a pool or at an outlet, and a share of what is in no bundle, with what to write instead after a semicolon.
    #[must_use]
    pub fn without_effect(&self) -> Vec<RuleFault> {
        let one = |sku: &Option<String>| sku.clone().filter(|sku| !sku.contains('*'));
        let pooled = self.safety.iter().enumerate().filter_map(|(index, rule)| {
            let pool = one(&rule.location)?;
            let sources = self.pools.sources(&pool)?;
            let message = format!(
                "{pool:?} is made of other locations, and what is kept back is kept back there; write the rule for {}",
                sources.join(", ")
            );
            Some(RuleFault { list: "safety", index, message })
        });
        let shown = self.safety.iter().enumerate().filter_map(|(index, rule)| {
            let outlet = one(&rule.location)?;
            let place = self.outlets.place_of(&outlet)?;
            let message = format!(
                "{outlet:?} shows a part of what lies at {place:?}, and what is kept back is kept back there; write the rule for {}",
                self.pools.sources(place).map_or_else(|| place.to_owned(), |sources| sources.join(", "))
            );
            Some(RuleFault { list: "safety", index, message })
        });
        let kept = self.safety.iter().enumerate().filter_map(|(index, rule)| {
            let sku = one(&rule.sku).filter(|sku| self.bundles.made_of(sku).is_some())?;
            let message = format!(
                "{sku:?} is a bundle, which has no stock of its own to keep back from; write the rule for its components"
            );
            Some(RuleFault { list: "safety", index, message })
        });
        let shares = self.shares.iter().enumerate().filter_map(|(index, rule)| {
            let sku = one(&rule.sku).filter(|sku| self.bundles.held_by(sku).is_empty())?;
            let message = match self.bundles.made_of(&sku) {
                Some(_) => format!("{sku:?} is a bundle; write the share of its components"),
                None => format!("{sku:?} is in no bundle; correct it, or take the rule out"),
            };
            Some(RuleFault { list: "bundle_share", index, message })
        });
        kept.chain(pooled).chain(shown).chain(shares).chain(self.too_many()).collect()
    }

    /// Bundles that hang together at so many outlets that they would be set too slowly.
    fn too_many(&self) -> Vec<RuleFault> {
        let (largest, first) = self.bundles.largest_family();
        let most = self.outlets.all().map(|(place, outlets)| (outlets.len(), place)).max();
        let Some((outlets, place)) = most.filter(|(outlets, _)| outlets * largest > FAMILY_MAX) else {
            return Vec::new();
        };
        let message = format!(
            "{largest} SKUs from {first:?} on share components with one another, at each of the {outlets} outlets of {place:?}, and \
             {FAMILY_MAX} in all may: they are set one after another; leave out components that never run short, or divide over fewer"
        );
        vec![RuleFault { list: "outlets", index: 0, message }]
    }

    /// What is kept back of what is on hand (in sales units), by the last rule that fits.
    #[must_use]
    pub fn safety(&self, stock: &Stock, on_hand: Decimal) -> Option<SafetyOf<'_>> {
        let fits = |of: &Option<String>, name: &str| of.as_deref().is_none_or(|pattern| like(pattern, name));
        let rule = self
            .safety
            .iter()
            .rev()
            .find(|rule| fits(&rule.sku, &stock.sku) && fits(&rule.location, &stock.location))?;
        let quantity = match rule.keeps {
            Keeps::Quantity(quantity) => quantity,
            Keeps::Percent(percent) => on_hand.max(Decimal::ZERO) * percent / Decimal::ONE_HUNDRED,
        };
        Some(SafetyOf { quantity, rule: &rule.text })
    }

    /// How many sales units one of the source's holds, and by which rule; `None` where nobody said so.
    #[must_use]
    pub fn holds(&self, unit: &str) -> Option<(Decimal, &str)> {
        let rule = self.units.iter().find(|rule| rule.unit == unit)?;
        Some((rule.holds, &rule.text))
    }

    /// Whether a unit is the sales unit: the one that the rules convert into, or a word for one piece.
    #[must_use]
    pub fn is_sales_unit(&self, unit: &str) -> bool {
        self.units.iter().any(|rule| rule.sales == unit)
            || PIECES.iter().any(|piece| piece.eq_ignore_ascii_case(unit))
    }
}

/// One piece, as systems call it; `C62` and `EA` are the codes of UN/ECE Recommendation 20.
const PIECES: [&str; 8] = ["each", "ea", "piece", "pieces", "pcs", "pc", "unit", "C62"];

/// `*` stands for any number of characters; all else for itself.
fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

fn safety_of(text: &str) -> Result<Safety, String> {
    let help = "write a quantity (to six decimals) or a share (to two), for all or for a pattern: \"2\", \"10%\", \"SKU-00*: 5\", \
                \"SKU-00*@WH-1: 10%\", \"@WH-1: 2\"";
    let (whose, keeps) = match text.rsplit_once(':') {
        Some((whose, keeps)) => (whose.trim(), keeps.trim()),
        None => ("", text.trim()),
    };
    if text.contains(':') && whose.is_empty() {
        return Err(format!("{text:?} names nobody before the colon; {help}"));
    }
    let (sku, location) = whose.rsplit_once('@').unwrap_or((whose, ""));
    let named = |name: &str| (!name.trim().is_empty()).then(|| name.trim().to_owned());
    let keeps = match keeps.strip_suffix('%') {
        Some(share) => number(share.trim(), Decimal::ONE_HUNDRED, SHARE_DECIMALS_MAX).map(Keeps::Percent),
        None => number(keeps, QUANTITY_MAX, QUANTITY_DECIMALS_MAX).map(Keeps::Quantity),
    };
    let keeps = keeps.ok_or_else(|| format!("{text:?} keeps nothing back that can be counted; {help}"))?;
    Ok(Safety { sku: named(sku), location: named(location), keeps, text: text.trim().to_owned() })
}

fn share_of(text: &str) -> Result<Share, String> {
    let refused = || {
        format!(
            "{text:?} is no share; write whole percents, for all components or for a pattern: \"50%\", \"BOX-*: 100%\""
        )
    };
    let (sku, share) = match text.rsplit_once(':') {
        Some((sku, share)) if !sku.trim().is_empty() => (Some(sku.trim().to_owned()), share),
        Some(_) => return Err(refused()),
        None => (None, text),
    };
    let percent =
        share.trim().strip_suffix('%').and_then(|share| number(share.trim(), Decimal::ONE_HUNDRED, 0));
    let percent = percent.and_then(|percent| percent.to_u8()).ok_or_else(refused)?;
    Ok(Share { sku, percent })
}

fn unit_of(text: &str) -> Result<UnitRule, String> {
    let help = "write how many sales units one holds, up to a million, as in \"case = 12 each\"";
    let refused = || format!("{text:?} says no unit; {help}");
    let (unit, holds) = text.split_once('=').ok_or_else(refused)?;
    let (holds, sales) = holds.trim().split_once(' ').ok_or_else(refused)?;
    let holds = number(holds, HOLDS_MAX, HOLDS_DECIMALS_MAX).filter(|holds| !holds.is_zero());
    let holds = holds.ok_or_else(refused)?;
    let (unit, sales) = (unit.trim(), sales.trim());
    if unit.is_empty() || sales.is_empty() || unit == sales {
        return Err(refused());
    }
    let text = format!("{unit} = {holds} {sales}");
    Ok(UnitRule { unit: unit.to_owned(), holds, sales: sales.to_owned(), text })
}

/// Digits, with a point at most, within bounds.
fn number(text: &str, max: Decimal, decimals_max: u32) -> Option<Decimal> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let number = Decimal::from_str_exact(text).ok().filter(|_| plain)?.normalize();
    (number <= max && number.scale() <= decimals_max).then_some(number)
}

#[cfg(test)]
mod tests;
