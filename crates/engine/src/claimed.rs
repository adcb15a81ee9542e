//! From a claimed lane to its first call: what is wanted is mapped, what is already there is left alone, what is
//! without an answer is looked up first.

use crate::effect::{Call, Effect};
use crate::engine::{Engine, Found};
use crate::facts::Confirm;
use crate::finish::is_last_look;
use crate::mutant::Mutant;
use crate::notice::What;
use crate::running::{Doing, Goal, Open, Running};
use connector::descriptor::UnknownAnswer;
use connector::port::{ExternalRef, Observation, Stage, Step, Wanted};
use kernel::clock::{Now, after};
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::flow::Mode;
use kernel::id::SystemName;
use kernel::key::ObjectKey;
use kernel::rng::Rng;
use kernel::version::{Digest, Order};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use store::delivery::{Claim, DeliveryKind, DeliveryState, Outcome, Standing, Wait};

/// What becomes of a claim before any call.
enum Start {
    Ended(Outcome),
    /// The target has this version already, under this digest.
    Unchanged(Digest),
    /// A newer state goes first.
    AfterNewer,
    Dead(Fault),
    Held(String),
    Toward(Box<Goal>),
}

impl Engine {
    pub(crate) fn claimed(&mut self, name: &SystemName, claims: Vec<Claim>, now: Now, rng: &mut dyn Rng) {
        let Some(system) = self.systems.get_mut(name) else { return };
        let limit = system.claiming.take().unwrap_or(0);
        // Fewer than asked for: whatever is left tells its own time.
        system.maybe_due |= claims.len() >= limit as usize;
        self.totals.claims += claims.len() as u64;
        if claims.is_empty() && system.breaker.state() == crate::breaker::BreakerState::Probing {
            // No lane but those that failed, or none at all: one of them, at the slowest pace.
            system.breaker.forget_failed();
            system.breaker.probe_not_made(now.mono, rng);
        }
        for claim in claims {
            self.start(claim, now, rng);
        }
    }

    fn start(&mut self, claim: Claim, now: Now, rng: &mut dyn Rng) {
        let lane = claim.lane.clone();
        if let Some(system) = self.systems.get_mut(&lane.system) {
            system.in_work += 1;
            system.limiter.spend();
        }
        if claim.delivery.kind == DeliveryKind::Read {
            self.totals.calls += 1;
            let span = self.span();
            self.out.push(Effect::Read(Call {
                system: lane.system.clone(),
                lane: lane.clone(),
                fence: claim.fence,
                trace: claim.envelope.trace,
                span,
                what: claim.delivery.subject.clone(),
            }));
            self.running.insert(lane, Running::new(claim, None, Doing::Reading));
            return;
        }
        let old = kernel::clock::elapsed_ms(claim.delivery.created_at, now.wall) > 3_600_000;
        let start = if old && self.planted.is(Mutant::AgeKills) {
            Start::Dead(Fault::new(FaultKind::Transient, "too_old", "planted: age kills"))
        } else {
            self.prepare(&claim, now)
        };
        let mut running = Running::new(claim, None, Doing::Observing);
        match start {
            Start::Ended(outcome) => self.end(&lane, running, outcome, now),
            Start::Unchanged(digest) => self.end_unchanged(running, digest, now),
            Start::AfterNewer => {
                running.failures += 1;
                let wait = self.back_off(&lane, running.failures, rng).max(NEWER_FIRST);
                let text = "a newer state of the same thing".to_owned();
                let due_at = Some(now.wall_after(wait));
                let state = DeliveryState::Waiting { due_at, wait: Wait::Scheduled { text } };
                self.wait_in(&lane, running, state, now);
            }
            Start::Dead(fault) => self.die(&lane, running, fault, now),
            Start::Held(text) => {
                let state = DeliveryState::Waiting { due_at: None, wait: Wait::Condition { text } };
                self.wait_in(&lane, running, state, now);
            }
            Start::Toward(goal) => {
                running.goal = Some(*goal);
                self.approach(running, now, rng);
            }
        }
    }

