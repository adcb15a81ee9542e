//! An immutable fact in the log (DESIGN section 2), its kind, and the trace it travels under.

use crate::id::{DomainName, Position, ShopId, SystemName};
use crate::subject::Subject;
use crate::version::EffectiveVersion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The two kinds of fact of DESIGN section 4, and the things that only lead to facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The whole state of its subject; only the newest counts.
    State,
    /// Each counts, in the order of its lane.
    Event,
    /// By how much its subject changed. Folded into the subject's record when it is routed, once; what follows from it is a state.
    Change,
    /// Says that something changed; the subject has to be read.
    Hint,
    /// Signed, but not readable: kept, and a dead letter.
    Unreadable,
}

impl FactKind {
    pub fn as_str(self) -> &'static str {
        match self {
            FactKind::State => "state",
            FactKind::Event => "event",
            FactKind::Change => "change",
            FactKind::Hint => "hint",
            FactKind::Unreadable => "unreadable",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::State, Self::Event, Self::Change, Self::Hint, Self::Unreadable];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// How a fact came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Webhook,
    /// `POST /ingest`.
    Ingest,
    /// Found by comparing: a webhook that was missed.
    Sweep,
    Backfill,
    /// Read because of a hint or a doubt.
    Read,
    /// Given rise to by an outcome of our own: the ERP's number.
    Outcome,
    /// Made of the record of its subject, into which what its source told was folded.
    Fold,
    /// Sent again by a person.
    Replay,
}

impl Via {
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Webhook => "webhook",
            Via::Ingest => "ingest",
            Via::Sweep => "sweep",
            Via::Backfill => "backfill",
            Via::Read => "read",
            Via::Outcome => "outcome",
            Via::Fold => "fold",
            Via::Replay => "replay",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Webhook,
            Self::Ingest,
            Self::Sweep,
            Self::Backfill,
            Self::Read,
            Self::Outcome,
            Self::Fold,
            Self::Replay,
        ];
        all.into_iter().find(|via| via.as_str() == text)
    }
    /// Live facts go before those that catch up.
    pub fn priority(self) -> Priority {
        match self {
            Via::Webhook | Via::Ingest | Via::Outcome | Via::Fold | Via::Read => Priority::Live,
            Via::Sweep => Priority::Sweep,
            Via::Backfill | Via::Replay => Priority::Backfill,
        }
    }
}

/// Which of two due deliveries of a system goes first; the smaller number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Live = 0,
    Sweep = 1,
    Backfill = 2,
}

impl Priority {
    pub fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Live,
            1 => Self::Sweep,
            _ => Self::Backfill,
        }
    }
}

/// W3C trace context: the trace id goes from intake to target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TraceId(pub [u8; 16]);

impl TraceId {
    /// The `traceparent` header (W3C Trace Context, version 00) of a call under this trace.
    pub fn traceparent(&self, span: u64) -> String {
        format!("00-{self}-{:016x}-01", span.max(1))
    }
    /// Reads a `traceparent`; anything malformed is `None` and a new trace begins.
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let (version, trace) = (parts.next()?, parts.next()?);
        if version.len() != 2 || version == "ff" || trace.len() != 32 || parts.next()?.len() != 16 {
            return None;
        }
        let mut id = [0; 16];
        for (byte, pair) in id.iter_mut().zip(trace.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        (id != [0; 16]).then_some(Self(id))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::key::hex(&self.0))
    }
}

/// A fact as it lies in the log, without its payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub position: Position,
    pub shop: ShopId,
    pub domain: DomainName,
    /// The system it came from.
    pub source: SystemName,
    /// As the source spells it: `orders/updated`.
    pub topic: String,
    pub kind: FactKind,
    pub via: Via,
    pub subject: Subject,
    /// Known at intake where it can be had cheaply; a dated version has its digest only after routing.
    pub version: Option<EffectiveVersion>,
    /// When the source says that it happened.
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub trace: TraceId,
    /// SHA-256 of the bytes as received.
    pub raw_hash: [u8; 32],
    pub raw_bytes: u32,
}

impl Envelope {
    pub fn shop(&self) -> &ShopId {
        &self.shop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_taken_on_or_begun_anew() {
        let id = TraceId([7; 16]);
        assert_eq!(TraceId::from_traceparent(&id.traceparent(1)), Some(id));
        for bad in
            ["", "00", "00-zz-1-01", "00-00000000000000000000000000000000-0000000000000001-01", "ff-07"]
        {
            assert_eq!(TraceId::from_traceparent(bad), None, "{bad}");
        }
    }

    #[test]
    fn live_goes_before_what_catches_up() {
        assert!(Via::Webhook.priority() < Via::Sweep.priority());
        assert!(Via::Sweep.priority() < Via::Backfill.priority());
        for via in ["webhook", "ingest", "sweep", "backfill", "read", "outcome", "fold", "replay"] {
            assert_eq!(Via::parse(via).unwrap().as_str(), via);
        }
    }
}
