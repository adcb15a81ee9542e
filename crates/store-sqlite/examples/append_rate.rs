//! Durable appends a second beside a floor of the same run, and the processor time that the store takes for a whole
//! order life. Prints numbers; judges nothing.
//!
//! The floor is SQLite used plainly: a text index for the webhook id, default checkpoints, the same bodies, one
//! transaction for each group of 64, `synchronous=FULL`; it neither compresses nor seals.
//!
//! `cargo run --release -p tidegate-store-sqlite --example append_rate [seconds] [folder]`

use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::rng::{Rng, Seeded};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::delivery::{
    DeliveryKind, DeliveryState, EndedAttempt, Move, NewAttempt, NewDelivery, Outcome, StoredRef, Wait,
};
use store::log::{About, DedupeKey, NewEnvelope, Routed};
use store::port::ClaimRequest;
use store::seal::{MasterKey, Random};
use store::{Store, StoreError};
use tidegate_store_sqlite::{Options, SqliteStore};

/// Requests under way at once, as at an intake under load.
const CLIENTS: u64 = 256;

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

#[expect(clippy::disallowed_methods, reason = "a measurement is about the real clock")]
fn now() -> Instant {
    Instant::now()
}

/// Seconds of processor time of this process so far, of Linux' clock ticks of 10 ms.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// An order body of about five kilobytes: names as Shopify has them, values of its own.
fn body(number: u64) -> Vec<u8> {
    use std::fmt::Write;
    let mut rng = Seeded::new(number);
    let mut text = format!(
        r##"{{"id":{},"admin_graphql_api_id":"gid://shopify/Order/{number}","name":"#{number}","created_at":"2026-11-24T10:{:02}:{:02}+01:00","currency":"EUR","financial_status":"paid","fulfillment_status":null,"po_number":"PO-{:x}","total_price":"{}.{:02}","customer":{{"id":{},"first_name":"{:x}","last_name":"{:x}","email":"{:x}@example.com"}},"##,
        5_000_000_000 + number,
        rng.below(60),
        rng.below(60),
        rng.next_u64(),
        rng.below(9000),
        rng.below(100),
        7_000_000_000 + rng.below(100_000),
        rng.next_u64(),
        rng.next_u64(),
        rng.next_u64(),
    );
    for address in ["billing_address", "shipping_address"] {
        let _ = write!(
            text,
            r#""{address}":{{"first_name":"{:x}","last_name":"{:x}","address1":"{:x} {}","city":"{:x}","zip":"{}","country_code":"DE","phone":"+49{}","company":"{:x}"}},"#,
            rng.next_u64(),
            rng.next_u64(),
            rng.next_u64(),
            rng.below(200),
            rng.next_u64(),
            rng.below(99_999),
            rng.below(9_999_999_999),
            rng.next_u64()
        );
    }
    text.push_str(r#""line_items":["#);
    while text.len() < 4_900 {
        let price = rng.below(90_000);
        let _ = write!(
            text,
            r#"{{"id":{},"variant_id":{},"product_id":{},"sku":"{:x}","title":"{:x} {:x}","quantity":{},"price":"{}.{:02}","price_set":{{"shop_money":{{"amount":"{}.{:02}","currency_code":"EUR"}},"presentment_money":{{"amount":"{}.{:02}","currency_code":"EUR"}}}},"taxable":true,"requires_shipping":true,"tax_lines":[{{"title":"VAT","rate":0.19,"price":"{}.{:02}"}}]}},"#,
            rng.below(1 << 43),
            rng.below(1 << 43),
            rng.below(1 << 43),
            rng.next_u64(),
            rng.next_u64(),
            rng.next_u64(),
            rng.below(20),
            price / 100,
            price % 100,
            price / 100,
            price % 100,
            price / 100,
            price % 100,
            rng.below(300),
            rng.below(100),
        );
    }
    text.push_str("{}]}");
    text.into_bytes()
}

fn order(number: u64) -> Subject {
    Subject::new(shop(), "order", &(5_000_000_000 + number).to_string())
}
fn shop() -> ShopId {
    ShopId::new("acme").expect("a name")
}
fn system(name: &str) -> SystemName {
    SystemName::new(name).expect("a name")
}
fn flow() -> FlowName {
    FlowName::new("orders_to_erp").expect("a name")
}

fn fact(number: u64, body: Vec<u8>) -> NewEnvelope {
    let mut id = Seeded::new(number ^ 0x5151);
    let key = (u128::from(id.next_u64()) << 64 | u128::from(id.next_u64())).to_be_bytes();
    NewEnvelope {
        shop: shop(),
        domain: DomainName::new("orders").expect("a name"),
        source: system("shopify"),
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: order(number),
        version: None,
        occurred_at: at(1),
        received_at: at(1),
        trace: TraceId(key),
        raw_hash: [number as u8; 32],
        raw_bytes: u32::try_from(body.len()).unwrap_or(u32::MAX),
        dedupe: Some(DedupeKey(key)),
        payload: body.into(),
    }
}

/// Plain SQLite, one group of 64 after another.
fn floor(path: &Path, seconds: u64) -> f64 {
    let connection = Connection::open(path).expect("a database");
    let create = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                  CREATE TABLE events (id INTEGER PRIMARY KEY, webhook_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL)";
    connection.execute_batch(create).expect("a table");
    let bodies: Vec<Vec<u8>> = (0..512).map(body).collect();
    let (begun, mut count) = (now(), 0_u64);
    while begun.elapsed() < Duration::from_secs(seconds) {
        connection.execute_batch("BEGIN").expect("begin");
        {
            let sql = "INSERT INTO events (webhook_id, body) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            let mut insert = connection.prepare_cached(sql).expect("a statement");
            for _ in 0..64 {
                let mut rng = Seeded::new(count ^ 0x77);
                let id = format!("{:016x}-{:016x}", rng.next_u64(), rng.next_u64());
                insert.execute((id, &bodies[(count % 512) as usize])).expect("a row");
                count += 1;
            }
        }
        connection.execute_batch("COMMIT").expect("commit");
    }
    count as f64 / begun.elapsed().as_secs_f64()
}

async fn appends(store: &SqliteStore, seconds: u64) -> (f64, f64, Vec<Duration>) {
    let bodies: Arc<Vec<Vec<u8>>> = Arc::new((0..512).map(body).collect());
    let (next, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (begun, cpu) = (now(), cpu_s());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (store, next, stop, bodies) = (store.clone(), next.clone(), stop.clone(), bodies.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let new = fact(number, bodies[(number % 512) as usize].clone());
                    let asked = now();
                    store.append(vec![new]).await.expect("an append");
                    waits.push(asked.elapsed());
                }
                waits
            })
        })
        .collect();
    while begun.elapsed() < Duration::from_secs(seconds) {
        // Nothing comes: only the time passes.
        let _ = tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>()).await;
    }
    stop.store(true, Ordering::Relaxed);
    let mut waits = Vec::new();
    for client in clients {
        waits.extend(client.await.expect("a client"));
    }
    let count = waits.len() as f64;
    waits.sort_unstable();
    (count / begun.elapsed().as_secs_f64(), (cpu_s() - cpu) / count * 1e6, waits)
}

