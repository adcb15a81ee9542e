//! One limiter for each system: how many lanes at once, how many calls a second, and until when the target asked to
//! be left alone. Counts in integers of a billionth of a call, so that a simulation repeats to the bit.

use kernel::clock::Mono;
use std::time::Duration;

const CALL: u64 = 1_000_000_000;

#[derive(Debug, Clone)]
pub struct Limiter {
    rate_per_s: Option<u32>,
    /// Billionths of a call that may be made now; negative when steps of running lanes went beyond.
    credit: i64,
    filled_at: Mono,
    throttled_until: Option<Mono>,
}

impl Limiter {
    pub fn new(rate_per_s: Option<u32>, now: Mono) -> Self {
        Self {
            rate_per_s,
            credit: rate_per_s.map_or(0, |_| CALL as i64),
            filled_at: now,
            throttled_until: None,
        }
    }

    /// Another pace from now on; nothing may be kept beyond a second's worth of it.
    pub fn set_rate(&mut self, rate_per_s: Option<u32>, now: Mono) {
        if let Some(rate) = self.rate_per_s {
            self.fill(now, rate);
        }
        self.rate_per_s = rate_per_s;
        if let Some(rate) = rate_per_s {
            self.fill(now, rate);
        }
    }

    /// The target said when to come back.
    pub fn throttled(&mut self, now: Mono, wait: Duration) {
        let until = now.plus(wait);
        self.throttled_until = Some(self.throttled_until.map_or(until, |known| known.max(until)));
    }

    /// Calls that may begin now.
    pub fn free(&mut self, now: Mono) -> u32 {
        if self.throttled_until.is_some_and(|until| until > now) {
            return 0;
        }
        self.throttled_until = None;
        let Some(rate) = self.rate_per_s else { return u32::MAX };
        self.fill(now, rate);
        u32::try_from(self.credit.max(0) as u64 / CALL).unwrap_or(u32::MAX)
    }

    /// A call is made.
    pub fn spend(&mut self) {
        if self.rate_per_s.is_some() {
            self.credit -= CALL as i64;
        }
    }

    /// When the next call may begin; `None`: now.
    pub fn free_at(&mut self, now: Mono) -> Option<Mono> {
        if let Some(until) = self.throttled_until.filter(|until| *until > now) {
            return Some(until);
        }
        let rate = self.rate_per_s?;
        self.fill(now, rate);
        if rate == 0 {
            // All of it is other nodes' now.
            return Some(now.plus(Duration::from_secs(1)));
        }
        let short = (CALL as i64).saturating_sub(self.credit);
        (short > 0)
            .then(|| now.plus(Duration::from_nanos(short.unsigned_abs().div_ceil(u64::from(rate.max(1))))))
    }

    pub fn throttled_until(&self) -> Option<Mono> {
        self.throttled_until
    }

    /// At most one second's worth is kept.
    fn fill(&mut self, now: Mono, rate: u32) {
        let rate = u64::from(rate);
        let passed_ns = now.since(self.filled_at).as_nanos().min(1_000_000_000) as u64;
        let most = (rate * CALL) as i64;
        self.credit = (self.credit + (passed_ns * rate) as i64).min(most);
        self.filled_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_ms(ms: u64) -> Mono {
        Mono(ms * 1_000_000)
    }

    #[test]
    fn a_rate_is_kept_over_time() {
        let mut limiter = Limiter::new(Some(10), at_ms(0));
        let mut calls = 0;
        for ms in 0..10_000 {
            while limiter.free(at_ms(ms)) > 0 {
                limiter.spend();
                calls += 1;
            }
        }
        assert!((99..=101).contains(&calls), "{calls} calls in 10 s at 10/s");
    }

    #[test]
    fn what_went_beyond_is_waited_for() {
        let mut limiter = Limiter::new(Some(10), at_ms(0));
        for _ in 0..6 {
            limiter.spend();
        }
        assert_eq!(limiter.free(at_ms(1)), 0);
        let free_at = limiter.free_at(at_ms(1)).unwrap();
        assert_eq!(limiter.free(Mono(free_at.0 - 1_000_000)), 0);
        assert_eq!(limiter.free(free_at), 1);
    }

    #[test]
    fn a_throttled_system_is_left_alone_until_it_said() {
        let mut limiter = Limiter::new(None, at_ms(0));
        assert_eq!(limiter.free(at_ms(0)), u32::MAX);
        limiter.throttled(at_ms(0), Duration::from_secs(2));
        limiter.throttled(at_ms(0), Duration::from_secs(1));
        assert_eq!(limiter.free(at_ms(1999)), 0);
        assert_eq!(limiter.free_at(at_ms(0)), Some(at_ms(2000)));
        assert_eq!(limiter.free(at_ms(2000)), u32::MAX);
    }
}
