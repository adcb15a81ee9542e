//! From a claimed lane to what is wanted at its target: the state is mapped, what is already there is left alone.

use crate::effect::{Call, Effect};
use crate::engine::Engine;
use crate::facts::{Admission, Confirm, History, Touched};
use crate::last_look::{gives_way, is_last_look, is_of_another_state, kept_no_more};
use crate::mutant::Mutant;
use crate::route::is_admitted_late;
use crate::running::{Doing, Goal, Look, Running};
use connector::port::{ExternalRef, Stage, Wanted};
use jiff::Timestamp;
use kernel::clock::{Mono, Now};
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind};
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
    Unchanged(Digest, Vec<Touched>),
    /// A newer state goes first.
    AfterNewer,
    /// It is about the state that was delivered last, which has to be fetched.
    Recall,
    /// It is composed otherwise by now: these are asked for anew.
    Displaced(Vec<String>),
    Dead(Fault),
    /// On a condition, at the latest until a time if there is one.
    Waits(Option<Timestamp>, String),
    Toward(Box<Goal>),
}

impl Engine {
    pub(crate) fn claimed(&mut self, name: &SystemName, claims: Vec<Claim>, now: Now, rng: &mut dyn Rng) {
        let Some(system) = self.systems.get_mut(name) else { return };
        let asked = system.claiming.take();
        let limit = asked.map_or(0, |asked| asked.limit);
        // Fewer than asked for: whatever is left tells its own time.
        system.maybe_due |= claims.len() >= limit as usize;
        self.totals.claims += claims.len() as u64;
        if claims.is_empty() && system.breaker.state() == crate::breaker::BreakerState::Probing {
            // No lane but those that failed, or none at all: one of them, at the slowest pace.
            system.breaker.forget_failed();
            system.breaker.probe_not_made(now.mono, rng);
        }
        let waited = asked.map_or(Duration::ZERO, |asked| now.mono.since(asked.at));
        if waited + system.plan.time_out > system.plan.lease && !self.planted.is(Mutant::SendAfterSleep) {
            // This process slept, or its store was long in answering: the lanes may be another's by now, and what is
            // sent again under a native key asks no commit.
            system.maybe_due = true;
            system.breaker.probe_lost(now.mono);
            let lanes = claims.into_iter().map(|claim| (claim.lane, claim.fence, None)).collect();
            self.out.push(Effect::GiveBack(lanes));
            return;
        }
        for claim in claims {
            self.start(claim, asked.map_or(now.mono, |asked| asked.at), now, rng);
        }
    }

    fn start(&mut self, claim: Claim, asked_at: Mono, now: Now, rng: &mut dyn Rng) {
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
        let mut running = Running::new(claim, None, Doing::Observing);
        running.begun_at = asked_at;
        self.set_out(running, now, rng);
    }

    /// Maps what is wanted, and makes the first call.
    pub(crate) fn set_out(&mut self, mut running: Running, now: Now, rng: &mut dyn Rng) {
        let lane = running.claim.lane.clone();
        let old = kernel::clock::elapsed_ms(running.claim.delivery.created_at, now.wall) > 3_600_000;
        let start = if old && self.planted.is(Mutant::AgeKills) {
            Start::Dead(Fault::new(FaultKind::Transient, "too_old", "planted: age kills"))
        } else {
            self.prepare(&running, now)
        };
        match start {
            Start::Recall => self.recall(running),
            Start::Displaced(paths) => self.displace(running, paths, now),
            Start::Ended(outcome) => self.end(&lane, running, outcome, now),
            Start::Unchanged(digest, touches) => self.end_unchanged(running, digest, &touches, now),
            Start::AfterNewer => self.after_newer(running, now, rng),
            Start::Dead(fault) => self.die(&lane, running, fault, now),
            Start::Waits(due_at, text) => {
                let state = DeliveryState::Waiting { due_at, wait: Wait::Condition { text } };
                self.wait_in(&lane, running, state, now);
            }
            Start::Toward(goal) => {
                running.goal = Some(*goal);
                self.approach(running, now, rng);
            }
        }
    }

    /// A newer state goes first; then it is looked whether this is still wanted.
    pub(crate) fn after_newer(&mut self, mut running: Running, now: Now, rng: &mut dyn Rng) {
        let lane = running.claim.lane.clone();
        running.failures += 1;
        let wait = self.back_off(&lane, running.failures, rng).max(NEWER_FIRST);
        let text = "a newer state of the same thing".to_owned();
        let due_at = Some(now.wall_after(wait));
        let state = DeliveryState::Waiting { due_at, wait: Wait::Scheduled { text } };
        self.wait_in(&lane, running, state, now);
    }

