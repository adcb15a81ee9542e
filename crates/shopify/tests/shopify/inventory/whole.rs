//! All of the stock, from one bulk operation.

use super::told::Told;
use super::{known, wanted};
use crate::support::{call, config, connection, ports, start};
use connector::outbound::classify::code::ADDRESS_REFUSED;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tidegate_shopify::bulk::{self, Finished, Lines};
use tidegate_shopify::graphql::{ALL_STOCK, ShopClient};
use tidegate_shopify::inventory::snapshot::{self, Snapshot};
use twin::shop::catalogue::generated;
use twin::shopify::{ShopConfig, StockConfig};

const HOUR: Duration = Duration::from_secs(3600);
/// A pause takes no time here, and the shop's own work does.
const LONG: Duration = Duration::from_secs(3600 * 24 * 365);

#[tokio::test]
async fn every_level_of_the_shop_comes_once_with_what_can_be_sold_and_what_is_committed() {
    let stock = StockConfig { generated: 1500, available: 10, ..StockConfig::default() };
    let (twin, client) = start(ShopConfig { stock, ..config() }).await;
    let client = Arc::new(client);
    twin.set_by_hand(&generated::sku(7), "WH-2", -3).unwrap();
    let mut told = Vec::new();
    let finished =
        snapshot::take(&client, &call(), LONG, &mut |progress| told.push(progress.lines)).await.unwrap();
    assert_eq!(told.last(), Some(&finished.lines));
    let expected: BTreeSet<(String, &str, i64, i64)> = twin
        .all_stock()
        .into_iter()
        .map(|row| (row.sku, row.location, row.levels.available, row.levels.committed))
        .collect();
    assert_eq!(expected.len(), 1520 * 2);
    // A second reading is the same.
    for _ in 0..2 {
        let mut snapshot = Snapshot::open(&client, &call(), &finished, HOUR).await.unwrap();
        let (mut found, mut levels) = (BTreeSet::new(), BTreeSet::new());
        while let Some(row) = snapshot.next().await.unwrap() {
            let location = twin::shop::catalogue::Warehouse::find(row.location).unwrap().code;
            found.insert((row.sku.to_owned(), location, row.available, row.committed));
            assert!(levels.insert(row.level.to_owned()), "{} comes twice", row.level);
        }
        assert_eq!(found, expected);
        assert_eq!((snapshot.read(), snapshot.without_sku()), ((finished.lines, finished.lines), 0));
        assert!(snapshot.next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_level_of_the_list_is_the_level_that_a_look_finds() {
    let stock = StockConfig { generated: 2, ..StockConfig::default() };
    let (twin, client) = start(ShopConfig { stock, ..config() }).await;
    let client = Arc::new(client);
    let finished = snapshot::take(&client, &call(), LONG, &mut |_| {}).await.unwrap();
    let mut snapshot = Snapshot::open(&client, &call(), &finished, HOUR).await.unwrap();
    let connector = super::connected(twin.url(), &config().clock, json!({}));
    while let Some(row) = snapshot.next().await.unwrap() {
        let wanted = known(wanted(row.sku, row.location, row.available, None), row.level);
        let observation = connector.observe(&call(), &wanted).await.unwrap();
        let plan = connector.plan(&wanted, &observation);
        assert!(
            matches!(&plan, connector::port::Plan::Done(done) if done.external.id == row.level),
            "{plan:?}"
        );
    }
}

fn running(told: &Told, status: &str, with: Value) {
    let mut operation =
        json!({ "id": "gid://shopify/BulkOperation/1", "status": status, "objectCount": "2" });
    operation.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    told.says(json!({ "bulkOperation": operation }));
}

async fn shop() -> (Told, Arc<ShopClient>) {
    let told = Told::start().await;
    let client = ShopClient::connect(connection(&told.url), ports(&config().clock)).unwrap();
    (told, Arc::new(client))
}

#[tokio::test]
async fn how_an_operation_ends_is_told() {
    use FaultKind::*;
    let (told, client) = shop().await;
    for (status, with, kind) in [
        ("FAILED", json!({ "errorCode": "INTERNAL_SERVER_ERROR" }), Transient),
        ("FAILED", json!({ "errorCode": "ACCESS_DENIED" }), Unauthorized),
        ("CANCELED", json!({}), Rejected),
        ("EXPIRED", json!({}), Rejected),
        ("COMPLETED", json!({ "url": null }), Transient),
    ] {
        running(&told, "RUNNING", json!({}));
        running(&told, status, with);
        let fault = bulk::await_result(&client, &call(), "1", HOUR, &mut |_| {}).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, "TG-6411"), "{status}: {fault}");
    }
    // A look that fails is no end; nor is a bucket that is too low.
    running(&told, "CREATED", json!({}));
    told.fails("INTERNAL_SERVER_ERROR");
    told.fails("THROTTLED");
    running(&told, "COMPLETED", json!({ "url": "https://files.example/1", "fileSize": "10" }));
    let finished = bulk::await_result(&client, &call(), "1", HOUR, &mut |_| {}).await.unwrap();
    assert_eq!(finished.lines, 2);
    for _ in 0..10 {
        running(&told, "RUNNING", json!({}));
    }
    let fault =
        bulk::await_result(&client, &call(), "1", Duration::from_secs(20), &mut |_| {}).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (Transient, "TG-6412"));
}

