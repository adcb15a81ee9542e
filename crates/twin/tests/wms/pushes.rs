//! Pushes: signed, again until they are taken, and the mischief that is made on request.

use crate::{config, line};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tidegate_twin::shopify::{ShopClock, signature};
use tidegate_twin::wms::{Knobs, PushTarget, WmsConfig, WmsTwin};

/// A hub's end: takes what comes and answers as the test wants it.
#[derive(Clone, Default)]
struct Hub {
    taken: Arc<Mutex<Vec<Value>>>,
    /// For the next requests; 200 where there is none.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Hub {
    async fn start() -> (Self, PushTarget) {
        let hub = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/ingest/wms/inventory", listener.local_addr().unwrap());
        let app = Router::new().route("/ingest/wms/{domain}", post(take)).with_state(hub.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        (hub, PushTarget { url, secret: "wms secret".to_owned(), shop: "acme".to_owned() })
    }

    /// Subject and version of each, in the order in which they came.
    fn taken(&self) -> Vec<(String, u64)> {
        let taken = self.taken.lock().unwrap();
        let one =
            |body: &Value| (body["subject"].as_str().unwrap().to_owned(), body["version"].as_u64().unwrap());
        taken.iter().map(one).collect()
    }
}

async fn take(State(hub): State<Hub>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["x-tidegate-hmac-sha256"], signature("wms secret", &body).as_str());
    assert_eq!(headers["content-type"], "application/json");
    let status = hub.answers.lock().unwrap().pop().unwrap_or(200);
    if status == 200 {
        hub.taken.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    }
    StatusCode::from_u16(status).unwrap()
}

async fn told(knobs: Knobs) -> (WmsTwin, Hub, ShopClock) {
    let (hub, target) = Hub::start().await;
    let config = WmsConfig { push: Some(target), knobs, ..config() };
    let clock = config.clock.clone();
    (WmsTwin::start(config).await.unwrap(), hub, clock)
}

