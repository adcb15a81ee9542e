//! From an event to requests: finds who wants it, makes the payload of that instant, lets the mischief have its way,
//! and bounds how many requests are in flight. It never looks at the shop's state again.

use super::delivery::Delivery;
use super::mischief::Plan;
use super::payload::shaped;
use super::record::{SentWebhook, WebhookCounts};
use super::signature;
use super::subscription::Subscription;
use crate::shop::Order;
use crate::shop::chance::mix;
use crate::shopify::clock::{ShopClock, after};
use crate::shopify::config::{Mischief, ShopConfig};
use crate::shopify::contract::API_VERSION;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// An idle connection is let go before the other end closes it, which might be just as a request goes out on it; and within
/// the second for which a node that stops says so, as a balancer leaves it that asks for its readiness.
const IDLE_MAX: Duration = Duration::from_millis(800);

/// Something that happened, with the body of that instant.
#[derive(Debug)]
pub(crate) struct Event {
    topic: &'static str,
    order: Option<Arc<Order>>,
    body: Value,
    at: Timestamp,
}

impl Event {
    pub(crate) fn new(topic: &'static str, order: Option<Arc<Order>>, body: Value, at: Timestamp) -> Self {
        Self { topic, order, body, at }
    }
}

/// Takes events; sends from tasks of its own.
#[derive(Debug)]
pub(crate) struct Outbox {
    sender: Arc<Sender>,
    mischief: Mutex<Mischief>,
    approved: BTreeSet<String>,
    client_secret: String,
    /// Makes ids differ from those of an earlier start.
    salt: u64,
    events: AtomicU64,
    runtime: tokio::runtime::Handle,
    /// By subscription and order: held until the next one was sent.
    held: Arc<Mutex<BTreeMap<(u64, u64), Delivery>>>,
}

/// What a delivery needs on its way.
#[derive(Debug)]
pub(crate) struct Sender {
    client: reqwest::Client,
    in_flight: Semaphore,
    clock: ShopClock,
    shop_domain: String,
    log: Mutex<Vec<SentWebhook>>,
    counts: watch::Sender<WebhookCounts>,
}

impl Outbox {
    /// Inside a runtime.
    pub(crate) fn new(config: &ShopConfig) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(config.connect_timeout)
            .timeout(config.answer_timeout)
            .pool_idle_timeout(IDLE_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let sender = Sender {
            client,
            in_flight: Semaphore::new(config.webhooks_at_once.max(1)),
            clock: config.clock.clone(),
            shop_domain: config.profile.domain.clone(),
            log: Mutex::default(),
            counts: watch::Sender::new(WebhookCounts::default()),
        };
        let started = config.clock.now().as_microsecond().cast_unsigned();
        Ok(Self {
            sender: Arc::new(sender),
            mischief: Mutex::new(config.mischief.clone()),
            approved: config.approved.clone(),
            client_secret: config.client_secret.clone(),
            salt: mix(config.mischief.seed) ^ mix(started),
            events: AtomicU64::new(0),
            runtime: tokio::runtime::Handle::current(),
            held: Arc::default(),
        })
    }

    pub(crate) fn sender(&self) -> &Arc<Sender> {
        &self.sender
    }

    /// What goes wrong from the next event on.
    pub(crate) fn turn(&self, how: impl FnOnce(&mut Mischief)) {
        how(&mut held(&self.mischief));
    }

