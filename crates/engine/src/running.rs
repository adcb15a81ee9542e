//! A lane that this engine works on: the delivery at its head, what is wanted, and where it stands between two
//! commits. Lives in memory only; whatever happens to the process, the store knows enough to go on.

use crate::facts::Touched;
use crate::last_look::Recalled;
use crate::looked::Seen;
use crate::plan::FlowPlan;
use connector::port::{ExternalRef, Observation, Observed, Step, Wanted};
use jiff::Timestamp;
use kernel::clock::Mono;
use kernel::envelope::Via;
use kernel::fault::Fault;
use kernel::id::AttemptId;
use kernel::key::CallKey;
use kernel::subject::Subject;
use kernel::version::{Digest, EffectiveVersion};
use serde_json::Value;
use store::delivery::{Claim, EndedAttempt, Move, NewDelivery, StoredRef};
use store::log::NewEnvelope;

/// What the lane waits for in memory.
#[derive(Debug)]
pub(crate) enum Doing {
    Observing,
    /// A move is being committed; then this.
    Committing(Then),
    /// The call is under way.
    Applying,
    Reading,
    /// The state that was delivered last is fetched from the log.
    Recalling,
}

#[derive(Debug)]
pub(crate) enum Then {
    /// The attempt was begun: the bytes may leave.
    Apply(CallKey, Step),
    /// The lane was given back.
    Finish,
}

/// The attempt that is open in the store.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) id: AttemptId,
    pub(crate) key: CallKey,
    pub(crate) step: Step,
    pub(crate) started_at: Timestamp,
    /// Taken over without an answer: it is being looked up, not waited for.
    pub(crate) unknown: bool,
}

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) claim: Claim,
    /// Absent for a read.
    pub(crate) goal: Option<Goal>,
    pub(crate) doing: Doing,
    pub(crate) open: Option<Open>,
    /// An answer that is not committed yet; goes with the next move.
    pub(crate) ended: Option<EndedAttempt>,
    pub(crate) spent: u32,
    pub(crate) failures: u32,
    pub(crate) calls: u32,
    /// What was seen right before the attempt that is being begun, where it is compared with what is there.
    pub(crate) seen: Option<Seen>,
    /// It goes on from the look of the state that it has overtaken.
    pub(crate) reused: bool,
    /// When the observation that is under way began: an absence is one of that moment, not of its answer's.
    pub(crate) asked_at: Mono,
    /// One was answered so late that it was asked for again.
    pub(crate) asked_twice: bool,
    /// When the attempt that is open, and before it the claim, was given to the store: the lease counts from there.
    pub(crate) begun_at: Mono,
    /// Steps applied under this claim.
    pub(crate) rounds: u32,
    pub(crate) wrote: bool,
    /// The link as it was when the lane was claimed; what differs at the end is told.
    pub(crate) told_before: Option<StoredRef>,
    /// The link that an answer gave and that is not committed yet.
    pub(crate) external: Option<StoredRef>,
    /// An unknown create was proved absent.
    pub(crate) verify: bool,
    /// An unknown call was proved absent: the last look that goes with the move which says so.
    pub(crate) look: Option<NewDelivery>,
    /// The state that was delivered last, where this row belongs to another; inner `None`: it is kept no more.
    pub(crate) recalled: Option<Option<Recalled>>,
    /// The step that was answered well last under this claim.
    pub(crate) stepped: Option<String>,
    /// A last look found that what was delivered is there no more.
    pub(crate) undone: bool,
    /// The move that is being committed, for trying again when the store could not.
    pub(crate) last_move: Option<Move>,
    pub(crate) retry_move: bool,
}

/// What is wanted at the target.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) flow: FlowPlan,
    pub(crate) wanted: Wanted,
    /// Of the mapped body and the stage.
    pub(crate) digest: Digest,
    pub(crate) confirm_at: Option<Timestamp>,
    pub(crate) cancelled: bool,
    /// A life that the store has forgotten may have made it.
    pub(crate) in_doubt: bool,
    /// The version that is wanted: mostly that of the delivery.
    pub(crate) version: Option<EffectiveVersion>,
    pub(crate) look: Look,
    /// What is read again once the target has it.
    pub(crate) touches: Vec<Touched>,
}

