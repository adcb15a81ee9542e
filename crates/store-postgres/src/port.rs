//! The port: each operation one transaction. What can be sealed is sealed here, on the caller's side, before it begins.

use crate::append::prepare;
use crate::desk::transact;
use crate::error::{Done, unavailable};
use crate::names::of_shop;
use crate::{PostgresStore, claims, moves, records, retain, route};
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::Envelope;
use kernel::fault::Reference;
use kernel::id::{DeliveryId, FlowName, ShopId, SystemName};
use kernel::subject::{Lane, Subject};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use store::delivery::{Claim, Delivery, Move, Moved};
use store::log::{Appended, NewEnvelope, Routed, Unrouted};
use store::operate::{AuditEntry, Beat, By, Certificate, Installation, Pause, PauseScope, Retained};
use store::port::{ClaimRequest, Store, StoreResult};
use store::query::{
    Awaited, Backlog, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, Life, LogSize, SubjectStatus,
    TopicSeen,
};
use store::seal::MasterKey;
use store::series::SeriesStep;

/// One transaction whose failure is the store's.
macro_rules! whole {
    // Of any shop: what is known of them is looked at again.
    ($store:expr, Anywhere, $desk:ident => $work:expr) => {{
        let done: Done<_> = transact!($store, Bulk, $desk => $work);
        $store.shared.committed($store.shared.names.shops());
        Ok(done?)
    }};
    ($store:expr, $purpose:ident, $desk:ident => $work:expr) => {{
        let done: Done<_> = transact!($store, $purpose, $desk => $work);
        Ok(done?)
    }};
}

