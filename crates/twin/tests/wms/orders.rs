//! Reservations: once for each key, counted, shipped, settled, given back.

use crate::{at, line, request, truth, warehouse};
use serde_json::{Value, json};
use tidegate_twin::wms::WmsTwin;

async fn post(wms: &WmsTwin, key: &str, body: &Value) -> (u16, Value) {
    let answer =
        request(wms, "POST", "/orders").header("idempotency-key", key).json(body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn wanted(order: &str, quantity: u32) -> Value {
    json!({ "order": order, "lines": [{ "sku": "SKU-0001", "quantity": quantity }, { "sku": "SKU-0002", "quantity": 1, "location": "WH-2" }] })
}

#[tokio::test]
async fn an_order_reserves_once_for_its_key() {
    let wms = warehouse().await;
    let (status, first) = post(&wms, "k1", &wanted("acme/order:5678", 3)).await;
    let view = json!({ "order": "acme/order:5678", "state": "reserved", "lines": [
        { "sku": "SKU-0001", "location": "WH-1", "quantity": 3, "shipped": 0 },
        { "sku": "SKU-0002", "location": "WH-2", "quantity": 1, "shipped": 0 } ] });
    assert_eq!((status, &first), (201, &view));
    assert_eq!(post(&wms, "k1", &wanted("acme/order:5678", 3)).await, (200, view));
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 2));
    let cases = [
        ("k1", wanted("acme/order:5678", 4), 422, "key_reused"),
        ("k2", wanted("acme/order:5678", 3), 409, "duplicate"),
        ("k3", json!({ "order": "x", "lines": [{ "sku": "SKU-9999", "quantity": 1 }] }), 422, "unknown_item"),
        ("k4", json!({ "order": "x", "lines": [{ "sku": "SKU-0001", "qty": 1 }] }), 400, "bad_request"),
        ("", wanted("x", 1), 400, "key_missing"),
    ];
    for (key, body, status, code) in cases {
        let (found, answer) = post(&wms, key, &body).await;
        assert_eq!((found, &answer["error"]["code"]), (status, &json!(code)), "{body}");
    }
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 2), "what was refused changed nothing");
    let counts = wms.ledger().counts;
    assert_eq!((counts.orders, counts.repeated, counts.reserved), (1, 1, 4));
}

#[tokio::test]
async fn what_is_shipped_is_counted_until_it_is_settled() {
    let wms = warehouse().await;
    wms.reserve("k1", "o1", &[line("SKU-0001", 4)]).unwrap();
    wms.ship("o1", &[line("SKU-0001", 3)]).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (7, 1, 4, 3));
    wms.settle("o1").unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (7, 1, 1, 4));
    let view = wms.ship("o1", &[]).unwrap();
    assert_eq!(view.state, "shipped");
    wms.settle("o1").unwrap();
    wms.settle("o1").unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (6, 0, 0, 6));
    assert_eq!(wms.ship("o1", &[]).unwrap_err().code, "nothing_open");
    assert_eq!(wms.order("o2").unwrap_err().status, 404);
    assert_eq!(wms.ledger().counts.shipped, 4);
}

#[tokio::test]
async fn what_is_not_there_is_promised_and_counted_as_oversold_and_not_shipped() {
    let wms = warehouse().await;
    wms.reserve("k1", "o1", &[at("WH-1", "SKU-0001", 8)]).unwrap();
    wms.reserve("k2", "o2", &[at("WH-1", "SKU-0001", 5)]).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 13, 13, 3));
    assert_eq!((wms.ledger().counts.oversold, wms.truth("SKU-0001", "WH-1").unwrap().available()), (3, -3));
    wms.ship("o1", &[]).unwrap();
    assert_eq!(wms.ship("o2", &[]).unwrap_err().code, "short");
    wms.correct("SKU-0002", "WH-1", 10).unwrap();
    wms.reserve("k3", "o3", &[at("WH-1", "SKU-0002", 10)]).unwrap();
    wms.correct("SKU-0002", "WH-1", 6).unwrap();
    let counts = wms.ledger().counts;
    assert_eq!((counts.oversold, counts.shortage), (3, 4), "what was lost was not oversold");
}