    /// One webhook for each subscription that wants the event.
    pub(crate) fn raise<'a>(&self, subscriptions: impl Iterator<Item = &'a Subscription>, event: Event) {
        let number = self.events.fetch_add(1, Ordering::Relaxed);
        for subscription in subscriptions.filter(|one| one.wants(event.topic, &event.body)) {
            let plan = held(&self.mischief).plan(number, subscription.id);
            let delivery = self.delivery(subscription, &event, number);
            self.sender.count(|counts| counts.due += 1);
            self.send(delivery, plan, number);
        }
    }

    fn delivery(&self, subscription: &Subscription, event: &Event, number: u64) -> Delivery {
        let body = shaped(&subscription.wanted, &self.approved, event.order.as_deref(), &event.body);
        Delivery {
            webhook_id: self.id(number, subscription.id),
            event_id: self.id(number, 0),
            topic: event.topic,
            order_id: event.order.as_ref().map(|order| order.id),
            triggered_at: event.at,
            signature: signature(&self.client_secret, &body),
            body: body.into(),
            subscription: subscription.clone(),
        }
    }

    fn id(&self, number: u64, of: u64) -> String {
        let high = mix(self.salt ^ mix(number.wrapping_mul(2) + 1));
        let low = mix(high ^ mix(of));
        uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    fn send(&self, delivery: Delivery, plan: Plan, number: u64) {
        if plan.never_sent {
            self.sender.count(|counts| counts.never_sent += 1);
            return;
        }
        let key = (delivery.subscription.id, delivery.order_id.unwrap_or_default());
        let overtaken = held(&self.held).remove(&key);
        if plan.swap && overtaken.is_none() && delivery.order_id.is_some() {
            self.hold(key, delivery);
            return;
        }
        if let Some(after_ms) = plan.stale_after {
            let again = Delivery { webhook_id: self.id(number, u64::MAX), ..delivery.clone() };
            self.later(again, after_ms, |counts| counts.stale += 1);
        }
        if let Some(wait) = plan.duplicate_after {
            self.later(delivery.clone(), plan.delay + wait, |counts| counts.duplicates += 1);
        }
        for _ in 1..plan.copies {
            self.later(delivery.clone(), plan.delay, |counts| counts.copies += 1);
        }
        if !plan.delay.is_zero() {
            self.sender.count(|counts| counts.delayed += 1);
        }
        let sender = self.sender.clone();
        let due = after(sender.clock.now(), plan.delay);
        self.spawn(async move {
            sender.clock.wait_until(due).await;
            match overtaken {
                None => delivery.deliver(&sender).await,
                Some(overtaken) => {
                    let first = delivery.attempt(&sender, 1).await;
                    tokio::join!(delivery.follow(&sender, first), overtaken.deliver(&sender));
                }
            }
        });
    }

    /// Keeps it back for the next change of the same order, or for `delay_max` at the longest.
    fn hold(&self, key: (u64, u64), delivery: Delivery) {
        let longest = held(&self.mischief).delay_max.max(Duration::from_secs(1));
        let due = after(self.sender.clock.now(), longest);
        let webhook_id = delivery.webhook_id.clone();
        held(&self.held).insert(key, delivery);
        self.sender.count(|counts| counts.swapped += 1);
        let (sender, waiting) = (self.sender.clone(), self.held.clone());
        self.spawn(async move {
            sender.clock.wait_until(due).await;
            let still = {
                let mut waiting = held(&waiting);
                let same = waiting.get(&key).is_some_and(|one| one.webhook_id == webhook_id);
                if same { waiting.remove(&key) } else { None }
            };
            if let Some(delivery) = still {
                delivery.deliver(&sender).await;
            }
        });
    }

    /// An extra request: one attempt, no retries.
    fn later(&self, delivery: Delivery, wait: Duration, count: impl Fn(&mut WebhookCounts)) {
        self.sender.count(count);
        let sender = self.sender.clone();
        let due = after(sender.clock.now(), wait);
        self.spawn(async move {
            sender.clock.wait_until(due).await;
            delivery.attempt(&sender, 1).await;
        });
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let sender = self.sender.clone();
        sender.count(|counts| counts.open += 1);
        self.runtime.spawn(async move {
            work.await;
            sender.count(|counts| counts.open -= 1);
        });
    }
}

fn held<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sender {
    pub(super) fn clock(&self) -> &ShopClock {
        &self.clock
    }

    pub(super) fn count(&self, change: impl Fn(&mut WebhookCounts)) {
        self.counts.send_modify(change);
    }

    pub(crate) fn counts(&self) -> watch::Receiver<WebhookCounts> {
        self.counts.subscribe()
    }

    pub(crate) fn log(&self) -> Vec<SentWebhook> {
        held(&self.log).clone()
    }

    pub(super) fn record(&self, sent: SentWebhook, subscription_deleted: bool) {
        let taken = sent.succeeded();
        held(&self.log).push(sent);
        self.count(|counts| {
            counts.attempts += 1;
            counts.succeeded += u64::from(taken);
            counts.failed += u64::from(!taken);
            counts.subscriptions_deleted += u64::from(subscription_deleted);
        });
    }

    /// The status, or none where no answer came in time.
    pub(super) async fn post(&self, delivery: &Delivery) -> Option<u16> {
        let _permit = self.in_flight.acquire().await.ok()?;
        let mut request = self.client.post(&delivery.subscription.wanted.uri).body(delivery.body.clone());
        for (name, value) in delivery.headers(&self.shop_domain, API_VERSION) {
            request = request.header(name, value);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        // The answer counts once it is whole.
        answer.bytes().await.ok()?;
        Some(status)
    }
}
