//! Wiring: from a configuration to a running hub. The one place where everything meets.

pub mod admin;
pub mod again;
pub mod charged;
pub mod clock;
pub mod composed;
pub mod connectors;
mod facts;
pub mod feeds;
pub mod full_check;
pub mod hydrate;
mod hydration;
pub mod last_read;
pub mod load;
mod mapper;
pub mod node;
pub mod open;
pub mod paced;
mod patient;
pub mod plan;
pub mod price_series;
pub mod price_sources;
pub mod prices;
mod quotes;
mod recent;
pub mod rehearsal;
pub mod restored;
mod run_lease;
pub mod schemas;
pub mod shops;
pub mod subscriptions;
pub mod sweeps;
mod variants;

pub use load::{Loaded, load};

use engine::overview::{Promised, StockLags};
use std::time::Duration;

/// The flows of stock with what each promises, to be counted from now on.
pub fn stock_lags(loaded: &Loaded, now: jiff::Timestamp) -> StockLags {
    let flows = loaded.config.flows.iter().filter(|(_, flow)| flow.domain.as_str() == plan::INVENTORY);
    let promised = flows.map(|(name, flow)| {
        let (source, objective) = (flow.source.value.clone(), flow.slo.export_lag.value);
        (name.clone(), Promised { source, objective })
    });
    StockLags::new(promised.collect(), now)
}

/// The export lag that is promised: the strictest of all flows that export orders, 60 s where there is none.
pub fn objective(loaded: &Loaded) -> Duration {
    let flows = loaded.config.flows.values().filter(|flow| flow.exports_orders());
    flows.map(|flow| flow.slo.export_lag.value).min().unwrap_or(Duration::from_secs(60))
}
