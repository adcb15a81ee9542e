//! Calls that wait their turn: a run of many calls is nobody's hurry. Owns how long it is patient, and with what.

use super::{Fence, Options, fence};
use crate::graphql::{Claim, Document, Reply, ShopClient, frozen};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// After what reached nobody, or a read that failed.
const AGAIN: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
];
const THROTTLED: Duration = Duration::from_secs(1);

/// One shop, asked for a whole run.
pub(super) struct Shop<'a> {
    pub(super) client: &'a Arc<ShopClient>,
    pub(super) call: &'a CallContext,
    claim: Claim,
    fence: Option<&'a Arc<dyn Fence>>,
    points: AtomicU64,
}

/// What a call that failed costs in time; none where it is not to be repeated.
pub(super) struct Patience(std::slice::Iter<'static, Duration>);

impl Patience {
    pub(super) fn new() -> Self {
        Self(AGAIN.iter())
    }

    pub(super) fn after(&mut self, fault: &Fault) -> Option<Duration> {
        match fault.kind {
            FaultKind::Throttled => Some(fault.retry_after.unwrap_or(THROTTLED)),
            FaultKind::Transient => self.0.next().copied(),
            _ => None,
        }
    }
}

impl<'a> Shop<'a> {
    pub(super) fn new(client: &'a Arc<ShopClient>, call: &'a CallContext, options: &'a Options) -> Self {
        let (claim, fence) = (Claim::sweep(options.share_percent), options.fence.as_ref());
        Self { client, call, claim, fence, points: AtomicU64::new(0) }
    }

    /// Whether this run is still the one that writes.
    pub(super) async fn may_write(&self) -> Result<(), Fault> {
        fence::passed(self.fence).await
    }

    /// So much of the bucket was asked for until now.
    pub(super) fn points(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    fn counted(&self, reply: Reply) -> Reply {
        self.points.fetch_add(u64::from(reply.points.unwrap_or(0)), Ordering::Relaxed);
        reply
    }

    pub(super) async fn read(&self, document: &Document, variables: &Value) -> Result<Reply, Fault> {
        let mut patience = Patience::new();
        loop {
            match self.client.ask(self.call, self.claim, document, variables).await {
                Ok(reply) => return Ok(self.counted(reply)),
                Err(fault) => match patience.after(&fault) {
                    Some(wait) => self.client.pause(wait).await,
                    None => return Err(fault),
                },
            }
        }
    }

    /// With its `userErrors` in the reply. Ambiguous is not repeated: what is there is read again.
    pub(super) async fn write(&self, document: &Document, variables: &Value) -> Result<Reply, Fault> {
        let mut patience = Patience::new();
        loop {
            self.may_write().await?;
            let body = frozen(document, variables);
            match self.client.send_many(self.call, self.claim, document, body).await {
                Ok(reply) => return Ok(self.counted(reply)),
                Err(fault) => match patience.after(&fault) {
                    Some(wait) => self.client.pause(wait).await,
                    None => return Err(fault),
                },
            }
        }
    }
}
