//! The reference of the port's semantics, and the store of the engine's simulation: plain maps behind one lock, every
//! future ready at once.
//!
//! A [`MemoryStore`] is a handle: a simulated process may die with its handle, and another opens the same "disk" by
//! a clone of it. It seals nothing, writes nothing to a disk, and refuses a backup.

mod append;
mod bug;
mod keep;
mod lanes;
mod questions;
mod rows;
mod series;
mod triage;

pub use bug::Bug;

use crate::delivery::{Claim, Delivery, Move, Moved};
use crate::error::StoreError;
use crate::log::{Appended, NewEnvelope, Routed, Unrouted};
use crate::operate::{AuditEntry, Beat, By, Certificate, Installation, Pause, PauseScope, Retained};
use crate::port::{ClaimRequest, Store, StoreResult};
use crate::query::{
    Awaited, Backlog, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, Life, LogSize, SubjectStatus,
    TopicSeen,
};
use crate::series::SeriesStep;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::Envelope;
use kernel::fault::Reference;
use kernel::id::{DeliveryId, FlowName, ShopId, SystemName};
use kernel::subject::{Lane, Subject};
use rows::State;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A handle to one store in memory; clones share it.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// A store with a deliberate bug, for showing that the checkers can fail.
    pub fn with_bug(bug: Bug) -> Self {
        let store = Self::default();
        store.lock().bug = Some(bug);
        store
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn append(&self, batch: Vec<NewEnvelope>) -> StoreResult<Vec<Appended>> {
        Ok(self.lock().append(batch))
    }
    async fn unrouted(&self, limit: u32) -> StoreResult<Vec<Unrouted>> {
        Ok(self.lock().unrouted(limit))
    }
    async fn route(&self, decisions: Vec<Routed>, at: Timestamp) -> StoreResult<()> {
        self.lock().route(decisions, at);
        Ok(())
    }

    async fn begin_epoch(&self, owner: &str, now: Timestamp) -> StoreResult<u64> {
        Ok(self.lock().begin_epoch(owner, now))
    }
    async fn claim(&self, request: ClaimRequest, owner: &str) -> StoreResult<Vec<Claim>> {
        Ok(self.lock().claim(&request, owner))
    }
    async fn advance(&self, moves: Vec<Move>) -> StoreResult<Vec<Moved>> {
        let mut state = self.lock();
        Ok(moves.into_iter().map(|step| state.advance(step)).collect())
    }
    async fn give_back(&self, lanes: Vec<(Lane, i64, Option<Timestamp>)>) -> StoreResult<()> {
        let mut state = self.lock();
        for (lane, fence, due_at) in lanes {
            state.give_back(&lane, fence, due_at);
        }
        Ok(())
    }
    async fn next_due(&self) -> StoreResult<BTreeMap<SystemName, Timestamp>> {
        Ok(self.lock().next_due())
    }

    async fn release(
        &self,
        which: DeliveryFilter,
        by: By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> StoreResult<u64> {
        Ok(self.lock().release(&which, &by, due_from, ramp))
    }
    async fn skip(&self, which: DeliveryFilter, by: By) -> StoreResult<u64> {
        Ok(self.lock().skip(&which, &by))
    }
    async fn awaited(&self, due: Option<Timestamp>, limit: u32) -> StoreResult<Vec<Awaited>> {
        Ok(self.lock().awaited(due, limit))
    }
    async fn awaited_again(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) -> StoreResult<()> {
        self.lock().awaited_again(shop, system, reference, next);
        Ok(())
    }
    async fn awaited_found(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: By,
    ) -> StoreResult<u64> {
        Ok(self.lock().awaited_found(shop, system, reference, &by))
    }
    async fn pause(&self, pause: Pause) -> StoreResult<()> {
        self.lock().pause(pause);
        Ok(())
    }
    async fn resume(&self, scope: &PauseScope, by: By) -> StoreResult<bool> {
        Ok(self.lock().resume(scope, &by))
    }
    async fn pauses(&self, now: Timestamp) -> StoreResult<Vec<Pause>> {
        Ok(self.lock().pauses(now))
    }
    async fn audit(&self, entry: AuditEntry) -> StoreResult<()> {
        self.lock().audit.push(entry);
        Ok(())
    }
    async fn audit_entries(&self, limit: u32) -> StoreResult<Vec<AuditEntry>> {
        Ok(self.lock().audit.iter().rev().take(limit as usize).cloned().collect())
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> StoreResult<Vec<Delivery>> {
        Ok(self.lock().deliveries(&filter))
    }
    async fn dead_letters(&self, filter: DeliveryFilter, closed: bool) -> StoreResult<Vec<DeadLetter>> {
        Ok(self.lock().dead_letters(&filter, closed))
    }
    async fn dead_letter_groups(&self) -> StoreResult<Vec<DeadLetterGroup>> {
        Ok(self.lock().dead_letter_groups())
    }
    async fn life(&self, shop: &ShopId, root: &str) -> StoreResult<Life> {
        Ok(self.lock().life(shop, root))
    }
    async fn find(&self, text: &str) -> StoreResult<Vec<Subject>> {
        Ok(self.lock().find(text))
    }
    async fn status(&self, flow: &FlowName, subjects: &[Subject]) -> StoreResult<Vec<SubjectStatus>> {
        let state = self.lock();
        Ok(subjects.iter().map(|subject| state.status(flow, subject)).collect())
    }
    async fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> StoreResult<Vec<Subject>> {
        Ok(self.lock().filtered_by(flow, rule, limit))
    }
    async fn backlog(&self, now: Timestamp) -> StoreResult<Vec<Backlog>> {
        Ok(self.lock().backlog(now))
    }
    async fn lags(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<LagSample>> {
        Ok(self.lock().lags(since, limit))
    }
    async fn topics_seen(&self) -> StoreResult<Vec<TopicSeen>> {
        Ok(self.lock().topics_seen())
    }
    async fn log_size(&self) -> StoreResult<LogSize> {
        Ok(self.lock().log_size())
    }
    async fn newest_payload(&self, subject: &Subject) -> StoreResult<Option<(Envelope, Bytes)>> {
        Ok(self.lock().newest_payload(subject))
    }
    async fn delivery_payload(&self, delivery: DeliveryId) -> StoreResult<Option<Bytes>> {
        Ok(self.lock().delivery_payload(delivery))
    }

    async fn cursor(&self, name: &str) -> StoreResult<Option<String>> {
        Ok(self.lock().cursors.get(name).cloned())
    }
    async fn set_cursor(&self, name: &str, value: &str) -> StoreResult<()> {
        self.lock().cursors.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
    async fn lease(&self, name: &str, owner: &str, now: Timestamp, length: Duration) -> StoreResult<bool> {
        Ok(self.lock().lease(name, owner, now, length))
    }
    async fn leased(&self, name: &str, now: Timestamp) -> StoreResult<Option<(String, Timestamp)>> {
        Ok(self.lock().leases.get(name).filter(|(_, until)| *until > now).cloned())
    }
    async fn beat(&self, beat: Beat, now: Timestamp, length: Duration) -> StoreResult<Vec<Beat>> {
        Ok(self.lock().beat(beat, now, length))
    }

    async fn redact(
        &self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> StoreResult<Certificate> {
        Ok(self.lock().redact(shop, roots, customers, requested, at))
    }
    async fn certificates(&self) -> StoreResult<Vec<Certificate>> {
        Ok(self.lock().certificates.clone())
    }
    async fn held(&self, shop: &ShopId, customers: &[String]) -> StoreResult<Vec<Subject>> {
        Ok(self.lock().held(shop, customers))
    }
    async fn retain(&self, now: Timestamp, payload_days: u32) -> StoreResult<Retained> {
        Ok(self.lock().retain(now, payload_days))
    }
    async fn backup(&self, _to: &Path) -> StoreResult<u64> {
        Err(StoreError::Unavailable("a store in memory has no file to copy".into()))
    }
    /// There is nothing to wrap: no key is kept.
    async fn rotate_master_key(&self, _new: &crate::seal::MasterKey) -> StoreResult<u64> {
        Ok(0)
    }

    async fn series_head(&self, series: &str) -> StoreResult<Option<SeriesStep>> {
        Ok(self.lock().series_head(series))
    }
    async fn series_steps(&self, series: &str, from: u64, limit: u32) -> StoreResult<Vec<SeriesStep>> {
        Ok(self.lock().series_steps(series, from, limit))
    }
    async fn append_step(&self, series: &str, step: &SeriesStep) -> StoreResult<bool> {
        Ok(self.lock().append_step(series, step.clone()))
    }
    async fn put_chunk(
        &self,
        series: &str,
        body: &str,
        part: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> StoreResult<()> {
        self.lock().put_chunk(series, (body.to_owned(), part), bytes, at);
        Ok(())
    }
    async fn chunk(&self, series: &str, body: &str, part: u32) -> StoreResult<Option<Vec<u8>>> {
        Ok(self.lock().chunk(series, body, part))
    }
    async fn forget_steps(&self, series: &str, before: u64, unnamed_before: Timestamp) -> StoreResult<u64> {
        Ok(self.lock().forget_steps(series, before, unnamed_before))
    }

    async fn installation(&self) -> StoreResult<Installation> {
        let state = self.lock();
        Ok(Installation {
            id: "memory".into(),
            schema: 1,
            created_at: Timestamp::UNIX_EPOCH,
            epoch: 1,
            revision: state.revision.clone(),
            place: state.place.clone(),
        })
    }
    async fn set_in_force(&self, revision: &str, place: &str) -> StoreResult<()> {
        let mut state = self.lock();
        state.revision = Some(revision.to_owned());
        state.place = Some(place.to_owned());
        Ok(())
    }
}
