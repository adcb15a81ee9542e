//! What the admin API is made of beside the store: the works that can be asked for (sweep, backfill, prove), one for
//! each flow that exports orders and each of its shops.

use super::Loaded;
use super::connectors::Connected;
use super::feeds;
use super::full_check::Looking;
use super::paced::cursor_of;
use super::patient::Patient;
use super::run_lease::OneOf;
use super::shops::Timer;
use super::sweeps::{self, Around};
use api::admin::{Cadenced, FlowInfo, StockFlow, Work, WorkScope};
use config::SHOPIFY;
use engine::plan::Plan;
use kernel::clock::Clock;
use kernel::flow::Mode;
use kernel::id::SystemName;
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// Who holds the lease of a work that a person asked for.
const OWNER: &str = "operator";
/// Of the cost bucket: a person waits for it, and live orders go first all the same.
const BUDGET_PERCENT: u8 = 50;
/// Lets the app read orders that are older than 60 days.
const READ_ALL_ORDERS: &str = "read_all_orders";

pub fn works(
    loaded: &Loaded,
    plan: &Plan,
    connected: &Connected,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> Vec<WorkScope> {
    let Some(source) = SystemName::new(SHOPIFY).ok().and_then(|name| connected.sources.get(&name)) else {
        return Vec::new();
    };
    // At several nodes two persons are two; where there is one, its next life goes on with what its last one held.
    let owner = match &loaded.config.postgres {
        Some(_) => format!("{OWNER} {:016x}", super::clock::seed()),
        None => OWNER.to_owned(),
    };
    let source = Arc::new(Patient::new(source.clone(), Arc::new(Timer)));
    let around = Around { store: store.clone(), source, clock: clock.clone(), owner };
    let mut works = Vec::new();
    for (name, flow) in loaded.config.flows.iter().filter(|(_, flow)| flow.exports_orders()) {
        let (Some(planned), Some(target)) =
            (plan.flows.get(name), connected.connectors.get(&flow.target.value))
        else {
            continue;
        };
        for (id, shop) in loaded.config.shops_of(flow) {
            let app = loaded.config.apps.get(&shop.app.value);
            works.push(WorkScope {
                scope: sweeps::scope(planned, &around, id, name, BUDGET_PERCENT),
                target: target.clone(),
                difference: planned.policy.difference.clone(),
                zone: shop.time_zone.value.clone(),
                sweep: sweeps::settings(flow, planned.policy.go_live_at),
                go_live_at: planned.policy.go_live_at,
                reads_all_orders: app
                    .is_some_and(|app| app.scopes.value.iter().any(|scope| scope.value == READ_ALL_ORDERS)),
            });
        }
    }
    works
}

/// The flows, for lists.
pub fn flows(loaded: &Loaded) -> Vec<FlowInfo> {
    loaded
        .config
        .flows
        .iter()
        .map(|(name, flow)| FlowInfo {
            name: name.clone(),
            domain: flow.domain.value.clone(),
            source: flow.source.value.clone(),
            target: flow.target.value.clone(),
            mode: flow.mode.value,
            shops: loaded.config.shops_of(flow).map(|(id, _)| id.clone()).collect(),
        })
        .collect()
}

/// The flows of stock, for whoever asks what may be sold.
pub fn stock(loaded: &Loaded, plan: &Plan, looking: &Looking) -> Vec<StockFlow> {
    let flows = loaded.config.flows.iter().filter(|(_, flow)| flow.domain.as_str() == "inventory");
    flows
        .filter_map(|(name, flow)| {
            let planned = plan.flows.get(name)?;
            Some(StockFlow {
                name: name.clone(),
                source: planned.source.clone(),
                target: planned.target.clone(),
                shops: loaded.config.shops_of(flow).map(|(id, _)| id.clone()).collect(),
                facts: planned.facts.clone(),
                now: looking.get(name).cloned().unwrap_or_default(),
            })
        })
        .collect()
}

/// What no event drives: full checks of stock, sweeps, feeds of systems that are asked what changed, hydrations, and sources of prices. When all of
/// a source of prices is told anew is said by `prices sources`.
pub fn cadences(loaded: &Loaded) -> Vec<Cadenced> {
    let mut all = Vec::new();
    let running = loaded.config.flows.iter().filter(|(_, flow)| flow.mode.value != Mode::Off);
    for (name, flow) in running {
        let sweeps = flow.source.as_str() == SHOPIFY && flow.follows.is_none();
        for (shop, _) in loaded.config.shops_of(flow) {
            let work = |work, cadence, cursor| Cadenced::of_flow(work, name, shop, cadence, cursor);
            if let Some(check) = &flow.stock.full_check {
                let cursor = crate::run::full_check_cursor(name, shop);
                let lease = OneOf::stock(name, shop).lease();
                let check = work(Work::FullCheck, check.value.clone(), cursor);
                all.push(check.under(lease).put_off(flow.stock.put_off()));
            }
            if sweeps {
                let lease = engine::work::sweep::watermark_of(shop, name);
                let sweep = work(Work::Sweep, flow.sweep.paced(), sweeps::cursor(shop, name));
                all.push(sweep.under(lease).put_off(flow.sweep.put_off()));
            }
            if feeds::is_asked(loaded, flow) {
                let point = engine::work::feed::point_of(&flow.source.value, &flow.domain.value, shop);
                let feed = work(Work::Feed, flow.sweep.paced(), cursor_of(&point));
                all.push(feed.under(point).put_off(flow.sweep.put_off()));
            }
        }
    }
    all.extend(hydrations(loaded));
    all
}

/// Prices into the catalogs of the shops that have a cadence for it; each is due when prices end, too.
fn hydrations(loaded: &Loaded) -> Vec<Cadenced> {
    let hydrate = loaded.config.prices.as_ref().and_then(|prices| prices.hydrate.as_ref());
    let mut all = Vec::new();
    for shop in loaded.config.shops.keys() {
        let Some(settings) = hydrate.and_then(|hydrate| hydrate.of(shop)) else { continue };
        let due_at = settings.when_prices_end.value.then(|| api::admin::due_of(shop));
        let of = |work, cadence: &config::Cadence, cursor, due_at| Cadenced {
            work,
            flow: None,
            shop: Some(shop.clone()),
            source: None,
            cadence: cadence.clone(),
            jitter: Duration::ZERO,
            cursor,
            lease: Some(OneOf::hydration(shop).lease()),
            due_at,
        };
        if let Some(cadence) = &settings.cadence {
            all.push(of(Work::Hydration, &cadence.value, crate::run::hydration_cursor(shop), due_at));
        }
        if let Some(against) = &settings.against_shop {
            all.push(of(Work::CatalogCheck, &against.value, crate::run::catalog_check_cursor(shop), None));
        }
    }
    for (name, source) in loaded.config.prices.iter().flat_map(|prices| &prices.sources) {
        all.push(Cadenced {
            work: Work::PricePull,
            flow: None,
            shop: None,
            source: Some(name.clone()),
            cadence: source.every.value.clone(),
            jitter: Duration::ZERO,
            cursor: crate::run::price_pull_cursor(name),
            lease: None,
            due_at: None,
        });
    }
    all
}
