//! One webhook on its way: the request, its deadlines, and the retries with the payload as it was.

use super::outbox::Sender;
use super::record::SentWebhook;
use super::subscription::Subscription;
use bytes::Bytes;
use jiff::Timestamp;
use std::time::Duration;

const RETRIES: u32 = 8;
/// Doubled each time: the eighth retry comes 3 h 58 min after the first attempt.
const RETRY_FIRST: Duration = Duration::from_secs(56);

/// A webhook with everything that a retry repeats.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) subscription: Subscription,
    pub(super) webhook_id: String,
    pub(super) event_id: String,
    pub(super) topic: &'static str,
    pub(super) order_id: Option<u64>,
    pub(super) triggered_at: Timestamp,
    pub(super) body: Bytes,
    pub(super) signature: String,
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    RetryAt(Timestamp),
    GivenUp,
}

/// When the retry after that many failures is due; none after the last.
pub(super) fn retry_after(failures: u32) -> Option<Duration> {
    (1..=RETRIES).contains(&failures).then(|| RETRY_FIRST * 2_u32.pow(failures - 1))
}

impl Delivery {
    /// Until it was taken, or given up.
    pub(super) async fn deliver(&self, sender: &Sender) {
        let first = self.attempt(sender, 1).await;
        self.follow(sender, first).await;
    }

    /// What remains after the first attempt.
    pub(super) async fn follow(&self, sender: &Sender, first: Outcome) {
        let (mut outcome, mut attempt) = (first, 1);
        loop {
            match outcome {
                Outcome::Taken => return,
                Outcome::RetryAt(due) => sender.clock().wait_until(due).await,
                Outcome::GivenUp => break,
            }
            attempt += 1;
            outcome = self.attempt(sender, attempt).await;
        }
        sender.count(|counts| counts.given_up += 1);
    }

    /// One request; none where the subscription is gone.
    pub(super) async fn attempt(&self, sender: &Sender, attempt: u32) -> Outcome {
        if self.subscription.health.is_deleted() {
            return Outcome::GivenUp;
        }
        let at = sender.clock().now();
        let status = sender.post(self).await;
        let sent = SentWebhook {
            webhook_id: self.webhook_id.clone(),
            event_id: self.event_id.clone(),
            topic: self.topic,
            order_id: self.order_id,
            attempt,
            status,
            at,
        };
        let taken = sent.succeeded();
        // Reckoned before anyone can see the attempt: who advances the clock on seeing it wakes this retry.
        let due = retry_after(attempt).map(|wait| crate::shopify::clock::after(sender.clock().now(), wait));
        let deleted = if taken {
            self.subscription.health.succeeded();
            false
        } else {
            self.subscription.health.failed()
        };
        sender.record(sent, deleted);
        match due {
            _ if taken => Outcome::Taken,
            Some(due) => Outcome::RetryAt(due),
            None => Outcome::GivenUp,
        }
    }

    pub(super) fn headers(&self, shop_domain: &str, api_version: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("X-Shopify-Topic", self.topic.to_owned()),
            ("X-Shopify-Hmac-Sha256", self.signature.clone()),
            ("X-Shopify-Shop-Domain", shop_domain.to_owned()),
            ("X-Shopify-API-Version", api_version.to_owned()),
            ("X-Shopify-Webhook-Id", self.webhook_id.clone()),
            ("X-Shopify-Event-Id", self.event_id.clone()),
            ("X-Shopify-Triggered-At", self.triggered_at.to_string()),
            ("Content-Type", "application/json".to_owned()),
            ("User-Agent", "Shopify-Captain-Hook".to_owned()),
        ];
        headers.extend(self.subscription.wanted.name.clone().map(|name| ("X-Shopify-Name", name)));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_retries_end_within_four_hours() {
        let waits: Vec<_> = (0..=10).filter_map(retry_after).collect();
        assert_eq!(waits.len(), 8);
        assert!(waits.windows(2).all(|pair| pair[1] == pair[0] * 2));
        let total: Duration = waits.iter().sum();
        assert!(total <= Duration::from_secs(4 * 3600) && total > Duration::from_secs(3 * 3600), "{total:?}");
    }
}
