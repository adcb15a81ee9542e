//! Parcels of orders that the shop has at two of its locations, which are one at the warehouse: each is a fulfilment at both, once,
//! also by a hub that is killed between the two and told nothing of the second.

use crate::hub::Hub;
use crate::patience::comes;
use crate::reserving::Warehouse;
use crate::shipping::{Shipped, divided, open, push, recorded};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use twin::shop::{Change, Mix, Order, What, Workload, WorkloadConfig};
use twin::shopify::{ApiFaults, ShopConfig};

/// What of an order is goods: SKU and units.
fn goods(order: &Order) -> BTreeMap<String, i64> {
    let mut goods = BTreeMap::new();
    for line in order.lines.iter().filter(|line| line.requires_shipping && line.quantity > 0) {
        *goods.entry(line.sku.clone().unwrap()).or_default() += i64::from(line.quantity);
    }
    goods
}

/// Orders that the shop has not had yet, of several SKUs each.
fn of_several(count: usize) -> Vec<Order> {
    let config = WorkloadConfig {
        seed: 77,
        orders: 80,
        first_number: 5001,
        start: crate::office::now(),
        interval_ms: 1,
        shop: Arc::new(ShopConfig::new("acme.myshopify.com").profile),
        mix: Mix { b2b: 0, ..Mix::plain() },
    };
    let placed = Workload::new(config).filter_map(|(_, change)| match change.what {
        What::Place(order) => Some(*order),
        _ => None,
    });
    let are_goods =
        |order: &Order| order.lines.iter().all(|line| line.variant_id.is_some() && line.sku.is_some());
    placed.filter(|order| are_goods(order) && goods(order).len() > 1).take(count).collect()
}

/// Places each where its first SKU is at one location alone, and all else at the other; as the shop is to show their parcels.
fn place(warehouse: &Warehouse, orders: &[Order]) -> Shipped {
    let shop = &warehouse.office.shop;
    let mut all = Shipped::new();
    for order in orders {
        let goods = goods(order);
        let first = goods.keys().next().cloned().unwrap();
        for sku in goods.keys() {
            let [here, there] = if *sku == first { ["WH-1", "WH-2"] } else { ["WH-2", "WH-1"] };
            shop.set_by_hand(sku, here, 999).unwrap();
            shop.set_by_hand(sku, there, 0).unwrap();
        }
        shop.apply(&Change { order_id: order.id, what: What::Place(Box::new(order.clone())) }).unwrap();
        let (one, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
            goods.into_iter().partition(|(sku, _)| *sku == first);
        all.insert(order.id, vec![("WH-1", one), ("WH-2", other)]);
    }
    all
}

/// All of an order in one parcel, from the location that the shop shows at two of its own.
fn tell(hub: &Hub, order: &Order, version: u64, number: &str) {
    let lines: Vec<Value> =
        goods(order).iter().map(|(sku, units)| json!({ "sku": sku, "quantity": units })).collect();
    let parcel = json!({
        "location": "WH-2", "lines": lines, "notify_customer": true,
        "tracking": { "company": "DHL", "numbers": [number] },
    });
    let (status, answer) = push(hub, order.id, &format!("SH-{}", order.id), version, parcel);
    assert_eq!(status, 200, "{answer}");
}

/// Numbers by which what stands of an order can be followed.
fn numbers(warehouse: &Warehouse, order: &Order) -> BTreeSet<String> {
    let made = warehouse.office.shop.order(order.id).unwrap().fulfilments.clone();
    made.into_iter().flat_map(|one| one.tracking.numbers).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_killed_between_the_two_and_told_nothing_of_the_second_makes_each_once() {
    let warehouse = open().await;
    let folder = &warehouse.office.folder;
    let shop = &warehouse.office.shop;
    let path = folder.path("mappings/shipments_to_shopify.toml");
    std::fs::write(&path, divided(&std::fs::read_to_string(&path).unwrap())).unwrap();
    let orders = of_several(3);
    assert_eq!(orders.len(), 3);
    let expected = place(&warehouse, &orders);
    let placed = || -> Vec<_> { orders.iter().filter_map(|order| shop.order(order.id)).collect() };
    let are_recorded = |what: &Shipped| {
        folder.tidegate(&["status"]);
        recorded(&placed()) == *what
    };
    let only = |faults: &mut ApiFaults, before: u32, after: u32| {
        faults.only = ["fulfillmentCreate".to_owned()].into();
        (faults.error_before_per_mille, faults.error_after_per_mille) = (before, after);
    };

    let hub = warehouse.hub_with(&[]);
    orders.iter().for_each(|order| tell(&hub, order, 1, "first"));
    // One of the two is there, and the other is refused from then on.
    let is_halfway = || recorded(&placed()).values().any(|made| made.len() == 1);
    let stands_halfway = || {
        shop.turn_faults(|faults| only(faults, 1000, 0));
        let halfway = is_halfway();
        if !halfway {
            shop.turn_faults(|faults| only(faults, 0, 0));
        }
        halfway
    };
    assert!(comes(stands_halfway) && comes(stands_halfway), "{:#?}", recorded(&placed()));
    hub.kill();
    assert!(is_halfway(), "{:#?}", recorded(&placed()));
    // Whatever is made now is carried out, and nobody is told.
    shop.turn_faults(|faults| only(faults, 0, 1000));
    let hub = warehouse.hub_with(&[]);
    let all = comes(|| are_recorded(&expected));
    assert!(all, "{:#?}\n{}", recorded(&placed()), folder.tidegate(&["dead-letters", "list"]).out);
    assert!(shop.stats().api["fault_error_after"] >= 1, "no answer was lost: {:?}", shop.stats().api);
    shop.turn_faults(|faults| only(faults, 0, 0));
    assert!(
        comes(|| shop.mails().len() == orders.len()),
        "each customer is written to once: {:?}",
        shop.mails()
    );

    // Other tracking numbers reach both, and what is called off is taken back at both.
    orders.iter().for_each(|order| tell(&hub, order, 2, "second"));
    let followed = || orders.iter().all(|order| numbers(&warehouse, order) == ["second".to_owned()].into());
    assert!(comes(|| folder.tidegate(&["status"]).code == Some(0) && followed()), "{:#?}", placed());
    for order in &orders {
        let cancelled = json!({ "cancelled_at": crate::office::now().to_string() });
        push(&hub, order.id, &format!("SH-{}", order.id), 3, cancelled);
    }
    assert!(comes(|| are_recorded(&Shipped::new())), "{:#?}", recorded(&placed()));
    assert_eq!(folder.json(&["dead-letters", "list"])["groups"], json!([]));
    assert_eq!(shop.mails().len(), 2 * orders.len(), "one mail tells of the other number");
    assert!(placed().iter().all(|order| order.fulfilments.len() == 2), "{:#?}", placed());
}