/// Whether this is a last look, and at what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// It is none.
    No,
    /// At what its own state wanted.
    AtOwn,
    /// At what another state wanted that was delivered last.
    AtDelivered,
    /// What was delivered last is kept no more: only whether there is one object.
    Counts,
}

impl Running {
    pub(crate) fn new(claim: Claim, goal: Option<Goal>, doing: Doing) -> Self {
        let (spent, failures, calls) = (claim.delivery.spent, claim.delivery.failures, claim.delivery.calls);
        let told_before = claim.standing.external.clone();
        Self {
            claim,
            goal,
            doing,
            open: None,
            ended: None,
            spent,
            failures,
            calls,
            seen: None,
            reused: false,
            asked_at: Mono::default(),
            asked_twice: false,
            begun_at: Mono::default(),
            rounds: 0,
            wrote: false,
            told_before,
            external: None,
            verify: false,
            look: None,
            recalled: None,
            stepped: None,
            undone: false,
            last_move: None,
            retry_move: false,
        }
    }

    /// An empty move of this lane.
    pub(crate) fn movement(&mut self, at: Timestamp) -> Move {
        Move {
            lane: self.claim.lane.clone(),
            fence: self.claim.fence,
            delivery: self.claim.delivery.id,
            at,
            ended: self.ended.take(),
            begun: None,
            state: None,
            spent: self.spent,
            failures: self.failures,
            dead: None,
            external: self.external.take(),
            delivered: None,
            follow_ups: Vec::new(),
            schedule: self.look.take().into_iter().collect(),
            keep: false,
        }
    }

    /// The target told of the object: from now on it is known to exist, whatever a search says.
    pub(crate) fn exists(&mut self, external: StoredRef) {
        if let Some(goal) = &mut self.goal {
            goal.wanted.known = Some(ExternalRef {
                id: external.id.clone(),
                number: external.number.clone(),
                state: external.state.clone(),
            });
        }
        self.claim.standing.external = Some(external.clone());
        self.external = Some(external);
    }

    /// A fact that follows from what its target did: its source is that system, and its time is now.
    pub(crate) fn told(&self, topic: &str, subject: Subject, payload: &Value, now: Timestamp) -> NewEnvelope {
        let payload = payload.to_string().into_bytes();
        NewEnvelope {
            source: self.claim.lane.system.clone(),
            subject,
            occurred_at: now,
            received_at: now,
            ..NewEnvelope::follows(&self.claim.envelope, topic.to_owned(), Via::Outcome, payload)
        }
    }

    /// The open attempt was answered, or a look-up told what became of it.
    pub(crate) fn end_attempt(&mut self, at: Timestamp, fault: Option<Fault>, by_look_up: Option<bool>) {
        if let Some(open) = self.open.take() {
            self.ended = Some(EndedAttempt { id: open.id, ended_at: at, fault, by_look_up });
        }
    }
}

/// The link as it is stored: its first sight is when it came to be, as far as we know.
pub(crate) fn stored_ref(
    wanted: &Wanted,
    external: &ExternalRef,
    adopted: bool,
    known: Option<&StoredRef>,
    now: Timestamp,
) -> StoredRef {
    StoredRef {
        object_key: wanted.object_key.clone(),
        id: external.id.clone(),
        number: external.number.clone(),
        state: external.state.clone(),
        created_at: known.filter(|known| known.id == external.id).map_or(now, |known| known.created_at),
        adopted: adopted || known.is_some_and(|known| known.adopted),
    }
}

/// The one object that was observed.
pub(crate) fn the_one(observation: &Observation) -> Option<&connector::port::ObjectState> {
    match &observation.object {
        Observed::One(state) => Some(state),
        Observed::None | Observed::Many(_) => None,
    }
}
