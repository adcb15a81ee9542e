//! How long to wait before trying again: exponential with full jitter
//! (AWS Architecture Blog, "Exponential Backoff and Jitter"). Owns the curve; knows nothing of what is retried.

use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The curve of one system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// Upper edge of the first wait.
    pub first: Duration,
    /// Upper edge of every wait.
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), max: Duration::from_secs(300) }
    }
}

impl Backoff {
    /// The wait before try `n + 1`, after `n` failures (from 1): between a tenth and all of `first · 2^(n-1)`,
    /// capped. Never zero, so that a failing lane cannot spin.
    pub fn after(&self, failures: u32, rng: &mut dyn Rng) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let edge = self.first.saturating_mul(1 << doublings).min(self.max).max(Duration::from_millis(10));
        let floor = edge / 10;
        let spread_us = u64::try_from((edge - floor).as_micros()).unwrap_or(u64::MAX);
        floor + Duration::from_micros(rng.below(spread_us.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Seeded;

    #[test]
    fn waits_grow_are_capped_and_never_zero() {
        let backoff = Backoff { first: Duration::from_secs(1), max: Duration::from_secs(60) };
        let mut rng = Seeded::new(1);
        for failures in 0..100 {
            let doublings: u32 = failures.clamp(1, 7) - 1;
            let edge = Duration::from_secs(1 << doublings).min(backoff.max);
            let wait = backoff.after(failures, &mut rng);
            assert!(wait >= edge / 10 && wait <= edge, "{failures}: {wait:?} of {edge:?}");
        }
    }
}
