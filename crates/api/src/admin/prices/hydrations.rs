//! `GET prices/hydrations`: the history of what was brought into the shops' catalogs: who or what began each run, what it changed
//! and cost, what somebody else had changed, and what stays at the cart. Owns what is kept of a run, in the store, so that all
//! nodes show the same; the newest thousand of each shop.

use super::{Parts, prices};
use crate::admin::AdminError;
use crate::admin::asked::Question;
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use kernel::id::ShopId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Store, StoreError};
use telemetry::Metrics;

/// Of each shop; the oldest goes then.
const KEPT: u64 = 1_000;
const SHOWN: usize = 100;

/// One run that was to write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hydrated {
    pub shop: String,
    pub began: Timestamp,
    pub took_ms: u64,
    pub who: String,
    /// Why it began.
    pub why: String,
    /// All that the shop has was read.
    pub against_shop: bool,
    /// It did not come to its end, and why. The figures below are none then.
    pub failed: Option<String>,
    /// Of the prices.
    pub version: u64,
    /// Lists that were wanted, one for each kind of buyer and currency, and their prices that a catalog can say.
    pub lists: u64,
    pub prices: u64,
    /// Prices that came, rose, fell, went, or have other breaks.
    pub new: u64,
    pub up: u64,
    pub down: u64,
    pub gone: u64,
    pub quantities: u64,
    /// Calls that write; lines of writes in bulk, and their operations.
    pub calls: u64,
    pub lines: u64,
    pub operations: u64,
    /// Of the shop's bucket.
    pub points: u64,
    pub refused: u64,
    /// Calls that are still needed.
    pub unsettled: u64,
    /// Prices that somebody else had changed, and the one that is furthest off in words.
    pub drift: u64,
    pub largest_drift: Option<String>,
    /// Prices that stay at the cart, and lists that do so with all of them.
    pub at_the_cart: u64,
    pub lists_at_the_cart: u64,
    /// When the first of the prices begins or ends.
    pub ends: Option<Timestamp>,
}

impl Hydrated {
    /// From what a run told.
    pub(super) fn of(told: &Value) -> Self {
        let plan = &told["plan"];
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let all = |of: &Value| of.as_array().cloned().unwrap_or_default();
        let lists = all(&plan["lists"]);
        let at_the_cart =
            lists.iter().flat_map(|list| list["at_the_cart"].as_object().cloned().unwrap_or_default());
        let ends = lists.iter().filter_map(|list| list["ends"].as_str()?.parse::<Timestamp>().ok());
        Self {
            version: number(&plan["version"]),
            lists: lists.len() as u64,
            prices: lists.iter().map(|list| number(&list["prices"])).sum(),
            new: number(&plan["counts"]["new"]),
            up: number(&plan["counts"]["up"]),
            down: number(&plan["counts"]["down"]),
            gone: number(&plan["counts"]["gone"]),
            quantities: number(&plan["counts"]["quantities"]),
            calls: number(&told["written"]["calls"]),
            lines: number(&told["written"]["lines"]),
            operations: number(&told["written"]["operations"]),
            points: number(&told["written"]["points"]),
            refused: all(&told["refused"]).len() as u64,
            unsettled: number(&told["unsettled"]),
            drift: number(&plan["drift"]),
            largest_drift: plan["largest_drift"].as_str().map(str::to_owned),
            at_the_cart: at_the_cart.map(|(_, count)| number(&count)).sum(),
            lists_at_the_cart: all(&plan["left_at_the_cart"]).len() as u64,
            ends: ends.min(),
            ..Self::default()
        }
    }

    /// It came to its end, and left nothing to do.
    pub(super) fn is_whole(&self) -> bool {
        self.failed.is_none() && self.unsettled == 0
    }

    pub fn changes(&self) -> u64 {
        self.new + self.up + self.down + self.gone + self.quantities
    }

    /// What came of it.
    pub fn in_words(&self) -> String {
        if self.failed.is_some() {
            return "it did not come to its end".to_owned();
        }
        let mut what = format!("{} prices to change", self.changes());
        for (count, of) in [
            (self.drift, "by somebody else"),
            (self.refused, "refused by Shopify"),
            (self.unsettled, "calls not settled"),
        ] {
            if count > 0 {
                what.push_str(&format!(", {count} {of}"));
            }
        }
        what
    }
}

