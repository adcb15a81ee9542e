//! Shipments through the connector `shopify`, against the look-alike: what is made, what is found again, and what is refused.

use crate::support::{acme, call, config, connection, noon, ports};
use connector::port::{Applied, Connector, ExternalRef, Observation, Observed, Plan, Stage, Step, Wanted};
use connector::settings::Settings;
use kernel::fault::{FaultKind, Reference};
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::{CallKey, ObjectKey};
use kernel::subject::Subject;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tidegate_shopify::graphql::{ShopClient, Shops};
use tidegate_shopify::target::connect;
use twin::shop::{Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::{ShopClock, ShopConfig, ShopifyTwin};

/// A shop with one order: three units of `SKU-0001` and two of `SKU-0002`.
pub(crate) struct Shop {
    pub(crate) twin: ShopifyTwin,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) order: u64,
}

impl Shop {
    async fn start() -> Self {
        Self::stocked(&[]).await
    }

    /// With so many units of a SKU at a location, before the order is placed.
    pub(crate) async fn stocked(stock: &[(&str, &str, i64)]) -> Self {
        let config = config();
        let clock = config.clock.clone();
        let order = two_lines(&config);
        let twin = ShopifyTwin::start(config).await.unwrap();
        for (sku, place, available) in stock {
            twin.set_by_hand(sku, place, *available).unwrap();
        }
        let id = order.id;
        twin.place(order).unwrap();
        let connector = connector(&twin, &clock);
        Self { twin, connector, order: id }
    }

    pub(crate) fn wanted(&self, shipment: &str, lines: &[(&str, u32)]) -> Wanted {
        self.of(self.order, shipment, lines)
    }

    fn of(&self, order: u64, shipment: &str, lines: &[(&str, u32)]) -> Wanted {
        let subject = Subject { shop: acme(), path: format!("order:{order}/shipment:{shipment}") };
        let lines: Vec<Value> =
            lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
        Wanted {
            object_key: ObjectKey::of(&subject),
            subject,
            body: json!({ "shipment": shipment, "lines": lines }),
            stage: Stage::Present,
            after_confirm: AfterConfirm::default(),
            difference: Difference::default(),
            known: None,
            also_known_as: Vec::new(),
        }
    }

    pub(crate) async fn observe(&self, wanted: &Wanted) -> Observation {
        self.connector.observe(&call(), wanted).await.unwrap()
    }

    pub(crate) async fn next(&self, wanted: &Wanted) -> Step {
        let observation = self.observe(wanted).await;
        match self.connector.plan(wanted, &observation) {
            Plan::Next(step) => step,
            other => panic!("a step, not {other:?}"),
        }
    }

    pub(crate) async fn apply(&self, step: &Step) -> Option<ExternalRef> {
        self.applied(step).await.external
    }

    pub(crate) async fn applied(&self, step: &Step) -> Applied {
        self.connector.apply(&call(), &CallKey("tg-1-1-1".to_owned()), step).await.unwrap()
    }

    /// All steps, by name, until it is done; the link.
    pub(crate) async fn converge(&self, wanted: &Wanted) -> (Vec<String>, ExternalRef) {
        let (mut wanted, mut steps, mut shown) = (wanted.clone(), Vec::new(), None);
        for _ in 0..9 {
            let observation = match shown.take() {
                Some(shown) => shown,
                None => self.observe(&wanted).await,
            };
            match self.connector.plan(&wanted, &observation) {
                Plan::Next(step) => {
                    steps.push(step.name.clone());
                    let applied = self.applied(&step).await;
                    // Only a note and a piece have to be looked at again.
                    let is_seen = step.name != "note" && !step.name.contains('_');
                    assert_eq!(applied.observation.is_some(), is_seen, "{}", step.name);
                    shown = applied.observation;
                    wanted.known = applied.external.or(wanted.known);
                }
                Plan::Done(done) => return (steps, done.external),
                Plan::NotAllowed(fault) => panic!("{fault}"),
            }
        }
        panic!("it does not converge: {steps:?}");
    }

    pub(crate) async fn refused(&self, wanted: &Wanted) -> (FaultKind, String, String) {
        let fault = match self.connector.observe(&call(), wanted).await {
            Err(fault) => fault,
            Ok(observation) => match self.connector.plan(wanted, &observation) {
                Plan::NotAllowed(fault) => fault,
                other => panic!("refused, not {other:?}"),
            },
        };
        (fault.kind, fault.code.clone(), fault.message)
    }

