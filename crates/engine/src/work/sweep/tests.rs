//! A shop whose list shows whether something was given back of an order, and not how often.

use super::*;
use crate::facts::{Admission, Confirm, Facts, History};
use bytes::Bytes;
use connector::port::{CallContext, Changes, ListPage, ListQuery, Source};
use kernel::clock::{Clock, Mono};
use kernel::envelope::FactKind;
use kernel::fault::Fault;
use kernel::flow::OrderPolicy;
use kernel::id::{DomainName, SystemName};
use kernel::subject::Subject;
use serde_json::Value;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use store::Store;
use store::log::{About, Routed};
use store::memory::MemoryStore;

/// One order: `address refund refund …`, changed at this second.
#[derive(Debug)]
struct Shop {
    order: Mutex<(&'static str, i64)>,
    reads: AtomicUsize,
    now: AtomicI64,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn order() -> Subject {
    Subject::new(ShopId::new("acme").unwrap(), "order", "1")
}

fn refunds(text: &str) -> Vec<&str> {
    text.split(' ').skip(1).collect()
}

#[async_trait::async_trait]
impl Source for Shop {
    async fn read(&self, _: &CallContext, _: &Subject) -> Result<Option<Read>, Fault> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let (text, second) = *self.order.lock().unwrap();
        let payload = text.as_bytes().to_vec();
        Ok(Some(Read { payload, topic: "orders/read".to_owned(), updated_at: at(second), sequence: None }))
    }
    async fn list(&self, _: &CallContext, _: &str, query: &ListQuery) -> Result<ListPage, Fault> {
        let (text, second) = *self.order.lock().unwrap();
        let item = Listed {
            subject: order(),
            label: "#1".to_owned(),
            created_at: at(0),
            updated_at: at(second),
            fingerprint: format!("{} {}", text.split(' ').next().unwrap(), refunds(text).is_empty()),
            charged: None,
        };
        Ok(ListPage { items: Vec::from_iter((at(second) >= query.from).then_some(item)), next: None })
    }
    async fn changes(&self, _: &CallContext, _: &str, _: Option<&str>) -> Result<Changes, Fault> {
        unreachable!("nobody asks what changed")
    }
}

impl Clock for Shop {
    fn now(&self) -> Now {
        let second = self.now.load(Ordering::SeqCst);
        Now { mono: Mono(u64::try_from(second).unwrap() * 1_000_000_000), wall: at(second) }
    }
}

#[derive(Debug)]
struct Orders;

impl Facts for Orders {
    fn kind_of(&self, _: &str) -> Option<FactKind> {
        Some(FactKind::State)
    }
    fn read(&self, _: &str, payload: &[u8]) -> Result<State, Fault> {
        let text = std::str::from_utf8(payload).unwrap();
        let address = text.split(' ').next().unwrap();
        let mut digest = [0; 32];
        digest[..address.len()].copy_from_slice(address.as_bytes());
        Ok(State {
            body: Arc::new(Value::from(text)),
            label: "#1".to_owned(),
            customer: None,
            created_at: at(0),
            updated_at: at(0),
            digest,
            changed_at: at(0),
            cancelled: false,
        })
    }
    fn listed_as(&self, body: &Value, fingerprint: &str) -> ListedAs {
        let text = body.as_str().unwrap();
        let (address, none) = fingerprint.split_once(' ').unwrap();
        match (refunds(text).is_empty().to_string() == none, text.starts_with(address), none) {
            (true, true, "true") => ListedAs::Same,
            (true, true, _) => ListedAs::CannotTell,
            _ => ListedAs::Differs,
        }
    }
    fn touches(&self, _: &str, payload: &[u8], _: &State) -> Vec<Touched> {
        let domain = || DomainName::new("refunds").unwrap();
        let one = |name: &&str| Touched {
            domain: domain(),
            path: format!("order:1/refund:{name}"),
            once: true,
            written: false,
        };
        refunds(std::str::from_utf8(payload).unwrap()).iter().map(one).collect()
    }
    fn admit(&self, _: &State, _: &OrderPolicy, _: History, _: Timestamp) -> Admission {
        unreachable!("nobody routes")
    }
    fn confirm(&self, _: &State, _: &OrderPolicy, _: Timestamp, _: Timestamp) -> Confirm {
        unreachable!("nobody routes")
    }
}

struct World {
    shop: Arc<Shop>,
    store: MemoryStore,
    scope: Scope,
}

impl World {
    fn new() -> Self {
        let shop = Arc::new(Shop {
            order: Mutex::new(("street", 0)),
            reads: AtomicUsize::new(0),
            now: AtomicI64::new(0),
        });
        let store = MemoryStore::new();
        let scope = Scope {
            store: Arc::new(store.clone()),
            source: shop.clone(),
            facts: Arc::new(Orders),
            clock: shop.clone(),
            shop: ShopId::new("acme").unwrap(),
            flow: FlowName::new("orders").unwrap(),
            domain: DomainName::new("orders").unwrap(),
            source_system: SystemName::new("shopify").unwrap(),
            budget_percent: 100,
            time_out: Duration::from_secs(1),
        };
        Self { shop, store, scope }
    }

