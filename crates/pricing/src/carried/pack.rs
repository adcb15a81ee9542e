//! From terms and a book to the carried form of one buyer. Owns what is left behind (what is for others, drafts, what is over) and
//! from which day of the shop on which second is priced.

use super::{Carried, Does, FORM, List, Near, Number, Price, Rule, Window};
use crate::audience::{Buyer, Nearness, nearest};
use crate::book::{Book, ListIndex};
use crate::document::{Kind, Tiers};
use crate::rounding::To;
use crate::sku::Sku;
use crate::terms::{Effect, PriceList, SurchargeEffect, Terms, When};
use crate::validity::Validity;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kernel::money::{Currency, Rounding};
use kernel::quantity::Unit;
use std::collections::{BTreeMap, BTreeSet};

/// Days that are priced at a second of their own; what begins later is in the next writing.
const DAYS_MAX: usize = 20;

/// Why a buyer's prices cannot be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackFault {
    #[error("a price changes at {0}, within the day: a function knows the day alone; write it from then on")]
    WithinTheDay(Timestamp),
    #[error("the instant is none that the shop's calendar has")]
    Instant,
}

/// Whose prices are packed, and from when on.
#[derive(Debug)]
pub struct Packing<'a, B> {
    pub terms: &'a Terms,
    pub book: &'a B,
    pub buyer: &'a Buyer,
    pub at: Timestamp,
    /// The shop's.
    pub zone: &'a TimeZone,
}

/// From each day on at which second it is priced, and the last day.
type Days = (Vec<(String, i64)>, Option<String>);

/// The lists that are packed, in their order.
type Places<'a> = [(ListIndex, &'a PriceList)];