#[tokio::test]
async fn a_line_without_a_location_is_taken_from_where_there_is_enough() {
    let wms = warehouse().await;
    wms.pick("SKU-0001", "WH-1", 8).unwrap();
    let (view, _) = wms.reserve("k1", "o1", &[line("SKU-0001", 2), line("SKU-0001", 1)]).unwrap();
    assert_eq!(view.lines.iter().map(|line| line.location).collect::<Vec<_>>(), ["WH-1", "WH-2"]);
    let (view, _) = wms.reserve("k2", "o2", &[line("SKU-0001", 99)]).unwrap();
    assert_eq!(view.lines[0].location, "WH-1");
}

#[tokio::test]
async fn an_order_is_changed_and_cancelled_with_one_change_of_each_pair() {
    let wms = warehouse().await;
    wms.reserve("k1", "o1", &[line("SKU-0001", 4), line("SKU-0002", 2)]).unwrap();
    wms.ship("o1", &[line("SKU-0001", 1)]).unwrap();
    let view = wms.replace("o1", &[line("SKU-0001", 2), line("SKU-0003", 1)]).unwrap();
    assert_eq!(
        view.lines.iter().map(|line| (line.sku.as_str(), line.quantity)).collect::<Vec<_>>(),
        [("SKU-0001", 2), ("SKU-0003", 1)]
    );
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (9, 1, 2, 4));
    assert_eq!(truth(&wms, "SKU-0002", "WH-1"), (10, 0, 0, 3));
    assert_eq!(truth(&wms, "SKU-0003", "WH-1"), (10, 1, 1, 2));
    wms.cancel("o1").unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (9, 0, 1, 5), "what was shipped is still to be settled");
    assert_eq!(truth(&wms, "SKU-0003", "WH-1"), (10, 0, 0, 3));
    assert_eq!(wms.cancel("o1").unwrap_err().code, "cancelled");
    assert_eq!(wms.order("o1").unwrap().state, "cancelled");
    wms.settle("o1").unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (9, 0, 0, 6));
}

#[tokio::test]
async fn an_order_that_is_held_is_accepted_and_counted_later() {
    let wms = warehouse().await;
    wms.turn(|knobs| knobs.hold_orders = true);
    let (view, is_new) = wms.reserve("k1", "o1", &[line("SKU-0001", 4)]).unwrap();
    assert_eq!((view.state, is_new), ("accepted", true));
    wms.reserve("k2", "o2", &[line("SKU-0001", 1)]).unwrap();
    wms.cancel("o2").unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 0, 0, 1));
    assert_eq!(wms.ship("o1", &[]).unwrap_err().code, "not_counted");
    wms.replace("o1", &[line("SKU-0001", 3)]).unwrap();
    wms.turn(|knobs| knobs.hold_orders = false);
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 2));
    assert_eq!((wms.count_held(), wms.order("o1").unwrap().state), (0, "reserved"));
}

#[tokio::test]
async fn an_order_may_want_nothing_and_is_replaced_under_its_own_name() {
    let wms = warehouse().await;
    let (status, view) = post(&wms, "k1", &json!({ "order": "o1", "lines": [] })).await;
    assert_eq!((status, view), (201, json!({ "order": "o1", "state": "reserved", "lines": [] })));
    let put = async |body: Value| {
        let answer = request(&wms, "PUT", "/orders/o1").json(&body).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(put(wanted("o1", 3)).await, 200);
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 2));
    assert_eq!(put(wanted("o2", 1)).await, 400, "another order's lines");
    assert_eq!(put(json!({ "lines": [] })).await, 200);
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 0, 0, 3));
}
