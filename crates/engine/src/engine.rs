//! The step function: `(state, event, now, rng) → (state, effects)`, without async. The hub drives it and the
//! simulation drives the same one.
//!
//! This file owns the state and the dispatch; `pump` asks for more work, and what happens to one lane stands in
//! `claimed`, `converge` and `finish`.

use crate::effect::{Effect, Event, StoreWork};
use crate::found_again::FoundAgain;
use crate::looked::Looked;
use crate::mutant::{Mutant, Planted};
use crate::nodes::Among;
use crate::notice::{Notice, What};
use crate::plan::Plan;
use crate::route;
use crate::running::Running;
use crate::system::{SystemState, SystemView};
use crate::unaccounted::Unaccounted;
use connector::port::{Connector, Observation, Step, Wanted};
use kernel::clock::{Mono, Now};
use kernel::fault::Severity;
use kernel::id::{AttemptId, DeliveryId, Position, SystemName};
use kernel::rng::Rng;
use kernel::subject::Lane;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use store::delivery::{DeliveryState, Move};
use store::operate::Pause;
use store::port::UNROUTED_LEAST;

/// Envelopes routed in one transaction, at most.
pub(crate) const ROUTE_BATCH: u32 = 256;
/// How soon a store that could not commit is tried again.
const STORE_RETRY: Duration = Duration::from_millis(500);

/// The pure half of a connector.
pub trait Planner: Send + Sync + Debug {
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> connector::port::Plan;

    /// As [`Connector::shows`].
    fn shows(&self, step: &Step, observed: &Observation) -> Option<bool> {
        let _ = (step, observed);
        None
    }

    /// As [`Connector::unaccounted`].
    fn unaccounted(&self, wanted: &Wanted, observed: &Observation) -> bool {
        let _ = (wanted, observed);
        false
    }
}

impl Planner for Arc<dyn Connector> {
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> connector::port::Plan {
        Connector::plan(self.as_ref(), wanted, observed)
    }

    fn shows(&self, step: &Step, observed: &Observation) -> Option<bool> {
        Connector::shows(self.as_ref(), step, observed)
    }

    fn unaccounted(&self, wanted: &Wanted, observed: &Observation) -> bool {
        Connector::unaccounted(self.as_ref(), wanted, observed)
    }
}

/// When an attempt without an answer was found by this process, and how often it was not there since it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) at: Mono,
    pub(crate) not_there: u8,
}

/// What happened since the process began; for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub routed: u64,
    pub claims: u64,
    pub calls: u64,
    pub delivered: u64,
    pub unchanged: u64,
    pub superseded: u64,
    pub dead: u64,
    pub unknown: u64,
}

#[derive(Debug)]
pub struct Engine {
    pub(crate) plan: Arc<Plan>,
    pub(crate) planners: BTreeMap<SystemName, Arc<dyn Planner>>,
    pub(crate) systems: BTreeMap<SystemName, SystemState>,
    pub(crate) running: BTreeMap<Lane, Running>,
    pub(crate) found: BTreeMap<AttemptId, Found>,
    pub(crate) last_tried: BTreeMap<DeliveryId, Mono>,
    /// Since when an object that is known was not seen.
    pub(crate) vanished: BTreeMap<DeliveryId, Mono>,
    pub(crate) looked: Looked,
    pub(crate) unaccounted: Unaccounted,
    pub(crate) found_again: FoundAgain,
    pub(crate) planted: Planted,
    pub(crate) totals: Totals,
    pub(crate) out: Vec<Effect>,
    pub(crate) moves: Vec<Move>,
    pub(crate) among: Option<Among>,
    spans: u64,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) draining: bool,
    pub(crate) routing: bool,
    pub(crate) route_again: bool,
    pub(crate) route_retry_at: Option<Mono>,
    pub(crate) asking_due: bool,
    pub(crate) look_around_at: Mono,
    pub(crate) asking_awaited: bool,
    pub(crate) store_retry_at: Option<Mono>,
    store_down: bool,
    /// Only for the planted bug that routes by position.
    routed_to: Position,
}

impl Engine {
    /// A new life: everything that was under way is found in the store.
    pub fn new(
        plan: Arc<Plan>,
        planners: BTreeMap<SystemName, Arc<dyn Planner>>,
        planted: Planted,
        now: Now,
    ) -> Self {
        let systems = plan
            .systems
            .iter()
            .map(|(name, plan)| (name.clone(), SystemState::new(plan.clone(), now.mono)))
            .collect();
        Self {
            plan,
            planners,
            systems,
            running: BTreeMap::new(),
            found: BTreeMap::new(),
            last_tried: BTreeMap::new(),
            vanished: BTreeMap::new(),
            looked: Looked::default(),
            unaccounted: Unaccounted::default(),
            found_again: FoundAgain::default(),
            planted,
            totals: Totals::default(),
            out: Vec::new(),
            moves: Vec::new(),
            among: None,
            spans: 0,
            pauses: Vec::new(),
            draining: false,
            routing: false,
            route_again: true,
            route_retry_at: None,
            asking_due: false,
            look_around_at: now.mono,
            asking_awaited: false,
            store_retry_at: None,
            store_down: false,
            routed_to: Position(0),
        }
    }

