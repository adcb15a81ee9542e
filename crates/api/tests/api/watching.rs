//! What a balancer, a scraper and the sampler see.

use crate::doors::{Doors, Webhook};
use crate::world::{ago, due, routed, unknown_item, well};
use engine::work::drift::{self, Checked, Report};
use http::StatusCode;
use jiff::Timestamp;
use kernel::id::{DeliveryId, FlowName, ShopId};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::Store as _;
use store::delivery::DeliveryState;
use store::operate::By;
use store::query::DeliveryFilter;

async fn ready(doors: &Doors) -> (StatusCode, Value) {
    let answer = doors.get("/readyz").await;
    (answer.status, serde_json::from_str(&answer.text).unwrap())
}

#[tokio::test]
async fn it_is_ready_until_it_cannot_take_a_webhook() {
    let doors = Doors::new();
    assert_eq!(doors.get("/healthz").await.text, "ok\n");
    assert_eq!(ready(&doors).await, (StatusCode::OK, json!({ "ready": true, "reasons": [] })));

    doors.disk.0.store(0, Ordering::SeqCst);
    doors.clock.forward(Duration::from_secs(1));
    let (status, told) = ready(&doors).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(told["reasons"][0].as_str().unwrap().contains("hub.limits.free_disk_min"));
    doors.disk.0.store(u64::MAX / 2, Ordering::SeqCst);
    doors.clock.forward(Duration::from_secs(1));

    doors.store.fails.store(true, Ordering::SeqCst);
    assert_eq!(ready(&doors).await.0, StatusCode::OK, "nothing is known of it yet");
    doors.knock(Webhook::order("w-1")).await;
    assert_eq!(ready(&doors).await.1["reasons"], json!(["the store cannot commit"]));
    assert!(doors.metrics.encode().contains("tidegate_store_committing 0"));
    // Nothing is sent here while it says so: it finds out by itself.
    doors.store.fails.store(false, Ordering::SeqCst);
    assert_eq!(ready(&doors).await.0, StatusCode::OK);
    assert!(doors.metrics.encode().contains("tidegate_store_committing 1"));

    doors.readiness.drain();
    assert_eq!(ready(&doors).await.1, json!({ "ready": false, "reasons": ["it is stopping"] }));
    assert_eq!(doors.get("/healthz").await.status, StatusCode::OK, "it lives while it stops");
}

#[tokio::test]
async fn the_metrics_count_what_was_answered() {
    let doors = Doors::new();
    doors.knock(Webhook::order("w-1")).await;
    doors.knock(Webhook::order("w-2").signed("wrong")).await;
    let answer = doors.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    for line in
        ["status=\"200\",reason=\"stored\"} 1", "status=\"401\",reason=\"wrong_signature\"} 1", "# EOF"]
    {
        assert!(answer.text.contains(line), "{line} is not in\n{}", answer.text);
    }
    assert!(!answer.text.contains("5001"), "an order is named in the metrics");
}

#[tokio::test]
async fn a_stall_is_raised_once_and_again_when_it_comes_back() {
    let doors = Doors::new();
    *doors.hub.systems.lock().unwrap() = vec![well("erp")];
    routed(&doors.store.inner, 1, ago(30), due(ago(30)), None).await;
    let mut sampler = doors.sampler();
    sampler.sample().await.unwrap();
    assert_eq!(doors.heard.names(), Vec::<String>::new(), "half a minute is no stall");
    let gauges = doors.metrics.encode();
    assert!(gauges.contains("tidegate_queue_depth{system=\"erp\",state=\"due\"} 1"), "{gauges}");

    doors.clock.forward(Duration::from_secs(60));
    for _ in 0..3 {
        sampler.sample().await.unwrap();
    }
    assert_eq!(doors.heard.names(), ["stall"]);
    doors.hub.systems.lock().unwrap()[0].in_work = 1;
    sampler.sample().await.unwrap();
    doors.hub.systems.lock().unwrap()[0].in_work = 0;
    sampler.sample().await.unwrap();
    assert_eq!(doors.heard.names(), ["stall", "stall"]);
}

