//! The real clock and the real randomness: the only place where the hub asks the machine for either.

use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use std::cell::RefCell;
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

/// Fetched at once: an order takes a key and some nonces, and each would be a call of the system.
const POOL_BYTES: usize = 512;

/// Random bytes of one thread that nobody has had yet; what is given out is wiped here.
struct Pool {
    bytes: [u8; POOL_BYTES],
    left: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; POOL_BYTES], left: 0 }) };
}

impl Pool {
    fn fill(&mut self, wanted: &mut [u8]) -> Result<(), getrandom::Error> {
        if wanted.len() > self.left {
            getrandom::fill(&mut self.bytes)?;
            self.left = POOL_BYTES;
        }
        let from = self.left - wanted.len();
        let given = &mut self.bytes[from..self.left];
        wanted.copy_from_slice(given);
        given.fill(0);
        self.left = from;
        Ok(())
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        let filled = if bytes.len() > POOL_BYTES / 8 {
            getrandom::fill(bytes)
        } else {
            POOL.with_borrow_mut(|pool| pool.fill(bytes))
        };
        filled.map_err(|error| StoreError::Unavailable(format!("the system gives no random bytes: {error}")))
    }
}

/// A seed for jitter.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    // Jitter without a seed is still jitter.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_bytes_are_given_out_twice() {
        let mut seen = BTreeSet::new();
        for length in [24, 32, 16, 64, 100].into_iter().cycle().take(2_000) {
            let mut bytes = vec![0; length];
            SystemRandom.fill(&mut bytes).unwrap();
            assert!(seen.insert(bytes[..16].to_vec()), "the same bytes again");
        }
    }
}
