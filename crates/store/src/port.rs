//! The port itself. Every operation is one transaction; what it promises stands at the operation, and the
//! conformance suite holds each store to it.

use crate::delivery::{Claim, Move, Moved};
use crate::error::StoreError;
use crate::log::{Appended, NewEnvelope, Routed, Unrouted};
use crate::operate::{AuditEntry, Beat, By, Certificate, Installation, Pause, PauseScope, Retained};
use crate::query::{
    Awaited, Backlog, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, Life, LogSize, SubjectStatus,
    TopicSeen,
};
use crate::series::SeriesStep;
use async_trait::async_trait;
use jiff::Timestamp;
use kernel::fault::Reference;
use kernel::id::{DeliveryId, FlowName, ShopId, SystemName};
use kernel::subject::{Lane, Subject};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

pub type StoreResult<T> = Result<T, StoreError>;

/// A lane to be claimed for a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    pub system: SystemName,
    pub now: Timestamp,
    pub lease: Duration,
    pub limit: u32,
    /// Flows and lanes that are paused or blocked by the engine. What is passed over still holds what it held: an
    /// unknown delivery its lane, an event the events behind it.
    pub except_flows: Vec<FlowName>,
    pub except_lanes: Vec<Lane>,
}

/// So many that wait for routing are handed out however busy a store is: fewer mean that no more wait.
pub const UNROUTED_LEAST: u32 = 64;

