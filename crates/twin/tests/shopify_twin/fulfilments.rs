//! Fulfilment orders and fulfilments: what is open, what is made of it, and what Shopify refuses.

use crate::sink::Sink;
use crate::{ask, codes, config, noon, placed, scopes, shop_with};
use serde_json::{Value, json};
use tidegate_twin::shop::{CancelReason, Mix, What};
use tidegate_twin::shopify::ShopifyTwin;

const READ: &str = "query ($id: ID!) { order(id: $id) { displayFulfillmentStatus fulfillments(first: 9) { id status totalQuantity trackingInfo { company number } }
    fulfillmentOrders(first: 9) { nodes { id status assignedLocation { name location { id } } fulfillmentHolds { displayReason }
    supportedActions { action } lineItems(first: 99) { nodes { id sku remainingQuantity totalQuantity } } } } } }";
const CREATE: &str = "mutation ($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id status } userErrors { field message } } }";
const CANCEL: &str =
    "mutation ($id: ID!) { fulfillmentCancel(id: $id) { fulfillment { id status } userErrors { message } } }";

async fn read(twin: &ShopifyTwin) -> Value {
    let answer = ask(twin, READ, json!({ "id": twin.orders()[0].gid() })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    answer["data"]["order"].clone()
}

/// The one that is open, or would be.
fn last(order: &Value) -> &Value {
    order["fulfillmentOrders"]["nodes"].as_array().unwrap().last().unwrap()
}

async fn create(twin: &ShopifyTwin, parts: Value) -> Result<String, String> {
    let fulfillment =
        json!({ "lineItemsByFulfillmentOrder": parts, "trackingInfo": { "company": "DHL", "number": "1" } });
    let answer = ask(twin, CREATE, json!({ "fulfillment": fulfillment })).await;
    let made = &answer["data"]["fulfillmentCreate"];
    match made["userErrors"].as_array().unwrap().first() {
        Some(error) => {
            assert_eq!(made["fulfillment"], Value::Null);
            Err(error["message"].as_str().unwrap().to_owned())
        }
        None => Ok(made["fulfillment"]["id"].as_str().unwrap().to_owned()),
    }
}

fn part(of: &Value, line: &Value, quantity: i64) -> Value {
    json!({ "fulfillmentOrderId": of["id"], "fulfillmentOrderLineItems": [{ "id": line["id"], "quantity": quantity }] })
}

#[tokio::test]
async fn units_leave_once_and_are_open_again_when_their_fulfilment_is_cancelled() {
    let twin = shop_with(config(), 1).await;
    let before = read(&twin).await;
    let (open, line) = (last(&before).clone(), last(&before)["lineItems"]["nodes"][0].clone());
    assert_eq!((&open["status"], &open["assignedLocation"]["name"]), (&json!("OPEN"), &json!("Warehouse 1")));
    let quantity = line["remainingQuantity"].as_i64().unwrap();
    let made = create(&twin, json!([part(&open, &line, quantity)])).await.unwrap();
    let after = read(&twin).await;
    assert_eq!(after["fulfillments"][0]["trackingInfo"], json!([{ "company": "DHL", "number": "1" }]));
    assert_eq!(last(&after)["lineItems"]["nodes"][0]["remainingQuantity"], 0);
    // There is no key that would make two calls one.
    let twice = create(&twin, json!([part(&open, &line, quantity)])).await.unwrap_err();
    assert!(twice.contains("quantity") || twice.contains("status"), "{twice}");

    let cancelled = ask(&twin, CANCEL, json!({ "id": made })).await;
    assert_eq!(cancelled["data"]["fulfillmentCancel"]["fulfillment"]["status"], "CANCELLED");
    let again = read(&twin).await;
    assert_eq!(last(&again)["lineItems"]["nodes"][0]["remainingQuantity"], json!(quantity));
    assert_ne!(last(&again)["id"], open["id"], "what is open again is another fulfilment order");
    let closed = create(&twin, json!([part(&open, &line, 1)])).await.unwrap_err();
    assert!(closed.contains("unfulfillable status= closed"), "{closed}");
    let twice = ask(&twin, CANCEL, json!({ "id": made })).await;
    assert_eq!(twice["data"]["fulfillmentCancel"]["userErrors"].as_array().unwrap().len(), 1);
    // Without lines: all that is open.
    create(&twin, json!([{ "fulfillmentOrderId": last(&again)["id"] }])).await.unwrap();
    assert_eq!(read(&twin).await["displayFulfillmentStatus"], "FULFILLED");
}

#[tokio::test]
async fn what_may_not_leave_is_refused_and_nothing_is_made() {
    let twin = shop_with(config(), 1).await;
    let order = read(&twin).await;
    let (open, line) = (last(&order).clone(), last(&order)["lineItems"]["nodes"][0].clone());
    let other = json!({ "id": "gid://shopify/FulfillmentOrderLineItem/1" });
    let none = json!({ "id": "gid://shopify/FulfillmentOrder/1" });
    let quantity = line["remainingQuantity"].as_i64().unwrap();
    for (parts, text) in [
        (json!([]), "blank"),
        (json!([part(&none, &line, 1)]), "Fulfillment order does not exist"),
        (json!([part(&open, &other, 1)]), "line item does not exist"),
        (json!([part(&open, &line, 0)]), "Invalid fulfillment order line item quantity"),
        (json!([part(&open, &line, quantity + 1)]), "Invalid fulfillment order line item quantity"),
    ] {
        let refused = create(&twin, parts.clone()).await.unwrap_err();
        assert!(refused.contains(text), "{parts}: {refused}");
    }
    let id = twin.orders()[0].id;
    twin.hold(id, "HIGH_RISK_OF_FRAUD");
    let held = read(&twin).await;
    assert_eq!(
        (&last(&held)["status"], &last(&held)["fulfillmentHolds"][0]["displayReason"]),
        (&json!("ON_HOLD"), &json!("High risk of fraud"))
    );
    assert!(!last(&held)["supportedActions"].to_string().contains("CREATE_FULFILLMENT"));
    let refused = create(&twin, json!([part(&open, &line, 1)])).await.unwrap_err();
    assert!(refused.contains("unfulfillable status= on_hold"), "{refused}");
    twin.schedule(id, "2026-12-24T12:00:00Z".parse().unwrap());
    assert_eq!(last(&read(&twin).await)["status"], "SCHEDULED");
    twin.release(id);
    twin.cancel(id, CancelReason::Customer).unwrap();
    assert_eq!(last(&read(&twin).await)["status"], "CANCELLED");
    assert!(twin.orders()[0].fulfilments.is_empty());
    // Without the scope nobody fulfils.
    twin.grant(&scopes(&["write_orders", "read_locations"]));
    let answer = ask(&twin, CREATE, json!({ "fulfillment": { "lineItemsByFulfillmentOrder": [] } })).await;
    assert_eq!(codes(&answer), ["ACCESS_DENIED"]);
}

/// Stocked so that no one location has all of an order: each of its two lines is assigned to another.
async fn divided() -> ShopifyTwin {
    let twin = shop_with(config(), 0).await;
    let placed = placed(&config(), 20, noon(), Mix { b2b: 0, ..Mix::plain() });
    let mut orders = placed.into_iter().filter_map(|change| match change.what {
        What::Place(order) => Some(*order),
        _ => None,
    });
    let mut order = orders.find(|order| order.lines.len() >= 2).unwrap();
    order.lines.truncate(2);
    for (line, item) in order.lines.iter_mut().zip(&tidegate_twin::shop::catalogue::ITEMS) {
        (line.sku, line.variant_id) = (Some(item.sku.to_owned()), Some(item.variant_id()));
        (line.quantity, line.current_quantity) = (2, 2);
    }
    for (index, line) in order.lines.iter().enumerate() {
        for (place, location) in ["WH-1", "WH-2"].iter().enumerate() {
            let available = if place == index { 9 } else { 0 };
            twin.set_by_hand(line.sku.as_deref().unwrap(), location, available).unwrap();
        }
    }
    twin.place(order).unwrap();
    twin
}

#[tokio::test]
async fn a_fulfilment_leaves_from_one_location_and_a_customer_is_written_to_as_often_as_is_said() {
    let twin = divided().await;
    let order = read(&twin).await;
    let open = order["fulfillmentOrders"]["nodes"].as_array().unwrap().clone();
    let places: Vec<&Value> = open.iter().map(|one| &one["assignedLocation"]["name"]).collect();
    assert_eq!(places, ["Warehouse 1", "Warehouse 2"]);
    let parts: Vec<Value> = open.iter().map(|one| part(one, &one["lineItems"]["nodes"][0], 1)).collect();
    let refused = create(&twin, json!(parts)).await.unwrap_err();
    assert_eq!(refused, "All fulfillment orders must be assigned to a single location.");
    assert!(twin.orders()[0].fulfilments.is_empty());
    for (index, part) in parts.iter().enumerate() {
        let fulfillment = json!({ "lineItemsByFulfillmentOrder": [part], "notifyCustomer": index == 1 });
        let answer = ask(&twin, CREATE, json!({ "fulfillment": fulfillment })).await;
        assert_eq!(answer["data"]["fulfillmentCreate"]["userErrors"], json!([]), "{answer}");
    }
    let made = twin.orders()[0].fulfilments.clone();
    assert_ne!(made[0].location_id, made[1].location_id);
    assert_eq!(twin.mails(), [made[1].id]);
}

#[tokio::test]
async fn each_of_them_is_told_of_with_its_order() {
    let (sink, url) = Sink::start().await;
    let twin = shop_with(config(), 1).await;
    for topic in [
        "fulfillments/create",
        "fulfillments/update",
        "orders/fulfilled",
        "orders/partially_fulfilled",
        "orders/updated",
    ] {
        twin.subscribe(topic, &url);
    }
    let order = read(&twin).await;
    let line = &last(&order)["lineItems"]["nodes"][0];
    let made = create(&twin, json!([part(last(&order), line, 1)])).await.unwrap();
    ask(&twin, CANCEL, json!({ "id": made })).await;
    twin.settled().await;
    let taken = sink.taken();
    let told = |topic: &str| taken.iter().filter(|one| one.header("x-shopify-topic") == topic).count();
    assert_eq!([told("fulfillments/create"), told("fulfillments/update"), told("orders/updated")], [1, 1, 2]);
    assert_eq!(told("orders/fulfilled") + told("orders/partially_fulfilled"), 1);
    let update = taken.iter().find(|one| one.header("x-shopify-topic") == "fulfillments/update").unwrap();
    assert_eq!(
        (&update.json()["status"], &update.json()["tracking_number"]),
        (&json!("cancelled"), &json!("1"))
    );
}
