//! Fixed prices: set, replaced, deleted. A write is done whole or not at all.

use super::amount::decimal;
use super::{Amount, Fault, List, Price, Prices};
use crate::shop::Currency;
use crate::shopify::stock::{Good, Goods};
use serde_json::Value;
use std::collections::BTreeSet;

/// `PriceListPriceInput`, before it is known whether it can be.
#[derive(Clone, Debug)]
pub(in crate::shopify) struct PriceInput {
    pub(in crate::shopify) variant: u64,
    pub(in crate::shopify) price: MoneyInput,
    pub(in crate::shopify) compare_at: Option<MoneyInput>,
}

#[derive(Clone, Debug)]
pub(in crate::shopify) struct MoneyInput {
    currency: String,
    amount: Option<rust_decimal::Decimal>,
}

impl MoneyInput {
    pub(in crate::shopify) fn read(value: &Value) -> Self {
        let currency = value.get("currencyCode").and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { currency, amount: value.get("amount").and_then(decimal) }
    }

    pub(super) fn is_of(&self, currency: Currency) -> bool {
        self.currency == currency.code()
    }

    pub(super) fn amount(&self, currency: Currency) -> Option<Amount> {
        Amount::of(currency, self.amount?).filter(|amount| !amount.is_negative())
    }
}

/// Which codes a write answers with: the two families of mutations have different ones for the same.
#[derive(Clone, Copy)]
pub(super) struct Codes {
    pub(super) currency: &'static str,
    pub(super) add_variant: &'static str,
    pub(super) not_fixed: &'static str,
    pub(super) delete_variant: &'static str,
}

const OF_FIXED: Codes = Codes {
    currency: "PRICE_LIST_CURRENCY_MISMATCH",
    add_variant: "VARIANT_NOT_FOUND",
    not_fixed: "PRICE_NOT_FIXED",
    delete_variant: "VARIANT_NOT_FOUND",
};

/// Where the two inputs stand.
pub(super) struct Roots<'a> {
    pub(super) add: &'a [&'a str],
    pub(super) delete: &'a [&'a str],
}

/// What a write will do, once all of it can be done.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) set: Vec<(Good, Price)>,
    pub(super) delete: Vec<Good>,
}

pub(super) fn judge(
    list: &List,
    goods: Goods,
    (add, delete): (&[PriceInput], &[u64]),
    (codes, roots): (Codes, &Roots<'_>),
    faults: &mut Vec<Fault>,
) -> Judged {
    let mut judged = Judged::default();
    for (index, variant) in delete.iter().enumerate() {
        let fault = |code, text| Fault::of(Some(code), roots.delete, index, "", text);
        match goods.by_variant(*variant) {
            None => faults.push(fault(codes.delete_variant, "The product variant does not exist.")),
            Some(good) if !list.prices.contains_key(&good) => {
                faults.push(fault(codes.not_fixed, "Only fixed prices can be deleted."));
            }
            Some(good) => judged.delete.push(good),
        }
    }
    for (index, input) in add.iter().enumerate() {
        let fault = |code, part, text| Fault::of(code, roots.add, index, part, text);
        let Some(good) = goods.by_variant(input.variant) else {
            faults.push(fault(Some(codes.add_variant), "variantId", "The product variant does not exist."));
            continue;
        };
        if !input.price.is_of(list.currency)
            || input.compare_at.as_ref().is_some_and(|at| !at.is_of(list.currency))
        {
            let text = "The specified currency does not match the price list's currency.";
            faults.push(fault(Some(codes.currency), "price", text));
            continue;
        }
        let compare_at = input.compare_at.as_ref().map(|at| at.amount(list.currency));
        match (input.price.amount(list.currency), compare_at) {
            (Some(amount), None) => judged.set.push((good, Price { amount, compare_at: None })),
            (Some(amount), Some(Some(at))) => judged.set.push((good, Price { amount, compare_at: Some(at) })),
            _ => faults.push(fault(None, "price", "Price must be greater than or equal to 0.")),
        }
    }
    judged
}

impl Prices {
    /// `priceListFixedPricesAdd`, `…Update` and `…Delete`: the names are those of their arguments.
    pub(in crate::shopify) fn change_fixed(
        &mut self,
        goods: Goods,
        list: u64,
        (add_name, add): (&str, &[PriceInput]),
        (delete_name, delete): (&str, &[u64]),
    ) -> Result<(Vec<Good>, Vec<Good>), Vec<Fault>> {
        let Some(of) = self.lists.get(&list) else {
            self.counts.refused += 1;
            return Err(vec![Fault::at(
                "PRICE_LIST_NOT_FOUND",
                &["priceListId"],
                "Price list does not exist.",
            )]);
        };
        let mut faults = Vec::new();
        let roots = Roots { add: &[add_name], delete: &[delete_name] };
        let judged = judge(of, goods, (add, delete), (OF_FIXED, &roots), &mut faults);
        if !faults.is_empty() {
            self.counts.refused += 1;
            return Err(faults);
        }
        self.counts.writes += 1;
        let (set, deleted) = (judged.set.iter().map(|(good, _)| *good).collect(), judged.delete.clone());
        self.apply(list, judged);
        Ok((set, deleted))
    }

    pub(super) fn apply(&mut self, list: u64, judged: Judged) {
        let Some(of) = self.lists.get_mut(&list) else { return };
        let counts = &mut self.counts;
        for good in judged.delete {
            counts.prices_deleted += 1;
            of.prices.remove(&good);
            counts.breaks_deleted += of.breaks.remove(&good).map_or(0, |breaks| breaks.len() as u64);
        }
        for (good, price) in judged.set {
            counts.prices_set += 1;
            counts.prices_set_again += u64::from(of.prices.insert(good, price) == Some(price));
        }
    }
}

/// Those that are there twice, by their places.
pub(super) fn doubles<T: Ord>(all: impl Iterator<Item = T>) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    all.enumerate().filter_map(|(index, one)| (!seen.insert(one)).then_some(index)).collect()
}
