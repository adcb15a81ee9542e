//! A store in memory that fails, waits or makes a backup when a test says so.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::Envelope;
use kernel::fault::Reference;
use kernel::id::{DeliveryId, FlowName, ShopId, SystemName};
use kernel::subject::{Lane, Subject};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use store::delivery::{Claim, Delivery, Move, Moved};
use store::log::{Appended, NewEnvelope, Routed, Unrouted};
use store::operate::{AuditEntry, By, Certificate, Installation, Pause, PauseScope, Retained};
use store::port::{ClaimRequest, StoreResult};
use store::query::{
    Awaited, Backlog, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, Life, LogSize, SubjectStatus,
    TopicSeen,
};
use store::seal::MasterKey;
use store::series::SeriesStep;
use store::{MemoryStore, Store, StoreError};
use tokio::sync::Semaphore;

#[derive(Debug)]
pub(crate) struct Gated {
    pub(crate) inner: MemoryStore,
    /// Every operation answers that the store cannot commit now.
    pub(crate) fails: AtomicBool,
    /// Writes a file in place of a backup.
    pub(crate) backs_up: AtomicBool,
    /// An append waits for a permit; closed: it waits for none.
    pub(crate) gate: Semaphore,
    /// Appends that have come to the gate.
    pub(crate) at_gate: AtomicU32,
}

impl Gated {
    pub(crate) fn new() -> Arc<Self> {
        let gate = Semaphore::new(0);
        gate.close();
        Arc::new(Self::with_gate(gate))
    }
    /// Appends wait until [`open`](Self::open).
    pub(crate) fn shut() -> Arc<Self> {
        Arc::new(Self::with_gate(Semaphore::new(0)))
    }
    pub(crate) fn open(&self) {
        self.gate.close();
    }

    fn with_gate(gate: Semaphore) -> Self {
        let (fails, backs_up) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { inner: MemoryStore::new(), fails, backs_up, gate, at_gate: AtomicU32::new(0) }
    }

    fn works(&self) -> StoreResult<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("the disk is full".into()));
        }
        Ok(())
    }
}

/// Every operation but those with a gate of their own.
macro_rules! gated {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        #[async_trait]
        impl Store for Gated {
            $(async fn $name(&self, $($argument: $type),*) -> StoreResult<$answer> {
                self.works()?;
                self.inner.$name($($argument),*).await
            })+

            async fn append(&self, batch: Vec<NewEnvelope>) -> StoreResult<Vec<Appended>> {
                self.at_gate.fetch_add(1, Ordering::SeqCst);
                // Closed: everybody passes.
                let _ = self.gate.acquire().await;
                self.works()?;
                self.inner.append(batch).await
            }

            async fn backup(&self, to: &Path) -> StoreResult<u64> {
                self.works()?;
                if !self.backs_up.load(Ordering::SeqCst) {
                    return self.inner.backup(to).await;
                }
                std::fs::write(to, "backup").map_err(|error| StoreError::Unavailable(error.to_string()))?;
                Ok(6)
            }
        }
    };
}

gated! {
    unrouted(limit: u32) -> Vec<Unrouted>;
    route(decisions: Vec<Routed>, at: Timestamp) -> ();
    begin_epoch(owner: &str, now: Timestamp) -> u64;
    claim(request: ClaimRequest, owner: &str) -> Vec<Claim>;
    advance(moves: Vec<Move>) -> Vec<Moved>;
    give_back(lanes: Vec<(Lane, i64, Option<Timestamp>)>) -> ();
    next_due() -> BTreeMap<SystemName, Timestamp>;
    release(which: DeliveryFilter, by: By, due_from: Timestamp, ramp: Duration) -> u64;
    skip(which: DeliveryFilter, by: By) -> u64;
    awaited(due: Option<Timestamp>, limit: u32) -> Vec<Awaited>;
    awaited_again(shop: &ShopId, system: &SystemName, reference: &Reference, next: Timestamp) -> ();
    awaited_found(shop: &ShopId, system: &SystemName, reference: &Reference, by: By) -> u64;
    pause(pause: Pause) -> ();
    resume(scope: &PauseScope, by: By) -> bool;
    pauses(now: Timestamp) -> Vec<Pause>;
    audit(entry: AuditEntry) -> ();
    audit_entries(limit: u32) -> Vec<AuditEntry>;
    deliveries(filter: DeliveryFilter) -> Vec<Delivery>;
    dead_letters(filter: DeliveryFilter, closed: bool) -> Vec<DeadLetter>;
    dead_letter_groups() -> Vec<DeadLetterGroup>;
    life(shop: &ShopId, root: &str) -> Life;
    find(text: &str) -> Vec<Subject>;
    status(flow: &FlowName, subjects: &[Subject]) -> Vec<SubjectStatus>;
    filtered_by(flow: &FlowName, rule: &str, limit: u32) -> Vec<Subject>;
    backlog(now: Timestamp) -> Vec<Backlog>;
    lags(since: Timestamp, limit: u32) -> Vec<LagSample>;
    topics_seen() -> Vec<TopicSeen>;
    log_size() -> LogSize;
    newest_payload(subject: &Subject) -> Option<(Envelope, Bytes)>;
    delivery_payload(delivery: DeliveryId) -> Option<Bytes>;
    cursor(name: &str) -> Option<String>;
    set_cursor(name: &str, value: &str) -> ();
    lease(name: &str, owner: &str, now: Timestamp, length: Duration) -> bool;
    leased(name: &str, now: Timestamp) -> Option<(String, Timestamp)>;
    redact(shop: &ShopId, roots: &[String], customers: &[String], requested: &str, at: Timestamp) -> Certificate;
    certificates() -> Vec<Certificate>;
    held(shop: &ShopId, customers: &[String]) -> Vec<Subject>;
    retain(now: Timestamp, payload_days: u32) -> Retained;
    rotate_master_key(new: &MasterKey) -> u64;
    series_head(series: &str) -> Option<SeriesStep>;
    series_steps(series: &str, from: u64, limit: u32) -> Vec<SeriesStep>;
    append_step(series: &str, step: &SeriesStep) -> bool;
    put_chunk(series: &str, body: &str, part: u32, bytes: Vec<u8>, at: Timestamp) -> ();
    chunk(series: &str, body: &str, part: u32) -> Option<Vec<u8>>;
    forget_steps(series: &str, before: u64, unnamed_before: Timestamp) -> u64;
    installation() -> Installation;
    set_in_force(revision: &str, place: &str) -> ();
}
