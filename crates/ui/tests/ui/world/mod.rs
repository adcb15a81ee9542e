//! A small believable world in the store in memory, for the tests of the pages and for `examples/look.rs`: orders that
//! were exported, that are late behind a breaker, dead, paused, and one with a long life.

pub(crate) mod cadence;
pub(crate) mod night;
pub(crate) mod stock;

use bytes::Bytes;
use engine::SystemView;
use engine::hub::Snapshot;
use engine::overview::{Promised, StockLags, Watched, WatchedFlow};
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::fault::Fault;
use kernel::id::{AttemptId, DomainName, FlowName, Position, ShopId, SystemName};
use kernel::key::{CallKey, ChangeKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, NewDelivery, Outcome,
    StoredRef, Wait,
};
use store::log::{About, Appended, NewEnvelope, Routed};
use store::port::ClaimRequest;
use store::{MemoryStore, Store};

/// What stands in every payload, and must stand in no page.
pub(crate) const PERSONAL: [&str; 3] = ["Grace Hopper", "grace@navy.example", "+31 20 555 0199"];

pub(crate) fn system(name: &str) -> SystemName {
    SystemName::new(name).unwrap()
}
pub(crate) fn flow(name: &str) -> FlowName {
    FlowName::new(name).unwrap()
}
pub(crate) fn acme() -> ShopId {
    ShopId::new("acme").unwrap()
}
/// The subject of `#1001` and so on.
pub(crate) fn subject(number: u32) -> Subject {
    Subject::new(acme(), "order", &(5_600_000_000_000 + u64::from(number)).to_string())
}

/// What is drawn is `check`'s; here it only has to arrive.
pub(crate) fn truth() -> tidegate_ui::Truth {
    let drawing = |width: &str| {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><style>text{{fill:red}}</style><text>{width}</text></svg>"
        )
    };
    tidegate_ui::Truth {
        wide_svg: drawing("wide"),
        narrow_svg: drawing("narrow"),
        text: "orders: shopify owns it\norders_to_erp: shopify → erp <live>\n".into(),
    }
}

pub(crate) fn watched() -> Watched {
    let flow_of = |source: &str, target: &str, exports| WatchedFlow {
        source: system(source),
        target: system(target),
        exports,
    };
    let flows = [
        (flow("orders_to_erp"), flow_of("shopify", "erp", true)),
        (flow("orders_to_wms"), flow_of("shopify", "wms", true)),
        (flow("erp_number_back"), flow_of("erp", "shopify", false)),
        (flow(stock::FLOW), flow_of("wms", "shopify", false)),
    ];
    let stock = Promised { source: system("wms"), objective: Duration::from_secs(60) };
    let stock = BTreeMap::from([(flow(stock::FLOW), stock)]);
    Watched {
        flows: BTreeMap::from(flows),
        objective: Duration::from_secs(60),
        stock: StockLags::new(stock, jiff::Timestamp::UNIX_EPOCH),
    }
}

pub(crate) fn well(name: &str, in_work: u32, concurrency: u32) -> SystemView {
    SystemView {
        name: name.into(),
        breaker: "closed",
        breaker_opens_in_ms: None,
        trouble: None,
        credentials_refused: false,
        throttled_for_ms: None,
        paused: false,
        in_work,
        concurrency,
    }
}

/// The hub as the pages see it.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) systems: Mutex<Vec<SystemView>>,
    /// How often it was told that the store changed.
    pub(crate) told: AtomicU32,
    /// How often, that facts were committed.
    pub(crate) appended: AtomicU32,
}

impl tidegate_ui::Running for Stage {
    fn snapshot(&self) -> Snapshot {
        let systems = self.systems.lock().unwrap().clone();
        let in_work = systems.iter().map(|system| system.in_work as usize).sum();
        Snapshot { systems, in_work, ..Snapshot::default() }
    }
    fn changed(&self) {
        self.told.fetch_add(1, Ordering::SeqCst);
    }
    fn appended(&self) {
        self.appended.fetch_add(1, Ordering::SeqCst);
    }
}

/// Writes what the hub would write.
#[derive(Debug)]
pub(crate) struct Scribe<'a> {
    pub(crate) store: &'a MemoryStore,
    pub(crate) now: Timestamp,
}

