//! A store with many orders in it, each as one that was delivered leaves it, for measurements of what goes over all rows:
//! one order lives its life over the port, and its rows are multiplied in SQL. (The copies do not open: they are sealed
//! as the first one. Whoever moves rows opens none.)
//!
//! `cargo run -p tidegate-store-sqlite --example many_orders DATABASE MASTER_KEY_FILE ORDERS`

use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::rng::{Rng, Seeded};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::delivery::{
    DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome, StoredRef, Wait,
};
use store::log::{About, DedupeKey, NewEnvelope, Routed};
use store::port::ClaimRequest;
use store::seal::{MasterKey, Random};
use store::{Store, StoreError};
use tidegate_store_sqlite::{Options, SqliteStore};

#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Now {
        Now { wall: at(0), mono: Mono(0) }
    }
}

#[derive(Debug)]
struct System;

impl Random for System {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        getrandom::fill(bytes).map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn one_life(store: &SqliteStore) -> Result<(), StoreError> {
    let subject = Subject::new(ShopId::new("acme").expect("a name"), "order", "5000000001");
    let (flow, erp) =
        (FlowName::new("orders_to_erp").expect("a name"), SystemName::new("erp").expect("a name"));
    // Five kilobytes that are compressed to a little more than half, as an order is.
    let mut rng = Seeded::new(1);
    let body: String = (0..150).map(|_| format!(r#"{{"sku":"{:016x}"}},"#, rng.next_u64())).collect();
    store
        .append(vec![NewEnvelope {
            shop: subject.shop.clone(),
            domain: DomainName::new("orders").expect("a name"),
            source: SystemName::new("shopify").expect("a name"),
            topic: "orders/create".into(),
            kind: FactKind::State,
            via: Via::Webhook,
            subject: subject.clone(),
            version: None,
            occurred_at: at(1),
            received_at: at(1),
            trace: TraceId([7; 16]),
            raw_hash: [9; 32],
            raw_bytes: 5000,
            dedupe: Some(DedupeKey([1; 16])),
            payload: body.into(),
        }])
        .await?;
    let version = EffectiveVersion::Sequence { sequence: 1 };
    let duty = NewDelivery {
        flow: flow.clone(),
        lane: Lane::of(&subject, &erp),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state: DeliveryState::Waiting { due_at: Some(at(1)), wait: Wait::Turn },
        version: Some(version.clone()),
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: at(1),
    };
    let about = About {
        subject: subject.clone(),
        label: "#1001".into(),
        customer: Some("7001".into()),
        created_at: at(1),
        updated_at: at(1),
    };
    let position = store.unrouted(1).await?.remove(0).envelope.position;
    let routed = Routed {
        version: Some(version.clone()),
        about: Some(about),
        deliveries: vec![duty],
        ..Routed::nothing(position)
    };
    store.route(vec![routed], at(2)).await?;
    let request = ClaimRequest {
        system: erp.clone(),
        now: at(3),
        lease: Duration::from_secs(60),
        limit: 1,
        except_flows: vec![],
        except_lanes: vec![],
    };
    let claim = store.claim(request, "hub").await?.remove(0);
    let object_key = ObjectKey::of(&subject);
    let change = ChangeKey::of(&object_key, &erp, &flow, &version, "r1", "create");
    let begin = Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at: at(4),
        ended: None,
        begun: Some(NewAttempt {
            step: "create".into(),
            call_key: CallKey::of(&change, claim.delivery.id, 1),
            change_key: change,
            frozen: claim.payload.clone().unwrap_or_default().slice(..1500),
            started_at: at(4),
            revision: "r1".into(),
        }),
        state: None,
        spent: 0,
        failures: 0,
        dead: None,
        external: None,
        delivered: None,
        follow_ups: vec![],
        schedule: vec![],
        keep: true,
    };
    let [Moved::Done { begun: Some(attempt) }] = store.advance(vec![begin.clone()]).await?[..] else {
        return Err(StoreError::Bug("the move was lost".into()));
    };
    let end = Move {
        begun: None,
        ended: Some(EndedAttempt { id: attempt, ended_at: at(5), fault: None, by_look_up: None }),
        state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
        external: Some(StoredRef {
            object_key,
            id: "1".into(),
            number: Some("SO1".into()),
            state: Some("draft".into()),
            created_at: at(5),
            adopted: false,
        }),
        delivered: Some((Some(version), [4; 32])),
        keep: false,
        ..begin
    };
    store.advance(vec![end]).await?;
    Ok(())
}

/// The rows of order 1 once more for each of the others. Columns that are not its own are the first one's.
fn multiply(connection: &Connection, orders: i64) -> rusqlite::Result<()> {
    const DAY: i64 = 86_400_000_000_000;
    let series = "WITH RECURSIVE s (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM s WHERE n < :orders)";
    let of = |table: &str, changed: &[(&str, &str)]| -> rusqlite::Result<()> {
        let mut names = connection.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
        let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let values: Vec<String> = names
            .iter()
            .map(|name| {
                let own = changed.iter().find(|(column, _)| column == name);
                own.map_or_else(|| format!("t.{name}"), |(_, value)| (*value).to_owned())
            })
            .collect();
        let sql = format!(
            "{series} INSERT INTO {table} SELECT {} FROM s, (SELECT * FROM {table} LIMIT 1) t",
            values.join(", ")
        );
        connection.execute(&sql, rusqlite::named_params! { ":orders": orders })?;
        Ok(())
    };
    let later = |column: &str| format!("t.{column} - (:orders - s.n) * {} / :orders", 30 * DAY);
    let (received, occurred, started) = (later("received_at"), later("occurred_at"), later("started_at"));
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN")?;
    of(
        "roots",
        &[
            ("id", "s.n"),
            ("number", "5000000000 + s.n"),
            ("data_key", "s.n"),
            ("label", "'#' || (1000 + s.n)"),
            ("label_number", "1000 + s.n"),
            ("customer", "'' || (7000 + s.n % 1000)"),
            ("customer_number", "7000 + s.n % 1000"),
        ],
    )?;
    of("data_keys", &[("id", "s.n"), ("root", "s.n"), ("wrapped", "randomblob(length(t.wrapped))")])?;
    let envelope = [
        ("position", "s.n"),
        ("root", "s.n"),
        ("trace", "randomblob(16)"),
        ("raw_hash", "randomblob(32)"),
        ("received_at", &received),
        ("occurred_at", &occurred),
    ];
    of("envelopes", &envelope)?;
    of("payloads", &[("position", "s.n"), ("data_key", "s.n"), ("body", "randomblob(length(t.body))")])?;
    of("deliveries", &[("id", "s.n"), ("root", "s.n"), ("position", "s.n")])?;
    of(
        "attempts",
        &[
            ("id", "s.n"),
            ("root", "s.n"),
            ("delivery", "s.n"),
            ("call_key", "hex(randomblob(length(t.call_key) / 2))"),
            ("started_at", &started),
        ],
    )?;
    of("standings", &[("root", "s.n"), ("newest", "s.n"), ("routed_position", "s.n")])?;
    of(
        "external_refs",
        &[
            ("root", "s.n"),
            ("object_key", "'acme-order-' || (5000000000 + s.n)"),
            ("id", "'' || s.n"),
            ("number", "'SO' || s.n"),
        ],
    )?;
    let ids =
        connection.query_row("SELECT slot FROM webhook_days LIMIT 1", [], |row| row.get::<_, i64>(0))?;
    let sql = format!(
        "{series} INSERT INTO webhook_ids_{ids} SELECT randomblob(16), randomblob(8) FROM s WHERE n % 4 = 0"
    );
    connection.execute(&sql, rusqlite::named_params! { ":orders": orders })?;
    of("lags", &[("id", "s.n")])?;
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut argument = || arguments.next().expect("DATABASE MASTER_KEY_FILE ORDERS");
    let (path, key) = (PathBuf::from(argument()), argument());
    let orders = argument().parse().expect("a number of orders");
    let key = std::fs::read_to_string(key).expect("the key's file");
    let store = SqliteStore::open(Options {
        path: path.clone(),
        master_key: MasterKey::from_text(key.trim()).expect("a master key"),
        random: Arc::new(System),
        clock: Arc::new(Standing),
    })
    .expect("a store");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(one_life(&store)).expect("a life");
    drop(store);
    let connection = Connection::open(&path).expect("the database");
    multiply(&connection, orders).expect("many orders");
    println!("{}: {orders} orders", path.display());
}
