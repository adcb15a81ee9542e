//! From what a target has to what is wanted, one step and one attempt at a time; and what each answer means
//! (the table of DESIGN section 5).

use crate::doubt::Absence;
use crate::effect::{Effect, Ending};
use crate::engine::Engine;
use crate::mutant::Mutant;
use crate::notice::What;
use crate::running::{Doing, Open, Running, Then, stored_ref, the_one};
use connector::port::{Applied, Observation, Observed, Plan, Step};
use kernel::clock::{Now, elapsed_ms};
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::flow::Mode;
use kernel::key::{CallKey, ChangeKey};
use kernel::rng::Rng;
use kernel::subject::Lane;
use kernel::version::EffectiveVersion;
use std::time::Duration;
use store::delivery::{DeliveryState, Move, Moved, NewAttempt, Outcome, Wait};

/// A target that needs more steps than this for one change does not converge.
const ROUNDS_MAX: u32 = 12;

impl Engine {
    pub(crate) fn observed(
        &mut self,
        lane: &Lane,
        fence: i64,
        result: Result<Observation, Fault>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let Some(running) = self.take(lane, fence) else { return };
        match result {
            Ok(observation) => {
                self.went_well(lane, now);
                self.converge(running, observation, now, rng);
            }
            Err(fault) => self.failed(running, fault, false, now, rng),
        }
    }

    /// The heart: compare, decide the one next thing, commit it.
    pub(crate) fn converge(
        &mut self,
        mut running: Running,
        observation: Observation,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let lane = running.claim.lane.clone();
        let Some(goal) = running.goal.clone() else { return };
        if let Observed::Many(ids) = &observation.object {
            return self.many(&lane, running, ids.clone(), now);
        }
        if goal.look_only {
            // It is one object, and a newer state has seen to it.
            let by = running.claim.standing.routed_position.unwrap_or(running.claim.delivery.position);
            return self.end(&lane, running, Outcome::Superseded { by }, now);
        }
        if observation.object == Observed::None && goal.wanted.known.is_some() {
            return self.vanished(&lane, running, now);
        }
        if matches!(observation.object, Observed::One(_)) {
            self.vanished.remove(&running.claim.delivery.id);
        }
        let Some(planner) = self.planners.get(&lane.system).cloned() else { return };
        let plan = planner.plan(&goal.wanted, &observation);
        if running.open.as_ref().is_some_and(|open| open.unknown) {
            let same_again = |open: &Open| matches!(&plan, Plan::Next(step) if step.name == open.step.name);
            // Whatever is planned now (a reference may have vanished meanwhile): what was to be made is not there.
            let not_made = |open: &Open| open.step.creates && observation.object == Observed::None;
            let absent = running.open.as_ref().is_some_and(|open| same_again(open) || not_made(open));
            if absent {
                if let Some(wait) = self.not_there(&running) {
                    return self.look_again(&lane, running, wait, now);
                }
                if !self.proved_absent(&mut running, now) {
                    let fault = Fault::new(
                        FaultKind::Ambiguous,
                        "attempts_end",
                        "each call went unanswered and was then found not to have been carried out: see the target's log",
                    );
                    return self.die(&lane, running, fault, now);
                }
            } else {
                self.forget(&running);
                running.end_attempt(now.wall, None, Some(true));
                running.wrote = true;
            }
        }
        match plan {
            Plan::Done(done) => self.finish(&lane, running, &goal, &done, now),
            Plan::NotAllowed(fault) => self.die(&lane, running, fault, now),
            Plan::Next(step) => {
                if let Some(missing) = observation.missing.first() {
                    return self.die(&lane, running, missing_fault(missing), now);
                }
                if goal.flow.policy.mode == Mode::Shadow {
                    let found = the_one(&observation).map_or("nothing", |_| "an object");
                    let would = format!("{} ({found} there)", step.name);
                    return self.end(&lane, running, Outcome::Shadowed { would }, now);
                }
                let unseen = observation.object == Observed::None && !running.verify;
                if goal.in_doubt
                    && unseen
                    && let Absence::LookAgain(wait, not_there) = self.doubted_absence(&running)
                {
                    let due_at = Some(now.wall_after(wait));
                    let state = DeliveryState::Waiting { due_at, wait: Wait::Settle { not_there } };
                    return self.wait_in(&lane, running, state, now);
                }
                self.begin(running, step, now, rng);
            }
        }
    }

