//! What was sent, attempt by attempt, and counted.

use jiff::Timestamp;
use serde::Serialize;

/// One attempt to deliver one webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SentWebhook {
    /// The same on every retry.
    pub webhook_id: String,
    /// The same over all subscriptions.
    pub event_id: String,
    pub topic: &'static str,
    pub order_id: Option<u64>,
    /// 1 is the first.
    pub attempt: u32,
    /// None where no answer came in time.
    pub status: Option<u16>,
    pub at: Timestamp,
}

impl SentWebhook {
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Totals since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WebhookCounts {
    /// Webhooks that were due: one for each event and subscription that wanted it.
    pub due: u64,
    /// Requests made, whatever came of them.
    pub attempts: u64,
    pub succeeded: u64,
    pub failed: u64,
    /// Webhooks given up after the last retry, or with their subscription.
    pub given_up: u64,
    pub subscriptions_deleted: u64,
    /// Extra requests with a webhook id that was sent before, later and at the same instant.
    pub duplicates: u64,
    pub copies: u64,
    pub delayed: u64,
    pub swapped: u64,
    pub stale: u64,
    pub never_sent: u64,
    /// Not finished yet: in flight, or waiting for a retry or for mischief.
    pub open: u64,
}
