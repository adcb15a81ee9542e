//! What is asked and changes nothing.

use crate::world::{World, ago, due, fact, order, shop, system, unknown_item};
use http::StatusCode;
use kernel::envelope::Via;
use kernel::fault::{Fault, FaultKind};
use kernel::subject::Subject;
use serde_json::json;
use store::Store as _;
use store::delivery::{DeliveryState, Wait};
use store::operate::{By, Pause, PauseScope};

#[tokio::test]
async fn the_status_is_the_overview() {
    let world = World::new().await;
    world.exported(1, ago(30)).await;
    world.order(2, ago(20), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    let status = world.get("status").await.json();
    assert_eq!(status["at"], "2026-11-26T12:00:00Z");
    assert_eq!(status["log"]["envelopes"], 2);
    assert_eq!(status["dead_letters"][0]["cause"]["cause"], "erp has no item \"SKU-1\"");
    assert_eq!(status["objective_ms"], 60_000);
    let systems = world.get("systems").await.json();
    assert_eq!(systems["systems"], status["systems"]);
    assert_eq!(systems["systems"][0]["name"], "erp");
    assert_eq!(systems["systems"][0]["dead"], 1);
}

#[tokio::test]
async fn flows_are_shown_with_the_pauses_that_hold_them() {
    let world = World::new().await;
    let by = By { who: "ada".into(), why: "stocktaking".into(), at: ago(5) };
    let until = Some(ago(-600));
    world.store.pause(Pause { scope: PauseScope::System(system("erp")), by, until }).await.unwrap();
    let flows = world.get("flows").await.json();
    let expected = json!([{
        "name": "orders_to_erp", "domain": "orders", "source": "shopify", "target": "erp", "mode": "live",
        "shops": ["acme"],
        "pauses": [{
            "scope": "system", "name": "erp", "who": "ada", "why": "stocktaking",
            "at": "2026-11-26T11:59:55Z", "until": "2026-11-26T12:10:00Z",
        }],
    }]);
    assert_eq!(flows["flows"], expected);
}

#[tokio::test]
async fn an_order_is_found_by_what_people_call_it() {
    let world = World::new().await;
    world.order(1, ago(30), due(ago(30)), None).await;
    for name in ["%231001", "1001", "5001"] {
        let found = world.get(&format!("orders?name={name}")).await.json();
        assert_eq!(found["orders"][0]["subject"], "acme/order:5001", "{name}");
        assert_eq!(found["orders"][0]["label"], "#1001");
        assert_eq!(found["orders"][0]["order"], "5001");
    }
    assert_eq!(world.get("orders?name=%239999").await.json()["orders"], json!([]));
    world.get("orders?name=").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "name is empty");
    world.get("orders").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "name");
}

#[tokio::test]
async fn the_life_of_an_order_can_be_read_from_top_to_bottom() {
    let world = World::new().await;
    world.exported(1, ago(90)).await;
    fact(&world.store, &order(1), "object/told", Via::Outcome, ago(89)).await;
    world.order(1, ago(30), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    let answer = world.get("orders/acme/5001").await;
    let life = answer.json();
    assert_eq!(life["about"]["label"], "#1001");
    assert_eq!(life["envelopes"].as_array().unwrap().len(), 3);
    assert_eq!(life["envelopes"][0]["trace"], "07070707070707070707070707070707");
    assert_eq!(life["envelopes"][0]["via"], "webhook");
    assert_eq!(life["deliveries"][0]["state"]["outcome"], "delivered");
    assert_eq!(life["deliveries"][0]["waits"], json!(null));
    assert_eq!(life["deliveries"][1]["waits"], "item \"SKU-1\" to exist in erp");
    assert_eq!(life["deliveries"][1]["waits_for"]["because"], "missing_reference");
    assert_eq!(life["dead_letters"][0]["cause"]["owner"], "erp");
    assert_eq!(life["external"][0]["number"], "S0001");
    let timeline: Vec<String> = life["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|moment| {
            let text = |name: &str| moment[name].as_str().unwrap().to_owned();
            format!("{} {}: {}", &text("at")[11..19], text("what"), text("detail"))
        })
        .collect();
    let expected = [
        "11:58:30 received: orders/create from shopify via webhook",
        "11:58:30 due: orders_to_erp to erp (state, delivery 1)",
        "11:58:30 call: create at erp",
        "11:58:31 answer: create at erp: done",
        "11:58:31 ended: orders_to_erp to erp (state, delivery 1): delivered",
        "11:58:31 linked: erp has it as S0001, draft",
        "11:58:31 received: object/told from erp via outcome",
        "11:59:30 received: orders/create from shopify via webhook",
        "11:59:30 due: orders_to_erp to erp (state, delivery 2)",
        "11:59:30 dead: orders_to_erp: erp has no item \"SKU-1\"; create it in erp, or correct it in shopify; it is \
         released by itself",
    ];
    assert_eq!(timeline, expected);
    assert!(!answer.text.contains("Grace Hopper"), "a payload was answered");
}

