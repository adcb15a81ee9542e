//! What a person does in the shop's admin: another price, a market's catalog.

use super::catalogs::{SMALL_PLAN_MAX, has_direct_catalogs};
use super::{Amount, Catalog, Kind, List, Price, Prices};
use crate::shop::Currency;
use crate::shopify::config::Plan;
use crate::shopify::stock::Good;
use anyhow::{Context as _, Result, ensure};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

impl Prices {
    pub(in crate::shopify) fn by_hand(
        &mut self,
        name: &str,
        good: Good,
        amount: Option<Decimal>,
    ) -> Result<()> {
        let list = self.lists.values_mut().find(|list| list.name == name);
        let list = list.with_context(|| format!("the shop has no price list {name}"))?;
        match amount {
            Some(amount) => {
                let amount = Amount::of(list.currency, amount).context("no price can be so large")?;
                let compare_at = list.prices.get(&good).and_then(|price| price.compare_at);
                list.prices.insert(good, Price { amount, compare_at });
            }
            None => {
                list.prices.remove(&good);
                list.breaks.remove(&good);
            }
        }
        Ok(())
    }

    /// Below Plus three of them may be in use.
    pub(in crate::shopify) fn market_by_hand(
        &mut self,
        (catalog, list): (u64, u64),
        title: &str,
        currency: Currency,
        locations: &[u64],
        plan: Plan,
    ) -> Result<()> {
        let in_use =
            self.catalogs.values().filter(|one| one.kind == Kind::Market && one.status == "ACTIVE").count();
        ensure!(
            has_direct_catalogs(plan) || in_use < SMALL_PLAN_MAX,
            "B2B_CATALOG_LIMIT_REACHED: the plan has {SMALL_PLAN_MAX} catalogs"
        );
        self.lists.insert(
            list,
            List {
                id: list,
                name: title.to_owned(),
                currency,
                adjustment: Decimal::ZERO,
                prices: BTreeMap::new(),
                breaks: BTreeMap::new(),
                rules: BTreeMap::new(),
            },
        );
        let (title, status, kind) = (title.to_owned(), "ACTIVE".to_owned(), Kind::Market);
        let locations = locations.iter().copied().collect();
        self.catalogs
            .insert(catalog, Catalog { id: catalog, title, status, kind, locations, list: Some(list) });
        Ok(())
    }
}
