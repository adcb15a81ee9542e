//! What the hub does by itself beside delivering: sweeps, feeds, full checks, hydrations, webhook subscriptions kept as the flows need them, gauges and
//! alarms, retention. Each goes on after a failure: what could not be done is done at the next turn.

use super::tls::Certificate;
use super::{Running, full_checks, hydrations, price_sources};
use crate::wiring::feeds;
use crate::wiring::node::Turn;
use crate::wiring::price_series::{Noted, follow};
use crate::wiring::sweeps::{self, Around, Told};
use crate::wiring::{self, Loaded};
use api::admin::StockCheck;
use api::intake::Intake;
use api::prices::Prices;
use api::sampler::Sampler;
use config::SHOPIFY;
use connector::port::CallContext;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::id::{FlowName, ShopId, SystemName};
use shopify::graphql::Shops;
use shopify::subscriptions::{Wanted, apply, list, plan};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Subscriptions are looked at this often; Shopify drops one after eight failures, which takes it hours.
const SUBSCRIPTIONS_EVERY: Duration = Duration::from_secs(300);
/// After a look that failed.
const SUBSCRIPTIONS_AGAIN: Duration = Duration::from_secs(20);
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
const RETAIN_EVERY: Duration = Duration::from_secs(3600);
/// A load adds a layer to each of its lists; so often they become one.
const MERGE_EVERY: Duration = Duration::from_secs(300);
const SECONDS_A_DAY: u64 = 86_400;

/// All of them, until the hub stops.
#[derive(Debug)]
pub struct Tasks(JoinSet<()>);

impl Tasks {
    /// Those that do not end in time are ended: each begins again where it was.
    pub async fn ended(mut self, deadline: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        if tokio::time::timeout(deadline, all).await.is_err() {
            self.0.abort_all();
        }
    }
}

pub fn start(
    loaded: &Loaded,
    running: &Running,
    intake: &Arc<Intake>,
    certificate: Option<Certificate>,
    checks: &[Arc<dyn StockCheck>],
) -> Tasks {
    let mut set = JoinSet::new();
    if let Some(source) = SystemName::new(SHOPIFY).ok().and_then(|name| running.connected.sources.get(&name))
    {
        let around = Around {
            store: running.store.clone(),
            source: source.clone(),
            clock: running.clock.clone(),
            owner: running.node.name.clone(),
        };
        for sweep in sweeps::all(loaded, &running.plan, &around) {
            let (around, hub) = (around.clone(), running.hub.clone());
            set.spawn(sweeps::run(sweep, around, hub, told(running), running.turn()));
        }
    }
    let around = feeds::Around {
        store: running.store.clone(),
        clock: running.clock.clone(),
        watching: running.watching.clone(),
        owner: running.node.name.clone(),
    };
    for feed in feeds::all(loaded, &running.plan, &running.connected.sources, &around) {
        set.spawn(feeds::run(feed, around.clone(), running.hub.clone(), running.turn()));
    }
    for check in full_checks::all(loaded, running, checks) {
        set.spawn(check);
    }
    let stop = running.stop.subscribe();
    let shops = &running.connected.shops;
    let hydrates = wiring::hydrate::all(loaded, shops, &running.store, &running.clock, Some(&stop));
    let hydrated = hydrates.iter().map(|shop| shop.shop().clone()).collect();
    set.spawn(hydrations::gauges(running.store.clone(), running.watching.clone(), hydrated));
    for hydration in hydrations::all(loaded, running, &hydrates) {
        set.spawn(hydration);
    }
    for shop in loaded.config.shops.keys() {
        if let Some(wanted) = wiring::subscriptions::wanted(loaded, shop) {
            let keeper = Keeper {
                shop: shop.clone(),
                wanted,
                shops: running.connected.shops.clone(),
                clock: running.clock.clone(),
            };
            set.spawn(keeper.keep(running.turn()));
        }
    }
    if let Some(certificate) = certificate {
        let (watching, clock) = (running.watching.clone(), running.clock.clone());
        set.spawn(certificate.keep(watching, clock, running.stop.subscribe()));
    }
    if let Some(prices) = &running.prices {
        set.spawn(merged(prices.clone(), running.clock.clone(), running.turn()));
        if loaded.config.postgres.is_some() {
            let noted = Noted::new(running.store.clone(), running.clock.clone());
            set.spawn(follow(prices.clone(), noted, running.node.name.clone(), running.turn()));
        }
    }
    for pull in &running.pulls {
        set.spawn(price_sources::keep(pull.clone(), price_sources::Around::of(running), running.turn()));
    }
    let checked = checks.iter().map(|check| (check.flow().clone(), check.shop().clone())).collect();
    set.spawn(sample(loaded, running, intake, checked));
    set.spawn(retain(loaded, running));
    Tasks(set)
}

