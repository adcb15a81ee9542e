//! When a work that failed is tried again, where its next time may be a day away: after a minute, then after twice as long each time,
//! up to an hour. Owns that alone; what failed, and whether trying again is of any use, is known where it is made.

use jiff::Timestamp;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(60);
const MAX: Duration = Duration::from_secs(3_600);

/// How often in a row a work failed, and from when on it is tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    times: u32,
    at: Option<Timestamp>,
}

impl Again {
    /// It failed, once more.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        let wait = FIRST.saturating_mul(1 << self.times.min(10)).min(MAX);
        Self { times: self.times.saturating_add(1), at: now.checked_add(wait).ok() }
    }

    /// Until it is tried again; none: nothing has failed, or it is time.
    pub fn wait(self, now: Timestamp) -> Option<Duration> {
        let left = self.at?.duration_since(now);
        left.is_positive().then(|| left.unsigned_abs())
    }

    pub fn at(self) -> Option<Timestamp> {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_a_minute_to_an_hour() {
        let now: Timestamp = "2026-11-26T02:30:00Z".parse().unwrap();
        let (mut again, mut minutes) = (Again::default(), Vec::new());
        assert_eq!(again.wait(now), None);
        for _ in 0..9 {
            again = again.failed(now);
            minutes.push(again.wait(now).unwrap().as_secs() / 60);
        }
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(again.wait(now + Duration::from_secs(3_600)), None, "it is time");
    }
}
