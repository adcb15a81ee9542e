//! When a commit has to be on disk before it is answered, and when it may follow.
//!
//! What comes from outside (a fact that is acknowledged, a person's act) and what must be known before a byte leaves
//! (an attempt) is synced with its commit. What follows from rows that are on disk (a routing decision, an outcome) is
//! committed at once and synced with the next commit of the first kind, or when the writer has nothing to do, a moment
//! later. The end of the process loses neither. A power cut may take the last of the second kind: an envelope is
//! routed again, and an attempt is found without an answer and looked up. Commits reach the disk in their order: what
//! is on disk never lacks what it rests on. Why: docs/adr/0008.

use crate::error::Done;
use rusqlite::Connection;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// A derived commit is on disk at the latest when the writer was idle for this long.
pub(crate) const SYNC_WHEN_IDLE: Duration = Duration::from_millis(20);

/// What the answer to a commit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is on disk.
    OnDisk,
    /// It outlives the process; what it rests on is on disk.
    Derived,
}

#[derive(Debug)]
pub(crate) struct Durability {
    log: PathBuf,
    in_force: Weight,
    /// Something derived was committed since the last sync.
    behind: bool,
}

impl Durability {
    /// Of a connection that was opened with `synchronous=FULL`; `log` is its write-ahead log.
    pub(crate) fn new(log: PathBuf) -> Self {
        Self { log, in_force: Weight::OnDisk, behind: false }
    }

    /// Before a transaction begins: within one it cannot be changed.
    pub(crate) fn set(&mut self, connection: &Connection, weight: Weight) -> Done<()> {
        if self.in_force != weight {
            connection.execute_batch(match weight {
                Weight::OnDisk => "PRAGMA synchronous = FULL",
                Weight::Derived => "PRAGMA synchronous = NORMAL",
            })?;
            self.in_force = weight;
        }
        Ok(())
    }

