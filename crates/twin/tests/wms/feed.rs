//! What can be read: one pair, what changed, everything.

use crate::{config, get, request, truth, warehouse};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tidegate_twin::wms::WmsTwin;

#[tokio::test]
async fn one_pair_is_read_by_its_names() {
    let wms = warehouse().await;
    wms.receive("SKU-0001", "WH-2", 5).unwrap();
    let pair = json!({ "version": 2, "data": { "sku": "SKU-0001", "location": "WH-2", "on_hand": "15", "reserved": "0",
        "counted": "0", "unit": "each", "changed_at": "2026-11-26T14:00:00Z" } });
    assert_eq!(get(&wms, "/stock/SKU-0001/WH-2").await, pair);
    wms.turn(|knobs| knobs.tells_counted = false);
    assert_eq!(get(&wms, "/stock/SKU-0001/WH-2").await["data"].get("counted"), None);
    for path in ["/stock/SKU-9999/WH-1", "/stock/sku-0001/WH-1", "/stock/SKU-0001/WH-9"] {
        assert_eq!(request(&wms, "GET", path).send().await.unwrap().status(), 404, "{path}");
    }
    let without = reqwest::get(format!("{}/stock", wms.url())).await.unwrap();
    assert_eq!(without.status(), 401);
}

#[tokio::test]
async fn the_feed_has_each_pair_once_with_its_newest_state_and_goes_on_where_it_ended() {
    let wms = warehouse().await;
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    let mut after = String::new();
    let mut pages = 0;
    loop {
        let page = get(&wms, &format!("/stock?limit=7{after}")).await;
        for item in page["items"].as_array().unwrap() {
            let data = &item["data"];
            let name = format!("{} {}", data["sku"], data["location"]);
            assert!(known.insert(name, item["version"].clone()).is_none(), "a pair stands there once");
        }
        after = format!("&after={}", page["next"].as_str().unwrap());
        pages += 1;
        if page["more"] == false {
            break;
        }
    }
    assert_eq!((known.len(), pages), (40, 6));

    let empty = get(&wms, &format!("/stock?limit=7{after}")).await;
    assert_eq!((&empty["items"], &empty["more"]), (&json!([]), &json!(false)));
    assert_eq!(format!("&after={}", empty["next"].as_str().unwrap()), after);
    wms.receive("SKU-0003", "WH-1", 1).unwrap();
    wms.receive("SKU-0004", "WH-1", 1).unwrap();
    wms.receive("SKU-0003", "WH-1", 1).unwrap();
    let changed = get(&wms, &format!("/stock?limit=7{after}")).await;
    let seen: Vec<_> = changed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["data"]["sku"].as_str().unwrap(), one["version"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, [("SKU-0004", 2), ("SKU-0003", 3)]);
    assert_eq!(request(&wms, "GET", "/stock?after=yesterday").send().await.unwrap().status(), 400);
}

async fn snapshot(wms: &WmsTwin) -> Vec<Value> {
    let answer = request(wms, "GET", "/stock/snapshot").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
    answer.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn a_snapshot_has_every_pair_and_says_at_its_end_that_it_is_whole() {
    // As many as make the last piece a full one, and one more.
    for generated in [480, 481] {
        let wms = WmsTwin::start(tidegate_twin::wms::WmsConfig { generated, ..config() }).await.unwrap();
        wms.receive("GEN-000480", "WH-2", 3).unwrap();
        let lines = snapshot(&wms).await;
        let pairs = (20 + generated as usize) * 2;
        assert_eq!(lines.len(), pairs + 1);
        assert_eq!(lines[pairs], json!({ "items": pairs, "next": (pairs + 1).to_string() }));
        assert_eq!(lines[999]["data"]["sku"], "GEN-000480");
        assert_eq!((&lines[999]["data"]["on_hand"], &lines[999]["version"]), (&json!("13"), &json!(2)));
        wms.turn(|knobs| knobs.cut_snapshot_after = Some(1000));
        let cut = snapshot(&wms).await;
        assert_eq!(
            (cut.len(), cut[999].get("data").is_some()),
            (1000, true),
            "nothing says that it is whole"
        );
    }
}

#[tokio::test]
async fn requests_fail_when_they_are_told_to() {
    let wms = warehouse().await;
    wms.turn(|knobs| knobs.error_per_mille = 1000);
    assert_eq!(request(&wms, "GET", "/stock").send().await.unwrap().status(), 503);
    wms.turn(|knobs| (knobs.error_per_mille, knobs.error_after_per_mille) = (0, 1000));
    assert_eq!(request(&wms, "GET", "/stock").send().await.unwrap().status(), 200);
    let body = json!({ "order": "5678", "lines": [{ "sku": "SKU-0001", "quantity": 2 }] });
    let answer =
        request(&wms, "POST", "/orders").header("idempotency-key", "k1").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 2, 2, 2), "it was carried out");
}
