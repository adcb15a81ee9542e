//! What the engine asks of a domain and of a mapping: two ports, so that it knows no order and no table.
//!
//! Everything here is pure: same arguments, same answer.

use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::OrderPolicy;
use kernel::id::DomainName;
use kernel::key::ObjectKey;
use kernel::money::MoneyBag;
use kernel::subject::Subject;
use kernel::version::Digest;
use serde_json::Value;
use std::fmt::Debug;
use std::sync::Arc;

/// A payload, read into its canonical state.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The canonical form, as the mapping reads it.
    pub body: Arc<Value>,
    /// `#1001`.
    pub label: String,
    /// The source's id of the customer, for redaction.
    pub customer: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Of the canonical state without the fields that we write ourselves.
    pub digest: Digest,
    /// When the change was made that this state brings; lag counts from here.
    pub changed_at: Timestamp,
    /// The thing was called off at its source.
    pub cancelled: bool,
}

/// What a flow does with a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    Export,
    /// A newer state will meet the condition, or the time will come.
    Wait {
        until: Option<Timestamp>,
        text: String,
    },
    /// Which rule, by its stable name, and what a person reads.
    Filtered {
        rule: String,
    },
}

/// When the object in the target is to be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    Now,
    At(Timestamp),
    /// With a newer state, or never.
    NotByThis,
}

/// What has happened to the subject at the flow so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    pub exported: bool,
    pub attempted: bool,
    pub named_by_backfill: bool,
}

/// Something that another fact bears upon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub domain: DomainName,
    /// Without the shop: `ats:SKU-0001@WH-1`, `order:5678/refund:999`.
    pub path: String,
    /// It never changes: that it was asked for once is enough.
    pub once: bool,
    /// Only where something was written: what was there already has changed nothing for it.
    pub written: bool,
}

/// A state or a change, as it is folded into the record of its subject.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// The source's number of it, where it has one.
    pub sequence: Option<i64>,
    pub received_at: Timestamp,
    /// The source was asked, and did not tell by itself.
    pub asked: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Folding {
    /// The record as it is now, in the domain's own form; absent: as it was.
    pub record: Option<Vec<u8>>,
    pub became: Became,
    /// The source is to be read, if it can be: something is missing, or may be.
    pub read: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Became {
    /// The subject's state is this now.
    State { topic: &'static str, payload: Vec<u8> },
    /// The subject's state is what was told.
    AsTold,
    /// Nothing: it was known.
    Known,
    /// Nothing: a newer state is known.
    Older,
    /// There is no state yet to fold it into.
    NoState(Fault),
}

/// What a list of the source, which shows little of each thing, says of a state that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedAs {
    /// Nothing that it shows is different.
    Same,
    /// It changed without its date.
    Differs,
    /// It shows too little: what was given back once may have been given back again.
    CannotTell,
}

/// The topic under which what was touched is asked for again: it brings nothing, and says what to read.
pub const AGAIN: &str = "again";

/// One domain, as facts of it come from one kind of source.
pub trait Facts: Send + Sync + Debug {
    /// What a topic brings; `None`: no topic of this domain.
    fn kind_of(&self, topic: &str) -> Option<FactKind>;

    /// Reads a payload. A fault is Rejected and names the field.
    fn read(&self, topic: &str, payload: &[u8]) -> Result<State, Fault>;

    /// How a known state stands to the one that a list of the source shows under this fingerprint, both of the same second. What
    /// nothing lists is the same.
    fn listed_as(&self, _body: &Value, _fingerprint: &str) -> ListedAs {
        ListedAs::Same
    }

    /// What it comes to, as edited and not as refunded; nothing where it was called off. `None` for what has no amount.
    fn charged(&self, _state: &State) -> Option<MoneyBag> {
        None
    }

    /// How a payload's state came about, for a person, a line for each term; empty where there is nothing to explain.
    fn explain(&self, _topic: &str, _payload: &[u8]) -> Vec<String> {
        Vec::new()
    }

    /// What a person is shown of a payload's state beside its body, in the domain's own words; null where there is nothing more.
    fn figures(&self, _topic: &str, _payload: &[u8]) -> Value {
        Value::Null
    }

    /// How soon it is to go, of what came by one way: `known` is the target's own word for the state that its object was
    /// last known in. What is not pressing lets the rest pass.
    fn urgency(&self, _state: &State, _known: Option<&str>) -> Priority {
        Priority::Live
    }

    /// What of the same source is to be read once the target has this state: what the target has of it depends on this as well
    /// (the stock of what was shipped), or belongs to it (the refunds of an order). `payload` is what the state was read from.
    fn touches(&self, _topic: &str, _payload: &[u8], _state: &State) -> Vec<Touched> {
        Vec::new()
    }

    /// What a subject of the source is only a part of: the paths that are composed anew, by a read of each, whenever a state of
    /// it is routed. It is not sent by itself then. `None`: it stands for itself.
    fn composes(&self, _subject: &Subject) -> Option<Vec<String>> {
        None
    }

    /// What else is composed of the same as this, or itself where nothing is: read anew a little after a hint of our own names it,
    /// because what it has the others cannot have. `None`: it is not composed.
    fn kin(&self, _subject: &Subject) -> Option<Vec<String>> {
        None
    }

    /// Where a state that waits is not to be sent as it was routed, because what is composed of what was changed since (in the
    /// configuration): the paths to be asked for instead. `None`: it stands.
    fn displaced(&self, _topic: &str, _subject: &Subject) -> Option<Vec<String>> {
        None
    }

    /// Folds a change, or a state of what has a record, into that record. `record`: as [`Folding::record`] gave it last. A fault is
    /// Rejected and names the field.
    fn fold(&self, told: &Told<'_>, _record: Option<&[u8]>) -> Result<Folding, Fault> {
        let what = format!("{} brings no change that can be folded", told.topic);
        Err(Fault::new(FaultKind::Rejected, "no_changes", what))
    }

    /// Whether a topic brings what is composed of others. Its version is the place in the log of the newest that it is made of.
    fn is_composed(&self, _topic: &str) -> bool {
        false
    }

    /// Whether each of them leaves levels behind that have to be known before it is told (a shipment, ADR 0014).
    fn follows_levels(&self) -> bool {
        false
    }

    /// Whether the flow takes it. What is no order has no such policy: it goes.
    fn admit(&self, _state: &State, _policy: &OrderPolicy, _history: History, _now: Timestamp) -> Admission {
        Admission::Export
    }

    /// When the object is to be confirmed, counted from its create. What is no order is not.
    fn confirm(
        &self,
        _state: &State,
        _policy: &OrderPolicy,
        _object_created_at: Timestamp,
        _now: Timestamp,
    ) -> Confirm {
        Confirm::NotByThis
    }
}

/// Whether a subject is shown by another one of those that were found: what is composed from it stands in its place.
pub fn is_shown_by(facts: &dyn Facts, subject: &Subject, found: &[Subject]) -> bool {
    let composed = facts.composes(subject).unwrap_or_default();
    found.iter().any(|other| other.shop == subject.shop && composed.contains(&other.path))
}

/// A mapped body and its digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    pub body: Value,
    pub digest: Digest,
}

/// One mapping in force.
pub trait Mapper: Send + Sync + Debug {
    /// Hash of its normalised content.
    fn revision(&self) -> &str;

    /// A fault is Rejected and names the field.
    fn map(
        &self,
        body: &Value,
        subject: &Subject,
        object_key: &ObjectKey,
        now: Timestamp,
    ) -> Result<Mapped, Fault>;
}
