//! Price lists: made, renamed, tied to a catalog.

use super::{Fault, List, Prices};
use crate::shop::Currency;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

const NAME_MAX: usize = 255;

#[derive(Clone, Debug)]
pub(in crate::shopify) struct NewList {
    pub(in crate::shopify) name: String,
    pub(in crate::shopify) currency: String,
    /// Percent; below zero it is a discount. None where the input's is none that there can be.
    pub(in crate::shopify) adjustment: Decimal,
    pub(in crate::shopify) catalog: Option<u64>,
}

/// Percent, with the sign of what it does to a price.
fn adjustment_fault(adjustment: Decimal) -> Option<Fault> {
    let at = &["input", "parent", "adjustment", "value"];
    if adjustment < -Decimal::ONE_HUNDRED {
        let text = "The adjustment value must not be greater than 100% for a decrease.";
        return Some(Fault::at("INVALID_ADJUSTMENT_MIN_VALUE", at, text));
    }
    (adjustment > Decimal::ONE_THOUSAND).then(|| {
        let text = "The adjustment value must not be greater than 1000% for an increase.";
        Fault::at("INVALID_ADJUSTMENT_MAX_VALUE", at, text)
    })
}

impl Prices {
    fn name_fault(&self, name: &str, own: Option<u64>) -> Option<Fault> {
        let at = &["input", "name"];
        if name.trim().is_empty() {
            return Some(Fault::at("BLANK", at, "Name can't be blank"));
        }
        if name.chars().count() > NAME_MAX {
            return Some(Fault::at("TOO_LONG", at, "Name is too long (maximum is 255 characters)"));
        }
        let taken = self.list_named(name).is_some_and(|list| Some(list.id) != own);
        taken.then(|| Fault::at("TAKEN", at, "Name has already been taken"))
    }

    fn catalog_fault(&self, catalog: Option<u64>) -> Option<Fault> {
        let missing = catalog.is_some_and(|id| !self.catalogs.contains_key(&id));
        missing
            .then(|| Fault::at("CATALOG_DOES_NOT_EXIST", &["input", "catalogId"], "Catalog does not exist."))
    }

    pub(in crate::shopify) fn create_list(&mut self, id: u64, new: &NewList) -> Result<(), Vec<Fault>> {
        let mut faults: Vec<Fault> = self.name_fault(&new.name, None).into_iter().collect();
        faults.extend(self.catalog_fault(new.catalog));
        faults.extend(adjustment_fault(new.adjustment));
        let currency = Currency::of(&new.currency);
        if currency.is_none() {
            let text = "The price list currency is not supported by the shop's payment gateway.";
            faults.push(Fault::at("CURRENCY_NOT_SUPPORTED", &["input", "currency"], text));
        }
        let Some(currency) = currency.filter(|_| faults.is_empty()) else { return Err(faults) };
        let list = List {
            id,
            name: new.name.clone(),
            currency,
            adjustment: new.adjustment,
            prices: BTreeMap::new(),
            breaks: BTreeMap::new(),
            rules: BTreeMap::new(),
        };
        self.lists.insert(id, list);
        self.tie(new.catalog, id);
        Ok(())
    }

    /// A catalog has one list, and a list one catalog.
    pub(super) fn tie(&mut self, catalog: Option<u64>, list: u64) {
        let Some(catalog) = catalog else { return };
        for other in self.catalogs.values_mut().filter(|other| other.list == Some(list)) {
            other.list = None;
        }
        if let Some(catalog) = self.catalogs.get_mut(&catalog) {
            catalog.list = Some(list);
        }
    }

    /// Another currency takes all fixed prices away (shopify.dev).
    pub(in crate::shopify) fn update_list(
        &mut self,
        id: u64,
        name: Option<&str>,
        currency: Option<&str>,
        adjustment: Option<Decimal>,
        catalog: Option<u64>,
    ) -> Result<(), Vec<Fault>> {
        if !self.lists.contains_key(&id) {
            return Err(vec![Fault::at("PRICE_LIST_NOT_FOUND", &["id"], "Price list does not exist.")]);
        }
        let mut faults: Vec<Fault> =
            name.and_then(|name| self.name_fault(name, Some(id))).into_iter().collect();
        faults.extend(self.catalog_fault(catalog));
        faults.extend(adjustment.and_then(adjustment_fault));
        let known = currency.map(Currency::of);
        if known == Some(None) {
            let text = "The price list currency is not supported by the shop's payment gateway.";
            faults.push(Fault::at("CURRENCY_NOT_SUPPORTED", &["input", "currency"], text));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        self.tie(catalog, id);
        let Some(list) = self.lists.get_mut(&id) else { return Ok(()) };
        list.name = name.map_or_else(|| list.name.clone(), str::to_owned);
        list.adjustment = adjustment.unwrap_or(list.adjustment);
        if let Some(currency) = known.flatten().filter(|currency| *currency != list.currency) {
            list.currency = currency;
            list.prices.clear();
            list.breaks.clear();
        }
        Ok(())
    }

    pub(in crate::shopify) fn delete_list(&mut self, id: u64) -> Result<(), Vec<Fault>> {
        if self.lists.remove(&id).is_none() {
            return Err(vec![Fault::at("PRICE_LIST_NOT_FOUND", &["id"], "Price list does not exist.")]);
        }
        for catalog in self.catalogs.values_mut().filter(|catalog| catalog.list == Some(id)) {
            catalog.list = None;
        }
        Ok(())
    }
}
