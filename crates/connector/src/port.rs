//! What a connector does. A target is a state machine, so a connector converges (DESIGN section 5):
//! `observe → plan → apply`, each step an attempt of its own. `plan` is pure; `observe` only reads; `apply` makes one
//! call of frozen bytes and nothing else.

use crate::descriptor::{Descriptor, UnknownAnswer};
use async_trait::async_trait;
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::flow::{AfterConfirm, Difference};
use kernel::id::ShopId;
use kernel::key::{CallKey, ObjectKey};
use kernel::money::Money;
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

mod source;

pub use source::{
    Came, Changes, Fed, FedChange, Found, ListBy, ListPage, ListQuery, Listed, Part, Read, Source, Stated,
    Whole,
};

/// What every call is made under.
#[derive(Debug, Clone)]
pub struct CallContext {
    pub shop: ShopId,
    /// All of the call, connect and body included. Shorter than the lease.
    pub time_out: Duration,
    pub trace: TraceId,
    /// Distinguishes the calls of one trace.
    pub span: u64,
    /// Today, for targets that want a date and have no clock of their own.
    pub now: Timestamp,
}

/// What the flow wants the target to have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    pub subject: Subject,
    pub object_key: ObjectKey,
    /// What the mapping made.
    pub body: Value,
    pub stage: Stage,
    pub after_confirm: AfterConfirm,
    pub difference: Difference,
    /// What we know of the object from before.
    pub known: Option<ExternalRef>,
    /// Further references under which a former connector may have written the object; a hit is adopted.
    pub also_known_as: Vec<String>,
}

/// How far the object is to be brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It exists, with what is wanted.
    Present,
    /// And is confirmed.
    Confirmed,
    /// It is cancelled, or a counter document stands against it.
    Cancelled,
}

/// The link between a subject and its id in another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalRef {
    pub id: String,
    /// What people call it there: the sale's number. May come later than the id.
    pub number: Option<String>,
    /// The target's own word for its state: `draft`, `processing`.
    pub state: Option<String>,
}

/// What the target has under an object key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Observed {
    None,
    One(ObjectState),
    /// More than one: written to by nobody, a page with the ids.
    Many(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectState {
    pub external: ExternalRef,
    /// In the connector's own form; only its `plan` reads it.
    pub body: Value,
    /// Whether it was found under a former connector's reference.
    #[serde(default)]
    pub adopted: bool,
}

/// What an object comes to, as the target itself stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub gross: Money,
    /// Cancelled, or undone by a counter document: it is there and stands for nothing.
    pub void: bool,
}

/// What `observe` found: the object, and what `plan` needs besides (resolved references, settings of the target).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub object: Observed,
    /// In the connector's own form. `Null` when nothing was read: a connector that sets `observe_first = false` has
    /// to plan a create from it.
    #[serde(default)]
    pub context: Value,
    /// References of the wanted body that the target does not have.
    #[serde(default)]
    pub missing: Vec<MissingReference>,
}

impl Observation {
    /// Nothing was asked, because we never sent anything.
    pub fn unasked() -> Self {
        Self { object: Observed::None, context: Value::Null, missing: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingReference {
    pub reference: Reference,
    /// Where it stands in the wanted body: `lines[3].product`.
    pub field: String,
    /// One that differs only by case or blanks: "SKU-0001" for "sku-0001 ".
    pub similar: Option<String>,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    Next(Step),
    /// The target has what is wanted, or more.
    Done(Done),
    /// The target is in a state from which the wanted one cannot be reached, or policy forbids it.
    NotAllowed(Fault),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    pub external: ExternalRef,
    /// What a person should read beside the outcome: "difference of 0.01 accepted".
    pub note: Option<String>,
    /// Nothing had to be written at any step.
    pub unchanged: bool,
    /// An existing object of a former connector was taken over as it is.
    pub adopted: bool,
}

impl Plan {
    /// It is as it is wanted. Planned from an observation, so nothing was written in between; whether we wrote before is the
    /// engine's to know.
    pub fn unchanged(external: ExternalRef, note: Option<String>) -> Self {
        Self::Done(Done { external, note, unchanged: true, adopted: false })
    }

    /// There is nothing, and nothing is to be there.
    pub fn nothing(why: &str) -> Self {
        Self::unchanged(ExternalRef { id: String::new(), number: None, state: None }, Some(why.to_owned()))
    }

    /// `what` is there under another reference: "a sale".
    pub fn adopted(external: ExternalRef, what: &str) -> Self {
        let note = Some(format!("{what} of a former connector was taken over as it is"));
        Self::Done(Done { external, note, unchanged: true, adopted: true })
    }

    /// A person has to decide.
    pub fn refused(code: &str, what: String) -> Self {
        Self::NotAllowed(Fault::new(FaultKind::Rejected, code, what))
    }
}

/// One call, frozen: these bytes go out and no others. They hold all that `apply` needs, in the connector's own form,
/// because after a restart nothing else is left of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// `create`, `quote`, `confirm`, `amend`, `cancel`, `set`.
    pub name: String,
    /// Whether it brings the object into being: an unknown answer to it is the one that doubles.
    pub creates: bool,
    /// Whether repeating it is harmless, whatever came of the first call: an absolute write.
    pub idempotent: bool,
    pub request: Vec<u8>,
}

/// What came of a step that the target answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The link, as the answer gives it. An answered create without one is looked up like an unanswered one: a search
    /// that lags would otherwise be taken for an absence.
    pub external: Option<ExternalRef>,
    /// The object after the step, where the answer says so; else it is observed again.
    pub observation: Option<Observation>,
}

/// How the calls of one kind of subject go together, where the target takes many things in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Together {
    /// Things in one call.
    pub most: usize,
    /// Calls under way at once, for each shop and each way (look, write). What comes meanwhile gathers for the next
    /// one.
    pub at_once: usize,
    /// How long the first of a call waits for others, where the call is not full before.
    pub age: Duration,
}

