//! The first call of a claim: the look-up of an unknown answer, an observation, or at once the step. Owns what leaves
//! for a target; decides nothing of what is wanted there.

use crate::effect::{Call, Effect};
use crate::engine::{Engine, Found};
use crate::mutant::Mutant;
use crate::notice::What;
use crate::running::{Doing, Look, Open, Running};
use connector::descriptor::UnknownAnswer;
use connector::port::{Observation, Step};
use kernel::clock::{Now, after};
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::rng::Rng;

impl Engine {
    /// The first call: the look-up of an unknown answer, an observation, or at once the step where nothing was ever
    /// sent and the connector allows it.
    pub(crate) fn approach(&mut self, mut running: Running, now: Now, rng: &mut dyn Rng) {
        let lane = running.claim.lane.clone();
        let Some(system) = self.systems.get(&lane.system) else { return };
        let (unknown, observe_first) = (system.plan.unknown.clone(), system.plan.observe_first);
        let standing = &running.claim.standing;
        let never_sent = standing.external.is_none() && !standing.attempted;
        if let Some(open) = running.claim.open_attempt.clone() {
            let step: Step = match serde_json::from_slice(&open.frozen) {
                Ok(step) => step,
                Err(error) => {
                    let what = format!("a frozen call could not be read back: {error}");
                    return self.die(&lane, running, Fault::new(FaultKind::Bug, "TG-5001", what), now);
                }
            };
            let first_sight = !self.found.contains_key(&open.id);
            self.found.entry(open.id).or_insert(Found { at: now.mono, not_there: 0 });
            if first_sight {
                let subject = running.claim.delivery.subject.clone();
                let code = open.step.clone();
                self.raise(
                    Severity::Ticket,
                    What::UnknownAnswer { system: lane.system.clone(), subject, code },
                );
            }
            running.open = Some(Open {
                id: open.id,
                key: open.call_key,
                step,
                started_at: open.started_at,
                unknown: true,
            });
            return self.look_up(running, &unknown, now, rng);
        }
        if let Some(fault) = self.cannot_be_told(&running) {
            return self.die(&lane, running, fault, now);
        }
        let in_doubt = running.goal.as_ref().is_some_and(|goal| goal.in_doubt);
        let observe_first =
            observe_first || running.goal.as_ref().is_some_and(|goal| goal.flow.observe_first);
        if self.may_go_on_from_a_look(&running)
            && let Some(seen) = self.looked.take(&lane, running.claim.standing.delivered.as_ref(), now.mono)
        {
            running.asked_at = seen.asked_at;
            running.reused = true;
            return self.converge(running, seen.observation, now, rng);
        }
        if observe_first || !never_sent || in_doubt {
            return self.observe(running, now);
        }
        self.converge(running, Observation::unasked(), now, rng);
    }

    /// Where what is written says what it was decided upon, and the source can be asked again afterwards: what the look did not
    /// show is then seen to. What was asked for because something else bears upon it is looked at anew.
    fn may_go_on_from_a_look(&self, running: &Running) -> bool {
        let asked_for =
            matches!(running.claim.envelope.via, Via::Read | Via::Backfill | Via::Replay | Via::Outcome);
        let goal = running.goal.as_ref();
        let compares =
            goal.is_some_and(|goal| goal.flow.observe_first && goal.flow.readable && goal.look == Look::No);
        compares && !asked_for
    }

    /// What becomes of an attempt without an answer, by what the connector declares (DESIGN promise 3).
    fn look_up(&mut self, mut running: Running, unknown: &UnknownAnswer, now: Now, rng: &mut dyn Rng) {
        if self.planted.is(Mutant::ResendUnknown) {
            running.end_attempt(now.wall, None, Some(false));
            return self.converge(running, Observation::unasked(), now, rng);
        }
        let Some(open) = running.open.clone() else { return };
        let in_doubt = running.goal.as_ref().is_some_and(|goal| goal.in_doubt);
        match unknown {
            // The same bytes under the same key are the look-up.
            // (Not where a forgotten life may have gone on from there, under a key of its own.)
            UnknownAnswer::NativeKey { lifetime }
                if now.wall < after(open.started_at, *lifetime) && !in_doubt =>
            {
                self.apply(running, open.key, open.step);
            }
            UnknownAnswer::NativeKey { .. } | UnknownAnswer::LookUp { .. } => self.observe(running, now),
            // An absolute write may be repeated, whatever came of the first one.
            UnknownAnswer::Neither if open.step.idempotent => {
                running.look = self.last_look(&running, now);
                running.end_attempt(now.wall, Some(unanswered(&open.step.name)), None);
                self.observe(running, now);
            }
            UnknownAnswer::Neither => {
                let fault = unanswered(&open.step.name);
                running.end_attempt(now.wall, Some(fault.clone()), None);
                let lane = running.claim.lane.clone();
                self.die(&lane, running, fault, now);
            }
        }
    }

    pub(crate) fn observe(&mut self, mut running: Running, now: Now) {
        let Some(goal) = &running.goal else { return };
        let (lane, wanted) = (running.claim.lane.clone(), goal.wanted.clone());
        self.totals.calls += 1;
        let span = self.span();
        self.out.push(Effect::Observe(Call {
            system: lane.system.clone(),
            lane: lane.clone(),
            fence: running.claim.fence,
            trace: running.claim.envelope.trace,
            span,
            what: wanted,
        }));
        running.doing = Doing::Observing;
        running.asked_at = now.mono;
        self.running.insert(lane, running);
    }

    pub(crate) fn apply(&mut self, mut running: Running, key: kernel::key::CallKey, step: Step) {
        let lane = running.claim.lane.clone();
        self.totals.calls += 1;
        if let Some(system) = self.systems.get_mut(&lane.system) {
            system.limiter.spend();
        }
        if self.planted.is(Mutant::TwoInFlight) {
            // The bug: the lane is free while its call is under way.
            self.out.push(Effect::GiveBack(vec![(lane.clone(), running.claim.fence, None)]));
        }
        let span = self.span();
        self.out.push(Effect::Apply(Call {
            system: lane.system.clone(),
            lane: lane.clone(),
            fence: running.claim.fence,
            trace: running.claim.envelope.trace,
            span,
            what: (key, step),
        }));
        running.doing = Doing::Applying;
        self.running.insert(lane, running);
    }
}

fn unanswered(step: &str) -> Fault {
    Fault::new(
        FaultKind::Ambiguous,
        "unknown_answer",
        format!(
            "the answer to {step} is unknown and this target can neither be asked nor told a key: look there, then \
             skip this delivery if the object exists, or release it if it does not"
        ),
    )
}
