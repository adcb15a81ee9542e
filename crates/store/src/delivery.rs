//! Deliveries, their lanes and attempts: the rows, and the one write by which a lane moves on.

use crate::log::NewEnvelope;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::{Envelope, FactKind, Priority};
use kernel::fault::{Fault, FaultKind};
use kernel::id::{AttemptId, DeliveryId, FlowName, Position};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use kernel::version::{Digest, EffectiveVersion};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How a delivery stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeliveryState {
    /// Due at a time, or on a condition (`due_at` absent).
    Waiting {
        due_at: Option<Timestamp>,
        wait: Wait,
    },
    /// An attempt is committed as `sending` and not yet answered, or its answer is unknown. `due_at` is the next
    /// look-up.
    Unknown {
        due_at: Timestamp,
        wait: Wait,
    },
    Dead,
    Ended(Outcome),
}

/// What a waiting delivery waits for, as far as the store knows. Breaker, limit and pause are the engine's to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Wait {
    /// Nothing: its turn in the lane or at the system.
    Turn,
    Backoff {
        failures: u32,
        fault: FaultKind,
        code: String,
    },
    /// The time after which absence counts, and the look-ups until then.
    Settle {
        not_there: u8,
    },
    /// `paid`, `authorised`: a newer state will meet it.
    Condition {
        text: String,
    },
    /// `confirm after 15m`.
    Scheduled {
        text: String,
    },
    /// The subject is in doubt; it is being read.
    Reading,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wait::Turn => f.write_str("its turn"),
            Wait::Backoff { failures, fault, code } => {
                write!(f, "back-off after {failures} failures ({fault}: {code})")
            }
            Wait::Settle { not_there } => {
                write!(f, "certainty about an unknown answer (not there {not_there} of 2 times)")
            }
            Wait::Condition { text } | Wait::Scheduled { text } => f.write_str(text),
            Wait::Reading => f.write_str("the source to be read again"),
        }
    }
}

/// How a delivery ended. Every one is visible and has its reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The target has it; `note` is what a person should read beside it.
    Delivered {
        note: Option<String>,
    },
    /// A newer state overtook it.
    Superseded {
        by: Position,
    },
    /// The target has it already.
    Unchanged,
    Filtered {
        rule: String,
    },
    /// By a person.
    Skipped {
        who: String,
        why: String,
    },
    /// A shadow flow: what would have been sent is with the attempt.
    Shadowed {
        would: String,
    },
    Redacted,
    /// A read that appended its answer, or found that nothing is there.
    Read {
        found: bool,
    },
}

impl Outcome {
    /// The word for counters and lists.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Superseded { .. } => "superseded",
            Outcome::Unchanged => "unchanged",
            Outcome::Filtered { .. } => "filtered",
            Outcome::Skipped { .. } => "skipped",
            Outcome::Shadowed { .. } => "shadowed",
            Outcome::Redacted => "redacted",
            Outcome::Read { .. } => "read",
        }
    }
}

/// What a delivery does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryKind {
    /// Brings a state; the newest supersedes those that wait.
    State,
    /// Brings an event; each counts.
    Event,
    /// Reads a subject at its source, because of a hint or a doubt. Its lane is at the source.
    Read,
    /// A later step of a state that was delivered (confirm). One for each (flow, subject): that of the newest state.
    Step,
}

impl DeliveryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            DeliveryKind::State => "state",
            DeliveryKind::Event => "event",
            DeliveryKind::Read => "read",
            DeliveryKind::Step => "step",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::State, Self::Event, Self::Read, Self::Step].into_iter().find(|k| k.as_str() == text)
    }
}

impl From<FactKind> for DeliveryKind {
    fn from(kind: FactKind) -> Self {
        match kind {
            // A change of which no state could be made stands in the place of one: the next state heals it.
            FactKind::State | FactKind::Change | FactKind::Unreadable => DeliveryKind::State,
            FactKind::Event => DeliveryKind::Event,
            FactKind::Hint => DeliveryKind::Read,
        }
    }
}

/// A duty that routing found, or an outcome that needs no duty (filtered, superseded, unchanged, dead).
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    pub flow: FlowName,
    pub lane: Lane,
    pub subject: Subject,
    pub kind: DeliveryKind,
    /// `Waiting`, `Dead` or `Ended`.
    pub state: DeliveryState,
    pub version: Option<EffectiveVersion>,
    pub priority: Priority,
    /// A state or a step: ends every older `Waiting` or `Dead` delivery of the same kind of (flow, subject) as
    /// superseded, but none in `Unknown`, and raises this one to the highest priority of those. A newer state does not
    /// restart a step, because the step's time counts from the object's create. A read: is dropped if one of the same
    /// (flow, subject) is open already and not under way, whose priority it raises.
    pub supersedes: bool,
    /// With `Dead`: why.
    pub fault: Option<Fault>,
    /// When the change that is brought was made at the source (and met the flow's condition); lag counts from here.
    pub changed_at: Timestamp,
}

