//! The door goes first. While more appends wait for their commit than a steady day brings, routing gives way for a
//! moment: a fact that is acknowledged is safe and can be routed a little later, one that is not acknowledged in time is
//! sent again. Routing is never shut out: it takes its turn after [`LOOKS`] looks, however great the crowd, and then a small
//! one: while it has the writer, or the processors, all those wait. For stores to use; refuses to know what they store.

use crate::port::UNROUTED_LEAST;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Appends that wait at once when something more than a busy hour is going on (500 a second are about two).
const CROWD: usize = 16;
/// A crowd comes and goes with each commit; it is over when for so long there was none.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);
/// After so many routing takes its turn.
const LOOKS: u32 = 3;

/// How much whoever gave way may take at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Whole,
    /// The crowd is still there.
    Small,
}

impl Turn {
    /// How many of `limit` envelopes are handed out.
    #[must_use]
    pub fn of(self, limit: u32) -> u32 {
        match self {
            Self::Whole => limit,
            Self::Small => limit.min(UNROUTED_LEAST),
        }
    }
}

/// How many appends wait at one store.
#[derive(Debug, Default)]
pub struct Pressure {
    waiting: AtomicUsize,
    /// The most that waited at once since somebody looked.
    most: AtomicUsize,
}

/// An append that waits; gone when it is answered or given up.
#[derive(Debug)]
pub struct Waiting<'a>(&'a Pressure);

impl Pressure {
    /// For as long as the append waits.
    pub fn enter(&self) -> Waiting<'_> {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(waiting, Ordering::Relaxed);
        Waiting(self)
    }

    fn was_crowded(&self) -> bool {
        self.most.swap(self.waiting.load(Ordering::Relaxed), Ordering::Relaxed) > CROWD
    }

    /// Returns at once on a steady day.
    pub async fn give_way(&self) -> Turn {
        for _ in 0..LOOKS {
            if !self.was_crowded() {
                return Turn::Whole;
            }
            #[expect(clippy::disallowed_methods, reason = "an edge: nothing is decided by this time")]
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Turn::Small
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn gave_way(pressure: &Pressure) -> (Duration, Turn) {
        #[expect(clippy::disallowed_methods, reason = "the paused clock of the test")]
        let began = tokio::time::Instant::now();
        let turn = pressure.give_way().await;
        (began.elapsed(), turn)
    }

    #[tokio::test(start_paused = true)]
    async fn routing_gives_way_to_a_crowd_until_it_is_gone_or_its_turn_has_come() {
        let pressure = Pressure::default();
        let mut crowd: Vec<_> = (0..CROWD).map(|_| pressure.enter()).collect();
        let at_once = (Duration::ZERO, Turn::Whole);
        assert_eq!(gave_way(&pressure).await, at_once, "a busy hour is no crowd");

        crowd.push(pressure.enter());
        assert_eq!(
            gave_way(&pressure).await,
            (BETWEEN_LOOKS * LOOKS, Turn::Small),
            "its turn comes, however great the crowd"
        );
        crowd.pop();
        let after_a_look = (BETWEEN_LOOKS, Turn::Whole);
        assert_eq!(gave_way(&pressure).await, after_a_look, "a crowd that has just gone may come again");
        assert_eq!(gave_way(&pressure).await, at_once, "and has not");
        drop(crowd);
        assert_eq!(gave_way(&pressure).await, at_once);
        assert_eq!((Turn::Whole.of(256), Turn::Small.of(256), Turn::Small.of(10)), (256, UNROUTED_LEAST, 10));
    }
}
