//! Orders that live at a store from their webhook to their number: many at once while it grows, and a few in a round that
//! is timed.

use super::order;
use crate::bench::Bench;
use crate::bench::clock::{ms, now};
use crate::demo::pause;
use crate::wiring::clock::SystemClock;
use anyhow::{bail, ensure};
use jiff::Timestamp;
use kernel::clock::{Clock as _, after};
use kernel::id::SystemName;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Store;
use store::delivery::{Claim, Moved};
use store::log::{Appended, Unrouted};
use store::port::ClaimRequest;
use tokio::task::JoinSet;

/// Orders of one commit while a store grows.
const CROWD: usize = 512;
/// That are under way while it grows, at most.
const UNDER_WAY_MAX: usize = 4 * CROWD;
/// Tasks that append, and tasks that deliver; one routes.
const APPENDING: usize = 2;
const DELIVERING: usize = 2;
/// Of a task that has nothing to do.
const REST: Duration = Duration::from_millis(2);
/// Between two lines that say how far it is.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// How long the two took, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    pub append: f64,
    pub claim: f64,
}

/// The orders of one store.
#[derive(Debug)]
pub(super) struct Life {
    at: Arc<At>,
    pub orders: usize,
}

/// What every task of it needs.
#[derive(Debug)]
struct At {
    store: Arc<dyn Store>,
    clock: SystemClock,
    /// How far ahead of the clock all of it happens.
    ahead: Duration,
    /// That the orders are of, in turn.
    shops: usize,
}

/// How far a growth is, in orders.
#[derive(Debug, Default)]
struct Done {
    begun: AtomicUsize,
    routed: AtomicUsize,
    delivered: AtomicUsize,
}

impl Life {
    pub(super) fn new(store: Arc<dyn Store>, shops: usize) -> Self {
        Self {
            at: Arc::new(At { store, clock: SystemClock::new(), ahead: Duration::ZERO, shops }),
            orders: 0,
        }
    }

    /// The same orders' store at a later time.
    pub(super) fn later(self, ahead: Duration) -> Self {
        let at = At { store: self.at.store.clone(), clock: SystemClock::new(), ahead, shops: self.at.shops };
        Self { at: Arc::new(at), orders: self.orders }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.at.now()
    }

    /// Brings it to so many orders, all of them delivered; says how far it is.
    pub(super) async fn grow_to(&mut self, orders: usize, bench: &Bench, name: &str) -> anyhow::Result<()> {
        let (first, count) = (self.orders, orders.saturating_sub(self.orders));
        let (done, begun) = (Arc::new(Done::default()), now());
        let mut tasks = JoinSet::new();
        for _ in 0..APPENDING {
            tasks.spawn(append_all(self.at.clone(), done.clone(), first, count));
        }
        tasks.spawn(route_all(self.at.clone(), done.clone(), count));
        for _ in 0..DELIVERING {
            tasks.spawn(deliver_all(self.at.clone(), done.clone(), count));
        }
        loop {
            match tokio::time::timeout(TOLD_EVERY, tasks.join_next()).await {
                // The others end with the set.
                Ok(Some(ended)) => ended??,
                Ok(None) => break,
                Err(_) => {
                    let delivered = done.delivered.load(Ordering::Relaxed);
                    bench.tell(&super::how_far(name, first + delivered, orders, delivered, begun.elapsed()));
                }
            }
        }
        self.orders += count;
        Ok(())
    }

    /// So many orders from their webhook to their number, each step at once for all of them.
    pub(super) async fn round(&mut self, count: usize) -> anyhow::Result<Took> {
        let at = self.at.now();
        let first = self.orders;
        let facts = (first..first + count).map(|order| order::fact(order, self.at.shops, at));
        let facts = facts.collect::<anyhow::Result<Vec<_>>>()?;
        self.orders += count;
        let begun = now();
        self.at.store.append(facts).await?;
        let append = ms(begun.elapsed());
        let waiting = self.at.store.unrouted(u32::try_from(count)?).await?;
        ensure!(waiting.len() == count, "{} of {count} orders wait for routing", waiting.len());
        self.at.route(&waiting).await?;
        let begun = now();
        let claims = self.at.claim(count).await?;
        let claim = ms(begun.elapsed());
        ensure!(claims.len() == count, "{} of {count} orders could be claimed", claims.len());
        self.at.deliver(claims).await?;
        Ok(Took { append, claim })
    }
}

