//! The terms as people and ERPs write them: one document, TOML or JSON. Owns its shape and nothing else: what it means, and what
//! is wrong with it, is said by [`crate::terms::Terms::compile`]. Amounts are texts, because a float is no amount.

use serde::{Deserialize, Serialize};

/// All that decides on prices besides the prices themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Where dates without an offset begin and end, by its name in the tz database. UTC unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<List>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<UnitRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quantity_rules: Vec<QuantityRow>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub surcharges: Vec<Surcharge>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<Promotion>,
}

/// Contract prices stand before list prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Contract,
    List,
}

/// Only what is approved counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Approved,
    Draft,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tax {
    #[default]
    Excluded,
    Included,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tiers {
    /// The quantity decides the price of each unit.
    #[default]
    Volume,
    /// Each part of the quantity has the price of its own tier.
    Graduated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Half {
    #[default]
    HalfUp,
    HalfEven,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

/// A price list, without its prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    pub id: String,
    pub kind: Kind,
    pub currency: String,
    /// `everyone`, `company_location:ID`, `company:ID`, `group:ID`.
    #[serde(rename = "for")]
    pub audience: Texts,
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(default)]
    pub tax: Tax,
    #[serde(default)]
    pub tiers: Tiers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// The list whose prices count where this one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// By how many percent the base's prices are changed: `-10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// `exact`, `minor`, `0.05`, `*.99`.
    pub to: String,
    #[serde(default)]
    pub half: Half,
}

/// A company location, whose it is, and which groups of customers it is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// One `unit` is so many pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitRow {
    pub unit: String,
    pub pieces: String,
    /// None: of all SKUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
}

/// Which quantities of a SKU may be ordered, in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantityRow {
    pub sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<String>,
}

/// Its first fields, up to the SKUs, are also those of a [`Promotion`]. They stand in both: as one flattened struct they would come to
/// serde's `flatten`, with which `deny_unknown_fields` does not go, and a misspelled field would be taken for none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surcharge {
    pub id: String,
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(rename = "for", default = "everyone")]
    pub audience: Texts,
    /// SKUs, beginnings of SKUs (`PUMP-*`), or `*`.
    pub skus: Texts,
    /// To which kinds of source it is added.
    #[serde(default = "both")]
    pub on: Vec<Kind>,
    /// One of `percent` and `amount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    pub id: String,
    #[serde(default)]
    pub priority: i32,
    #[serde(default)]
    pub state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(rename = "for", default = "everyone")]
    pub audience: Texts,
    pub skus: Texts,
    /// With which kinds of source it combines: with list prices only unless said.
    #[serde(default = "only_list")]
    pub combines_with: Vec<Kind>,
    #[serde(default)]
    pub stacks: bool,
    /// From which quantity on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<String>,
    /// Exactly one of the four: `percent_off`, `amount_off`, `fixed_price`, `buy` with `get` and `percent_off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent_off: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_off: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_price: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buy: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub get: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

fn everyone() -> Texts {
    Texts::One("everyone".to_owned())
}

fn both() -> Vec<Kind> {
    vec![Kind::Contract, Kind::List]
}

fn only_list() -> Vec<Kind> {
    vec![Kind::List]
}