#[tokio::test]
async fn where_five_run_already_it_waits_its_turn() {
    let (told, client) = shop().await;
    let refused = |code: &str| json!({ "bulkOperationRunQuery": { "bulkOperation": null, "userErrors": [{ "code": code, "field": null, "message": "no" }] } });
    told.says(refused("OPERATION_IN_PROGRESS"));
    let fault = bulk::begin(&client, &call(), &ALL_STOCK).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Throttled, Some(Duration::from_secs(30))));
    told.says(refused("INVALID"));
    assert_eq!(bulk::begin(&client, &call(), &ALL_STOCK).await.unwrap_err().kind, FaultKind::Rejected);
    told.fails("INTERNAL_SERVER_ERROR");
    let fault = bulk::begin(&client, &call(), &ALL_STOCK).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Transient, "it changes nothing, so it may be begun again");
}

/// A result as the shop says that it is, of a file that may be another.
async fn result(says: Value, file: &str) -> Result<Vec<String>, Fault> {
    let (told, client) = shop().await;
    let mut with = json!({ "url": format!("{}/bulk/1.jsonl?signature=s", told.url) });
    with.as_object_mut().unwrap().extend(says.as_object().unwrap().clone());
    running(&told, "COMPLETED", with);
    told.holds(file);
    let finished: Finished = bulk::await_result(&client, &call(), "1", HOUR, &mut |_| {}).await.unwrap();
    let mut lines = Lines::open(&client, &call(), &finished, HOUR).await?;
    let mut all = Vec::new();
    while let Some(line) = lines.next().await? {
        all.push(String::from_utf8(line.to_vec()).unwrap());
    }
    Ok(all)
}

#[tokio::test]
async fn a_file_that_ends_early_is_no_full_list() {
    let both = ["{\"a\":1}", "{\"b\":2}"].map(str::to_owned).to_vec();
    for (says, file) in [
        (json!({ "fileSize": "16" }), "{\"a\":1}\n{\"b\":2}\n"),
        (json!({ "fileSize": "15" }), "{\"a\":1}\n{\"b\":2}"),
        (json!({}), "{\"a\":1}\n\n{\"b\":2}\n"),
        (json!({ "objectCount": "7", "fileSize": "16" }), "{\"a\":1}\n{\"b\":2}\n"),
    ] {
        assert_eq!(result(says, file).await, Ok(both.clone()), "{file:?}");
    }
    for (says, file) in [
        (json!({ "fileSize": "16" }), "{\"a\":1}\n"),
        (json!({ "fileSize": "16" }), "{\"a\":1}\n{\"b\":2"),
        (json!({}), "{\"a\":1}\n"),
        (json!({}), ""),
    ] {
        let fault = result(says, file).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-6413"), "{file:?}");
    }
    let none = result(json!({ "url": null, "objectCount": "0" }), "").await;
    assert_eq!(none, Ok(Vec::new()));
    let endless = format!("{}\n", "x".repeat(1024 * 1024 + 1));
    let says = json!({ "fileSize": (endless.len()).to_string() });
    assert_eq!(result(says, &endless).await.unwrap_err().code, "TG-6414");
    let inside = json!({ "url": "http://169.254.169.254/latest" });
    assert_eq!(result(inside, "").await.unwrap_err().code, ADDRESS_REFUSED);
}

#[tokio::test]
async fn what_is_no_level_is_said_and_what_has_no_sku_is_counted() {
    let level = |item: Value, quantities: Value| {
        json!({
            "id": "gid://shopify/InventoryLevel/1?inventory_item_id=2", "location": { "id": "gid://shopify/Location/1" },
            "item": item, "quantities": quantities, "__parentId": "gid://shopify/InventoryItem/2"
        })
    };
    let quantities = json!([{ "name": "available", "quantity": 3 }, { "name": "committed", "quantity": 1 }]);
    let good = level(json!({ "sku": "Überzug \"2\"" }), quantities.clone());
    let read = async |last: String| {
        let (told, client) = shop().await;
        // The child may come before its parent.
        let lines = [
            good.to_string(),
            json!({ "id": "gid://shopify/InventoryItem/2" }).to_string(),
            level(json!({ "sku": null }), quantities.clone()).to_string(),
            level(json!({ "sku": "" }), quantities.clone()).to_string(),
            last,
        ];
        let url = format!("{}/bulk/1.jsonl", told.url);
        running(&told, "COMPLETED", json!({ "url": url, "objectCount": lines.len() }));
        told.holds(&format!("{}\n", lines.join("\n")));
        let finished = bulk::await_result(&client, &call(), "1", HOUR, &mut |_| {}).await.unwrap();
        let mut snapshot = Snapshot::open(&client, &call(), &finished, HOUR).await.unwrap();
        let row = snapshot.next().await.unwrap().unwrap();
        assert_eq!((row.sku, row.available, row.committed), ("Überzug \"2\"", 3, 1));
        let last = snapshot.next().await.map(|row| row.map(|row| row.sku.to_owned()));
        (last, snapshot.without_sku())
    };
    assert_eq!(read(good.to_string()).await, (Ok(Some("Überzug \"2\"".to_owned())), 2));
    for spoiled in ["{\"id\":", "[]", "null", "{}"] {
        let (last, _) = read(spoiled.to_owned()).await;
        let fault = last.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-6414"), "{spoiled}");
        assert!(fault.message.contains("line 5"), "{fault}");
    }
    let lacking = level(json!({ "sku": "A" }), json!([{ "name": "available", "quantity": 3 }]));
    assert!(read(lacking.to_string()).await.0.unwrap_err().message.contains("no committed"));
}
