//! Prices over HTTP: what a buyer pays, asked by a server with a token ([`resolve`]) or by a storefront through Shopify
//! ([`proxy`]). Owns who may ask for whom, and what an answer looks like. What a price is, `pricing` says; where prices are
//! kept, `price_store`.

mod answer;
mod asked;
mod callers;
mod draft;
mod error;
mod explain;
mod function;
mod live;
mod loads;
mod nodes;
mod outcome;
mod pace;
mod proxy;
pub mod pull;
mod resolve;
mod told;
mod variants;

pub use asked::LINES_MAX;
use asked::currency;
pub use callers::Caller;
pub use error::PriceError;
pub use explain::{Explain, Explanation};
pub use function::{Carriage, Carry, Metafield};
pub use live::{LiveCounts, LiveSettings, Quotes, Wanted};
pub(crate) use loads::{Format, mode, rows};
pub use nodes::{NodeStanding, SharedNodes};
pub(crate) use outcome::outcome_told;
pub use proxy::{Roles, Storefront};
pub use variants::{Sold, VariantShop};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use callers::Callers;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use kernel::clock::{Clock, Now};
use live::Live;
use price_store::{PriceStore, Version};
use pricing::Sku;
use std::sync::Arc;
use telemetry::Metrics;
use variants::Variants;

/// An answer is its buyer's alone.
const NOT_KEPT: &str = "private, no-store";
/// Where prices are brought: the one body that may be as long as it is.
pub(crate) const LOADS: &str = "/v1/prices/loads";
/// Where nodes share prices: after so many changes a node that comes begins with a copy and not with each of them.
const STEPS_MAX: u64 = 500;
/// Doors, as the metrics call them.
const SERVER: &str = "server";
const STOREFRONT: &str = "storefront";
/// 500 lines with long SKUs.
const BODY_BYTES_MAX: usize = 256 << 10;

/// What the doors are made of.
#[derive(Debug)]
pub struct Prices {
    pub(crate) store: Arc<PriceStore>,
    clock: Arc<dyn Clock>,
    callers: Callers,
    storefronts: Vec<proxy::Door>,
    live: Option<Arc<Live>>,
    variants: Vec<Arc<Variants>>,
    pub(crate) nodes: Option<Arc<dyn SharedNodes>>,
    metrics: Arc<Metrics>,
}

impl Prices {
    #[must_use]
    pub fn new(
        store: Arc<PriceStore>,
        clock: Arc<dyn Clock>,
        callers: Vec<Caller>,
        storefronts: Vec<Storefront>,
        live: Option<LiveSettings>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let storefronts = storefronts.into_iter().map(proxy::Door::new).collect();
        let live = live.map(|settings| Live::new(settings, clock.clone()));
        let callers = Callers::new(callers);
        Self { store, callers, storefronts, live, variants: Vec::new(), nodes: None, clock, metrics }
    }

    /// Lines may name variants of these shops. Reads what is kept of them: blocking.
    #[must_use]
    pub fn with_variants(self, shops: Vec<VariantShop>) -> Self {
        let open = |shop| Arc::new(Variants::open(shop, self.clock.clone()));
        Self { variants: shops.into_iter().map(open).collect(), ..self }
    }

    /// Of the shop that a cart names, or of the only one.
    fn variants_of(&self, cart: &asked::Cart<'_>) -> Result<Option<&Arc<Variants>>, PriceError> {
        let Some(shop) = cart.shop.as_deref() else {
            let names_some = cart.lines.iter().any(|line| line.variant.is_some());
            return match self.variants.as_slice() {
                [_, _, ..] if names_some => {
                    Err(PriceError::mend("say shop: there are several, and a variant is of one"))
                }
                several => Ok(several.first()),
            };
        };
        let found = self.variants.iter().find(|variants| variants.is_called(shop));
        found
            .map(Some)
            .ok_or_else(|| PriceError::mend(format!("shop is {shop:?}, and there is none of this name")))
    }

