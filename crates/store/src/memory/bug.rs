//! Deliberate bugs of the store in memory, for showing that the simulation's judge can fail
//! (`cargo xtask simulate --mutants`). No other store has them, and the binary never opens this one.

use crate::lane::{Member, Stand};

/// One bug in what the port promises about lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// A move is heard whoever holds the lane.
    ForgetFence,
    /// A take-over does not change the fence.
    FenceStays,
    /// A lane that somebody holds is handed out again.
    ClaimNotExclusive,
    /// Whoever takes over is not told of the attempt that is without an answer.
    TakeOverForgets,
    /// A lease never ends.
    LeaseNeverEnds,
    /// A lease is longer than was asked for.
    LeaseTooLong,
    /// A newer state takes the place of one whose attempt is without an answer.
    SupersedesUnknown,
    /// A newer state goes first, whatever in its lane is without an answer.
    UnknownHoldsNothing,
}

/// What the members of a lane look like to a store that has the bug.
pub(super) fn spoil<F>(bug: Option<Bug>, members: &mut [Member<F>]) {
    if bug != Some(Bug::UnknownHoldsNothing) {
        return;
    }
    for member in members {
        if let Stand::Unknown(due_at) = member.stand {
            member.stand = Stand::Waiting(Some(due_at));
        }
    }
}
