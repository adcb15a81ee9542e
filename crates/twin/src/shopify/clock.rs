//! The look-alike's clock: the one place of this crate that reads the real one.
//!
//! Dates are always true; only waiting (retries over four hours, payloads that come hours late) can be compressed, so
//! that a demo sees in a minute what takes half a day. In tests time stands still until it is advanced.

use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Real, with compressed waits, or by hand.
#[derive(Clone, Debug)]
pub struct ShopClock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real { compression: u32 },
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl ShopClock {
    /// `compression` 1 waits as long as Shopify; 3600 waits a second for an hour. 0 is taken for 1.
    pub fn real(compression: u32) -> Self {
        Self(Source::Real { compression: compression.max(1) })
    }

    /// Stands still until `advance`.
    pub fn manual(start: Timestamp) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    #[expect(clippy::disallowed_methods, reason = "the look-alike's one reading of the real clock")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Real { .. } => Timestamp::now(),
            Source::Manual(time) => *time.borrow(),
        }
    }

    /// Moves a manual clock on and wakes who waits; a real one goes by itself.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(time) = &self.0 {
            time.send_modify(|now| *now = after(*now, by));
        }
    }

    /// Until a date of the shop: a compressed wait, or until a manual clock was advanced that far.
    #[expect(clippy::disallowed_methods, reason = "the look-alike's one wait on the real clock")]
    pub(crate) async fn wait_until(&self, due: Timestamp) {
        match &self.0 {
            Source::Real { compression } => {
                let left = Duration::try_from(due.duration_since(self.now())).unwrap_or_default();
                tokio::time::sleep(left / *compression).await;
            }
            Source::Manual(time) => {
                // The sender lives as long as this clock.
                let _ = time.subscribe().wait_for(|now| *now >= due).await;
            }
        }
    }
}

impl Default for ShopClock {
    fn default() -> Self {
        Self::real(1)
    }
}

/// Saturates at the end of the calendar.
pub(crate) fn after(at: Timestamp, wait: Duration) -> Timestamp {
    kernel::clock::after(at, wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_who_waits_when_it_is_advanced_far_enough() {
        let clock = ShopClock::manual(Timestamp::UNIX_EPOCH);
        let sleeper = clock.clone();
        let woken = tokio::spawn(async move {
            sleeper.wait_until(Timestamp::from_second(60).unwrap()).await;
            sleeper.now()
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(59));
        tokio::task::yield_now().await;
        assert!(!woken.is_finished());
        clock.advance(Duration::from_secs(2));
        assert_eq!(woken.await.unwrap().as_second(), 61);
    }
}