/// One delivery as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    pub id: DeliveryId,
    pub position: Position,
    pub flow: FlowName,
    pub lane: Lane,
    pub subject: Subject,
    pub kind: DeliveryKind,
    pub state: DeliveryState,
    pub version: Option<EffectiveVersion>,
    pub priority: Priority,
    /// Attempts that count toward the cap.
    pub spent: u32,
    /// Failures in a row, for the back-off; not all of them are spent.
    pub failures: u32,
    /// Calls made for it so far: the number in the next call key.
    pub calls: u32,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// What is known of a subject at a flow: the small row that is never dropped by age.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The newest version that routing took (not one that was in doubt).
    pub routed: Option<EffectiveVersion>,
    pub routed_position: Option<Position>,
    /// The newest version that the target is known to have.
    pub delivered: Option<EffectiveVersion>,
    /// Digest of the mapped body of that version; or what the engine keeps in its place while a newer one is refused.
    pub delivered_digest: Option<Digest>,
    /// The link at the flow's target.
    pub external: Option<StoredRef>,
    /// Whether any attempt was ever committed for (flow, subject).
    pub attempted: bool,
    /// A read because of a doubt is open: states are held until its answer.
    pub reading: bool,
    /// Where a delivery of the subject waits for a condition.
    pub waiting_condition: bool,
}

/// An external ref with when and how it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRef {
    pub object_key: ObjectKey,
    pub id: String,
    pub number: Option<String>,
    /// The target's own word for its state.
    pub state: Option<String>,
    /// When the object came to be there, as far as we know; steps that wait count from here.
    pub created_at: Timestamp,
    pub adopted: bool,
}

/// A lane taken by this owner: nobody else works on it until the lease ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    pub lane: Lane,
    /// Every write for the lane carries it; a write with an older one is refused as [`Moved::Lost`].
    pub fence: i64,
    /// The head of the lane: one in `Unknown`, else a due state, else a due step, read or event in order.
    pub delivery: Delivery,
    pub envelope: Envelope,
    /// Opened. `None` if redacted.
    pub payload: Option<Bytes>,
    pub standing: Standing,
    /// The attempt that is without an answer, if the delivery is in `Unknown`.
    pub open_attempt: Option<OpenAttempt>,
}

/// An attempt without an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAttempt {
    pub id: AttemptId,
    pub step: String,
    pub call_key: CallKey,
    /// The frozen call (a serialised `connector::port::Step`), opened.
    pub frozen: Bytes,
    pub started_at: Timestamp,
}

/// An attempt to be committed as `sending` before its first byte leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttempt {
    pub step: String,
    pub change_key: ChangeKey,
    pub call_key: CallKey,
    pub frozen: Bytes,
    pub started_at: Timestamp,
    /// The revision of configuration and mappings in force.
    pub revision: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedAttempt {
    pub id: AttemptId,
    pub ended_at: Timestamp,
    /// `None`: answered well.
    pub fault: Option<Fault>,
    /// Whether a look-up, not an answer, told it: found there, or proved absent.
    pub by_look_up: Option<bool>,
}

/// One move of a lane, in one transaction with all that it implies.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    pub lane: Lane,
    pub fence: i64,
    pub delivery: DeliveryId,
    pub at: Timestamp,
    /// Ends the attempt that is open.
    pub ended: Option<EndedAttempt>,
    /// Begins the next one: the delivery becomes `Unknown` by it.
    pub begun: Option<NewAttempt>,
    /// Where the delivery goes; `None` leaves it as it is.
    pub state: Option<DeliveryState>,
    /// The counters after this move.
    pub spent: u32,
    pub failures: u32,
    /// With `state` = `Dead`: why. A later `Ended` closes the dead letter.
    pub dead: Option<Fault>,
    /// The link at the target, found or made.
    pub external: Option<StoredRef>,
    /// The target has this version, with this digest of the mapped body.
    pub delivered: Option<(Option<EffectiveVersion>, Digest)>,
    /// Facts that the outcome gives rise to (the ERP's number; the answer of a read).
    pub follow_ups: Vec<NewEnvelope>,
    /// Later steps that now have a time or a condition.
    pub schedule: Vec<NewDelivery>,
    /// Keeps the lane for the next move; else it is given back.
    pub keep: bool,
}

/// What became of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Done; the attempt that was begun, if one was.
    Done { begun: Option<AttemptId> },
    /// The lane is another's by now, or the delivery was superseded, skipped or redacted before its attempt began.
    /// Nothing was done.
    Lost,
}
