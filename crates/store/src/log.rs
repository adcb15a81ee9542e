//! The log: what is appended, how a duplicate is told, what routing reads and writes.

use crate::delivery::{NewDelivery, Standing};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::{Envelope, FactKind, TraceId, Via};
use kernel::id::{DomainName, FlowName, Position, ShopId, SystemName};
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The key by which a webhook is known: a hash of (shop, topic, `X-Shopify-Webhook-Id`). Kept 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DedupeKey(pub [u8; 16]);

impl DedupeKey {
    /// The key of what a system pushes, or gives when it is asked what changed: both ways make one fact of one state.
    /// `state`: the id that the system gave it, else subject and sequence number ([`sequenced`](Self::sequenced)).
    pub fn of_system(system: &SystemName, domain: &DomainName, topic: &str, state: &str) -> Self {
        let mut hash = Sha256::new();
        for part in [system.as_str(), domain.as_str(), topic] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(state);
        let mut key = [0; 16];
        key.copy_from_slice(&hash.finalize()[..16]);
        Self(key)
    }

    /// What tells two states apart that came under one key: the state itself and its sequence number, and not how it was
    /// sent.
    pub fn content(sequence: i64, payload: &[u8]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(sequence.to_be_bytes());
        hash.update(payload);
        hash.finalize().into()
    }

    /// How a state is named that has no id of its own.
    pub fn sequenced(subject: &Subject, sequence: i64) -> String {
        format!("{subject}@{sequence}")
    }
}

/// A fact to be appended. The payload is plain here; the store compresses and seals it under the data key of the
/// subject's root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEnvelope {
    pub shop: ShopId,
    pub domain: DomainName,
    pub source: SystemName,
    pub topic: String,
    pub kind: FactKind,
    pub via: Via,
    pub subject: Subject,
    pub version: Option<EffectiveVersion>,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub trace: TraceId,
    pub raw_hash: [u8; 32],
    pub raw_bytes: u32,
    /// Absent: the fact has no duplicate by id (sweep, backfill, outcome).
    pub dedupe: Option<DedupeKey>,
    pub payload: Bytes,
}

impl NewEnvelope {
    /// A state that follows from another fact: of the same thing, source and time, and on its trace, where nothing else is said.
    #[must_use]
    pub fn follows(from: &Envelope, topic: String, via: Via, payload: Vec<u8>) -> Self {
        Self {
            shop: from.shop.clone(),
            domain: from.domain.clone(),
            source: from.source.clone(),
            topic,
            kind: FactKind::State,
            via,
            subject: from.subject.clone(),
            version: None,
            occurred_at: from.occurred_at,
            received_at: from.received_at,
            trace: from.trace,
            raw_hash: Sha256::digest(&payload).into(),
            raw_bytes: u32::try_from(payload.len()).unwrap_or(u32::MAX),
            dedupe: None,
            payload: payload.into(),
        }
    }

    /// A fact that is kept, once more, whatever became of it: a duty of its own. A sequence is the source's own, and which
    /// state of its record it is stays; a dated version is read from the body again.
    #[must_use]
    pub fn again(envelope: Envelope, payload: Bytes, via: Via, now: Timestamp) -> Self {
        Self {
            shop: envelope.shop,
            domain: envelope.domain,
            source: envelope.source,
            topic: envelope.topic,
            kind: envelope.kind,
            via,
            subject: envelope.subject,
            version: envelope.version.filter(|version| !matches!(version, EffectiveVersion::Dated { .. })),
            occurred_at: envelope.occurred_at,
            received_at: now,
            trace: envelope.trace,
            raw_hash: envelope.raw_hash,
            raw_bytes: envelope.raw_bytes,
            dedupe: None,
            payload,
        }
    }
}

/// What became of an append. Either way the duty to deliver is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    Stored(Position),
    /// Known by its dedupe key. `same_body` is false when the id came with other bytes: the first one stands.
    Duplicate {
        same_body: bool,
    },
}

/// An envelope that waits for routing, with all that the decision needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Unrouted {
    pub envelope: Envelope,
    /// Opened. `None` if its key was destroyed (redacted).
    pub payload: Option<Bytes>,
    /// What is known of the subject at each flow that has had it.
    pub standings: Vec<(FlowName, Standing)>,
    /// Of a change or a state: the record of the subject, if its source has one.
    pub record: Option<Record>,
    /// Of a change without a record: the newest state of the subject that was routed, if it is of the same source and kept.
    pub base: Option<(Envelope, Bytes)>,
}

/// What a source's changes of a subject were folded into: small, opened, never dropped by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// How often it was written.
    pub revision: i64,
    /// The domain's own form; empty once its root was redacted: the revisions go on.
    pub body: Bytes,
}

/// A record as it is after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    pub subject: Subject,
    pub source: SystemName,
    /// The revision that the decision was made upon; 0: there was none. If it has another one by now, the whole decision is passed
    /// over. Afterwards it has the next one.
    pub upon: i64,
    pub body: Bytes,
}

/// What routing decided about one envelope; committed with `routed_at` in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    pub position: Position,
    /// The effective version, once the digest is known.
    pub version: Option<EffectiveVersion>,
    /// What is known of the subject, whatever its flows do with it.
    pub about: Option<About>,
    pub deliveries: Vec<NewDelivery>,
    /// What was folded.
    pub record: Option<NewRecord>,
    /// Facts that follow from it: the state that a record is now.
    pub follow_ups: Vec<NewEnvelope>,
}

impl Routed {
    /// Nothing becomes of it.
    #[must_use]
    pub fn nothing(position: Position) -> Self {
        Self {
            position,
            version: None,
            about: None,
            deliveries: Vec::new(),
            record: None,
            follow_ups: Vec::new(),
        }
    }
}

/// One small row for each subject: how people call it, whose it is, its newest state in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    pub subject: Subject,
    /// `#1001`. Never personal data.
    pub label: String,
    /// The source's id of the customer it belongs to, for redaction; no name, no address.
    pub customer: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
