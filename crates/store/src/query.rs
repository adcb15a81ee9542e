//! What people and the engine ask a store: lists, one thing's whole life, counts.

use crate::delivery::{Delivery, Outcome, StoredRef};
use jiff::Timestamp;
use kernel::envelope::Envelope;
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::id::{AttemptId, DeliveryId, FlowName, Position, ShopId, SystemName};
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which deliveries. Absent fields match all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    pub shop: Option<ShopId>,
    pub system: Option<SystemName>,
    pub flow: Option<FlowName>,
    /// A root path: `order:5678`.
    pub root: Option<String>,
    pub phase: Option<Phase>,
    /// Of a dead letter.
    pub fingerprint: Option<String>,
    pub ids: Vec<DeliveryId>,
    /// Newest first, before this id.
    pub before: Option<DeliveryId>,
    /// 0 means 100 in a list, and all in a release or a skip.
    pub limit: u32,
}

impl DeliveryFilter {
    /// Rows of one page of a list.
    pub fn page(&self) -> usize {
        if self.limit == 0 { 100 } else { self.limit as usize }
    }
}

/// As it stands in the audit: `flow orders_to_erp, fingerprint …`; `all` where nothing is named.
impl fmt::Display for DeliveryFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.ids.iter().map(|id| ("delivery", id.to_string()));
        let parts: Vec<String> = [
            ("shop", self.shop.as_ref().map(ToString::to_string)),
            ("system", self.system.as_ref().map(ToString::to_string)),
            ("flow", self.flow.as_ref().map(ToString::to_string)),
            ("root", self.root.clone()),
            ("fingerprint", self.fingerprint.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .chain(ids)
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
        f.write_str(if parts.is_empty() { "all" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

/// A coarse state, for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Open,
    Waiting,
    Unknown,
    Dead,
    Ended,
}

/// One attempt as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttemptRow {
    pub id: AttemptId,
    pub delivery: DeliveryId,
    pub step: String,
    pub call_key: String,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub fault: Option<Fault>,
    /// `Some(true)`: a look-up found it there; `Some(false)`: proved absent.
    pub by_look_up: Option<bool>,
    pub revision: String,
}

/// The whole life of one root subject.
#[derive(Debug, Clone, PartialEq, Serialize, Default)]
pub struct Life {
    pub about: Option<crate::log::About>,
    /// With whether it was routed.
    pub envelopes: Vec<(Envelope, bool)>,
    pub deliveries: Vec<Delivery>,
    pub attempts: Vec<AttemptRow>,
    pub dead_letters: Vec<DeadLetter>,
    pub external: Vec<(SystemName, Subject, StoredRef)>,
}

impl Life {
    /// Without what is of other things of the same root: what was done to this one, and where it is.
    #[must_use]
    pub fn only(mut self, subject: &Subject) -> Self {
        self.deliveries.retain(|delivery| delivery.subject == *subject);
        self.dead_letters.retain(|letter| letter.subject == *subject);
        self.external.retain(|(_, of, _)| of == subject);
        self
    }
}

/// A dead letter, open or closed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadLetter {
    pub delivery: DeliveryId,
    pub shop: ShopId,
    pub system: SystemName,
    pub flow: FlowName,
    pub subject: Subject,
    pub label: Option<String>,
    /// Flow, kind, code and field: what groups them; never a text.
    pub fingerprint: String,
    pub fault: Fault,
    pub dead_at: Timestamp,
    pub closed: Option<Closed>,
}

/// How a dead letter was closed: on proof of delivery, or by a person with a reason. Never by age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub at: Timestamp,
    /// `tidegate` where no person was needed.
    pub who: String,
    pub why: String,
}

/// Dead letters of one fingerprint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeadLetterGroup {
    pub fingerprint: String,
    pub system: SystemName,
    pub flow: FlowName,
    pub kind: FaultKind,
    pub code: String,
    pub field: Option<String>,
    /// The fault of the newest, as an example.
    pub example: Fault,
    pub count: u64,
    pub oldest: Timestamp,
    pub newest: Timestamp,
}

/// A reference that dead letters wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Awaited {
    pub shop: ShopId,
    pub system: SystemName,
    pub reference: Reference,
    pub looks: u32,
    pub next_look_at: Timestamp,
    pub waiting: u64,
}

/// Open work of one system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Backlog {
    pub system: SystemName,
    pub waiting: u64,
    /// Due and not begun.
    pub due: u64,
    pub unknown: u64,
    pub dead: u64,
    /// When the change was made that has waited longest, whatever it waits for.
    pub oldest_changed_at: Option<Timestamp>,
    pub next_due_at: Option<Timestamp>,
}

/// How one subject stands at one flow, for `prove` and the sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectStatus {
    pub subject: Subject,
    pub about: Option<crate::log::About>,
    /// The newest delivery of the flow that was not superseded; where a copy was found unchanged, the one that it is a
    /// copy of.
    pub delivery: Option<Delivery>,
    /// The newest version that the flow has routed, whatever became of it.
    pub routed: Option<kernel::version::EffectiveVersion>,
    pub outcome: Option<Outcome>,
    pub fault: Option<Fault>,
    pub external: Option<StoredRef>,
    /// Whether a person touched any delivery of it (release, skip, replay).
    pub hands: bool,
    /// Whether triage released any delivery of it.
    pub released: bool,
    /// Whether the sweep found any fact of it.
    pub swept: bool,
}

/// Newest fact of a topic, for silence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicSeen {
    pub shop: ShopId,
    pub topic: String,
    pub last: Timestamp,
    pub count: u64,
}

/// One row of the lag series: facts that ended within a minute.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LagSample {
    pub flow: FlowName,
    pub ended_at: Timestamp,
    pub lag_ms: u64,
}

/// Where the position of an append stands among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LogSize {
    pub envelopes: u64,
    pub last: Option<Position>,
    pub payload_bytes: u64,
    pub unrouted: u64,
}
