//! Rows as they are answered, where the store's own form is not fit to be read: subjects and traces as text, what a
//! delivery waits for in words, the cause of a dead letter.

use super::AdminParts;
use engine::triage::{Cause, cause};
use engine::waits::{Waits, waits_for};
use jiff::Timestamp;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::id::{Position, SystemName};
use kernel::key::hex;
use kernel::version::EffectiveVersion;
use serde::Serialize;
use store::delivery::{Delivery, StoredRef};
use store::operate::{Pause, PauseScope};
use store::query::{DeadLetter, Life};

#[derive(Debug, Serialize)]
pub(super) struct EnvelopeLine {
    position: Position,
    subject: String,
    topic: String,
    kind: FactKind,
    via: Via,
    source: SystemName,
    version: Option<EffectiveVersion>,
    occurred_at: Timestamp,
    received_at: Timestamp,
    trace: String,
    /// SHA-256 of the bytes as received.
    raw_hash: String,
    raw_bytes: u32,
    routed: bool,
}

impl EnvelopeLine {
    pub(super) fn of(envelope: &Envelope, routed: bool) -> Self {
        Self {
            position: envelope.position,
            subject: envelope.subject.to_string(),
            topic: envelope.topic.clone(),
            kind: envelope.kind,
            via: envelope.via,
            source: envelope.source.clone(),
            version: envelope.version.clone(),
            occurred_at: envelope.occurred_at,
            received_at: envelope.received_at,
            trace: envelope.trace.to_string(),
            raw_hash: hex(&envelope.raw_hash),
            raw_bytes: envelope.raw_bytes,
            routed,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct DeliveryLine {
    #[serde(flatten)]
    delivery: Delivery,
    /// After "waits for": `the breaker of erp, 12 s`. Absent once it has ended.
    waits: Option<String>,
    waits_for: Option<Waits>,
}

impl DeliveryLine {
    pub(super) fn of(
        delivery: &Delivery,
        parts: &AdminParts,
        pauses: &[Pause],
        life: &Life,
        now: Timestamp,
    ) -> Self {
        let waits = waits_for(delivery, &parts.hub.snapshot().systems, pauses, life, now);
        Self {
            delivery: delivery.clone(),
            waits: waits.as_ref().map(|waits| waits.text(now)),
            waits_for: waits,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct LetterLine {
    #[serde(flatten)]
    letter: DeadLetter,
    cause: Cause,
}

impl LetterLine {
    pub(super) fn of(letter: &DeadLetter, parts: &AdminParts) -> Self {
        Self { letter: letter.clone(), cause: cause_of(letter, parts) }
    }
}

pub(super) fn cause_of(letter: &DeadLetter, parts: &AdminParts) -> Cause {
    let source = parts.watched.flows.get(&letter.flow).map_or("the source", |flow| flow.source.as_str());
    cause(&letter.fault, letter.system.as_str(), source)
}

#[derive(Debug, Serialize)]
pub(super) struct RefLine {
    system: SystemName,
    subject: String,
    #[serde(flatten)]
    external: StoredRef,
}

impl RefLine {
    pub(super) fn all(life: &Life) -> Vec<Self> {
        let line = |(system, subject, external): &(SystemName, kernel::subject::Subject, StoredRef)| Self {
            system: system.clone(),
            subject: subject.to_string(),
            external: external.clone(),
        };
        life.external.iter().map(line).collect()
    }
}

#[derive(Debug, Serialize)]
pub(super) struct PauseLine {
    /// `system`, `flow`, `subject`.
    scope: &'static str,
    name: String,
    who: String,
    why: String,
    at: Timestamp,
    /// Absent: until somebody resumes it.
    until: Option<Timestamp>,
}

impl PauseLine {
    pub(super) fn of(pause: &Pause) -> Self {
        let (scope, name) = match &pause.scope {
            PauseScope::System(system) => ("system", system.to_string()),
            PauseScope::Flow(flow) => ("flow", flow.to_string()),
            PauseScope::Subject(subject) => ("subject", subject.to_string()),
        };
        let by = pause.by.clone();
        Self { scope, name, who: by.who, why: by.why, at: by.at, until: pause.until }
    }
}
