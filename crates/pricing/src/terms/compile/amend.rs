//! Surcharges and promotions of a document. Owns which combinations of their fields are refused.

use super::super::faults::Faults;
use super::super::{Effect, PromotionRule, SurchargeEffect, SurchargeRule, Terms, When};
use super::read;
use crate::document::{Document, Kind, Promotion, State, Surcharge, Texts};
use crate::goods::Goods;
use jiff::tz::TimeZone;
use kernel::money::Currency;
use kernel::quantity::Unit;
use std::collections::BTreeSet;

/// What both have in common, as the document has it.
struct Common<'a> {
    state: State,
    valid: (Option<&'a str>, Option<&'a str>),
    audience: &'a Texts,
    skus: &'a Texts,
    kinds: (&'static str, &'a [Kind]),
    currency: Option<&'a str>,
    unit: Option<&'a str>,
    /// Whether the effect is an amount of money, which needs a currency.
    has_amount: bool,
}

pub(super) fn surcharges(document: &Document, zone: &TimeZone, terms: &mut Terms, faults: &mut Faults) {
    let mut ids = BTreeSet::new();
    for (at, row) in document.surcharges.iter().enumerate() {
        let place = |field: &str| format!("surcharges[{at}].{field}");
        named(&row.id, &mut ids, faults, &place);
        let common = Common {
            state: row.state,
            valid: (row.valid_from.as_deref(), row.valid_until.as_deref()),
            audience: &row.audience,
            skus: &row.skus,
            kinds: ("on", &row.on),
            currency: row.currency.as_deref(),
            unit: row.unit.as_deref(),
            has_amount: row.amount.is_some(),
        };
        let (when, unit) = common.read(zone, faults, &place);
        if let Some(effect) = surcharge_effect(row, faults, &place) {
            terms.surcharges.push(SurchargeRule {
                id: row.id.as_str().into(),
                priority: row.priority,
                when,
                unit,
                effect,
            });
        }
    }
    terms.surcharges.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.id.cmp(&b.id)));
}

pub(super) fn promotions(document: &Document, zone: &TimeZone, terms: &mut Terms, faults: &mut Faults) {
    let mut ids = BTreeSet::new();
    for (at, row) in document.promotions.iter().enumerate() {
        let place = |field: &str| format!("promotions[{at}].{field}");
        named(&row.id, &mut ids, faults, &place);
        let common = Common {
            state: row.state,
            valid: (row.valid_from.as_deref(), row.valid_until.as_deref()),
            audience: &row.audience,
            skus: &row.skus,
            kinds: ("combines_with", &row.combines_with),
            currency: row.currency.as_deref(),
            unit: row.unit.as_deref(),
            has_amount: row.amount_off.is_some() || row.fixed_price.is_some(),
        };
        let (when, unit) = common.read(zone, faults, &place);
        let minimum =
            faults.keep(|| place("minimum"), row.minimum.as_deref().map(read::pieces).transpose()).flatten();
        if let Some(effect) = promotion_effect(row, faults, &place) {
            let (id, priority, stacks) = (row.id.as_str().into(), row.priority, row.stacks);
            terms.promotions.push(PromotionRule { id, priority, when, stacks, minimum, unit, effect });
        }
    }
    terms.promotions.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.id.cmp(&b.id)));
}

fn named<'a>(id: &'a str, ids: &mut BTreeSet<&'a str>, faults: &mut Faults, place: &dyn Fn(&str) -> String) {
    if let Err(why) = read::id(id) {
        faults.tell(place("id"), why);
    } else if !ids.insert(id) {
        faults.tell(place("id"), format!("there are two named '{id}'"));
    }
}

impl Common<'_> {
    fn read(&self, zone: &TimeZone, faults: &mut Faults, place: &dyn Fn(&str) -> String) -> (When, Unit) {
        let goods = Goods::parse(self.skus.as_slice());
        let goods = goods.map_err(|(index, why)| format!("entry {}: {why}", index + 1));
        let (field, kinds) = self.kinds;
        if kinds.is_empty() {
            faults.tell(place(field), "it would never count: write contract, list or both");
        }
        let currency =
            faults.keep(|| place("currency"), self.currency.map(Currency::from_code).transpose()).flatten();
        if self.has_amount && self.currency.is_none() {
            faults.tell(place("currency"), "an amount needs its currency");
        }
        let unit = faults.keep(|| place("unit"), self.unit.map(Unit::from_code).transpose()).flatten();
        let when = When {
            approved: read::approved(self.state),
            validity: read::validity(self.valid.0, self.valid.1, zone, faults, place),
            audience: read::audiences(self.audience, faults, &|| place("for")),
            goods: faults.keep(|| place("skus"), goods).unwrap_or_default(),
            contract: kinds.contains(&Kind::Contract),
            list: kinds.contains(&Kind::List),
            currency,
        };
        (when, unit.unwrap_or_else(Unit::piece))
    }
}

fn surcharge_effect(
    row: &Surcharge,
    faults: &mut Faults,
    place: &dyn Fn(&str) -> String,
) -> Option<SurchargeEffect> {
    match (&row.percent, &row.amount) {
        (Some(percent), None) => {
            faults.keep(|| place("percent"), read::of_hundred(percent)).map(SurchargeEffect::OfHundred)
        }
        (None, Some(amount)) => {
            faults.keep(|| place("amount"), read::amount(amount)).map(SurchargeEffect::Amount)
        }
        _ => {
            faults.tell(place("percent"), "write one of percent and amount");
            None
        }
    }
}

fn promotion_effect(row: &Promotion, faults: &mut Faults, place: &dyn Fn(&str) -> String) -> Option<Effect> {
    match (&row.percent_off, &row.amount_off, &row.fixed_price, row.buy, row.get) {
        (Some(percent), None, None, None, None) => {
            faults.keep(|| place("percent_off"), read::percent_off(percent)).map(Effect::PercentOff)
        }
        (None, Some(amount), None, None, None) => {
            faults.keep(|| place("amount_off"), read::amount(amount)).map(Effect::AmountOff)
        }
        (None, None, Some(price), None, None) => {
            faults.keep(|| place("fixed_price"), read::amount(price)).map(Effect::FixedPrice)
        }
        (Some(percent), None, None, Some(buy), Some(get)) => {
            if buy == 0 || get == 0 {
                faults.tell(place("buy"), "buy and get are at least 1");
                return None;
            }
            let percent_off = faults.keep(|| place("percent_off"), read::percent_off(percent))?;
            Some(Effect::BuyGet { buy, get, percent_off })
        }
        _ => {
            let todo =
                "write exactly one of percent_off, amount_off, fixed_price, or buy with get and percent_off";
            faults.tell(place("percent_off"), todo);
            None
        }
    }
}
