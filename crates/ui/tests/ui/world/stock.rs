//! A stock room in the store: two warehouses that tell levels of two lamps to one shop, each pair standing in another way,
//! and a fortnight of full checks.

use super::{Scribe, acme, answered, flow, later, system};
use bytes::Bytes;
use domains::inventory::{self, Rules, StockFault};
use engine::facts::{Facts, State};
use engine::work::drift::{Checked, Difference, Report, keep};
use jiff::Timestamp;
use kernel::envelope::{FactKind, Priority, TraceId, Via};
use kernel::fault::{Fault, FaultKind};
use kernel::id::DomainName;
use kernel::key::ObjectKey;
use kernel::subject::{Lane, Subject};
use kernel::version::EffectiveVersion;
use serde_json::json;
use std::sync::Arc;
use store::Store;
use store::delivery::{DeliveryKind, DeliveryState, Move, NewDelivery, Outcome, StoredRef, Wait};
use store::log::{About, Appended, NewEnvelope, Routed};

pub(crate) const FLOW: &str = "stock_to_shopify";
const TOPIC: &str = "stock/level";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Levels as `domains` reads and explains them, two of each kept back.
#[derive(Debug)]
struct Levels(Rules);

impl Facts for Levels {
    fn kind_of(&self, topic: &str) -> Option<FactKind> {
        (topic == TOPIC).then_some(FactKind::State)
    }
    fn read(&self, _: &str, payload: &[u8]) -> Result<State, Fault> {
        let stock = inventory::read(payload).map_err(StockFault::into_fault)?;
        let mut canonical = inventory::canonical(&stock, &self.0).map_err(StockFault::into_fault)?;
        // As of what is composed for one of several locations that it is divided over.
        if stock.location == "WEB" {
            canonical.body["outlets"] =
                json!([{ "location": "WEB", "percent": 70 }, { "location": "STORE", "percent": 30 }]);
        }
        Ok(State {
            label: stock.sku,
            customer: None,
            created_at: stock.changed_at,
            updated_at: stock.changed_at,
            changed_at: stock.changed_at,
            cancelled: false,
            digest: canonical.digest,
            body: Arc::new(canonical.body),
        })
    }
    fn figures(&self, _: &str, payload: &[u8]) -> serde_json::Value {
        let figures = inventory::read(payload).and_then(|stock| inventory::figures::figures(&stock, &self.0));
        figures.ok().and_then(|figures| serde_json::to_value(figures).ok()).unwrap_or_default()
    }
    fn explain(&self, _: &str, payload: &[u8]) -> Vec<String> {
        let canonical = inventory::read(payload).and_then(|stock| inventory::canonical(&stock, &self.0));
        canonical.map_or_else(
            |fault| vec![fault.to_string()],
            |canonical| canonical.why.iter().map(ToString::to_string).collect(),
        )
    }
}

pub(crate) fn flow_of_stock() -> tidegate_ui::StockFlow {
    let rules = Rules::parse(&["2".to_owned()], &["case = 12 each".to_owned()]).unwrap();
    tidegate_ui::StockFlow {
        name: flow(FLOW),
        source: system("wms"),
        target: system("shopify"),
        shops: vec![acme()],
        facts: Arc::new(Levels(rules)),
        now: std::collections::BTreeMap::new(),
    }
}

pub(crate) fn pair(sku: &str, location: &str) -> Subject {
    inventory::subject(acme(), sku, location)
}

