//! What the engine knows of one system while it runs: breaker, limiter, lanes in work, when it was last well. All of
//! it is rebuilt after a restart; what must survive is in the store.

use crate::breaker::{Breaker, BreakerState};
use crate::limiter::Limiter;
use crate::nodes::{Held, Share};
use crate::plan::SystemPlan;
use kernel::clock::Mono;
use kernel::subject::Lane;
use serde::Serialize;
use std::time::Duration;

/// A claim that the store was asked for: of so many lanes, and when; their leases count from there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) limit: u32,
    pub(crate) at: Mono,
}

#[derive(Debug)]
pub(crate) struct SystemState {
    pub(crate) plan: SystemPlan,
    pub(crate) breaker: Breaker,
    pub(crate) limiter: Limiter,
    pub(crate) in_work: u32,
    /// There may be due lanes that nobody has asked for yet. Falls when a claim is asked for, so that what becomes
    /// due while it is under way is not forgotten.
    pub(crate) maybe_due: bool,
    /// The route that is under way makes lanes due, and no claim goes along with it.
    pub(crate) due_with_route: bool,
    /// A claim is under way.
    pub(crate) claiming: Option<Asked>,
    pub(crate) checking_health: bool,
    pub(crate) paused: bool,
    /// This node's share of the limits, and whose turn it is to have what cannot be divided.
    pub(crate) share: (Share, u32),
    pub(crate) elsewhere: Held,
    /// When a lane that was not due will be.
    pub(crate) next_due: Option<Mono>,
    well: Option<(Option<Lane>, Mono)>,
    well_by_another: Option<Mono>,
    conflicts: Vec<Mono>,
    /// For people: what the breaker opened for.
    pub(crate) trouble: Option<String>,
    pub(crate) last_done: Option<Mono>,
}

impl SystemState {
    pub(crate) fn new(plan: SystemPlan, now: Mono) -> Self {
        Self {
            breaker: Breaker::new(plan.breaker_lanes, plan.breaker_backoff),
            limiter: Limiter::new(plan.rate_per_s, now),
            in_work: 0,
            maybe_due: true,
            due_with_route: false,
            claiming: None,
            checking_health: false,
            paused: false,
            share: (Share::default(), 0),
            elsewhere: Held::default(),
            next_due: None,
            well: None,
            well_by_another: None,
            conflicts: Vec::new(),
            trouble: None,
            last_done: None,
            plan,
        }
    }

    /// A lane's call (or the health call, `None`) went well.
    pub(crate) fn proved_well(&mut self, lane: Option<&Lane>, now: Mono) {
        match &self.well {
            Some((last, at)) if last.as_ref() != lane => {
                self.well_by_another = Some(*at);
                self.well = Some((lane.cloned(), now));
            }
            _ => self.well = Some((lane.cloned(), now)),
        }
    }

    /// Whether anybody but this lane proved the system well since a moment.
    pub(crate) fn well_without(&self, lane: &Lane, since: Option<Mono>) -> bool {
        let later = |at: Mono| since.is_none_or(|since| at > since);
        match &self.well {
            Some((last, at)) if last.as_ref() != Some(lane) => later(*at),
            _ => self.well_by_another.is_some_and(later),
        }
    }

    /// Counts a conflict; the number of them within the last minute.
    pub(crate) fn conflict(&mut self, now: Mono) -> u32 {
        self.conflicts.retain(|at| now.since(*at) < Duration::from_secs(60));
        self.conflicts.push(now);
        u32::try_from(self.conflicts.len()).unwrap_or(u32::MAX)
    }

    /// Lanes in work at once at this node.
    fn concurrency(&self) -> u32 {
        let (share, turn) = self.share;
        share.part_of(self.plan.concurrency, turn).min(self.breaker.width())
    }

    /// How many more lanes may be taken now.
    pub(crate) fn room(&mut self, now: Mono) -> u32 {
        if self.paused {
            return 0;
        }
        let width = self.concurrency();
        width.saturating_sub(self.in_work).min(self.limiter.free(now))
    }

    /// When it is worth asking again; `None` if only an event can change anything.
    pub(crate) fn wake_at(&mut self, now: Mono) -> Option<Mono> {
        if self.elsewhere.holds(self.breaker.is_closed(), now) {
            return Some(self.elsewhere.until);
        }
        if let BreakerState::Open { until } = self.breaker.state() {
            return Some(until);
        }
        if self.paused {
            return None;
        }
        if self.maybe_due && self.claiming.is_none() && self.in_work < self.concurrency() {
            return Some(self.limiter.free_at(now).unwrap_or(now));
        }
        self.next_due
    }
}

/// A system as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemView {
    pub name: String,
    /// `closed`, `open`, `probing`.
    pub breaker: &'static str,
    pub breaker_opens_in_ms: Option<u64>,
    pub trouble: Option<String>,
    pub credentials_refused: bool,
    pub throttled_for_ms: Option<u64>,
    pub paused: bool,
    pub in_work: u32,
    pub concurrency: u32,
}

impl SystemState {
    pub(crate) fn view(&self, now: Mono) -> SystemView {
        let ms = |until: Mono| u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX);
        let (breaker, opens) = match self.breaker.state() {
            BreakerState::Closed => ("closed", None),
            BreakerState::Open { until } => ("open", Some(ms(until))),
            BreakerState::Probing => ("probing", None),
        };
        SystemView {
            name: self.plan.name.to_string(),
            breaker,
            breaker_opens_in_ms: opens,
            trouble: self.trouble.clone(),
            credentials_refused: self.breaker.for_credentials(),
            throttled_for_ms: self.limiter.throttled_until().filter(|until| *until > now).map(ms),
            paused: self.paused,
            in_work: self.in_work,
            concurrency: self.plan.concurrency,
        }
    }
}
