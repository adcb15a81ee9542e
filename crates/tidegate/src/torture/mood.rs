//! How the ERP behaves in a round of the torture.

use kernel::rng::{Rng, Seeded};
use twin::erp::{FaultsOn, Knobs, Outage};

/// As it was set up, without a fault.
pub(super) fn healthy(knobs: &Knobs) -> Knobs {
    Knobs {
        page_size: knobs.page_size,
        idempotency_lifetime_ms: knobs.idempotency_lifetime_ms,
        ..Knobs::default()
    }
}

/// How the ERP behaves in a round.
pub(super) fn mood(rng: &mut Seeded, healthy: &Knobs) -> Knobs {
    let often = |rng: &mut Seeded, max: u64| u32::try_from(rng.below(max)).unwrap_or(0);
    let mut knobs = Knobs {
        latency_ms: rng.below(20),
        latency_tail_ms: rng.below(400),
        latency_tail_per_mille: often(rng, 100),
        error_per_mille: often(rng, 150),
        error_applied_per_mille: 500,
        throttled_per_mille: often(rng, 100),
        unanswered_per_mille: often(rng, 150),
        late_apply_per_mille: often(rng, 100),
        late_apply_ms: 200 + rng.below(1_300),
        half_answer_per_mille: often(rng, 50),
        hang_per_mille: often(rng, 10),
        garbage_per_mille: often(rng, 30),
        faults_on: if rng.chance(500) { FaultsOn::Writes } else { FaultsOn::All },
        ..healthy.clone()
    };
    if rng.chance(250) {
        knobs.outage = if rng.chance(500) { Outage::Refused } else { Outage::Unavailable };
        knobs.outage_for_ms = Some(500 + rng.below(4_000));
    }
    knobs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_moods() {
        let (mut one, mut other) = (Seeded::new(9), Seeded::new(9));
        for _ in 0..50 {
            assert_eq!(mood(&mut one, &Knobs::default()), mood(&mut other, &Knobs::default()));
        }
    }
}
