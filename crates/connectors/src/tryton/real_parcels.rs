//! The real Tryton as a source of shipments.

use super::contract::Tryton;
use super::real::done;
use super::real_stock::{Shelf, order as shelf_order};
use connector::port::Wanted;
use serde_json::{Value, json};

/// Ships what is open of an order's sale: all of it, or so many units of each line. The shipment.
pub(super) async fn ship(tryton: &Tryton, wanted: &Wanted, units: Option<u32>) -> Value {
    let open = json!([
        ["moves.origin.sale.reference", "=", wanted.object_key.as_str(), "sale.line"],
        ["state", "not in", ["done", "cancelled"]]
    ]);
    let params = vec![open, json!(0), json!(1), json!([["id", "ASC"]]), json!(["inventory_moves"])];
    let found = tryton.ask("model.stock.shipment.out.search_read", params).await;
    let shipment = found[0]["id"].clone();
    if let Some(units) = units {
        let moves = found[0]["inventory_moves"].clone();
        tryton.ask("model.stock.move.write", vec![moves, json!({"quantity": units})]).await;
    }
    for button in ["assign_try", "pick", "pack", "do"] {
        tryton.ask(&format!("model.stock.shipment.out.{button}"), vec![json!([shipment])]).await;
    }
    shipment
}

/// The shipments that are told of an order, from the beginning.
async fn told(tryton: &Tryton, wanted: &Wanted) -> Vec<(i64, Value)> {
    let source = tryton.source();
    let call = connector::port::CallContext { shop: tryton.shop(), ..super::contract::call() };
    let (mut point, mut told) = (None::<String>, Vec::new());
    loop {
        let page = source.changes(&call, "orders", point.as_deref()).await.unwrap();
        let of = format!("{}/", wanted.subject.path);
        let ours = page.items.into_iter().filter(|fed| fed.path.starts_with(&of));
        told.extend(ours.map(|fed| {
            domains::shipments::read(&fed.payload).unwrap();
            (fed.sequence, serde_json::from_slice(&fed.payload).unwrap())
        }));
        point = Some(page.next);
        if !page.more {
            return told;
        }
    }
}

fn units(shipment: &Value) -> Vec<(&str, &str)> {
    let lines = shipment["lines"].as_array().unwrap();
    lines.iter().map(|line| (line["sku"].as_str().unwrap(), line["quantity"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn real_tryton_tells_a_split_shipment_as_two() {
    let shelf = Shelf::new(10).await;
    let tryton = &shelf.tryton;
    let mut wanted = shelf.order(5);
    done(&*tryton.here(), &mut wanted).await;
    assert!(told(tryton, &wanted).await.is_empty(), "what waits was not shipped");
    ship(tryton, &wanted, Some(2)).await;
    let first = told(tryton, &wanted).await;
    assert_eq!(first.len(), 1);
    assert_eq!(units(&first[0].1), [(shelf.sku.as_str(), "2")]);
    assert_eq!(first[0].1["location"], "main");
    ship(tryton, &wanted, None).await;
    let both = told(tryton, &wanted).await;
    assert_eq!(both[0], first[0], "told again it is the same fact");
    assert_eq!((both.len(), units(&both[1].1)), (2, vec![(shelf.sku.as_str(), "3")]));
    assert_ne!(both[0].1["shipment"], both[1].1["shipment"]);
}

#[tokio::test]
async fn real_tryton_tells_a_tracking_number_that_comes_later_and_a_cancellation() {
    let shelf = Shelf::new(10).await;
    let tryton = shelf.tryton.with("tracking", json!("reference"));
    let mut wanted = shelf_order(&tryton, &shelf.sku, 4);
    done(&*tryton.here(), &mut wanted).await;
    let shipment = ship(&tryton, &wanted, None).await;
    let before = told(&tryton, &wanted).await;
    assert!(before[0].1.get("tracking").is_none());
    tryton
        .ask("model.stock.shipment.out.write", vec![json!([shipment]), json!({"reference": "00340434"})])
        .await;
    let after = told(&tryton, &wanted).await;
    assert_eq!(after[0].1["tracking"]["numbers"], json!(["00340434"]));
    assert!(after[0].0 > before[0].0, "it has a greater version");
    // What is done is cancelled by who may.
    shelf.admin.ask("model.stock.shipment.out.cancel", vec![json!([shipment])]).await;
    let cancelled = told(&tryton, &wanted).await;
    assert!(cancelled[0].0 > after[0].0 && cancelled[0].1["cancelled_at"].is_string());
}
