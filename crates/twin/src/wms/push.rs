//! Each change is pushed to who wants to know, signed over its bytes, again until it is taken or given up; and what goes
//! wrong with pushes on purpose. A push that comes late still says what was true when it was made.

use super::config::{Knobs, PushTarget};
use super::counts::PushCounts;
use super::form::Told;
use super::shelf::Slot;
use super::shipments::Told as ToldShipment;
use crate::shop::Chance;
use crate::shopify::ShopClock;
use crate::shopify::clock::after;
use crate::shopify::signature;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

/// Base64 of HMAC-SHA256 over the raw body.
const SIGNATURE: &str = "x-tidegate-hmac-sha256";

/// Before the second attempt; each later one waits twice as long, up to the longest.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Pusher {
    client: reqwest::Client,
    target: Mutex<Option<PushTarget>>,
    clock: ShopClock,
    at_once: Semaphore,
    seed: u64,
    number: AtomicU64,
    counts: watch::Sender<PushCounts>,
    /// Held until a later push of the same thing was sent.
    held: Mutex<BTreeMap<About, Push>>,
    runtime: Handle,
}

/// What a push is about: a later one of the same takes along one that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Pair(Slot),
    Shipment(usize),
}

/// The door of shipments, beside that of stock.
fn orders_url(inventory: &str) -> String {
    let system = inventory.rsplit_once('/').map_or(inventory, |(system, _)| system);
    format!("{system}/orders")
}

#[derive(Clone, Debug)]
struct Push {
    target: PushTarget,
    body: String,
    number: u64,
    attempts: u32,
}

/// What happens to one push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mischief {
    dropped: bool,
    duplicated: bool,
    reordered: bool,
    delay: Duration,
}