#[tokio::test]
async fn an_order_that_nobody_heard_of_says_what_to_do() {
    let world = World::new().await;
    let answer = world.get("orders/acme/404").await;
    answer.refused(StatusCode::NOT_FOUND, "TG-7022", "find it by its name");
    world.get("orders/Acme/1").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "Acme");
    world.get("orders/acme/%231001").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "name=%231001");
}

#[tokio::test]
async fn deliveries_say_what_they_wait_for_and_come_in_pages() {
    let world = World::new().await;
    world.exported(1, ago(50)).await;
    let wait = Wait::Backoff { failures: 2, fault: FaultKind::Transient, code: "http_502".into() };
    world.order(2, ago(40), DeliveryState::Waiting { due_at: Some(ago(-12)), wait }, None).await;
    world.order(3, ago(30), DeliveryState::Dead, Some(unknown_item("X"))).await;
    let first = world.get("deliveries?limit=2").await.json();
    assert_eq!(first["deliveries"][1]["waits"], "the next try at erp, 12 s");
    assert_eq!(first["next"], 2);
    let rest = world.get("deliveries?limit=2&before=2").await.json();
    assert_eq!(rest["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next"], json!(null));
    for (query, count) in [
        ("phase=dead", 1),
        ("phase=open", 1),
        ("phase=ended", 1),
        ("root=order:5002", 1),
        ("shop=other", 0),
        ("flow=orders_to_erp&system=erp", 3),
    ] {
        let found = world.get(&format!("deliveries?{query}")).await.json();
        assert_eq!(found["deliveries"].as_array().unwrap().len(), count, "{query}");
    }
    world.get("deliveries?phase=sleeping").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "sleeping");
    world.get("deliveries?flwo=x").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "flwo");
}

#[tokio::test]
async fn dead_letters_come_in_groups_with_their_cause() {
    let world = World::new().await;
    for (number, sku) in [(1, "SKU-1"), (2, "SKU-2")] {
        world.order(number, ago(50), DeliveryState::Dead, Some(unknown_item(sku))).await;
    }
    let refused = Fault::new(FaultKind::Rejected, "closed_period", "the period is closed");
    world.order(3, ago(40), DeliveryState::Dead, Some(refused)).await;
    let all = world.get("dead-letters").await.json();
    assert_eq!(all["groups"].as_array().unwrap().len(), 2);
    assert_eq!(all["groups"][0]["count"], 2);
    assert_eq!(all["groups"][0]["awaited"].as_array().unwrap().len(), 2);
    assert_eq!(all["letters"].as_array().unwrap().len(), 3);
    assert_eq!(all["letters"][0]["cause"]["cause"], "erp refused it: the period is closed");
    let fingerprint = all["groups"][0]["fingerprint"].as_str().unwrap();
    let one = world.get(&format!("dead-letters?fingerprint={}", escaped(fingerprint))).await.json();
    assert_eq!(one["groups"].as_array().unwrap().len(), 1);
    assert_eq!(one["letters"].as_array().unwrap().len(), 2);
    assert_eq!(world.get("dead-letters?closed=true").await.json()["letters"], json!([]));

    let letter = world.get("dead-letters/3").await.json();
    assert_eq!(letter["label"], "#1003");
    assert_eq!(letter["fault"]["code"], "closed_period");
    assert_eq!(letter["delivery_now"]["waits"], "a newer state from shopify, or a person");
    world.get("dead-letters/77").await.refused(StatusCode::NOT_FOUND, "TG-7022", "was never a dead letter");
    world.get("dead-letters/x").await.refused(StatusCode::BAD_REQUEST, "TG-7021", "no delivery");
}

