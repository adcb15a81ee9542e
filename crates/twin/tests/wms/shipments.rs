//! Shipments: one for each place that units leave from, told in a feed, taken back.

use crate::{at, get, line, truth, warehouse};
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn what_leaves_is_one_shipment_for_each_place_and_stands_in_the_feed() {
    let wms = warehouse().await;
    wms.turn(|knobs| knobs.tells_shipments = true);
    wms.reserve("k1", "acme-order-5678", &[line("SKU-0001", 4), at("WH-2", "SKU-0002", 1)]).unwrap();
    wms.ship("acme-order-5678", &[]).unwrap();
    // Settled at once: the shop has it committed until it hears of the shipment.
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (6, 0, 0, 4));
    let shipments = wms.shipments();
    let lines = |sku: &str, units| BTreeMap::from([(sku.to_owned(), units)]);
    assert_eq!(shipments.iter().map(|one| one.location).collect::<Vec<_>>(), ["WH-1", "WH-2"]);
    assert_eq!((&shipments[0].lines, shipments[0].shop_order()), (&lines("SKU-0001", 4), "5678"));

    let all = get(&wms, "/shipments?shop=acme").await;
    let first = json!({
        "shipment": "SH-000001", "order": "5678", "location": "WH-1",
        "lines": [{ "sku": "SKU-0001", "quantity": "4" }],
        "tracking": {
            "company": "Carrier", "numbers": ["TRACK-SH-000001"],
            "urls": ["https://carrier.example/TRACK-SH-000001"],
        },
        "shipped_at": "2026-11-26T14:00:00Z",
    });
    assert_eq!(all["items"][0], json!({ "version": 1, "data": first }));
    assert_eq!((&all["next"], &all["more"]), (&json!("2"), &json!(false)));

    let taken_back = wms.cancel_shipment("SH-000001").unwrap();
    assert_eq!(taken_back.version, 2);
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 4, 4, 5), "it is back, and reserved as before");
    let later = get(&wms, "/shipments?shop=acme&after=2").await;
    assert_eq!(later["items"][0]["data"]["cancelled_at"], "2026-11-26T14:00:00Z");
    assert_eq!(wms.cancel_shipment("SH-000001").unwrap_err().code, "cancelled");
    assert_eq!(wms.cancel_shipment("SH-9").unwrap_err().status, 404);
    wms.ship("acme-order-5678", &[]).unwrap();
    assert_eq!(wms.shipments().len(), 3, "another number");
}

#[tokio::test]
async fn units_that_are_not_settled_yet_come_back_as_such() {
    let wms = warehouse().await;
    wms.reserve("k1", "o1", &[line("SKU-0001", 4)]).unwrap();
    wms.ship("o1", &[line("SKU-0001", 3)]).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (7, 1, 4, 3));
    wms.cancel_shipment("SH-000001").unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 4, 4, 4));
}
