//! Answers that are unknown (DESIGN promise 3): absence proves nothing before `settle_after` has passed on this
//! process's monotonic clock, and the look-up has then said "not there" twice.

use crate::engine::{Engine, Found};
use crate::mutant::Mutant;
use crate::running::Running;
use connector::descriptor::UnknownAnswer;
use kernel::clock::Now;
use kernel::fault::{Fault, FaultKind};
use kernel::rng::Rng;
use kernel::subject::Lane;
use std::time::Duration;
use store::delivery::{DeliveryState, Wait};

/// Between the two look-ups that prove an absence, at least.
pub(crate) const SECOND_LOOK: Duration = Duration::from_secs(1);

impl Engine {
    /// The call's answer is not conclusive, or a look-up of it failed: it stays unknown and is looked up later. It
    /// never dies of that; an absence has to be proved first.
    pub(crate) fn stays_unknown(
        &mut self,
        lane: &Lane,
        mut running: Running,
        fault: &Fault,
        now: Now,
        rng: &mut dyn Rng,
    ) {
        if let Some(open) = &running.open {
            self.found.entry(open.id).or_insert(Found { at: now.mono, not_there: 0 });
            if !open.unknown {
                self.totals.unknown += 1;
            }
        }
        running.failures += 1;
        let wait = fault.retry_after.unwrap_or_else(|| self.back_off(lane, running.failures, rng));
        self.look_again(lane, running, wait, now);
    }

    /// The look-up said "not there". `Some`: that proves nothing yet; look again after this.
    pub(crate) fn not_there(&mut self, running: &Running) -> Option<Duration> {
        let open = running.open.as_ref()?;
        let system = self.systems.get(&running.claim.lane.system)?;
        let lag = match &system.plan.unknown {
            UnknownAnswer::LookUp { lag } => *lag,
            UnknownAnswer::NativeKey { .. } | UnknownAnswer::Neither => Duration::ZERO,
        };
        let settle =
            if self.planted.is(Mutant::SettleZero) { Duration::ZERO } else { system.plan.settle_after };
        let found = self.found.entry(open.id).or_insert(Found { at: running.asked_at, not_there: 0 });
        let passed = running.asked_at.since(found.at);
        if passed < settle {
            // The store keeps times to the millisecond.
            return Some(settle - passed + Duration::from_millis(1));
        }
        found.not_there += 1;
        let looks = if self.planted.is(Mutant::OneLook) { 1 } else { 2 };
        (found.not_there < looks && !self.planted.is(Mutant::SettleZero)).then_some(lag.max(SECOND_LOOK))
    }

    /// The absence is proved: the attempt ends, the change may be sent again under a new call key. False: attempts end.
    pub(crate) fn proved_absent(&mut self, running: &mut Running, now: Now) -> bool {
        let lane = running.claim.lane.clone();
        running.verify = running.open.as_ref().is_some_and(|open| open.step.creates);
        running.look = self.last_look(running, now);
        running.stepped = None;
        let fault = Fault::new(
            FaultKind::Ambiguous,
            "proved_absent",
            "looked up twice after its time: not carried out",
        );
        self.forget(running);
        running.end_attempt(now.wall, Some(fault), Some(false));
        let before = self.last_tried.insert(running.claim.delivery.id, now.mono);
        let Some(system) = self.systems.get(&lane.system) else { return true };
        if system.well_without(&lane, before) || self.planted.is(Mutant::OutageSpendsAttempts) {
            running.spent += 1;
        }
        running.spent < system.plan.attempts_max
    }

    /// Its time has passed, and what the target has does not show whether the call was carried out: the step that is
    /// planned comes before it as well as after it. It is on its way no more, and what is there is gone on from.
    pub(crate) fn ends_hidden(&mut self, running: &mut Running, now: Now) {
        running.look = self.last_look(running, now);
        running.stepped = None;
        running.wrote = true;
        let text =
            "looked up twice after its time: another step comes first, whether or not it was carried out";
        self.forget(running);
        running.end_attempt(
            now.wall,
            Some(Fault::new(FaultKind::Ambiguous, "does_not_show", text)),
            Some(false),
        );
    }

    pub(crate) fn look_again(&mut self, lane: &Lane, running: Running, wait: Duration, now: Now) {
        let not_there =
            running.open.as_ref().and_then(|open| self.found.get(&open.id)).map_or(0, |f| f.not_there);
        let state = DeliveryState::Unknown { due_at: now.wall_after(wait), wait: Wait::Settle { not_there } };
        self.wait_in(lane, running, state, now);
    }

    /// What became of the attempt is known.
    pub(crate) fn forget(&mut self, running: &Running) {
        if let Some(open) = &running.open {
            self.found.remove(&open.id);
        }
    }

    pub(crate) fn back_off(&self, lane: &Lane, failures: u32, rng: &mut dyn Rng) -> Duration {
        if self.planted.is(Mutant::Hammer) {
            return Duration::from_millis(1);
        }
        self.systems.get(&lane.system).map_or(Duration::from_secs(1), |s| s.plan.backoff.after(failures, rng))
    }
}
