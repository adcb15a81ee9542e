//! What each fault means for the lane, the system and people (the table of DESIGN section 5).

use crate::engine::Engine;
use crate::mutant::Mutant;
use crate::notice::What;
use crate::running::Running;
use kernel::clock::Now;
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::rng::Rng;
use kernel::subject::Lane;
use std::time::Duration;
use store::delivery::{DeliveryState, Wait};

impl Engine {
    pub(crate) fn failed(
        &mut self,
        mut running: Running,
        fault: Fault,
        write: bool,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let lane = running.claim.lane.clone();
        let counts = self.counts(&running, &fault, now);
        self.tell_breaker(&lane, &fault, now, rng);
        // A read that failed while an answer is unknown leaves it unknown.
        let unknown = running.open.as_ref().is_some_and(|open| open.unknown);
        // With a native key the answer to a resend is the answer to the call; "not now" is an answer to neither.
        let says_nothing = unknown && !fault.kind.is_final();
        if write && fault.kind != FaultKind::Ambiguous && !says_nothing {
            if unknown {
                // What was sent first may be in the socket of a node that sleeps, and be taken when it comes.
                running.look = self.last_look(&running, now);
            }
            self.forget(&running);
            running.end_attempt(now.wall, Some(fault.clone()), None);
        } else if unknown || fault.kind == FaultKind::Ambiguous {
            return self.stays_unknown(&lane, running, &fault, now, rng);
        }
        if counts {
            running.spent += 1;
        }
        let cap = self.systems.get(&lane.system).map_or(1, |system| system.plan.attempts_max);
        match fault.kind {
            FaultKind::Rejected | FaultKind::Bug => self.die(&lane, running, fault, now),
            _ if running.spent >= cap => self.die(&lane, running, fault, now),
            FaultKind::Unauthorized => {
                let state = DeliveryState::Waiting { due_at: Some(now.wall), wait: Wait::Turn };
                self.wait_in(&lane, running, state, now);
            }
            FaultKind::Throttled => {
                let wait = fault.retry_after.unwrap_or(Duration::from_secs(1));
                let state = DeliveryState::Waiting {
                    due_at: Some(now.wall_after(wait)),
                    wait: Wait::Backoff { failures: running.failures, fault: fault.kind, code: fault.code },
                };
                self.wait_in(&lane, running, state, now);
            }
            FaultKind::Conflict | FaultKind::Transient | FaultKind::Ambiguous => {
                running.failures += 1;
                let wait = self.back_off(&lane, running.failures, rng);
                let state = DeliveryState::Waiting {
                    due_at: Some(now.wall_after(wait)),
                    wait: Wait::Backoff { failures: running.failures, fault: fault.kind, code: fault.code },
                };
                self.wait_in(&lane, running, state, now);
            }
        }
    }

    /// An attempt counts toward the cap only if the system was proved well since this lane's attempt before;
    /// otherwise it is the system's failure (DESIGN section 5).
    fn counts(&mut self, running: &Running, fault: &Fault, now: Now) -> bool {
        let planted = fault.kind == FaultKind::Throttled && self.planted.is(Mutant::WaitSpendsAttempts);
        if planted || !fault.kind.spends_attempt() {
            return planted;
        }
        let (lane, delivery) = (&running.claim.lane, running.claim.delivery.id);
        let before = self.last_tried.insert(delivery, now.mono);
        let well = self.systems.get(&lane.system).is_some_and(|system| system.well_without(lane, before));
        well || self.planted.is(Mutant::OutageSpendsAttempts)
    }

    fn tell_breaker(&mut self, lane: &Lane, fault: &Fault, now: Now, rng: &mut dyn Rng) {
        let Some(system) = self.systems.get_mut(&lane.system) else { return };
        match fault.kind {
            FaultKind::Unauthorized => {
                system.trouble = Some(fault.to_string());
                if system.breaker.unauthorized(now.mono, rng) {
                    let what = What::CredentialsRefused { system: lane.system.clone(), fault: fault.clone() };
                    self.raise(Severity::Page, what);
                }
            }
            FaultKind::Throttled => {
                let wait = fault.retry_after.unwrap_or(Duration::from_secs(1));
                system.limiter.throttled(now.mono, wait);
                // It answered: a probe that is throttled is asked again after the wait.
                system.breaker.probe_lost(now.mono.plus(wait));
            }
            FaultKind::Conflict => {
                let count = system.conflict(now.mono);
                system.breaker.probe_lost(now.mono);
                if count == 11 {
                    self.raise(Severity::Ticket, What::Conflicts { system: lane.system.clone(), count });
                }
            }
            FaultKind::Transient | FaultKind::Ambiguous => {
                system.trouble = Some(fault.to_string());
                let mut counted = lane.clone();
                if let Some(call) = fault.shared_call {
                    counted.root = format!("call~{call}");
                }
                if self.planted.is(Mutant::BreakerCountsAttempts) {
                    counted.root = format!("{}@{}", lane.root, now.mono.0);
                }
                if system.breaker.failure(&counted, now.mono, rng) {
                    let what = What::BreakerOpened { system: lane.system.clone(), fault: fault.clone() };
                    self.raise(Severity::Ticket, what);
                }
            }
            // It answered this one on its merits: that is a working system.
            FaultKind::Rejected => self.went_well(lane, now),
            FaultKind::Bug => system.breaker.probe_lost(now.mono),
        }
    }

    pub(crate) fn went_well(&mut self, lane: &Lane, now: Now) {
        let Some(system) = self.systems.get_mut(&lane.system) else { return };
        system.proved_well(Some(lane), now.mono);
        system.trouble = None;
        if system.breaker.success() {
            system.maybe_due = true;
            self.raise(Severity::Info, What::BreakerClosed { system: lane.system.clone() });
        }
    }

    /// The object was there and a search does not show it: the search lags, or somebody removed it. It is never made
    /// again by itself.
    pub(crate) fn vanished(&mut self, lane: &Lane, mut running: Running, now: Now) {
        let settle = self.systems.get(&lane.system).map_or(Duration::ZERO, |system| system.plan.settle_after);
        let since = *self.vanished.entry(running.claim.delivery.id).or_insert(now.mono);
        if now.mono.since(since) < settle {
            running.failures += 1;
            let wait = Duration::from_secs(1).max(settle / 10);
            if running.open.as_ref().is_some_and(|open| open.unknown) {
                return self.look_again(lane, running, wait, now);
            }
            let wait_for = Wait::Backoff {
                failures: running.failures,
                fault: FaultKind::Conflict,
                code: "object_not_seen".to_owned(),
            };
            let state = DeliveryState::Waiting { due_at: Some(now.wall_after(wait)), wait: wait_for };
            return self.wait_in(lane, running, state, now);
        }
        let fault = Fault::new(
            FaultKind::Rejected,
            "object_gone",
            "the target had this object and has it no more: restore it there, or skip this delivery; it is not made again \
             by itself",
        );
        self.die(lane, running, fault, now);
    }

    pub(crate) fn many(&mut self, lane: &Lane, mut running: Running, ids: Vec<String>, now: Now) {
        let subject = running.claim.delivery.subject.clone();
        self.forget(&running);
        running.end_attempt(now.wall, None, Some(true));
        let fault = Fault::new(
            FaultKind::Conflict,
            "many_objects",
            format!(
                "the target has more than one object for this ({}): it is written to by nobody until a person has \
                 removed or re-referenced all but one; then release this",
                ids.join(", ")
            ),
        );
        self.raise(Severity::Page, What::ManyObjects { system: lane.system.clone(), subject, ids });
        self.die(lane, running, fault, now);
    }
}
