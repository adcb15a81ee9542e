//! What orders two states of one subject (DESIGN section 2, "effective version"). Owns the comparison; refuses to
//! guess where the source's clock is too coarse.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A digest of canonical bytes (SHA-256).
pub type Digest = [u8; 32];

/// The effective version of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveVersion {
    /// The source numbers its states.
    Sequence { sequence: i64 },
    /// The source dates them, in whole seconds; the digest is that of the canonical state without the fields that
    /// we write ourselves.
    Dated { updated_at: Timestamp, digest: Digest, came_by: CameBy },
    /// The states are those of the subject's record, into which its source's changes are folded: the how manieth one it is. From the
    /// first change on the record says what is newer, and no state of the subject has another version.
    Folded { revision: i64 },
}

/// How a dated state came to us; decides between two of the same instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameBy {
    /// Pushed: a picture of some moment within that second.
    Push,
    /// Read by us because of a doubt, after all that is in the log about the subject: newer by construction.
    Read,
}

/// How a state stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Older,
    Same,
    Newer,
    /// The same instant with another digest, both possible: the subject has to be read again.
    InDoubt,
}

impl EffectiveVersion {
    /// How `self`, which comes later in the log, stands to `known`.
    pub fn against(&self, known: &EffectiveVersion) -> Order {
        use EffectiveVersion::{Dated, Folded, Sequence};
        match (self, known) {
            (Sequence { sequence: a }, Sequence { sequence: b }) => match a.cmp(b) {
                std::cmp::Ordering::Less => Order::Older,
                std::cmp::Ordering::Equal => Order::Same,
                std::cmp::Ordering::Greater => Order::Newer,
            },
            (
                Dated { updated_at: a, digest: digest_a, came_by },
                Dated { updated_at: b, digest: digest_b, .. },
            ) => match a.cmp(b) {
                std::cmp::Ordering::Less => Order::Older,
                std::cmp::Ordering::Greater => Order::Newer,
                std::cmp::Ordering::Equal if digest_a == digest_b => Order::Same,
                std::cmp::Ordering::Equal if *came_by == CameBy::Read => Order::Newer,
                std::cmp::Ordering::Equal => Order::InDoubt,
            },
            (Folded { revision: a }, Folded { revision: b }) => match a.cmp(b) {
                std::cmp::Ordering::Less => Order::Older,
                std::cmp::Ordering::Equal => Order::Same,
                std::cmp::Ordering::Greater => Order::Newer,
            },
            // The record was begun with what its source had told so far.
            (Folded { .. }, _) => Order::Newer,
            (_, Folded { .. }) => Order::Older,
            // A source that changes how it counts is read again.
            _ => Order::InDoubt,
        }
    }

    /// Bytes for a change key: equal for equal versions, whatever way they came.
    pub fn key_bytes(&self) -> Vec<u8> {
        match self {
            EffectiveVersion::Sequence { sequence } => sequence.to_be_bytes().to_vec(),
            EffectiveVersion::Dated { updated_at, digest, .. } => {
                let mut bytes = updated_at.as_nanosecond().to_be_bytes().to_vec();
                bytes.extend_from_slice(digest);
                bytes
            }
            EffectiveVersion::Folded { revision } => [&b"folded"[..], &revision.to_be_bytes()].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dated(second: i64, digest: u8, came_by: CameBy) -> EffectiveVersion {
        EffectiveVersion::Dated {
            updated_at: Timestamp::from_second(second).unwrap(),
            digest: [digest; 32],
            came_by,
        }
    }

    #[test]
    fn versions_are_ordered_by_time_then_settled_by_reading() {
        use CameBy::{Push, Read};
        let cases = [
            (dated(1, 1, Push), dated(2, 1, Push), Order::Older),
            (dated(3, 1, Push), dated(2, 1, Push), Order::Newer),
            (dated(2, 1, Push), dated(2, 1, Read), Order::Same),
            (dated(2, 1, Push), dated(2, 2, Push), Order::InDoubt),
            (dated(2, 1, Push), dated(2, 2, Read), Order::InDoubt),
            (dated(2, 1, Read), dated(2, 2, Push), Order::Newer),
            (dated(1, 9, Read), dated(2, 1, Push), Order::Older),
        ];
        for (new, known, expected) in cases {
            assert_eq!(new.against(&known), expected, "{new:?} against {known:?}");
        }
    }

    #[test]
    fn what_was_folded_is_newer_than_what_it_was_begun_with() {
        let folded = |revision| EffectiveVersion::Folded { revision };
        let sequence = EffectiveVersion::Sequence { sequence: i64::MAX };
        for before in [sequence, dated(9, 9, CameBy::Read), folded(1)] {
            assert_eq!(folded(2).against(&before), Order::Newer, "{before:?}");
            assert_eq!(before.against(&folded(2)), Order::Older, "{before:?}");
        }
        assert_eq!(folded(2).against(&folded(2)), Order::Same);
        assert_ne!(folded(2).key_bytes(), EffectiveVersion::Sequence { sequence: 2 }.key_bytes());
    }

    #[test]
    fn the_way_a_state_came_is_no_part_of_its_key() {
        assert_eq!(dated(1, 1, CameBy::Push).key_bytes(), dated(1, 1, CameBy::Read).key_bytes());
        assert_ne!(dated(1, 1, CameBy::Push).key_bytes(), dated(1, 2, CameBy::Push).key_bytes());
    }
}