fn escaped(text: &str) -> String {
    text.replace('[', "%5B").replace(']', "%5D")
}

#[tokio::test]
async fn what_is_held_and_what_was_destroyed() {
    let world = World::new().await;
    world.order(1, ago(50), due(ago(50)), None).await;
    let held = world.get("held?shop=acme&customer=7001").await.json();
    assert_eq!(held, json!({ "shop": "acme", "customer": "7001", "subjects": ["acme/order:5001"] }));
    assert_eq!(world.get("certificates").await.json(), json!({ "certificates": [] }));
    let roots = [order(1).path];
    let at = ago(0);
    world.store.redact(&shop("acme"), &roots, &[], "customers/redact w-1", at).await.unwrap();
    let told = world.get("certificates").await.json();
    assert_eq!(told["certificates"][0]["roots"], json!(["order:5001"]));
    assert_eq!(told["certificates"][0]["duties_ended"], 1);
    let gone = Subject::new(shop("acme"), "order", "5001");
    assert!(world.store.newest_payload(&gone).await.unwrap().is_none());
}

/// The command line and other people's scripts read these: a field that goes away breaks them.
#[tokio::test]
async fn rows_keep_their_fields() {
    let world = World::new().await;
    world.order(1, ago(30), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    let life = world.get("orders/acme/5001").await.json();
    let delivery = json!({
        "id": 1, "position": 1, "flow": "orders_to_erp", "kind": "state",
        "lane": { "shop": "acme", "system": "erp", "root": "order:5001" },
        "subject": { "shop": "acme", "path": "order:5001" },
        "state": { "state": "dead" }, "version": null, "priority": "live", "spent": 0, "failures": 0, "calls": 0,
        "created_at": "2026-11-26T11:59:30Z", "changed_at": "2026-11-26T11:59:30Z", "ended_at": null,
        "waits": "item \"SKU-1\" to exist in erp",
        "waits_for": {
            "because": "missing_reference", "what": "item \"SKU-1\" to exist in erp",
            "why": "erp has no item \"SKU-1\"", "until": null,
        },
    });
    assert_eq!(life["deliveries"][0], delivery);
    let letter = json!({
        "delivery": 1, "shop": "acme", "system": "erp", "flow": "orders_to_erp",
        "subject": { "shop": "acme", "path": "order:5001" }, "label": "#1001",
        "fingerprint": "orders_to_erp/rejected/unknown_item/lines[].sku",
        "fault": {
            "kind": "rejected", "code": "unknown_item", "message": "no such item", "field": "lines[0].sku",
            "missing": { "kind": "item", "value": "SKU-1" },
        },
        "dead_at": "2026-11-26T11:59:30Z", "closed": null,
        "cause": {
            "cause": "erp has no item \"SKU-1\"", "owner": "erp", "action": "release_when_it_exists",
            "advice": "create it in erp, or correct it in shopify; it is released by itself",
        },
    });
    assert_eq!(life["dead_letters"][0], letter);
}
