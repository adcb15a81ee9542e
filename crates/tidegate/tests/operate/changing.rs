//! A warehouse that tells movements: the real binary between the shop's look-alike and a sender of changes.

use crate::hub::{Hub, until};
use crate::office::Office;
use crate::patience::comes;
use crate::stock::{agree, asked_once, available, level, push, send, warehouse};
use serde_json::{Value, json};

/// A change of a SKU in the first warehouse; `named`: its id, or its version.
fn change(hub: &Hub, sku: &str, by: &Value, named: &Value) -> (u16, Value) {
    let data = json!({ "sku": sku, "location": "WH-1", "change": by, "changed_at": crate::office::now().to_string() });
    let subject = format!("acme/ats:{sku}@WH-1");
    let mut body = json!({ "subject": subject, "topic": "stock/change", "data": data });
    body.as_object_mut().unwrap().extend(named.as_object().unwrap().clone());
    send(hub, &body.to_string())
}

fn sells(office: &Office, sku: &str, quantity: i64) {
    let sells = comes(|| {
        office.folder.tidegate(&["status"]);
        available(&office.shop, sku) == quantity
    });
    assert!(
        sells,
        "{sku}: {} and not {quantity}: {:?}",
        available(&office.shop, sku),
        office.folder.tidegate(&["ats", "show", sku, "--explain", "--offline"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn movements_are_folded_once_and_what_is_set_is_absolute() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 1, &level("SKU-0001", "100", json!({ "reserved": "2" })));
    sells(&office, "SKU-0001", 98);
    // Known by its id, however often it comes; a document may move several pairs.
    for _ in 0..3 {
        let told =
            change(&hub, "SKU-0001", &json!({ "on_hand": "-3", "reserved": 1 }), &json!({ "id": "move-1" }));
        assert_eq!(told.0, 200, "{told:?}");
    }
    sells(&office, "SKU-0001", 94);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0001", "--explain"]);
    assert!(
        said.out.contains("folded: the level told at") && said.out.contains("and 1 change since"),
        "{}",
        said.out
    );

    // The hub is killed in the middle of many, some of them committed and not yet routed: each counts once.
    for number in 2..40 {
        change(&hub, "SKU-0001", &json!({ "on_hand": "-1" }), &json!({ "id": format!("move-{number}") }));
    }
    hub.kill();
    let hub = Hub::start(&office.folder);
    for number in 30..50 {
        change(&hub, "SKU-0001", &json!({ "on_hand": "-1" }), &json!({ "id": format!("move-{number}") }));
    }
    sells(&office, "SKU-0001", 46);
    // A level takes the place of all that was folded before it, and is folded into from then on.
    push(&hub, 2, &level("SKU-0001", "70", json!({})));
    change(&hub, "SKU-0001", &json!({ "on_hand": "-5" }), &json!({ "id": "move-50" }));
    sells(&office, "SKU-0001", 65);
    push(&hub, 1, &level("SKU-0001", "500", json!({})));
    until(&office.folder, &["deliveries", "list", "--json"], "\"version\":\"1\"");
    sells(&office, "SKU-0001", 65);
    assert!(
        office.shop.stock_sets().iter().all(|set| set.to <= 98),
        "something was folded twice or not at all"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn numbered_movements_may_come_in_any_order() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    // Before any level nothing can be set, and it is said what to do.
    let by = |on_hand: i64| json!({ "on_hand": on_hand });
    change(&hub, "SKU-0002", &by(-3), &json!({ "version": 8 }));
    until(&office.folder, &["dead-letters", "list"], "send one under the topic \"stock/level\"");
    push(&hub, 6, &level("SKU-0002", "110", json!({})));
    // Ten of a hundred are kept back; change 7 is missing, and it is marked.
    let kept_back = |on_hand: i64| on_hand - (on_hand + 9) / 10;
    sells(&office, "SKU-0002", kept_back(107));
    let said = office.folder.tidegate(&["ats", "show", "SKU-0002", "--explain"]);
    assert!(said.out.contains("incomplete: no change 7 came"), "{}", said.out);
    change(&hub, "SKU-0002", &by(13), &json!({ "version": 7 }));
    sells(&office, "SKU-0002", kept_back(120));
    let said = office.folder.tidegate(&["ats", "show", "SKU-0002", "--explain"]);
    assert!(!said.out.contains("incomplete") && said.out.contains("2 changes since"), "{}", said.out);
    let letters = office.folder.json(&["dead-letters", "list"]);
    assert!(!letters.to_string().contains("SKU-0002"), "the level healed it: {letters}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_change_is_refused_at_the_door() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    for (by, named, says) in [
        (json!({ "on_hand": -1.5 }), json!({ "id": "a" }), "$.data.change.on_hand"),
        (json!({ "on_hand": "1000000000000" }), json!({ "id": "a" }), "shelf"),
        (json!({ "safety": "1" }), json!({ "id": "a" }), "a level tells"),
        (json!({ "on_hand": "-1" }), json!({}), "there is no $.id"),
        (json!({ "on_hand": "-1" }), json!({ "id": "a", "version": "x" }), "$.version"),
    ] {
        let (status, told) = change(&hub, "SKU-0001", &by, &named);
        assert!(status == 422 || status == 400, "{status} {told}");
        assert!(told.to_string().contains(says), "{says}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_has_the_warehouse_asked() {
    let (office, keeper) = asked_once().await;
    let hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    // Somebody counts twice, and it tells of the second time alone.
    keeper.correct("SKU-0003", "WH-1", 7_777).unwrap();
    let moved = keeper.correct("SKU-0003", "WH-1", 5_555).unwrap();
    let version = i64::try_from(moved.version).unwrap();
    change(&hub, "SKU-0003", &json!({ "on_hand": -2_222 }), &json!({ "version": version }));
    sells(&office, "SKU-0003", moved.on_hand - moved.reserved);
    let said = office.folder.tidegate(&["ats", "show", "SKU-0003", "--location", "WH-1", "--explain"]);
    assert!(!said.out.contains("incomplete"), "{}", said.out);
}