#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    // --- the log --------------------------------------------------------------------------------

    /// Appends all or none, in this order, and returns after the commit is on disk. An envelope whose dedupe key is
    /// known (also within the batch) is a duplicate; one whose first copy is not yet committed is answered after that
    /// commit.
    async fn append(&self, batch: Vec<NewEnvelope>) -> StoreResult<Vec<Appended>>;

    /// Envelopes that are not routed yet, oldest position first, found by their state. A store that is busy may hand out fewer than
    /// `limit`, but not fewer than [`UNROUTED_LEAST`] where so many wait and are asked for.
    async fn unrouted(&self, limit: u32) -> StoreResult<Vec<Unrouted>>;

    /// Commits what routing decided, all of a decision or nothing of it; one whose envelope is routed already is passed over, and so is
    /// one that was made upon another revision of its record than there is ([`NewRecord`](crate::log::NewRecord)): its envelope is
    /// handed out anew.
    async fn route(&self, decisions: Vec<Routed>, at: Timestamp) -> StoreResult<()>;

    /// [`route`](Store::route), and then a [`claim`](Store::claim) for each request, which sees what was routed; the
    /// answers in the order of the requests. One way to the store in place of several. May have routed where it fails.
    async fn route_and_claim(
        &self,
        decisions: Vec<Routed>,
        at: Timestamp,
        claims: Vec<ClaimRequest>,
        owner: &str,
    ) -> StoreResult<Vec<(SystemName, Vec<Claim>)>> {
        self.route(decisions, at).await?;
        let mut claimed = Vec::with_capacity(claims.len());
        for request in claims {
            claimed.push((request.system.clone(), self.claim(request, owner).await?));
        }
        Ok(claimed)
    }

    // --- lanes ----------------------------------------------------------------------------------

    /// Begins a new life of this owner: leases of the owner's earlier life end, and attempts without an answer are
    /// handed out again as `Unknown`. Returns how many there are.
    async fn begin_epoch(&self, owner: &str, now: Timestamp) -> StoreResult<u64>;

    /// Takes up to `limit` lanes of a system that are due and free, best priority first, then longest due. A lane
    /// is never claimed by two; a lane with an `Unknown` delivery offers that one, at its look-up time.
    async fn claim(&self, request: ClaimRequest, owner: &str) -> StoreResult<Vec<Claim>>;

    /// Moves lanes on; each move stands alone, all in one commit. `keep` renews the lease from the move's time. A move
    /// that is lost because its delivery ended before its attempt began gives the lane back.
    async fn advance(&self, moves: Vec<Move>) -> StoreResult<Vec<Moved>>;

    /// Gives lanes back without a move, due again at a time (`None`: as they were).
    async fn give_back(&self, lanes: Vec<(Lane, i64, Option<Timestamp>)>) -> StoreResult<()>;

    /// Earliest time at which a free lane of each system is due.
    async fn next_due(&self) -> StoreResult<BTreeMap<SystemName, Timestamp>>;

    // --- triage and operators -------------------------------------------------------------------

    /// Makes dead deliveries wait again, due from `due_from` on, spaced by `ramp`; attempts count anew. Returns how
    /// many. Writes its line of the audit, as do `skip`, `awaited_found`, `pause`, `resume` and `redact`.
    async fn release(
        &self,
        which: DeliveryFilter,
        by: By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> StoreResult<u64>;

    /// Ends open or dead deliveries as skipped. Never one in `Unknown`.
    async fn skip(&self, which: DeliveryFilter, by: By) -> StoreResult<u64>;

    /// References that dead letters wait for and that are due for a look.
    async fn awaited(&self, due: Option<Timestamp>, limit: u32) -> StoreResult<Vec<Awaited>>;

    /// A look that found nothing: when to look again.
    async fn awaited_again(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) -> StoreResult<()>;

    /// The reference exists: releases what waits for it. Returns how many.
    async fn awaited_found(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: By,
    ) -> StoreResult<u64>;

    async fn pause(&self, pause: Pause) -> StoreResult<()>;
    /// Whether there was such a pause.
    async fn resume(&self, scope: &PauseScope, by: By) -> StoreResult<bool>;
    /// Pauses that have not ended by `now`.
    async fn pauses(&self, now: Timestamp) -> StoreResult<Vec<Pause>>;

    async fn audit(&self, entry: AuditEntry) -> StoreResult<()>;
    /// Newest first.
    async fn audit_entries(&self, limit: u32) -> StoreResult<Vec<AuditEntry>>;

    // --- questions ------------------------------------------------------------------------------

    async fn deliveries(&self, filter: DeliveryFilter) -> StoreResult<Vec<crate::delivery::Delivery>>;
    async fn dead_letters(&self, filter: DeliveryFilter, closed: bool) -> StoreResult<Vec<DeadLetter>>;
    async fn dead_letter_groups(&self) -> StoreResult<Vec<DeadLetterGroup>>;
    /// Everything about one root.
    async fn life(&self, shop: &ShopId, root: &str) -> StoreResult<Life>;
    /// Subjects whose label is this (`#1001`), and roots whose key is (`5678`).
    async fn find(&self, text: &str) -> StoreResult<Vec<Subject>>;
    /// How subjects stand at a flow; one answer for each that was asked, in that order.
    async fn status(&self, flow: &FlowName, subjects: &[Subject]) -> StoreResult<Vec<SubjectStatus>>;
    /// Subjects of a flow whose newest state was filtered by `rule`; with `rule` = `shadow`, was shadowed.
    async fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> StoreResult<Vec<Subject>>;
    async fn backlog(&self, now: Timestamp) -> StoreResult<Vec<Backlog>>;
    /// Lags of deliveries of a flow that ended since, newest first.
    async fn lags(&self, since: Timestamp, limit: u32) -> StoreResult<Vec<LagSample>>;
    async fn topics_seen(&self) -> StoreResult<Vec<TopicSeen>>;
    async fn log_size(&self) -> StoreResult<LogSize>;
    /// The newest payload in the log of a subject, opened; for replay and mapping runs. `None` if there is none or it
    /// was redacted.
    async fn newest_payload(
        &self,
        subject: &Subject,
    ) -> StoreResult<Option<(kernel::envelope::Envelope, bytes::Bytes)>>;
    async fn delivery_payload(&self, delivery: DeliveryId) -> StoreResult<Option<bytes::Bytes>>;

    // --- housekeeping ---------------------------------------------------------------------------

    async fn cursor(&self, name: &str) -> StoreResult<Option<String>>;
    async fn set_cursor(&self, name: &str, value: &str) -> StoreResult<()>;
    /// Takes or renews a named lease; `false` if another owner has it.
    async fn lease(&self, name: &str, owner: &str, now: Timestamp, length: Duration) -> StoreResult<bool>;
    /// Who holds a named lease at an instant, and until when.
    async fn leased(&self, name: &str, now: Timestamp) -> StoreResult<Option<(String, Timestamp)>>;

    /// Says that a node lives until `now + length`, in place of what it said before; zero: it goes. Returns all that live,
    /// in the order of their names. Need not be on disk when it returns.
    async fn beat(&self, beat: Beat, now: Timestamp, length: Duration) -> StoreResult<Vec<Beat>> {
        // A store that one process has alone has no other node.
        let _ = now;
        Ok(if length.is_zero() { Vec::new() } else { vec![beat] })
    }

    /// Destroys the data keys of these roots ([`EVERY_ROOT`](crate::operate::EVERY_ROOT): all of the shop's) and of
    /// every root of these customers; open duties end as redacted.
    async fn redact(
        &self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> StoreResult<Certificate>;
    async fn certificates(&self) -> StoreResult<Vec<Certificate>>;
    /// Roots held of a customer, for a data request.
    async fn held(&self, shop: &ShopId, customers: &[String]) -> StoreResult<Vec<Subject>>;

    /// Drops payloads and webhook ids past their time, none with an open duty.
    async fn retain(&self, now: Timestamp, payload_days: u32) -> StoreResult<Retained>;
    /// Writes a whole, verified copy while the store is in use.
    async fn backup(&self, to: &Path) -> StoreResult<u64>;
    /// Wraps every data key under a new master key. Returns how many.
    async fn rotate_master_key(&self, new: &crate::seal::MasterKey) -> StoreResult<u64>;

    // --- series: what all nodes hold alike --------------------------------------------------------

    /// The newest step.
    async fn series_head(&self, series: &str) -> StoreResult<Option<SeriesStep>>;
    /// From a number on, in order.
    async fn series_steps(&self, series: &str, from: u64, limit: u32) -> StoreResult<Vec<SeriesStep>>;
    /// The chunks of its body have been put before. False: it is not the one that follows the newest, or somebody else was first.
    async fn append_step(&self, series: &str, step: &SeriesStep) -> StoreResult<bool>;
    /// One chunk of a body; no chunk is put twice.
    async fn put_chunk(
        &self,
        series: &str,
        body: &str,
        part: u32,
        bytes: Vec<u8>,
        at: Timestamp,
    ) -> StoreResult<()>;
    async fn chunk(&self, series: &str, body: &str, part: u32) -> StoreResult<Option<Vec<u8>>>;
    /// Drops the steps before a number, and what was put before an instant and no step names. Returns how many steps.
    async fn forget_steps(&self, series: &str, before: u64, unnamed_before: Timestamp) -> StoreResult<u64>;

    async fn installation(&self) -> StoreResult<Installation>;
    async fn set_in_force(&self, revision: &str, place: &str) -> StoreResult<()>;
}
