//! How a lane is left: done, dead, waiting; with all that the outcome implies in the same transaction.

use crate::effect::Effect;
use crate::engine::Engine;
use crate::facts::{AGAIN, Touched};
use crate::last_look::{UNDONE, later, still_a_last_look};
use crate::notice::What;
use crate::refusal;
use crate::route::COMPOSED;
use crate::running::{Doing, Goal, Look, Running, Then, stored_ref};
use connector::port::{Done, Found, Part, Read, Stage};
use kernel::clock::Now;
use kernel::envelope::{FactKind, Priority, Via};
use kernel::fault::Fault;
use kernel::rng::Rng;
use kernel::subject::{Lane, Subject};
use kernel::version::{Digest, EffectiveVersion, Order};
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use store::delivery::{Claim, DeliveryKind, DeliveryState, Move, Outcome, StoredRef};
use store::log::{DedupeKey, NewEnvelope};

/// The rule under which domains keep out what was called off before it was made; here it was found at the target.
const CANCELLED_BEFORE_EXPORT: &str = "cancelled_before_export";

impl Engine {
    /// The target has what is wanted.
    pub(crate) fn finish(&mut self, lane: &Lane, mut running: Running, goal: &Goal, done: &Done, now: Now) {
        let nothing_there = done.external.id.is_empty() && running.claim.standing.external.is_none();
        let outcome = if goal.cancelled && nothing_there && !running.wrote {
            // A create was tried, came to nothing, and is not wanted any more.
            Outcome::Filtered { rule: CANCELLED_BEFORE_EXPORT.to_owned() }
        } else if running.wrote || !done.unchanged {
            self.totals.delivered += 1;
            let undone = running.undone.then(|| UNDONE.to_owned());
            Outcome::Delivered { note: done.note.clone().or(undone) }
        } else {
            self.totals.unchanged += 1;
            Outcome::Unchanged
        };
        let known = running.claim.standing.external.clone();
        let external = stored_ref(&goal.wanted, &done.external, done.adopted, known.as_ref(), now.wall);
        // A step leaves the version as it was: it brings no state.
        let version = match running.claim.delivery.kind {
            DeliveryKind::Step => running.claim.standing.delivered.clone(),
            _ => running.claim.delivery.version.clone(),
        };
        let mut movement = running.movement(now.wall);
        // The state that a last look is about has scheduled what it needs.
        let schedules = goal.wanted.stage == Stage::Present && !goal.cancelled && goal.look == Look::No;
        if let Some(at) = goal.confirm_at.filter(|_| schedules) {
            movement.schedule.push(later(&running, goal, at, "the time to confirm"));
        }
        for step in &movement.schedule {
            if let DeliveryState::Waiting { due_at: Some(at), .. } = &step.state {
                let wait = Duration::try_from(at.duration_since(now.wall)).unwrap_or(Duration::ZERO);
                self.due_in(&lane.system, wait, now);
            }
        }
        movement.state = Some(DeliveryState::Ended(outcome));
        // A target that has nothing and needs nothing (cancelled before it was made) gives no link.
        movement.external = Some(external).filter(|external| !external.id.is_empty());
        movement.delivered = Some((version, refusal::kept(&running, goal.digest)));
        movement.follow_ups.extend(refusal::taken(&running, goal.flow.tells_refusals, now.wall));
        let wrote = running.wrote || !done.unchanged;
        let touches = goal.touches.iter().filter(|touched| wrote || !touched.written);
        movement.follow_ups.extend(touches.map(|touched| again(&running, touched, now.wall)));
        if running.reused {
            // What the older look did not show of what has happened since is seen to once more.
            let (domain, path) =
                (running.claim.envelope.domain.clone(), running.claim.delivery.subject.path.clone());
            movement.follow_ups.push(again(
                &running,
                &Touched { domain, path, once: false, written: false },
                now.wall,
            ));
        }
        self.last_tried.remove(&running.claim.delivery.id);
        self.vanished.remove(&running.claim.delivery.id);
        self.commit(running, movement, Then::Finish);
    }

    /// Ends without the target's word: filtered, superseded, unchanged, redacted, shadowed.
    pub(crate) fn end(&mut self, lane: &Lane, mut running: Running, outcome: Outcome, now: Now) {
        match &outcome {
            Outcome::Superseded { .. } => self.totals.superseded += 1,
            Outcome::Unchanged => self.totals.unchanged += 1,
            _ => {}
        }
        let flow = self.plan.flows.get(&running.claim.delivery.flow);
        let tells = flow.is_some_and(|flow| flow.tells_refusals);
        let not_wanted = matches!(outcome, Outcome::Filtered { .. });
        let mut movement = running.movement(now.wall);
        movement.follow_ups.extend(refusal::taken(&running, tells && not_wanted, now.wall));
        // It was carried out, and has been overtaken since: whoever had looked before that has to look again.
        let goal = running.goal.as_ref().filter(|goal| goal.flow.observe_first && running.wrote);
        if let (Some(goal), Outcome::Superseded { .. }) = (goal, &outcome)
            && is_newest(&running.claim)
        {
            movement.delivered = Some((running.claim.delivery.version.clone(), goal.digest));
        }
        movement.state = Some(DeliveryState::Ended(outcome));
        self.last_tried.remove(&running.claim.delivery.id);
        self.vanished.remove(&running.claim.delivery.id);
        let _ = lane;
        self.commit(running, movement, Then::Finish);
    }

