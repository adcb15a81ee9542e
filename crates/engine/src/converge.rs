//! From what a target has to what is wanted, one step and one attempt at a time. What a commit leads to stands in
//! `committed`, what a fault means in `faulted`.

use crate::claimed::gives_way_to_newer;
use crate::doubt::Absence;
use crate::effect::Effect;
use crate::engine::Engine;
use crate::last_look::undone_again;
use crate::looked::Seen;
use crate::mutant::Mutant;
use crate::running::{Look, Open, Running, Then, stored_ref, the_one};
use connector::port::{Applied, Observation, Observed, Plan, Step};
use kernel::clock::Now;
use kernel::fault::{Fault, FaultKind};
use kernel::flow::Mode;
use kernel::key::{CallKey, ChangeKey};
use kernel::rng::Rng;
use kernel::subject::Lane;
use kernel::version::{EffectiveVersion, Order};
use store::delivery::{Claim, DeliveryKind, DeliveryState, NewAttempt, Outcome, Wait};

/// A target that needs more steps than this for one change does not converge, where each part of what is wanted may need
/// [`ROUNDS_OF_A_PART`] more: one that takes the lines of an order one by one has as many steps as there are lines.
const ROUNDS_MAX: u32 = 12;
const ROUNDS_OF_A_PART: u32 = 2;

/// By its own size, so that what never comes to rest ends as well.
fn rounds_max(wanted: &serde_json::Value) -> u32 {
    let parts = wanted.as_object().into_iter().flat_map(|body| body.values());
    let parts: usize = parts.filter_map(|part| part.as_array()).map(Vec::len).sum();
    ROUNDS_MAX.saturating_add(ROUNDS_OF_A_PART.saturating_mul(u32::try_from(parts).unwrap_or(u32::MAX)))
}

impl Engine {
    pub(crate) fn observed(
        &mut self,
        lane: &Lane,
        fence: i64,
        result: Result<Observation, Fault>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let Some(mut running) = self.take(lane, fence) else { return };
        match result {
            Ok(observation) => {
                self.went_well(lane, now);
                if self.is_asked_again(&mut running, now) {
                    return self.observe(running, now);
                }
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
        if goal.look == Look::Counts {
            // It is one object, and what was delivered last cannot be compared.
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
        if planner.unaccounted(&goal.wanted, &observation) {
            self.out.extend(self.unaccounted.seen(&lane.shop, now).map(Effect::Unaccounted));
        }
        let plan = planner.plan(&goal.wanted, &observation);
        if goal.flow.observe_first {
            running.seen = Some(Seen {
                asked_at: running.asked_at,
                observation: observation.clone(),
                delivered: running.claim.standing.delivered.clone(),
            });
        }
        if running.open.as_ref().is_some_and(|open| open.unknown) {
            let same_again = |open: &Open| matches!(&plan, Plan::Next(step) if step.name == open.step.name);
            // Whatever is planned now (a reference may have vanished meanwhile): what was to be made is not there.
            let not_made = |open: &Open| open.step.creates && observation.object == Observed::None;
            let by_plan = |open: &Open| same_again(open) || not_made(open);
            let shown = running.open.as_ref().and_then(|open| planner.shows(&open.step, &observation));
            let absent =
                shown.map_or_else(|| running.open.as_ref().is_some_and(by_plan), |is_there| !is_there);
            // Another step comes first: it follows what was called, or something has undone what went before that.
            let hidden = |open: &Open| !open.step.creates && matches!(&plan, Plan::Next(_));
            let hidden = shown.is_none() && !absent && running.open.as_ref().is_some_and(hidden);
            if (absent || hidden)
                && let Some(wait) = self.not_there(&running)
            {
                return self.look_again(&lane, running, wait, now);
            }
            if hidden {
                self.ends_hidden(&mut running, now);
            } else if absent {
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
            // It held its place only because its call was unknown; made again it would undo what came since. What is compared and set
            // is not gone on with either where its call was carried out: what is there now is the newer one's to compare with.
            let further = goal.flow.observe_first && matches!(&plan, Plan::Next(_));
            if (absent || further) && is_overtaken(&running.claim) {
                let by = running.claim.standing.routed_position.unwrap_or(running.claim.delivery.position);
                return self.end(&lane, running, Outcome::Superseded { by }, now);
            }
            if absent && goal.look != Look::No && gives_way_to_newer(&running.claim) {
                return self.after_newer(running, now, rng);
            }
        }
        match plan {
            // That nothing is to be done is no word of an older look's.
            Plan::Done(_) if running.reused && !running.wrote => {
                running.reused = false;
                self.observe(running, now);
            }
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
        let Some(goal) = running.goal.clone() else { return };
        running.rounds += 1;
        let most = rounds_max(&goal.wanted.body);
        if running.rounds > most {
            let what = format!("{} does not converge: {} again after {most} steps", lane.system, step.name);
            return self.die(&lane, running, Fault::new(FaultKind::Bug, "TG-5002", what), now);
        }
        if goal.look != Look::No && !self.writes_once_more(&mut running, &goal, &step) {
            return self.die(&lane, running, undone_again(&step.name), now);
        }
        let version = goal.version.clone().unwrap_or(EffectiveVersion::Sequence { sequence: 0 });
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
        if self.planted.is(Mutant::SendBeforeCommit) {
            // The bug: the bytes leave, and nothing was written that they would.
            return self.apply(running, call, step);
        }
        self.commit(running, movement, Then::Apply(call, step));
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
                let stepped = running.open.as_ref().map(|open| open.step.name.clone());
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
                running.stepped = stepped;
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
}

/// Whether a newer state of the same subject is in the log.
fn is_overtaken(claim: &Claim) -> bool {
    let versions = (&claim.standing.routed, &claim.delivery.version);
    let (Some(newest), Some(own)) = versions else { return false };
    claim.delivery.kind == DeliveryKind::State && newest.against(own) == Order::Newer
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_many_parts_may_take_as_many_steps_and_what_has_none_does_not() {
        assert_eq!(rounds_max(&json!({"reference": "acme-order-1", "address": {"lines": ["a", "b"]}})), 12);
        assert_eq!(rounds_max(&json!(null)), 12);
        let lines: Vec<u32> = (0..40).collect();
        assert_eq!(rounds_max(&json!({"lines": lines, "shipping": [1]})), 12 + 2 * 41);
    }
}
