//! The admin API without a hub: the same router over the same store, for a command's lifetime. What a command does is
//! found by the hub at its next start. Where no hub has ever run, a question makes no database: it is answered from a
//! store that is forgotten.

use crate::cli::Failure;
use crate::wiring::clock::SystemClock;
use crate::wiring::{self, Loaded};
use api::LiveHub;
use api::admin::{self, AdminParts, Guard};
use api::watch::Watching;
use axum::Router;
use engine::hub::Snapshot;
use engine::overview::Watched;
use kernel::clock::Clock;
use std::sync::Arc;
use store::memory::MemoryStore;
use store::{Store, StoreError};
use telemetry::Metrics;

/// Opens the store; refuses while another process has it. `not_made_yet`: there is none. `of_prices`: with the read model of
/// prices.
pub async fn router(loaded: &mut Loaded, not_made_yet: bool, of_prices: bool) -> Result<Router, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (store, is_shared): (Arc<dyn Store>, bool) = if not_made_yet {
        (Arc::new(MemoryStore::new()), false)
    } else {
        let opened = wiring::open::store(loaded, &clock).await.map_err(opened)?;
        (opened.store, opened.woken.is_some())
    };
    let shops = wiring::shops::clients(loaded, &clock)?;
    let metrics = Arc::new(Metrics::new());
    let prices = if of_prices && !not_made_yet {
        wiring::prices::open(loaded, &shops, is_shared.then_some(&store), &clock, &metrics).await?
    } else {
        None
    };
    let mut connected =
        wiring::connectors::build(loaded, shops.clone(), wiring::charged::at(prices.as_ref()))?;
    wiring::composed::over(loaded, &mut connected, &store)?;
    let plan = wiring::plan::build(loaded)?;
    let watching = Watching::new(metrics, clock.clone(), Vec::new());
    let looking = wiring::full_check::looking(loaded, &plan, &connected, &store, &clock)?;
    let parts = AdminParts {
        watched: Watched::of(&plan, wiring::objective(loaded), wiring::stock_lags(loaded, clock.now().wall)),
        works: wiring::admin::works(loaded, &plan, &connected, &store, &clock),
        flows: wiring::admin::flows(loaded),
        stock: wiring::admin::stock(loaded, &plan, &looking),
        cadences: wiring::admin::cadences(loaded),
        pulls: wiring::price_sources::all(loaded, prices.as_ref(), &clock)?,
        prices,
        hydrates: wiring::hydrate::all(loaded, &shops, &store, &clock, None),
        checks: wiring::full_check::all(loaded, &plan, &connected, &store, &clock)?,
        store,
        hub: Arc::new(NoHub),
        clock,
        watching: Arc::new(watching),
    };
    Ok(admin::router(Arc::new(parts), Guard::Socket))
}

/// A store that is in use although nobody listens on its socket: a hub that is just starting or stopping.
fn opened(error: anyhow::Error) -> Failure {
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::InUse(file)) => Failure::Unreachable(format!(
            "{file} is in use, and nobody listens on the socket beside it: a hub is just starting or stopping there; \
             ask again in a moment"
        )),
        _ => Failure::Failed(error),
    }
}

/// Stands for the hub that does not run.
#[derive(Debug)]
struct NoHub;

impl LiveHub for NoHub {
    fn appended(&self) {}
    fn changed(&self) {}
    fn snapshot(&self) -> Snapshot {
        Snapshot::default()
    }
}
