//! Holds through the connector `shopify`, against the look-alike: placed once on all that is open, found again, and released
//! without touching another's.

use crate::fulfilment::{connector, two_lines};
use crate::support::{acme, call, config};
use connector::port::{Connector, Observation, Plan, Stage, Step, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::flow::{AfterConfirm, Difference};
use kernel::key::{CallKey, ObjectKey};
use kernel::subject::Subject;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use twin::shop::{CancelReason, Change, What};
use twin::shopify::{Hold, ShopifyTwin};

/// A shop with one order that leaves from two warehouses.
struct Shop {
    twin: ShopifyTwin,
    connector: Arc<dyn Connector>,
    order: u64,
}

impl Shop {
    async fn start() -> Self {
        let config = config();
        let (clock, order) = (config.clock.clone(), two_lines(&config));
        let twin = ShopifyTwin::start(config).await.unwrap();
        // No one place has both.
        for (sku, place, available) in [
            ("SKU-0001", "WH-1", 9),
            ("SKU-0001", "WH-2", 0),
            ("SKU-0002", "WH-1", 0),
            ("SKU-0002", "WH-2", 9),
        ] {
            twin.set_by_hand(sku, place, available).unwrap();
        }
        let id = order.id;
        twin.place(order).unwrap();
        Self { connector: connector(&twin, &clock), twin, order: id }
    }

    fn wanted(&self, flow: &str, stage: Stage) -> Wanted {
        self.of(self.order, flow, stage)
    }

    fn of(&self, order: u64, flow: &str, stage: Stage) -> Wanted {
        let subject = Subject { shop: acme(), path: format!("order:{order}/refusal:{flow}") };
        Wanted {
            object_key: ObjectKey::of(&subject),
            subject,
            body: json!({ "hold": flow, "reason": "INVENTORY_OUT_OF_STOCK", "notes": "wms: none left" }),
            stage,
            after_confirm: AfterConfirm::default(),
            difference: Difference::default(),
            known: None,
            also_known_as: Vec::new(),
        }
    }

    async fn look(&self, wanted: &Wanted) -> Observation {
        self.connector.observe(&call(), wanted).await.unwrap()
    }

    async fn next(&self, wanted: &Wanted) -> Step {
        match self.connector.plan(wanted, &self.look(wanted).await) {
            Plan::Next(step) => step,
            other => panic!("a step, not {other:?}"),
        }
    }

    async fn apply(&self, step: &Step) -> Result<(), Fault> {
        self.connector.apply(&call(), &CallKey("tg-1-1-1".to_owned()), step).await.map(drop)
    }

    /// All steps, by name, until it is done; what a person reads then, and the state.
    async fn converge(&self, wanted: &Wanted) -> (Vec<String>, Option<String>, String) {
        let mut steps = Vec::new();
        for _ in 0..6 {
            match self.connector.plan(wanted, &self.look(wanted).await) {
                Plan::Next(step) => {
                    steps.push(step.name.clone());
                    self.apply(&step).await.unwrap();
                }
                Plan::Done(done) => return (steps, done.note, done.external.state.unwrap()),
                Plan::NotAllowed(fault) => panic!("{fault}"),
            }
        }
        panic!("it does not converge: {steps:?}");
    }

    fn holds(&self) -> Vec<(u64, Hold)> {
        self.twin.holds(self.order)
    }
}

fn done(steps: &[&str], state: &str) -> (Vec<String>, Option<String>, String) {
    (steps.iter().map(|step| (*step).to_owned()).collect(), None, state.to_owned())
}

#[tokio::test]
async fn all_that_is_open_is_held_once_and_only_our_hold_is_released() {
    let shop = Shop::start().await;
    let [held, free] = [Stage::Present, Stage::Cancelled].map(|stage| shop.wanted("orders_to_wms", stage));
    assert_eq!(shop.converge(&free).await, done(&[], "free"), "there is nothing to release");
    assert_eq!(shop.converge(&held).await, done(&["hold", "hold"], "held"));
    let holds = shop.holds();
    let places: BTreeSet<u64> = holds.iter().map(|(place, _)| *place).collect();
    assert_eq!((holds.len(), places.len()), (2, 2), "one on each fulfilment order: {holds:?}");
    let Hold { handle, reason, notes, .. } = &holds[0].1;
    assert_eq!((handle.as_str(), reason.as_str()), ("orders_to_wms", "INVENTORY_OUT_OF_STOCK"));
    assert_eq!(notes.as_deref(), Some("wms: none left"));
    assert_eq!(shop.converge(&held).await, done(&[], "held"));

    // Another flow of ours, and a person, hold it as well.
    let other = shop.wanted("orders_to_erp", Stage::Present);
    assert_eq!(shop.converge(&other).await.0.len(), 2);
    shop.twin.hold(shop.order, "HIGH_RISK_OF_FRAUD");
    assert_eq!(shop.converge(&free).await, done(&["release", "release"], "free"));
    assert!(shop.holds().iter().all(|(_, hold)| hold.handle == "orders_to_erp"), "{:?}", shop.holds());
    assert_eq!(shop.holds().len(), 2);
    // On what a person holds there is room for ours.
    assert_eq!(shop.converge(&held).await.0, ["hold", "hold"]);
    assert_eq!(shop.twin.stats().api["fulfillmentOrderHold"], 6);
}

#[tokio::test]
async fn a_call_shows_whether_it_was_carried_out_and_a_second_one_is_no_second_hold() {
    let shop = Shop::start().await;
    let [held, free] = [Stage::Present, Stage::Cancelled].map(|stage| shop.wanted("orders_to_wms", stage));
    let hold = shop.next(&held).await;
    let shown = async |wanted: &Wanted, step: &Step| shop.connector.shows(step, &shop.look(wanted).await);
    assert_eq!(shown(&held, &hold).await, Some(false));
    shop.apply(&hold).await.unwrap();
    // The next one has the same name, and is of the other place.
    assert_eq!((shop.next(&held).await.name, shown(&held, &hold).await), ("hold".to_owned(), Some(true)));
    let again = shop.apply(&hold).await.unwrap_err();
    assert_eq!((again.kind, again.code.as_str()), (FaultKind::Conflict, "TG-6525"), "{again}");
    assert_eq!(shop.holds().len(), 1);
    let release = shop.next(&free).await;
    assert_eq!(shown(&free, &release).await, Some(false));
    shop.apply(&release).await.unwrap();
    assert_eq!(shown(&free, &release).await, Some(true));
    let again = shop.apply(&release).await.unwrap_err();
    assert_eq!((again.kind, again.code.as_str()), (FaultKind::Conflict, "TG-6525"), "{again}");
}

#[tokio::test]
async fn what_was_sent_or_called_off_meanwhile_is_held_no_more() {
    let shop = Shop::start().await;
    let [held, free] = [Stage::Present, Stage::Cancelled].map(|stage| shop.wanted("orders_to_wms", stage));
    let hold = shop.next(&held).await;
    // Scheduled between the look and the call.
    shop.twin.schedule(shop.order, "2026-12-24T12:00:00Z".parse().unwrap());
    let fault = shop.apply(&hold).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Conflict, "TG-6525"), "{fault}");
    let (steps, note, _) = shop.converge(&held).await;
    assert!(steps.is_empty() && note.as_ref().unwrap().contains("scheduled, scheduled"), "{note:?}");
    shop.twin.release(shop.order);
    // One of the two leaves.
    let line = shop.twin.order(shop.order).unwrap().lines[0].clone();
    let units = What::Fulfil { units: vec![(line.id, line.quantity)] };
    shop.twin.apply(&Change { order_id: shop.order, what: units }).unwrap();
    assert_eq!(shop.converge(&held).await, done(&["hold"], "held"));

    let shop = Shop::start().await;
    assert_eq!(shop.converge(&held).await, done(&["hold", "hold"], "held"));
    shop.twin.cancel(shop.order, CancelReason::Customer).unwrap();
    assert_eq!(shop.converge(&free).await, done(&[], "free"), "the hold ended with the order");
    let (steps, note, _) = shop.converge(&held).await;
    assert!(steps.is_empty() && note.unwrap().contains("nothing of the order is left"));
}

