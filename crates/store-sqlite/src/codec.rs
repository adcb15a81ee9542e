//! How values stand in columns: times, versions, states of deliveries. Owns both directions of each.

use crate::error::{Done, bug};
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority, Via};
use kernel::fault::FaultKind;
use kernel::version::{CameBy, Digest, EffectiveVersion};
use store::delivery::{DeliveryKind, DeliveryState, Outcome, Wait};

/// Nanoseconds since 1970; times beyond what 64 bits hold (years 1677 to 2262) stand at the end.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    let end = if at.as_second() < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(at.as_nanosecond()).unwrap_or(end)
}

pub(crate) fn time(nanos: i64) -> Timestamp {
    // Every i64 of nanoseconds lies within jiff's calendar.
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or(Timestamp::MAX)
}

pub(crate) fn version_bytes(version: &EffectiveVersion) -> Vec<u8> {
    match version {
        EffectiveVersion::Sequence { sequence } => [&[0][..], &sequence.to_be_bytes()].concat(),
        EffectiveVersion::Dated { updated_at, digest, came_by } => {
            let came_by = u8::from(*came_by == CameBy::Read);
            [&[1, came_by][..], &nanos(*updated_at).to_be_bytes(), digest].concat()
        }
        EffectiveVersion::Folded { revision } => [&[2][..], &revision.to_be_bytes()].concat(),
    }
}

pub(crate) fn version(bytes: Option<Vec<u8>>) -> Done<Option<EffectiveVersion>> {
    let Some(bytes) = bytes else { return Ok(None) };
    let number = |bytes: &[u8]| bytes.try_into().map(i64::from_be_bytes);
    let read = match bytes.split_first() {
        Some((0, rest)) => number(rest).ok().map(|sequence| EffectiveVersion::Sequence { sequence }),
        Some((2, rest)) => number(rest).ok().map(|revision| EffectiveVersion::Folded { revision }),
        Some((1, rest)) if rest.len() == 41 => {
            let came_by = if rest[0] == 1 { CameBy::Read } else { CameBy::Push };
            let updated_at = number(&rest[1..9]).map(time);
            let digest = digest(&rest[9..]);
            updated_at.ok().zip(digest).map(|(updated_at, digest)| EffectiveVersion::Dated {
                updated_at,
                digest,
                came_by,
            })
        }
        _ => None,
    };
    read.map(Some).ok_or_else(|| bug("a version that no program of this schema wrote"))
}

pub(crate) fn digest(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok()
}

macro_rules! numbered {
    ($encode:ident, $decode:ident, $type:ty, [$($number:literal => $value:path),+ $(,)?]) => {
        pub(crate) fn $encode(value: $type) -> i64 {
            match value { $($value => $number),+ }
        }
        pub(crate) fn $decode(number: i64) -> Done<$type> {
            match number {
                $($number => Ok($value),)+
                _ => Err(bug(concat!("an unknown number for a ", stringify!($type)))),
            }
        }
    };
}

numbered!(fact_number, fact_kind, FactKind, [
    0 => FactKind::State, 1 => FactKind::Event, 2 => FactKind::Hint, 3 => FactKind::Unreadable,
    4 => FactKind::Change,
]);
numbered!(via_number, via, Via, [
    0 => Via::Webhook, 1 => Via::Ingest, 2 => Via::Sweep, 3 => Via::Backfill, 4 => Via::Read, 5 => Via::Outcome,
    6 => Via::Replay, 7 => Via::Fold,
]);
numbered!(kind_number, delivery_kind, DeliveryKind, [
    0 => DeliveryKind::State, 1 => DeliveryKind::Event, 2 => DeliveryKind::Read, 3 => DeliveryKind::Step,
]);
numbered!(fault_number, fault_kind, FaultKind, [
    0 => FaultKind::Transient, 1 => FaultKind::Throttled, 2 => FaultKind::Ambiguous, 3 => FaultKind::Conflict,
    4 => FaultKind::Unauthorized, 5 => FaultKind::Rejected, 6 => FaultKind::Bug,
]);

