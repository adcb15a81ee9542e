//! The feeds of a running hub: a system that tells what changed is asked at its flow's cadence, for each shop, under a
//! lease, so that there are never two at a time. Beside pushes it is what makes sure that nothing is missing.

use super::Loaded;
use super::again::Again;
use super::node::Turn;
use super::paced::{Paced, cursor_of};
use super::plan::INVENTORY;
use api::watch::{IntakeNotice, Watching};
use config::{Intake, SHOPIFY};
use connector::port::Source;
use engine::hub::Hub;
use engine::plan::Plan;
use engine::work::feed::{self, Taken};
use engine::work::{Scope, WorkError};
use kernel::clock::Clock;
use kernel::fault::Severity;
use kernel::flow::Mode;
use kernel::id::SystemName;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// A file that was dropped, and is put aside with its reason.
const FILE_REFUSED: &str = "TG-3405";

/// One feed and its cadence.
#[derive(Debug)]
pub struct Feed {
    pub scope: Scope,
    /// Asked before what this one gave is committed: the same system's stock, for its shipments.
    pub first: Option<Scope>,
    pub paced: Paced,
    /// The system pushes as well: what is found here was lost on the way.
    pub pushes: bool,
}

/// What feeds share.
#[derive(Debug, Clone)]
pub struct Around {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub watching: Arc<Watching>,
    pub owner: String,
}

/// Every feed that the configuration asks for: flows from a system that can be asked what changed.
pub fn all(
    loaded: &Loaded,
    plan: &Plan,
    sources: &BTreeMap<SystemName, Arc<dyn Source>>,
    around: &Around,
) -> Vec<Feed> {
    let mut feeds = Vec::new();
    for (name, flow) in &loaded.config.flows {
        let (Some(planned), Some(source)) = (plan.flows.get(name), sources.get(&flow.source.value)) else {
            continue;
        };
        let asked = is_asked(loaded, flow);
        for (shop, _) in loaded.config.shops_of(flow).filter(|_| asked) {
            let scope = Scope {
                store: around.store.clone(),
                source: source.clone(),
                facts: planned.facts.clone(),
                clock: around.clock.clone(),
                shop: shop.clone(),
                flow: name.clone(),
                domain: planned.domain.clone(),
                source_system: planned.source.clone(),
                budget_percent: flow.sweep.cost_share.percent(),
                time_out: Duration::from_secs(30),
            };
            let pushes = flow.intake.value == Intake::Push;
            let paced = Paced {
                cadence: flow.sweep.paced(),
                jitter: flow.sweep.put_off(),
                cursor: cursor_of(&lease_of(&scope)),
                store: around.store.clone(),
                clock: around.clock.clone(),
                again: Again::default(),
            };
            feeds.push(Feed { scope, first: None, paced, pushes });
        }
    }
    let stock: Vec<Scope> = feeds.iter().map(|feed| feed.scope.clone()).filter(is_stock).collect();
    for feed in feeds.iter_mut().filter(|feed| !is_stock(&feed.scope)) {
        let of = &feed.scope;
        let same = |stock: &&Scope| stock.source_system == of.source_system && stock.shop == of.shop;
        feed.first = stock.iter().find(same).cloned();
    }
    feeds
}

/// Whether its source is asked what changed.
pub fn is_asked(loaded: &Loaded, flow: &config::Flow) -> bool {
    flow.source.as_str() != SHOPIFY
        && flow.mode.value != Mode::Off
        && matches!(flow.intake.value, Intake::Poll | Intake::Push)
        && loaded.tells_changes(&flow.source.value)
}

fn lease_of(scope: &Scope) -> String {
    feed::point_of(&scope.source_system, &scope.domain, &scope.shop)
}

fn is_stock(scope: &Scope) -> bool {
    scope.domain.as_str() == INVENTORY
}

/// Asks until the hub stops, at the node whose turn it is. What fails is asked again at the next pass, from the same point.
pub async fn run(mut feed: Feed, around: Around, hub: Hub, mut turn: Turn) {
    let scope = &feed.scope;
    let lease = lease_of(scope);
    while turn.comes().await {
        let now = around.clock.now();
        let length = feed.paced.lease();
        if feed.paced.is_due(now.wall).await
            && matches!(around.store.lease(&lease, &around.owner, now.wall, length).await, Ok(true))
        {
            let news = || hub.appended();
            let mut stopping = turn.clone();
            let passed = tokio::select! {
                biased;
                // Whoever stops waits for no system: the next pass begins where this one's last commit was.
                () = stopping.over() => return,
                passed = feed::pass_after(scope, feed.first.as_ref(), &news) => passed,
            };
            if let Some(outcome) = told(&feed, passed, &around.watching) {
                feed.paced.made(now, outcome).await;
            }
        }
        if turn.stopped(feed.paced.pause(around.clock.now().wall).await).await {
            return;
        }
    }
}

/// Says what a person should know; and how it went, unless it was stopped.
fn told(
    feed: &Feed,
    passed: Result<Taken, WorkError>,
    watching: &Watching,
) -> Option<Result<String, String>> {
    let scope = &feed.scope;
    let outcome = match &passed {
        Ok(taken) => Ok(format!("{} told, {} new", taken.told, taken.news)),
        Err(WorkError::Stopped) => return None,
        Err(error) => Err(error.to_string()),
    };
    match passed {
        Ok(taken) if taken.news > 0 && feed.pushes => tracing::info!(
            flow.name = %scope.flow, shop.id = %scope.shop, work.count = taken.news,
            "{} told of {} changes that it had not pushed", scope.source_system, taken.news
        ),
        Ok(_) | Err(WorkError::Stopped) => {}
        // Told once: the file lies where no pass looks any more.
        Err(WorkError::Source(fault)) if fault.code == FILE_REFUSED => {
            let (flow, shop) = (scope.flow.clone(), scope.shop.clone());
            watching.intake(Severity::Ticket, &IntakeNotice::FileRefused { flow, shop, why: fault.message });
        }
        Err(error) => tracing::warn!(
            flow.name = %scope.flow, shop.id = %scope.shop, error = %error,
            "{} did not say what changed; it is asked again from the same point", scope.source_system
        ),
    }
    Some(outcome)
}
