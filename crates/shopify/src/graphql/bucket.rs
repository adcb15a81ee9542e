//! The cost bucket of one shop: shared by all that is sent there, with no way around it (shopify.dev: API rate
//! limits). Owns who may spend how much, and for how long one has to wait; waits for nobody, and knows no document.
//!
//! The rules: a call is made only when its cost is there. A lower priority has a share of its own: at most so many
//! hundredths of the bucket at once, and of what comes back in a second; a single call that is dearer than its share
//! is made once the share has recovered. Who was told to wait goes before lower priorities that come later; these are
//! held back so for at most [`HELD_MAX`], because a sweep that never runs would be a loss that nobody sees. What
//! Shopify says after each answer counts, less what is under way and may not have reached it.

use kernel::clock::{Clock, Mono};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// No lower priority is held back by a higher one for longer.
pub const HELD_MAX: Duration = Duration::from_secs(30);
/// A full bucket holds so many seconds' worth (2,000 points at 100 a second).
const SECONDS_FULL: u32 = 20;
const MICRO: i128 = 1_000_000;

/// Who goes first; the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Orders, and what a person waits for.
    Live,
    /// A buyer waits for the answer.
    Storefront,
    /// Stock levels: in near real time, and never so that an order waits.
    Stock,
    Sweep,
    Backfill,
}

/// Who asks for points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    pub rank: Rank,
    /// 1 to 100; [`Rank::Live`] has all.
    pub share_percent: u8,
}

impl Claim {
    pub const LIVE: Self = Self { rank: Rank::Live, share_percent: 100 };
    /// However many buyers come at once, orders and stock keep two fifths of the bucket.
    pub const STOREFRONT: Self = Self { rank: Rank::Storefront, share_percent: 60 };
    /// A fifth of the bucket is always the orders'.
    pub const STOCK: Self = Self { rank: Rank::Stock, share_percent: 80 };

    pub fn sweep(share_percent: u8) -> Self {
        Self { rank: Rank::Sweep, share_percent }
    }

    pub fn backfill(share_percent: u8) -> Self {
        Self { rank: Rank::Backfill, share_percent }
    }
}

/// `throttleStatus` of an answer, in points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThrottleStatus {
    pub maximum: u32,
    pub available: u32,
    /// A second.
    pub restore_rate: u32,
}

/// One shop's bucket.
#[derive(Debug)]
pub struct CostBucket {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Amounts in millionths of a point.
#[derive(Debug)]
struct State {
    at: Mono,
    available: i128,
    maximum: u32,
    restore_rate: u32,
    /// Nodes that share the bucket: each has a part of what it holds and of what comes back.
    nodes: u32,
    in_flight: BTreeMap<u64, u32>,
    calls: u64,
    lower: BTreeMap<Rank, Meter>,
    /// When those who were told to wait come back.
    waiting: BTreeMap<Rank, Mono>,
    /// What Shopify said that a document costs, by its name.
    learned: BTreeMap<&'static str, u32>,
}

/// What a lower priority has spent of its share and not yet recovered.
#[derive(Debug, Default)]
struct Meter {
    spent: i128,
    share_percent: u8,
    held_since: Option<Mono>,
}

/// Points that were taken for one call. Dropped, they count as spent: the call may have reached Shopify.
#[derive(Debug)]
#[must_use = "points are taken for a call that is then made"]
pub struct Taken {
    bucket: Arc<CostBucket>,
    call: u64,
    rank: Rank,
    cost: u32,
}

impl CostBucket {
    /// Full, at the pace of the shop's plan until an answer says otherwise.
    pub fn new(restore_rate: u32, clock: Arc<dyn Clock>) -> Arc<Self> {
        let restore_rate = restore_rate.max(1);
        let maximum = restore_rate.saturating_mul(SECONDS_FULL);
        let state = State {
            at: clock.now().mono,
            available: micro(maximum),
            maximum,
            restore_rate,
            nodes: 1,
            in_flight: BTreeMap::new(),
            calls: 0,
            lower: BTreeMap::new(),
            waiting: BTreeMap::new(),
            learned: BTreeMap::new(),
        };
        Arc::new(Self { clock, state: Mutex::new(state) })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.restore(self.clock.now().mono);
        state
    }

    /// The points for one call, or how long to wait before asking again.
    pub fn take(self: &Arc<Self>, claim: Claim, cost: u32) -> Result<Taken, Duration> {
        let mut state = self.state();
        let cost = cost.min((state.maximum / state.nodes).max(1));
        let wait = state.wait(claim, cost);
        if !wait.is_zero() {
            // Who waits for his own share holds back nobody.
            let bare = state.until(micro(cost) - state.available, 100);
            if !bare.is_zero() {
                let due = state.at.plus(bare);
                state.waiting.insert(claim.rank, due);
            }
            return Err(wait);
        }
        state.waiting.remove(&claim.rank);
        state.spend(claim, cost);
        let call = state.calls;
        state.calls += 1;
        state.in_flight.insert(call, cost);
        Ok(Taken { bucket: self.clone(), call, rank: claim.rank, cost })
    }

