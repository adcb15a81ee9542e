//! What operators and housekeeping do: release, skip, pause, redact, back up; each with who, when and why.

use jiff::Timestamp;
use kernel::id::{FlowName, ShopId, SystemName};
use kernel::subject::Subject;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A person's, or the hub's own, reason for an intervention; goes into the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// `tidegate` where the hub acted by itself.
    pub who: String,
    pub why: String,
    pub at: Timestamp,
}

impl By {
    pub fn hub(why: impl Into<String>, at: Timestamp) -> Self {
        Self { who: "tidegate".into(), why: why.into(), at }
    }
    pub fn is_person(&self) -> bool {
        self.who != "tidegate"
    }
}

/// What is held back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseScope {
    System(SystemName),
    Flow(FlowName),
    /// A root: its lanes at every target.
    Subject(Subject),
}

impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PauseScope::System(system) => write!(f, "system {system}"),
            PauseScope::Flow(flow) => write!(f, "flow {flow}"),
            PauseScope::Subject(subject) => write!(f, "{subject}"),
        }
    }
}

/// A pause with its reason and end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub scope: PauseScope,
    pub by: By,
    /// Absent: until somebody resumes it.
    pub until: Option<Timestamp>,
}

/// One line of the audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub who: String,
    /// `release`, `skip`, `pause`, `resume`, `replay`, `redact`, `rotate`, `go_live`, `backup`.
    pub action: String,
    /// What it was done to: `acme/order:5678`, `system erp`.
    pub target: String,
    pub why: String,
    pub count: u64,
}

/// In place of the roots of a redaction: all that a shop has.
pub const EVERY_ROOT: &str = "*";

/// What a redaction destroyed. Holds no personal data: ids and counts only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub id: String,
    pub shop: ShopId,
    pub requested: String,
    pub at: Timestamp,
    pub roots: Vec<String>,
    pub keys_destroyed: u64,
    pub duties_ended: u64,
}

/// Who the store belongs to and what was in force when it was last used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    pub id: String,
    pub schema: u32,
    pub created_at: Timestamp,
    /// Raised by a restore; attempts of an earlier epoch without an answer are Ambiguous.
    pub epoch: u32,
    /// Revision of configuration and mappings, of the last process that worked on it.
    pub revision: Option<String>,
    /// A digest of host and targets: on another one the store starts paused.
    pub place: Option<String>,
}

/// A node that works on the store, and what it has to say to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    pub node: String,
    pub says: String,
}

/// What retention dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Retained {
    pub payloads_dropped: u64,
    pub webhook_ids_dropped: u64,
    /// Past their time but kept, because a duty is open.
    pub kept_for_duty: u64,
}