impl Mischief {
    fn of(knobs: &Knobs, seed: u64, number: u64) -> Self {
        let mut chance = Chance::new(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let [dropped, duplicated, reordered, delayed] =
            [knobs.drop_per_mille, knobs.duplicate_per_mille, knobs.reorder_per_mille, knobs.delay_per_mille]
                .map(|share| chance.per_mille(share));
        let delay = if delayed { chance.between(1, knobs.delay_max_ms.max(1)) } else { 0 };
        Self { dropped: dropped || knobs.mute, duplicated, reordered, delay: Duration::from_millis(delay) }
    }
}

fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pusher {
    /// Inside a runtime.
    pub(super) fn new(
        target: Option<PushTarget>,
        clock: ShopClock,
        seed: u64,
        at_once: usize,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(1))
            .timeout(Duration::from_secs(10))
            // Let go before the other end closes it, which might be just as a request goes out on it.
            .pool_idle_timeout(Duration::from_millis(800))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            target: Mutex::new(target),
            clock,
            at_once: Semaphore::new(at_once.max(1)),
            seed,
            number: AtomicU64::new(0),
            counts: watch::Sender::new(PushCounts::default()),
            held: Mutex::default(),
            runtime: Handle::current(),
        })
    }

    pub(super) fn aim(&self, target: Option<PushTarget>) {
        *locked(&self.target) = target;
    }

    pub(super) fn counts(&self) -> watch::Receiver<PushCounts> {
        self.counts.subscribe()
    }

    fn count(&self, how: impl Fn(&mut PushCounts)) {
        self.counts.send_modify(how);
    }

    pub(super) fn tell(self: &Arc<Self>, changes: Vec<Told>, knobs: &Knobs) {
        let Some(target) = locked(&self.target).clone() else { return };
        for told in changes {
            let body = told.pushed(&target.shop, knobs.tells_counted);
            self.tell_one(About::Pair(told.slot), body, &target, knobs);
        }
    }

    /// `levels`: what changed on the shelves with them; each shipment brings those that it is of.
    pub(super) fn tell_shipments(self: &Arc<Self>, changes: &[ToldShipment], levels: &[Told], knobs: &Knobs) {
        let Some(target) = locked(&self.target).clone().filter(|_| knobs.tells_shipments) else { return };
        let target = PushTarget { url: orders_url(&target.url), ..target };
        for told in changes {
            let levels: Vec<String> = levels
                .iter()
                .filter(|level| told.is_of(level.slot))
                .map(|level| level.item(knobs.tells_counted))
                .collect();
            let body = told.pushed(&target.shop, knobs.tracks, &levels);
            self.tell_one(About::Shipment(told.index), body, &target, knobs);
        }
    }

    fn tell_one(self: &Arc<Self>, about: About, body: String, target: &PushTarget, knobs: &Knobs) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let mischief = Mischief::of(knobs, self.seed, number);
        self.count(|counts| counts.due += 1);
        if mischief.dropped {
            self.count(|counts| counts.dropped += 1);
            return;
        }
        let push = Push { target: target.clone(), body, number, attempts: knobs.push_attempts.max(1) };
        let overtaken = locked(&self.held).remove(&about);
        if mischief.reordered && overtaken.is_none() {
            self.hold(about, push, Duration::from_millis(knobs.delay_max_ms.max(1)));
            return;
        }
        if mischief.duplicated {
            self.count(|counts| counts.duplicated += 1);
            let (copy, sender) = (push.clone(), self.clone());
            self.spawn(async move { sender.deliver(copy).await });
        }
        if !mischief.delay.is_zero() {
            self.count(|counts| counts.delayed += 1);
        }
        let (sender, due) = (self.clone(), after(self.clock.now(), mischief.delay));
        self.spawn(async move {
            if !mischief.delay.is_zero() {
                sender.clock.wait_until(due).await;
            }
            sender.deliver(push).await;
            if let Some(overtaken) = overtaken {
                sender.deliver(overtaken).await;
            }
        });
    }

    /// Until the next push of the same thing takes it along, or for so long.
    fn hold(self: &Arc<Self>, about: About, push: Push, longest: Duration) {
        let number = push.number;
        locked(&self.held).insert(about, push);
        self.count(|counts| counts.reordered += 1);
        let (sender, due) = (self.clone(), after(self.clock.now(), longest));
        self.spawn(async move {
            sender.clock.wait_until(due).await;
            let still = {
                let mut held = locked(&sender.held);
                let same = held.get(&about).is_some_and(|push| push.number == number);
                if same { held.remove(&about) } else { None }
            };
            if let Some(push) = still {
                sender.deliver(push).await;
            }
        });
    }

    async fn deliver(&self, push: Push) {
        let mut wait = FIRST_WAIT;
        for attempt in 1..=push.attempts {
            if self.attempt(&push).await {
                self.count(|counts| counts.taken += 1);
                return;
            }
            if attempt < push.attempts {
                self.clock.wait_until(after(self.clock.now(), wait)).await;
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        self.count(|counts| counts.given_up += 1);
    }

    /// Whether it was taken.
    async fn attempt(&self, push: &Push) -> bool {
        let Ok(_permit) = self.at_once.acquire().await else { return false };
        self.count(|counts| counts.attempts += 1);
        let request = self
            .client
            .post(&push.target.url)
            .header("content-type", "application/json")
            .header(SIGNATURE, signature(&push.target.secret, push.body.as_bytes()))
            .body(push.body.clone());
        match request.send().await {
            Ok(answer) => {
                let is_taken = answer.status().is_success();
                // The answer counts once it is whole.
                is_taken && answer.bytes().await.is_ok()
            }
            Err(_) => false,
        }
    }

    fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        self.count(|counts| counts.open += 1);
        let sender = self.clone();
        self.runtime.spawn(async move {
            work.await;
            sender.count(|counts| counts.open -= 1);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_mischief_in_its_shares() {
        let knobs = Knobs { drop_per_mille: 50, duplicate_per_mille: 100, ..Knobs::default() };
        let run = |seed| (0..10_000).map(|n| Mischief::of(&knobs, seed, n)).collect::<Vec<_>>();
        let plans = run(7);
        assert_eq!(plans, run(7));
        assert_ne!(plans, run(8));
        assert!((400..600).contains(&plans.iter().filter(|plan| plan.dropped).count()));
        assert!((900..1100).contains(&plans.iter().filter(|plan| plan.duplicated).count()));
        assert!(plans.iter().all(|plan| !plan.reordered && plan.delay.is_zero()));
        let mute = Knobs { mute: true, ..Knobs::default() };
        assert!((0..100).all(|number| Mischief::of(&mute, 7, number).dropped));
    }
}