pub(crate) const WAITING: i64 = 0;
pub(crate) const UNKNOWN: i64 = 1;
pub(crate) const DEAD: i64 = 2;
pub(crate) const ENDED: i64 = 3;

/// In the column `wait` of a waiting delivery.
pub(crate) const WAIT_CONDITION: i64 = 3;
/// In the column `wait` of an ended delivery.
pub(crate) const OUTCOME_SUPERSEDED: i64 = 11;
pub(crate) const OUTCOME_UNCHANGED: i64 = 12;
pub(crate) const OUTCOME_FILTERED: i64 = 13;
pub(crate) const OUTCOME_SHADOWED: i64 = 15;

/// The columns of a state: phase, due_at, wait, detail. What a shadow flow would have sent is sealed apart.
#[derive(Debug, PartialEq)]
pub(crate) struct StateColumns {
    pub phase: i64,
    pub due_at: Option<i64>,
    pub wait: i64,
    pub detail: Option<String>,
    pub secret: Option<String>,
}

pub(crate) fn state_columns(state: &DeliveryState) -> Done<StateColumns> {
    let columns = |phase, due_at: Option<Timestamp>, (wait, detail)| StateColumns {
        phase,
        due_at: due_at.map(nanos),
        wait,
        detail,
        secret: None,
    };
    Ok(match state {
        DeliveryState::Waiting { due_at, wait } => columns(WAITING, *due_at, wait_columns(wait)?),
        DeliveryState::Unknown { due_at, wait } => columns(UNKNOWN, Some(*due_at), wait_columns(wait)?),
        DeliveryState::Dead => columns(DEAD, None, (0, None)),
        DeliveryState::Ended(Outcome::Shadowed { would }) => {
            let shown = columns(ENDED, None, (OUTCOME_SHADOWED, None));
            StateColumns { secret: Some(would.clone()), ..shown }
        }
        DeliveryState::Ended(outcome) => columns(ENDED, None, outcome_columns(outcome)?),
    })
}

fn json<T: serde::Serialize>(value: &T) -> Done<Option<String>> {
    serde_json::to_string(value).map(Some).map_err(|error| bug(format!("a state that is no JSON: {error}")))
}

fn wait_columns(wait: &Wait) -> Done<(i64, Option<String>)> {
    Ok(match wait {
        Wait::Turn => (0, None),
        Wait::Backoff { .. } => (1, json(wait)?),
        Wait::Settle { not_there } => (2, Some(not_there.to_string())),
        Wait::Condition { text } => (WAIT_CONDITION, Some(text.clone())),
        Wait::Scheduled { text } => (4, Some(text.clone())),
        Wait::Reading => (5, None),
    })
}

fn outcome_columns(outcome: &Outcome) -> Done<(i64, Option<String>)> {
    Ok(match outcome {
        Outcome::Delivered { note } => (10, note.clone()),
        Outcome::Superseded { by } => (OUTCOME_SUPERSEDED, Some(by.to_string())),
        Outcome::Unchanged => (OUTCOME_UNCHANGED, None),
        Outcome::Filtered { rule } => (OUTCOME_FILTERED, Some(rule.clone())),
        Outcome::Skipped { .. } => (14, json(outcome)?),
        Outcome::Shadowed { .. } => (OUTCOME_SHADOWED, None),
        Outcome::Redacted => (16, None),
        Outcome::Read { found } => (if *found { 17 } else { 18 }, None),
    })
}

pub(crate) fn state(columns: StateColumns) -> Done<DeliveryState> {
    let StateColumns { phase, due_at, wait, detail, secret } = columns;
    let due_at = due_at.map(time);
    Ok(match phase {
        WAITING => DeliveryState::Waiting { due_at, wait: wait_of(wait, detail)? },
        UNKNOWN => {
            let due_at = due_at.ok_or_else(|| bug("an unknown delivery without its time"))?;
            DeliveryState::Unknown { due_at, wait: wait_of(wait, detail)? }
        }
        DEAD => DeliveryState::Dead,
        ENDED => DeliveryState::Ended(outcome_of(wait, detail, secret)?),
        other => return Err(bug(format!("an unknown phase {other}"))),
    })
}