    /// One event in, effects out. Never blocks, never asks a clock.
    pub fn step(&mut self, event: Event, now: Now, rng: &mut dyn Rng) -> Vec<Effect> {
        self.dispatch(event, now, rng);
        self.pump(now);
        self.claim_with_route();
        if !self.moves.is_empty() {
            let moves = std::mem::take(&mut self.moves);
            self.out.push(Effect::Advance(moves));
        }
        std::mem::take(&mut self.out)
    }

    /// Claims of this step go along with its route effect.
    fn claim_with_route(&mut self) {
        if !self.out.iter().any(|effect| matches!(effect, Effect::Route { .. })) {
            return;
        }
        let mut along = Vec::new();
        for effect in std::mem::take(&mut self.out) {
            match effect {
                Effect::Claim(request) => {
                    if let Some(system) = self.systems.get_mut(&request.system) {
                        system.due_with_route = false;
                    }
                    along.push(request);
                }
                other => self.out.push(other),
            }
        }
        for effect in &mut self.out {
            if let Effect::Route { claims, .. } = effect {
                claims.append(&mut along);
            }
        }
    }

    /// When `Event::Wake` is wanted at the latest.
    pub fn wake_at(&mut self, now: Now) -> Mono {
        let mut at = self.look_around_at;
        if self.stands_back(now) {
            // What is under way goes on.
            return self.store_retry_at.map_or(at, |retry| at.min(retry)).max(now.mono);
        }
        for system in self.systems.values_mut() {
            if let Some(wake) = system.wake_at(now.mono) {
                at = at.min(wake);
            }
        }
        for retry in [self.route_retry_at, self.store_retry_at].into_iter().flatten() {
            at = at.min(retry);
        }
        at.max(now.mono)
    }

    /// Takes no more lanes; those in work come to their end.
    pub fn drain(&mut self) {
        self.draining = true;
    }
    pub fn totals(&self) -> Totals {
        self.totals
    }
    /// Lanes in work.
    pub fn in_work(&self) -> usize {
        self.running.len()
    }
    pub fn views(&self, now: Now) -> Vec<SystemView> {
        self.systems.values().map(|system| system.view(now.mono)).collect()
    }
    pub fn is_running(&self, lane: &Lane) -> bool {
        self.running.contains_key(lane)
    }

    fn dispatch(&mut self, event: Event, now: Now, rng: &mut dyn Rng) {
        match event {
            Event::Wake => {}
            Event::Appended => self.route_again = true,
            Event::Woken => self.woken(),
            Event::Nodes(mut nodes) => {
                if self.planted.is(Mutant::IgnoresOthers) {
                    nodes.share = crate::nodes::Share::default();
                    nodes.elsewhere.clear();
                }
                self.nodes_told(&nodes, now);
            }
            Event::Unrouted(mut batch) => {
                self.store_works();
                if self.planted.is(Mutant::RouteByPosition) {
                    batch.retain(|item| item.envelope.position > self.routed_to);
                    self.routed_to = batch.last().map_or(self.routed_to, |item| item.envelope.position);
                }
                if batch.is_empty() {
                    self.routing = false;
                } else {
                    self.route_again |= batch.len() >= UNROUTED_LEAST as usize;
                    let (decisions, folded) = route::decide(&self.plan, &self.planted, &batch, now);
                    self.totals.routed += decisions.len() as u64;
                    self.route_again |= decisions.len() < batch.len();
                    self.out.extend(folded.into_iter().map(Effect::Folded));
                    // What follows from a decision waits for routing once that is committed.
                    self.route_again |= decisions.iter().any(|routed| !routed.follow_ups.is_empty());
                    self.expect_due(&decisions, now);
                    self.out.push(Effect::Route { decisions, at: now.wall, claims: Vec::new() });
                }
            }
            Event::Routed(claimed) => {
                self.routing = false;
                self.store_works();
                for (system, claims) in claimed {
                    self.claimed(&system, claims, now, rng);
                }
                for system in self.systems.values_mut() {
                    system.maybe_due |= std::mem::take(&mut system.due_with_route);
                }
            }
            Event::Claimed { system, claims } => self.claimed(&system, claims, now, rng),
            Event::Advanced(results) => {
                self.store_works();
                for (lane, moved) in results {
                    self.advanced(&lane, moved, now, rng);
                }
            }
            Event::NextDue(due) => {
                self.asking_due = false;
                for (name, system) in &mut self.systems {
                    if let Some(at) = due.get(name) {
                        let wait = Duration::try_from(at.duration_since(now.wall)).unwrap_or(Duration::ZERO);
                        system.maybe_due |= wait.is_zero();
                        system.next_due = Some(now.mono.plus(wait));
                    } else {
                        system.next_due = None;
                    }
                }
            }
            Event::Observed { lane, fence, result } => self.observed(&lane, fence, result, now, rng),
            Event::Applied { lane, fence, result } => self.applied(&lane, fence, result, now, rng),
            Event::HasRead { lane, fence, result } => self.has_read(&lane, fence, result, now, rng),
            Event::Recalled { lane, fence, recalled } => self.recalled(&lane, fence, recalled, now, rng),
            Event::Health { system, result } => self.health_told(&system, result, now, rng),
            Event::Pauses(pauses) => self.pauses = pauses,
            Event::Awaited(due) => {
                self.asking_awaited = false;
                self.look_for(due);
            }
            Event::Looked { awaited, result } => self.looked(awaited, result, now, rng),
            Event::Changed => {
                self.out.push(Effect::FetchPauses);
                for system in self.systems.values_mut() {
                    system.maybe_due = true;
                }
            }
            Event::StoreFailed { what, why } => self.store_failed(what, why, now),
        }
    }