#[async_trait]
impl Store for PostgresStore {
    async fn append(&self, batch: Vec<NewEnvelope>) -> StoreResult<Vec<Appended>> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let _waiting = self.pressure.enter();
        self.appends.write(prepare(&self.shared.vault, batch)?).await
    }
    async fn unrouted(&self, limit: u32) -> StoreResult<Vec<Unrouted>> {
        let limit = self.pressure.give_way().await.of(limit);
        let found: StoreResult<Vec<Unrouted>> = whole!(self, Look, desk => desk.unrouted(limit).await);
        let found = found?;
        if !records::begin_one(&found) {
            return Ok(found);
        }
        whole!(self, Look, desk => desk.with_bases(found.clone()).await)
    }
    async fn route(&self, decisions: Vec<Routed>, at: Timestamp) -> StoreResult<()> {
        route::route(&self.shared, decisions, at).await
    }
    async fn route_and_claim(
        &self,
        decisions: Vec<Routed>,
        at: Timestamp,
        claims: Vec<ClaimRequest>,
        owner: &str,
    ) -> StoreResult<Vec<(SystemName, Vec<Claim>)>> {
        let claimed = route::route_and_claim(&self.shared, decisions, at, &claims, owner).await?;
        claims::stir(&self.shared, &claimed);
        Ok(claimed)
    }

    async fn begin_epoch(&self, owner: &str, now: Timestamp) -> StoreResult<u64> {
        whole!(self, Anywhere, desk => desk.begin_epoch(owner, now).await)
    }
    async fn claim(&self, request: ClaimRequest, owner: &str) -> StoreResult<Vec<Claim>> {
        let claimed = claims::claim(&self.shared, &[request], owner).await?;
        Ok(claimed.into_iter().flat_map(|(_, claims)| claims).collect())
    }
    async fn advance(&self, moves: Vec<Move>) -> StoreResult<Vec<Moved>> {
        if moves.is_empty() {
            return Ok(Vec::new());
        }
        self.moves.write(moves::prepared(&self.shared.vault, moves)?).await
    }
    async fn give_back(&self, lanes: Vec<(Lane, i64, Option<Timestamp>)>) -> StoreResult<()> {
        moves::give_back(&self.shared, lanes).await
    }
    async fn next_due(&self) -> StoreResult<BTreeMap<SystemName, Timestamp>> {
        whole!(self, Look, desk => desk.next_due().await)
    }

    async fn release(
        &self,
        which: DeliveryFilter,
        by: By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> StoreResult<u64> {
        whole!(self, Anywhere, desk => desk.release(&which, &by, due_from, ramp).await)
    }
    async fn skip(&self, which: DeliveryFilter, by: By) -> StoreResult<u64> {
        whole!(self, Anywhere, desk => desk.skip(&which, &by).await)
    }
    async fn awaited(&self, due: Option<Timestamp>, limit: u32) -> StoreResult<Vec<Awaited>> {
        whole!(self, Read, desk => desk.awaited(due, limit).await)
    }
    async fn awaited_again(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) -> StoreResult<()> {
        whole!(self, Write, desk => desk.awaited_again(shop, system, reference, next).await)
    }
    async fn awaited_found(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: By,
    ) -> StoreResult<u64> {
        whole!(self, Anywhere, desk => desk.awaited_found(shop, system, reference, &by).await)
    }
    async fn pause(&self, pause: Pause) -> StoreResult<()> {
        whole!(self, Write, desk => desk.pause(&pause).await)
    }
    async fn resume(&self, scope: &PauseScope, by: By) -> StoreResult<bool> {
        whole!(self, Write, desk => desk.resume(scope, &by).await)
    }
    async fn pauses(&self, now: Timestamp) -> StoreResult<Vec<Pause>> {
        whole!(self, Read, desk => desk.pauses(now).await)
    }
    async fn audit(&self, entry: AuditEntry) -> StoreResult<()> {
        whole!(self, Write, desk => desk.audit(&entry).await)
    }
    async fn audit_entries(&self, limit: u32) -> StoreResult<Vec<AuditEntry>> {
        whole!(self, Read, desk => desk.audit_entries(limit).await)
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> StoreResult<Vec<Delivery>> {
        whole!(self, Read, desk => desk.deliveries(&filter).await)
    }
    async fn dead_letters(&self, filter: DeliveryFilter, closed: bool) -> StoreResult<Vec<DeadLetter>> {
        whole!(self, Read, desk => desk.dead_letters(&filter, closed).await)
    }
    async fn dead_letter_groups(&self) -> StoreResult<Vec<DeadLetterGroup>> {
        whole!(self, Read, desk => desk.dead_letter_groups().await)
    }
    async fn life(&self, shop: &ShopId, root: &str) -> StoreResult<Life> {
        whole!(self, Read, desk => desk.life(shop, root).await)
    }
    async fn find(&self, text: &str) -> StoreResult<Vec<Subject>> {
        whole!(self, Read, desk => desk.find(text).await)
    }
    async fn status(&self, flow: &FlowName, subjects: &[Subject]) -> StoreResult<Vec<SubjectStatus>> {
        whole!(self, Read, desk => {
            let mut found = Vec::with_capacity(subjects.len());
            for of in subjects {
                found.push(desk.status(flow, of).await?);
            }
            Ok(found)
        })
    }
    async fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> StoreResult<Vec<Subject>> {
        whole!(self, Read, desk => desk.filtered_by(flow, rule, limit).await)
    }
    async fn backlog(&self, now: Timestamp) -> StoreResult<Vec<Backlog>> {
        whole!(self, Read, desk => desk.backlog(now).await)
    }
    async fn lags(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<LagSample>> {
        whole!(self, Read, desk => desk.lags(since, limit).await)
    }
    async fn topics_seen(&self) -> StoreResult<Vec<TopicSeen>> {
        whole!(self, Read, desk => desk.topics_seen().await)
    }
    async fn log_size(&self) -> StoreResult<LogSize> {
        whole!(self, Read, desk => desk.log_size().await)
    }
    async fn newest_payload(&self, subject: &Subject) -> StoreResult<Option<(Envelope, Bytes)>> {
        whole!(self, Read, desk => desk.newest_payload(subject).await)
    }
    async fn delivery_payload(&self, delivery: DeliveryId) -> StoreResult<Option<Bytes>> {
        whole!(self, Read, desk => desk.delivery_payload(delivery).await)
    }

    async fn cursor(&self, name: &str) -> StoreResult<Option<String>> {
        whole!(self, Read, desk => desk.cursor(name).await)
    }
    async fn set_cursor(&self, name: &str, value: &str) -> StoreResult<()> {
        whole!(self, Write, desk => desk.set_cursor(name, value).await)
    }
    async fn lease(&self, name: &str, owner: &str, now: Timestamp, length: Duration) -> StoreResult<bool> {
        whole!(self, Write, desk => desk.lease(name, owner, now, length).await)
    }
    async fn leased(&self, name: &str, now: Timestamp) -> StoreResult<Option<(String, Timestamp)>> {
        whole!(self, Read, desk => desk.leased(name, now).await)
    }

    async fn beat(&self, beat: Beat, now: Timestamp, length: Duration) -> StoreResult<Vec<Beat>> {
        whole!(self, Derived, desk => desk.beat(&beat, now, length).await)
    }

    async fn redact(
        &self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> StoreResult<Certificate> {
        self.shared.ensure([of_shop(shop).as_str()]).await?;
        whole!(self, Anywhere, desk => desk.redact(shop, roots, customers, requested, at).await)
    }
    async fn certificates(&self) -> StoreResult<Vec<Certificate>> {
        whole!(self, Read, desk => desk.certificates().await)
    }
    async fn held(&self, shop: &ShopId, customers: &[String]) -> StoreResult<Vec<Subject>> {
        whole!(self, Read, desk => desk.held(shop, customers).await)
    }
    async fn retain(&self, now: Timestamp, payload_days: u32) -> StoreResult<Retained> {
        Ok(retain::retain(&self.shared, now, payload_days).await?)
    }
    /// The database team's own tools do this, with a point in time to go back to: docs/store-postgres.md.
    async fn backup(&self, _to: &Path) -> StoreResult<u64> {
        let why = "a PostgreSQL store is backed up by its own tools (pg_basebackup with WAL archiving, or a \
                   snapshot of the service): see docs/store-postgres.md";
        Err(unavailable(why).into())
    }
    async fn rotate_master_key(&self, new: &MasterKey) -> StoreResult<u64> {
        let rotated: Done<(i32, u64)> = transact!(self, Bulk, desk => desk.rotate(new).await);
        let (number, keys) = rotated?;
        self.shared.vault.rotated(number, new.clone());
        Ok(keys)
    }

    async fn series_head(&self, series: &str) -> StoreResult<Option<SeriesStep>> {
        whole!(self, Read, desk => desk.series_head(series).await)
    }
    async fn series_steps(&self, series: &str, from: u64, limit: u32) -> StoreResult<Vec<SeriesStep>> {
        whole!(self, Read, desk => desk.series_steps(series, from, limit).await)
    }
    async fn append_step(&self, series: &str, step: &SeriesStep) -> StoreResult<bool> {
        whole!(self, Write, desk => desk.append_step(series, step).await)
    }
    async fn put_chunk(
        &self,
        series: &str,
        body: &str,
        part: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> StoreResult<()> {
        whole!(self, Bulk, desk => desk.put_chunk(series, body, part, &bytes, at).await)
    }
    async fn chunk(&self, series: &str, body: &str, part: u32) -> StoreResult<Option<Vec<u8>>> {
        whole!(self, Read, desk => desk.chunk(series, body, part).await)
    }
    async fn forget_steps(&self, series: &str, before: u64, unnamed_before: Timestamp) -> StoreResult<u64> {
        whole!(self, Bulk, desk => desk.forget_steps(series, before, unnamed_before).await)
    }

    async fn installation(&self) -> StoreResult<Installation> {
        whole!(self, Read, desk => desk.installation().await)
    }
    async fn set_in_force(&self, revision: &str, place: &str) -> StoreResult<()> {
        whole!(self, Write, desk => desk.set_in_force(revision, place).await)
    }
}