    /// Not sent as it was routed: what is composed of what was changed since, so these are asked for anew.
    pub(crate) fn displace(&mut self, mut running: Running, paths: Vec<String>, now: Now) {
        let domain = running.claim.envelope.domain.clone();
        let touched = |path| Touched { domain: domain.clone(), path, once: false, written: false };
        let anew = paths.into_iter().map(|path| again(&running, &touched(path), now.wall)).collect();
        let mut movement = running.movement(now.wall);
        movement.state = Some(DeliveryState::Ended(Outcome::Filtered { rule: COMPOSED.to_owned() }));
        movement.follow_ups = anew;
        self.last_tried.remove(&running.claim.delivery.id);
        self.vanished.remove(&running.claim.delivery.id);
        self.commit(running, movement, Then::Finish);
    }

    /// Found unchanged without a call: the target has this version too.
    pub(crate) fn end_unchanged(
        &mut self,
        mut running: Running,
        digest: Digest,
        touches: &[Touched],
        now: Now,
    ) {
        self.totals.unchanged += 1;
        let version = running.claim.delivery.version.clone();
        let mut movement = running.movement(now.wall);
        movement.state = Some(DeliveryState::Ended(Outcome::Unchanged));
        movement.delivered = Some((version, digest));
        let touches = touches.iter().filter(|touched| !touched.written);
        movement.follow_ups.extend(touches.map(|touched| again(&running, touched, now.wall)));
        self.commit(running, movement, Then::Finish);
    }

    pub(crate) fn die(&mut self, lane: &Lane, mut running: Running, fault: Fault, now: Now) {
        self.totals.dead += 1;
        self.forget(&running);
        let delivery = &running.claim.delivery;
        self.raise(
            fault.kind.severity(),
            What::DeadLetter {
                system: lane.system.clone(),
                flow: delivery.flow.clone(),
                subject: delivery.subject.clone(),
                fault: fault.clone(),
            },
        );
        self.last_tried.remove(&running.claim.delivery.id);
        self.vanished.remove(&running.claim.delivery.id);
        if running.open.is_some() {
            running.end_attempt(now.wall, Some(fault.clone()), None);
        }
        let mut movement = running.movement(now.wall);
        movement.state = Some(DeliveryState::Dead);
        if let Some((told, digest)) = refusal::refused(&running, &fault, now.wall) {
            movement.delivered = Some((running.claim.standing.delivered.clone(), digest));
            movement.follow_ups.push(told);
        }
        movement.dead = Some(fault);
        self.commit(running, movement, Then::Finish);
    }

    /// Gives the lane back until a time or a condition.
    pub(crate) fn wait_in(&mut self, lane: &Lane, mut running: Running, state: DeliveryState, now: Now) {
        if let DeliveryState::Waiting { due_at: Some(at), .. } | DeliveryState::Unknown { due_at: at, .. } =
            &state
        {
            let wait = Duration::try_from(at.duration_since(now.wall)).unwrap_or(Duration::ZERO);
            self.due_in(&lane.system, wait, now);
        }
        let mut movement = running.movement(now.wall);
        movement.state = Some(still_a_last_look(&running.claim, state));
        self.commit(running, movement, Then::Finish);
    }

    pub(crate) fn commit(&mut self, mut running: Running, mut movement: Move, then: Then) {
        if let Some(external) = &movement.external {
            // Told with the commit that makes it known: a process that dies right after has told it.
            let tells = running.goal.as_ref().is_some_and(|goal| goal.flow.tells);
            let last = matches!(movement.state, Some(DeliveryState::Ended(_)));
            let news = running.told_before.as_ref().is_none_or(|before| tells_more(before, external));
            if tells && news && (last || external.number.is_some()) {
                movement.follow_ups.push(told(&running, external, movement.at));
                running.told_before = Some(external.clone());
            }
        }
        running.doing = Doing::Committing(then);
        running.last_move = Some(movement.clone());
        self.running.insert(movement.lane.clone(), running);
        self.moves.push(movement);
    }

    /// The lane if it is ours under this fence; an answer to an earlier claim is nobody's.
    pub(crate) fn take(&mut self, lane: &Lane, fence: i64) -> Option<Running> {
        let running = self.running.get(lane)?;
        let awaited =
            matches!(running.doing, Doing::Observing | Doing::Applying | Doing::Reading | Doing::Recalling);
        if running.claim.fence != fence || !awaited {
            return None;
        }
        self.running.remove(lane)
    }