impl<B: Book> Packing<'_, B> {
    /// The prices of these SKUs, in any spelling; those that no list has are not in it.
    ///
    /// # Errors
    /// A change within the day of the instant.
    pub fn pack<'s>(&self, skus: impl IntoIterator<Item = &'s str>) -> Result<Carried, PackFault> {
        let places = self.lists();
        let mut bounds = BTreeSet::new();
        let prices = self.prices(skus, &places, &mut bounds);
        let skus: Vec<&str> = prices.keys().map(String::as_str).collect();
        let lists = places.iter().map(|(_, list)| self.list(list, &places, &mut bounds)).collect();
        let surcharges = self.terms.surcharges().iter().filter_map(|rule| {
            let does = match rule.effect {
                SurchargeEffect::OfHundred(number) => Does::OfHundred(Number(number)),
                SurchargeEffect::Amount(amount) => Does::Amount(Number(amount)),
            };
            self.rule(&rule.id, &rule.when, &rule.unit, does, &skus, &mut bounds)
        });
        let surcharges = surcharges.collect();
        let promotions = self.terms.promotions().iter().filter_map(|rule| {
            let does = match rule.effect {
                Effect::PercentOff(percent) => Does::PercentOff(Number(percent)),
                Effect::AmountOff(amount) => Does::AmountOff(Number(amount)),
                Effect::FixedPrice(price) => Does::FixedPrice(Number(price)),
                Effect::BuyGet { buy, get, percent_off } => Does::BuyGet(buy, get, Number(percent_off)),
            };
            let packed = self.rule(&rule.id, &rule.when, &rule.unit, does, &skus, &mut bounds)?;
            Some(Rule { stacks: rule.stacks, minimum: rule.minimum.map(Number), ..packed })
        });
        let promotions = promotions.collect();
        let (days, last) = self.days(&bounds)?;
        let carried =
            Carried { form: FORM, days, last, lists, units: Vec::new(), surcharges, promotions, prices };
        Ok(Carried { units: self.units(&carried), ..carried })
    }

    /// The lists that are asked for the buyer in any currency, and those behind them.
    fn lists(&self) -> Vec<(ListIndex, &PriceList)> {
        let currencies: BTreeSet<Currency> = self.terms.lists().iter().map(|list| list.currency).collect();
        let mut lists = Vec::new();
        let mut seen = BTreeSet::new();
        for currency in currencies {
            for candidate in self.terms.candidates(self.buyer, currency).lists {
                let mut next = Some(candidate.list);
                while let Some(index) = next.filter(|index| !seen.contains(index)) {
                    let counts_yet = |list: &&PriceList| list.approved && self.is_ahead(list.validity);
                    let Some(list) = self.terms.list(index).filter(counts_yet) else { break };
                    seen.insert(index);
                    next = list.base.map(|base| base.list);
                    lists.push((index, list));
                }
            }
        }
        lists
    }

    fn is_ahead(&self, validity: Validity) -> bool {
        validity.until_s.is_none_or(|until| until > self.at.as_second())
    }

    fn prices<'s>(
        &self,
        skus: impl IntoIterator<Item = &'s str>,
        places: &Places<'_>,
        bounds: &mut BTreeSet<i64>,
    ) -> BTreeMap<String, Vec<(u32, Price)>> {
        let mut prices = BTreeMap::new();
        for sku in skus.into_iter().filter_map(|sku| Sku::parse(sku).ok()) {
            let Some(key) = self.book.key(sku.as_str()) else { continue };
            let mut rows = Vec::new();
            for ((index, _), place) in places.iter().zip(0..) {
                let price = self.book.price(*index, key);
                rows.extend(price.and_then(|price| self.price(&price, bounds)).map(|price| (place, price)));
            }
            if !rows.is_empty() {
                prices.insert(sku.as_str().to_owned(), rows);
            }
        }
        prices
    }

    /// None: all of it is over.
    fn price(&self, price: &crate::Price, bounds: &mut BTreeSet<i64>) -> Option<Price> {
        let windows = match price {
            crate::Price::Plain(amount) => return Some(Price::Plain(Number(*amount))),
            crate::Price::Windows(windows) => windows,
        };
        let mut packed = Vec::new();
        for window in windows.iter().filter(|window| self.is_ahead(window.validity)) {
            bounds.extend([window.validity.from_s, window.validity.until_s].into_iter().flatten());
            packed.push(Window {
                from: window.validity.from_s,
                until: window.validity.until_s,
                unit: window.unit.as_ref().map(ToString::to_string),
                tiers: window.tiers.iter().map(|tier| (Number(tier.minimum), Number(tier.amount))).collect(),
            });
        }
        (!packed.is_empty()).then_some(Price::Windows(packed))
    }

    fn list(&self, list: &PriceList, places: &Places<'_>, bounds: &mut BTreeSet<i64>) -> List {
        bounds.extend([list.validity.from_s, list.validity.until_s].into_iter().flatten());
        let base = list.base.and_then(|base| {
            let place = places.iter().position(|(index, _)| *index == base.list)?;
            Some((u32::try_from(place).ok()?, Number(base.of_hundred)))
        });
        List {
            id: list.id.to_string(),
            currency: list.currency.code().to_owned(),
            contract: list.kind == Kind::Contract,
            near: nearest(&list.audience, self.buyer).map(|nearness| match nearness {
                Nearness::CompanyLocation => Near::Location,
                Nearness::Company => Near::Company,
                Nearness::Group => Near::Group,
                Nearness::Everyone => Near::Everyone,
            }),
            priority: list.priority,
            from: list.validity.from_s,
            until: list.validity.until_s,
            graduated: list.tiers == Tiers::Graduated,
            unit: said(&list.unit),
            round: (list.rounding.to != To::Exact).then(|| list.rounding.to.spelled()),
            half_even: list.rounding.half == Rounding::HalfEven,
            base,
        }
    }

    /// None: it never counts for this buyer and these SKUs.
    fn rule(
        &self,
        id: &str,
        when: &When,
        unit: &Unit,
        does: Does,
        skus: &[&str],
        bounds: &mut BTreeSet<i64>,
    ) -> Option<Rule> {
        nearest(&when.audience, self.buyer)?;
        let goods = when.goods.among(skus);
        if !when.approved || !self.is_ahead(when.validity) || goods.is_empty() {
            return None;
        }
        bounds.extend([when.validity.from_s, when.validity.until_s].into_iter().flatten());
        Some(Rule {
            id: id.to_owned(),
            skus: goods,
            not_contract: !when.contract,
            not_list: !when.list,
            currency: when.currency.map(|currency| currency.code().to_owned()),
            from: when.validity.from_s,
            until: when.validity.until_s,
            unit: said(unit),
            stacks: false,
            minimum: None,
            does,
        })
    }

    /// Of all units that are named, how many pieces they are: of all SKUs, and of one where it differs.
    fn units(&self, carried: &Carried) -> Vec<(Option<String>, String, Number)> {
        let windows = carried.prices.values().flatten().filter_map(|(_, price)| match price {
            Price::Windows(windows) => Some(windows),
            Price::Plain(_) => None,
        });
        let rules = carried.surcharges.iter().chain(&carried.promotions);
        let codes: BTreeSet<&str> = windows
            .flatten()
            .filter_map(|window| window.unit.as_deref())
            .chain(carried.lists.iter().filter_map(|list| list.unit.as_deref()))
            .chain(rules.filter_map(|rule| rule.unit.as_deref()))
            .filter(|code| *code != Unit::piece().code())
            .collect();
        let mut units = Vec::new();
        for code in codes {
            let Ok(unit) = Unit::from_code(code) else { continue };
            let of_all = self.terms.units().pieces("", &unit);
            for sku in carried.prices.keys() {
                let own = self.terms.units().pieces(sku, &unit).filter(|own| Some(*own) != of_all);
                units.extend(own.map(|pieces| (Some(sku.clone()), code.to_owned(), Number(pieces))));
            }
            units.extend(of_all.map(|pieces| (None, code.to_owned(), Number(pieces))));
        }
        units
    }

    /// The first day is priced at the instant, each day with which something begins or ends at its first second. It counts up to the
    /// last day before one within which something changes.
    fn days(&self, bounds: &BTreeSet<i64>) -> Result<Days, PackFault> {
        let day_of = |instant: Timestamp| instant.to_zoned(self.zone.clone()).date();
        let today = day_of(self.at);
        let mut days = vec![(today.to_string(), self.at.as_second())];
        let ahead = bounds.iter().filter(|bound| **bound > self.at.as_second());
        for instant in ahead.filter_map(|bound| Timestamp::from_second(*bound).ok()) {
            let day = day_of(instant);
            if day == today {
                return Err(PackFault::WithinTheDay(instant));
            }
            if days.len() >= DAYS_MAX || self.first_second(day)? != instant.as_second() {
                let last = day.checked_sub(1.day()).map_err(|_| PackFault::Instant)?.to_string();
                // A day that begins with a change and has another within is not counted at all.
                days.retain(|(from, _)| *from <= last);
                return Ok((days, Some(last)));
            }
            days.push((day.to_string(), instant.as_second()));
        }
        Ok((days, None))
    }

    fn first_second(&self, day: Date) -> Result<i64, PackFault> {
        let begins = day.to_zoned(self.zone.clone()).map_err(|_| PackFault::Instant)?;
        Ok(begins.timestamp().as_second())
    }
}

/// A piece need not be said.
fn said(unit: &Unit) -> Option<String> {
    (*unit != Unit::piece()).then(|| unit.code().to_owned())
}