/// What loads have put upon each other becomes one again, beside carts that read. One node does it for all.
async fn merged(prices: Arc<Prices>, clock: Arc<dyn Clock>, mut turn: Turn) {
    while !turn.stopped(MERGE_EVERY).await {
        if !*turn.first.borrow() {
            continue;
        }
        let (prices, now) = (prices.clone(), clock.now().wall);
        match tokio::task::spawn_blocking(move || prices.merge(now)).await {
            Ok(Ok(())) | Err(_) => {}
            Ok(Err(error)) => tracing::warn!(error, "prices could not be merged: carts are answered on"),
        }
    }
}

/// Each find of a sweep beside webhooks is a missed webhook: counted, and said.
fn told(running: &Running) -> Told {
    let metrics = running.metrics.clone();
    Arc::new(move |sweep, found| {
        if found.missed > 0 && !sweep.polls {
            metrics.missed_webhooks(&sweep.scope.shop, found.missed);
            tracing::info!(
                flow.name = %sweep.scope.flow, shop.id = %sweep.scope.shop, work.count = found.missed,
                "the sweep found {} changes that no webhook told of", found.missed
            );
        }
    })
}

/// Keeps the subscriptions of one shop as the flows need them.
struct Keeper {
    shop: ShopId,
    wanted: Wanted,
    shops: Shops,
    clock: Arc<dyn Clock>,
}

impl Keeper {
    async fn keep(self, mut turn: Turn) {
        while turn.comes().await {
            let wait = match self.look().await {
                Ok(()) => SUBSCRIPTIONS_EVERY,
                Err(fault) => {
                    tracing::warn!(
                        shop.id = %self.shop, fault.kind = fault.kind.as_str(), fault.code = fault.code.as_str(),
                        "the webhook subscriptions could not be compared: {}", fault.kind
                    );
                    SUBSCRIPTIONS_AGAIN
                }
            };
            if turn.stopped(wait).await {
                return;
            }
        }
    }

    async fn look(&self) -> Result<(), kernel::fault::Fault> {
        let call = CallContext {
            shop: self.shop.clone(),
            time_out: Duration::from_secs(30),
            trace: TraceId::default(),
            span: 1,
            now: self.clock.now().wall,
        };
        let client = self.shops.get(&self.shop)?;
        let live = list(client, &call).await?;
        let changes = plan(&self.wanted, &live);
        for applied in apply(client, &call, &changes).await {
            applied.result?;
            tracing::info!(
                shop.id = %self.shop, topic.name = applied.change.topic.as_str(),
                "the webhook subscription was mended: {}", applied.change.why
            );
        }
        Ok(())
    }
}

fn sample(
    loaded: &Loaded,
    running: &Running,
    intake: &Arc<Intake>,
    checked: Vec<(FlowName, ShopId)>,
) -> impl Future<Output = ()> + use<> {
    let watched = running.watched(loaded);
    let mut sampler = Sampler::new(
        running.store.clone(),
        Arc::new(running.hub.clone()),
        running.watching.clone(),
        running.clock.clone(),
        intake.clone(),
        watched,
    )
    .with_checks(checked);
    let mut turn = running.turn();
    async move {
        while !turn.stopped(SAMPLE_EVERY).await {
            // What all nodes see is said by one.
            let speaks = *turn.first.borrow();
            if let Err(error) = sampler.look(speaks).await {
                tracing::warn!(error.message = %error, "the store could not be looked at for the metrics");
            }
        }
    }
}

/// Drops payloads past their days, and webhook ids past theirs; nothing with an open duty.
fn retain(loaded: &Loaded, running: &Running) -> impl Future<Output = ()> + use<> {
    let retention = loaded.config.hub().map_or(Duration::MAX, |hub| hub.payload_retention.value);
    let days = u32::try_from(retention.as_secs().div_ceil(SECONDS_A_DAY)).unwrap_or(u32::MAX);
    let (store, clock, mut turn) = (running.store.clone(), running.clock.clone(), running.turn());
    async move {
        while turn.comes().await {
            match store.retain(clock.now().wall, days).await {
                Ok(dropped) if dropped.payloads_dropped > 0 => tracing::info!(
                    work.count = dropped.payloads_dropped,
                    "payloads older than {days} days were dropped; {} are kept for an open duty",
                    dropped.kept_for_duty
                ),
                Ok(_) => {}
                Err(error) => tracing::warn!(error.message = %error, "retention has to wait"),
            }
            if turn.stopped(RETAIN_EVERY).await {
                return;
            }
        }
    }
}