    /// The lane is free again; what waits behind may be due.
    pub(crate) fn leave(&mut self, lane: &Lane, now: Now) {
        if let Some(system) = self.systems.get_mut(&lane.system) {
            system.in_work = system.in_work.saturating_sub(1);
            system.maybe_due = true;
            system.last_done = Some(now.mono);
            if system.in_work == 0 {
                // A probe that ended without a word of the target is made again.
                system.breaker.probe_lost(now.mono);
            }
        }
    }

    /// What was read is appended.
    pub(crate) fn has_read(
        &mut self,
        lane: &Lane,
        fence: i64,
        result: Result<Found, Fault>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let Some(mut running) = self.take(lane, fence) else { return };
        let found = match result {
            Ok(found) => found,
            Err(fault) => return self.failed(running, fault, false, now, rng),
        };
        self.went_well(lane, now);
        let mut movement = running.movement(now.wall);
        movement.follow_ups = match found {
            Found::Nothing => Vec::new(),
            Found::State(read) => vec![state_read(&running, read, None, now.wall)],
            Found::Parts(parts) => {
                let part = |part: Part| state_read(&running, part.read, Some(part.path), now.wall);
                parts.into_iter().map(part).collect()
            }
        };
        let is_there = !movement.follow_ups.is_empty();
        if is_there {
            self.out.push(Effect::FetchNextDue);
        }
        movement.state = Some(DeliveryState::Ended(Outcome::Read { found: is_there }));
        self.commit(running, movement, Then::Finish);
    }
}

/// The answer of a read as an envelope; routing does the rest. A part of what was asked for never changes, so that it is taken up once.
fn state_read(running: &Running, read: Read, part: Option<String>, now: jiff::Timestamp) -> NewEnvelope {
    let asked = &running.claim.envelope;
    let once = part.as_ref().map(|path| {
        DedupeKey::of_system(&asked.source, &asked.domain, &read.topic, &format!("{}/{path}", asked.shop))
    });
    let of_part = |path| Subject { shop: asked.shop.clone(), path };
    // It may be composed of the envelope's subject, and be another one: as new, and as pressing, as what it was composed for.
    let own = &running.claim.delivery.subject;
    let (via, occurred_at) = match asked.via {
        _ if *own == asked.subject => (Via::Read, read.updated_at),
        Via::Outcome => (Via::Outcome, asked.occurred_at),
        _ if running.claim.delivery.priority == Priority::Backfill => (Via::Backfill, asked.occurred_at),
        _ => (Via::Read, asked.occurred_at),
    };
    NewEnvelope {
        subject: part.map_or_else(|| own.clone(), of_part),
        version: read.sequence.map(|sequence| EffectiveVersion::Sequence { sequence }),
        occurred_at,
        received_at: now,
        dedupe: once,
        ..NewEnvelope::follows(asked, read.topic, via, read.payload)
    }
}

/// Whether the target's link says something new to those who copy it.
fn tells_more(known: &StoredRef, external: &StoredRef) -> bool {
    known.id != external.id || known.number != external.number || known.state != external.state
}

/// What a hint of our own holds.
const NOTHING: &[u8] = b"{}";

/// The hint that something is to be read at the source, because the target has this now.
fn again(running: &Running, touched: &Touched, now: jiff::Timestamp) -> NewEnvelope {
    let envelope = &running.claim.envelope;
    let id = format!("{}/{}", envelope.shop, touched.path);
    let once = touched.once.then(|| DedupeKey::of_system(&envelope.source, &touched.domain, AGAIN, &id));
    NewEnvelope {
        shop: envelope.shop.clone(),
        domain: touched.domain.clone(),
        source: envelope.source.clone(),
        topic: AGAIN.to_owned(),
        kind: FactKind::Hint,
        via: Via::Outcome,
        subject: Subject { shop: envelope.shop.clone(), path: touched.path.clone() },
        version: None,
        occurred_at: now,
        received_at: now,
        trace: envelope.trace,
        raw_hash: Sha256::digest(NOTHING).into(),
        raw_bytes: 0,
        dedupe: once,
        payload: NOTHING.to_vec().into(),
    }
}

/// The fact that the target has the object under this number: what a write-back flow takes up.
fn told(running: &Running, external: &StoredRef, now: jiff::Timestamp) -> NewEnvelope {
    let payload = serde_json::json!({
        "id": external.id,
        "number": external.number,
        "state": external.state,
        "object_key": external.object_key.as_str(),
        "told_at": now.to_string(),
    });
    running.told("object/told", running.claim.delivery.subject.clone(), &payload, now)
}

/// Whether a state is no older than what was delivered last.
fn is_newest(claim: &Claim) -> bool {
    let (Some(own), kind) = (&claim.delivery.version, claim.delivery.kind) else { return false };
    let delivered = claim.standing.delivered.as_ref();
    kind == DeliveryKind::State && delivered.is_none_or(|delivered| own.against(delivered) != Order::Older)
}
