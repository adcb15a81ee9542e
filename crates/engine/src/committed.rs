//! What a committed move leads to: the bytes leave, or the lane is left; or it was lost to another. Owns the last
//! moment at which a request can still be held back.

use crate::effect::{Effect, Ending};
use crate::engine::Engine;
use crate::mutant::Mutant;
use crate::overview::Accepted;
use crate::running::{Doing, Open, Running, Then};
use kernel::clock::{Now, elapsed_ms};
use kernel::envelope::{Priority, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::rng::Rng;
use kernel::subject::Lane;
use store::delivery::{DeliveryState, Move, Moved, Outcome, Wait};

impl Engine {
    /// A move was committed, or the lane is not ours any more.
    pub(crate) fn advanced(&mut self, lane: &Lane, moved: Moved, now: Now, rng: &mut dyn Rng) {
        let Some(mut running) = self.running.remove(lane) else { return };
        let last_move = running.last_move.take();
        let Doing::Committing(then) = std::mem::replace(&mut running.doing, Doing::Observing) else {
            self.running.insert(lane.clone(), running);
            return;
        };
        match (moved, then) {
            (Moved::Lost, then) => {
                self.forget(&running);
                if let (Then::Apply(..), Some(seen)) = (then, running.seen.take()) {
                    self.looked.keep(lane.clone(), seen, now.mono);
                }
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
    pub(crate) fn has_overslept(&self, running: &Running, now: Now) -> bool {
        let Some(system) = self.systems.get(&running.claim.lane.system) else { return false };
        let passed = now.mono.since(running.begun_at);
        passed + system.plan.time_out > system.plan.lease && !self.planted.is(Mutant::SendAfterSleep)
    }

    /// Whether an observation is older than a lease: this process slept, and a call that was on its way may have changed
    /// what it shows. Asked again once; a target that takes so long each time is taken at its word.
    pub(crate) fn is_asked_again(&self, running: &mut Running, now: Now) -> bool {
        let Some(system) = self.systems.get(&running.claim.lane.system) else { return false };
        let is_old = now.mono.since(running.asked_at) > system.plan.lease;
        is_old && !std::mem::replace(&mut running.asked_twice, true)
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
        shop: delivery.subject.shop.clone(),
        accepted: is_news(running, delivered).then_some(Accepted {
            changed_at: delivery.changed_at,
            heard_at: delivery.created_at,
            accepted_at: last.at,
        }),
    })
}

/// Whether its source changed it, and the target has that now: not what was taken up again, nor what follows from an outcome.
fn is_news(running: &Running, delivered: bool) -> bool {
    let claim = &running.claim;
    delivered && claim.delivery.priority != Priority::Backfill && claim.envelope.via != Via::Outcome
}
