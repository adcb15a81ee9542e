//! What a shop gave back of an order: once under its name, of what is open or of what had left, and for good.

use crate::{line, request, truth, warehouse};
use serde_json::{Value, json};
use tidegate_twin::wms::WmsTwin;

async fn release(wms: &WmsTwin, reference: &str, order: &str, lines: Value) -> (u16, Value) {
    let body = json!({ "reference": reference, "order": order, "lines": lines });
    let answer = request(wms, "POST", "/releases").json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

fn back(quantity: u32, restock: &str) -> Value {
    json!([{ "sku": "SKU-0001", "quantity": quantity, "restock": restock }])
}

/// How many of the one line were released, and how many returned.
fn did(answer: &Value) -> (i64, i64) {
    let line = &answer["lines"][0];
    (line["released"].as_i64().unwrap(), line["returned"].as_i64().unwrap())
}

#[tokio::test]
async fn what_was_given_back_is_free_again_once_and_for_good() {
    let wms = warehouse().await;
    wms.reserve("k1", "o1", &[line("SKU-0001", 5)]).unwrap();
    let (status, first) = release(&wms, "r1", "o1", back(2, "cancel")).await;
    assert_eq!((status, did(&first), &first["state"]), (201, (2, 0), &json!("done")));
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 3));
    assert_eq!(release(&wms, "r1", "o1", back(2, "cancel")).await, (200, first));
    assert_eq!(release(&wms, "r1", "o1", back(1, "cancel")).await.0, 409, "the same name for something else");
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 3), "nothing was given back twice");
    // The order's lines are written anew, as ordered: what was given back is not reserved again.
    wms.replace("o1", &[line("SKU-0001", 5)]).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 3, 3, 3));
    wms.replace("o1", &[line("SKU-0001", 6)]).unwrap();
    assert_eq!(truth(&wms, "SKU-0001", "WH-1"), (10, 4, 4, 4));
    let (_, not_put_back) = release(&wms, "r2", "o1", back(1, "no_restock")).await;
    assert_eq!((did(&not_put_back), truth(&wms, "SKU-0001", "WH-1")), ((1, 0), (10, 3, 3, 5)));
}

#[tokio::test]
async fn what_came_back_is_on_hand_again_and_never_more_than_had_left() {
    let wms = warehouse().await;
    wms.reserve("k1", "o1", &[line("SKU-0001", 5)]).unwrap();
    wms.ship("o1", &[line("SKU-0001", 3)]).unwrap();
    wms.settle("o1").unwrap();
    let (_, answer) = release(&wms, "r1", "o1", back(2, "return")).await;
    assert_eq!((did(&answer), truth(&wms, "SKU-0001", "WH-1").0), ((0, 2), 9));
    // One that had left, and then one that had not.
    let (_, answer) = release(&wms, "r2", "o1", back(2, "return")).await;
    assert_eq!((did(&answer), truth(&wms, "SKU-0001", "WH-1")), ((1, 1), (10, 1, 1, 7)));
    // What is kept by the buyer is nothing of the warehouse's.
    wms.ship("o1", &[]).unwrap();
    let (_, answer) = release(&wms, "r3", "o1", back(1, "no_restock")).await;
    assert_eq!((did(&answer), truth(&wms, "SKU-0001", "WH-1").0), ((0, 0), 9));
    assert_eq!((wms.ledger().counts.returned, wms.ledger().counts.releases), (3, 3));
}

#[tokio::test]
async fn what_cannot_be_given_back_is_refused_or_does_nothing() {
    let wms = warehouse().await;
    let (status, answer) = release(&wms, "r1", "o1", back(1, "cancel")).await;
    assert_eq!((status, &answer["error"]["code"]), (422, &json!("unknown_order")));
    wms.reserve("k1", "o1", &[line("SKU-0001", 5)]).unwrap();
    let (status, answer) = release(&wms, "r1", "o1", back(0, "cancel")).await;
    assert_eq!((status, &answer["error"]["code"]), (422, &json!("bad_quantity")));
    assert_eq!(release(&wms, "r1", "o1", back(1, "maybe")).await.0, 400);
    assert_eq!(request(&wms, "GET", "/releases/r1").send().await.unwrap().status().as_u16(), 404);
    // Cancelled before: nothing is open. A SKU that the order does not have is none of its matters.
    wms.cancel("o1").unwrap();
    let (status, answer) = release(&wms, "r1", "o1", back(5, "cancel")).await;
    assert_eq!((status, did(&answer)), (201, (0, 0)));
    let other = json!([{ "sku": "SKU-0002", "quantity": 1, "restock": "cancel" }]);
    assert_eq!(did(&release(&wms, "r2", "o1", other).await.1), (0, 0));
    assert_eq!(truth(&wms, "SKU-0001", "WH-1").1, 0);
    assert_eq!(request(&wms, "GET", "/releases/r1").send().await.unwrap().status().as_u16(), 200);
}
