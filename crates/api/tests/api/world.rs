//! One hub in memory: a store, a clock that stands, what it would have written; and how to ask its admin API.

use crate::answer::Answer;
use crate::outside::{Erp, Plain, Shop};
use axum::Router;
use bytes::Bytes;
use engine::SystemView;
use engine::hub::Snapshot;
use engine::overview::{Watched, WatchedFlow};
use engine::work::Scope;
use engine::work::sweep::Settings;
use http::Method;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kernel::clock::{Clock, Mono, Now};
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{Difference, Mode};
use kernel::id::{DeliveryId, DomainName, FlowName, Position, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::delivery::{
    DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome, StoredRef, Wait,
};
use store::log::{About, Appended, NewEnvelope, Routed};
use store::port::ClaimRequest;
use store::{MemoryStore, Store};
use telemetry::Metrics;
use tidegate_api::admin::{AdminParts, FlowInfo, Guard, WorkScope};
use tidegate_api::watch::{Escalation, Sink, Watching};

pub(crate) const TOKEN: &str = "the-admin-token";
/// 2026-11-26T12:00:00Z.
pub(crate) const NOW: &str = "2026-11-26T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
pub(crate) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_second(at(NOW).as_second() - seconds).unwrap()
}
pub(crate) fn system(name: &str) -> SystemName {
    SystemName::new(name).unwrap()
}
pub(crate) fn flow() -> FlowName {
    FlowName::new("orders_to_erp").unwrap()
}
pub(crate) fn shop(name: &str) -> ShopId {
    ShopId::new(name).unwrap()
}
pub(crate) fn order(number: u64) -> Subject {
    Subject::new(shop("acme"), "order", &(5000 + number).to_string())
}

/// A clock that stands until somebody moves it.
#[derive(Debug)]
pub(crate) struct Standing {
    ms: AtomicU64,
}

impl Standing {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { ms: AtomicU64::new(1) })
    }
    pub(crate) fn forward(&self, by: Duration) {
        self.ms.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for Standing {
    fn now(&self) -> Now {
        let ms = self.ms.load(Ordering::SeqCst);
        let wall = at(NOW).checked_add(Duration::from_millis(ms - 1)).unwrap();
        Now { wall, mono: Mono(ms * 1_000_000) }
    }
}

/// The hub as HTTP sees it.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) systems: Mutex<Vec<SystemView>>,
    pub(crate) appended: AtomicU32,
    pub(crate) changed: AtomicU32,
}

impl tidegate_api::LiveHub for Stage {
    fn appended(&self) {
        self.appended.fetch_add(1, Ordering::SeqCst);
    }
    fn changed(&self) {
        self.changed.fetch_add(1, Ordering::SeqCst);
    }
    fn snapshot(&self) -> Snapshot {
        Snapshot { systems: self.systems.lock().unwrap().clone(), ..Snapshot::default() }
    }
}

pub(crate) fn well(name: &str) -> SystemView {
    SystemView {
        name: name.into(),
        breaker: "closed",
        breaker_opens_in_ms: None,
        trouble: None,
        credentials_refused: false,
        throttled_for_ms: None,
        paused: false,
        in_work: 0,
        concurrency: 8,
    }
}

/// What was escalated.
#[derive(Debug, Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<Escalation>>);

impl Sink for Heard {
    fn raise(&self, escalation: &Escalation) {
        self.0.lock().unwrap().push(escalation.clone());
    }
}