    pub(crate) fn made(&self) -> usize {
        self.twin.order(self.order).unwrap().fulfilments.len()
    }
}

/// Three units of `SKU-0001` and two of `SKU-0002`.
pub(crate) fn two_lines(config: &ShopConfig) -> Order {
    let workload = WorkloadConfig {
        seed: 3,
        orders: 20,
        first_number: 1,
        start: noon(),
        interval_ms: 1000,
        shop: Arc::new(config.profile.clone()),
        mix: Mix { b2b: 0, ..Mix::plain() },
    };
    let placed = Workload::new(workload).find_map(|(_, change)| match change.what {
        What::Place(order) if order.lines.len() >= 2 => Some(*order),
        _ => None,
    });
    let mut order: Order = placed.expect("an order of two lines");
    order.lines.truncate(2);
    for (line, (sku, quantity)) in order.lines.iter_mut().zip([("SKU-0001", 3), ("SKU-0002", 2)]) {
        line.sku = Some(sku.to_owned());
        line.variant_id = Some(variant(sku));
        (line.quantity, line.current_quantity) = (quantity, quantity);
    }
    order
}

/// The target, without settings.
pub(crate) fn connector(twin: &ShopifyTwin, clock: &ShopClock) -> Arc<dyn Connector> {
    let client = ShopClient::connect(connection(twin.url()), ports(clock)).unwrap();
    let settings = Settings::new(BTreeMap::new(), BTreeMap::new());
    connect(&settings, Shops::new([client])).unwrap()
}

/// Of the catalogue.
fn variant(sku: &str) -> u64 {
    twin::shop::catalogue::ITEMS.iter().find(|item| item.sku == sku).unwrap().variant_id()
}

pub(crate) fn object(observation: &Observation) -> Option<&str> {
    match &observation.object {
        Observed::One(state) => Some(&state.external.id),
        Observed::None => None,
        Observed::Many(ids) => panic!("{ids:?}"),
    }
}

#[tokio::test]
async fn a_shipment_is_noted_made_tracked_otherwise_and_taken_back() {
    let shop = Shop::start().await;
    let before = shop.twin.stock("SKU-0001", "WH-1").unwrap().committed;
    let mut wanted = shop.wanted("SH-1", &[("SKU-0001", 2), ("SKU-0002", 1)]);
    wanted.body["tracking"] =
        json!({ "company": "DHL", "numbers": ["1"], "urls": ["https://dhl.example/1"] });
    let (steps, external) = shop.converge(&wanted).await;
    assert_eq!(steps, ["note", "create"]);
    let order = shop.twin.order(shop.order).unwrap();
    assert_eq!(order.fulfilments[0].tracking.numbers, ["1"]);
    assert_eq!(shop.twin.stock("SKU-0001", "WH-1").unwrap().committed, before - 2);
    // There already, known or not.
    assert_eq!(shop.converge(&wanted).await, (Vec::new(), external.clone()));
    wanted.known = Some(external);
    wanted.body["tracking"]["numbers"] = json!(["1", "2"]);
    assert_eq!(shop.converge(&wanted).await.0, ["track"]);
    assert_eq!(shop.twin.order(shop.order).unwrap().fulfilments[0].tracking.numbers, ["1", "2"]);
    wanted.stage = Stage::Cancelled;
    assert_eq!(shop.converge(&wanted).await.0, ["cancel"]);
    assert_eq!(shop.converge(&wanted).await.0, Vec::<String>::new());
    assert_eq!(shop.twin.stock("SKU-0001", "WH-1").unwrap().committed, before);
    // It is not made once more under the same number.
    wanted.stage = Stage::Present;
    assert_eq!(shop.refused(&wanted).await.1, "TG-6507");
    // Under another it is, from what is open again.
    let again = shop.wanted("SH-2", &[("SKU-0001", 3), ("SKU-0002", 2)]);
    assert_eq!(shop.converge(&again).await.0, ["note", "create"]);
}