#[tokio::test]
async fn what_people_do_is_counted_by_whichever_door_they_came() {
    let doors = Doors::new();
    let store = &doors.store.inner;
    for number in 1..=6 {
        routed(store, number, ago(30), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    }
    let release = async |id: i64, who: &str, at| {
        let which = DeliveryFilter { ids: vec![DeliveryId(id)], ..Default::default() };
        let by = By { who: who.into(), why: "the item is there".into(), at };
        store.release(which, by, at, Duration::ZERO).await.unwrap();
    };
    let counted = |count| {
        let line = format!("tidegate_orders_touched_by_hand_total{{action=\"release\"}} {count}\n");
        doors.metrics.encode().contains(&line)
    };
    release(1, "ada", ago(20)).await;
    let mut sampler = doors.sampler();
    sampler.sample().await.unwrap();
    assert!(
        !doors.metrics.encode().contains("action=\"release\""),
        "what was done before this process began"
    );
    release(2, "ada", ago(0)).await;
    release(3, "tidegate", ago(0)).await;
    release(4, "ada", ago(0)).await;
    for _ in 0..2 {
        sampler.sample().await.unwrap();
        assert!(counted(2), "{}", doors.metrics.encode());
    }
    let which = DeliveryFilter { ids: vec![DeliveryId(5), DeliveryId(6)], ..Default::default() };
    let by = By { who: "bob".into(), why: "test orders".into(), at: ago(0) };
    store.skip(which, by).await.unwrap();
    sampler.sample().await.unwrap();
    assert!(counted(2) && doors.metrics.encode().contains("touched_by_hand_total{action=\"skip\"} 2\n"));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_leaves_the_gauges_as_they_were() {
    let doors = Doors::new();
    routed(&doors.store.inner, 1, ago(30), due(ago(30)), None).await;
    let mut sampler = doors.sampler();
    sampler.sample().await.unwrap();
    let before = doors.metrics.encode();
    doors.store.fails.store(true, Ordering::SeqCst);
    sampler.sample().await.unwrap_err();
    assert_eq!(doors.metrics.encode(), before);
}

#[tokio::test]
async fn the_drift_of_the_newest_check_is_a_gauge_whoever_made_it() {
    let doors = Doors::new();
    let (flow, shop) = (FlowName::new("stock").unwrap(), ShopId::new("acme").unwrap());
    let mut sampler = doors.sampler().with_checks(vec![(flow.clone(), shop.clone())]);
    let mut checked = async |second: i64, causes: &[(&str, u64)]| {
        let causes = causes.iter().map(|(cause, count)| ((*cause).to_owned(), *count)).collect();
        let began = Timestamp::from_second(second).unwrap();
        let checked = Checked { began, causes, ..Checked::default() };
        let report = Report { checked, ..Report::default() };
        drift::keep(&doors.store.inner, (&flow, &shop), report, began).await.unwrap();
        sampler.sample().await.unwrap();
        doors.metrics.encode()
    };
    let drift = |cause: &str, count: u64| {
        format!("tidegate_stock_drift{{flow=\"stock\",shop=\"acme\",cause=\"{cause}\"}} {count}")
    };
    let told = checked(1_700_000_000, &[("differs", 3)]).await;
    for line in [drift("differs", 3), drift("twice_in_source", 0)] {
        assert!(told.contains(&line), "{line} is not in\n{told}");
    }
    let told = checked(1_700_086_400, &[("unknown_in_source", 2)]).await;
    let last = "tidegate_stock_checked_last_seconds{flow=\"stock\",shop=\"acme\"} 1700086400".to_owned();
    for line in [drift("differs", 0), drift("unknown_in_source", 2), last] {
        assert!(told.contains(&line), "{line} is not in\n{told}");
    }
}
