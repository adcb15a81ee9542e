//! The leaky bucket of one app on one shop: taken before, given back after, filled by the second.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::config::Plan;

/// Points, with the fractions that a restore between two requests leaves.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    plan: Plan,
    /// Thousandths of a point.
    available_milli: i64,
    at: Timestamp,
}

impl Bucket {
    pub(super) fn full(plan: Plan, at: Timestamp) -> Self {
        Self { plan, available_milli: milli(plan.bucket()), at }
    }

    /// Takes the requested cost, or nothing where it is not there.
    pub(super) fn take(&mut self, cost: u32, at: Timestamp) -> bool {
        self.restore(at);
        let there = self.available_milli >= milli(cost);
        if there {
            self.available_milli -= milli(cost);
        }
        there
    }

    /// Gives back what a request did not use.
    pub(super) fn refund(&mut self, requested: u32, actual: u32, at: Timestamp) {
        self.restore(at);
        let back = milli(requested.saturating_sub(actual));
        self.available_milli = (self.available_milli + back).min(milli(self.plan.bucket()));
    }

    fn restore(&mut self, at: Timestamp) {
        let elapsed_ms = (at.as_millisecond() - self.at.as_millisecond()).max(0);
        // A point a second is a thousandth a millisecond.
        let restored = elapsed_ms.saturating_mul(i64::from(self.plan.restore_rate()));
        self.available_milli = self.available_milli.saturating_add(restored).min(milli(self.plan.bucket()));
        self.at = self.at.max(at);
    }

    /// `extensions.cost.throttleStatus`.
    pub(super) fn status(&self) -> Value {
        json!({
            "maximumAvailable": self.plan.bucket(),
            "currentlyAvailable": self.available_milli / 1000,
            "restoreRate": self.plan.restore_rate(),
        })
    }
}

fn milli(points: u32) -> i64 {
    i64::from(points) * 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    #[test]
    fn what_is_taken_comes_back_by_the_second_and_never_more_than_the_bucket() {
        let mut bucket = Bucket::full(Plan::Standard, at(0));
        assert!(bucket.take(2000, at(0)));
        assert!(!bucket.take(1, at(0)));
        assert!(!bucket.take(100, at(999)));
        assert!(bucket.take(100, at(1000)));
        bucket.refund(100, 10, at(1000));
        assert_eq!(bucket.status()["currentlyAvailable"], 90);
        assert!(bucket.take(0, at(3_600_000)));
        assert_eq!(bucket.status()["currentlyAvailable"], 2000);
    }
}
