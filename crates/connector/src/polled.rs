//! A source that numbers nothing: it is polled, and has neither a sequence nor a list of what changed that could be trusted
//! alone. Owns the numbers that stand for its sequence. What the source is asked, and how it is found out what moved, is its
//! connector's; the port is [`Source`](crate::port::Source), like that of any other.
//!
//! A read is numbered by our own clock *before it begins*, and after it was found out that there is something to read. So:
//!
//! - of two reads the one with the greater number began later, and has whatever was committed before the other one began;
//! - what changed after a read began is found by the next question for changes, which is numbered later still;
//! - a read that began before the source acknowledged an order never passes for one that contains it: which orders of ours
//!   a level holds (`counted`) is read in the same question as what is reserved, never before it and never told by its age.
//!
//! [`CallContext::now`](crate::port::CallContext::now) is the clock. It stands still within one call of the hub: whoever finds
//! out what moved and reads it does so in two, with the point ([`Changes::next`](crate::port::Changes::next)) between them
//! saying what is to be read, and `more`.

use jiff::Timestamp;
use std::sync::atomic::{AtomicI64, Ordering};

/// Numbers of reads: microseconds since 2020, and never the same one twice in this process, nor a smaller one after a greater,
/// whatever the clock does. They stay below what a source that counts anew is lifted by (10¹⁵) until the year 2051.
#[derive(Debug, Default)]
pub struct Numbers(AtomicI64);

/// 2020-01-01T00:00:00Z in microseconds.
const ORIGIN_US: i64 = 1_577_836_800_000_000;

/// An instant as such a number: of a source that at least tells when it last wrote a thing.
pub fn number_of(at: Timestamp) -> i64 {
    at.as_microsecond().saturating_sub(ORIGIN_US).max(1)
}

impl Numbers {
    /// No number from now on is one that was given out before, by whomever.
    pub fn begin_above(&self, last: i64) {
        self.0.fetch_max(last, Ordering::SeqCst);
    }

    /// The number of a read that is about to begin.
    pub fn next(&self, now: Timestamp) -> i64 {
        let by_clock = number_of(now);
        let later = |last: i64| Some(by_clock.max(last.saturating_add(1)));
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later) {
            Ok(last) | Err(last) => by_clock.max(last.saturating_add(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_read_has_a_greater_number_whatever_the_clock_does() {
        let numbers = Numbers::default();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let first = numbers.next(at("2026-11-26T14:00:00Z"));
        let same_instant = numbers.next(at("2026-11-26T14:00:00Z"));
        let set_back = numbers.next(at("2026-11-26T13:00:00Z"));
        let later = numbers.next(at("2026-11-26T14:00:01Z"));
        assert!(first < same_instant && same_instant < set_back && set_back < later);
        assert_eq!(later - first, 1_000_000);
        numbers.begin_above(later + 5);
        assert_eq!(numbers.next(at("2026-11-26T13:00:00Z")), later + 6);
        assert!(numbers.next(at("2050-12-31T00:00:00Z")) < 1_000_000_000_000_000);
    }
}
