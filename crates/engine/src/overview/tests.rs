//! What the overview says of a small world: orders that were exported, that are late, dead, or wait as they should.

use super::*;
use bytes::Bytes;
use kernel::clock::Now;
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::fault::{Fault, FaultKind, Severity};
use kernel::id::{DomainName, ShopId};
use kernel::subject::{Lane, Subject};
use store::MemoryStore;
use store::delivery::{DeliveryKind, DeliveryState, Move, NewDelivery, Outcome, Wait};
use store::log::{About, Appended, NewEnvelope, Routed};
use store::operate::{By, PauseScope};
use store::port::ClaimRequest;
use store::query::DeliveryFilter;

const NOW: i64 = 10_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
fn erp() -> SystemName {
    SystemName::new("erp").unwrap()
}
fn flow(name: &str) -> FlowName {
    FlowName::new(name).unwrap()
}
fn watched() -> Watched {
    let shopify = SystemName::new("shopify").unwrap();
    let export = WatchedFlow { source: shopify.clone(), target: erp(), exports: true };
    let back = WatchedFlow { source: erp(), target: shopify, exports: false };
    Watched {
        flows: BTreeMap::from([(flow("orders_to_erp"), export), (flow("erp_number_back"), back)]),
        objective: Duration::from_secs(60),
        stock: StockLags::default(),
    }
}
fn well() -> Snapshot {
    let system = |name: &str| SystemView {
        name: name.into(),
        breaker: "closed",
        breaker_opens_in_ms: None,
        trouble: None,
        credentials_refused: false,
        throttled_for_ms: None,
        paused: false,
        in_work: 1,
        concurrency: 8,
    };
    Snapshot { systems: vec![system("erp"), system("shopify")], ..Snapshot::default() }
}
fn breaker_open() -> Snapshot {
    let mut snapshot = well();
    let trouble = Some("transient (http_502): bad gateway".into());
    let erp = SystemView {
        breaker: "open",
        breaker_opens_in_ms: Some(12_000),
        trouble,
        ..snapshot.systems[0].clone()
    };
    snapshot.systems[0] = erp;
    snapshot
}

/// An order whose change was made at a second, in a state.
async fn order(store: &MemoryStore, number: u32, changed: i64, state: DeliveryState, fault: Option<Fault>) {
    let shop = ShopId::new("acme").unwrap();
    let subject = Subject::new(shop.clone(), "order", &number.to_string());
    let envelope = NewEnvelope {
        shop,
        domain: DomainName::new("orders").unwrap(),
        source: SystemName::new("shopify").unwrap(),
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: subject.clone(),
        version: None,
        occurred_at: at(changed),
        received_at: at(changed),
        trace: TraceId([1; 16]),
        raw_hash: [0; 32],
        raw_bytes: 2,
        dedupe: None,
        payload: Bytes::from_static(b"{}"),
    };
    let Appended::Stored(position) = store.append(vec![envelope]).await.unwrap()[0] else {
        panic!("a duplicate")
    };
    let about = About {
        label: format!("#{number}"),
        customer: None,
        created_at: at(changed),
        updated_at: at(changed),
        subject: subject.clone(),
    };
    let delivery = NewDelivery {
        flow: flow("orders_to_erp"),
        lane: Lane::of(&subject, &erp()),
        subject,
        kind: DeliveryKind::State,
        state,
        version: None,
        priority: Priority::Live,
        supersedes: true,
        fault,
        changed_at: at(changed),
    };
    let routed = Routed { about: Some(about), deliveries: vec![delivery], ..Routed::nothing(position) };
    store.route(vec![routed], at(changed)).await.unwrap();
}

fn due(second: i64) -> DeliveryState {
    DeliveryState::Waiting { due_at: Some(at(second)), wait: Wait::Turn }
}

/// Claims what is due at a second and delivers it at another.
async fn deliver_all(store: &MemoryStore, due: i64, done: i64) {
    let request = ClaimRequest {
        system: erp(),
        now: at(due),
        lease: Duration::from_secs(60),
        limit: 100,
        except_flows: vec![],
        except_lanes: vec![],
    };
    for claim in store.claim(request, "hub").await.unwrap() {
        let ended = Move {
            lane: claim.lane,
            fence: claim.fence,
            delivery: claim.delivery.id,
            at: at(done),
            ended: None,
            begun: None,
            state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
            spent: 0,
            failures: 0,
            dead: None,
            external: None,
            delivered: None,
            follow_ups: vec![],
            schedule: vec![],
            keep: false,
        };
        store.advance(vec![ended]).await.unwrap();
    }
}

async fn look(store: &MemoryStore, snapshot: &Snapshot) -> Overview {
    let now = Now { wall: at(NOW), mono: Default::default() };
    overview(store, snapshot, &watched(), now.wall).await.unwrap()
}

#[tokio::test]
async fn a_fresh_installation_is_well_and_says_so() {
    let seen = look(&MemoryStore::new(), &well()).await;
    assert!(seen.fresh);
    assert_eq!((seen.verdict, seen.lag.now.count, seen.touched.per_10_000()), (Verdict::Well, 0, None));
    assert_eq!(seen.systems.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["erp", "shopify"]);
}

