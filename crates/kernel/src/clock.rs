//! Time as a port. Owns the two clocks that the engine knows: the wall clock, which may jump, and the monotonic
//! one, which a process counts waits by.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Nanoseconds since the process began; never goes back, means nothing to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Mono(pub u64);

impl Mono {
    /// Saturates: a wait longer than five hundred years ends there.
    pub fn plus(self, wait: Duration) -> Mono {
        Mono(self.0.saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)))
    }
    /// Zero where `earlier` is later.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    pub mono: Mono,
}

impl Now {
    /// Wall time after a wait; saturates at the end of jiff's calendar.
    pub fn wall_after(&self, wait: Duration) -> Timestamp {
        after(self.wall, wait)
    }
}

/// `at` plus a wait; saturates.
pub fn after(at: Timestamp, wait: Duration) -> Timestamp {
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Milliseconds from `earlier` to `later`, zero where the clocks disagree.
pub fn elapsed_ms(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.as_millisecond() - earlier.as_millisecond()).unwrap_or(0)
}

/// Where the time comes from.
pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> Now;
}
