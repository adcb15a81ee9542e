//! What changes something: each with a reason, each in the audit, each told to the hub.

use crate::world::{World, ago, due, order, unknown_item};
use http::StatusCode;
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use store::Store as _;
use store::delivery::DeliveryState;

async fn dead(world: &World) {
    for number in 1..=3 {
        world.order(number, ago(50), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    }
    let refused = Fault::new(FaultKind::Rejected, "closed_period", "the period is closed");
    world.order(4, ago(40), DeliveryState::Dead, Some(refused)).await;
}

async fn counted(world: &World, phase: &str) -> usize {
    let found = world.get(&format!("deliveries?phase={phase}")).await.json();
    found["deliveries"].as_array().unwrap().len()
}

async fn last_audit(world: &World) -> Value {
    world.get("audit?limit=1").await.json()["entries"][0].clone()
}

#[tokio::test]
async fn a_release_takes_what_was_named_and_no_other() {
    let selections = [
        (json!({ "fingerprint": "orders_to_erp/rejected/closed_period" }), 1),
        (json!({ "ids": [1, 3] }), 2),
        (json!({ "ids": [1, 4], "fingerprint": "orders_to_erp/rejected/closed_period" }), 1),
        (json!({ "flow": "orders_to_erp" }), 4),
        (json!({ "system": "erp" }), 4),
        (json!({ "system": "wms" }), 0),
        (json!({ "shop": "acme", "root": "order:5002" }), 1),
        (json!({ "all": true }), 4),
    ];
    for (selection, count) in selections {
        let world = World::new().await;
        dead(&world).await;
        let mut body = selection.clone();
        body["who"] = json!("ada");
        body["why"] = json!("the item is there now");
        let done = world.post("dead-letters/release", body).await.json();
        assert_eq!(done, json!({ "count": count }), "{selection}");
        assert_eq!(counted(&world, "dead").await, 4 - count as usize, "{selection}");
        assert_eq!(world.hub.changed.load(Ordering::SeqCst), 1);
        let entry = last_audit(&world).await;
        assert_eq!((&entry["who"], &entry["action"]), (&json!("ada"), &json!("release")));
        assert_eq!((&entry["why"], &entry["count"]), (&json!("the item is there now"), &json!(count)));
    }
}

#[tokio::test]
async fn a_release_is_spread_over_time() {
    let world = World::new().await;
    dead(&world).await;
    let body = json!({ "all": true, "why": "the ERP is back", "ramp_ms": 2000 });
    world.post("dead-letters/release", body).await.json();
    let found = world.get("deliveries").await.json();
    let mut due: Vec<&str> = found["deliveries"].as_array().unwrap().iter().map(due_at).collect();
    due.sort_unstable();
    let expected =
        ["2026-11-26T12:00:00Z", "2026-11-26T12:00:02Z", "2026-11-26T12:00:04Z", "2026-11-26T12:00:06Z"];
    assert_eq!(due, expected);
}

fn due_at(delivery: &Value) -> &str {
    delivery["state"]["due_at"].as_str().unwrap()
}

#[tokio::test]
async fn what_is_not_said_is_not_done() {
    let world = World::new().await;
    dead(&world).await;
    let refusals = [
        (json!({ "all": true }), "TG-7021", "\"why\" is missing"),
        (json!({ "all": true, "why": "  " }), "TG-7021", "\"why\" is missing"),
        (json!({ "why": "x" }), "TG-7023", "\"all\": true"),
        (json!({ "why": "x", "all": false }), "TG-7023", "\"all\": true"),
        (json!({ "why": "x", "ids": [] }), "TG-7023", "\"all\": true"),
        (json!({ "why": "x", "flow": "orders_to_erp", "fingreprint": "y" }), "TG-7021", "fingreprint"),
        (json!({ "why": "x", "flow": "No Flow" }), "TG-7021", "No Flow"),
        (json!({ "why": "x", "all": true, "who": "tidegate" }), "TG-7021", "a person's name"),
        (json!({ "why": "x".repeat(501), "all": true }), "TG-7021", "shorten"),
        (json!(["all"]), "TG-7021", "the body is not"),
    ];
    for door in ["dead-letters/release", "dead-letters/skip"] {
        for (body, code, words) in &refusals {
            world.post(door, body.clone()).await.refused(StatusCode::BAD_REQUEST, code, words);
        }
    }
    let broken = world.ask(http::Method::POST, "/admin/v1/dead-letters/skip", Some("{\"all\":")).await;
    broken.refused(StatusCode::BAD_REQUEST, "TG-7021", "the body is not");
    assert_eq!(counted(&world, "dead").await, 4);
    assert_eq!(world.hub.changed.load(Ordering::SeqCst), 0);
    assert_eq!(world.get("audit").await.json()["entries"], json!([]));
}

#[tokio::test]
async fn a_skip_ends_dead_letters_and_by_its_number_also_what_waits() {
    let world = World::new().await;
    dead(&world).await;
    world.order(5, ago(30), due(ago(30)), None).await;
    let body = json!({ "flow": "orders_to_erp", "who": "ada", "why": "test orders" });
    assert_eq!(world.post("dead-letters/skip", body).await.json(), json!({ "count": 4 }));
    assert_eq!(
        counted(&world, "waiting").await,
        1,
        "a flow's live orders were skipped with its dead letters"
    );
    let closed = world.get("dead-letters?closed=true").await.json();
    assert_eq!(closed["letters"][0]["closed"]["who"], "ada");
    let body = json!({ "ids": [5], "who": "ada", "why": "a test order" });
    assert_eq!(world.post("dead-letters/skip", body).await.json(), json!({ "count": 1 }));
    assert_eq!(counted(&world, "open").await, 0);
}

#[tokio::test]
async fn a_replay_releases_what_died() {
    let world = World::new().await;
    world.order(1, ago(50), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    let asked = json!({ "shop": "acme", "order": "5001", "who": "ada", "why": "the item is there" });
    let done = world.post("replay", asked).await.json();
    assert_eq!(done, json!({ "released": 1, "appended": false }));
    assert_eq!(world.hub.changed.load(Ordering::SeqCst), 1, "nobody told the hub that something waits again");
    assert_eq!(world.store.log_size().await.unwrap().envelopes, 1);
    assert_eq!(counted(&world, "waiting").await, 1);
}

#[tokio::test]
async fn a_replay_of_what_was_exported_appends_its_newest_state_once_more() {
    let world = World::new().await;
    world.exported(1, ago(50)).await;
    let asked = json!({ "shop": "acme", "order": "5001", "who": "ada", "why": "the ERP lost it" });
    let done = world.post("replay", asked.clone()).await.json();
    assert_eq!(done, json!({ "released": 0, "appended": true }));
    assert_eq!(world.hub.appended.load(Ordering::SeqCst), 1);
    let unrouted = world.store.unrouted(10).await.unwrap();
    let [again] = &unrouted[..] else { panic!("{unrouted:?}") };
    assert_eq!((again.envelope.via, &again.envelope.subject), (Via::Replay, &order(1)));
    assert_eq!(again.envelope.topic, "orders/create");
    assert_eq!(again.payload.as_deref(), Some(br#"{"customer":"Grace Hopper"}"# as &[u8]));
    let entry = last_audit(&world).await;
    assert_eq!((&entry["action"], &entry["target"]), (&json!("replay"), &json!("acme/order:5001")));

    let shop = crate::world::shop("acme");
    world.store.redact(&shop, &[order(1).path], &[], "customers/redact w-1", ago(0)).await.unwrap();
    let gone = world.post("replay", asked).await;
    gone.refused(StatusCode::CONFLICT, "TG-7027", "no longer has a body");
}

#[tokio::test]
async fn a_replay_wants_an_order_and_a_reason() {
    let world = World::new().await;
    world.exported(1, ago(50)).await;
    let unheard = json!({ "shop": "acme", "order": "404", "why": "x" });
    world.post("replay", unheard).await.refused(StatusCode::NOT_FOUND, "TG-7022", "never heard of");
    let silent = json!({ "shop": "acme", "order": "5001" });
    world.post("replay", silent).await.refused(StatusCode::BAD_REQUEST, "TG-7021", "\"why\"");
    assert_eq!(world.store.log_size().await.unwrap().envelopes, 1);
}

#[tokio::test]
async fn a_pause_holds_until_its_end_or_until_it_is_resumed() {
    let world = World::new().await;
    let scopes = [("system", "erp"), ("flow", "orders_to_erp"), ("subject", "acme/order:5001")];
    for (scope, name) in scopes {
        let body =
            json!({ "scope": scope, "name": name, "who": "ada", "why": "stocktaking", "for_ms": 60_000 });
        let paused = world.post("pauses", body).await.json();
        assert_eq!(paused["pause"]["until"], "2026-11-26T12:01:00Z");
    }
    assert_eq!(world.get("pauses").await.json()["pauses"].as_array().unwrap().len(), 3);
    assert_eq!(world.hub.changed.load(Ordering::SeqCst), 3);

    let body = json!({ "scope": "flow", "name": "orders_to_erp", "who": "bob", "why": "counted" });
    assert_eq!(world.post("pauses/resume", body.clone()).await.json(), json!({ "resumed": true }));
    assert_eq!(last_audit(&world).await["who"], "bob");
    assert_eq!(world.post("pauses/resume", body).await.json(), json!({ "resumed": false }));
    world.clock.forward(std::time::Duration::from_secs(61));
    assert_eq!(world.get("pauses").await.json()["pauses"], json!([]));

    let body = json!({ "scope": "system", "name": "erp", "why": "the whole night",
        "until": "2026-11-27T05:00:00Z" });
    let paused = world.post("pauses", body).await.json();
    assert_eq!(paused["pause"]["who"], "operator");
    assert_eq!(paused["pause"]["until"], "2026-11-27T05:00:00Z");
}

#[tokio::test]
async fn a_pause_of_what_is_not_there_would_hold_nothing() {
    let world = World::new().await;
    let with = |more: Value| {
        let mut body = json!({ "scope": "system", "name": "erp", "why": "x" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let (bad, missing) = (StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND);
    let refusals = [
        (json!({ "name": "epr" }), missing, "TG-7022", "there are: erp, shopify"),
        (json!({ "scope": "flow", "name": "orders" }), missing, "TG-7022", "there are: orders_to_erp"),
        (json!({ "scope": "subject", "name": "order 1" }), bad, "TG-7021", "acme/order:5678"),
        (json!({ "scope": "planet" }), bad, "TG-7021", "planet"),
        (json!({ "why": "" }), bad, "TG-7021", "\"why\""),
        (json!({ "for_ms": 0 }), bad, "TG-7021", "would have ended already"),
        (json!({ "until": "2026-11-26T11:00:00Z" }), bad, "TG-7021", "would have ended already"),
        (json!({ "for_ms": 5, "until": "2026-11-27T05:00:00Z" }), bad, "TG-7021", "not both"),
    ];
    for (more, status, code, words) in refusals {
        world.post("pauses", with(more)).await.refused(status, code, words);
    }
    assert_eq!(world.get("pauses").await.json()["pauses"], json!([]));
}