    /// Lanes that become due later are waited for without asking the store; those that are due are asked for.
    fn expect_due(&mut self, decisions: &[store::log::Routed], now: Now) {
        for delivery in decisions.iter().flat_map(|routed| &routed.deliveries) {
            // Also what ended or died may have freed what waited in its lane.
            let at = match &delivery.state {
                DeliveryState::Waiting { due_at: Some(at), .. } => *at,
                _ => now.wall,
            };
            let wait = Duration::try_from(at.duration_since(now.wall)).unwrap_or(Duration::ZERO);
            match self.systems.get_mut(&delivery.lane.system) {
                Some(system) if wait.is_zero() => {
                    system.maybe_due = true;
                    system.due_with_route = true;
                }
                _ => self.due_in(&delivery.lane.system, wait, now),
            }
        }
    }

    pub(crate) fn due_in(&mut self, system: &SystemName, wait: Duration, now: Now) {
        if let Some(system) = self.systems.get_mut(system) {
            let at = now.mono.plus(wait);
            system.next_due = Some(system.next_due.map_or(at, |known| known.min(at)));
        }
    }

    pub(crate) fn span(&mut self) -> u64 {
        self.spans += 1;
        self.spans
    }

    pub(crate) fn raise(&mut self, severity: Severity, what: What) {
        self.out.push(Effect::Raise(Notice::new(severity, what)));
    }

    fn store_works(&mut self) {
        self.store_down = false;
    }

    /// Nothing of the effect was done: it is asked for again a little later. What was answered by a target stays in
    /// memory until it can be committed; should the process die before, the attempt is found without an answer.
    fn store_failed(&mut self, what: StoreWork, why: String, now: Now) {
        let retry_at = now.mono.plus(STORE_RETRY);
        match what {
            StoreWork::Unrouted => self.route_retry(retry_at),
            StoreWork::Route(claimed) => {
                self.route_retry(retry_at);
                for name in claimed {
                    self.claim_failed(&name, retry_at, now);
                }
            }
            StoreWork::Claim(name) => self.claim_failed(&name, retry_at, now),
            StoreWork::Advance(lanes) => {
                self.store_retry_at = Some(retry_at);
                for lane in lanes {
                    if let Some(running) = self.running.get_mut(&lane) {
                        running.retry_move = true;
                    }
                }
            }
            StoreWork::Recall(lane) => self.recall_failed(&lane, STORE_RETRY, now),
            StoreWork::NextDue => self.asking_due = false,
            StoreWork::Awaited => self.asking_awaited = false,
            StoreWork::Pauses | StoreWork::Other => {}
        }
        if !self.store_down {
            self.store_down = true;
            self.raise(Severity::Page, What::StoreUnavailable { why });
        }
    }

    fn route_retry(&mut self, at: Mono) {
        self.routing = false;
        self.route_again = true;
        self.route_retry_at = Some(at);
    }

    fn claim_failed(&mut self, name: &SystemName, retry_at: Mono, now: Now) {
        self.store_retry_at = Some(retry_at);
        if let Some(system) = self.systems.get_mut(name) {
            system.claiming = None;
            system.maybe_due = true;
            system.breaker.probe_lost(now.mono);
        }
    }

    pub(crate) fn retry_moves(&mut self) {
        for running in self.running.values_mut().filter(|running| running.retry_move) {
            running.retry_move = false;
            self.moves.extend(running.last_move.clone());
        }
    }
}
