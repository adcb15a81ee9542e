//! The last look: an answer was unknown, its absence was proved, and the request may still be on its way (a node that
//! sleeps with it in its socket, a target that is slower than it declares). No fence stops it. Some time later the
//! target is observed once more and brought to what was delivered last, like any other convergence: a second object is
//! told of, a newer state that was undone is written again, once.
//!
//! The look is a row that is committed along with the proof. It refuses to write what was never delivered, and to write
//! twice.

use crate::effect::Effect;
use crate::engine::Engine;
use crate::notice::What;
use crate::running::{Doing, Goal, Running};
use bytes::Bytes;
use connector::port::Step;
use jiff::Timestamp;
use kernel::clock::{Now, after};
use kernel::envelope::{Envelope, Priority};
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::id::FlowName;
use kernel::rng::Rng;
use kernel::subject::{Lane, Subject};
use kernel::version::{EffectiveVersion, Order};
use std::time::Duration;
use store::delivery::{Claim, DeliveryKind, DeliveryState, NewDelivery, Wait};
use store::port::{Store, StoreResult};

/// How long after an absence was proved: what the target carried out later than `settle_after` shows by then.
pub(crate) const LAST_LOOK_AFTER: Duration = Duration::from_secs(600);

/// What such a step waits for. It stands beside other steps of its subject.
const LAST_LOOK: &str = "a last look: an answer was unknown and it was made again";

/// How often a last look gives way to a newer state that is not delivered yet. One that never is (dead, skipped) does
/// not keep what was delivered from being looked at.
const GIVES_WAY_MAX: u32 = 20;

/// What a last look that wrote tells whoever reads the order.
pub(crate) const UNDONE: &str =
    "a call that had gone unanswered was carried out late and had undone this: written once more";

/// Asks for the payload of the state that was delivered last.
#[derive(Debug, Clone, PartialEq)]
pub struct Recall {
    pub lane: Lane,
    pub fence: i64,
    pub flow: FlowName,
    pub subject: Subject,
    pub version: EffectiveVersion,
}

/// The state that was delivered last.
#[derive(Debug, Clone, PartialEq)]
pub struct Recalled {
    pub version: EffectiveVersion,
    pub envelope: Envelope,
    pub payload: Bytes,
}

/// From the log; `None` if it is kept no more.
pub async fn recall(store: &dyn Store, asked: &Recall) -> StoreResult<Option<Recalled>> {
    let life = store.life(&asked.lane.shop, &asked.lane.root).await?;
    let is_it = |version: &EffectiveVersion| version.against(&asked.version) == Order::Same;
    let of_state = life.deliveries.iter().filter(|delivery| {
        delivery.kind == DeliveryKind::State
            && delivery.flow == asked.flow
            && delivery.subject == asked.subject
            && delivery.version.as_ref().is_some_and(is_it)
    });
    let Some(newest) = of_state.max_by_key(|delivery| delivery.id) else { return Ok(None) };
    let envelope = life.envelopes.into_iter().map(|(envelope, _)| envelope);
    let Some(envelope) = envelope.into_iter().find(|envelope| envelope.position == newest.position) else {
        return Ok(None);
    };
    let payload = store.delivery_payload(newest.id).await?;
    Ok(payload.map(|payload| Recalled { version: asked.version.clone(), envelope, payload }))
}

impl Engine {
    /// Goes with the move that ends the attempt, whatever comes after it: another attempt, a dead letter, a newer state.
    pub(crate) fn last_look(&mut self, running: &Running, now: Now) -> Option<NewDelivery> {
        let goal = running.goal.as_ref()?;
        let system = &running.claim.lane.system;
        let settle = self.systems.get(system).map_or(Duration::ZERO, |system| system.plan.settle_after);
        let wait = LAST_LOOK_AFTER.max(settle);
        self.due_in(system, wait, now);
        Some(later(running, goal, after(now.wall, wait), LAST_LOOK))
    }

    /// A last look is about to write; `false`: it has, and was undone again.
    pub(crate) fn writes_once_more(&mut self, running: &mut Running, goal: &Goal, step: &Step) -> bool {
        if running.stepped.as_ref() == Some(&step.name) {
            return false;
        }
        if running.claim.standing.delivered_digest == Some(goal.digest) && !running.undone {
            running.undone = true;
            let (system, subject) = (running.claim.lane.system.clone(), goal.wanted.subject.clone());
            self.raise(Severity::Ticket, What::LateApply { system, subject });
        }
        true
    }

