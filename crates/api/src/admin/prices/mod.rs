//! `prices/…`: what is loaded, what waits for a person, which price counted and why. Everything that may wait for a disk runs
//! where waiting is allowed.

mod changes;
mod explain;
mod function;
mod held;
mod hydrate;
mod hydrations;
mod load;
mod sources;
mod status;
mod terms;
mod verify;

pub use hydrate::{Around, Hydrate, HydrateError, Hydrating, carried_out, due_of, version_of};
pub use hydrations::{Hydrated, gauges_of_history, history};

use super::{AdminError, AdminParts, Parts};
use crate::prices::Prices;
use axum::Router;
use axum::routing::{get, post};
use price_store::{PriceStore, PriceStoreError};
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<AdminParts>> {
    Router::new()
        .route("/prices", get(status::show))
        .route("/prices/explain", get(explain::show))
        .route("/prices/function", post(function::show))
        .route("/prices/changes", get(changes::list))
        .route("/prices/journal", get(changes::journal))
        .route("/prices/terms", get(terms::show).post(terms::set))
        .route("/prices/loads", post(load::load))
        .route("/prices/sources", get(sources::list))
        .route("/prices/pull", post(sources::pull))
        .route("/prices/held", get(held::list))
        .route("/prices/held/{load}/approve", post(held::approve))
        .route("/prices/held/{load}/reject", post(held::reject))
        .route("/prices/hydrate", post(hydrate::hydrate))
        .route("/prices/hydrations", get(hydrations::list))
        .route("/prices/verify", post(verify::verify))
}

fn prices(parts: &AdminParts) -> Result<&Arc<Prices>, AdminError> {
    parts.prices.as_ref().ok_or_else(|| {
        AdminError::not_found("the configuration has no prices: add a section [prices] (docs/prices.md)")
    })
}

/// Something of the read model that may wait for a disk.
async fn waiting<T: Send + 'static>(
    prices: &Prices,
    work: impl FnOnce(&PriceStore) -> Result<T, PriceStoreError> + Send + 'static,
) -> Result<T, AdminError> {
    Ok(prices.waiting(work).await?)
}
