//! What the tests of this store share: a database for each, a clock that stands, the operating system's randomness.

use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, TraceId, Via};
use kernel::id::{DomainName, ShopId, SystemName};
use kernel::subject::Subject;
use std::sync::Arc;
use store::StoreError;
use store::log::NewEnvelope;
use store::seal::{MasterKey, Random};
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

/// A database of its own, empty at first.
#[derive(Debug)]
pub(crate) struct Database {
    pub url: String,
    name: String,
}

fn server() -> String {
    std::env::var("POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "POSTGRES_URL is not set: these tests need a real PostgreSQL. `cargo xtask test` starts one; by hand: \
             set -a; . <(cargo xtask services ensure postgres); set +a"
        )
    })
}

/// A connection beside the store, of a superuser.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

impl Database {
    /// One with this name is dropped first: what a test that failed has left.
    pub(crate) async fn new(name: &str) -> Self {
        let server = server();
        let name = format!("t_{}", name.replace("::", "_"));
        let client = connect(&server).await;
        client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await.unwrap();
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let (before, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{before}/{name}"), name }
    }

    /// What a store at this address is opened with.
    pub(crate) fn at(url: &str) -> Options {
        Options::new(url, MasterKey::from_bytes([1; 32]), Arc::new(System), Arc::new(Standing))
    }

    /// With `POSTGRES_POOLER=host:port` in the environment the store goes through a PgBouncer in transaction mode there,
    /// one that knows no prepared statements, and listens at the server itself. With `POSTGRES_CA_FILE` it speaks TLS.
    pub(crate) fn options(&self) -> Options {
        let mut options = Self::at(&self.url);
        if let Ok(pooler) = std::env::var("POSTGRES_POOLER") {
            let (who, _) = self.url.split_once('@').unwrap();
            options.listen_url = Some(self.url.clone().into());
            options.url = format!("{who}@{pooler}/{}", self.name).into();
            options.prepared_statements = false;
        }
        if let Ok(ca_file) = std::env::var("POSTGRES_CA_FILE") {
            options.url = format!("{}?sslmode=verify-full", self.url).into();
            options.ca_file = Some(ca_file.into());
        }
        options
    }

    pub(crate) async fn open(&self) -> PostgresStore {
        PostgresStore::open(self.options()).await.unwrap()
    }

    pub(crate) async fn drop(self) {
        let client = connect(&server()).await;
        client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await.unwrap();
    }
}

pub(crate) fn shop() -> ShopId {
    ShopId::new("acme").unwrap()
}
pub(crate) fn order(key: &str) -> Subject {
    Subject::new(shop(), "order", key)
}
pub(crate) fn fact(subject: &Subject) -> NewEnvelope {
    NewEnvelope {
        shop: subject.shop.clone(),
        domain: DomainName::new("orders").unwrap(),
        source: SystemName::new("shopify").unwrap(),
        topic: "orders/updated".into(),
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
        payload: Bytes::from_static(b"{}"),
    }
}
