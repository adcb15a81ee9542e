//! From the carried form back to terms and a book. What is wrong with it is said in a word: who wrote it is the hub.

use super::FORM;
use super::json::Value;
use crate::audience::{Audience, Buyer};
use crate::book::{Book, ListIndex};
use crate::document::{Kind, Tax, Tiers};
use crate::goods::Goods;
use crate::price::{Price, Tier, Window};
use crate::rounding::{To, UnitRounding};
use crate::sku::Sku;
use crate::terms::{
    Base, Effect, PriceList, PromotionRule, SurchargeEffect, SurchargeRule, Terms, Units, When,
};
use crate::validity::Validity;
use kernel::money::{Currency, Rounding, parse_exact};
use kernel::quantity::Unit;
use rust_decimal::Decimal;

/// What a [`crate::Resolver`] needs.
#[derive(Debug, Clone)]
pub struct Opened {
    pub terms: Terms,
    pub book: Shelf,
    pub buyer: Buyer,
    /// The second of the day.
    pub at_s: i64,
}

/// Why nothing is priced by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenFault {
    #[error("the prices of this location do not count on this day: write them anew")]
    Day,
    #[error(
        "the prices of this location are in a form that this function does not know: write them anew, or deploy it anew"
    )]
    Form,
    /// The hub would not have written it.
    #[error("the prices of this location have a fault in their {0}: write them anew")]
    Part(&'static str),
}

type Read<T> = Result<T, OpenFault>;

/// The prices of a cart's SKUs, by SKU.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Vec<(Box<str>, OfLists)>);

type OfLists = Vec<(ListIndex, Price)>;

impl Book for Shelf {
    type Key = usize;

    fn key(&self, sku: &str) -> Option<usize> {
        self.0.binary_search_by(|(other, _)| (**other).cmp(sku)).ok()
    }

    fn price(&self, list: ListIndex, key: usize) -> Option<Price> {
        let (_, prices) = self.0.get(key)?;
        prices.iter().find(|(other, _)| *other == list).map(|(_, price)| price.clone())
    }
}

/// `day` is the shop's, `2026-12-01`. Only prices of the SKUs that are `wanted`, in any spelling, are read.
///
/// # Errors
/// Why nothing is priced by it.
pub fn open<'w>(carried: &Value<'_>, day: &str, wanted: impl Iterator<Item = &'w str>) -> Read<Opened> {
    if whole(carried.get("form")) != Some(i64::from(FORM)) {
        return Err(OpenFault::Form);
    }
    let at_s = second_of(carried, day).ok_or(OpenFault::Day)?;
    let rows = carried.get("lists").rows();
    let lists = rows.iter().map(|row| list(row, rows.len()).ok_or(OpenFault::Part("lists")));
    let lists = lists.collect::<Read<Vec<_>>>()?;
    let mut units = Units::default();
    for row in carried.get("units").rows() {
        let (sku, unit, pieces) = unit_row(row).ok_or(OpenFault::Part("units"))?;
        units.define(sku, unit, pieces);
    }
    let rules = |name: &str| carried.get(name).rows().iter();
    let surcharges = rules("surcharges").map(|row| surcharge(row).ok_or(OpenFault::Part("surcharges")));
    let promotions = rules("promotions").map(|row| promotion(row).ok_or(OpenFault::Part("promotions")));
    let terms =
        Terms::of_parts(lists, units, surcharges.collect::<Read<_>>()?, promotions.collect::<Read<_>>()?);
    let book = shelf(carried.get("prices"), wanted, rows.len()).ok_or(OpenFault::Part("prices"))?;
    let buyer = Buyer {
        company_location: Some("location".into()),
        company: Some("company".into()),
        groups: vec!["group".into()],
    };
    Ok(Opened { terms, book, buyer, at_s })
}