/// A whole life: appended, routed, claimed, begun, ended; several at once, as at a hub that is busy.
async fn lives(store: &SqliteStore, orders: u64) -> f64 {
    let bodies: Vec<Vec<u8>> = (0..512).map(body).collect();
    let facts: Vec<NewEnvelope> =
        (0..orders).map(|n| fact(10_000_000 + n, bodies[(n % 512) as usize].clone())).collect();
    let cpu = cpu_s();
    let mut facts = facts.into_iter();
    loop {
        let group: Vec<_> = facts.by_ref().take(16).collect();
        if group.is_empty() {
            break;
        }
        let appended: Vec<_> = group
            .into_iter()
            .map(|new| {
                tokio::spawn({
                    let store = store.clone();
                    async move { store.append(vec![new]).await }
                })
            })
            .collect();
        for one in appended {
            one.await.expect("a task").expect("an append");
        }
        route_all(store).await;
        deliver_all(store).await;
    }
    (cpu_s() - cpu) / orders as f64 * 1e6
}

async fn route_all(store: &SqliteStore) {
    let unrouted = store.unrouted(64).await.expect("a list");
    let decisions = unrouted
        .into_iter()
        .map(|found| {
            let subject = found.envelope.subject;
            let version = Some(EffectiveVersion::Dated {
                updated_at: at(1),
                digest: [3; 32],
                came_by: kernel::version::CameBy::Push,
            });
            let delivery = NewDelivery {
                flow: flow(),
                lane: Lane::of(&subject, &system("erp")),
                subject: subject.clone(),
                kind: DeliveryKind::State,
                state: DeliveryState::Waiting { due_at: Some(at(1)), wait: Wait::Turn },
                version: version.clone(),
                priority: Priority::Live,
                supersedes: true,
                fault: None,
                changed_at: at(1),
            };
            let about = About {
                label: format!("#{}", subject.key()),
                subject,
                customer: Some(format!("70000{}", found.envelope.position.0 % 1000)),
                created_at: at(1),
                updated_at: at(1),
            };
            Routed {
                version,
                about: Some(about),
                deliveries: vec![delivery],
                ..Routed::nothing(found.envelope.position)
            }
        })
        .collect();
    store.route(decisions, at(2)).await.expect("routed");
}

