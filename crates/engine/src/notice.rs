//! What a person should hear of, as a structured event with a severity. Owns the words; where it goes is the
//! escalation's business.

use kernel::fault::{Fault, Severity};
use kernel::id::{FlowName, SystemName};
use kernel::subject::Subject;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    pub severity: Severity,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum What {
    /// Why a system is left alone.
    BreakerOpened {
        system: SystemName,
        fault: Fault,
    },
    BreakerClosed {
        system: SystemName,
    },
    CredentialsRefused {
        system: SystemName,
        fault: Fault,
    },
    DeadLetter {
        system: SystemName,
        flow: FlowName,
        subject: Subject,
        fault: Fault,
    },
    /// An attempt found without an answer, or a call whose answer is not conclusive.
    UnknownAnswer {
        system: SystemName,
        subject: Subject,
        code: String,
    },
    /// More than ten in a minute.
    Conflicts {
        system: SystemName,
        count: u32,
    },
    /// More than one object under one key: written to by nobody.
    ManyObjects {
        system: SystemName,
        subject: Subject,
        ids: Vec<String>,
    },
    /// The target applied a call later than `settle_after`: what was proved absent is there.
    LateApply {
        system: SystemName,
        subject: Subject,
    },
    /// The store cannot commit.
    StoreUnavailable {
        why: String,
    },
    /// Work is due and none is done.
    Stall {
        system: SystemName,
        since_s: u64,
        due: u64,
    },
    /// A topic is silent for longer than is usual for it.
    Silence {
        topic: String,
        since_s: u64,
    },
    /// Our own invariant broke.
    Bug {
        what: String,
    },
}

impl Notice {
    pub fn new(severity: Severity, what: What) -> Self {
        Self { severity, what }
    }
}