#[tokio::test]
async fn what_cannot_be_held_is_refused_with_what_to_do() {
    let shop = Shop::start().await;
    let refused = async |wanted: &Wanted| match shop.connector.plan(wanted, &shop.look(wanted).await) {
        Plan::NotAllowed(fault) => fault,
        other => panic!("refused, not {other:?}"),
    };
    let absent = shop.of(7, "orders_to_wms", Stage::Present);
    let fault = refused(&absent).await;
    let missing = fault.missing.as_ref().unwrap();
    assert_eq!(
        (fault.code.as_str(), missing.kind.as_str(), missing.value.as_str()),
        ("missing_order", "order", "7")
    );
    assert_eq!(shop.converge(&shop.of(7, "orders_to_wms", Stage::Cancelled)).await, done(&[], "free"));
    let mut wrong = shop.wanted("orders_to_wms", Stage::Present);
    wrong.body["reason"] = Value::from("none left");
    assert_eq!(refused(&wrong).await.code, "TG-6521");

    let wanted = shop.wanted("orders_to_wms", Stage::Present);
    let hold = shop.next(&wanted).await;
    for flow in 0..10 {
        shop.converge(&shop.wanted(&format!("flow_{flow}"), Stage::Present)).await;
    }
    let fault = shop.apply(&hold).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6526"), "{fault}");
}
