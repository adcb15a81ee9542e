//! Holds on fulfilment orders: placed once under a handle, ten at most, and ended by those who placed them.

use crate::{ask, codes, config, scopes, shop_with};
use serde_json::{Value, json};
use tidegate_twin::shop::CancelReason;
use tidegate_twin::shopify::ShopifyTwin;

const READ: &str = "query ($id: ID!) { order(id: $id) { updatedAt displayFulfillmentStatus fulfillmentOrders(first: 9) { nodes { id status
    fulfillmentHolds { id handle reason reasonNotes displayReason heldByRequestingApp } supportedActions { action } } } } }";
const HOLD: &str = "mutation ($id: ID!, $hold: FulfillmentOrderHoldInput!) { fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {
    fulfillmentHold { id handle } fulfillmentOrder { id status } remainingFulfillmentOrder { id } userErrors { code field message } } }";
const RELEASE: &str =
    "mutation ($id: ID!, $holds: [ID!]) { fulfillmentOrderReleaseHold(id: $id, holdIds: $holds) {
    fulfillmentOrder { id status } userErrors { code field message } } }";

async fn read(twin: &ShopifyTwin) -> Value {
    let answer = ask(twin, READ, json!({ "id": twin.orders()[0].gid() })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    answer["data"]["order"].clone()
}

async fn of(twin: &ShopifyTwin) -> Value {
    read(twin).await["fulfillmentOrders"]["nodes"].as_array().unwrap().last().unwrap().clone()
}

/// The hold's id, or the code and the text of the refusal.
async fn hold(twin: &ShopifyTwin, id: &Value, handle: &str) -> Result<Value, (Value, String)> {
    let input = json!({ "reason": "INVENTORY_OUT_OF_STOCK", "handle": handle, "reasonNotes": "none left" });
    let answer = ask(twin, HOLD, json!({ "id": id, "hold": input })).await;
    told(&answer["data"]["fulfillmentOrderHold"], "fulfillmentHold").map(|hold| hold["id"].clone())
}

async fn release(twin: &ShopifyTwin, id: &Value, holds: Value) -> Result<Value, (Value, String)> {
    let answer = ask(twin, RELEASE, json!({ "id": id, "holds": holds })).await;
    told(&answer["data"]["fulfillmentOrderReleaseHold"], "fulfillmentOrder")
}

fn told(payload: &Value, what: &str) -> Result<Value, (Value, String)> {
    match payload["userErrors"].as_array().unwrap().first() {
        Some(error) => {
            assert_eq!((&payload[what], &payload["fulfillmentOrder"]), (&Value::Null, &Value::Null));
            Err((error["code"].clone(), error["message"].as_str().unwrap().to_owned()))
        }
        None => Ok(payload[what].clone()),
    }
}

#[tokio::test]
async fn a_handle_holds_once_and_a_release_ends_what_it_names_alone() {
    let twin = shop_with(config(), 1).await;
    let open = of(&twin).await["id"].clone();
    let first = hold(&twin, &open, "one").await.unwrap();
    assert_eq!(hold(&twin, &open, "one").await.unwrap_err().0, "DUPLICATE_FULFILLMENT_HOLD_HANDLE");
    let second = hold(&twin, &open, "two").await.unwrap();
    twin.hold(twin.orders()[0].id, "HIGH_RISK_OF_FRAUD");
    let held = of(&twin).await;
    assert_eq!(
        (&held["status"], &read(&twin).await["displayFulfillmentStatus"]),
        (&json!("ON_HOLD"), &json!("ON_HOLD"))
    );
    let holds = held["fulfillmentHolds"].as_array().unwrap();
    let shown = |hold: &Value| (hold["handle"].clone(), hold["heldByRequestingApp"].clone());
    let all: Vec<_> = holds.iter().map(shown).collect();
    assert_eq!(all, [(Value::Null, json!(false)), (json!("one"), json!(true)), (json!("two"), json!(true))]);
    assert_eq!(
        (&holds[1]["displayReason"], &holds[1]["reasonNotes"]),
        (&json!("Inventory out of stock"), &json!("none left"))
    );
    assert!(!held["supportedActions"].to_string().contains("CREATE_FULFILLMENT"));

    let after = release(&twin, &open, json!([first])).await.unwrap();
    assert_eq!(after["status"], "ON_HOLD", "two others stand");
    assert_eq!(of(&twin).await["fulfillmentHolds"].as_array().unwrap().len(), 2);
    // What is named and stands elsewhere, or no more, is passed over.
    release(&twin, &open, json!([first, "gid://shopify/FulfillmentHold/7"])).await.unwrap();
    release(&twin, &open, json!([second])).await.unwrap();
    assert_eq!(of(&twin).await["status"], "ON_HOLD", "a person's stands");
    // Nothing named: all, whoever placed them.
    hold(&twin, &open, "one").await.unwrap();
    release(&twin, &open, Value::Null).await.unwrap();
    let free = of(&twin).await;
    assert_eq!((&free["status"], &free["fulfillmentHolds"]), (&json!("OPEN"), &json!([])));
    assert_eq!(read(&twin).await["displayFulfillmentStatus"], "UNFULFILLED");
    let (code, text) = release(&twin, &open, json!([first])).await.unwrap_err();
    assert!(code.is_null() && text.contains("not on hold"), "{text}");
}

#[tokio::test]
async fn ten_are_the_most_and_what_cannot_be_held_is_refused() {
    let twin = shop_with(config(), 1).await;
    let open = of(&twin).await["id"].clone();
    for handle in 0..10 {
        hold(&twin, &open, &handle.to_string()).await.unwrap();
    }
    assert_eq!(hold(&twin, &open, "one more").await.unwrap_err().0, "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED");
    let id = twin.orders()[0].id;
    twin.end_holds(id);
    assert!(hold(&twin, &open, &"x".repeat(65)).await.unwrap_err().1.contains("64"));
    let absent = json!("gid://shopify/FulfillmentOrder/1");
    assert_eq!(hold(&twin, &absent, "one").await.unwrap_err().0, "FULFILLMENT_ORDER_NOT_FOUND");
    assert_eq!(release(&twin, &absent, Value::Null).await.unwrap_err().0, "FULFILLMENT_ORDER_NOT_FOUND");
    twin.schedule(id, "2026-12-24T12:00:00Z".parse().unwrap());
    assert!(hold(&twin, &open, "one").await.unwrap_err().1.contains("scheduled"));
    twin.release(id);
    hold(&twin, &open, "one").await.unwrap();
    twin.cancel(id, CancelReason::Customer).unwrap();
    let closed = of(&twin).await;
    assert_eq!(
        (&closed["status"], &closed["fulfillmentHolds"]),
        (&json!("CANCELLED"), &json!([])),
        "its holds ended with it"
    );
    assert!(hold(&twin, &open, "two").await.unwrap_err().1.contains("cancelled"));
    // By its scope alone, and never by that of reading.
    twin.grant(&scopes(&["read_merchant_managed_fulfillment_orders"]));
    let input = json!({ "id": open, "hold": { "reason": "OTHER" } });
    assert_eq!(codes(&ask(&twin, HOLD, input).await), ["ACCESS_DENIED"]);
    assert_eq!(codes(&ask(&twin, RELEASE, json!({ "id": open })).await), ["ACCESS_DENIED"]);
}
