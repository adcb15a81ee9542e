//! The sweeps of a running hub: one for each flow from Shopify and each shop, at its cadence, each under a lease, so
//! that there are never two at a time.

use super::Loaded;
use super::again::Again;
use super::node::Turn;
use super::paced::{Paced, cursor_of};
use super::plan::INVENTORY;
use config::{Intake, SHOPIFY};
use connector::port::Source;
use engine::hub::Hub;
use engine::plan::Plan;
use engine::work::sweep::{self, Found, Settings};
use engine::work::{Scope, WorkError};
use jiff::Timestamp;
use kernel::clock::{Clock, after};
use kernel::flow::Mode;
use kernel::id::{FlowName, ShopId};
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// A webhook that is younger than this is on its way, not missed.
const GRACE: Duration = Duration::from_secs(30);

/// Whether a shop's orders are to be asked for sooner is looked at this often.
const ASKED_EVERY: Duration = Duration::from_secs(4);

/// In this time after its start a hub has made its subscriptions.
const SUBSCRIBED: Duration = Duration::from_secs(5);

/// One sweep and its cadence.
#[derive(Debug)]
pub struct Sweep {
    pub scope: Scope,
    pub paced: Paced,
    pub settings: Settings,
    pub polls: bool,
    /// The shop's stock is looked at, and shows orders that were not heard of.
    pub is_asked_sooner: bool,
}

/// What sweeps share.
#[derive(Debug, Clone)]
pub struct Around {
    pub store: Arc<dyn Store>,
    pub source: Arc<dyn Source>,
    pub clock: Arc<dyn Clock>,
    pub owner: String,
}

/// Told of each full pass.
pub type Told = Arc<dyn Fn(&Sweep, Found) + Send + Sync>;

/// Every sweep that the configuration asks for.
pub fn all(loaded: &Loaded, plan: &Plan, around: &Around) -> Vec<Sweep> {
    let mut sweeps = Vec::new();
    let sells = |flow: &config::Flow| {
        let to_shop = flow.domain.as_str() == INVENTORY && flow.target.as_str() == SHOPIFY;
        to_shop && flow.mode.value != Mode::Off
    };
    let is_stock_looked_at = loaded.config.flows.values().any(sells);
    for (name, flow) in &loaded.config.flows {
        // What follows orders is found in them.
        let wanted =
            flow.source.as_str() == SHOPIFY && flow.mode.value != Mode::Off && flow.follows.is_none();
        let Some(planned) = plan.flows.get(name).filter(|_| wanted) else { continue };
        let polls = flow.intake.value == Intake::Poll;
        for (shop, _) in loaded.config.shops_of(flow) {
            let cadence = flow.sweep.paced();
            // A window is somebody's word that the shop is not to be asked outside of it.
            let cadence_is_steady = cadence.is_steady();
            sweeps.push(Sweep {
                scope: scope(planned, around, shop, name, flow.sweep.cost_share.percent()),
                paced: Paced {
                    cursor: cursor(shop, name),
                    cadence,
                    jitter: flow.sweep.put_off(),
                    store: around.store.clone(),
                    clock: around.clock.clone(),
                    again: Again::default(),
                },
                is_asked_sooner: is_stock_looked_at && cadence_is_steady,
                settings: settings(flow, planned.policy.go_live_at),
                polls,
            });
        }
    }
    sweeps
}

/// Under which name the store keeps when a sweep was made last. Its watermark would not do: that is where the next pass begins,
/// and stays where it is until one comes to its end.
pub fn cursor(shop: &ShopId, flow: &FlowName) -> String {
    cursor_of(&sweep::watermark_of(shop, flow))
}

/// How a flow's passes are made, by the hub and by a person alike.
pub fn settings(flow: &config::Flow, go_live_at: jiff::Timestamp) -> Settings {
    Settings { overlap: flow.sweep.overlap.value, grace: grace(flow), from: go_live_at }
}

/// What is younger is left to its webhook; nothing is where none is sent. It stays well within the overlap, so that no
/// pass leaves a change to none.
fn grace(flow: &config::Flow) -> Duration {
    if flow.intake.value == Intake::Poll {
        return Duration::ZERO;
    }
    GRACE.min(flow.sweep.overlap.value / 2)
}

