//! The pump: after each event, asks for whatever there is room for. Owns what holds a request back (a pause, a breaker,
//! a limit, another node, a store that failed); decides nothing about a lane.

use crate::effect::Effect;
use crate::engine::{Engine, ROUTE_BATCH};
use crate::mutant::Mutant;
use crate::system::Asked;
use kernel::clock::Now;
use kernel::id::SystemName;
use kernel::subject::Lane;
use std::time::Duration;
use store::operate::{Pause, PauseScope};
use store::port::ClaimRequest;

/// Lanes claimed in one transaction.
const CLAIM_BATCH: u32 = 64;
/// Work that no event told of (another process's, a clock that jumped) is found at the latest after this.
const LOOK_AROUND: Duration = Duration::from_secs(5);
/// The same where others may work on the store: what a dead node has left is found within a second.
const LOOK_AROUND_AMONG: Duration = Duration::from_secs(1);
impl Engine {
    /// Asks for whatever there is room for.
    pub(crate) fn pump(&mut self, now: Now) {
        if self.look_around_at <= now.mono {
            let wait = if self.among.is_some() { LOOK_AROUND_AMONG } else { LOOK_AROUND };
            self.look_around_at = now.mono.plus(wait);
            self.route_again = true;
            self.out.push(Effect::FetchPauses);
            if !self.asking_due {
                self.asking_due = true;
                self.out.push(Effect::FetchNextDue);
            }
            if !self.asking_awaited
                && self.goes_first(now)
                && self.systems.values().any(|s| s.plan.resolves_references)
            {
                self.asking_awaited = true;
                self.out.push(Effect::FetchAwaited { due: now.wall, limit: 32 });
            }
        }
        if self.store_retry_at.is_some_and(|at| at <= now.mono) {
            self.store_retry_at = None;
            self.retry_moves();
        }
        self.pump_routing(now);
        let names: Vec<SystemName> = self.systems.keys().cloned().collect();
        for name in names {
            self.pump_system(&name, now);
        }
    }

    fn pump_routing(&mut self, now: Now) {
        let held = self.stands_back(now) || self.route_retry_at.is_some_and(|at| at > now.mono);
        if self.route_again && !self.routing && !held {
            self.route_retry_at = None;
            self.route_again = false;
            self.routing = true;
            let all = self.planted.is(Mutant::RoutesAll);
            self.out.push(Effect::FetchUnrouted { limit: if all { u32::MAX } else { ROUTE_BATCH } });
        }
    }

    fn pump_system(&mut self, name: &SystemName, now: Now) {
        let paused = self.is_paused(name, now);
        let store_held = self.store_retry_at.is_some() || self.draining || self.stands_back(now);
        let hammer = self.planted.is(Mutant::Hammer);
        let Some(system) = self.systems.get_mut(name) else { return };
        system.paused = paused;
        if system.next_due.is_some_and(|at| at <= now.mono) {
            system.next_due = None;
            system.maybe_due = true;
        }
        if system.elsewhere.holds(system.breaker.is_closed(), now.mono) {
            return;
        }
        let mut limit = system.room(now.mono).min(CLAIM_BATCH);
        if self.planted.is(Mutant::NoWidth) {
            limit = CLAIM_BATCH;
        }
        let mut failed = Vec::new();
        if !system.breaker.is_closed() && !hammer {
            let held = paused || store_held || system.claiming.is_some() || system.checking_health;
            if held || !system.breaker.probe(now.mono) {
                return;
            }
            if system.plan.health {
                system.checking_health = true;
                self.totals.calls += 1;
                self.out.push(Effect::Health { system: name.clone() });
                return;
            }
            // A probe by a lane: one that did not fail, if there is any.
            limit = 1;
            system.maybe_due = true;
            failed.extend(system.breaker.failed_lanes().cloned());
        }
        if system.claiming.is_some() || store_held || limit == 0 || !system.maybe_due {
            return;
        }
        system.claiming = Some(Asked { limit, at: now.mono });
        system.maybe_due = false;
        let lease = system.plan.lease;
        let mut except_lanes = self.paused_lanes(name, now);
        except_lanes.append(&mut failed);
        // A lease ends by the wall clock, which may jump; what is in work here is not claimed again by ourselves.
        except_lanes.extend(self.running.keys().filter(|lane| lane.system == *name).cloned());
        let except_flows = self.paused_flows(now);
        let request =
            ClaimRequest { system: name.clone(), now: now.wall, lease, limit, except_flows, except_lanes };
        self.out.push(Effect::Claim(request));
    }

    fn is_paused(&self, name: &SystemName, now: Now) -> bool {
        self.active_pauses(now)
            .any(|pause| matches!(&pause.scope, PauseScope::System(paused) if paused == name))
    }

    fn active_pauses(&self, now: Now) -> impl Iterator<Item = &Pause> {
        self.pauses.iter().filter(move |pause| pause.until.is_none_or(|until| until > now.wall))
    }

    fn paused_flows(&self, now: Now) -> Vec<kernel::id::FlowName> {
        self.active_pauses(now)
            .filter_map(|pause| match &pause.scope {
                PauseScope::Flow(flow) => Some(flow.clone()),
                PauseScope::System(_) | PauseScope::Subject(_) => None,
            })
            .collect()
    }

    fn paused_lanes(&self, system: &SystemName, now: Now) -> Vec<Lane> {
        self.active_pauses(now)
            .filter_map(|pause| match &pause.scope {
                PauseScope::Subject(subject) => Some(Lane::of(subject, system)),
                PauseScope::System(_) | PauseScope::Flow(_) => None,
            })
            .collect()
    }
}