#[tokio::test]
async fn what_is_exported_in_time_is_well() {
    let store = MemoryStore::new();
    for number in 0..10 {
        order(&store, number, NOW - 100, due(NOW - 100), None).await;
    }
    deliver_all(&store, NOW - 99, NOW - 97).await;
    let seen = look(&store, &well()).await;
    assert_eq!(seen.verdict, Verdict::Well, "{:?}", seen.findings);
    assert_eq!((seen.lag.now.p99_ms, seen.lag.now.over), (Some(3000), 0));
    assert_eq!(seen.lag.minutes.iter().map(|minute| minute.lag.count).sum::<u64>(), 10);
    assert_eq!((seen.touched.orders, seen.touched.by_hand), (10, 0));
}

#[tokio::test]
async fn what_waits_counts_with_its_age_and_says_why() {
    let store = MemoryStore::new();
    order(&store, 1, NOW - 600, due(NOW - 600), None).await;
    order(&store, 2, NOW - 300, due(NOW - 300), None).await;
    order(&store, 3, NOW - 10, due(NOW - 10), None).await;
    let paid = DeliveryState::Waiting { due_at: None, wait: Wait::Condition { text: "paid".into() } };
    order(&store, 4, NOW - 9000, paid, None).await;
    let seen = look(&store, &breaker_open()).await;
    assert_eq!((seen.late.count, seen.late.oldest_ms), (2, Some(600_000)));
    assert_eq!((seen.lag.now.count, seen.lag.now.p99_ms), (2, Some(600_000)));
    assert_eq!(seen.verdict, Verdict::Trouble);
    let first = &seen.findings[0];
    assert_eq!(first.what, "2 changes for erp are late: over 1 min, the oldest by 10 min");
    assert_eq!(first.why.as_deref(), Some("waits for the breaker of erp: transient (http_502): bad gateway"));
    assert_eq!(first.until, Some(at(NOW + 12)));
    assert_eq!(seen.findings.len(), 1, "the breaker is told of once: {:?}", seen.findings);
    let line = &seen.systems[0];
    assert_eq!((line.waiting, line.due, line.stalled), (4, 3, false));
}

#[tokio::test]
async fn work_that_nothing_holds_and_nobody_does_is_a_stall() {
    let store = MemoryStore::new();
    order(&store, 1, NOW - 600, due(NOW - 600), None).await;
    let mut idle = well();
    idle.systems[0].in_work = 0;
    let seen = look(&store, &idle).await;
    assert!(seen.systems[0].stalled);
    assert!(
        seen.findings.iter().any(|finding| finding.what.starts_with("erp stands still")),
        "{:?}",
        seen.findings
    );
}

#[tokio::test]
async fn dead_letters_have_a_cause_an_owner_and_a_next_step() {
    let store = MemoryStore::new();
    for (number, sku) in [(1, "SKU-1"), (2, "SKU-2"), (3, "SKU-2")] {
        let fault =
            Fault::new(FaultKind::Rejected, "unknown_item", "…").missing("item", sku).field("lines[0].sku");
        order(&store, number, NOW - 50, DeliveryState::Dead, Some(fault)).await;
    }
    let bug = Fault::new(FaultKind::Bug, "TG-5001", "an invariant broke");
    order(&store, 4, NOW - 50, DeliveryState::Dead, Some(bug)).await;
    let seen = look(&store, &well()).await;
    assert_eq!(seen.verdict, Verdict::Trouble);
    let [missing, bug] = &seen.dead_letters[..] else { panic!("{:?}", seen.dead_letters) };
    assert_eq!((missing.group.count, missing.awaited.len()), (3, 2));
    assert_eq!(missing.cause.cause, "erp has no item \"SKU-2\", nor one other of that kind");
    assert_eq!((bug.group.count, bug.cause.owner.as_str()), (1, "tidegate"));
    assert_eq!(seen.findings[0].severity, Severity::Page);
}

#[tokio::test]
async fn a_hand_and_a_pause_are_seen() {
    let store = MemoryStore::new();
    let fault = Fault::new(FaultKind::Rejected, "refused", "no");
    order(&store, 1, NOW - 50, DeliveryState::Dead, Some(fault)).await;
    order(&store, 2, NOW - 50, due(NOW - 50), None).await;
    let by = By { who: "ada".into(), why: "a test order".into(), at: at(NOW - 10) };
    store
        .skip(DeliveryFilter { phase: Some(store::query::Phase::Dead), ..Default::default() }, by.clone())
        .await
        .unwrap();
    store.pause(Pause { scope: PauseScope::System(erp()), by, until: Some(at(NOW + 60)) }).await.unwrap();
    let seen = look(&store, &well()).await;
    assert_eq!((seen.touched.orders, seen.touched.by_hand, seen.touched.per_10_000()), (2, 1, Some(5000)));
    assert_eq!(seen.verdict, Verdict::Well);
    assert_eq!(seen.findings[0].what, "system erp is paused");
    let json = serde_json::to_value(&seen).unwrap();
    assert_eq!(json["verdict"], "well");
    assert_eq!(json["pauses"][0]["by"]["who"], "ada");
}