fn shelf<'w>(prices: &Value<'_>, wanted: impl Iterator<Item = &'w str>, lists: usize) -> Option<Shelf> {
    let mut carried: Vec<(&str, &Value<'_>)> =
        prices.fields().iter().map(|(sku, prices)| (&**sku, prices)).collect();
    // As they are written; what lies between may have turned them.
    if !carried.is_sorted_by_key(|(sku, _)| *sku) {
        carried.sort_unstable_by_key(|(sku, _)| *sku);
    }
    let find = |sku: &str| {
        let sku = Sku::spell(sku).ok()?;
        carried.binary_search_by(|(other, _)| (*other).cmp(&*sku)).ok()
    };
    let mut places: Vec<usize> = wanted.filter_map(find).collect();
    places.sort_unstable();
    places.dedup();
    let mut shelf = Vec::with_capacity(places.len());
    for (sku, prices) in places.iter().filter_map(|place| carried.get(*place)) {
        let prices = prices.rows().iter().map(|row| priced(row, lists)).collect::<Option<Vec<_>>>()?;
        shelf.push(((*sku).into(), prices));
    }
    Some(Shelf(shelf))
}

/// None: it does not count on that day.
fn second_of(carried: &Value<'_>, day: &str) -> Option<i64> {
    if carried.get("last").text().is_some_and(|last| day > last) {
        return None;
    }
    let days = carried.get("days").rows().iter().rev();
    let mut from =
        days.skip_while(|row| row.rows().first().and_then(Value::text).is_none_or(|from| from > day));
    whole(from.next()?.rows().get(1)?)
}

fn whole(value: &Value<'_>) -> Option<i64> {
    if let Value::Number(digits) = value { digits.parse().ok() } else { None }
}

fn number(value: &Value<'_>) -> Option<Decimal> {
    decimal(value.text()?)
}

/// A number as [`parse_exact`] reads it; the short ones, which nearly all are, on a shorter way.
#[must_use]
pub fn decimal(text: &str) -> Option<Decimal> {
    short(text).or_else(|| parse_exact(text).ok())
}

/// Up to 17 digits with at most one point among them.
fn short(text: &str) -> Option<Decimal> {
    let bytes = text.as_bytes();
    if bytes.len() > 18 || !bytes.first()?.is_ascii_digit() || !bytes.last()?.is_ascii_digit() {
        return None;
    }
    let (mut digits, mut decimals, mut is_fraction) = (0_i64, 0, false);
    for byte in bytes {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + i64::from(byte - b'0');
                decimals += u32::from(is_fraction);
            }
            b'.' if !is_fraction => is_fraction = true,
            _ => return None,
        }
    }
    while decimals > 0 && digits % 10 == 0 {
        digits /= 10;
        decimals -= 1;
    }
    Some(Decimal::new(digits, decimals))
}

/// Of something that need not be there.
fn maybe<T>(value: &Value<'_>, read: impl Fn(&Value<'_>) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { read(value).map(Some) }
}

fn place(value: &Value<'_>, lists: usize) -> Option<ListIndex> {
    let place = u32::try_from(whole(value)?).ok()?;
    ((place as usize) < lists).then_some(ListIndex(place))
}

fn unit(value: &Value<'_>) -> Option<Unit> {
    Unit::from_code(value.text()?).ok()
}

fn currency(value: &Value<'_>) -> Option<Currency> {
    Currency::from_code(value.text()?).ok()
}

fn validity(row: &Value<'_>) -> Option<Validity> {
    Some(Validity { from_s: maybe(row.get("from"), whole)?, until_s: maybe(row.get("until"), whole)? })
}

fn list(row: &Value<'_>, lists: usize) -> Option<PriceList> {
    let near = match row.get("for").text() {
        Some("location") => Some(Audience::CompanyLocation("location".into())),
        Some("company") => Some(Audience::Company("company".into())),
        Some("group") => Some(Audience::Group("group".into())),
        Some("everyone") => Some(Audience::Everyone),
        _ => None,
    };
    let base = maybe(row.get("base"), |base| match base.rows() {
        [of, of_hundred] => Some(Base { list: place(of, lists)?, of_hundred: number(of_hundred)? }),
        _ => None,
    });
    Some(PriceList {
        id: row.get("id").text()?.into(),
        kind: if row.get("contract").is_true() { Kind::Contract } else { Kind::List },
        currency: currency(row.get("currency"))?,
        audience: near.into_iter().collect(),
        priority: i32::try_from(maybe(row.get("priority"), whole)?.unwrap_or_default()).ok()?,
        approved: true,
        validity: validity(row)?,
        tax: Tax::Excluded,
        tiers: if row.get("graduated").is_true() { Tiers::Graduated } else { Tiers::Volume },
        unit: maybe(row.get("unit"), unit)?.unwrap_or_else(Unit::piece),
        rounding: UnitRounding {
            to: maybe(row.get("round"), |to| To::parse(to.text()?).ok())?.unwrap_or(To::Exact),
            half: if row.get("half_even").is_true() { Rounding::HalfEven } else { Rounding::HalfUp },
        },
        base: base?,
    })
}

