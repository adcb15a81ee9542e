//! Calls that wait their turn: a run of many calls is nobody's hurry. Owns how long it is patient, and with what.

use crate::graphql::{Claim, Document, Reply, ShopClient, frozen};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::Value;
use std::sync::Arc;
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
    pub(super) claim: Claim,
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

impl Shop<'_> {
    pub(super) async fn read(&self, document: &Document, variables: &Value) -> Result<Reply, Fault> {
        let mut patience = Patience::new();
        loop {
            match self.client.ask(self.call, self.claim, document, variables).await {
                Ok(reply) => return Ok(reply),
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
            let body = frozen(document, variables);
            match self.client.send_many(self.call, self.claim, document, body).await {
                Ok(reply) => return Ok(reply),
                Err(fault) => match patience.after(&fault) {
                    Some(wait) => self.client.pause(wait).await,
                    None => return Err(fault),
                },
            }
        }
    }
}
