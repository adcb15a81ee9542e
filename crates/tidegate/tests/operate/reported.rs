//! What a full check of stock found, after whoever asked for it has gone: its report, its history, and both as a file.

use crate::hub::Hub;
use crate::patience::eventually;
use crate::seeded;
use crate::stock::{agree, keeper, warehouse};
use serde_json::{Value, json};
use std::time::Duration;
use store::Store as _;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_nightly_check_found_is_shown_the_next_morning_pair_by_pair() {
    let office = warehouse().await;
    let keeper = keeper(&office).await;
    let asked = ["reconcile", "show"];
    let hub = Hub::start(&office.folder);
    agree(&office, &keeper);
    office.folder.tidegate(&asked).refused(4, &["no full check has been made yet"]);
    hub.kill();

    // By its cadence nobody sees what streams past.
    let every =
        ["flows.stock_to_shopify.stock.full_check=1s", "flows.stock_to_shopify.stock.full_check_mends=false"];
    let hub = Hub::start_with(&office.folder, &every);
    office.shop.set_by_hand("SKU-0003", "WH-1", 9_999).unwrap();
    let report = eventually(|| {
        // Until the first is made there is none.
        let said = office.folder.tidegate(&["reconcile", "show", "--json"]);
        let report: Value = serde_json::from_str(&said.out).ok()?;
        (report["causes"] == json!({ "differs": 1 })).then_some(report)
    })
    .unwrap();
    hub.kill();

    let line = &report["differences"][0];
    assert_eq!(
        (&line["sku"], &line["has"], &line["why"]),
        (&json!("SKU-0003"), &json!(9_999), &json!("changed_in_shop"))
    );
    assert!(line["changed_at"].is_string(), "when it was typed is told under every policy: {line}");
    assert_eq!(
        (&report["who"], &report["why"], &report["dry_run"]),
        (&json!("tidegate"), &json!("the cadence of its flow"), &json!(true)),
        "{report}"
    );
    let id = report["number"].to_string();
    // Without a hub, too: it is in the store.
    let table = office.folder.tidegate(&["reconcile", "show", &id, "--csv"]);
    assert!(table.out.contains("stock_to_shopify,acme,SKU-0003,WH-1,"), "{table:?}");
    let drawn = office.folder.tidegate(&["reconcile", "show", &id]);
    assert!(drawn.out.contains("changed in the shop by somebody else"), "{drawn:?}");
    let all = office.folder.json(&["reconcile", "reports", "--limit", "1000"]);
    let is_this = |one: &&Value| one["number"] == report["number"];
    let kept = all["reports"].as_array().unwrap().iter().find(is_this).unwrap();
    assert_eq!((&kept["whole"], &kept["whys"]), (&json!(true), &json!({ "changed_in_shop": 1 })));
    office
        .folder
        .tidegate(&["reconcile", "show", "9999"])
        .refused(4, &["no check 9999", "reconcile reports"]);
    office
        .folder
        .tidegate(&["reconcile", "reports", "--shop", "other"])
        .refused(4, &["stock_to_shopify at acme"]);

    // One by hand stands among them, under the number that it was told.
    let made = office.folder.json(&["reconcile", "inventory", "--why", "a test"]);
    let newest = office.folder.json(&asked);
    assert_eq!(made["parts"][0]["report"], newest["number"], "{made}");
    assert_eq!((&newest["why"], &newest["appended"]), (&json!("a test"), &json!(1)));
}

/// As a node elsewhere that shares the store: a lock in this one's data directory says nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn neither_a_check_nor_a_backfill_begins_beside_one_of_another_node() {
    let office = warehouse().await;
    let _keeper = keeper(&office).await;
    let hold = async |length: Duration| {
        let store = seeded::open(&office.folder);
        let name = "stock_run/stock_to_shopify/acme";
        assert!(store.lease(name, "elsewhere", crate::office::now(), length).await.unwrap());
    };
    hold(Duration::from_secs(3_600)).await;
    let check: &[&str] = &["reconcile", "inventory", "--dry-run"];
    let part: &[&str] = &["backfill", "inventory", "--sku", "SKU-0001", "--dry-run"];
    for asked in [check, part] {
        office.folder.tidegate(asked).refused(1, &["TG-7031", "at another node"]);
    }
    hold(Duration::ZERO).await;
    for asked in [check, part] {
        let said = office.folder.tidegate(asked);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
}
