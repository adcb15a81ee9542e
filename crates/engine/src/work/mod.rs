//! What enumerates the source and compares: sweep, feed, backfill, prove (DESIGN section 4). Not a third mechanism: what
//! differs is appended as an envelope, at low priority, under the same limits and keys as any other.

pub mod backfill;
pub mod by_hand;
pub mod differs;
pub mod drift;
pub mod feed;
pub mod lift;
pub mod prove;
pub mod stock_now;
pub mod sweep;

use crate::facts::Facts;
use connector::port::{CallContext, ListBy, ListPage, ListQuery, Listed, Read, Source};
use jiff::Timestamp;
use kernel::clock::Clock;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::fault::Fault;
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use kernel::version::EffectiveVersion;
use sha2::{Digest as _, Sha256};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;
use store::log::NewEnvelope;
use store::{Store, StoreError};

/// Everything such a work needs, for one flow and one shop.
#[derive(Debug, Clone)]
pub struct Scope {
    pub store: Arc<dyn Store>,
    pub source: Arc<dyn Source>,
    pub facts: Arc<dyn Facts>,
    pub clock: Arc<dyn Clock>,
    pub shop: ShopId,
    pub flow: FlowName,
    pub domain: DomainName,
    pub source_system: SystemName,
    /// Of the source's budget, 1 to 100.
    pub budget_percent: u8,
    pub time_out: Duration,
}

/// Why a work stopped before its end. What it did is committed; it goes on from there.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WorkError {
    #[error("the source did not answer: {0}")]
    Source(#[from] Fault),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("stopped")]
    Stopped,
}

/// Told of progress, and asked whether to go on.
pub trait Progress: Send + Sync {
    /// `done` of `total` (0: not known yet). False stops the work.
    fn at(&self, done: u64, total: u64) -> bool;
}

/// Goes on to the end and tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Quiet;

impl Progress for Quiet {
    fn at(&self, _done: u64, _total: u64) -> bool {
        true
    }
}

impl Scope {
    /// What its calls are made under.
    pub fn call(&self) -> CallContext {
        CallContext {
            shop: self.shop.clone(),
            time_out: self.time_out,
            trace: TraceId::default(),
            span: 1,
            now: self.clock.now().wall,
        }
    }

    async fn page(
        &self,
        by: ListBy,
        from: Timestamp,
        until: Option<Timestamp>,
        cursor: Option<String>,
    ) -> Result<ListPage, Fault> {
        self.list(by, from, until, cursor, false).await
    }

    async fn list(
        &self,
        by: ListBy,
        from: Timestamp,
        until: Option<Timestamp>,
        cursor: Option<String>,
        totals: bool,
    ) -> Result<ListPage, Fault> {
        let query = ListQuery { by, from, until, cursor, budget_percent: self.budget_percent, totals };
        self.source.list(&self.call(), self.domain.as_str(), &query).await
    }

    async fn read(&self, item: &Listed) -> Result<Option<Read>, Fault> {
        self.source.read(&self.call(), &item.subject).await
    }

    /// A read state as an envelope; its trace begins here.
    fn envelope(&self, item: &Listed, read: Read, via: Via) -> NewEnvelope {
        let hash: [u8; 32] = Sha256::digest(&read.payload).into();
        let mut trace = [0; 16];
        trace.copy_from_slice(&hash[..16]);
        NewEnvelope {
            shop: self.shop.clone(),
            domain: self.domain.clone(),
            source: self.source_system.clone(),
            topic: read.topic,
            kind: FactKind::State,
            via,
            subject: item.subject.clone(),
            version: read.sequence.map(|sequence| EffectiveVersion::Sequence { sequence }),
            occurred_at: read.updated_at,
            received_at: self.clock.now().wall,
            trace: TraceId(trace),
            raw_hash: hash,
            raw_bytes: u32::try_from(read.payload.len()).unwrap_or(u32::MAX),
            dedupe: None,
            payload: read.payload.into(),
        }
    }
}
