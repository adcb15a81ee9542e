//! The port: each operation handed to the writer or to a reader. What can be sealed is sealed here, on the caller's
//! side; what is still sealed is opened here.

use crate::append::{Keys, prepare, remember};
use crate::claims::SealedClaim;
use crate::desk::Desk;
use crate::error::Done;
use crate::moves::prepare_moves;
use crate::route::opened_or_empty;
use crate::{SqliteStore, open};
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

impl SqliteStore {
    /// What can be opened on the caller's side.
    fn opened(&self, claims: Vec<SealedClaim>) -> StoreResult<Vec<Claim>> {
        let opened = claims.into_iter().map(|claim| {
            let payload = match &claim.payload {
                Some(sealed) => Some(opened_or_empty(sealed.open(&self.inner.vault, &claim.envelope))?),
                None => None,
            };
            Ok(claim.with(payload))
        });
        opened.collect()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn append(&self, batch: Vec<NewEnvelope>) -> StoreResult<Vec<Appended>> {
        let _waiting = self.inner.pressure.enter();
        let prepared = prepare(&self.inner.vault, batch)?;
        let (answers, keys) = self
            .ways()?
            .0
            .write_again(move |desk| {
                let mut keys = Keys::new();
                Ok((desk.append(&prepared, &mut keys)?, keys))
            })
            .await?;
        remember(&self.inner.vault, keys);
        Ok(answers)
    }
    async fn unrouted(&self, limit: u32) -> StoreResult<Vec<Unrouted>> {
        let limit = self.inner.pressure.give_way().await.of(limit);
        // The writer has just written these pages: a reader would have to find all of them in the log again.
        let found = self.ways()?.0.between(move |desk| desk.view().unrouted(limit)).await?;
        found.into_iter().map(|one| Ok(one.open(&self.inner.vault)?)).collect()
    }
    async fn route(&self, decisions: Vec<Routed>, at: Timestamp) -> StoreResult<()> {
        self.ways()?.0.write_derived(move |desk| desk.route(decisions, at)).await
    }
    async fn route_and_claim(
        &self,
        decisions: Vec<Routed>,
        at: Timestamp,
        claims: Vec<ClaimRequest>,
        owner: &str,
    ) -> StoreResult<Vec<(SystemName, Vec<Claim>)>> {
        let owner = owner.to_owned();
        let work = move |desk: &mut Desk| {
            desk.route(decisions, at)?;
            claims
                .into_iter()
                .map(|request| {
                    let claimed = desk.claim(&request, &owner)?;
                    Ok((request.system, claimed))
                })
                .collect::<Done<Vec<_>>>()
        };
        let claimed = self.ways()?.0.write_derived(work).await?;
        claimed.into_iter().map(|(system, claims)| Ok((system, self.opened(claims)?))).collect()
    }

    async fn begin_epoch(&self, owner: &str, now: Timestamp) -> StoreResult<u64> {
        let owner = owner.to_owned();
        self.ways()?.0.write(move |desk| desk.begin_epoch(&owner, now)).await
    }
    async fn claim(&self, request: ClaimRequest, owner: &str) -> StoreResult<Vec<Claim>> {
        let owner = owner.to_owned();
        let claims = self.ways()?.0.between(move |desk| desk.claim(&request, &owner)).await?;
        self.opened(claims)
    }
    async fn advance(&self, moves: Vec<Move>) -> StoreResult<Vec<Moved>> {
        let prepared = prepare_moves(&self.inner.vault, moves)?;
        // An attempt has to be on disk before its first byte leaves. An outcome is derived: if it is lost, its attempt
        // is found without an answer and looked up. A key is not remembered before the commit that puts it in force.
        let begins = prepared.iter().any(|step| step.begins() || step.brings_a_key());
        let work = move |desk: &mut Desk| {
            let mut keys = Keys::new();
            Ok((desk.advance(prepared, &mut keys)?, keys))
        };
        let writer = &self.ways()?.0;
        let (answers, keys) =
            if begins { writer.write(work).await? } else { writer.write_derived(work).await? };
        remember(&self.inner.vault, keys);
        Ok(answers)
    }
    async fn give_back(&self, lanes: Vec<(Lane, i64, Option<Timestamp>)>) -> StoreResult<()> {
        let (mut as_they_were, mut again) = (Vec::new(), Vec::new());
        for (lane, fence, due_at) in lanes {
            match due_at {
                Some(due_at) => again.push((lane, fence, due_at)),
                None => as_they_were.push((lane, fence)),
            }
        }
        let writer = &self.ways()?.0;
        if !as_they_were.is_empty() {
            writer.between(move |desk| desk.give_back(&as_they_were)).await?;
        }
        if !again.is_empty() {
            writer.write_derived(move |desk| desk.give_back_until(&again)).await?;
        }
        Ok(())
    }
    async fn next_due(&self) -> StoreResult<BTreeMap<SystemName, Timestamp>> {
        self.ways()?.0.between(|desk| desk.next_due()).await
    }

    async fn release(
        &self,
        which: DeliveryFilter,
        by: By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> StoreResult<u64> {
        self.ways()?.0.write(move |desk| desk.release(&which, &by, due_from, ramp)).await
    }
    async fn skip(&self, which: DeliveryFilter, by: By) -> StoreResult<u64> {
        self.ways()?.0.write(move |desk| desk.skip(&which, &by)).await
    }
    async fn awaited(&self, due: Option<Timestamp>, limit: u32) -> StoreResult<Vec<Awaited>> {
        self.ways()?.1.ask(move |view| view.awaited(due, limit)).await
    }
    async fn awaited_again(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) -> StoreResult<()> {
        let (shop, system, reference) = (shop.clone(), system.clone(), reference.clone());
        self.ways()?.0.write(move |desk| desk.awaited_again(&shop, &system, &reference, next)).await
    }
    async fn awaited_found(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: By,
    ) -> StoreResult<u64> {
        let (shop, system, reference) = (shop.clone(), system.clone(), reference.clone());
        self.ways()?.0.write(move |desk| desk.awaited_found(&shop, &system, &reference, &by)).await
    }
    async fn pause(&self, pause: Pause) -> StoreResult<()> {
        self.ways()?.0.write(move |desk| desk.pause(&pause)).await
    }
    async fn resume(&self, scope: &PauseScope, by: By) -> StoreResult<bool> {
        let scope = scope.clone();
        self.ways()?.0.write(move |desk| desk.resume(&scope, &by)).await
    }
    async fn pauses(&self, now: Timestamp) -> StoreResult<Vec<Pause>> {
        self.ways()?.1.ask(move |view| view.pauses(now)).await
    }
    async fn audit(&self, entry: AuditEntry) -> StoreResult<()> {
        self.ways()?.0.write(move |desk| desk.audit(&entry)).await
    }
    async fn audit_entries(&self, limit: u32) -> StoreResult<Vec<AuditEntry>> {
        self.ways()?.1.ask(move |view| view.audit_entries(limit)).await
    }

    async fn deliveries(&self, filter: DeliveryFilter) -> StoreResult<Vec<Delivery>> {
        self.ways()?.1.ask(move |view| view.deliveries(&filter)).await
    }
    async fn dead_letters(&self, filter: DeliveryFilter, closed: bool) -> StoreResult<Vec<DeadLetter>> {
        self.ways()?.1.ask(move |view| view.dead_letters(&filter, closed)).await
    }
    async fn dead_letter_groups(&self) -> StoreResult<Vec<DeadLetterGroup>> {
        self.ways()?.1.ask(|view| view.dead_letter_groups()).await
    }
    async fn life(&self, shop: &ShopId, root: &str) -> StoreResult<Life> {
        let (shop, root) = (shop.clone(), root.to_owned());
        self.ways()?.1.ask(move |view| view.life(&shop, &root)).await
    }
    async fn find(&self, text: &str) -> StoreResult<Vec<Subject>> {
        let text = text.to_owned();
        self.ways()?.1.ask(move |view| view.find(&text)).await
    }
    async fn status(&self, flow: &FlowName, subjects: &[Subject]) -> StoreResult<Vec<SubjectStatus>> {
        let (flow, subjects) = (flow.clone(), subjects.to_vec());
        self.ways()?.1.ask(move |view| subjects.iter().map(|of| view.status(&flow, of)).collect()).await
    }
    async fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> StoreResult<Vec<Subject>> {
        let (flow, rule) = (flow.clone(), rule.to_owned());
        self.ways()?.1.ask(move |view| view.filtered_by(&flow, &rule, limit)).await
    }
    async fn backlog(&self, now: Timestamp) -> StoreResult<Vec<Backlog>> {
        self.ways()?.1.ask(move |view| view.backlog(now)).await
    }
    async fn lags(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<LagSample>> {
        self.ways()?.1.ask(move |view| view.lags(since, limit)).await
    }
    async fn topics_seen(&self) -> StoreResult<Vec<TopicSeen>> {
        self.ways()?.1.ask(|view| view.topics_seen()).await
    }
    async fn log_size(&self) -> StoreResult<LogSize> {
        self.ways()?.1.ask(|view| view.log_size()).await
    }
    async fn newest_payload(&self, subject: &Subject) -> StoreResult<Option<(Envelope, Bytes)>> {
        let subject = subject.clone();
        self.ways()?.1.ask(move |view| view.newest_payload(&subject)).await
    }
    async fn delivery_payload(&self, delivery: DeliveryId) -> StoreResult<Option<Bytes>> {
        self.ways()?.1.ask(move |view| view.delivery_payload(delivery)).await
    }

    async fn cursor(&self, name: &str) -> StoreResult<Option<String>> {
        let name = name.to_owned();
        self.ways()?.1.ask(move |view| view.cursor(&name)).await
    }
    async fn set_cursor(&self, name: &str, value: &str) -> StoreResult<()> {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.ways()?.0.write(move |desk| desk.set_cursor(&name, &value)).await
    }
    async fn lease(&self, name: &str, owner: &str, now: Timestamp, length: Duration) -> StoreResult<bool> {
        let (name, owner) = (name.to_owned(), owner.to_owned());
        self.ways()?.0.write(move |desk| desk.lease(&name, &owner, now, length)).await
    }
    async fn leased(&self, name: &str, now: Timestamp) -> StoreResult<Option<(String, Timestamp)>> {
        let name = name.to_owned();
        self.ways()?.1.ask(move |view| view.leased(&name, now)).await
    }
    async fn beat(&self, beat: Beat, now: Timestamp, length: Duration) -> StoreResult<Vec<Beat>> {
        self.ways()?.0.write(move |desk| desk.beat(&beat, now, length)).await
    }

    async fn redact(
        &self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> StoreResult<Certificate> {
        let (shop, roots, customers) = (shop.clone(), roots.to_vec(), customers.to_vec());
        let requested = requested.to_owned();
        let writer = &self.ways()?.0;
        let certificate =
            writer.write(move |desk| desk.redact(&shop, &roots, &customers, &requested, at)).await?;
        // The log still holds the pages as they were; a checkpoint that fails now is made by the next one.
        let _ = writer.alone(|desk| desk.forget_the_log()).await;
        Ok(certificate)
    }
    async fn certificates(&self) -> StoreResult<Vec<Certificate>> {
        self.ways()?.1.ask(|view| view.certificates()).await
    }
    async fn held(&self, shop: &ShopId, customers: &[String]) -> StoreResult<Vec<Subject>> {
        let (shop, customers) = (shop.clone(), customers.to_vec());
        self.ways()?.1.ask(move |view| view.held(&shop, &customers)).await
    }
    async fn retain(&self, now: Timestamp, payload_days: u32) -> StoreResult<Retained> {
        let past = now.checked_sub(Duration::from_secs(u64::from(payload_days) * 86_400));
        let past = past.unwrap_or(Timestamp::MIN);
        let writer = &self.ways()?.0;
        let (mut all, mut next) = (Retained::default(), Some(0));
        while let Some(from) = next {
            let (bite, further) = writer.write(move |desk| desk.retain(past, from)).await?;
            all.payloads_dropped += bite.payloads_dropped;
            all.kept_for_duty += bite.kept_for_duty;
            next = further;
        }
        all.webhook_ids_dropped = writer.write(move |desk| desk.retain_rest(now)).await?;
        Ok(all)
    }
    async fn backup(&self, to: &Path) -> StoreResult<u64> {
        let (from, to) = (self.inner.path.clone(), to.to_owned());
        // A connection of its own: the readers stay free.
        self.ways()?.1.ask(move |_| crate::backup::backup(&open::reader(&from)?, &to)).await
    }
    async fn rotate_master_key(&self, new: &MasterKey) -> StoreResult<u64> {
        let of_writer = new.clone();
        let writer = &self.ways()?.0;
        let vault = self.inner.vault.clone();
        let (number, keys) = writer.write(move |desk| desk.rotate(&of_writer)).await?;
        vault.rotated(number, new.clone());
        Ok(keys)
    }

    async fn series_head(&self, series: &str) -> StoreResult<Option<SeriesStep>> {
        let series = series.to_owned();
        self.ways()?.1.ask(move |view| view.series_head(&series)).await
    }
    async fn series_steps(&self, series: &str, from: u64, limit: u32) -> StoreResult<Vec<SeriesStep>> {
        let series = series.to_owned();
        self.ways()?.1.ask(move |view| view.series_steps(&series, from, limit)).await
    }
    async fn append_step(&self, series: &str, step: &SeriesStep) -> StoreResult<bool> {
        let (series, step) = (series.to_owned(), step.clone());
        self.ways()?.0.write(move |desk| desk.append_step(&series, &step)).await
    }
    async fn put_chunk(
        &self,
        series: &str,
        body: &str,
        part: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> StoreResult<()> {
        let (series, body) = (series.to_owned(), body.to_owned());
        self.ways()?.0.write(move |desk| desk.put_chunk((&series, &body, part), &bytes, at)).await
    }
    async fn chunk(&self, series: &str, body: &str, part: u32) -> StoreResult<Option<Vec<u8>>> {
        let (series, body) = (series.to_owned(), body.to_owned());
        self.ways()?.1.ask(move |view| view.chunk(&series, &body, part)).await
    }
    async fn forget_steps(&self, series: &str, before: u64, unnamed_before: Timestamp) -> StoreResult<u64> {
        let series = series.to_owned();
        self.ways()?.0.write(move |desk| desk.forget_steps(&series, before, unnamed_before)).await
    }

    async fn installation(&self) -> StoreResult<Installation> {
        self.ways()?.1.ask(|view| view.installation()).await
    }
    async fn set_in_force(&self, revision: &str, place: &str) -> StoreResult<()> {
        let (revision, place) = (revision.to_owned(), place.to_owned());
        self.ways()?.0.write(move |desk| desk.set_in_force(&revision, &place)).await
    }
}
