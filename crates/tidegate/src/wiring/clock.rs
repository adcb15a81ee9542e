//! The real clock and the real randomness: the only place where the hub asks the machine for either.

use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use std::time::Instant;
use store::StoreError;
use store::seal::Random;

/// Both clocks of this machine.
#[derive(Debug)]
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the edge where time comes in")]
    pub fn new() -> Self {
        Self { began: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the edge where time comes in")]
    fn now(&self) -> Now {
        let mono = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        Now { wall: Timestamp::now(), mono: Mono(mono) }
    }
}

/// The operating system's generator: for keys, secrets and session ids.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        getrandom::fill(bytes)
            .map_err(|error| StoreError::Unavailable(format!("the system gives no random bytes: {error}")))
    }
}

/// A seed for jitter.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    // Jitter without a seed is still jitter.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
