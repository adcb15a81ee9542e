//! The simulated shop: orders that come and change, webhooks that are doubled, delayed, reordered and never sent, and
//! a read that gives the order as it is.

use crate::facts::Order;
use crate::planted::Bug;
use crate::world::{Todo, World};
use bytes::Bytes;
use engine::mutant::Mutant;
use jiff::Timestamp;
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::rng::Rng;
use kernel::subject::Subject;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::time::Duration;
use store::log::{DedupeKey, NewEnvelope};

#[derive(Debug, Clone, Default)]
pub struct Shop {
    pub orders: BTreeMap<u64, Order>,
    next_webhook: u64,
}

/// A webhook on its way, with the payload as it was.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub id: u64,
    pub topic: &'static str,
    pub order: Order,
    pub tries: u32,
}

pub fn shop_id() -> ShopId {
    name(ShopId::new("acme"))
}
pub fn domain() -> DomainName {
    name(DomainName::new("orders"))
}
pub fn system(text: &str) -> SystemName {
    name(SystemName::new(text))
}
fn name<T>(result: Result<T, kernel::id::NameError>) -> T {
    match result {
        Ok(name) => name,
        Err(error) => unreachable!("a name written here: {error}"),
    }
}
pub fn subject(id: u64) -> Subject {
    Subject::new(shop_id(), "order", &id.to_string())
}

impl World {
    /// An order is placed, or changed; its webhooks are sent as the mix says.
    pub fn shop_changes(&mut self, id: u64) {
        let at = self.shop_wall();
        if self.stock.is_some() {
            return self.buyer_acts(id);
        }
        let (quantity, other) = (1 + self.rng.below(99), self.rng.below(5));
        let order = match self.shop.orders.get(&id) {
            None => Order {
                id,
                content: 1,
                quantity,
                address: format!("first street {other}"),
                cancelled: false,
                created_at: at,
                updated_at: at,
                erp_number: None,
                refunds: Vec::new(),
            },
            Some(known) if known.cancelled => return,
            Some(known) => {
                let mut order = known.clone();
                order.updated_at = at;
                // What is mapped stays the same when an order is called off, as with real ones.
                if other == 0 && self.rng.chance(300) {
                    order.cancelled = true;
                } else {
                    order.content += 1;
                }
                match other {
                    _ if order.cancelled => {}
                    0..=2 => order.address = format!("street {}", order.content),
                    _ => order.quantity += 1,
                }
                order
            }
        };
        self.shop.orders.insert(id, order.clone());
        self.notify(order);
        // Another change within the same second.
        if self.fault(self.mix.same_second) {
            self.after(Duration::from_millis(1), Todo::ShopChanges(id));
        }
    }

    /// What our write-back does to the order: it comes home as a webhook.
    pub fn shop_number_set(&mut self, id: u64, number: &str) {
        let at = self.shop_wall();
        let Some(order) = self.shop.orders.get_mut(&id) else { return };
        order.erp_number = Some(number.to_owned());
        order.updated_at = at;
        let order = order.clone();
        self.notify(order);
    }

    pub(crate) fn notify(&mut self, order: Order) {
        self.shop.next_webhook += 1;
        let topic = match order.content {
            1 => "orders/create",
            n if n % 7 == 0 => "orders/edited",
            _ => "orders/updated",
        };
        let webhook = Webhook { id: self.shop.next_webhook, topic, order, tries: 0 };
        if self.fault(self.mix.never_sent) {
            return;
        }
        let mut delay = Duration::from_millis(20 + self.rng.below(300));
        if self.fault(self.mix.delayed) {
            // From a moment to more than four hours late, the payload as it was.
            let size = 8 + self.rng.below(17);
            delay = Duration::from_millis(self.rng.below(1 << size));
        }
        if self.fault(self.mix.duplicate) {
            // At the same instant, at whichever nodes.
            for _ in 0..self.rng.below(4) {
                self.after(delay, Todo::Webhook(Box::new(webhook.clone())));
            }
            let spread = self.rng.below(2000);
            self.after(delay + Duration::from_millis(spread), Todo::Webhook(Box::new(webhook.clone())));
        }
        self.after(delay, Todo::Webhook(Box::new(webhook)));
    }

    /// The intake of one of the nodes: answer after the commit, 503 and the sender's retry otherwise.
    pub fn webhook_arrives(&mut self, webhook: Webhook) {
        let node = usize::try_from(self.rng.below(self.nodes.len() as u64)).unwrap_or(0);
        if !self.takes_webhooks(node) {
            return self.send_again(webhook);
        }
        match self.bug {
            Some(Bug::RefusesRetry) if !self.remembered.insert((0, webhook.id)) => {
                // The bug: the id was noted before the commit, and the commit failed.
                self.acknowledged.insert(webhook.id);
                return;
            }
            Some(Bug::RemembersAlone) if !self.remembered.insert((node, webhook.id)) => {
                self.acknowledged.insert(webhook.id);
                return;
            }
            _ => {}
        }
        if self.fault(self.mix.store_fails) {
            if self.bug == Some(Bug::AnswersFailure) {
                self.acknowledged.insert(webhook.id);
                return;
            }
            return self.send_again(webhook);
        }
        if self.bug == Some(Bug::Engine(Mutant::AnswerBeforeCommit)) {
            self.acknowledged.insert(webhook.id);
            let at = self.at_node(node);
            return self.after(Duration::from_millis(200), Todo::LateAppend(at, Box::new(webhook)));
        }
        self.append(node, &webhook);
        if self.fault(self.mix.answer_lost) {
            // Committed, and the node cannot know: 503, and the copy is a duplicate.
            return self.send_again(webhook);
        }
        self.acknowledged.insert(webhook.id);
    }

    pub fn append(&mut self, node: usize, webhook: &Webhook) {
        let forget = matches!(self.bug, Some(Bug::Engine(Mutant::ForgetDedupe) | Bug::RemembersAlone));
        let mut key = [0; 16];
        key[..8].copy_from_slice(&webhook.id.to_be_bytes());
        let kind = if webhook.topic == "orders/edited" { FactKind::Hint } else { FactKind::State };
        let mut envelope = self.envelope(node, &webhook.order, webhook.topic, kind, Via::Webhook);
        envelope.dedupe = (!forget).then_some(DedupeKey(key));
        if self.append_envelope(node, envelope) {
            *self.stored.entry(webhook.id).or_default() += 1;
        }
    }

    fn send_again(&mut self, mut webhook: Webhook) {
        webhook.tries += 1;
        if webhook.tries <= 8 {
            self.after(Duration::from_secs(10 << webhook.tries), Todo::Webhook(Box::new(webhook)));
        }
    }

    pub fn envelope(&self, node: usize, order: &Order, topic: &str, kind: FactKind, via: Via) -> NewEnvelope {
        let payload = Bytes::from(serde_json::to_vec(order).unwrap_or_default());
        NewEnvelope {
            shop: shop_id(),
            domain: domain(),
            source: system("shopify"),
            topic: topic.to_owned(),
            kind,
            via,
            subject: subject(order.id),
            version: None,
            occurred_at: order.updated_at,
            received_at: self.clock(node).wall,
            trace: TraceId([1; 16]),
            raw_hash: Sha256::digest(&payload).into(),
            raw_bytes: u32::try_from(payload.len()).unwrap_or(0),
            dedupe: None,
            payload,
        }
    }

    /// The order as the shop has it now, as the sweep lists it.
    pub fn changed_since(&self, since: Timestamp) -> Vec<Order> {
        self.shop.orders.values().filter(|order| order.updated_at >= since).cloned().collect()
    }
}