/// The scope of a work over one flow and one shop.
pub fn scope(
    flow: &engine::plan::FlowPlan,
    around: &Around,
    shop: &ShopId,
    name: &FlowName,
    budget_percent: u8,
) -> Scope {
    Scope {
        store: around.store.clone(),
        source: around.source.clone(),
        facts: flow.facts.clone(),
        clock: around.clock.clone(),
        shop: shop.clone(),
        flow: name.clone(),
        domain: flow.domain.clone(),
        source_system: flow.source.clone(),
        budget_percent,
        time_out: Duration::from_secs(30),
    }
}

/// Runs one sweep until the hub stops, at the node whose turn it is. What fails is tried again at the next pass: the
/// watermark has not moved.
pub async fn run(mut sweep: Sweep, around: Around, hub: Hub, told: Told, mut turn: Turn) {
    let lease = sweep::watermark_name(&sweep.scope);
    // What came just before the hub may have met no subscription: the first pass leaves it to its webhook, so that the
    // second does not wait for its turn. Where none is sent, the first leaves nothing.
    let mut most = if sweep.polls { Duration::MAX } else { GRACE + SUBSCRIBED };
    while turn.comes().await {
        let now = around.clock.now();
        let length = sweep.paced.lease();
        if sweep.paced.is_due(now.wall).await
            && matches!(around.store.lease(&lease, &around.owner, now.wall, length).await, Ok(true))
        {
            let news = hub.clone();
            let mut stopping = turn.clone();
            let told_news = move || news.appended();
            let passed = tokio::select! {
                biased;
                // Whoever stops waits for no shop: the next pass begins where this one began.
                () = stopping.over() => return,
                passed = sweep::pass(&sweep.scope, sweep.settings, &told_news) => passed,
            };
            if let Some(outcome) = outcome(&sweep, passed, &told) {
                sweep.paced.made(now, outcome).await;
            }
        }
        let wait = sweep.paced.pause(around.clock.now().wall).await.min(most);
        if rests(&sweep, &around, now.wall, wait, &mut turn).await {
            return;
        }
        most = Duration::MAX;
    }
}

/// Until the next pass, or until the shop's stock shows that something of it was not heard; true: the hub stops.
async fn rests(sweep: &Sweep, around: &Around, began: Timestamp, wait: Duration, turn: &mut Turn) -> bool {
    // The first time that it was seen since: in a shop that sells all day it is seen again before the first is old enough.
    let (mut left, mut first) = (wait, None);
    while sweep.is_asked_sooner && left > ASKED_EVERY {
        if turn.stopped(ASKED_EVERY).await {
            return true;
        }
        left -= ASKED_EVERY;
        if first.is_none() {
            first = asked(sweep, around).await.filter(|at| *at >= began);
        }
        // What is younger is left to its webhook.
        if first.is_some_and(|at| after(at, sweep.settings.grace) <= around.clock.now().wall) {
            return false;
        }
    }
    turn.stopped(left).await
}

/// When stock was seen last of which more is sold than was heard of.
async fn asked(sweep: &Sweep, around: &Around) -> Option<Timestamp> {
    match around.store.cursor(&sweep::asked_of(&sweep.scope.shop)).await {
        Ok(at) => at.and_then(|text| text.parse().ok()),
        Err(error) => {
            // The pass that is due anyway finds the same.
            tracing::debug!(error = %error, "whether orders are asked for sooner cannot be read");
            None
        }
    }
}

/// None: it was stopped, and begins again where it began.
fn outcome(sweep: &Sweep, passed: Result<Found, WorkError>, told: &Told) -> Option<Result<String, String>> {
    match passed {
        Ok(found) => {
            told(sweep, found);
            Some(Ok(format!("{} listed, {} new", found.listed, found.missed)))
        }
        Err(WorkError::Stopped) => None,
        Err(error) => {
            tracing::warn!(
                flow.name = %sweep.scope.flow, shop.id = %sweep.scope.shop, error = %error,
                "a sweep did not come to its end; the next one begins where it began"
            );
            Some(Err(error.to_string()))
        }
    }
}
