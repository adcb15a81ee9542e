//! Admin v1: what operators ask and do, as JSON; one file for each endpoint. Bodies are documented in docs/api.md and
//! stay as they are: the command line and other people's scripts read them.
//!
//! Judges nothing itself (the words are `engine::overview`'s and `engine::waits`') and never answers with a payload, but
//! for the order of a dead letter to a person who corrects it, which leaves a line in the audit as well. Everything that
//! changes something wants a reason and leaves a line there.

mod asked;
mod ats;
mod audit;
mod backfill;
mod backfill_stock;
mod backup;
mod by_hand;
mod cadence;
mod certificates;
mod dead_letter;
mod dead_letters;
mod deliveries;
mod edit;
mod error;
mod flows;
mod guard;
mod held;
mod lines;
mod order;
mod orders;
mod pauses;
mod prices;
mod prove;
mod reconcile;
mod release;
mod replay;
mod reports;
mod selection;
mod sequence;
mod skip;
mod status;
mod stream;
mod sweep;
mod systems;
mod timeline;
mod works;

pub use backfill_stock::{StockBackfilled, StockNamed, StockPair};
pub use cadence::{CadenceLine, Cadenced, Found, Holder, Ran, Work, lines as cadence_lines};
pub use error::AdminError;
pub use guard::Guard;
pub use prices::{
    Around, Hydrate, HydrateError, Hydrated, Hydrating, carried_out, due_of, gauges_of_history, history,
    version_of,
};
pub use reconcile::{CheckError, Checking, Made, StockCheck, StockChecked, kept, record};

use crate::live::LiveHub;
use crate::prices::Prices;
use crate::prices::pull::Pull;
use crate::watch::Watching;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use connector::port::Connector;
use engine::facts::Facts;
use engine::overview::Watched;
use engine::work::Scope;
use engine::work::stock_now::LooksNow;
use engine::work::sweep::Settings;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::Clock;
use kernel::flow::{Difference, Mode};
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

/// What the admin API is made of.
#[derive(Debug)]
pub struct AdminParts {
    pub store: Arc<dyn Store>,
    pub hub: Arc<dyn LiveHub>,
    pub clock: Arc<dyn Clock>,
    pub watching: Arc<Watching>,
    pub watched: Watched,
    /// One for each flow that exports orders and each of its shops.
    pub works: Vec<WorkScope>,
    pub flows: Vec<FlowInfo>,
    pub stock: Vec<StockFlow>,
    /// Full checks of stock that can be asked for.
    pub checks: Vec<Arc<dyn StockCheck>>,
    /// None: the configuration has none.
    pub prices: Option<Arc<Prices>>,
    /// Shops whose catalogs can be made to say the prices.
    pub hydrates: Vec<Arc<dyn Hydrate>>,
    /// Where prices come from by themselves.
    pub pulls: Vec<Arc<Pull>>,
    /// What no event drives.
    pub cadences: Vec<Cadenced>,
}

/// A flow of stock: how its facts are read.
#[derive(Debug, Clone)]
pub struct StockFlow {
    pub name: FlowName,
    pub source: SystemName,
    pub target: SystemName,
    pub shops: Vec<ShopId>,
    pub facts: Arc<dyn Facts>,
    /// Who asks a shop what it has this moment; a shop that is not among them is not asked.
    pub now: BTreeMap<ShopId, Arc<dyn LooksNow>>,
}

/// What sweep, backfill and prove need of one flow and one shop.
#[derive(Debug, Clone)]
pub struct WorkScope {
    pub scope: Scope,
    pub target: Arc<dyn Connector>,
    /// The flow's: what it accepts is no discrepancy of amounts.
    pub difference: Difference,
    /// The shop's: a day is a day there.
    pub zone: TimeZone,
    pub sweep: Settings,
    pub go_live_at: Timestamp,
    /// Whether the shop shows the app orders that are older than 60 days.
    pub reads_all_orders: bool,
}

/// A flow as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FlowInfo {
    pub name: FlowName,
    pub domain: DomainName,
    pub source: SystemName,
    pub target: SystemName,
    pub mode: Mode,
    pub shops: Vec<ShopId>,
}

/// The longest body is a list of deliveries by id.
const BODY_BYTES_MAX: usize = 1 << 20;

type Parts = axum::extract::State<Arc<AdminParts>>;

/// The routes below `/admin/v1`. Every path below `/admin` is behind the guard, those that do not exist too.
pub fn router(parts: Arc<AdminParts>, guard: Guard) -> Router {
    let v1 = Router::new()
        .route("/status", get(status::show))
        .route("/systems", get(systems::list))
        .route("/flows", get(flows::list))
        .route("/orders", get(orders::find))
        .route("/orders/{shop}/{order}", get(order::show))
        .route("/ats", get(ats::show))
        .route("/ats/reset-sequence", post(sequence::reset))
        .route("/ats/by-hand", get(by_hand::list).post(by_hand::decide))
        .route("/cadence", get(cadence::list))
        .route("/deliveries", get(deliveries::list))
        .route("/dead-letters", get(dead_letters::list))
        .route("/dead-letters/{delivery}", get(dead_letter::show))
        .route("/dead-letters/{delivery}/order", post(edit::order))
        .route("/dead-letters/{delivery}/edit", post(edit::edit).layer(edit::bound()))
        .route("/dead-letters/release", post(release::release))
        .route("/dead-letters/skip", post(skip::skip))
        .route("/replay", post(replay::replay))
        .route("/pauses", get(pauses::list).post(pauses::pause))
        .route("/pauses/resume", post(pauses::resume))
        .route("/audit", get(audit::list))
        .route("/held", get(held::list))
        .route("/certificates", get(certificates::list))
        .route("/backfill", post(backfill::backfill))
        .route("/backfill/inventory", post(backfill_stock::backfill))
        .route("/prove", post(prove::prove))
        .route("/reconcile", post(reconcile::reconcile))
        .route("/reconcile/reports", get(reports::list))
        .route("/reconcile/report", get(reports::show))
        .route("/sweep", post(sweep::sweep))
        .route("/backup", post(backup::backup))
        .merge(prices::router());
    Router::new()
        .nest("/admin/v1", v1)
        .route("/admin", any(error::no_such_endpoint))
        .route("/admin/", any(error::no_such_endpoint))
        .route("/admin/{*path}", any(error::no_such_endpoint))
        .method_not_allowed_fallback(error::other_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .route_layer(from_fn_with_state(Arc::new(guard), guard::guard))
        .with_state(parts)
}
