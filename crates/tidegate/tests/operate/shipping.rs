//! What the warehouse ships is recorded in the shop, each shipment once: by the configuration that docs/shipments.md shows, between
//! the look-alikes of a shop, a back office and a warehouse.

use crate::hub::{Hub, until};
use crate::patience::{comes, eventually};
use crate::reserving::{SECRET, Warehouse};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;
use twin::shop::catalogue::Warehouse as Place;
use twin::shop::{Change, Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::{ShopConfig, signature};
use twin::wms::{ShipmentView, WantedLine};

const PAGE: &str = include_str!("../../../../docs/shipments.md");

/// The part of the page that is a configuration.
fn shown() -> String {
    let (_, rest) = PAGE.split_once("<!-- example: shipments -->\n```toml\n").unwrap();
    let every = "every = \"1m\"";
    assert!(rest.contains(every), "the page's cadence is another");
    rest.split_once("```").unwrap().0.replace(every, "every = \"1s\"")
}

/// The warehouse of the other test, that also tells what it ships.
pub(crate) async fn open() -> Warehouse {
    let warehouse = Warehouse::open_with(|text| {
        let owner = "\"erp.state\" = { owner = \"erp\" }";
        let scopes = "\"read_locations\"]";
        assert!(text.contains(owner) && text.contains(scopes));
        let more = "\"read_locations\", \"write_merchant_managed_fulfillment_orders\"]";
        text.replace(owner, "\"erp.state\" = { owner = \"erp\" }, \"wms\" = { owner = \"wms\" }")
            .replace(scopes, more)
            + "\n"
            + &shown()
    })
    .await;
    warehouse.wms.turn(|knobs| knobs.tells_shipments = true);
    warehouse
}

/// Where from, and what; by order. What was cancelled is not among them.
pub(crate) type Shipped = BTreeMap<u64, Vec<(&'static str, BTreeMap<String, i64>)>>;

/// As the warehouse has it.
fn told(shipments: &[ShipmentView]) -> Shipped {
    let mut shipped = Shipped::new();
    for one in shipments.iter().filter(|one| one.cancelled_at.is_none()) {
        let order = one.shop_order().parse().unwrap();
        shipped.entry(order).or_default().push((one.location, one.lines.clone()));
    }
    shipped.values_mut().for_each(|all| all.sort());
    shipped
}

/// As the shop shows it.
pub(crate) fn recorded(orders: &[Arc<Order>]) -> Shipped {
    let mut shipped = Shipped::new();
    for order in orders {
        for one in order.fulfilments.iter().filter(|one| one.cancelled_at.is_none()) {
            let mut lines: BTreeMap<String, i64> = BTreeMap::new();
            for (line, units) in &one.lines {
                let sku = order.line(*line).unwrap().sku.clone().unwrap();
                *lines.entry(sku).or_default() += i64::from(*units);
            }
            let location = Place::find(&one.location_id.to_string()).unwrap().code;
            shipped.entry(order.id).or_default().push((location, lines));
        }
    }
    shipped.values_mut().for_each(|all| all.sort());
    shipped
}

/// Until each of the warehouse's shipments is one fulfilment, and there are no others.
fn each_once(warehouse: &Warehouse) {
    let are_told = comes(|| {
        warehouse.office.folder.tidegate(&["status"]);
        told(&warehouse.wms.shipments()) == recorded(&warehouse.office.shop.orders())
    });
    if are_told {
        return;
    }
    let (told, recorded) = (told(&warehouse.wms.shipments()), recorded(&warehouse.office.shop.orders()));
    let said = warehouse.office.folder.tidegate(&["dead-letters", "list"]);
    panic!("told {told:#?}\nrecorded {recorded:#?}\n{}", said.out);
}

/// Until the ERP has made so many, and the warehouse has reserved them.
async fn known_everywhere(warehouse: &Warehouse, orders: usize) {
    warehouse.office.made(orders as u64).await;
    let are_known = comes(|| {
        warehouse.office.folder.tidegate(&["status"]);
        warehouse.wms.ledger().counts.orders == orders as u64
    });
    assert!(are_known, "the warehouse never had {orders} orders: {:?}", warehouse.wms.ledger());
}

fn name(order: &Order) -> String {
    format!("acme-order-{}", order.id)
}

/// Ships one unit of the order, then what is left; one that has but one unit ships once.
fn ship_in_two(warehouse: &Warehouse, order: &Order) {
    let open = warehouse.wms.order(&name(order)).unwrap().lines.into_iter().find(|line| line.quantity > 0);
    let Some(line) = open else { return };
    let one = WantedLine { sku: line.sku, quantity: 1, location: None };
    warehouse.wms.ship(&name(order), &[one]).unwrap();
    // Nothing may be left.
    let _ = warehouse.wms.ship(&name(order), &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shipped_in_parts_is_recorded_once_and_amends_no_order() {
    let warehouse = open().await;
    let _hub = warehouse.hub_with(&[]);
    let orders = warehouse.office.orders(1001, 12);
    known_everywhere(&warehouse, orders.len()).await;
    warehouse.at_rest();
    let before = warehouse.office.erp.ledger();

    orders.iter().for_each(|order| ship_in_two(&warehouse, order));
    each_once(&warehouse);
    let shop = &warehouse.office.shop;
    let tracked = shop.orders().iter().flat_map(|order| order.fulfilments.clone()).collect::<Vec<_>>();
    assert!(tracked.iter().all(|one| one.tracking.numbers.len() == 1), "{tracked:?}");
    // Two of them did not leave after all: one is sent once more.
    let shipments = warehouse.wms.shipments();
    for one in [&shipments[0], &shipments[3]] {
        warehouse.wms.cancel_shipment(&one.shipment).unwrap();
    }
    each_once(&warehouse);
    warehouse.wms.ship(&shipments[0].order, &[]).unwrap();
    each_once(&warehouse);
    let cancelled = shop.orders().iter().flat_map(|order| order.fulfilments.clone()).collect::<Vec<_>>();
    assert_eq!(cancelled.iter().filter(|one| one.cancelled_at.is_some()).count(), 2);

    // What the shop sells is what the warehouse has to sell, and each call was made once.
    warehouse.at_rest();
    let calls = shop.stats().api;
    let made = warehouse.wms.shipments().len() as u64;
    assert_eq!((calls["fulfillmentCreate"], calls["fulfillmentCancel"]), (made, 2));
    // The shop says of each order that it changed: it was shipped, which is nothing to the ERP.
    let folder = &warehouse.office.folder;
    for order in shop.orders() {
        until(folder, &["orders", "show", &order.name, "--json"], &order.updated_at.to_string());
    }
    until(
        folder,
        &["deliveries", "list", "--phase", "open", "--system", "erp", "--json"],
        "\"deliveries\":[]",
    );
    let after = warehouse.office.erp.ledger();
    let changes = |ledger: &twin::erp::Ledger| (ledger.creates, ledger.amends, ledger.cancels);
    assert_eq!(changes(&after), changes(&before), "the ERP's orders were changed by shipments");
    let letters = warehouse.office.folder.json(&["dead-letters", "list"])["groups"].to_string();
    assert_eq!(letters, "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_lost_pushes_and_a_killed_hub_lose_no_shipment_and_double_none() {
    let warehouse = open().await;
    let hub = warehouse.hub_with(&[]);
    let orders = warehouse.office.orders(1001, 30);
    known_everywhere(&warehouse, orders.len()).await;
    // No number tells one parcel from another that holds the same.
    warehouse.wms.turn(|knobs| {
        knobs.tracks = false;
        knobs.drop_per_mille = 100;
        knobs.duplicate_per_mille = 150;
        knobs.reorder_per_mille = 100;
    });
    warehouse.office.shop.turn_faults(|faults| {
        let ours = ["fulfillmentCreate", "fulfillmentCancel", "metafieldsSet"];
        faults.only = ours.map(str::to_owned).into();
        faults.error_before_per_mille = 60;
        faults.error_after_per_mille = 150;
        faults.cut_off_per_mille = 60;
        faults.late_per_mille = 60;
        faults.late_by = Duration::from_millis(300);
    });
    orders[..20].iter().for_each(|order| ship_in_two(&warehouse, order));
    // In the middle of it.
    let some_are = || {
        warehouse.office.folder.tidegate(&["status"]);
        recorded(&warehouse.office.shop.orders()).len() >= 5
    };
    assert!(comes(some_are), "no five orders have a fulfilment");
    hub.kill();
    // Nobody is there, and the warehouse goes on.
    orders[20..].iter().for_each(|order| ship_in_two(&warehouse, order));
    let shipments = warehouse.wms.shipments();
    for one in shipments.iter().step_by(6) {
        warehouse.wms.cancel_shipment(&one.shipment).unwrap();
    }
    let _hub = warehouse.hub_with(&[]);
    each_once(&warehouse);
    // Those that did not leave are sent once more.
    for one in shipments.iter().step_by(12) {
        warehouse.wms.ship(&one.order, &[]).unwrap();
    }
    each_once(&warehouse);
    let faults = warehouse.office.shop.stats().api;
    assert!(faults["fault_error_after"] + faults["fault_cut_off"] > 0, "nothing was lost: {faults:?}");
    let pushes = warehouse.wms.ledger().pushes;
    assert!(pushes.dropped > 0 && pushes.duplicated > 0, "nothing went wrong: {pushes:?}");
    warehouse.office.shop.turn_faults(|faults| *faults = twin::shopify::ApiFaults::default());
    warehouse.at_rest();
    // At rest it stays so.
    each_once(&warehouse);
}

/// What a source of shipments would push.
pub(crate) fn push(hub: &Hub, order: u64, shipment: &str, version: u64, more: Value) -> (u16, String) {
    let mut data = json!({
        "shipment": shipment, "order": order.to_string(), "shipped_at": crate::office::now().to_string(),
    });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let subject = format!("acme/order:{order}/shipment:{shipment}");
    let body = json!({ "subject": subject, "version": version, "topic": "shipment/state", "data": data })
        .to_string();
    let signed = signature(SECRET, body.as_bytes());
    let request = format!(
        "POST /ingest/wms/orders HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nx-tidegate-hmac-sha256: {signed}\r\n\r\n{body}",
        hub.address,
        body.len()
    );
    let mut stream = TcpStream::connect(&hub.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// The first line of goods.
fn goods(order: &Order) -> (String, u32) {
    let line = order.lines.iter().find(|line| line.fulfillable() > 0 && line.requires_shipping).unwrap();
    (line.sku.clone().unwrap(), line.fulfillable())
}

/// Until the shop has so many fulfilments of the order.
fn until_recorded(warehouse: &Warehouse, order: u64, count: usize) -> Arc<Order> {
    let recorded = eventually(|| {
        warehouse.office.folder.tidegate(&["status"]);
        warehouse.office.shop.order(order).filter(|found| found.fulfilments.len() == count)
    });
    recorded.unwrap_or_else(|| {
        let said = warehouse.office.folder.tidegate(&["deliveries", "list"]);
        panic!("the shop never had {count} fulfilments of {order}: {}", said.out)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_before_its_order_waits_for_it_and_what_is_held_waits_for_its_release() {
    let warehouse = open().await;
    let hub = warehouse.hub_with(&[]);
    let (folder, shop) = (&warehouse.office.folder, &warehouse.office.shop);
    let placed = later_order();
    let (sku, units) = goods(&placed);
    let lines = json!({ "lines": [{ "sku": sku, "quantity": units }] });
    assert_eq!(push(&hub, placed.id, "SH-1", 1, lines).0, 200);
    until(folder, &["dead-letters", "list", "--json"], "missing_order");
    shop.apply(&Change { order_id: placed.id, what: What::Place(Box::new(placed.clone())) }).unwrap();
    until_recorded(&warehouse, placed.id, 1);

    let held = warehouse.office.orders(1001, 1).into_iter().find(|order| order.id != placed.id).unwrap();
    shop.hold(held.id, "HIGH_RISK_OF_FRAUD");
    let (sku, _) = goods(&held);
    assert_eq!(push(&hub, held.id, "SH-2", 1, json!({ "lines": [{ "sku": sku, "quantity": 1 }] })).0, 200);
    until(folder, &["deliveries", "list", "--json"], "TG-6503");
    assert!(shop.order(held.id).unwrap().fulfilments.is_empty());
    shop.release(held.id);
    until_recorded(&warehouse, held.id, 1);
}

/// The mapping, with what the page says of a location that the shop shows at several of its own: the warehouse's second.
pub(crate) fn divided(mapping: &str) -> String {
    let (_, rest) = PAGE.split_once("### From a location that is divided").unwrap();
    let (rule, _) = rest.split_once("```toml\n").unwrap().1.split_once("```").unwrap();
    let (rule, table) = rule.split_once("\n\n").unwrap();
    let (mapping, _) = mapping.split_once("[tables.locations]").unwrap();
    let own = "  { to = \"location\", copy = \"location\", then = [{ look_up = \"locations\" }] },";
    assert!(mapping.contains(own));
    mapping.replace(own, rule) + &table.replace("\"WH-1\" = \"Warehouse 1|", "\"WH-2\" = \"Warehouse 1|")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_left_a_location_that_is_divided_is_recorded_where_its_order_is_assigned() {
    let warehouse = open().await;
    let path = warehouse.office.folder.path("mappings/shipments_to_shopify.toml");
    std::fs::write(&path, divided(&std::fs::read_to_string(&path).unwrap())).unwrap();
    let hub = warehouse.hub_with(&[]);
    let order = warehouse.office.orders(1001, 1)[0].clone();
    let (sku, _) = goods(&order);
    let from = |at: &str| json!({ "location": at, "lines": [{ "sku": sku, "quantity": 1 }] });
    // Of a location that stands in no table nobody knows where it is.
    push(&hub, order.id, "SH-1", 1, from("WH-1"));
    until(&warehouse.office.folder, &["dead-letters", "list", "--json"], "TG-2103");
    push(&hub, order.id, "SH-2", 1, from("WH-2"));
    let recorded = until_recorded(&warehouse, order.id, 1);
    assert_eq!(Place::find(&recorded.fulfilments[0].location_id.to_string()).unwrap().code, "WH-1");
}

/// An order that the shop has not had yet.
fn later_order() -> Order {
    let shop = Arc::new(ShopConfig::new("acme.myshopify.com").profile);
    let config = WorkloadConfig {
        seed: 77,
        orders: 1,
        first_number: 5001,
        start: crate::office::now(),
        interval_ms: 1,
        shop,
        mix: Mix { b2b: 0, ..Mix::plain() },
    };
    let placed = Workload::new(config).find_map(|(_, change)| match change.what {
        What::Place(order) => Some(*order),
        _ => None,
    });
    placed.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_at_the_door_or_as_a_dead_letter_and_healed_by_what_is_right() {
    let warehouse = open().await;
    let hub = warehouse.hub_with(&[]);
    let folder = &warehouse.office.folder;
    let order = warehouse.office.orders(1001, 1)[0].clone();
    let (sku, units) = goods(&order);
    let line = |sku: &str, quantity: Value| json!({ "lines": [{ "sku": sku, "quantity": quantity }] });
    let bad = [json!(0), json!(-1), json!(1.5), json!("1.5")].map(|quantity| line(&sku, quantity));
    for more in bad.into_iter().chain([json!({ "lines": [] }), json!({ "order": "9" })]) {
        let (status, answer) = push(&hub, order.id, "SH-1", 1, more.clone());
        assert_eq!(status, 400, "{more}: {answer}");
        assert!(answer.contains("TG-7016"), "{answer}");
    }
    let letters = ["dead-letters", "list", "--json"];
    push(&hub, order.id, "SH-1", 1, line("SKU-9999", json!(1)));
    until(folder, &letters, "TG-6504");
    push(&hub, order.id, "SH-2", 1, line(&sku, json!(units + 1)));
    until(folder, &letters, "TG-6505");
    let elsewhere = json!({ "location": "WH-2", "lines": [{ "sku": sku, "quantity": 1 }] });
    push(&hub, order.id, "SH-3", 1, elsewhere);
    until(folder, &letters, "TG-6506");
    // Cancelled before it was shipped, and told so twice: there is nothing to take back, and nothing to send any more.
    let cancelled = json!({ "cancelled_at": crate::office::now().to_string() });
    push(&hub, order.id, "SH-4", 2, cancelled.clone());
    push(&hub, order.id, "SH-4", 2, cancelled.clone());
    until(folder, &["deliveries", "list", "--json"], "cancelled_before_export");
    push(&hub, order.id, "SH-4", 1, line(&sku, json!(1)));
    // A newer version of each is right, or takes it back.
    push(&hub, order.id, "SH-1", 2, line(&sku, json!(units)));
    push(&hub, order.id, "SH-2", 2, cancelled.clone());
    push(&hub, order.id, "SH-3", 2, cancelled);
    let recorded = until_recorded(&warehouse, order.id, 1);
    assert_eq!(recorded.fulfilments[0].lines.iter().map(|(_, units)| units).sum::<u32>(), units);
    assert!(comes(|| folder.json(&letters[..2])["groups"] == json!([])));
    assert_eq!(warehouse.office.shop.order(order.id).unwrap().fulfilments.len(), 1);
}
