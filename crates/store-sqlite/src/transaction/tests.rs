//! What each of the operations that an order goes through waits for, who sees what rides, and what becomes of it when
//! the process ends.

use super::Group;
use crate::desk::Desk;
use crate::error::Fail;
use crate::writer::{Job, Way};
use crate::{Options, SqliteStore};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::id::{DomainName, FlowName, Position, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome, Wait,
};
use store::log::{Appended, NewEnvelope, Routed};
use store::port::ClaimRequest;
use store::query::DeliveryFilter;
use store::seal::MasterKey;
use store::{Store as _, StoreError};

#[derive(Debug)]
struct Standing;
impl Clock for Standing {
    fn now(&self) -> Now {
        Now { wall: AT, mono: Mono(0) }
    }
}

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn open(folder: &Path) -> SqliteStore {
    let (master_key, random) = (MasterKey::from_bytes([1; 32]), crate::tests_random());
    let clock = Arc::new(Standing);
    SqliteStore::open(Options { path: folder.join("d.db"), master_key, random, clock }).unwrap()
}

/// What a process that was killed now would leave behind.
fn killed(folder: &Path, name: &str) -> SqliteStore {
    let left = folder.join(name);
    std::fs::create_dir(&left).unwrap();
    for file in ["d.db", "d.db-wal"] {
        std::fs::copy(folder.join(file), left.join(file)).unwrap();
    }
    open(&left)
}

fn subject() -> Subject {
    Subject::new(ShopId::new("acme").unwrap(), "order", "1")
}
fn erp() -> SystemName {
    SystemName::new("erp").unwrap()
}
fn flow() -> FlowName {
    FlowName::new("orders_to_erp").unwrap()
}
const VERSION: EffectiveVersion = EffectiveVersion::Sequence { sequence: 1 };

/// One fact, on disk.
async fn appended(store: &SqliteStore) -> Position {
    let fact = NewEnvelope {
        shop: subject().shop,
        domain: DomainName::new("orders").unwrap(),
        source: SystemName::new("shopify").unwrap(),
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: subject(),
        version: None,
        occurred_at: AT,
        received_at: AT,
        trace: TraceId([7; 16]),
        raw_hash: [0; 32],
        raw_bytes: 2,
        dedupe: None,
        payload: Bytes::from_static(b"{}"),
    };
    let appended = store.append(vec![fact]).await.unwrap();
    let Appended::Stored(position) = appended[0] else { panic!("a duplicate of nothing") };
    position
}

fn decision(position: Position) -> Routed {
    let duty = NewDelivery {
        flow: flow(),
        lane: Lane::of(&subject(), &erp()),
        subject: subject(),
        kind: DeliveryKind::State,
        state: DeliveryState::Waiting { due_at: Some(AT), wait: Wait::Turn },
        version: Some(VERSION),
        priority: Priority::Live,
        supersedes: true,
        fault: None,
        changed_at: AT,
    };
    Routed { version: Some(VERSION), deliveries: vec![duty], ..Routed::nothing(position) }
}

fn request() -> ClaimRequest {
    ClaimRequest {
        system: erp(),
        now: AT,
        lease: Duration::from_secs(60),
        limit: 1,
        except_flows: Vec::new(),
        except_lanes: Vec::new(),
    }
}

async fn routed_and_claimed(store: &SqliteStore, position: Position) -> Claim {
    let routed = vec![decision(position)];
    let mut claimed = store.route_and_claim(routed, AT, vec![request()], "hub").await.unwrap();
    claimed.remove(0).1.remove(0)
}

