//! `POST prices/hydrate {shop, dry_run, against_shop}`: makes a shop's catalogs say what the price lists say, or tells what that would take.
//! The answer is a stream.

use super::{Parts, prices};
use crate::admin::asked::{Body, Hand, NothingElse};
use crate::admin::stream::{Teller, streamed};
use crate::admin::{AdminError, AdminParts};
use async_trait::async_trait;
use axum::extract::State;
use axum::response::Response;
use kernel::fault::Fault;
use kernel::id::ShopId;
use price_store::PriceStore;
use serde::Deserialize;
use serde_json::Value;
use std::fmt::Debug;
use std::sync::Arc;
use store::operate::{AuditEntry, By};

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
#[error("{0}")]
pub struct HydrateError(String);

impl HydrateError {
    /// `why` says what to do.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl From<Fault> for HydrateError {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
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

fn shop(parts: &AdminParts, named: Option<&str>) -> Result<Arc<dyn Hydrate>, AdminError> {
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
    let result = shop.run(&store, how, &mut tell).await;
    if !how.dry_run {
        let (what, count) = in_words(&result);
        let entry = AuditEntry {
            at: by.at,
            who: by.who,
            action: "hydrate".to_owned(),
            target: format!("shop {}: {what}", shop.shop()),
            why: by.why,
            count,
        };
        parts.store.audit(entry).await?;
    }
    result.map_err(|error| AdminError::hydration(error.to_string()))
}

/// What came of it, and how many prices it changed.
fn in_words(result: &Result<Value, HydrateError>) -> (String, u64) {
    let Ok(told) = result else { return ("it did not come to its end".to_owned(), 0) };
    let plan = &told["plan"];
    let counts = ["new", "up", "down", "gone", "quantities"].iter();
    let changes: u64 = counts.filter_map(|name| plan["counts"][*name].as_u64()).sum();
    let drift = plan["drift"].as_u64().unwrap_or(0);
    let refused = told["refused"].as_array().map_or(0, Vec::len);
    let mut what = format!("{changes} prices to change");
    for (count, of) in [(drift, "by somebody else"), (refused as u64, "refused by Shopify")] {
        if count > 0 {
            what.push_str(&format!(", {count} {of}"));
        }
    }
    (what, changes)
}