impl Scribe<'_> {
    /// An instant so many milliseconds ago.
    pub(crate) fn ago(&self, ms: i64) -> Timestamp {
        Timestamp::from_millisecond(self.now.as_millisecond() - ms).unwrap()
    }

    pub(crate) async fn fact(
        &self,
        about: &Subject,
        topic: &str,
        via: Via,
        occurred: Timestamp,
        at: Timestamp,
    ) -> Position {
        let trace = u128::from(about.key().parse::<u64>().unwrap_or(1)) << 48
            | u128::from(at.as_millisecond() as u32);
        let envelope = NewEnvelope {
            shop: about.shop.clone(),
            domain: DomainName::new("orders").unwrap(),
            source: system(if via == Via::Outcome { "erp" } else { "shopify" }),
            topic: topic.into(),
            kind: if about.path == about.root() { FactKind::State } else { FactKind::Event },
            via,
            subject: about.clone(),
            version: None,
            occurred_at: occurred,
            received_at: at,
            trace: TraceId(trace.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes()),
            raw_hash: [0; 32],
            raw_bytes: 6_214,
            dedupe: None,
            payload: Bytes::from(PERSONAL.join("|")),
        };
        match self.store.append(vec![envelope]).await.unwrap()[0] {
            Appended::Stored(position) => position,
            Appended::Duplicate { .. } => panic!("a duplicate"),
        }
    }

    /// Routes a fact: each delivery is (flow, target, kind, state, fault of a dead one).
    pub(crate) async fn route(
        &self,
        about: &Subject,
        position: Position,
        changed: Timestamp,
        at: Timestamp,
        to: Vec<To>,
    ) {
        let number = about.root().rsplit(':').next().and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
        let deliveries = to.into_iter().map(|to| NewDelivery {
            flow: flow(to.flow),
            lane: Lane::of(about, &system(to.target)),
            subject: about.clone(),
            kind: to.kind,
            state: to.state,
            version: None,
            priority: Priority::Live,
            supersedes: to.kind == DeliveryKind::State,
            fault: to.fault,
            changed_at: changed,
        });
        let placed =
            self.store.life(&about.shop, about.root()).await.unwrap().about.map(|known| known.created_at);
        let known = About {
            subject: Subject { shop: about.shop.clone(), path: about.root().into() },
            label: format!("#{}", number.saturating_sub(5_600_000_000_000)),
            customer: Some("7001".into()),
            created_at: placed.unwrap_or(changed),
            updated_at: changed,
        };
        let routed =
            Routed { about: Some(known), deliveries: deliveries.collect(), ..Routed::nothing(position) };
        self.store.route(vec![routed], at).await.unwrap();
    }

    /// An order placed at an instant, known by its webhook, with one delivery to a target.
    pub(crate) async fn order(&self, number: u32, placed: Timestamp, to: To) {
        let about = subject(number);
        let at = later(placed, 700);
        let position = self.fact(&about, "orders/create", Via::Webhook, placed, at).await;
        self.route(&about, position, placed, later(at, 40), vec![to]).await;
    }

    /// The lane of a system that is due.
    pub(crate) async fn claim(&self, target: &str, at: Timestamp) -> Claim {
        let request = ClaimRequest {
            system: system(target),
            now: at,
            lease: Duration::from_secs(3600),
            limit: 1,
            except_flows: vec![],
            except_lanes: vec![],
        };
        self.store.claim(request, "hub").await.unwrap().remove(0)
    }

    /// A move that changes nothing and keeps the lane.
    pub(crate) fn still(&self, claim: &Claim, at: Timestamp) -> Move {
        Move {
            lane: claim.lane.clone(),
            fence: claim.fence,
            delivery: claim.delivery.id,
            at,
            ended: None,
            begun: None,
            state: None,
            spent: 0,
            failures: 0,
            dead: None,
            external: None,
            delivered: None,
            follow_ups: vec![],
            schedule: vec![],
            keep: true,
        }
    }

    pub(crate) async fn go(&self, step: Move) -> Option<AttemptId> {
        match self.store.advance(vec![step]).await.unwrap()[0] {
            Moved::Done { begun } => begun,
            Moved::Lost => panic!("lost"),
        }
    }

    /// Begins an attempt.
    pub(crate) async fn begin(&self, claim: &Claim, step: &str, call: u32, at: Timestamp) -> AttemptId {
        let change = ChangeKey(format!("{:032x}", 0x5eed_0000_u128 + claim.delivery.id.0 as u128));
        let begun = NewAttempt {
            step: step.into(),
            call_key: CallKey::of(&change, claim.delivery.id, call),
            change_key: change,
            frozen: Bytes::from(PERSONAL.join("|")),
            started_at: at,
            revision: "r-8c41f0".into(),
        };
        self.go(Move { begun: Some(begun), ..self.still(claim, at) }).await.unwrap()
    }

    /// Exported in one step.
    pub(crate) async fn deliver(&self, target: &str, due: Timestamp, done: Timestamp) {
        let claim = self.claim(target, due).await;
        let attempt = self.begin(&claim, "create", 1, due).await;
        let number = claim.delivery.subject.key().parse::<u64>().unwrap_or(0) % 1_000_000;
        let step = Move {
            ended: Some(answered(attempt, done)),
            state: Some(DeliveryState::Ended(Outcome::Delivered { note: None })),
            external: Some(link(&claim.delivery.subject, &format!("{target}-{number}"), done)),
            keep: false,
            ..self.still(&claim, done)
        };
        self.go(step).await;
    }
}

/// Where a fact goes.
#[derive(Debug, Clone)]
pub(crate) struct To {
    pub(crate) flow: &'static str,
    pub(crate) target: &'static str,
    pub(crate) kind: DeliveryKind,
    pub(crate) state: DeliveryState,
    pub(crate) fault: Option<Fault>,
}

impl To {
    pub(crate) fn due(flow: &'static str, target: &'static str, at: Timestamp) -> Self {
        let state = DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn };
        Self { flow, target, kind: DeliveryKind::State, state, fault: None }
    }
    pub(crate) fn erp(at: Timestamp) -> Self {
        Self::due("orders_to_erp", "erp", at)
    }
    pub(crate) fn dead(fault: Fault) -> Self {
        Self { state: DeliveryState::Dead, fault: Some(fault), ..Self::erp(Timestamp::UNIX_EPOCH) }
    }
    pub(crate) fn state(self, state: DeliveryState) -> Self {
        Self { state, ..self }
    }
}

pub(crate) fn later(at: Timestamp, ms: u64) -> Timestamp {
    kernel::clock::after(at, Duration::from_millis(ms))
}

pub(crate) fn answered(id: AttemptId, at: Timestamp) -> EndedAttempt {
    EndedAttempt { id, ended_at: at, fault: None, by_look_up: None }
}

pub(crate) fn link(of: &Subject, number: &str, at: Timestamp) -> StoredRef {
    StoredRef {
        object_key: ObjectKey::of(of),
        id: number.rsplit('-').next().unwrap_or(number).to_owned(),
        number: Some(number.into()),
        state: None,
        created_at: at,
        adopted: false,
    }
}