    /// The SKU of a variant, known or asked for.
    async fn sku_of(&self, shop: Option<&str>, written: &str) -> Result<String, PriceError> {
        let id = asked::variant(written).ok_or_else(|| {
            PriceError::mend(format!("variant is {written:?}; write Shopify's id, or its number"))
        })?;
        let variants = match (shop, self.variants.as_slice()) {
            (None, [one]) => Some(one),
            (None, _) => None,
            (Some(shop), all) => all.iter().find(|variants| variants.is_called(shop)),
        };
        let variants = variants.ok_or_else(|| PriceError::mend("say shop: the shop whose variant it is"))?;
        variants.refresh();
        variants.ask(&[id]).await;
        match variants.skus(&[Some(id)]).pop().flatten() {
            Some(sku) if !sku.is_empty() => Ok(sku.into()),
            Some(_) => {
                Err(PriceError::mend("this variant has no SKU at Shopify, and prices are kept by SKU"))
            }
            None => {
                Err(PriceError::mend(format!("no variant {id} is known in the shop: ask again in a moment")))
            }
        }
    }

    /// What the doors answer from.
    #[must_use]
    pub fn read_model(&self) -> &Arc<PriceStore> {
        &self.store
    }

    /// Makes one of the layers that loads have put upon each other, and a whole copy for nodes to come where it is time. Blocking.
    ///
    /// # Errors
    /// What the disk says. Nothing has changed then.
    pub fn merge(&self, now: Timestamp) -> Result<(), String> {
        let done = self.store.merge(now).and_then(|_| self.store.copy_for_others(STEPS_MAX, now));
        done.map(drop).map_err(|error| error.to_string())
    }

    /// Other nodes share these prices.
    #[must_use]
    pub fn with_nodes(self, nodes: Arc<dyn SharedNodes>) -> Self {
        Self { nodes: Some(nodes), ..self }
    }

    /// The system that makes prices when asked, whether it is left alone, and how it went.
    pub fn live_counts(&self) -> Option<(String, bool, LiveCounts)> {
        let live = self.live.as_ref()?;
        Some((live.system().to_owned(), live.is_open(), live.counts()))
    }

    /// The system that makes the price of an article when asked; none: the read model has it.
    #[must_use]
    pub fn made_by(&self, sku: &str) -> Option<&str> {
        let live = self.live.as_ref()?;
        let sku = Sku::spell(sku).ok()?;
        live.is_for(&sku).then(|| live.system())
    }

    /// Counts an answer of a door.
    fn answered(&self, door: &'static str, answer: Result<Response, PriceError>, began: Now) -> Response {
        let response = answer.unwrap_or_else(IntoResponse::into_response);
        let took = self.clock.now().mono.since(began.mono);
        self.metrics.priced(door, response.status().as_u16(), took);
        response
    }

    /// What counts now, and the instant that is asked for. Refuses one before that version: what counted then is not in memory.
    fn counting(
        &self,
        asked: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(Arc<Version>, Timestamp), PriceError> {
        let version = self.store.current();
        if version.terms_document().is_none() {
            let message = "no terms of prices were loaded yet, so that nothing says for whom a price is";
            return Err(PriceError::no_prices(message));
        }
        match asked {
            Some(at) if at < version.from() => {
                let (number, from) = (version.number(), version.from());
                let message = format!(
                    "version {number} counts since {from}: ask for a former instant with tidegate prices explain --at"
                );
                Err(PriceError::not_kept(message))
            }
            // Prices change at whole seconds.
            at => Ok((version, at.unwrap_or_else(|| whole_second(now)))),
        }
    }
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// What the doors take and answer, for programs that write programs.
const OPENAPI: &str = include_str!("../../../../docs/schema/prices.openapi.json");

async fn openapi() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], OPENAPI)
}

/// `/v1/prices` and `/proxy/prices`.
pub fn router(prices: Arc<Prices>) -> Router {
    Router::new()
        .route("/v1/prices/openapi.json", get(openapi))
        .route("/v1/prices/resolve", get(resolve::one).post(resolve::many))
        .route("/v1/prices/draft-order", post(draft::order))
        .route(LOADS, post(loads::push).layer(DefaultBodyLimit::disable()))
        .route("/proxy/prices/resolve", get(proxy::resolve).post(proxy::resolve))
        .with_state(prices)
}
