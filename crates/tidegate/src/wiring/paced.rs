//! When a feed or a sweep is made, by its cadence. Owns when it is due, what was missed, and by how much it is put off so that
//! not all ask at once; what it does, and the lease under which it does it, are its own.

use super::again::Again;
use api::admin::Ran;
use config::Cadence;
use jiff::Timestamp;
use kernel::clock::{Clock, Now, elapsed_ms};
use std::sync::Arc;
use std::time::Duration;
use store::{Store, StoreError};

/// One that is not steady is looked at this often: another node, or a clock that was set, may have changed when it is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);
const LOOK_AT_LEAST: Duration = Duration::from_millis(100);
/// A work's lease ends this soon after a node that has died, however rarely it is made.
const LEASE_MAX: Duration = Duration::from_secs(60);

/// One work's.
#[derive(Debug)]
pub struct Paced {
    pub cadence: Cadence,
    pub jitter: Duration,
    /// Under which name the store keeps when it was made last.
    pub cursor: String,
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    /// Where it failed, and its next time may be a day away.
    pub again: Again,
}

/// Under which name the store keeps when a work with this lease was made last.
pub fn cursor_of(lease: &str) -> String {
    format!("cadence/{lease}")
}

impl Paced {
    pub fn lease(&self) -> Duration {
        (self.cadence.span().unwrap_or(LEASE_MAX) * 3).min(LEASE_MAX)
    }

    /// Whether it is due. One that is steady always is: who asks waits in between. Another one's first time comes when it is due
    /// after now.
    pub async fn is_due(&self, now: Timestamp) -> bool {
        if self.cadence.is_steady() {
            return true;
        }
        if self.again.wait(now).is_some() {
            return false;
        }
        let last = self.last().await;
        self.is_due_after(last, now).await
    }

    async fn is_due_after(&self, last: Result<Option<Timestamp>, StoreError>, now: Timestamp) -> bool {
        match last {
            Ok(Some(last)) => self.wait(last, now).is_some_and(|wait| wait.is_zero()),
            Ok(None) => {
                self.keep(now).await;
                false
            }
            // That it cannot be read does not make it the first time: the one that is due now would be passed over.
            Err(error) => {
                tracing::warn!(error = %error, "when the work {} was made last cannot be read", self.cursor);
                false
            }
        }
    }

    /// How long until it is looked at again.
    pub async fn pause(&self, now: Timestamp) -> Duration {
        if let Some(span) = self.cadence.span().filter(|_| self.cadence.is_steady()) {
            return span + config::put_off(&self.cursor, now, self.jitter);
        }
        let wait = match (self.again.wait(now), self.last().await) {
            (Some(wait), _) => Some(wait),
            (None, Ok(Some(last))) => self.wait(last, now),
            (None, Ok(None) | Err(_)) => None,
        };
        wait.unwrap_or(LOOK_EVERY).clamp(LOOK_AT_LEAST, LOOK_EVERY)
    }

    /// It was made, and came to its end; or did not, and is due still: it is tried again soon, by another node and another life of
    /// the hub as well.
    pub async fn made(&mut self, began: Now, outcome: Result<String, String>) {
        self.again = match &outcome {
            Err(_) if !self.cadence.is_steady() => self.again.failed(self.clock.now().wall),
            _ => Again::default(),
        };
        if self.again.at().is_none() {
            self.keep(began.wall).await;
        }
        let ran = Ran::since(began, self.clock.as_ref(), outcome);
        if let Err(error) = ran.keep(self.store.as_ref(), &self.cursor).await {
            tracing::warn!(error = %error, "how the work {} went is not kept", self.cursor);
        }
    }

    /// Until it is made; `None`: never by itself.
    fn wait(&self, last: Timestamp, now: Timestamp) -> Option<Duration> {
        // Made up for once, and only where its window is open.
        let next = self.cadence.next_put_off(&self.cursor, self.jitter, last, now)?;
        Some(Duration::from_millis(elapsed_ms(now, next)))
    }

