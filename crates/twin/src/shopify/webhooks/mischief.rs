//! What goes wrong with one webhook on purpose, drawn from the seed, the event and the subscription.

use crate::shop::Chance;
use crate::shop::chance::mix;
use crate::shopify::config::Mischief;
use std::time::Duration;

/// Everything that is done to one webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) never_sent: bool,
    /// Held until a later change of the same order was sent.
    pub(super) swap: bool,
    pub(super) delay: Duration,
    /// Requests at the same instant; 1 is the usual.
    pub(super) copies: u32,
    /// Again with the same id, that long after it was sent.
    pub(super) duplicate_after: Option<Duration>,
    /// The same payload once more, under an id of its own, that long after.
    pub(super) stale_after: Option<Duration>,
}

impl Mischief {
    pub(super) fn plan(&self, event: u64, subscription: u64) -> Plan {
        let mut chance = Chance::new(mix(self.seed ^ mix(event)) ^ mix(subscription));
        let never_sent = chance.per_mille(self.never_sent_per_mille);
        let swap = chance.per_mille(self.swap_per_mille);
        let delayed = chance.per_mille(self.delay_per_mille);
        let copied = chance.per_mille(self.copies_per_mille);
        let duplicated = chance.per_mille(self.duplicate_per_mille);
        let stale = chance.per_mille(self.stale_per_mille);
        let within = |chance: &mut Chance| {
            let longest = u64::try_from(self.delay_max.as_millis()).unwrap_or(u64::MAX);
            Duration::from_millis(chance.between(1, longest.max(1)))
        };
        Plan {
            never_sent,
            swap,
            delay: if delayed { within(&mut chance) } else { Duration::ZERO },
            copies: if copied { self.copies.max(2) } else { 1 },
            duplicate_after: duplicated.then(|| within(&mut chance)),
            stale_after: stale.then_some(self.stale_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_mischief_in_the_share_that_was_asked_for() {
        let mischief = Mischief {
            seed: 7,
            duplicate_per_mille: 100,
            never_sent_per_mille: 20,
            delay_per_mille: 300,
            delay_max: Duration::from_secs(30),
            ..Mischief::default()
        };
        let run = |mischief: &Mischief| (0..10_000).map(|event| mischief.plan(event, 1)).collect::<Vec<_>>();
        let plans = run(&mischief);
        assert_eq!(plans, run(&mischief));
        assert_ne!(plans, run(&Mischief { seed: 8, ..mischief.clone() }));
        let share = |held: fn(&Plan) -> bool| plans.iter().filter(|plan| held(plan)).count();
        assert!((900..1100).contains(&share(|plan| plan.duplicate_after.is_some())));
        assert!((150..250).contains(&share(|plan| plan.never_sent)));
        assert!((2800..3200).contains(&share(|plan| !plan.delay.is_zero())));
        assert!(
            plans.iter().all(|plan| plan.delay <= Duration::from_secs(30) && plan.copies == 1 && !plan.swap)
        );
        assert!(run(&Mischief::default()).iter().all(|plan| *plan == Plan { copies: 1, ..Plan::default() }));
    }
}
