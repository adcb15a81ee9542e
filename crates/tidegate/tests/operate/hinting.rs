//! A source that says which pair changed and not in which order: what it pushes without a number is read, and not believed.

use crate::hub::{Hub, until};
use crate::stock::{agree, asked_once, available, level, push, send, settled, warehouse};
use serde_json::{Value, json};

fn hint(hub: &Hub, sku: &str, more: Value) -> (u16, Value) {
    let mut data = json!({ "sku": sku, "location": "WH-1" });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let subject = format!("acme/ats:{sku}@WH-1");
    send(hub, &json!({ "subject": subject, "topic": "stock/level", "data": data }).to_string())
}

/// Reads of the source.
fn reads(listed: &Value) -> usize {
    let all = listed["deliveries"].as_array().unwrap();
    all.iter().filter(|one| one["kind"] == "read" && one["state"]["outcome"] == "read").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_is_pushed_without_a_number_has_its_pair_read_and_is_not_believed() {
    let (office, keeper) = asked_once().await;
    let hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    // Nobody asks for an hour: whatever is set comes of the hint.
    let truth = keeper.correct("SKU-0003", "WH-1", 77).unwrap();
    let (status, told) = hint(&hub, "SKU-0003", json!({ "on_hand": "9999" }));
    assert_eq!(status, 200, "{told}");
    agree(&office, &keeper);
    assert_eq!(available(&office.shop, "SKU-0003"), truth.on_hand - truth.reserved);
    assert!(office.shop.stock_sets().iter().all(|set| set.to != 9_999), "a hint was believed");

    // Those that wait are one read, and what changed after the first of them is in it.
    office.folder.json(&["systems", "pause", "wms", "--why", "so that all wait"]);
    for on_hand in 101..=120 {
        keeper.correct("SKU-0003", "WH-1", on_hand).unwrap();
        assert_eq!(hint(&hub, "SKU-0003", json!({})).0, 200);
    }
    office.folder.json(&["systems", "resume", "wms", "--why", "go on"]);
    agree(&office, &keeper);
    let listed = office.folder.json(&["deliveries", "list", "--limit", "200"]);
    // One before the pause; of what came while it held one, and one more of what came while that was read.
    assert!((2..=3).contains(&reads(&listed)), "{listed}");

    // A copy of the last one is harmless; of what the warehouse does not have it has nothing to say.
    assert_eq!((hint(&hub, "SKU-0003", json!({})).0, hint(&hub, "NOBODYS", json!({})).0), (200, 200));
    until(&office.folder, &["deliveries", "list", "--json"], "\"found\":false");
    assert_eq!(office.folder.json(&["dead-letters", "list"])["groups"], json!([]));
    agree(&office, &keeper);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warehouse_that_cannot_be_asked_is_told_to_number_its_levels() {
    let office = warehouse().await;
    let hub = Hub::start(&office.folder);
    push(&hub, 3, &level("SKU-0001", "50", json!({})));
    settled(&office.folder, "SKU-0001", 3);
    let (status, told) = hint(&hub, "SKU-0001", json!({ "on_hand": "7" }));
    assert_eq!(status, 400, "{told}");
    let told = told.to_string();
    for word in
        ["TG-7016", "write the sequence number", "only where wms can be asked", "[systems.wms.connection]"]
    {
        assert!(told.contains(word), "{word:?} is missing: {told}");
    }
    assert_eq!(available(&office.shop, "SKU-0001"), 50);
}