/// The lamp, which stands in four ways at four locations, and the checks.
pub(crate) async fn stock_room(scribe: &Scribe<'_>) {
    let (lamp, at) = ("LAMP-OAK-40", scribe.ago(26 * MINUTE));
    let level = r#""on_hand": "120", "reserved": 7, "counted": 5"#;
    scribe.level(lamp, "WH-1", level, at, due(at), None).await;
    let note = "1 of 6 committed units are held back, because the source has not counted them: 111 - 1 = 110";
    scribe.set("110", Some(note), later(at, 1_400)).await;

    let cases = r#""on_hand": 4, "reserved": 1, "unit": "case""#;
    scribe.level(lamp, "WH-2", cases, at, due(at), None).await;
    scribe.set("33", None, later(at, 1_900)).await;
    let newer = scribe.ago(2 * MINUTE);
    let backoff = Wait::Backoff { failures: 2, fault: FaultKind::Transient, code: "http_502".into() };
    let waiting = DeliveryState::Waiting { due_at: Some(scribe.ago(-14_000)), wait: backoff };
    let less = r#""on_hand": 3, "reserved": 1, "unit": "case""#;
    scribe.level(lamp, "WH-2", less, newer, waiting, None).await;

    let fault = Fault::new(FaultKind::Rejected, "missing_item", "no variant has the SKU \"LAMP-OAK-40\"");
    let fault = fault.missing("variant", lamp).field("sku");
    let few = r#""on_hand": 6, "counted": 0"#;
    scribe.level(lamp, "KÖLN", few, scribe.ago(50 * MINUTE), DeliveryState::Dead, Some(fault)).await;

    let shadowed = DeliveryState::Ended(Outcome::Shadowed { would: "available: 3".into() });
    scribe.level(lamp, "WH-3", r#""on_hand": 5"#, scribe.ago(9 * MINUTE), shadowed, None).await;
    fortnight(scribe).await;
}

pub(crate) fn due(at: Timestamp) -> DeliveryState {
    DeliveryState::Waiting { due_at: Some(at), wait: Wait::Turn }
}

impl Scribe<'_> {
    /// A level that was told at an instant, with its one delivery.
    pub(crate) async fn level(
        &self,
        sku: &str,
        location: &str,
        level: &str,
        at: Timestamp,
        state: DeliveryState,
        fault: Option<Fault>,
    ) {
        let about = pair(sku, location);
        let version = Some(EffectiveVersion::Sequence { sequence: at.as_millisecond() });
        let payload =
            format!(r#"{{"sku": "{sku}", "location": "{location}", {level}, "changed_at": "{at}"}}"#);
        let envelope = NewEnvelope {
            shop: acme(),
            domain: DomainName::new("inventory").unwrap(),
            source: system("wms"),
            topic: TOPIC.into(),
            kind: FactKind::State,
            via: Via::Ingest,
            subject: about.clone(),
            version: version.clone(),
            occurred_at: at,
            received_at: later(at, 300),
            trace: TraceId([7; 16]),
            raw_hash: [0; 32],
            raw_bytes: u32::try_from(payload.len()).unwrap(),
            dedupe: None,
            payload: Bytes::from(payload),
        };
        let Appended::Stored(position) = self.store.append(vec![envelope]).await.unwrap()[0] else {
            panic!("a duplicate");
        };
        let delivery = NewDelivery {
            flow: flow(FLOW),
            lane: Lane::of(&about, &system("shopify")),
            subject: about.clone(),
            kind: DeliveryKind::State,
            state,
            version: version.clone(),
            priority: Priority::Live,
            supersedes: true,
            fault,
            changed_at: at,
        };
        let label = sku.to_owned();
        let about = About { subject: about, label, customer: None, created_at: at, updated_at: at };
        let routed =
            Routed { version, about: Some(about), deliveries: vec![delivery], ..Routed::nothing(position) };
        self.store.route(vec![routed], later(at, 350)).await.unwrap();
    }

    /// What is due at the shop is set there to a quantity.
    pub(crate) async fn set(&self, quantity: &str, note: Option<&str>, done: Timestamp) {
        let claim = self.claim("shopify", done).await;
        let attempt = self.begin(&claim, "set", 1, done).await;
        let external = StoredRef {
            object_key: ObjectKey::of(&claim.delivery.subject),
            id: "gid://shopify/InventoryItem/71".into(),
            number: Some("LAMP-OAK-40".into()),
            state: Some(quantity.into()),
            created_at: self.ago(30 * DAY),
            adopted: false,
        };
        let step = Move {
            ended: Some(answered(attempt, done)),
            state: Some(DeliveryState::Ended(Outcome::Delivered { note: note.map(str::to_owned) })),
            external: Some(external),
            keep: false,
            ..self.still(&claim, done)
        };
        self.go(step).await;
    }

    /// A full check, as the hub keeps it: what it compared, what it found of each cause, and how many it took up again; none:
    /// it only told.
    pub(crate) async fn checked(
        &self,
        at: Timestamp,
        (source, shop_has): (u64, u64),
        causes: &[(&str, u64)],
        again: Option<u64>,
    ) {
        let difference = |cause: &str, number: u64| Difference {
            sku: format!("LAMP-{number}"),
            location: "WH-1".to_owned(),
            cause: cause.to_owned(),
            why: (cause == "differs").then(|| "missed".to_owned()),
            wanted: (cause != "unknown_in_source").then_some(5),
            has: (cause != "unknown_sku").then_some(7),
            ..Difference::default()
        };
        let differences = causes.iter().flat_map(|(cause, count)| (0..*count).map(|n| difference(cause, n)));
        let report = Report {
            differences: differences.collect(),
            checked: Checked {
                flow: FLOW.to_owned(),
                shop: "acme".to_owned(),
                began: at,
                took_ms: 14_000,
                who: "ada".to_owned(),
                why: "a full check".to_owned(),
                dry_run: again.is_none(),
                source,
                shop_has,
                same: source - causes.iter().map(|(_, count)| count).sum::<u64>(),
                causes: causes.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect(),
                appended: again.unwrap_or(0),
                ..Checked::default()
            },
        };
        keep(self.store, (&flow(FLOW), &acme()), report, at).await.unwrap();
    }
}

/// Quiet, an outage that the next check mended, quiet again.
async fn fortnight(scribe: &Scribe<'_>) {
    for days in (1..15_i64).rev() {
        let (pairs, causes, again): (_, &[(&str, u64)], _) = match days {
            9 => ((100_000, 99_996), &[("differs", 1_240), ("unknown_sku", 4)], Some(1_244)),
            8 => ((100_000, 100_000), &[("differs", 31)], Some(31)),
            3 => ((100_012, 100_013), &[("differs", 2), ("unknown_in_source", 1)], None),
            _ => ((100_000, 100_000), &[], Some(0)),
        };
        scribe.checked(scribe.ago(days * DAY - 90 * MINUTE), pairs, causes, again).await;
    }
}
