//! Whether a system is asked at all. Owns that one which fails again and again is left alone, and tried by one question at a
//! time until it answers.

use kernel::clock::Mono;
use std::time::Duration;

/// So many questions in a row have no answer, and it is left alone.
const FAILURES: u32 = 5;
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// When it may be tried again.
    until: Option<Mono>,
    trying: bool,
}

impl Breaker {
    /// True: ask it, and say how it went.
    pub(super) fn admits(&mut self, now: Mono) -> bool {
        match self.until {
            None => true,
            Some(until) if now < until || self.trying => false,
            Some(_) => {
                self.trying = true;
                true
            }
        }
    }

    pub(super) fn ended(&mut self, is_good: bool, now: Mono) {
        self.trying = false;
        if is_good {
            *self = Self::default();
            return;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            let doublings = (self.failures - FAILURES).min(5);
            self.until = Some(now.plus((FIRST * 2_u32.pow(doublings)).min(LONGEST)));
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_failures_and_lets_one_question_try() {
        let second = |s: u64| Mono(s * 1_000_000_000);
        let mut breaker = Breaker::default();
        for _ in 0..4 {
            assert!(breaker.admits(second(0)));
            breaker.ended(false, second(0));
        }
        assert!(breaker.admits(second(0)) && !breaker.is_open());
        breaker.ended(false, second(0));
        assert!(!breaker.admits(second(0)) && breaker.is_open());
        // One tries, and while it does nobody else.
        assert!(breaker.admits(second(1)));
        assert!(!breaker.admits(second(1)));
        breaker.ended(false, second(2));
        // Left alone for twice as long.
        assert!(!breaker.admits(second(3)));
        assert!(breaker.admits(second(4)));
        breaker.ended(true, second(4));
        assert!(breaker.admits(second(4)) && breaker.admits(second(4)) && !breaker.is_open());
    }
}