    /// Commits an attempt as `sending`; its first byte leaves after that.
    fn begin(&mut self, mut running: Running, step: Step, now: Now, _rng: &mut dyn Rng) {
        let lane = running.claim.lane.clone();
        running.rounds += 1;
        if running.rounds > ROUNDS_MAX {
            let what =
                format!("{} does not converge: {} again after {ROUNDS_MAX} steps", lane.system, step.name);
            return self.die(&lane, running, Fault::new(FaultKind::Bug, "TG-5002", what), now);
        }
        let Some(goal) = &running.goal else { return };
        let version =
            running.claim.delivery.version.clone().unwrap_or(EffectiveVersion::Sequence { sequence: 0 });
        let change = ChangeKey::of(
            &goal.wanted.object_key,
            &lane.system,
            &goal.flow.name,
            &version,
            goal.flow.mapper.revision(),
            &step.name,
        );
        running.calls += 1;
        running.begun_at = now.mono;
        let call = CallKey::of(&change, running.claim.delivery.id, running.calls);
        let frozen = match serde_json::to_vec(&step) {
            Ok(frozen) => frozen,
            Err(error) => {
                let fault =
                    Fault::new(FaultKind::Bug, "TG-5001", format!("a call could not be frozen: {error}"));
                return self.die(&lane, running, fault, now);
            }
        };
        let mut movement = running.movement(now.wall);
        movement.begun = Some(NewAttempt {
            step: step.name.clone(),
            change_key: change,
            call_key: call.clone(),
            frozen: frozen.into(),
            started_at: now.wall,
            revision: self.plan.revision.clone(),
        });
        movement.keep = true;
        if std::mem::take(&mut running.look_later)
            && let Some(goal) = running.goal.clone()
        {
            movement.schedule.push(self.last_look(&running, &goal, now));
        }
        if self.planted.is(Mutant::SendBeforeCommit) {
            // The bug: the bytes leave, and nothing was written that they would.
            return self.apply(running, call, step);
        }
        self.commit(running, movement, Then::Apply(call, step));
    }

    /// A move was committed, or the lane is not ours any more.
    pub(crate) fn advanced(&mut self, lane: &Lane, moved: Moved, now: Now, rng: &mut dyn Rng) {
        let Some(mut running) = self.running.remove(lane) else { return };
        let last_move = running.last_move.take();
        let Doing::Committing(then) = std::mem::replace(&mut running.doing, Doing::Observing) else {
            self.running.insert(lane.clone(), running);
            return;
        };
        match (moved, then) {
            (Moved::Lost, _) => {
                self.forget(&running);
                self.out.push(Effect::GiveBack(vec![(lane.clone(), running.claim.fence, None)]));
                self.leave(lane, now);
            }
            (Moved::Done { .. }, Then::Finish) => {
                self.out.extend(last_move.and_then(|last| ending(&running, &last)).map(Effect::Ended));
                self.leave(lane, now);
            }
            (Moved::Done { begun: Some(id) }, Then::Apply(key, step)) => {
                running.open = Some(Open {
                    id,
                    key: key.clone(),
                    step: step.clone(),
                    started_at: now.wall,
                    unknown: false,
                });
                running.claim.standing.attempted = true;
                if self.has_overslept(&running, now) {
                    return self.leaves_it(lane, running, now);
                }
                self.apply(running, key, step);
            }
            (Moved::Done { begun: None }, Then::Apply(_, step)) => {
                let what = format!("the store began no attempt for {}", step.name);
                let lane = lane.clone();
                self.die(&lane, running, Fault::new(FaultKind::Bug, "TG-5003", what), now);
            }
        }
        let _ = rng;
    }

