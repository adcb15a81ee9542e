//! The terms, checked: which list is for whom, units, surcharges, promotions. Owns what they mean and everything that is refused
//! in them. Refuses a document with one fault as a whole, and tells all of its faults at once.

mod compile;
mod faults;
mod rules;
mod units;

pub use faults::TermsFault;
pub use rules::{Effect, Idle, PromotionRule, SurchargeEffect, SurchargeRule, When};
pub use units::{Ratio, Units};

use crate::audience::{Audience, Buyer, Nearness, nearest};
use crate::book::ListIndex;
use crate::document::{Document, Kind, Tax, Tiers};
use crate::rounding::UnitRounding;
use crate::sku::Sku;
use crate::validity::Validity;
use jiff::tz::TimeZone;
use kernel::money::Currency;
use kernel::quantity::Unit;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// How many lists a base may stand behind.
pub const BASES_MAX: usize = 8;

/// A price list, without its prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceList {
    pub id: Box<str>,
    pub kind: Kind,
    pub currency: Currency,
    pub audience: Vec<Audience>,
    pub priority: i32,
    pub approved: bool,
    pub validity: Validity,
    pub tax: Tax,
    pub tiers: Tiers,
    pub unit: Unit,
    pub rounding: UnitRounding,
    pub base: Option<Base>,
}

/// Whose prices count where a list has none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base {
    pub list: ListIndex,
    /// 100 and the list's `percent`: 90 is ten percent off.
    pub of_hundred: Decimal,
}

/// Which quantities may be ordered, in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuantityRule {
    pub minimum: Decimal,
    pub step: Decimal,
    pub maximum: Option<Decimal>,
}

/// A checked document.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// None: UTC.
    zone: Option<TimeZone>,
    lists: Vec<PriceList>,
    by_id: BTreeMap<Box<str>, ListIndex>,
    /// Lists by the audience that they name, in the order of the document.
    by_audience: BTreeMap<Audience, Vec<ListIndex>>,
    locations: BTreeMap<Box<str>, Buyer>,
    units: Units,
    quantity_rules: BTreeMap<Sku, QuantityRule>,
    surcharges: Vec<SurchargeRule>,
    promotions: Vec<PromotionRule>,
}

/// The lists that are asked for one buyer and currency, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    pub lists: Vec<Candidate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    pub list: ListIndex,
    pub kind: Kind,
    pub nearness: Nearness,
}

impl Terms {
    /// # Errors
    /// All that is wrong with the document, in its order.
    pub fn compile(document: &Document) -> Result<Self, Vec<TermsFault>> {
        compile::compile(document)
    }

    /// Of rules that were compiled before: nothing is checked. Nobody is known by a location, and no quantity is ruled.
    pub(crate) fn of_parts(
        lists: Vec<PriceList>,
        units: Units,
        surcharges: Vec<SurchargeRule>,
        promotions: Vec<PromotionRule>,
    ) -> Self {
        let mut terms = Self { units, surcharges, promotions, ..Self::default() };
        for (list, place) in lists.into_iter().zip(0..) {
            terms.by_id.insert(list.id.clone(), ListIndex(place));
            for audience in &list.audience {
                terms.by_audience.entry(audience.clone()).or_default().push(ListIndex(place));
            }
            terms.lists.push(list);
        }
        terms
    }

    /// Whose days dates without an offset are.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        self.zone.clone().unwrap_or(TimeZone::UTC)
    }

    #[must_use]
    pub fn list(&self, index: ListIndex) -> Option<&PriceList> {
        self.lists.get(index.0 as usize)
    }

    #[must_use]
    pub fn lists(&self) -> &[PriceList] {
        &self.lists
    }

    #[must_use]
    pub fn list_named(&self, id: &str) -> Option<ListIndex> {
        self.by_id.get(id).copied()
    }

    /// None: no such company location.
    #[must_use]
    pub fn buyer(&self, company_location: &str) -> Option<&Buyer> {
        self.locations.get(company_location)
    }

    pub fn locations(&self) -> impl Iterator<Item = &Buyer> {
        self.locations.values()
    }

    #[must_use]
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// `sku` in its one spelling.
    #[must_use]
    pub fn quantity_rule(&self, sku: &str) -> Option<QuantityRule> {
        self.quantity_rules.get(sku).copied()
    }

    /// In the order in which they are applied.
    #[must_use]
    pub fn surcharges(&self) -> &[SurchargeRule] {
        &self.surcharges
    }

    /// In the order in which they are looked at: the higher priority first, then the id.
    #[must_use]
    pub fn promotions(&self) -> &[PromotionRule] {
        &self.promotions
    }

    /// Rule 3 of `docs/pricing.md`.
    #[must_use]
    pub fn candidates(&self, buyer: &Buyer, currency: Currency) -> Candidates {
        let groups = buyer.groups.iter().map(|id| Audience::Group(id.clone()));
        let named = buyer.company_location.iter().map(|id| Audience::CompanyLocation(id.clone()));
        let named = named.chain(buyer.company.iter().map(|id| Audience::Company(id.clone()))).chain(groups);
        let mut indices: Vec<ListIndex> = named
            .chain([Audience::Everyone])
            .filter_map(|audience| self.by_audience.get(&audience))
            .flatten()
            .copied()
            .collect();
        indices.sort_unstable();
        indices.dedup();
        let mut lists: Vec<(Candidate, &PriceList)> = indices
            .into_iter()
            .filter_map(|index| Some((index, self.list(index)?)))
            .filter(|(_, list)| list.currency == currency)
            .filter_map(|(index, list)| {
                let nearness = nearest(&list.audience, buyer)?;
                Some((Candidate { list: index, kind: list.kind, nearness }, list))
            })
            .collect();
        lists.sort_by(|(a, of_a), (b, of_b)| {
            (a.kind, a.nearness)
                .cmp(&(b.kind, b.nearness))
                .then(of_b.priority.cmp(&of_a.priority))
                .then(of_b.validity.from_s.cmp(&of_a.validity.from_s))
                .then(of_a.id.cmp(&of_b.id))
        });
        Candidates { lists: lists.into_iter().map(|(candidate, _)| candidate).collect() }
    }
}

#[cfg(test)]
mod tests;
