//! Rows as they are answered, where the store's own form is not fit to be read: versions and traces as text, what a
//! delivery waits for in words, the cause of a dead letter.

use super::AdminParts;
use engine::triage::{Cause, cause};
use engine::waits::{Waits, waits_for};
use jiff::Timestamp;
use kernel::envelope::{Envelope, FactKind, Priority, Via};
use kernel::id::{DeliveryId, FlowName, Position, SystemName};
use kernel::key::hex;
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use serde::Serialize;
use store::delivery::{Delivery, DeliveryKind, DeliveryState, StoredRef};
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
    version: Option<String>,
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
            version: envelope.version.as_ref().map(version),
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
    id: DeliveryId,
    position: Position,
    flow: FlowName,
    lane: Lane,
    subject: Subject,
    kind: DeliveryKind,
    state: DeliveryState,
    version: Option<String>,
    priority: Priority,
    spent: u32,
    failures: u32,
    calls: u32,
    created_at: Timestamp,
    changed_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// After "waits for": `the breaker of erp, 12 s`. Nothing once it has ended.
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
            id: delivery.id,
            position: delivery.position,
            flow: delivery.flow.clone(),
            lane: delivery.lane.clone(),
            subject: delivery.subject.clone(),
            kind: delivery.kind,
            state: delivery.state.clone(),
            version: delivery.version.as_ref().map(version),
            priority: delivery.priority,
            spent: delivery.spent,
            failures: delivery.failures,
            calls: delivery.calls,
            created_at: delivery.created_at,
            changed_at: delivery.changed_at,
            ended_at: delivery.ended_at,
            waits: waits.as_ref().map(|waits| waits.text(now)),
            waits_for: waits,
        }
    }
}

/// `17`, or `2026-11-26T02:43:36Z 405b7d958c32f66f`: enough of a digest to tell two states of one second apart.
fn version(version: &EffectiveVersion) -> String {
    match version {
        EffectiveVersion::Sequence { sequence } => sequence.to_string(),
        EffectiveVersion::Folded { revision } => format!("folded {revision}"),
        EffectiveVersion::Dated { updated_at, digest, .. } => format!("{updated_at} {}", hex(&digest[..8])),
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
    /// `refund 999`, where it is not the whole.
    part: Option<String>,
    #[serde(flatten)]
    external: StoredRef,
}

impl RefLine {
    pub(super) fn all(life: &Life) -> Vec<Self> {
        let line = |(system, subject, external): &(SystemName, Subject, StoredRef)| Self {
            system: system.clone(),
            subject: subject.to_string(),
            part: subject.part(),
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