async fn deliver_all(store: &SqliteStore) {
    let request = ClaimRequest {
        system: system("erp"),
        now: at(3),
        lease: Duration::from_secs(60),
        limit: 64,
        except_flows: vec![],
        except_lanes: vec![],
    };
    let claims = store.claim(request, "hub").await.expect("claims");
    let tasks: Vec<_> = claims
        .into_iter()
        .map(|claim| {
            let store = store.clone();
            tokio::spawn(async move {
                let object_key = ObjectKey::of(&claim.delivery.subject);
                let version = claim.delivery.version.clone().expect("a version");
                let change =
                    ChangeKey::of(&object_key, &claim.lane.system, &flow(), &version, "r1", "create");
                let step = Move {
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
                let moved = store.advance(vec![step.clone()]).await.expect("a move");
                let store::delivery::Moved::Done { begun: Some(attempt) } = moved[0] else {
                    panic!("the move was lost")
                };
                let end = Move {
                    begun: None,
                    ended: Some(EndedAttempt { id: attempt, ended_at: at(5), fault: None, by_look_up: None }),
                    state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
                    external: Some(StoredRef {
                        object_key,
                        id: claim.delivery.id.to_string(),
                        number: Some(format!("SO{}", claim.delivery.id)),
                        state: Some("draft".into()),
                        created_at: at(5),
                        adopted: false,
                    }),
                    delivered: Some((Some(version), [4; 32])),
                    keep: false,
                    ..step
                };
                store.advance(vec![end]).await.expect("an end");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a task");
    }
}

fn at_share(waits: &[Duration], share: f64) -> f64 {
    let index = ((waits.len() as f64 * share) as usize).min(waits.len().saturating_sub(1));
    waits.get(index).map_or(0.0, |wait| wait.as_secs_f64() * 1e3)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(5);
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into).join("tidegate-append-rate");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    let floor = floor(&folder.join("floor.db"), seconds);
    println!("plain SQLite           {floor:>9.0} durable appends/s");
    let path = folder.join("tidegate.db");
    let options = Options {
        path: path.clone(),
        master_key: MasterKey::from_bytes([1; 32]),
        random: Arc::new(System),
        clock: Arc::new(Standing),
    };
    let store = SqliteStore::open(options).expect("a store");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (rate, cpu_us, waits) = runtime.block_on(appends(&store, seconds));
    println!(
        "this store             {rate:>9.0} durable appends/s ({:.2} of plain), {cpu_us:.0} µs CPU each, answered p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        rate / floor,
        at_share(&waits, 0.5),
        at_share(&waits, 0.99),
        at_share(&waits, 1.0),
    );
    let size = runtime.block_on(store.log_size()).expect("a size");
    let on_disk = std::fs::metadata(&path).map_or(0, |file| file.len());
    println!(
        "                       {} bytes of payload each, {} bytes of file each, {} MB resident at most",
        size.payload_bytes / size.envelopes.max(1),
        on_disk / size.envelopes.max(1),
        resident_mb()
    );
    if std::env::args().nth(3).is_some_and(|only| only == "append") {
        return;
    }
    let drained = now();
    runtime.block_on(async {
        while store.log_size().await.expect("a size").unrouted > 0 {
            route_all(&store).await;
            deliver_all(&store).await;
        }
    });
    println!("the rest delivered in  {:>9.1} s", drained.elapsed().as_secs_f64());
    let life_us = runtime.block_on(lives(&store, 20_000));
    println!("a whole order life     {life_us:>9.0} µs of CPU");
    drop(store);
    let _ = std::fs::remove_dir_all(&folder);
}