/// A move that only ends the delivery.
fn ends(claim: &Claim) -> Move {
    Move {
        lane: claim.lane.clone(),
        fence: claim.fence,
        delivery: claim.delivery.id,
        at: AT,
        ended: None,
        begun: None,
        state: Some(DeliveryState::Ended(Outcome::Unchanged)),
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

fn begins(claim: &Claim) -> Move {
    let change_key = ChangeKey::of(&ObjectKey::of(&subject()), &erp(), &flow(), &VERSION, "r1", "create");
    let begun = NewAttempt {
        step: "create".into(),
        call_key: CallKey::of(&change_key, claim.delivery.id, 1),
        change_key,
        frozen: Bytes::from_static(b"{}"),
        started_at: AT,
        revision: "r1".into(),
    };
    Move { begun: Some(begun), keep: true, state: None, ..ends(claim) }
}

/// Its only delivery, as the readers see it.
async fn delivery(store: &SqliteStore) -> Option<DeliveryState> {
    let mut all = store.deliveries(DeliveryFilter::default()).await.unwrap();
    assert!(all.len() <= 1, "{all:?}");
    all.pop().map(|delivery| delivery.state)
}

#[tokio::test]
async fn what_is_acknowledged_or_about_to_be_sent_is_committed_and_what_follows_rides() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // Nothing commits but what has to: the thread that looks after what rides is asked for nothing meanwhile.
    let rides = || store.ways().unwrap().0.riding.count();

    let position = appended(&store).await;
    assert_eq!(rides(), 0, "acknowledged");
    let unrouted = killed(folder.path(), "after the append").unrouted(9).await.unwrap();
    assert_eq!(unrouted.len(), 1);

    let claim = routed_and_claimed(&store, position).await;
    let sends = store.advance(vec![begins(&claim)]).await.unwrap();
    let Moved::Done { begun: Some(attempt) } = sends[0] else { panic!("{sends:?}") };
    assert_eq!(rides(), 0, "about to be sent");
    let left = killed(folder.path(), "while it is sent");
    assert!(matches!(delivery(&left).await, Some(DeliveryState::Unknown { .. })));

    let ended = EndedAttempt { id: attempt, ended_at: AT, by_look_up: Some(false), fault: None };
    let done = Move { ended: Some(ended), ..ends(&claim) };
    assert_eq!(store.advance(vec![done]).await.unwrap(), [Moved::Done { begun: None }]);
    assert!(matches!(delivery(&store).await, Some(DeliveryState::Ended(_))), "readers see what was answered");
    store.set_cursor("sweep", "x").await.unwrap();
    assert_eq!(rides(), 0, "what nothing else can tell again");
    let left = killed(folder.path(), "at its end");
    assert!(matches!(delivery(&left).await, Some(DeliveryState::Ended(_))));
}

#[tokio::test]
async fn what_rides_when_the_process_ends_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let position = appended(&store).await;
    let left = {
        // While the desk is held nobody commits what rides.
        let mut desk = store.ways().unwrap().0.desk.lock().unwrap();
        super::ride(&mut desk, |desk| desk.route(vec![decision(position)], AT)).unwrap();
        killed(folder.path(), "with a ride")
    };
    assert_eq!(left.unrouted(9).await.unwrap().len(), 1);
    assert_eq!(delivery(&left).await, None);
    assert_eq!(store.unrouted(9).await.unwrap().len(), 0, "nothing happened to this one");
}

/// A request that finds the disk broken.
struct Broken;
impl Job for Broken {
    fn way(&self) -> Way {
        Way::Once
    }
    fn run(&mut self, _: &mut Desk) -> Result<(), Fail> {
        Err(StoreError::Unavailable("the disk is full".into()).into())
    }
    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        assert!(matches!(failed, Some(StoreError::Unavailable(_))), "{failed:?}");
    }
}

#[tokio::test]
async fn a_disk_that_fails_takes_the_ride_along_and_what_memory_knew_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let position = appended(&store).await;
    {
        let mut desk = store.ways().unwrap().0.desk.lock().unwrap();
        super::ride(&mut desk, |desk| desk.route(vec![decision(position)], AT)).unwrap();
        let held = super::between(&mut desk, |desk| Ok(desk.claim(&request(), "hub")?.len()));
        assert_eq!(held.unwrap(), 1);
        super::commit(&mut desk, Group { again: Vec::new(), once: vec![Box::new(Broken)] });
        assert_eq!(desk.riding.count(), 0);
    }
    assert_eq!(store.unrouted(9).await.unwrap().len(), 1, "to be routed again");
    routed_and_claimed(&store, position).await;
    assert!(matches!(delivery(&store).await, Some(DeliveryState::Waiting { .. })));
}

/// It is committed by itself a moment later: another connection sees it, though nobody asks for anything.
#[tokio::test]
async fn what_rides_is_committed_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let position = appended(&store).await;
    routed_and_claimed(&store, position).await;
    let beside = rusqlite::Connection::open(folder.path().join("d.db")).unwrap();
    let looked = tokio::task::spawn_blocking(move || {
        let count = || beside.query_row("SELECT count(*) FROM deliveries", [], |row| row.get::<_, i64>(0));
        (0..10_000_000).find(|_| count().unwrap() == 1)
    });
    let seen = tokio::time::timeout(Duration::from_secs(60), looked).await;
    assert!(matches!(seen, Ok(Ok(Some(_)))), "{seen:?}");
}