/// Moves the clock on until nothing waits any more.
async fn until_settled(wms: &WmsTwin, clock: &ShopClock) {
    while wms.ledger().pushes.open > 0 {
        clock.advance(Duration::from_millis(50));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_change_is_pushed_in_the_form_of_a_stock_feed() {
    let (wms, hub, _) = told(Knobs::default()).await;
    wms.reserve("k1", "o1", &[line("SKU-0001", 4)]).unwrap();
    wms.settled().await;
    let body = json!({ "subject": "acme/ats:SKU-0001@WH-1", "version": 2, "topic": "stock/level", "data": {
        "sku": "SKU-0001", "location": "WH-1", "on_hand": "10", "reserved": "4", "counted": "4", "unit": "each",
        "changed_at": "2026-11-26T14:00:00Z" } });
    assert_eq!(hub.taken.lock().unwrap().as_slice(), std::slice::from_ref(&body));
    let answer = crate::get(&wms, "/stock/SKU-0001/WH-1").await;
    assert_eq!(
        (&answer["version"], &answer["data"]),
        (&body["version"], &body["data"]),
        "told in two ways, one fact"
    );
    wms.push_to(None);
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    assert_eq!(wms.ledger().pushes.due, 1);
}

#[tokio::test]
async fn a_push_that_is_not_taken_comes_again_until_it_is_given_up() {
    let (wms, hub, clock) = told(Knobs { push_attempts: 3, ..Knobs::default() }).await;
    *hub.answers.lock().unwrap() = vec![503, 503];
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    until_settled(&wms, &clock).await;
    assert_eq!(hub.taken(), [("acme/ats:SKU-0001@WH-1".to_owned(), 2)]);
    *hub.answers.lock().unwrap() = vec![503, 503, 503];
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    until_settled(&wms, &clock).await;
    let pushes = wms.ledger().pushes;
    assert_eq!((pushes.attempts, pushes.taken, pushes.given_up), (6, 1, 1));
    assert_eq!(hub.taken().len(), 1);
}

#[tokio::test]
async fn a_lost_stretch_is_told_by_nobody_and_is_in_the_feed() {
    let (wms, hub, _) = told(Knobs::default()).await;
    wms.turn(|knobs| knobs.mute = true);
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    wms.turn(|knobs| knobs.mute = false);
    wms.receive("SKU-0002", "WH-1", 1).unwrap();
    wms.settled().await;
    assert_eq!(hub.taken(), [("acme/ats:SKU-0002@WH-1".to_owned(), 2)]);
    assert_eq!(wms.ledger().pushes.dropped, 1);
    let missed = crate::get(&wms, "/stock?after=40").await;
    assert_eq!(missed["items"][0]["data"]["sku"], "SKU-0001");
}

#[tokio::test]
async fn what_is_written_past_the_books_is_neither_pushed_nor_listed_and_is_there() {
    let (wms, hub, _) = told(Knobs::default()).await;
    wms.turn(|knobs| knobs.unlisted = true);
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    wms.turn(|knobs| knobs.unlisted = false);
    wms.settled().await;
    let listed = crate::get(&wms, "/stock?after=40").await;
    assert_eq!((hub.taken().len(), &listed["items"]), (0, &json!([])));
    assert_eq!((wms.ledger().counts.changes, wms.ledger().counts.unlisted), (1, 1));
    let pair = crate::get(&wms, "/stock/SKU-0001/WH-1").await;
    assert_eq!((&pair["version"], &pair["data"]["on_hand"]), (&json!(2), &json!("11")));
    // The next change that is listed tells all of it.
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    wms.settled().await;
    assert_eq!(hub.taken(), [("acme/ats:SKU-0001@WH-1".to_owned(), 3)]);
}

#[tokio::test]
async fn an_overtaken_push_comes_after_the_one_that_overtook_it() {
    let (wms, hub, clock) = told(Knobs::default()).await;
    wms.turn(|knobs| knobs.reorder_per_mille = 1000);
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    wms.turn(|knobs| knobs.reorder_per_mille = 0);
    wms.receive("SKU-0001", "WH-1", 1).unwrap();
    until_settled(&wms, &clock).await;
    assert_eq!(hub.taken().iter().map(|(_, version)| *version).collect::<Vec<_>>(), [3, 2]);
    wms.turn(|knobs| knobs.reorder_per_mille = 1000);
    wms.receive("SKU-0002", "WH-1", 1).unwrap();
    until_settled(&wms, &clock).await;
    assert_eq!(hub.taken().len(), 3, "one that nothing overtakes comes by itself");
    assert_eq!(wms.ledger().pushes.reordered, 2);
}

#[tokio::test]
async fn mischief_is_counted_and_loses_only_what_it_says() {
    let knobs = Knobs {
        drop_per_mille: 50,
        duplicate_per_mille: 100,
        delay_per_mille: 200,
        reorder_per_mille: 100,
        ..Knobs::default()
    };
    let (wms, hub, clock) = told(knobs).await;
    wms.stir(400);
    until_settled(&wms, &clock).await;
    let ledger = wms.ledger();
    let pushes = ledger.pushes;
    assert_eq!(pushes.due, ledger.counts.changes);
    assert_eq!(pushes.taken, pushes.due - pushes.dropped + pushes.duplicated, "{pushes:?}");
    assert_eq!(hub.taken().len() as u64, pushes.taken);
    assert!(
        pushes.dropped > 0 && pushes.duplicated > 0 && pushes.delayed > 0 && pushes.reordered > 0,
        "{pushes:?}"
    );
    let mut distinct = hub.taken();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len() as u64, pushes.due - pushes.dropped);
}

#[tokio::test]
async fn shipments_are_pushed_where_orders_are_taken() {
    let (wms, hub, _) = told(Knobs { tells_shipments: true, ..Knobs::default() }).await;
    wms.reserve("k1", "acme-order-5678", &[line("SKU-0001", 2)]).unwrap();
    wms.ship("acme-order-5678", &[]).unwrap();
    wms.cancel_shipment("SH-000001").unwrap();
    wms.settled().await;
    let mut taken = hub.taken();
    taken.retain(|(subject, _)| subject.contains("shipment"));
    taken.sort();
    let subject = "acme/order:5678/shipment:SH-000001".to_owned();
    assert_eq!(taken, [(subject.clone(), 1), (subject, 2)]);
}
