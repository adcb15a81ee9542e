//! What a webhook meets: the share that is answered 2xx within 5 s, as Shopify sees it, and for how long nobody took one.
//! From the shop's own record of its attempts; the hub is not asked.

use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use twin::shopify::SentWebhook;

/// Parts in a million that may go wrong in 30 days: 99.95 % are answered in time.
pub(super) const OBJECTIVE_BAD_PPM: u64 = 500;
/// The same as time without any answer, in 30 days.
pub(super) const BUDGET_MS: u64 = 30 * 86_400 * 1_000 / 1_000_000 * OBJECTIVE_BAD_PPM;

/// Of the attempts that began within a span. Shopify waits 5 s for an answer, and so does the look-alike: what came later
/// has no status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Availability {
    pub asked: u64,
    pub good: u64,
    /// What came in place of a 2xx: the status, or `none` where no answer came in time or at all.
    pub instead: BTreeMap<String, u64>,
    /// From the first attempt that failed to the next that was taken, all together.
    pub down_ms: u64,
}

impl Availability {
    pub fn of(log: &[SentWebhook], from: Timestamp, until: Timestamp) -> Self {
        let within: Vec<&SentWebhook> = log.iter().filter(|one| (from..until).contains(&one.at)).collect();
        let (mut all, mut down_since) = (Self::default(), None);
        for one in within.iter().filter(|one| !one.succeeded()) {
            let answer = one.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
            *all.instead.entry(answer).or_default() += 1;
        }
        let mut attempts: Vec<(Timestamp, bool)> =
            within.iter().map(|one| (one.at, one.succeeded())).collect();
        attempts.sort_unstable();
        for (at, good) in attempts {
            all.asked += 1;
            all.good += u64::from(good);
            match (good, down_since) {
                (false, None) => down_since = Some(at),
                (true, Some(since)) => {
                    all.down_ms += ms(since, at);
                    down_since = None;
                }
                _ => {}
            }
        }
        all.down_ms += down_since.map_or(0, |since| ms(since, until));
        all
    }

    /// Two spans together.
    pub fn and(mut self, more: &Self) -> Self {
        self.asked += more.asked;
        self.good += more.good;
        self.down_ms += more.down_ms;
        for (answer, count) in &more.instead {
            *self.instead.entry(answer.clone()).or_default() += count;
        }
        self
    }

    pub fn bad(&self) -> u64 {
        self.asked - self.good
    }

    /// Where nobody asked, nothing went wrong.
    pub fn bad_ppm(&self) -> u64 {
        (self.bad() * 1_000_000).checked_div(self.asked).unwrap_or(0)
    }

    pub fn percent(&self) -> String {
        let good = 1_000_000 - self.bad_ppm();
        format!("{}.{:03} %", good / 10_000, good % 10_000 / 10)
    }
}

fn ms(from: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(at_ms: i64, status: Option<u16>) -> SentWebhook {
        SentWebhook {
            webhook_id: String::new(),
            event_id: String::new(),
            topic: "orders/create",
            order_id: None,
            attempt: 1,
            status,
            at: Timestamp::from_millisecond(at_ms).unwrap(),
        }
    }

    #[test]
    fn what_is_refused_or_comes_late_is_counted_with_the_time_until_the_next_good_one() {
        // In the order in which they ended: the late one last.
        let log = [
            sent(100, Some(200)),
            sent(300, Some(503)),
            sent(700, Some(200)),
            sent(800, Some(200)),
            sent(200, None),
            sent(1_000, None),
            sent(5_000, Some(200)),
        ];
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let found = Availability::of(&log, at(0), at(1_500));
        let instead = BTreeMap::from([("503".to_owned(), 1), ("none".to_owned(), 2)]);
        assert_eq!(found, Availability { asked: 6, good: 3, instead, down_ms: 500 + 500 });
        assert_eq!(found.clone().and(&found).bad(), 6);
        assert_eq!((found.bad_ppm(), found.percent().as_str()), (500_000, "50.000 %"));
        assert_eq!(Availability::of(&log, at(9_000), at(9_999)).percent(), "100.000 %");
        assert_eq!(BUDGET_MS, 1_296_000);
    }
}