impl At {
    fn now(&self) -> Timestamp {
        after(self.clock.now().wall, self.ahead)
    }

    async fn route(&self, waiting: &[Unrouted]) -> anyhow::Result<()> {
        let at = self.now();
        let decisions = waiting.iter().map(|one| order::decision(one, at));
        Ok(self.store.route(decisions.collect::<anyhow::Result<Vec<_>>>()?, at).await?)
    }

    async fn claim(&self, count: usize) -> anyhow::Result<Vec<Claim>> {
        let request = ClaimRequest {
            system: SystemName::new("erp")?,
            now: self.now(),
            lease: Duration::from_secs(60),
            limit: u32::try_from(count)?,
            except_flows: Vec::new(),
            except_lanes: Vec::new(),
        };
        Ok(self.store.claim(request, "bench").await?)
    }

    /// An attempt each, which succeeds.
    async fn deliver(&self, claims: Vec<Claim>) -> anyhow::Result<()> {
        let at = self.now();
        let begun = self.store.advance(claims.iter().map(|claim| order::begin(claim, at)).collect()).await?;
        let ends = claims.iter().zip(begun).map(|(claim, begun)| match begun {
            Moved::Done { begun: Some(attempt) } => Ok(order::end(claim, attempt, at)),
            other => bail!("an attempt was not begun: {other:?}"),
        });
        let ended = self.store.advance(ends.collect::<anyhow::Result<Vec<_>>>()?).await?;
        let lost = ended.iter().find(|moved| !matches!(moved, Moved::Done { .. }));
        ensure!(lost.is_none(), "an order was not ended: {lost:?}");
        Ok(())
    }
}

async fn append_all(at: Arc<At>, done: Arc<Done>, first: usize, count: usize) -> anyhow::Result<()> {
    loop {
        let from = done.begun.fetch_add(CROWD, Ordering::Relaxed);
        if from >= count {
            return Ok(());
        }
        while from > done.delivered.load(Ordering::Relaxed) + UNDER_WAY_MAX {
            pause(REST).await;
        }
        let (wall, orders) = (at.now(), first + from..first + (from + CROWD).min(count));
        let facts = orders.map(|order| order::fact(order, at.shops, wall));
        let stored = at.store.append(facts.collect::<anyhow::Result<Vec<_>>>()?).await?;
        let twice = stored.iter().find(|one| !matches!(one, Appended::Stored(_)));
        ensure!(twice.is_none(), "a new order was no new one: {twice:?}");
    }
}

async fn route_all(at: Arc<At>, done: Arc<Done>, count: usize) -> anyhow::Result<()> {
    while done.routed.load(Ordering::Relaxed) < count {
        let waiting = at.store.unrouted(u32::try_from(CROWD)?).await?;
        if waiting.is_empty() {
            pause(REST).await;
            continue;
        }
        at.route(&waiting).await?;
        done.routed.fetch_add(waiting.len(), Ordering::Relaxed);
    }
    Ok(())
}

async fn deliver_all(at: Arc<At>, done: Arc<Done>, count: usize) -> anyhow::Result<()> {
    while done.delivered.load(Ordering::Relaxed) < count {
        let claims = at.claim(CROWD).await?;
        let claimed = claims.len();
        if claimed == 0 {
            pause(REST).await;
            continue;
        }
        at.deliver(claims).await?;
        done.delivered.fetch_add(claimed, Ordering::Relaxed);
    }
    Ok(())
}
