//! A store with two orders in it, as a hub would have left them: #1001 died because the ERP has no such item, #1002
//! waits for its turn. Put there over the storage port.

use crate::folder::Folder;
use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use kernel::subject::{Lane, Subject};
use kernel::version::{CameBy, EffectiveVersion};
use std::sync::Arc;
use store::delivery::{DeliveryKind, DeliveryState, NewDelivery, Wait};
use store::log::{About, Appended, NewEnvelope, Routed};
use store::seal::{MasterKey, Random};
use store::{Store as _, StoreError};
use store_sqlite::{Options, SqliteStore};

#[derive(Debug)]
struct Standing(Timestamp);

impl Clock for Standing {
    fn now(&self) -> Now {
        Now { wall: self.0, mono: Mono(0) }
    }
}

#[derive(Debug)]
struct Counted;

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        bytes.fill(7);
        Ok(())
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn flow() -> FlowName {
    FlowName::new("orders_to_erp").unwrap()
}

fn system(name: &str) -> SystemName {
    SystemName::new(name).unwrap()
}

pub(crate) fn open(folder: &Folder) -> SqliteStore {
    std::fs::create_dir_all(folder.path("data")).unwrap();
    let key = std::fs::read_to_string(folder.path("secrets/master.key")).unwrap();
    SqliteStore::open(Options {
        path: folder.path("data/tidegate.db"),
        master_key: MasterKey::from_text(key.trim()).unwrap(),
        random: Arc::new(Counted),
        clock: Arc::new(Standing(at(0))),
    })
    .unwrap()
}

/// A store in which nothing has ever happened.
pub(crate) fn empty(folder: &Folder) {
    drop(open(folder));
}

pub(crate) fn two_orders(folder: &Folder) {
    let store = open(folder);
    let missing = Fault::new(FaultKind::Rejected, "unknown_item", "no item \u{1b}[31mFROG\u{1b}[0m here")
        .field("lines[0].sku")
        .missing("item", "FROG");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        put(&store, ("5678", "#1001", b"{}"), DeliveryState::Dead, Some(missing)).await;
        let waiting = DeliveryState::Waiting { due_at: Some(at(60)), wait: Wait::Turn };
        put(&store, ("5679", "#1002", b"{}"), waiting, None).await;
    });
}

/// A whole order as Shopify sent it, which the ERP refused.
pub(crate) fn one_refused(folder: &Folder, order: &str, label: &str, body: &'static [u8]) {
    let store = open(folder);
    let refused = Fault::new(FaultKind::Rejected, "refused", "no such item").field("lines[0].sku");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(put(&store, (order, label, body), DeliveryState::Dead, Some(refused)));
}

async fn put(
    store: &SqliteStore,
    (order, label, body): (&str, &str, &'static [u8]),
    state: DeliveryState,
    fault: Option<Fault>,
) {
    let subject = Subject::new(ShopId::new("acme").unwrap(), "order", order);
    let fact = NewEnvelope {
        shop: subject.shop.clone(),
        domain: DomainName::new("orders").unwrap(),
        source: system("shopify"),
        topic: "orders/create".into(),
        kind: FactKind::State,
        via: Via::Webhook,
        subject: subject.clone(),
        version: None,
        occurred_at: at(1),
        received_at: at(2),
        trace: TraceId([0xab; 16]),
        raw_hash: [1; 32],
        raw_bytes: 10,
        dedupe: None,
        payload: Bytes::from_static(body),
    };
    let appended = store.append(vec![fact]).await.unwrap();
    let [Appended::Stored(position)] = appended[..] else { panic!("not stored: {appended:?}") };
    // As an order has it that is a whole one: dated by the shop.
    let dated =
        serde_json::from_slice::<serde_json::Value>(body).unwrap()["updated_at"].as_str().map(|text| {
            let updated_at = text.parse().unwrap();
            EffectiveVersion::Dated { updated_at, digest: [1; 32], came_by: CameBy::Push }
        });
    let version = dated.or(Some(EffectiveVersion::Sequence { sequence: 1 }));
    let duty = NewDelivery {
        flow: flow(),
        lane: Lane::of(&subject, &system("erp")),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state,
        version: version.clone(),
        priority: Priority::Live,
        supersedes: true,
        fault,
        changed_at: at(1),
    };
    let about = About {
        subject,
        label: label.to_owned(),
        customer: Some("7001".to_owned()),
        created_at: at(0),
        updated_at: at(1),
    };
    let routed = Routed { version, about: Some(about), deliveries: vec![duty], ..Routed::nothing(position) };
    store.route(vec![routed], at(3)).await.unwrap();
}