    /// The order is this from that second on.
    fn changes(&self, text: &'static str, second: i64) {
        *self.shop.order.lock().unwrap() = (text, second);
    }

    /// A webhook tells of it, and it is routed.
    async fn is_told(&self, text: &'static str, second: i64) {
        let read = Read {
            payload: text.as_bytes().to_vec(),
            topic: "orders/updated".to_owned(),
            updated_at: at(second),
            sequence: None,
        };
        let item = Listed {
            subject: order(),
            label: "#1".to_owned(),
            created_at: at(0),
            updated_at: at(second),
            fingerprint: String::new(),
            charged: None,
        };
        self.store.append(vec![self.scope.envelope(&item, read, Via::Webhook)]).await.unwrap();
        self.is_routed(second).await;
    }

    async fn is_routed(&self, second: i64) {
        for waiting in self.store.unrouted(9).await.unwrap() {
            let about = About {
                subject: order(),
                label: "#1".to_owned(),
                customer: None,
                created_at: at(0),
                updated_at: at(second),
            };
            let routed = Routed { about: Some(about), ..Routed::nothing(waiting.envelope.position) };
            self.store.route(vec![routed], at(second)).await.unwrap();
        }
    }

    /// At this second; what it found missed, and how much it read.
    async fn sweeps(&self, now: i64) -> (u64, usize) {
        self.shop.now.store(now, Ordering::SeqCst);
        let before = self.shop.reads.load(Ordering::SeqCst);
        let settings = Settings {
            overlap: Duration::from_secs(600),
            grace: Duration::from_secs(30),
            from: Timestamp::UNIX_EPOCH,
        };
        let found = pass(&self.scope, settings, &|| {}).await.unwrap();
        (found.missed, self.shop.reads.load(Ordering::SeqCst) - before)
    }
}

#[tokio::test]
async fn a_second_refund_within_the_second_is_found_though_the_list_shows_no_more_than_one() {
    let world = World::new();
    world.is_told("street one", 1000).await;
    world.changes("street one two", 1000);
    assert_eq!(world.sweeps(1100).await, (1, 1));
    let appended = world.store.unrouted(9).await.unwrap();
    assert_eq!(appended[0].payload, Some(Bytes::from_static(b"street one two")));
    world.is_routed(1000).await;
    assert_eq!(world.sweeps(1110).await, (0, 0), "it is older than what the pass before left in doubt");
}

#[tokio::test]
async fn what_was_read_to_be_sure_is_no_miss_and_is_read_until_it_is_settled() {
    let world = World::new();
    world.is_told("street one", 1000).await;
    world.changes("street one", 1000);
    // The clocks may be apart: what is younger than that is looked at once more by the pass after.
    assert_eq!(world.sweeps(1040).await, (0, 1));
    assert_eq!(world.sweeps(1080).await, (0, 1));
    assert_eq!(world.sweeps(1200).await, (0, 1));
    assert_eq!(world.sweeps(1300).await, (0, 0));
    assert!(world.store.unrouted(9).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_the_list_shows_is_not_read_to_be_sure() {
    let world = World::new();
    world.is_told("street", 1000).await;
    world.changes("street", 1000);
    assert_eq!(world.sweeps(1100).await, (0, 0));
    world.changes("avenue", 1000);
    assert_eq!(world.sweeps(1140).await, (1, 1));
}
