//! What becomes of one request: decided from the seed and the count of requests alone, so that a run with the same
//! order of requests meets the same faults.

use super::knobs::{FaultsOn, Knobs, LateAnswer};
use crate::shop::Chance;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    Error { status: u16, applied: bool },
    Throttled { retry_after_s: u64 },
    Unanswered,
    LateApply { after_ms: u64, answer: LateAnswer },
    HalfAnswer,
    SlowAnswer { ms: u64 },
    Hang,
    Redirect,
    HugeAnswer { bytes: u64 },
    Garbage,
}

impl Fate {
    /// Its name in the ledger's counts; none for what is answered as it should be.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Answered => None,
            Self::Error { applied: false, .. } => Some("error"),
            Self::Error { applied: true, .. } => Some("error_applied"),
            Self::Throttled { .. } => Some("throttled"),
            Self::Unanswered => Some("unanswered"),
            Self::LateApply { .. } => Some("late_apply"),
            Self::HalfAnswer => Some("half_answer"),
            Self::SlowAnswer { .. } => Some("slow_answer"),
            Self::Hang => Some("hang"),
            Self::Redirect => Some("redirect"),
            Self::HugeAnswer { .. } => Some("huge_answer"),
            Self::Garbage => Some("garbage"),
        }
    }
}

/// What a request does, as far as its fate depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Read,
    Write,
    Create,
}

/// The fate, and how long to wait before working on it.
pub(super) fn decide(knobs: &Knobs, seed: u64, count: u64, weight: Weight) -> (Fate, u64) {
    let mut chance = Chance::new(seed ^ count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let tail = if chance.per_mille(knobs.latency_tail_per_mille) { knobs.latency_tail_ms } else { 0 };
    let exempt = match knobs.faults_on {
        FaultsOn::All => false,
        FaultsOn::Writes => weight == Weight::Read,
        FaultsOn::Creates => weight != Weight::Create,
    };
    let fate = if exempt { Fate::Answered } else { draw(knobs, &mut chance) };
    (fate, knobs.latency_ms + tail)
}

/// One draw over all shares laid side by side, so that each is what it says as long as they fit into a thousand.
fn draw(knobs: &Knobs, chance: &mut Chance) -> Fate {
    let applied = chance.per_mille(knobs.error_applied_per_mille);
    let late = Fate::LateApply { after_ms: knobs.late_apply_ms, answer: knobs.late_apply_answer };
    let shares = [
        (knobs.error_per_mille, Fate::Error { status: knobs.error_status, applied }),
        (knobs.throttled_per_mille, Fate::Throttled { retry_after_s: knobs.retry_after_s }),
        (knobs.unanswered_per_mille, Fate::Unanswered),
        (knobs.late_apply_per_mille, late),
        (knobs.half_answer_per_mille, Fate::HalfAnswer),
        (knobs.slow_answer_per_mille, Fate::SlowAnswer { ms: knobs.slow_answer_ms }),
        (knobs.hang_per_mille, Fate::Hang),
        (knobs.redirect_per_mille, Fate::Redirect),
        (knobs.huge_answer_per_mille, Fate::HugeAnswer { bytes: knobs.huge_answer_bytes }),
        (knobs.garbage_per_mille, Fate::Garbage),
    ];
    let mut drawn = chance.below(1000);
    for (share, fate) in shares {
        match drawn.checked_sub(u64::from(share)) {
            Some(left) => drawn = left,
            None => return fate,
        }
    }
    Fate::Answered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fates_depend_on_seed_and_count_alone_and_come_in_their_shares() {
        let knobs = Knobs { error_per_mille: 100, unanswered_per_mille: 50, ..Knobs::default() };
        let run =
            |seed| -> Vec<Fate> { (0..20_000).map(|n| decide(&knobs, seed, n, Weight::Create).0).collect() };
        let fates = run(7);
        assert_eq!(fates, run(7));
        assert_ne!(fates, run(8));
        let count = |wanted: &str| fates.iter().filter(|fate| fate.name() == Some(wanted)).count();
        assert!((1_800..2_200).contains(&count("error")), "{}", count("error"));
        assert!((850..1_150).contains(&count("unanswered")), "{}", count("unanswered"));
    }

    #[test]
    fn faults_can_be_kept_off_reads_or_to_creates() {
        let cases = [
            (FaultsOn::All, [true, true, true]),
            (FaultsOn::Writes, [false, true, true]),
            (FaultsOn::Creates, [false, false, true]),
        ];
        for (faults_on, expected) in cases {
            let knobs = Knobs { hang_per_mille: 1000, faults_on, ..Knobs::default() };
            let hit = [Weight::Read, Weight::Write, Weight::Create]
                .map(|weight| decide(&knobs, 1, 1, weight).0 == Fate::Hang);
            assert_eq!(hit, expected, "{faults_on:?}");
        }
    }
}