fn unit_row(row: &Value<'_>) -> Option<(Option<Sku>, Unit, Decimal)> {
    let [sku, code, pieces] = row.rows() else { return None };
    let sku = maybe(sku, |sku| Sku::parse(sku.text()?).ok())?;
    Some((sku, unit(code)?, number(pieces).filter(|pieces| *pieces > Decimal::ZERO)?))
}

fn when(row: &Value<'_>) -> Option<When> {
    let skus: Option<Vec<&str>> = row.get("skus").rows().iter().map(Value::text).collect();
    Some(When {
        approved: true,
        validity: validity(row)?,
        audience: vec![Audience::Everyone],
        goods: Goods::parse(&skus?).ok()?,
        contract: !row.get("not_contract").is_true(),
        list: !row.get("not_list").is_true(),
        currency: maybe(row.get("currency"), currency)?,
    })
}

fn surcharge(row: &Value<'_>) -> Option<SurchargeRule> {
    let does = row.get("does");
    Some(SurchargeRule {
        id: row.get("id").text()?.into(),
        priority: 0,
        when: when(row)?,
        unit: maybe(row.get("unit"), unit)?.unwrap_or_else(Unit::piece),
        effect: match number(does.get("of_hundred")) {
            Some(of_hundred) => SurchargeEffect::OfHundred(of_hundred),
            None => SurchargeEffect::Amount(number(does.get("amount"))?),
        },
    })
}

fn promotion(row: &Value<'_>) -> Option<PromotionRule> {
    Some(PromotionRule {
        id: row.get("id").text()?.into(),
        priority: 0,
        when: when(row)?,
        stacks: row.get("stacks").is_true(),
        minimum: maybe(row.get("minimum"), number)?,
        unit: maybe(row.get("unit"), unit)?.unwrap_or_else(Unit::piece),
        effect: effect(row.get("does"))?,
    })
}

fn effect(does: &Value<'_>) -> Option<Effect> {
    let [(name, value)] = does.fields() else { return None };
    Some(match &**name {
        "percent_off" => Effect::PercentOff(number(value)?),
        "amount_off" => Effect::AmountOff(number(value)?),
        "fixed_price" => Effect::FixedPrice(number(value)?),
        "buy_get" => {
            let [buy, get, percent_off] = value.rows() else { return None };
            let many = |value| u32::try_from(whole(value)?).ok().filter(|many| *many > 0);
            Effect::BuyGet { buy: many(buy)?, get: many(get)?, percent_off: number(percent_off)? }
        }
        _ => return None,
    })
}

fn priced(row: &Value<'_>, lists: usize) -> Option<(ListIndex, Price)> {
    let [list, price] = row.rows() else { return None };
    let price = match price {
        Value::Rows(windows) => Price::new(windows.iter().map(window).collect::<Option<_>>()?),
        amount => Price::plain(number(amount)?),
    };
    Some((place(list, lists)?, price.ok()?))
}

fn window(row: &Value<'_>) -> Option<Window> {
    let tier = |tier: &Value<'_>| match tier.rows() {
        [minimum, amount] => Some(Tier { minimum: number(minimum)?, amount: number(amount)? }),
        _ => None,
    };
    Some(Window {
        validity: validity(row)?,
        unit: maybe(row.get("unit"), unit)?,
        tiers: row.get("tiers").rows().iter().map(tier).collect::<Option<_>>()?,
    })
}