    /// So many nodes share the bucket from now on.
    pub fn among(&self, nodes: u32) {
        let mut state = self.state();
        let (before, nodes) = (state.nodes, nodes.max(1));
        if nodes > before {
            // The others have their parts of what is there.
            state.available = state.available.min(state.available * i128::from(before) / i128::from(nodes));
        }
        state.nodes = nodes;
    }

    /// What a document costs, as far as is known by now.
    pub fn cost_of(&self, name: &str, counted: u32) -> u32 {
        self.state().learned.get(name).copied().unwrap_or(counted).max(1)
    }

    /// What it holds, for the eye.
    pub fn status(&self) -> ThrottleStatus {
        let state = self.state();
        ThrottleStatus {
            maximum: state.maximum,
            available: u32::try_from(state.available.max(0) / MICRO).unwrap_or(u32::MAX),
            restore_rate: state.restore_rate,
        }
    }
}

impl Taken {
    /// Shopify answered: what it took for this document, and what it says is left.
    pub fn answered(self, name: &'static str, requested: Option<u32>, status: Option<ThrottleStatus>) {
        let mut state = self.bucket.state();
        state.in_flight.remove(&self.call);
        if let Some(requested) = requested {
            state.learned.insert(name, requested);
        }
        if let Some(status) = status {
            state.correct(status);
        }
    }

    /// Nothing left us: the points come back.
    pub fn unsent(self) {
        let mut state = self.bucket.state();
        state.available = (state.available + micro(self.cost)).min(state.capacity());
        if let Some(meter) = state.lower.get_mut(&self.rank) {
            meter.spent = (meter.spent - micro(self.cost)).max(0);
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.bucket.state().in_flight.remove(&self.call);
    }
}

impl State {
    fn restore(&mut self, now: Mono) {
        let nanos = i128::try_from(now.since(self.at).as_nanos()).unwrap_or(i128::MAX / MICRO);
        self.at = self.at.max(now);
        let restored = nanos * i128::from(self.restore_rate) / 1000 / i128::from(self.nodes);
        self.available = (self.available + restored).min(self.capacity());
        for meter in self.lower.values_mut() {
            meter.spent = (meter.spent - restored * i128::from(meter.share_percent) / 100).max(0);
        }
        self.waiting.retain(|_, due| *due > now);
    }

    /// What this node's part holds at most.
    fn capacity(&self) -> i128 {
        micro(self.maximum) / i128::from(self.nodes)
    }

    /// Zero where the call may be made now.
    fn wait(&mut self, claim: Claim, cost: u32) -> Duration {
        let bare = self.until(micro(cost) - self.available, 100);
        if claim.rank == Rank::Live {
            return bare;
        }
        let share = claim.share_percent.clamp(1, 100);
        let (rate, nodes) = (self.restore_rate, i128::from(self.nodes));
        let capacity = self.capacity() * i128::from(share) / 100;
        let (now, held_until) = (self.at, self.held_until(claim.rank));
        let meter = self.lower.entry(claim.rank).or_default();
        meter.share_percent = share;
        // A call that is dearer than the share waits until all of it is back.
        let over = (meter.spent + micro(cost) - capacity).min(meter.spent);
        let of_share = until(over * nodes, rate, share);
        let held = match held_until {
            Some(until) => {
                let since = *meter.held_since.get_or_insert(now);
                if now.since(since) < HELD_MAX { until.since(now) } else { Duration::ZERO }
            }
            None => {
                meter.held_since = None;
                Duration::ZERO
            }
        };
        bare.max(of_share).max(held)
    }

    /// When the last of those who go before this priority comes back.
    fn held_until(&self, rank: Rank) -> Option<Mono> {
        self.waiting.range(..rank).map(|(_, due)| *due).max()
    }

    fn until(&self, missing: i128, percent: u8) -> Duration {
        until(missing * i128::from(self.nodes), self.restore_rate, percent)
    }

    fn spend(&mut self, claim: Claim, cost: u32) {
        self.available -= micro(cost);
        if let Some(meter) = self.lower.get_mut(&claim.rank) {
            meter.held_since = None;
            meter.spent += micro(cost);
        }
    }

    fn correct(&mut self, status: ThrottleStatus) {
        self.maximum = status.maximum.max(1);
        self.restore_rate = status.restore_rate.max(1);
        let under_way: u32 = self.in_flight.values().sum();
        self.available = micro(status.available) / i128::from(self.nodes) - micro(under_way);
    }
}

/// How long until so much is back, rounded up to milliseconds: a shorter wait is not worth its timer.
fn until(missing: i128, restore_rate: u32, percent: u8) -> Duration {
    if missing <= 0 {
        return Duration::ZERO;
    }
    let per_second = i128::from(restore_rate) * i128::from(percent);
    let millis = (missing + per_second * 10 - 1) / (per_second * 10);
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

fn micro(points: u32) -> i128 {
    i128::from(points) * MICRO
}

#[cfg(test)]
mod tests;
