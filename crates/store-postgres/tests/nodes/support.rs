//! What the tests of this store share: a database of their own on the server that `cargo xtask services` started, a
//! clock that stands, the operating system's randomness, and the small world of facts and duties.

use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{DomainName, FlowName, Position, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use std::sync::Arc;
use std::time::Duration;
use store::delivery::{Claim, DeliveryKind, DeliveryState, Move, NewAttempt, NewDelivery, Outcome, Wait};
use store::log::{Appended, DedupeKey, NewEnvelope, Routed};
use store::port::ClaimRequest;
use store::seal::{MasterKey, Random};
use store::{Store, StoreError};
use tidegate_store_postgres::{Options, PostgresStore};
use tokio_postgres::{Client, NoTls};

#[derive(Debug)]
pub(crate) struct Standing;

impl Clock for Standing {
    fn now(&self) -> Now {
        Now { wall: at(0), mono: Mono(0) }
    }
}

#[derive(Debug)]
pub(crate) struct System;

impl Random for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        getrandom::fill(bytes).map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

/// A second of a day in 2026.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

/// The server's address, with the database that was made with it.
fn server() -> String {
    std::env::var("POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "POSTGRES_URL is not set: run `cargo xtask test`, or `cargo xtask services ensure postgres` and take its \
             lines into the environment"
        )
    })
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// A database that no other test has.
pub(crate) struct Database {
    name: String,
    url: String,
    admin: Client,
}

impl Database {
    pub(crate) async fn new() -> Self {
        let server = server();
        let mut unique = [0; 6];
        getrandom::fill(&mut unique).unwrap();
        let name = format!("tidegate_test_{}", kernel::key::hex(&unique));
        let admin = connect(&server).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (base, _) = server.rsplit_once('/').expect("POSTGRES_URL names a database");
        Self { url: format!("{base}/{name}"), name, admin }
    }

    /// A store's place within it.
    pub(crate) async fn schema(&self, name: &str) -> Schema {
        let admin = connect(&self.url).await;
        admin.batch_execute(&format!("CREATE SCHEMA {name}; SET search_path = {name}")).await.unwrap();
        Schema { url: format!("{}?options=-csearch_path%3D{name}", self.url), admin }
    }

    pub(crate) async fn drop(self) {
        self.admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
    }
}

/// Where one store, of one or several nodes, has its tables.
pub(crate) struct Schema {
    pub url: String,
    /// Whoever looks at the tables behind the store's back.
    pub admin: Client,
}

impl Schema {
    pub(crate) fn options(&self, key: u8) -> Options {
        let url = self.url.clone();
        let master_key = MasterKey::from_bytes([key; 32]);
        let mut options = Options::new(url, master_key, Arc::new(System), Arc::new(Standing));
        options.foreign_after = Duration::ZERO;
        options
    }

    /// One more node.
    pub(crate) async fn open(&self) -> PostgresStore {
        PostgresStore::open(self.options(1)).await.unwrap()
    }

    /// One whole number.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }
}

// --- the small world --------------------------------------------------------------------------

pub(crate) fn shop() -> ShopId {
    ShopId::new("acme").unwrap()
}
pub(crate) fn erp() -> SystemName {
    SystemName::new("erp").unwrap()
}
pub(crate) fn order(key: &str) -> Subject {
    Subject::new(shop(), "order", key)
}

pub(crate) fn fact(subject: &Subject, topic: &str) -> NewEnvelope {
    NewEnvelope {
        shop: subject.shop.clone(),
        domain: DomainName::new("orders").unwrap(),
        source: SystemName::new("shopify").unwrap(),
        topic: topic.into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: subject.clone(),
        version: None,
        occurred_at: at(1),
        received_at: at(1),
        trace: TraceId([7; 16]),
        raw_hash: [9; 32],
        raw_bytes: 5000,
        dedupe: None,
        payload: Bytes::from(format!("{{\"order\":\"{}\"}}", subject.path)),
    }
}

pub(crate) fn copy_of(subject: &Subject, id: u32) -> NewEnvelope {
    let mut key = [0; 16];
    key[12..].copy_from_slice(&id.to_be_bytes());
    NewEnvelope { dedupe: Some(DedupeKey(key)), ..fact(subject, "orders/updated") }
}

pub(crate) fn duty(subject: &Subject) -> NewDelivery {
    NewDelivery {
        flow: FlowName::new("orders_to_erp").unwrap(),
        lane: Lane::of(subject, &erp()),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state: DeliveryState::Waiting { due_at: Some(at(1)), wait: Wait::Turn },
        version: Some(EffectiveVersion::Sequence { sequence: 1 }),
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: at(1),
    }
}

pub(crate) async fn append(store: &PostgresStore, new: NewEnvelope) -> Position {
    match store.append(vec![new]).await.unwrap()[..] {
        [Appended::Stored(position)] => position,
        ref other => panic!("not stored: {other:?}"),
    }
}

/// Appends a fact of each of these orders and routes it to a duty at the ERP.
pub(crate) async fn put(store: &PostgresStore, orders: &[Subject]) {
    let facts = orders.iter().map(|order| fact(order, "orders/updated")).collect();
    let answers = store.append(facts).await.unwrap();
    let decided = answers.iter().zip(orders).map(|(answer, order)| {
        let Appended::Stored(position) = answer else { panic!("not stored: {answer:?}") };
        Routed { deliveries: vec![duty(order)], ..Routed::nothing(*position) }
    });
    store.route(decided.collect(), at(1)).await.unwrap();
}

pub(crate) async fn claim(store: &PostgresStore, owner: &str, second: i64, limit: u32) -> Vec<Claim> {
    let request = ClaimRequest {
        system: erp(),
        now: at(second),
        lease: Duration::from_secs(60),
        limit,
        except_flows: Vec::new(),
        except_lanes: Vec::new(),
    };
    store.claim(request, owner).await.unwrap()
}

/// A move that ends the delivery as delivered and gives the lane back.
pub(crate) fn delivered(claim: &Claim, second: i64) -> Move {
    Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at: at(second),
        ended: None,
        begun: None,
        state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
        spent: 0,
        failures: 0,
        dead: None,
        external: None,
        delivered: None,
        follow_ups: Vec::new(),
        schedule: Vec::new(),
        keep: false,
    }
}

/// A move that begins an attempt and keeps the lane.
pub(crate) fn begun(claim: &Claim, second: i64) -> Move {
    let object = ObjectKey::of(&claim.delivery.subject);
    let version = EffectiveVersion::Sequence { sequence: 1 };
    let change_key =
        ChangeKey::of(&object, &claim.lane.system, &claim.delivery.flow, &version, "r1", "create");
    let begun = NewAttempt {
        step: "create".into(),
        call_key: CallKey::of(&change_key, claim.delivery.id, claim.delivery.calls + 1),
        change_key,
        frozen: Bytes::from_static(b"{}"),
        started_at: at(second),
        revision: "r1".into(),
    };
    Move { begun: Some(begun), state: None, keep: true, ..delivered(claim, second) }
}
