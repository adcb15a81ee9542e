//! `POST prices/hydrate {shop, dry_run, against_shop}`: makes a shop's catalogs say what the price lists say, or tells what that would take.
//! The answer is a stream.

use super::hydrations::{self, Hydrated};
use super::{Parts, prices};
use crate::admin::asked::{Body, Hand, NothingElse};
use crate::admin::stream::{Teller, streamed};
use crate::admin::{AdminError, AdminParts};
use async_trait::async_trait;
use axum::extract::State;
use axum::response::Response;
use kernel::clock::Clock;
use kernel::fault::Fault;
use kernel::id::ShopId;
use price_store::PriceStore;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Debug;
use std::sync::Arc;
use store::operate::{AuditEntry, By};
use store::{Store, StoreError};
use telemetry::Metrics;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hydrating {
    /// Nothing is written.
    pub dry_run: bool,
    /// All that the shop has is read, whatever is known of it.
    pub against_shop: bool,
}

/// One shop whose catalogs can be written.
#[async_trait]
pub trait Hydrate: Send + Sync + Debug {
    fn shop(&self) -> &ShopId;

    /// What was done, or would be. `tell`: so much of how much (0: not known).
    ///
    /// # Errors
    /// What ended it; begun again it goes on with what is left.
    async fn run(
        &self,
        prices: &PriceStore,
        how: Hydrating,
        tell: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Value, HydrateError>;
}

/// What ended a hydration.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct HydrateError {
    why: String,
    /// Nothing was begun: another run of this shop is under way.
    pub is_under_way: bool,
    /// The hub stops.
    pub is_stopped: bool,
}

impl HydrateError {
    /// `why` says what to do.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_under_way: false, is_stopped: false }
    }

    /// Another run of this shop is under way.
    pub fn under_way(why: impl Into<String>) -> Self {
        Self { is_under_way: true, ..Self::new(why) }
    }

    /// The hub stops; the next run goes on with what is left.
    pub fn stopped() -> Self {
        let why = "the hub stops: what was written stands, and the next run goes on with what is left";
        Self { is_stopped: true, ..Self::new(why) }
    }
}

impl From<Fault> for HydrateError {
    fn from(fault: Fault) -> Self {
        Self::new(fault.to_string())
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The only one, where it is absent.
    shop: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    against_shop: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

pub(super) async fn hydrate(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let by = asked.hand.by_or("prices into the shop's catalogs", parts.clock.now().wall)?;
    let store = prices(&parts)?.store.clone();
    let shop = shop(&parts, asked.shop.as_deref())?;
    let how = Hydrating { dry_run: asked.dry_run, against_shop: asked.against_shop };
    let given = parts.clone();
    Ok(streamed(&parts, move |teller| hydrated(given, (store, shop), (by, how), teller)))
}

pub(super) fn shop(parts: &AdminParts, named: Option<&str>) -> Result<Arc<dyn Hydrate>, AdminError> {
    let all = &parts.hydrates;
    let names: Vec<&str> = all.iter().map(|one| one.shop().as_str()).collect();
    match (named, all.as_slice()) {
        (Some(named), _) => all.iter().find(|one| one.shop().as_str() == named).cloned().ok_or_else(|| {
            AdminError::not_found(format!("no shop {named:?} is configured; there are: {}", names.join(", ")))
        }),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(AdminError::mend(format!("say which shop: {}", names.join(", ")))),
    }
}

async fn hydrated(
    parts: Arc<AdminParts>,
    (store, shop): (Arc<PriceStore>, Arc<dyn Hydrate>),
    (by, how): (By, Hydrating),
    teller: Arc<Teller>,
) -> Result<Value, AdminError> {
    let mut tell = |done, of| {
        teller.tell(done, of);
    };
    let around = Around {
        store: parts.store.as_ref(),
        clock: parts.clock.as_ref(),
        metrics: parts.watching.metrics(),
    };
    let told = carried_out(&around, shop.as_ref(), &store, (how, by), &mut tell).await?;
    told.0.map_err(|error| AdminError::hydration(&error))
}

/// What a run needs beside its shop.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    pub store: &'a dyn Store,
    pub clock: &'a dyn Clock,
    pub metrics: &'a Metrics,
}

/// Which version of the prices the catalogs of a shop say, under this name in the store.
pub fn version_of(shop: &ShopId) -> String {
    format!("hydration/{shop}/version")
}

/// And when the first of these prices begins or ends.
pub fn due_of(shop: &ShopId) -> String {
    format!("hydration/{shop}/due")
}

/// One run, by hand or at a cadence: what it came to stands in the audit and in the history, and is measured. With it comes
/// what was kept; none of a dry run, and of one that was refused because another is under way.
///
/// # Errors
/// The store's: what came of the run is not kept then.
pub async fn carried_out(
    around: &Around<'_>,
    shop: &dyn Hydrate,
    prices: &PriceStore,
    (how, by): (Hydrating, By),
    tell: &mut (dyn FnMut(u64, u64) + Send),
) -> Result<(Result<Value, HydrateError>, Option<Hydrated>), StoreError> {
    let (began, name) = (around.clock.now(), shop.shop());
    let result = shop.run(prices, how, tell).await;
    if how.dry_run || matches!(&result, Err(error) if error.is_under_way) {
        return Ok((result, None));
    }
    let took = around.clock.now().mono.since(began.mono);
    let kept = Hydrated {
        shop: name.to_string(),
        began: began.wall,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        who: by.who.clone(),
        why: by.why.clone(),
        against_shop: how.against_shop,
        failed: result.as_ref().err().map(ToString::to_string),
        ..result.as_ref().map(Hydrated::of).unwrap_or_default()
    };
    around.store.audit(entry(name, &kept, by)).await?;
    hydrations::keep(around.store, name, &kept).await?;
    let is_whole = kept.is_whole();
    if is_whole {
        around.store.set_cursor(&version_of(name), &kept.version.to_string()).await?;
        let ends = kept.ends.map(|ends| ends.to_string()).unwrap_or_default();
        around.store.set_cursor(&due_of(name), &ends).await?;
        around.metrics.hydrated(name, kept.began.as_second(), kept.lists_at_the_cart, kept.at_the_cart);
    }
    if is_whole && how.against_shop {
        around.metrics.catalog_drift(name, kept.drift);
    }
    around.metrics.hydration(name, if is_whole { "whole" } else { "failed" });
    Ok((result, Some(kept)))
}

fn entry(shop: &ShopId, kept: &Hydrated, by: By) -> AuditEntry {
    AuditEntry {
        at: by.at,
        who: by.who,
        action: "hydrate".to_owned(),
        target: format!("shop {shop}: {}", kept.in_words()),
        why: by.why,
        count: kept.changes(),
    }
}