fn counted(shop: &ShopId) -> String {
    format!("hydrations/{shop}")
}

/// Puts a run at the end of its shop's history.
pub(super) async fn keep(store: &dyn Store, shop: &ShopId, run: &Hydrated) -> Result<(), StoreError> {
    let count = count(store, shop).await?;
    let name = format!("{}/{}", counted(shop), count % KEPT);
    store.set_cursor(&name, &serde_json::json!(run).to_string()).await?;
    store.set_cursor(&counted(shop), &(count + 1).to_string()).await
}

async fn count(store: &dyn Store, shop: &ShopId) -> Result<u64, StoreError> {
    Ok(store.cursor(&counted(shop)).await?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// The runs of a shop, newest first.
///
/// # Errors
/// The store's.
pub async fn history(store: &dyn Store, shop: &ShopId, limit: usize) -> Result<Vec<Hydrated>, StoreError> {
    let count = count(store, shop).await?;
    let oldest = count.saturating_sub(KEPT);
    let mut runs = Vec::new();
    for number in (oldest..count).rev().take(limit) {
        runs.extend(numbered(store, shop, number).await?);
    }
    Ok(runs)
}

/// None: another version wrote it, in another form.
async fn numbered(store: &dyn Store, shop: &ShopId, number: u64) -> Result<Option<Hydrated>, StoreError> {
    let text = store.cursor(&format!("{}/{}", counted(shop), number % KEPT)).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// What the gauges say of a shop until it is hydrated anew in this life of the hub: what the newest runs of earlier ones said.
///
/// # Errors
/// The store's.
pub async fn gauges_of_history(
    store: &dyn Store,
    metrics: &Metrics,
    shop: &ShopId,
) -> Result<(), StoreError> {
    let count = count(store, shop).await?;
    let (mut hydrated, mut compared) = (false, false);
    for number in (count.saturating_sub(KEPT)..count).rev() {
        let Some(run) = numbered(store, shop, number).await?.filter(Hydrated::is_whole) else { continue };
        if !std::mem::replace(&mut hydrated, true) {
            metrics.hydrated(shop, run.began.as_second(), run.lists_at_the_cart, run.at_the_cart);
        }
        if run.against_shop && !std::mem::replace(&mut compared, true) {
            metrics.catalog_drift(shop, run.drift);
        }
        if hydrated && compared {
            break;
        }
    }
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    shop: Option<String>,
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
pub(super) struct Hydrations {
    hydrations: Vec<Hydrated>,
}

pub(super) async fn list(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Hydrations>, AdminError> {
    prices(&parts)?;
    let limit = asked.limit.unwrap_or(SHOWN);
    let named = match asked.shop {
        Some(shop) => vec![super::hydrate::shop(&parts, Some(&shop))?],
        None => parts.hydrates.clone(),
    };
    let mut hydrations = Vec::new();
    for shop in named {
        hydrations.extend(history(parts.store.as_ref(), shop.shop(), limit).await?);
    }
    hydrations.sort_by_key(|run| std::cmp::Reverse(run.began));
    hydrations.truncate(limit);
    Ok(Json(Hydrations { hydrations }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::MemoryStore;

    #[tokio::test]
    async fn the_newest_thousand_are_kept_and_shown_newest_first() {
        let (store, shop) = (MemoryStore::new(), ShopId::new("acme").unwrap());
        for version in 0..KEPT + 2 {
            keep(&store, &shop, &Hydrated { version, ..Hydrated::default() }).await.unwrap();
        }
        let versions = |runs: Vec<Hydrated>| runs.iter().map(|run| run.version).collect::<Vec<_>>();
        assert_eq!(versions(history(&store, &shop, 2).await.unwrap()), [KEPT + 1, KEPT]);
        let all = versions(history(&store, &shop, usize::MAX).await.unwrap());
        assert_eq!((all.len() as u64, all.last()), (KEPT, Some(&2)));
        let other = ShopId::new("beta").unwrap();
        assert_eq!(history(&store, &other, 9).await.unwrap(), []);
    }
}
