//! Waiting as a port: the hub's timer in the hub, a clock by hand in tests. Only a read of many pages waits, and only
//! within its call's time; all else says how long to wait and is asked again.

use async_trait::async_trait;
use std::time::Duration;

/// Lets a time pass.
#[async_trait]
pub trait Pause: Send + Sync + std::fmt::Debug {
    async fn pause(&self, wait: Duration);
}
