//! Waiting by tokio's timer, which tests may pause.

use std::future::{Pending, pending};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Timeout, timeout};

/// Ends after a time.
pub(crate) type Timer = Pin<Box<Timeout<Pending<()>>>>;

pub(crate) fn timer(after: Duration) -> Timer {
    Box::pin(timeout(after, pending()))
}

pub(crate) async fn wait(for_: Duration) {
    // A pending future never ends by itself.
    let _ = timeout(for_, pending::<()>()).await;
}