fn parsed<T: serde::de::DeserializeOwned>(detail: Option<String>) -> Done<T> {
    serde_json::from_str(&detail.unwrap_or_default())
        .map_err(|error| bug(format!("a state that no program of this schema wrote: {error}")))
}

fn wait_of(number: i64, detail: Option<String>) -> Done<Wait> {
    let text = || detail.clone().unwrap_or_default();
    Ok(match number {
        0 => Wait::Turn,
        1 => parsed(detail)?,
        2 => Wait::Settle { not_there: text().parse().unwrap_or(0) },
        WAIT_CONDITION => Wait::Condition { text: text() },
        4 => Wait::Scheduled { text: text() },
        5 => Wait::Reading,
        other => return Err(bug(format!("an unknown wait {other}"))),
    })
}

fn outcome_of(number: i64, detail: Option<String>, secret: Option<String>) -> Done<Outcome> {
    Ok(match number {
        10 => Outcome::Delivered { note: detail },
        OUTCOME_SUPERSEDED => Outcome::Superseded { by: kernel::id::Position(parsed(detail)?) },
        OUTCOME_UNCHANGED => Outcome::Unchanged,
        OUTCOME_FILTERED => Outcome::Filtered { rule: detail.unwrap_or_default() },
        14 => parsed(detail)?,
        OUTCOME_SHADOWED => Outcome::Shadowed { would: secret.unwrap_or_default() },
        16 => Outcome::Redacted,
        17 => Outcome::Read { found: true },
        18 => Outcome::Read { found: false },
        other => return Err(bug(format!("an unknown outcome {other}"))),
    })
}

pub(crate) fn priority(number: i64) -> Priority {
    Priority::from_number(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read_back_as_they_were_written() {
        let at = time(1_780_000_000_123_456_789);
        let waits = [
            Wait::Turn,
            Wait::Backoff { failures: 3, fault: FaultKind::Transient, code: "http_502".into() },
            Wait::Settle { not_there: 1 },
            Wait::Condition { text: "paid".into() },
            Wait::Scheduled { text: "confirm after 15m".into() },
            Wait::Reading,
        ];
        let outcomes = [
            Outcome::Delivered { note: None },
            Outcome::Delivered { note: Some("a note".into()) },
            Outcome::Superseded { by: kernel::id::Position(7) },
            Outcome::Unchanged,
            Outcome::Filtered { rule: "before go-live".into() },
            Outcome::Skipped { who: "ada".into(), why: "asked".into() },
            Outcome::Shadowed { would: "{}".into() },
            Outcome::Redacted,
            Outcome::Read { found: true },
            Outcome::Read { found: false },
        ];
        let mut states = vec![DeliveryState::Dead];
        for wait in waits {
            states.push(DeliveryState::Waiting { due_at: None, wait: wait.clone() });
            states.push(DeliveryState::Waiting { due_at: Some(at), wait: wait.clone() });
            states.push(DeliveryState::Unknown { due_at: at, wait });
        }
        states.extend(outcomes.into_iter().map(DeliveryState::Ended));
        for expected in states {
            assert_eq!(state(state_columns(&expected).unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn versions_are_read_back_and_foreign_bytes_refused() {
        let dated = |came_by| EffectiveVersion::Dated { updated_at: time(-5), digest: [9; 32], came_by };
        for expected in [
            EffectiveVersion::Sequence { sequence: -1 },
            EffectiveVersion::Folded { revision: 3 },
            dated(CameBy::Push),
            dated(CameBy::Read),
        ] {
            assert_eq!(version(Some(version_bytes(&expected))).unwrap(), Some(expected));
        }
        for bad in [vec![], vec![0], vec![1; 9], vec![7; 42]] {
            assert!(version(Some(bad)).is_err());
        }
    }

    #[test]
    fn times_beyond_the_column_stand_at_its_end() {
        assert_eq!(nanos(Timestamp::MAX), i64::MAX);
        assert_eq!(nanos(Timestamp::MIN), i64::MIN);
        assert_eq!(time(nanos(time(-1))), time(-1));
    }
}