#[tokio::test]
async fn two_that_hold_the_same_are_told_apart_and_one_that_was_made_is_found() {
    let shop = Shop::start().await;
    let [first, second] = ["SH-1", "SH-2"].map(|name| shop.wanted(name, &[("SKU-0001", 1)]));
    // Noted and made, and both answers were lost.
    let note = shop.next(&first).await;
    assert_eq!(shop.connector.shows(&note, &shop.observe(&first).await), Some(false));
    shop.apply(&note).await;
    assert_eq!(shop.connector.shows(&note, &shop.observe(&first).await), Some(true));
    let create = shop.next(&first).await;
    assert_eq!(shop.connector.shows(&create, &shop.observe(&first).await), None);
    let made = shop.apply(&create).await.unwrap();
    assert_eq!(object(&shop.observe(&first).await), Some(made.id.as_str()));
    // The other holds the same and was not sent yet.
    assert_eq!(object(&shop.observe(&second).await), None);
    let (steps, other) = shop.converge(&second).await;
    assert_eq!((steps.len(), shop.made()), (2, 2));
    assert_ne!(other.id, made.id);
    // Without what we knew, as after a restore.
    assert_eq!(object(&shop.observe(&first).await), Some(made.id.as_str()));
    assert_eq!(object(&shop.observe(&second).await), Some(other.id.as_str()));
    // Sent twice, whatever the reason: it is touched by nobody.
    shop.apply(&create).await;
    let third = shop.observe(&second).await;
    assert!(matches!(third.object, Observed::Many(ref ids) if ids.len() == 2), "{third:?}");
}

#[tokio::test]
async fn one_that_waited_while_another_was_recorded_is_told_from_it_when_its_own_answer_is_lost() {
    let shop = Shop::start().await;
    let [first, second] = ["SH-1", "SH-2"].map(|name| shop.wanted(name, &[("SKU-0001", 1)]));
    let note = shop.next(&first).await;
    shop.apply(&note).await;
    // It waited, and the other one of the order went by.
    let (_, other) = shop.converge(&second).await;
    assert_eq!(object(&shop.observe(&first).await), None);
    let note = shop.next(&first).await;
    assert_eq!(note.name, "note", "what came since is none of its own");
    shop.apply(&note).await;
    let create = shop.next(&first).await;
    let made = shop.apply(&create).await.unwrap();
    assert_eq!(object(&shop.observe(&first).await), Some(made.id.as_str()));
    assert_eq!(object(&shop.observe(&second).await), Some(other.id.as_str()));
}