impl Heard {
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|heard| heard.notice.clone()).collect()
    }
    pub(crate) fn summaries(&self) -> String {
        let heard = self.0.lock().unwrap();
        heard.iter().map(|heard| heard.summary.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// All of it.
pub(crate) struct World {
    /// What the endpoints ask, unless a test gave them another.
    pub(crate) store: MemoryStore,
    pub(crate) clock: Arc<Standing>,
    pub(crate) hub: Arc<Stage>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shop: Arc<Shop>,
    pub(crate) erp: Arc<Erp>,
    pub(crate) parts: Arc<AdminParts>,
    pub(crate) router: Router,
}

fn served(parts: &Arc<AdminParts>) -> Router {
    tidegate_api::admin::router(parts.clone(), Guard::Bearer(TOKEN.to_owned().into()))
}

pub(crate) fn watched() -> Watched {
    let export = WatchedFlow { source: system("shopify"), target: system("erp"), exports: true };
    let flows = BTreeMap::from([(flow(), export)]);
    Watched { flows, objective: Duration::from_secs(60), stock: engine::overview::StockLags::default() }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut AdminParts)) -> Self {
        let store = MemoryStore::new();
        let (clock, hub) = (Standing::new(), Arc::new(Stage::default()));
        hub.systems.lock().unwrap().extend([well("erp"), well("shopify")]);
        let metrics = Arc::new(Metrics::new());
        let (source, target) = (Arc::new(Shop { page: 2, ..Shop::default() }), Arc::new(Erp::default()));
        let scope = Scope {
            store: Arc::new(store.clone()),
            source: source.clone(),
            facts: Arc::new(Plain),
            clock: clock.clone(),
            shop: shop("acme"),
            flow: flow(),
            domain: DomainName::new("orders").unwrap(),
            source_system: system("shopify"),
            budget_percent: 50,
            time_out: Duration::from_secs(10),
        };
        let go_live_at = at("2026-11-01T00:00:00Z");
        let minute = Duration::from_secs(60);
        let work = WorkScope {
            scope,
            target: target.clone(),
            difference: Difference::Accept("0.05".parse().unwrap()),
            zone: TimeZone::get("Europe/Amsterdam").unwrap(),
            sweep: Settings { overlap: 10 * minute, grace: minute, from: go_live_at },
            go_live_at,
            reads_all_orders: false,
        };
        let info = FlowInfo {
            name: flow(),
            domain: DomainName::new("orders").unwrap(),
            source: system("shopify"),
            target: system("erp"),
            mode: Mode::Live,
            shops: vec![shop("acme")],
        };
        let mut parts = AdminParts {
            store: Arc::new(store.clone()),
            hub: hub.clone(),
            clock: clock.clone(),
            watching: Arc::new(Watching::new(metrics.clone(), clock.clone(), Vec::new())),
            watched: watched(),
            works: vec![work],
            flows: vec![info],
            stock: Vec::new(),
            checks: Vec::new(),
            prices: None,
            hydrates: Vec::new(),
            pulls: Vec::new(),
            cadences: Vec::new(),
        };
        change(&mut parts);
        let parts = Arc::new(parts);
        let router = served(&parts);
        Self { store, clock, hub, metrics, shop: source, erp: target, parts, router }
    }

    /// The same world with other parts.
    pub(crate) fn and(self, change: impl FnOnce(&mut AdminParts)) -> Self {
        let old = self.parts.as_ref();
        let mut parts = AdminParts {
            store: old.store.clone(),
            hub: old.hub.clone(),
            clock: old.clock.clone(),
            watching: old.watching.clone(),
            watched: old.watched.clone(),
            works: old.works.clone(),
            flows: old.flows.clone(),
            stock: old.stock.clone(),
            checks: old.checks.clone(),
            prices: None,
            hydrates: Vec::new(),
            pulls: Vec::new(),
            cadences: old.cadences.clone(),
        };
        change(&mut parts);
        let parts = Arc::new(parts);
        Self { router: served(&parts), parts, ..self }
    }

    pub(crate) async fn ask_as(
        &self,
        authorization: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&str>,
    ) -> Answer {
        Answer::of(self.router.clone(), method, path, authorization, body).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&str>) -> Answer {
        self.ask_as(Some(&format!("Bearer {TOKEN}")), method, path, body).await
    }
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, &format!("/admin/v1/{path}"), None).await
    }
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, &format!("/admin/v1/{path}"), Some(&body.to_string())).await
    }

    /// An order that came by its webhook, and what became of it at the ERP.
    pub(crate) async fn order(
        &self,
        number: u64,
        placed: Timestamp,
        state: DeliveryState,
        fault: Option<Fault>,
    ) -> DeliveryId {
        routed(&self.store, number, placed, state, fault).await
    }

    /// An order that the ERP has by the hub's word, in one call of a second.
    pub(crate) async fn exported(&self, number: u64, placed: Timestamp) -> DeliveryId {
        let id = self.order(number, placed, due(placed), None).await;
        let request = ClaimRequest {
            system: system("erp"),
            now: placed,
            lease: Duration::from_secs(60),
            limit: 1,
            except_flows: vec![],
            except_lanes: vec![],
        };
        let claim = self.store.claim(request, "hub").await.unwrap().remove(0);
        let change_key = ChangeKey(format!("{number:032x}"));
        let begun = NewAttempt {
            step: "create".into(),
            call_key: CallKey::of(&change_key, id, 1),
            change_key,
            frozen: Bytes::new(),
            started_at: placed,
            revision: "r-1".into(),
        };
        let still = Move {
            lane: claim.lane.clone(),
            fence: claim.fence,
            delivery: id,
            at: placed,
            ended: None,
            begun: Some(begun),
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
        let moved = self.store.advance(vec![still.clone()]).await.unwrap();
        let [Moved::Done { begun: Some(attempt) }] = moved[..] else { panic!("{moved:?}") };
        let answered = placed.checked_add(Duration::from_secs(1)).unwrap();
        let external = StoredRef {
            object_key: ObjectKey::of(&order(number)),
            id: format!("erp-{number}"),
            number: Some(format!("S{number:04}")),
            state: Some("draft".into()),
            created_at: answered,
            adopted: false,
        };
        let step = Move {
            at: answered,
            ended: Some(EndedAttempt { id: attempt, ended_at: answered, fault: None, by_look_up: None }),
            begun: None,
            state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
            external: Some(external),
            keep: false,
            ..still
        };
        self.store.advance(vec![step]).await.unwrap();
        id
    }
}