    /// The payload of this claim is not of the state that was delivered last: that one is asked for.
    pub(crate) fn recall(&mut self, mut running: Running) {
        let claim = &running.claim;
        let Some(version) = claim.standing.delivered.clone() else { return };
        let lane = claim.lane.clone();
        self.out.push(Effect::Recall(Recall {
            lane: lane.clone(),
            fence: claim.fence,
            flow: claim.delivery.flow.clone(),
            subject: claim.delivery.subject.clone(),
            version,
        }));
        running.doing = Doing::Recalling;
        self.running.insert(lane, running);
    }

    pub(crate) fn recalled(
        &mut self,
        lane: &Lane,
        fence: i64,
        recalled: Option<Recalled>,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        let Some(mut running) = self.take(lane, fence) else { return };
        if self.has_overslept(&running, now) {
            // What is sent again under a native key asks no commit (seed 5806).
            self.out.push(Effect::GiveBack(vec![(lane.clone(), fence, None)]));
            return self.leave(lane, now);
        }
        running.recalled = Some(recalled);
        self.set_out(running, now, rng);
    }

    /// The store could not say: asked again a little later.
    pub(crate) fn recall_failed(&mut self, lane: &Lane, again_in: Duration, now: Now) {
        let Some(running) = self.running.remove(lane) else { return };
        if !matches!(running.doing, Doing::Recalling) {
            self.running.insert(lane.clone(), running);
            return;
        }
        if running.claim.open_attempt.is_some() {
            return self.look_again(lane, running, again_in, now);
        }
        let state = DeliveryState::Waiting { due_at: Some(now.wall_after(again_in)), wait: Wait::Turn };
        self.wait_in(lane, running, state, now);
    }
}

/// Whether this claim is the last look after an unknown answer.
pub(crate) fn is_last_look(claim: &Claim) -> bool {
    let state = &claim.delivery.state;
    matches!(state, DeliveryState::Waiting { wait: Wait::Scheduled { text }, .. } if text == LAST_LOOK)
}

/// Whether it is about another state than the one that its row belongs to. A write of a last look that went without an
/// answer is of that other state too.
pub(crate) fn is_of_another_state(claim: &Claim) -> bool {
    let looks = is_last_look(claim) || claim.open_attempt.is_some();
    let (Some(version), Some(delivered)) = (&claim.delivery.version, &claim.standing.delivered) else {
        return false;
    };
    claim.delivery.kind == DeliveryKind::Step && looks && version.against(delivered) != Order::Same
}

/// Whether a newer state goes first, which then sees to all that a look would.
pub(crate) fn gives_way(claim: &Claim) -> bool {
    !is_last_look(claim) || claim.delivery.failures < GIVES_WAY_MAX
}

/// A last look that waits, waits for its next try as what it is: taken for a common step it would give way to the newer
/// state that was delivered meanwhile, and nobody would look (seed 612).
pub(crate) fn still_a_last_look(claim: &Claim, state: DeliveryState) -> DeliveryState {
    match state {
        DeliveryState::Waiting {
            due_at,
            wait: Wait::Backoff { .. } | Wait::Turn | Wait::Scheduled { .. },
        } if is_last_look(claim) => {
            DeliveryState::Waiting { due_at, wait: Wait::Scheduled { text: LAST_LOOK.to_owned() } }
        }
        state => state,
    }
}

/// Written once more, answered well, and still not as it should be: somebody else writes there.
pub(crate) fn undone_again(step: &str) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "undone_again",
        format!(
            "a call that had gone unanswered was carried out late; {step} was made once more, and the target still has \
             something else: see there who writes to it, then replay the order"
        ),
    )
}

/// The state that was delivered is kept no more, and a write of it is without an answer.
pub(crate) fn kept_no_more(step: &str) -> Fault {
    Fault::new(
        FaultKind::Ambiguous,
        "kept_no_more",
        format!(
            "the answer to {step} is unknown, and what it brought is kept no more: look at the target, then replay the \
             order if it is not as it should be, or skip this"
        ),
    )
}

/// A step that waits: a row with a time; no attempt, holds no lane. It takes the place of none, because that could be a
/// last look; what a newer state has made needless ends when its time comes.
pub(crate) fn later(running: &Running, goal: &Goal, at: Timestamp, text: &str) -> NewDelivery {
    NewDelivery {
        flow: goal.flow.name.clone(),
        lane: running.claim.lane.clone(),
        subject: running.claim.delivery.subject.clone(),
        kind: DeliveryKind::Step,
        state: DeliveryState::Waiting { due_at: Some(at), wait: Wait::Scheduled { text: text.to_owned() } },
        version: running.claim.delivery.version.clone(),
        priority: Priority::Live,
        supersedes: false,
        fault: None,
        changed_at: at,
    }
}