    /// What the flow wants of this claim. Pure.
    fn prepare(&self, claim: &Claim, now: Now) -> Start {
        let delivery = &claim.delivery;
        let Some(payload) = &claim.payload else { return Start::Ended(Outcome::Redacted) };
        let Some(flow) = self.plan.flows.get(&delivery.flow).filter(|flow| flow.policy.mode != Mode::Off)
        else {
            return Start::Held(format!("flow {} to be configured or switched on again", delivery.flow));
        };
        if let (Some(version), Some(delivered)) = (&delivery.version, &claim.standing.delivered)
            && delivery.kind == DeliveryKind::State
            && claim.open_attempt.is_none()
            && version.against(delivered) == Order::Older
            && !self.planted.is(Mutant::OrderByArrival)
            && !self.planted.is(Mutant::AppliesOlder)
        {
            let by = claim.standing.routed_position.unwrap_or(delivery.position);
            return Start::Ended(Outcome::Superseded { by });
        }
        let state = match flow.facts.read(&claim.envelope.topic, payload) {
            Ok(state) => state,
            Err(fault) => return Start::Dead(fault),
        };
        let mut object_key = ObjectKey::of(&delivery.subject);
        if self.planted.is(Mutant::VersionInKey) {
            let version = state.updated_at.as_second();
            object_key = ObjectKey::of(&kernel::subject::Subject {
                path: format!("{}-{version}", delivery.subject.path),
                ..delivery.subject.clone()
            });
        }
        let mapped = match flow.mapper.map(&state.body, &delivery.subject, &object_key, now.wall) {
            Ok(mapped) => mapped,
            Err(fault) => return Start::Dead(fault),
        };
        let created_at = claim.standing.external.as_ref().map_or(now.wall, |external| external.created_at);
        let (stage, confirm_at) = if state.cancelled {
            (Stage::Cancelled, None)
        } else {
            match flow.facts.confirm(&state, &flow.policy, created_at, now.wall) {
                Confirm::Now => (Stage::Confirmed, None),
                Confirm::At(at) => (Stage::Present, Some(at)),
                Confirm::NotByThis => (Stage::Present, None),
            }
        };
        let digest = staged(&mapped.digest, stage);
        let mut look_only = false;
        // What is unknown is looked up first, whatever has come since.
        if delivery.kind == DeliveryKind::Step && claim.open_attempt.is_none() {
            if newer_is_pending(&claim.standing) {
                return Start::AfterNewer;
            }
            // A thing that was called off since is not pressed on, even where the mapped body is still the same.
            let stages: &[Stage] = if self.planted.is(Mutant::StepPressesOn) {
                &[Stage::Present, Stage::Confirmed, Stage::Cancelled]
            } else if state.cancelled {
                &[Stage::Cancelled]
            } else {
                &[Stage::Present, Stage::Confirmed]
            };
            let same =
                |stage: &Stage| claim.standing.delivered_digest == Some(staged(&mapped.digest, *stage));
            look_only = is_last_look(claim) && !stages.iter().any(same);
            if !look_only && !stages.iter().any(same) {
                // A newer state was delivered and has scheduled what it needs.
                let by = claim.standing.routed_position.unwrap_or(delivery.position);
                return Start::Ended(Outcome::Superseded { by });
            }
        }
        // A step is pressed by looking at the target; a person's replay asks the target as well.
        let asked_for =
            matches!(claim.envelope.via, Via::Backfill | Via::Replay) || delivery.kind == DeliveryKind::Step;
        if claim.standing.delivered_digest == Some(digest) && claim.open_attempt.is_none() && !asked_for {
            return Start::Unchanged(digest);
        }
        let fill = |pattern: &String| {
            pattern.replace("{key}", delivery.subject.key()).replace("{label}", &state.label)
        };
        let wanted = Wanted {
            subject: delivery.subject.clone(),
            object_key,
            body: mapped.body,
            stage,
            after_confirm: flow.policy.after_confirm,
            difference: flow.policy.difference.clone(),
            known: claim.standing.external.as_ref().map(|known| ExternalRef {
                id: known.id.clone(),
                number: known.number.clone(),
                state: known.state.clone(),
            }),
            also_known_as: flow.also_known_as.iter().map(fill).collect(),
        };
        let (cancelled, in_doubt) = (state.cancelled, self.is_in_doubt(claim, state.created_at));
        Start::Toward(Box::new(Goal {
            flow: flow.clone(),
            wanted,
            digest,
            confirm_at,
            cancelled,
            in_doubt,
            look_only,
        }))
    }

    /// The first call: the look-up of an unknown answer, an observation, or at once the step where nothing was ever
    /// sent and the connector allows it.
    fn approach(&mut self, mut running: Running, now: Now, rng: &mut dyn Rng) {
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
        if observe_first || !never_sent || in_doubt {
            return self.observe(running, now);
        }
        self.converge(running, Observation::unasked(), now, rng);
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

/// How soon a step looks again whether the newer state has been delivered.
const NEWER_FIRST: Duration = Duration::from_secs(30);

/// The mapped body and how far the object is to be brought: what makes two deliveries the same.
fn staged(mapped: &Digest, stage: Stage) -> Digest {
    let mut hash = Sha256::new();
    hash.update(mapped);
    hash.update([stage as u8]);
    hash.finalize().into()
}

fn newer_is_pending(standing: &Standing) -> bool {
    match (&standing.routed, &standing.delivered) {
        (Some(routed), Some(delivered)) => routed.against(delivered) == Order::Newer,
        (routed, None) => routed.is_some(),
        (None, Some(_)) => false,
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