    /// After a commit: one that is on disk took along all before it.
    pub(crate) fn committed(&mut self) {
        self.behind = self.in_force == Weight::Derived;
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Brings the log to the disk. A disk that refuses is told of, and heard of again with the next commit that waits
    /// for it.
    pub(crate) fn catch_up(&mut self) {
        self.behind = false;
        if let Err(error) = File::open(&self.log).and_then(|log| log.sync_data()) {
            tracing::error!(error = %error, log = %self.log.display(), "the log was not brought to the disk");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, SqliteStore};
    use bytes::Bytes;
    use jiff::Timestamp;
    use kernel::clock::{Clock, Mono, Now};
    use kernel::envelope::{FactKind, Priority, TraceId, Via};
    use kernel::id::{DomainName, FlowName, ShopId, SystemName};
    use kernel::key::{CallKey, ChangeKey, ObjectKey};
    use kernel::subject::{Lane, Subject};
    use kernel::version::EffectiveVersion;
    use std::sync::Arc;
    use store::Store as _;
    use store::delivery::{DeliveryKind, DeliveryState, Move, Moved, NewAttempt, NewDelivery, Outcome, Wait};
    use store::log::{Appended, NewEnvelope, Routed};
    use store::port::ClaimRequest;
    use store::seal::MasterKey;

    fn synchronous(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_connection_syncs_what_has_to_be_on_disk_and_catches_up_with_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (a)")
            .unwrap();
        let mut durability = Durability::new(folder.path().join("d.db-wal"));
        let mut write = |weight| {
            durability.set(&connection, weight).unwrap();
            connection.execute_batch("BEGIN; INSERT INTO t VALUES (1); COMMIT").unwrap();
            durability.committed();
            (synchronous(&connection), durability.is_behind())
        };
        assert_eq!(write(Weight::OnDisk), (2, false));
        assert_eq!(write(Weight::Derived), (1, true));
        assert_eq!(write(Weight::Derived), (1, true));
        assert_eq!(write(Weight::OnDisk), (2, false));
        assert_eq!(write(Weight::Derived), (1, true));
        durability.catch_up();
        assert!(!durability.is_behind());
    }

    /// What each of the operations that an order goes through waited for.
    #[tokio::test]
    async fn what_is_acknowledged_or_about_to_be_sent_is_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let (master_key, random) = (MasterKey::from_bytes([1; 32]), crate::tests_random());
        let options =
            Options { path: folder.path().join("d.db"), master_key, random, clock: Arc::new(Standing) };
        let store = SqliteStore::open(options).unwrap();
        let weight =
            async || store.ways().unwrap().0.between(|desk| Ok(desk.durability.in_force)).await.unwrap();

        let at = Timestamp::UNIX_EPOCH;
        let (shop, erp) = (ShopId::new("acme").unwrap(), SystemName::new("erp").unwrap());
        let subject = Subject::new(shop.clone(), "order", "1");
        let fact = NewEnvelope {
            shop,
            domain: DomainName::new("orders").unwrap(),
            source: SystemName::new("shopify").unwrap(),
            topic: "orders/create".into(),
            kind: FactKind::State,
            via: Via::Webhook,
            subject: subject.clone(),
            version: None,
            occurred_at: at,
            received_at: at,
            trace: TraceId([7; 16]),
            raw_hash: [0; 32],
            raw_bytes: 2,
            dedupe: None,
            payload: Bytes::from_static(b"{}"),
        };
        let appended = store.append(vec![fact]).await.unwrap();
        assert_eq!(weight().await, Weight::OnDisk, "acknowledged");

        let Appended::Stored(position) = appended[0] else { panic!("a duplicate of nothing") };
        let version = EffectiveVersion::Sequence { sequence: 1 };
        let flow = FlowName::new("orders_to_erp").unwrap();
        let duty = NewDelivery {
            flow: flow.clone(),
            lane: Lane::of(&subject, &erp),
            subject: subject.clone(),
            kind: DeliveryKind::State,
            state: DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn },
            version: Some(version.clone()),
            priority: Priority::Live,
            supersedes: true,
            fault: None,
            changed_at: at,
        };
        let decision =
            Routed { position, version: Some(version.clone()), about: None, deliveries: vec![duty] };
        let (lease, except_lanes) = (Duration::from_secs(60), Vec::new());
        let claim = ClaimRequest {
            system: erp.clone(),
            now: at,
            lease,
            limit: 1,
            except_flows: Vec::new(),
            except_lanes,
        };
        let claimed = store.route_and_claim(vec![decision], at, vec![claim], "hub").await.unwrap();
        assert_eq!(weight().await, Weight::Derived, "routed");

        let claim = &claimed[0].1[0];
        let change_key = ChangeKey::of(&ObjectKey::of(&subject), &erp, &flow, &version, "r1", "create");
        let step = Move {
            lane: claim.lane.clone(),
            fence: claim.fence,
            delivery: claim.delivery.id,
            at,
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
        };
        let begun = NewAttempt {
            step: "create".into(),
            call_key: CallKey::of(&change_key, claim.delivery.id, 1),
            change_key,
            frozen: Bytes::from_static(b"{}"),
            started_at: at,
            revision: "r1".into(),
        };
        let sends = Move { begun: Some(begun), keep: true, state: None, ..step.clone() };
        let moved = store.advance(vec![sends]).await.unwrap();
        assert!(matches!(moved[0], Moved::Done { begun: Some(_) }), "{moved:?}");
        assert_eq!(weight().await, Weight::OnDisk, "about to be sent");
        assert_eq!(store.advance(vec![step]).await.unwrap(), [Moved::Done { begun: None }]);
        assert_eq!(weight().await, Weight::Derived, "an outcome");
        store.set_cursor("sweep", "x").await.unwrap();
        assert_eq!(weight().await, Weight::OnDisk, "what nothing else can tell again");
    }

    #[derive(Debug)]
    struct Standing;
    impl Clock for Standing {
        fn now(&self) -> Now {
            Now { wall: Timestamp::UNIX_EPOCH, mono: Mono(0) }
        }
    }
}