#[tokio::test]
async fn what_somebody_recorded_is_taken_over_by_its_number_alone() {
    let shop = Shop::start().await;
    let line = shop.twin.order(shop.order).unwrap().lines[0].id;
    let units = What::Fulfil { units: vec![(line, 1)] };
    shop.twin.apply(&twin::shop::Change { order_id: shop.order, what: units }).unwrap();
    let by_hand = shop.twin.order(shop.order).unwrap().fulfilments[0].clone();
    let mut wanted = shop.wanted("SH-1", &[("SKU-0001", 1)]);
    assert_eq!(
        object(&shop.observe(&wanted).await),
        None,
        "it has no number: nothing tells that it is the same"
    );
    wanted.body["tracking"] = json!({ "numbers": by_hand.tracking.numbers });
    let observation = shop.observe(&wanted).await;
    let Plan::Done(done) = shop.connector.plan(&wanted, &observation) else { panic!("{observation:?}") };
    assert!(done.adopted && done.note.is_some(), "{done:?}");
    // Never taken back: we did not make it.
    wanted.stage = Stage::Cancelled;
    assert_eq!(object(&shop.observe(&wanted).await), None);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_what_there_is() {
    let shop = Shop::start().await;
    let code = |(kind, code, message): (FaultKind, String, String)| {
        assert_eq!(kind, FaultKind::Rejected, "{message}");
        (code, message)
    };
    let (unknown, message) = code(shop.refused(&shop.wanted("SH-1", &[("sku-0001", 1)])).await);
    assert!(unknown == "TG-6504" && message.contains("\"SKU-0001\""), "{message}");
    let (many, message) = code(shop.refused(&shop.wanted("SH-1", &[("SKU-0001", 4)])).await);
    assert!(many == "TG-6505" && message.contains("3 are open"), "{message}");
    let mut elsewhere = shop.wanted("SH-1", &[("SKU-0001", 1)]);
    elsewhere.body["location"] = json!("Warehouse 2");
    let (place, message) = code(shop.refused(&elsewhere).await);
    assert!(place == "TG-6506" && message.contains("Warehouse 1"), "{message}");
    for location in
        [json!("Warehouse 1"), json!(72_212_345_678_u64), json!("gid://shopify/Location/72212345678")]
    {
        elsewhere.body["location"] = location;
        assert_eq!(shop.next(&elsewhere).await.name, "note");
    }
    assert_eq!(code(shop.refused(&shop.wanted("SH-1", &[])).await).0, "TG-6501");

    let absent = shop.of(7, "SH-1", &[("SKU-0001", 1)]);
    let observation = shop.observe(&absent).await;
    let Plan::NotAllowed(fault) = shop.connector.plan(&absent, &observation) else { panic!("there is none") };
    let reference = Reference { kind: "order".to_owned(), value: "7".to_owned() };
    assert_eq!((fault.code.as_str(), fault.missing.as_ref()), ("missing_order", Some(&reference)));
    assert!(!shop.connector.exists(&call(), &reference).await.unwrap());
    let there = Reference { value: shop.order.to_string(), ..reference };
    assert!(shop.connector.exists(&call(), &there).await.unwrap());

    // Nothing was ever there, and nothing is wanted any more.
    let mut cancelled = shop.wanted("SH-9", &[]);
    cancelled.stage = Stage::Cancelled;
    assert_eq!(shop.converge(&cancelled).await.1.id, "");
    assert_eq!(shop.made(), 0);
}

#[tokio::test]
async fn what_is_held_or_scheduled_waits_and_is_looked_at_again() {
    let shop = Shop::start().await;
    let wanted = shop.wanted("SH-1", &[("SKU-0001", 1)]);
    shop.twin.hold(shop.order, "HIGH_RISK_OF_FRAUD");
    let (kind, code, message) = shop.refused(&wanted).await;
    assert_eq!((kind, code.as_str()), (FaultKind::Conflict, "TG-6503"));
    assert!(message.contains("High risk of fraud"), "{message}");
    shop.twin.schedule(shop.order, "2026-12-24T12:00:00Z".parse().unwrap());
    assert!(shop.refused(&wanted).await.2.contains("2026-12-24"));
    shop.twin.release(shop.order);
    // Held between the look and the call: Shopify refuses, nothing was made, and it is looked at again.
    let note = shop.next(&wanted).await;
    shop.apply(&note).await;
    let create = shop.next(&wanted).await;
    shop.twin.hold(shop.order, "OTHER");
    let fault = shop.connector.apply(&call(), &CallKey("tg-1-1-1".to_owned()), &create).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Conflict, "TG-6510"), "{fault}");
    assert!(fault.message.contains("on_hold"), "{fault}");
    shop.twin.release(shop.order);
    assert_eq!(shop.converge(&wanted).await.0, ["create"], "the note is there already");
    // Sent off by somebody else in between: the same.
    let rest = shop.wanted("SH-2", &[("SKU-0001", 2)]);
    let note = shop.next(&rest).await;
    shop.apply(&note).await;
    let create = shop.next(&rest).await;
    let line = shop.twin.order(shop.order).unwrap().lines[0].id;
    let units = What::Fulfil { units: vec![(line, 1)] };
    shop.twin.apply(&twin::shop::Change { order_id: shop.order, what: units }).unwrap();
    let fault = shop.connector.apply(&call(), &CallKey("tg-1-1-1".to_owned()), &create).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Conflict, "TG-6510"), "{fault}");
    assert_eq!(shop.refused(&rest).await.1, "TG-6505");
}

#[tokio::test]
async fn an_order_of_three_hundred_lines_is_read_to_the_end() {
    let shop = Shop::start().await;
    let mut order = (*shop.twin.order(shop.order).unwrap()).clone();
    let template = order.lines[0].clone();
    (order.id, order.name) = (order.id + 1, "#9".to_owned());
    order.lines = (0..300)
        .map(|index| twin::shop::Line {
            id: 9_000 + index,
            sku: Some(format!("LINE-{index:03}")),
            quantity: 1,
            current_quantity: 1,
            ..template.clone()
        })
        .collect();
    let id = order.id;
    shop.twin.place(order).unwrap();
    let skus: Vec<String> = (0..250).map(|index| format!("LINE-{:03}", 299 - index)).collect();
    let lines: Vec<(&str, u32)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    let wanted = shop.of(id, "SH-1", &lines);
    let (steps, made) = shop.converge(&wanted).await;
    assert_eq!(steps, ["note", "create"]);
    // Found again by what it holds, over several pages.
    assert_eq!(object(&shop.observe(&wanted).await), Some(made.id.as_str()));
    let units = |lines: &[(u64, u32)]| lines.len();
    assert_eq!(units(&shop.twin.order(id).unwrap().fulfilments[0].lines), 250);
}