    async fn last(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.store.cursor(&self.cursor).await?.and_then(|text| text.parse().ok()))
    }

    async fn keep(&self, at: Timestamp) {
        if let Err(error) = self.store.set_cursor(&self.cursor, &at.to_string()).await {
            tracing::warn!(error = %error, "when the work {} was made is not kept", self.cursor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::clock::SystemClock;
    use kernel::clock::Mono;
    use std::sync::Mutex;
    use store::MemoryStore;

    #[derive(Debug)]
    struct Turned(Mutex<Timestamp>);

    impl Clock for Turned {
        fn now(&self) -> Now {
            let wall = *self.0.lock().unwrap();
            Now { wall, mono: Mono(u64::try_from(wall.as_nanosecond()).unwrap()) }
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn paced(cadence: &str, jitter: Duration) -> Paced {
        Paced {
            cadence: Cadence::parse(cadence).unwrap(),
            jitter,
            cursor: cursor_of("feed/wms/inventory/acme"),
            store: Arc::new(MemoryStore::new()),
            clock: Arc::new(SystemClock::new()),
            again: Again::default(),
        }
    }

    #[tokio::test]
    async fn what_is_not_steady_comes_when_it_is_due_and_once_for_all_that_was_missed() {
        let mut night = paced("30 2 * * * UTC", Duration::ZERO);
        let noon = at("2026-11-26T12:00:00Z");
        assert!(!night.is_due(noon).await, "its first time comes when it is due after now");
        assert!(!night.is_due(at("2026-11-27T02:29:59Z")).await);
        assert_eq!(night.pause(at("2026-11-27T02:29:59Z")).await, Duration::from_secs(1));
        // Three nights later: due, once.
        let late = at("2026-11-29T09:00:00Z");
        assert!(night.is_due(late).await);
        let now = Now { wall: late, ..night.clock.now() };
        night.made(now, Ok("3 told".to_owned())).await;
        assert!(!night.is_due(late).await && night.is_due(at("2026-11-30T02:30:00Z")).await);
        assert!(night.store.cursor(&format!("ran/{}", night.cursor)).await.unwrap().is_some());

        // A missed night is not made up for by day.
        let night = paced("22:00-05:00 UTC", Duration::ZERO);
        assert!(!night.is_due(noon).await && !night.is_due(at("2026-11-27T08:00:00Z")).await);
        assert!(night.is_due(at("2026-11-27T22:00:00Z")).await);

        let on_demand = paced("on demand", Duration::ZERO);
        assert!(!on_demand.is_due(noon).await && !on_demand.is_due(at("2030-01-01T00:00:00Z")).await);
        assert_eq!(on_demand.pause(noon).await, LOOK_EVERY);
    }

    #[tokio::test]
    async fn what_failed_is_tried_again_soon_and_is_due_for_another_life_of_the_hub_too() {
        let clock = Arc::new(Turned(Mutex::new(at("2026-11-26T12:00:00Z"))));
        let mut night = Paced { clock: clock.clone(), ..paced("30 2 * * * UTC", Duration::ZERO) };
        assert!(!night.is_due(clock.now().wall).await);
        for (time, fails) in [("02:30:00", true), ("02:31:00", true), ("02:33:00", false)] {
            *clock.0.lock().unwrap() = at(&format!("2026-11-27T{time}Z"));
            let now = clock.now();
            assert!(night.is_due(now.wall).await, "{time}");
            let outcome = if fails { Err("nobody listens".to_owned()) } else { Ok("3 told".to_owned()) };
            night.made(now, outcome).await;
            assert!(!night.is_due(now.wall).await, "{time}");
            let next = Paced {
                store: night.store.clone(),
                clock: clock.clone(),
                ..paced("30 2 * * * UTC", Duration::ZERO)
            };
            assert_eq!(next.is_due(now.wall).await, fails, "{time}");
            assert_eq!(night.pause(now.wall).await, LOOK_EVERY);
        }
        assert!(!night.is_due(at("2026-11-28T02:29:59Z")).await);
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_read_for_a_moment_makes_no_first_time_of_it() {
        let night = paced("30 2 * * * UTC", Duration::ZERO);
        assert!(!night.is_due(at("2026-11-26T12:00:00Z")).await);
        let (due, down) = (at("2026-11-27T02:30:00Z"), StoreError::Unavailable("no connection".to_owned()));
        assert!(!night.is_due_after(Err(down), due).await);
        assert!(night.is_due(due).await, "the night was passed over");
    }

    #[tokio::test]
    async fn what_is_steady_begins_at_once_and_is_put_off_by_less_than_its_jitter() {
        let steady = paced("15s", Duration::from_secs(5));
        let pauses: std::collections::BTreeSet<Duration> = {
            let mut pauses = std::collections::BTreeSet::new();
            for second in 0..50 {
                let now = at("2026-11-26T12:00:00Z") + jiff::SignedDuration::from_secs(second);
                assert!(steady.is_due(now).await);
                pauses.insert(steady.pause(now).await);
            }
            pauses
        };
        let (least, most) = (pauses.first().unwrap(), pauses.last().unwrap());
        assert!(*least >= Duration::from_secs(15) && *most < Duration::from_secs(20), "{pauses:?}");
        assert!(pauses.len() > 40, "they are all put off alike");
    }
}
