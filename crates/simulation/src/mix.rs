//! Which faults a seed has, and how often: each seed varies its own mix, so that rare combinations meet.

use engine::mutant::Mutant;
use kernel::rng::{Rng, Seeded};
use std::time::Duration;

/// Shares are per mille.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    pub orders: u32,
    pub changes_each: u32,
    pub duplicate: u32,
    pub never_sent: u32,
    pub delayed: u32,
    pub same_second: u32,
    pub kill: u32,
    pub store_fails: u32,
    pub withheld: u32,
    pub refused: u32,
    pub throttled: u32,
    pub applied_unanswered: u32,
    pub unapplied_unanswered: u32,
    pub late_apply: u32,
    pub bad_gateway: u32,
    pub read_fails: u32,
    pub poison: u32,
    pub missing: u32,
    pub clock_jumps: bool,
    /// The target honours call keys.
    pub native_key: bool,
    pub health_call: bool,
    /// Confirmation: at once, or after this.
    pub confirm_after: Option<Duration>,
    pub outage: Option<Duration>,
    pub credentials_expire: bool,
    pub lag: Duration,
}

impl Mix {
    /// The mix of a seed. Every fault is absent in some seeds and frequent in some.
    pub fn of(rng: &mut Seeded) -> Self {
        let mut share = |most: u64| -> u32 {
            let level = rng.below(4);
            u32::try_from(if level == 0 { 0 } else { rng.below(most * level / 3 + 1) }).unwrap_or(0)
        };
        let mut mix = Self {
            orders: 3 + share(12),
            changes_each: 1 + share(4),
            duplicate: share(400),
            never_sent: share(200),
            delayed: share(500),
            same_second: share(400),
            kill: share(12),
            store_fails: share(30),
            withheld: share(60),
            refused: share(100),
            throttled: share(80),
            applied_unanswered: share(150),
            unapplied_unanswered: share(120),
            late_apply: share(120),
            bad_gateway: share(120),
            read_fails: share(100),
            poison: share(120),
            missing: share(150),
            clock_jumps: false,
            native_key: false,
            health_call: false,
            confirm_after: None,
            outage: None,
            credentials_expire: false,
            lag: Duration::ZERO,
        };
        mix.clock_jumps = rng.chance(200);
        mix.native_key = rng.chance(300);
        mix.health_call = rng.chance(500);
        mix.confirm_after = rng.chance(300).then(|| Duration::from_secs(30 + rng.below(900)));
        mix.outage = match rng.below(10) {
            0 => Some(Duration::from_secs(86_400)),
            1..=4 => Some(Duration::from_secs(20 + rng.below(600))),
            _ => None,
        };
        mix.credentials_expire = rng.chance(100);
        mix.lag = Duration::from_millis(rng.below(3000));
        mix
    }

    /// Nothing goes wrong: the shape of a run without faults.
    pub fn calm() -> Self {
        Self {
            orders: 5,
            changes_each: 2,
            duplicate: 0,
            never_sent: 0,
            delayed: 0,
            same_second: 0,
            kill: 0,
            store_fails: 0,
            withheld: 0,
            refused: 0,
            throttled: 0,
            applied_unanswered: 0,
            unapplied_unanswered: 0,
            late_apply: 0,
            bad_gateway: 0,
            read_fails: 0,
            poison: 0,
            missing: 0,
            clock_jumps: false,
            native_key: false,
            health_call: true,
            confirm_after: None,
            outage: None,
            credentials_expire: false,
            lag: Duration::ZERO,
        }
    }
}

/// What one run is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    pub seed: u64,
    pub mutant: Option<Mutant>,
    /// Overrides the seed's own mix.
    pub mix: Option<Mix>,
    /// Prints every event and effect to standard error.
    pub tell: bool,
}