    /// What the flow wants of this claim. Pure.
    fn prepare(&self, running: &Running, now: Now) -> Start {
        let claim = &running.claim;
        let delivery = &claim.delivery;
        let Some(payload) = &claim.payload else { return Start::Ended(Outcome::Redacted) };
        let Some(flow) = self.plan.flows.get(&delivery.flow).filter(|flow| flow.policy.mode != Mode::Off)
        else {
            return Start::Waits(
                None,
                format!("flow {} to be configured or switched on again", delivery.flow),
            );
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
        if claim.open_attempt.is_none()
            && let Some(paths) = flow.facts.displaced(&claim.envelope.topic, &delivery.subject)
        {
            return Start::Displaced(paths);
        }
        let (mut topic, mut payload, mut version) = (&claim.envelope.topic, payload, &delivery.version);
        let is_step = delivery.kind == DeliveryKind::Step;
        if is_step && claim.open_attempt.is_none() && gives_way_to_newer(claim) {
            return Start::AfterNewer;
        }
        let mut look = if is_last_look(claim) { Look::AtOwn } else { Look::No };
        let delivered;
        if is_of_another_state(claim) {
            match (&running.recalled, &claim.open_attempt) {
                (None, _) => return Start::Recall,
                (Some(Some(recalled)), _) => {
                    delivered = Some(recalled.version.clone());
                    (topic, payload, version) = (&recalled.envelope.topic, &recalled.payload, &delivered);
                    look = Look::AtDelivered;
                }
                (Some(None), Some(open)) => return Start::Dead(kept_no_more(&open.step)),
                (Some(None), None) => look = Look::Counts,
            }
        }
        let state = match flow.facts.read(topic, payload) {
            Ok(state) => state,
            Err(fault) => return Start::Dead(fault),
        };
        if is_admitted_late(claim) {
            let history = History {
                exported: claim.standing.external.is_some(),
                attempted: claim.standing.attempted,
                named_by_backfill: claim.envelope.via == Via::Backfill,
            };
            match flow.facts.admit(&state, &flow.policy, history, now.wall) {
                Admission::Export => {}
                Admission::Wait { until, text } => return Start::Waits(until, text),
                Admission::Filtered { rule } => return Start::Ended(Outcome::Filtered { rule }),
            }
        }
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
            // What was begun was due: a clock that goes back does not make its look-up want less than it did.
            let due_by = claim.open_attempt.as_ref().map_or(now.wall, |open| open.started_at.max(now.wall));
            match flow.facts.confirm(&state, &flow.policy, created_at, due_by) {
                Confirm::Now => (Stage::Confirmed, None),
                Confirm::At(at) => (Stage::Present, Some(at)),
                Confirm::NotByThis => (Stage::Present, None),
            }
        };
        let digest = staged(&mapped.digest, stage);
        // What is unknown is looked up first, whatever has come since.
        if is_step && claim.open_attempt.is_none() {
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
            if !stages.iter().any(same) {
                if look == Look::No {
                    // A newer state was delivered and has scheduled what it needs.
                    let by = claim.standing.routed_position.unwrap_or(delivery.position);
                    return Start::Ended(Outcome::Superseded { by });
                }
                // Mapped otherwise today than when it was delivered: nothing is written that never was.
                look = Look::Counts;
            }
            if self.planted.is(Mutant::LooksAway) && look == Look::AtDelivered {
                look = Look::Counts;
            }
        }
        // A step is pressed by looking at the target; a person's replay asks the target as well.
        // What is compared and set moves with what the target has: the same state may be another value by now.
        let asked_for =
            matches!(claim.envelope.via, Via::Backfill | Via::Replay) || is_step || flow.observe_first;
        if claim.standing.delivered_digest == Some(digest) && claim.open_attempt.is_none() && !asked_for {
            return Start::Unchanged(digest, flow.facts.touches(topic, payload, &state));
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
            version: version.clone(),
            look,
            touches: flow.facts.touches(topic, payload, &state),
        }))
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

/// Whether a newer state than the one that was delivered waits, and goes first.
pub(crate) fn gives_way_to_newer(claim: &Claim) -> bool {
    newer_is_pending(&claim.standing) && gives_way(claim)
}

fn newer_is_pending(standing: &Standing) -> bool {
    match (&standing.routed, &standing.delivered) {
        (Some(routed), Some(delivered)) => routed.against(delivered) == Order::Newer,
        (routed, None) => routed.is_some(),
        (None, Some(_)) => false,
    }
}