/// An order that came by its webhook and was routed to the ERP.
pub(crate) async fn routed(
    store: &MemoryStore,
    number: u64,
    placed: Timestamp,
    state: DeliveryState,
    fault: Option<Fault>,
) -> DeliveryId {
    let subject = order(number);
    let position = fact(store, &subject, "orders/create", Via::Webhook, placed).await;
    let delivery = NewDelivery {
        flow: flow(),
        lane: Lane::of(&subject, &system("erp")),
        subject: subject.clone(),
        kind: DeliveryKind::State,
        state,
        version: None,
        priority: Priority::Live,
        supersedes: true,
        fault,
        changed_at: placed,
    };
    let about = About {
        subject: subject.clone(),
        label: format!("#{}", 1000 + number),
        customer: Some("7001".into()),
        created_at: placed,
        updated_at: placed,
    };
    let decided = Routed { about: Some(about), deliveries: vec![delivery], ..Routed::nothing(position) };
    store.route(vec![decided], placed).await.unwrap();
    let life = store.life(&subject.shop, &subject.path).await.unwrap();
    life.deliveries.last().unwrap().id
}

pub(crate) async fn fact(
    store: &MemoryStore,
    subject: &Subject,
    topic: &str,
    via: Via,
    placed: Timestamp,
) -> Position {
    let envelope = NewEnvelope {
        shop: subject.shop.clone(),
        domain: DomainName::new("orders").unwrap(),
        source: system(if via == Via::Outcome { "erp" } else { "shopify" }),
        topic: topic.into(),
        kind: FactKind::State,
        via,
        subject: subject.clone(),
        version: None,
        occurred_at: placed,
        received_at: placed,
        trace: TraceId([7; 16]),
        raw_hash: [0xAB; 32],
        raw_bytes: 27,
        dedupe: None,
        payload: Bytes::from_static(br#"{"customer":"Grace Hopper"}"#),
    };
    match store.append(vec![envelope]).await.unwrap()[0] {
        Appended::Stored(position) => position,
        Appended::Duplicate { .. } => panic!("a duplicate"),
    }
}

pub(crate) fn due(at: Timestamp) -> DeliveryState {
    DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn }
}

/// Dead for an item that the ERP does not have.
pub(crate) fn unknown_item(sku: &str) -> Fault {
    Fault::new(FaultKind::Rejected, "unknown_item", "no such item").missing("item", sku).field("lines[0].sku")
}
