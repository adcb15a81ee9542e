//! Why a thing differs from what its source has, by what the log knows of it: a full check's second look. Owns the judgement; who
//! reads both sides, and what becomes of a difference, is the caller's.

use kernel::version::EffectiveVersion;
use store::delivery::{DeliveryState, Outcome};
use store::query::SubjectStatus;

/// What is known of a thing that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The source's newest state never came.
    Missed,
    /// It came, and is not delivered yet.
    UnderWay,
    Dead,
    /// It was delivered, and the target has another since.
    ChangedInShop,
    /// They agree by now, or a newer state came and was delivered since the source was read.
    Settled,
    /// A higher number was delivered than the source has: it moved on since it was read, or counts anew.
    Overtaken,
    /// It counts anew: what it has now bears a lower number than what came before.
    SequenceBack,
}

impl Why {
    /// As reports have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missed => "missed",
            Self::UnderWay => "under_way",
            Self::Dead => "dead_letter",
            Self::ChangedInShop => "changed_in_shop",
            Self::Settled | Self::Overtaken => "settled",
            Self::SequenceBack => "sequence_back",
        }
    }
}

/// Of a state that the source has under this number.
#[must_use]
pub fn why(known: &SubjectStatus, sequence: i64) -> Why {
    let Some(delivery) = &known.delivery else { return Why::Missed };
    let heard = match &delivery.version {
        Some(EffectiveVersion::Sequence { sequence: heard }) => *heard,
        _ => return Why::Missed,
    };
    if heard < sequence {
        return Why::Missed;
    }
    why_of(&delivery.state, heard > sequence)
}

/// Of a state that came. `later`: a higher number than the source has.
#[must_use]
pub fn why_of(state: &DeliveryState, later: bool) -> Why {
    match state {
        DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => Why::UnderWay,
        DeliveryState::Dead => Why::Dead,
        DeliveryState::Ended(Outcome::Delivered { .. } | Outcome::Unchanged) if later => Why::Overtaken,
        DeliveryState::Ended(Outcome::Delivered { .. } | Outcome::Unchanged) => Why::ChangedInShop,
        // Skipped, redacted, shadowed: it never got there.
        DeliveryState::Ended(_) => Why::Missed,
    }
}