    /// Whether the lease may end before a request's time does: this process slept, or its store was long in answering.
    /// A request that left now could meet that of whoever has taken over.
    fn has_overslept(&self, running: &Running, now: Now) -> bool {
        let Some(system) = self.systems.get(&running.claim.lane.system) else { return false };
        let passed = now.mono.since(running.begun_at);
        passed + system.plan.time_out > system.plan.lease && !self.planted.is(Mutant::SendAfterSleep)
    }

    /// Nothing has left: that is the attempt's end, if the lane is still ours.
    fn leaves_it(&mut self, lane: &Lane, mut running: Running, now: Now) {
        let fault = Fault::new(
            FaultKind::Transient,
            "overslept",
            "the commit came back too late to send under its lease: nothing was sent",
        );
        running.end_attempt(now.wall, Some(fault), Some(false));
        let state = DeliveryState::Waiting { due_at: Some(now.wall), wait: Wait::Turn };
        self.wait_in(lane, running, state, now);
    }

    pub(crate) fn applied(
        &mut self,
        lane: &Lane,
        fence: i64,
        result: Result<Applied, Fault>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let Some(mut running) = self.take(lane, fence) else { return };
        match result {
            Ok(applied) => {
                self.went_well(lane, now);
                let creates = running.open.as_ref().is_some_and(|open| open.step.creates);
                let told = applied.external.or_else(|| {
                    applied.observation.as_ref().and_then(the_one).map(|object| object.external.clone())
                });
                if creates && told.is_none() {
                    let fault =
                        Fault::new(FaultKind::Ambiguous, "no_id", "the answer to a create names no object");
                    return self.stays_unknown(lane, running, &fault, now, rng);
                }
                if let (Some(told), Some(goal)) = (told, running.goal.clone()) {
                    let known = running.claim.standing.external.clone();
                    running.exists(stored_ref(&goal.wanted, &told, false, known.as_ref(), now.wall));
                }
                self.forget(&running);
                running.end_attempt(now.wall, None, None);
                running.wrote = true;
                running.failures = 0;
                match applied.observation {
                    Some(observation) => self.converge(running, observation, now, rng),
                    None => self.observe(running, now),
                }
            }
            Err(mut fault) => {
                if self.planted.is(Mutant::BadGatewayIsTransient) && fault.kind == FaultKind::Ambiguous {
                    fault.kind = FaultKind::Transient;
                }
                self.failed(running, fault, true, now, rng);
            }
        }
    }

    /// The table of DESIGN section 5.
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
    fn vanished(&mut self, lane: &Lane, mut running: Running, now: Now) {
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

    fn many(&mut self, lane: &Lane, mut running: Running, ids: Vec<String>, now: Now) {
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

/// What is told of a delivery that has ended; `None` if it only waits.
fn ending(running: &Running, last: &Move) -> Option<Ending> {
    let delivery = &running.claim.delivery;
    let (outcome, delivered) = match last.state.as_ref()? {
        DeliveryState::Ended(outcome) => (outcome.word(), matches!(outcome, Outcome::Delivered { .. })),
        DeliveryState::Dead => ("dead", false),
        DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => return None,
    };
    Some(Ending {
        system: delivery.lane.system.clone(),
        flow: delivery.flow.clone(),
        outcome,
        fault: last.dead.as_ref().map(|fault| fault.kind),
        lag_ms: delivered.then(|| elapsed_ms(delivery.changed_at, last.at)),
    })
}

fn missing_fault(missing: &connector::port::MissingReference) -> Fault {
    let reference = &missing.reference;
    let message = match &missing.similar {
        Some(similar) => format!(
            "the target has no {reference}, but {similar:?}, which differs only by case or blanks: correct one of the \
             two; this is released by itself as soon as {reference} exists"
        ),
        None => format!(
            "the target has no {reference}: create it there; this is released by itself as soon as it exists"
        ),
    };
    Fault::new(FaultKind::Rejected, format!("missing_{}", reference.kind), message)
        .field(missing.field.clone())
        .missing(reference.kind.clone(), reference.value.clone())
}