/// One kind of target.
#[async_trait]
pub trait Connector: Send + Sync + std::fmt::Debug {
    fn descriptor(&self) -> &Descriptor;

    /// Whether calls about subjects of this kind (`ats` of `ats:SKU@LOC`) go together; `None`: each by itself.
    fn together(&self, kind: &str) -> Option<Together> {
        let _ = kind;
        None
    }

    /// [`observe`](Self::observe) of many things of one shop, in as few calls as the target allows; one answer for each,
    /// in their order. Only asked where [`together`](Self::together) says so.
    async fn observe_many(&self, call: &CallContext, wanted: &[Wanted]) -> Vec<Result<Observation, Fault>> {
        let mut answers = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            answers.push(self.observe(call, wanted).await);
        }
        answers
    }

    /// [`apply`](Self::apply) of many frozen calls of one shop in one call. What goes over the wire follows from the
    /// members and their keys alone. A target that refuses all for the sake of one: that one has its fault, and the others are
    /// Throttled without a wait, because for them nothing was done and nothing is wrong: they come again at once, in
    /// another call. Only asked where [`together`](Self::together) says so.
    async fn apply_many(&self, call: &CallContext, calls: &[(CallKey, Step)]) -> Vec<Result<Applied, Fault>> {
        let mut answers = Vec::with_capacity(calls.len());
        for (key, step) in calls {
            answers.push(self.apply(call, key, step).await);
        }
        answers
    }

    /// Whether `observe` finds an object by its key alone, without its id: what a store that was restored has to ask.
    fn looks_up(&self) -> bool {
        self.descriptor().unknown != UnknownAnswer::Neither
    }

    /// Whether the system is well, by a call that touches no object. A 401 *and* a 403 here are Unauthorized.
    async fn health(&self, call: &CallContext) -> Result<(), Fault>;

    /// What the target has under the object key, and the references that the wanted body needs. Only reads: its
    /// faults are Transient, Throttled, Unauthorized or Rejected, never Ambiguous.
    async fn observe(&self, call: &CallContext, wanted: &Wanted) -> Result<Observation, Fault>;

    /// The next step from what is to what is wanted. Pure: same arguments, same answer, no clock.
    fn plan(&self, wanted: &Wanted, observed: &Observation) -> Plan;

    /// Whether an observation shows that this call was carried out, where its answer is unknown; `None`: what `plan` says of
    /// it tells. `false` also where it cannot be told: then it may still be on its way, and is waited for. For writes whose
    /// plan moves with what is there: that nothing is left to be done says nothing of them. Pure.
    fn shows(&self, step: &Step, observed: &Observation) -> Option<bool> {
        let _ = (step, observed);
        None
    }

    /// Whether an observation shows something that no fact we know accounts for yet: more units sold than the owner of the stock has
    /// counted. Most of it is on its way; where a fact was lost, its source is asked sooner than it would be. Pure.
    fn unaccounted(&self, wanted: &Wanted, observed: &Observation) -> bool {
        let _ = (wanted, observed);
        false
    }

    /// What an observed object comes to, for whoever adds up a day; reads the target's own amounts and computes none.
    /// `None` where it shows none: then the descriptor does not say `lists_totals`, or this one object has none. Pure.
    fn held(&self, observed: &Observation) -> Option<Held>;

    /// Makes the call. A fault is Ambiguous unless it is certain that nothing was done, or what was done.
    async fn apply(&self, call: &CallContext, key: &CallKey, step: &Step) -> Result<Applied, Fault>;

    /// By how many milliseconds the system's clock, as its last answer named it (HTTP `Date`), was ahead of ours when that call
    /// began; negative: behind. To the second, and off by as much as the call took. `None`: it named none.
    fn clock_ahead_ms(&self) -> Option<i64> {
        None
    }

    /// Whether a reference exists by now. Only asked where the descriptor says `resolves_references`.
    async fn exists(&self, call: &CallContext, reference: &Reference) -> Result<bool, Fault>;
}
