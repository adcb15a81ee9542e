//! Looks at the store and at the running engine every few seconds: sets the gauges, and raises what only shows in the
//! course of time (a stall, an unusual silence), once at its onset.

mod hands;

use crate::intake::Intake;
use crate::live::LiveHub;
use crate::watch::Watching;
use domains::inventory::compare::Cause;
use engine::hub::Watcher as _;
use engine::notice::{Notice, What};
use engine::overview::{Overview, SystemLine, Watched, overview};
use engine::work::drift;
use hands::Hands;
use kernel::clock::Clock;
use kernel::fault::Severity;
use kernel::id::{FlowName, ShopId, SystemName};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Store, StoreError};
use telemetry::{BreakerValue, Metrics, QueueSample};

#[derive(Debug)]
pub struct Sampler {
    store: Arc<dyn Store>,
    hub: Arc<dyn LiveHub>,
    watching: Arc<Watching>,
    clock: Arc<dyn Clock>,
    intake: Arc<Intake>,
    watched: Watched,
    /// What was raised and has not ended.
    raised: BTreeSet<String>,
    hands: Hands,
    /// Flows of stock at shops, of which full checks may be made.
    checked: Vec<(FlowName, ShopId)>,
}

impl Sampler {
    pub fn new(
        store: Arc<dyn Store>,
        hub: Arc<dyn LiveHub>,
        watching: Arc<Watching>,
        clock: Arc<dyn Clock>,
        intake: Arc<Intake>,
        watched: Watched,
    ) -> Self {
        let hands = Hands::new(clock.now().wall);
        Self {
            store,
            hub,
            watching,
            clock,
            intake,
            watched,
            raised: BTreeSet::new(),
            hands,
            checked: Vec::new(),
        }
    }

    /// With the drift that full checks find.
    #[must_use]
    pub fn with_checks(self, checked: Vec<(FlowName, ShopId)>) -> Self {
        Self { checked, ..self }
    }

    /// One look, and all that is to be said of it.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub async fn sample(&mut self) -> Result<(), StoreError> {
        self.look(true).await
    }

    /// One look. `speaks`: this node is the one that says what all of them see.
    ///
    /// # Errors
    /// The store cannot be read now; the gauges stay as they were.
    pub async fn look(&mut self, speaks: bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let seen = overview(self.store.as_ref(), &self.hub.snapshot(), &self.watched, now.wall).await?;
        let touched = self.hands.look(self.store.as_ref()).await?;
        gauges(self.watching.metrics(), &seen);
        self.drift().await?;
        for (action, count) in touched.into_iter().filter(|_| speaks) {
            self.watching.metrics().touched_by_hand(action, count);
        }
        // Asking keeps the figure fresh while no request comes.
        self.intake.has_disk(now);
        if let Some(free) = self.intake.free_disk() {
            self.watching.metrics().set_free_disk(free);
        }
        if speaks {
            self.raise(&seen);
        }
        Ok(())
    }

    /// What the newest full check found, whichever node made it.
    async fn drift(&self) -> Result<(), StoreError> {
        for (flow, shop) in &self.checked {
            let newest = drift::history(self.store.as_ref(), flow, shop, 1).await?;
            if let Some(newest) = newest.first() {
                let none = Cause::ALL.map(|cause| (cause.as_str(), 0));
                let found = newest.causes.iter().map(|(cause, count)| (cause.as_str(), *count));
                let began_s = newest.began.as_second();
                self.watching.metrics().stock_checked(flow, shop, began_s, none.into_iter().chain(found));
            }
        }
        Ok(())
    }

    fn raise(&mut self, seen: &Overview) {
        let mut standing = BTreeSet::new();
        for system in seen.systems.iter().filter(|system| system.stalled) {
            let Ok(name) = SystemName::new(&system.name) else { continue };
            let since_s = system.oldest_ms.unwrap_or_default() / 1000;
            let what = What::Stall { system: name, since_s, due: system.due };
            self.once(&mut standing, format!("stall/{}", system.name), what, Severity::Page);
        }
        for topic in seen.topics.iter().filter(|topic| topic.silent) {
            let name = format!("{} of {}", topic.topic, topic.shop);
            let what = What::Silence { topic: name.clone(), since_s: topic.since_ms / 1000 };
            self.once(&mut standing, format!("silence/{name}"), what, Severity::Ticket);
        }
        self.raised = standing;
    }

    fn once(&self, standing: &mut BTreeSet<String>, key: String, what: What, severity: Severity) {
        if !self.raised.contains(&key) {
            self.watching.notice(&Notice::new(severity, what));
        }
        standing.insert(key);
    }
}

fn gauges(metrics: &Metrics, seen: &Overview) {
    for system in &seen.systems {
        of_system(metrics, system);
    }
    for stock in &seen.stock {
        if let Some(least_ms) = stock.clock.least_ms {
            metrics.set_source_clock(&stock.source, &stock.shop, least_ms);
        }
    }
    metrics.set_log(seen.log.envelopes, seen.log.unrouted, seen.log.payload_bytes);
    for topic in &seen.topics {
        metrics.set_topic_seen(&topic.shop, &topic.topic, topic.last.as_second());
    }
}

fn of_system(metrics: &Metrics, system: &SystemLine) {
    if let Ok(name) = SystemName::new(&system.name) {
        let sample = QueueSample {
            waiting: system.waiting,
            due: system.due,
            unknown: system.unknown,
            dead: system.dead,
            oldest_s: std::time::Duration::from_millis(system.oldest_ms.unwrap_or_default()).as_secs_f64(),
        };
        metrics.set_queue(&name, sample);
    }
    if let Some(running) = &system.running {
        let breaker = BreakerValue::parse(running.breaker);
        metrics.set_system(&running.name, breaker, running.paused, running.in_work);
    }
}
