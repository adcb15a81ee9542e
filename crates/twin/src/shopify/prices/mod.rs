//! Catalogs, price lists and what hangs on them: fixed prices, quantity rules and quantity price breaks, with what Shopify
//! allows of each. Owns what a buyer is charged: the lowest price over the catalogs of a company location.
//!
//! Where the documentation says nothing, the stricter reading is taken: a write is done whole or not at all, a price that
//! goes takes its breaks with it, and a catalog without a fixed price for an item offers it at the shop's own.

mod amount;
mod breaks;
mod catalogs;
mod charge;
mod fixed;
mod hand;
mod lists;

pub(in crate::shopify) use amount::Amount;
pub(in crate::shopify) use breaks::{BreakInput, QuantityPricing, RuleInput};
pub(in crate::shopify) use catalogs::{CatalogChange, Context, NewCatalog};
pub use charge::{Charge, Offer};
pub(in crate::shopify) use fixed::{MoneyInput, PriceInput};
pub(in crate::shopify) use lists::NewList;

use super::stock::Good;
use crate::shop::Currency;
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Of one write. `code` is absent where Shopify's list of codes has none for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Fault {
    pub(in crate::shopify) code: Option<&'static str>,
    pub(in crate::shopify) field: Vec<String>,
    pub(in crate::shopify) text: String,
}

impl Fault {
    fn at(code: &'static str, field: &[&str], text: impl Into<String>) -> Self {
        let field = field.iter().map(|part| (*part).to_owned()).collect();
        Self { code: Some(code), field, text: text.into() }
    }

    /// `["prices", "3", "variantId"]`, below where the input stands.
    fn of(code: Option<&'static str>, root: &[&str], index: usize, part: &str, text: &str) -> Self {
        let mut field: Vec<String> = root.iter().map(|part| (*part).to_owned()).collect();
        field.push(index.to_string());
        if !part.is_empty() {
            field.push(part.to_owned());
        }
        Self { code, field, text: text.to_owned() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shopify) enum Kind {
    CompanyLocation,
    /// Of a B2B market that holds company locations.
    Market,
    App,
}

impl Kind {
    pub(in crate::shopify) fn type_name(self) -> &'static str {
        match self {
            Self::CompanyLocation => "CompanyLocationCatalog",
            Self::Market => "MarketCatalog",
            Self::App => "AppCatalog",
        }
    }

    /// As `CatalogType` has it.
    pub(in crate::shopify) fn name(self) -> &'static str {
        match self {
            Self::CompanyLocation => "COMPANY_LOCATION",
            Self::Market => "MARKET",
            Self::App => "APP",
        }
    }
}

#[derive(Clone, Debug)]
pub(in crate::shopify) struct Catalog {
    pub(in crate::shopify) id: u64,
    pub(in crate::shopify) title: String,
    pub(in crate::shopify) status: String,
    pub(in crate::shopify) kind: Kind,
    /// Company locations; of a market those that are in it.
    pub(in crate::shopify) locations: BTreeSet<u64>,
    pub(in crate::shopify) list: Option<u64>,
}

/// What is charged for one unit, unless a break says less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Price {
    pub(in crate::shopify) amount: Amount,
    pub(in crate::shopify) compare_at: Option<Amount>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Break {
    pub(in crate::shopify) id: u64,
    pub(in crate::shopify) amount: Amount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shopify) struct Rule {
    pub(in crate::shopify) minimum: i64,
    pub(in crate::shopify) maximum: Option<i64>,
    pub(in crate::shopify) increment: i64,
}

/// Without a rule of its own.
pub(in crate::shopify) const NO_RULE: Rule = Rule { minimum: 1, maximum: None, increment: 1 };

#[derive(Clone, Debug)]
pub(in crate::shopify) struct List {
    pub(in crate::shopify) id: u64,
    pub(in crate::shopify) name: String,
    pub(in crate::shopify) currency: Currency,
    /// Percent; below zero it is a discount.
    pub(in crate::shopify) adjustment: Decimal,
    pub(in crate::shopify) prices: BTreeMap<Good, Price>,
    pub(in crate::shopify) breaks: BTreeMap<Good, BTreeMap<i64, Break>>,
    pub(in crate::shopify) rules: BTreeMap<Good, Rule>,
}

/// What was written so far, to be held against what had to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PriceCounts {
    /// Calls that wrote, in bulk or not.
    pub writes: u64,
    /// Calls that were refused.
    pub refused: u64,
    pub prices_set: u64,
    /// Of these: that changed nothing.
    pub prices_set_again: u64,
    pub prices_deleted: u64,
    pub breaks_set: u64,
    pub breaks_deleted: u64,
}

#[derive(Debug, Default)]
pub(in crate::shopify) struct Prices {
    pub(in crate::shopify) catalogs: BTreeMap<u64, Catalog>,
    pub(in crate::shopify) lists: BTreeMap<u64, List>,
    /// Company locations that were made beforehand, with their names; those of orders are known besides.
    pub(in crate::shopify) locations: BTreeMap<u64, String>,
    pub(in crate::shopify) counts: PriceCounts,
    /// Breaks are numbered by themselves.
    breaks_made: u64,
}

impl Prices {
    /// The catalog that has the list.
    pub(in crate::shopify) fn catalog_of(&self, list: u64) -> Option<&Catalog> {
        self.catalogs.values().find(|catalog| catalog.list == Some(list))
    }

    /// By its id or its name.
    pub(in crate::shopify) fn list_named(&self, name: &str) -> Option<&List> {
        self.lists.values().find(|list| list.name == name)
    }
}
