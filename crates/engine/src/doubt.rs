//! What a restored store does not know: a life that it has forgotten may have made any object whose order is older than
//! the restore. Until the link is known each of them is looked for before its first create, whatever the connector
//! declares, and its absence is proved as that of an unanswered call is (DESIGN promise 3 and section 7).

use crate::engine::Engine;
use crate::running::Running;
use connector::descriptor::UnknownAnswer;
use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind};
use std::time::Duration;
use store::delivery::{Claim, DeliveryState, Wait};

/// At one system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    /// What was made at its source later was never sent by a forgotten life.
    pub before: Timestamp,
    /// Whether the system can be asked for an object that it never gave us the id of.
    pub looks_up: bool,
}

/// What a look that found nothing means.
pub(crate) enum Absence {
    /// Nothing yet: look again after this, with so many counted.
    LookAgain(Duration, u8),
    Proved,
}

impl Engine {
    /// Whether a forgotten life may have made what this claim is about.
    pub(crate) fn is_in_doubt(&self, claim: &Claim, made_at: Timestamp) -> bool {
        let doubt = self.systems.get(&claim.lane.system).and_then(|system| system.plan.doubt);
        claim.standing.external.is_none() && doubt.is_some_and(|doubt| made_at < doubt.before)
    }

    /// A system that cannot be asked: a person looks, and says by a replay that it is not there.
    pub(crate) fn cannot_be_told(&self, running: &Running) -> Option<Fault> {
        let in_doubt = running.goal.as_ref().is_some_and(|goal| goal.in_doubt);
        let doubt = self.systems.get(&running.claim.lane.system).and_then(|system| system.plan.doubt)?;
        if !in_doubt || doubt.looks_up || running.claim.envelope.via == Via::Replay {
            return None;
        }
        Some(Fault::new(
            FaultKind::Ambiguous,
            "TG-5008",
            "the store was restored from a backup, and this target cannot be asked whether it has this: look there, then \
             skip this delivery if the object exists, or replay the order if it does not",
        ))
    }

    /// The target says that it has none.
    pub(crate) fn doubted_absence(&mut self, running: &Running) -> Absence {
        let Some(system) = self.systems.get(&running.claim.lane.system) else { return Absence::Proved };
        let lag = match &system.plan.unknown {
            UnknownAnswer::LookUp { lag } => *lag,
            UnknownAnswer::NativeKey { .. } | UnknownAnswer::Neither => Duration::ZERO,
        };
        let settle = system.plan.settle_after;
        let delivery = running.claim.delivery.id;
        let known = self.vanished.contains_key(&delivery);
        let since = *self.vanished.entry(delivery).or_insert(running.asked_at);
        let passed = running.asked_at.since(since);
        if passed < settle {
            // The store keeps times to the millisecond.
            return Absence::LookAgain(settle - passed + Duration::from_millis(1), 0);
        }
        let counted = match &running.claim.delivery.state {
            DeliveryState::Waiting { wait: Wait::Settle { not_there }, .. } if known => *not_there,
            _ => 0,
        };
        if counted == 0 {
            return Absence::LookAgain(lag.max(crate::unknown::SECOND_LOOK), 1);
        }
        self.vanished.remove(&delivery);
        Absence::Proved
    }
}
