//! A seeded stream of what happens in a shop: orders of businesses and consumers with every trap that real ones hold,
//! and later events on them. The same configuration gives the same stream.
//!
//! Each event that it emits is one that the shop accepts: it was tried on a copy first. It knows nothing of the hub or
//! of webhooks; who plays it decides what is sent, when and how often.

mod buyers;
mod goods;
mod later;
mod mix;
mod paying;
mod placing;
mod pricing;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

pub use mix::Mix;

use super::chance::Chance;
use super::change::{Change, What};
use super::order::ShopProfile;

#[derive(Clone, Debug)]
pub struct WorkloadConfig {
    pub seed: u64,
    /// How many orders are placed.
    pub orders: u64,
    /// The first order's name is `#` and this plus 1000.
    pub first_number: u64,
    pub start: Timestamp,
    /// Mean time between two orders; the single ones are spread evenly up to twice that.
    pub interval_ms: u64,
    pub shop: Arc<ShopProfile>,
    pub mix: Mix,
}

/// Iterates over `(at, change)`, never going back in time.
#[derive(Debug)]
pub struct Workload {
    config: WorkloadConfig,
    chance: Chance,
    placed: u64,
    next_order_at: Timestamp,
    later: BinaryHeap<Reverse<Due>>,
    counted: u64,
}

/// A later event, ordered by time, then by when it was thought of.
#[derive(Debug)]
struct Due {
    at: Timestamp,
    count: u64,
    change: Change,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.count) == (other.at, other.count)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.count).cmp(&(other.at, other.count))
    }
}

impl Workload {
    pub fn new(config: WorkloadConfig) -> Self {
        let chance = Chance::new(config.seed);
        let next_order_at = config.start;
        Self { config, chance, placed: 0, next_order_at, later: BinaryHeap::new(), counted: 0 }
    }

    fn place(&mut self) -> (Timestamp, Change) {
        let at = self.next_order_at;
        let number = self.config.first_number + self.placed;
        let order = placing::order(&self.config, &mut self.chance, number, at);
        for (at, what) in later::plan(&order, at, &self.config.mix, &mut self.chance) {
            self.counted += 1;
            let change = Change { order_id: order.id, what };
            self.later.push(Reverse(Due { at, count: self.counted, change }));
        }
        self.placed += 1;
        self.next_order_at = after(at, self.chance.between(0, self.config.interval_ms.saturating_mul(2)));
        (at, Change { order_id: order.id, what: What::Place(Box::new(order)) })
    }
}

impl Iterator for Workload {
    type Item = (Timestamp, Change);

    fn next(&mut self) -> Option<Self::Item> {
        let orders_left = self.placed < self.config.orders;
        let later_first = self.later.peek().is_some_and(|due| !orders_left || due.0.at <= self.next_order_at);
        if later_first {
            return self.later.pop().map(|due| (due.0.at, due.0.change));
        }
        orders_left.then(|| self.place())
    }
}

/// That many milliseconds later; the end of time stays the end of time.
fn after(at: Timestamp, delay_ms: u64) -> Timestamp {
    let delay = SignedDuration::from_millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
    at.checked_add(delay).unwrap_or(Timestamp::MAX)
}
