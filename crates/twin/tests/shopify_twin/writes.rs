//! Mutations: what they change, what they refuse.

use crate::{ask, codes, config, shop_with};
use serde_json::{Value, json};
use std::time::Duration;

const SET: &str = "mutation ($fields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $fields) {
    metafields { id namespace key value compareDigest ownerType owner { ... on Order { id } } }
    userErrors { field message code } } }";

fn field(owner: &str, value: &str) -> Value {
    json!({ "ownerId": owner, "namespace": "tidegate", "key": "erp_number", "type": "single_line_text_field", "value": value })
}

#[tokio::test]
async fn a_metafield_is_a_change_of_its_order() {
    let config = config();
    let clock = config.clock.clone();
    let twin = shop_with(config, 1).await;
    let order = twin.orders()[0].clone();
    clock.advance(Duration::from_secs(60));
    let answer = ask(&twin, SET, json!({ "fields": [field(&order.gid(), "SO-1")] })).await;
    let set = &answer["data"]["metafieldsSet"];
    assert_eq!(set["userErrors"], json!([]), "{answer}");
    assert_eq!(set["metafields"][0]["owner"]["id"], order.gid());
    assert_eq!(set["metafields"][0]["ownerType"], "ORDER");
    assert!(twin.order(order.id).unwrap().updated_at > order.updated_at);
    let read = "query ($id: ID!) { order(id: $id) { metafield(namespace: \"tidegate\", key: \"erp_number\") { value } metafields(first: 5) { nodes { key } } } }";
    let answer = ask(&twin, read, json!({ "id": order.gid() })).await;
    assert_eq!(answer["data"]["order"]["metafield"]["value"], "SO-1");

    let digest = set["metafields"][0]["compareDigest"].clone();
    let with = |digest: Value, value: &str| {
        let mut field = field(&order.gid(), value);
        field["compareDigest"] = digest;
        json!({ "fields": [field] })
    };
    let stale = ask(&twin, SET, with(json!("0000"), "SO-2")).await;
    assert_eq!(stale["data"]["metafieldsSet"]["userErrors"][0]["code"], "STALE_OBJECT");
    let none = ask(&twin, SET, with(Value::Null, "SO-2")).await;
    assert_eq!(none["data"]["metafieldsSet"]["userErrors"][0]["code"], "STALE_OBJECT");
    let fresh = ask(&twin, SET, with(digest, "SO-2")).await;
    assert_eq!(fresh["data"]["metafieldsSet"]["metafields"][0]["value"], "SO-2");
}

#[tokio::test]
async fn metafields_that_are_wrong_are_user_errors_and_none_is_set() {
    let twin = shop_with(config(), 1).await;
    let gid = twin.orders()[0].gid();
    let changed = |name: &str, value: Value| {
        let mut field = field(&gid, "1");
        field[name] = value;
        json!([self::field(&gid, "good"), field])
    };
    let cases = [
        (
            changed("ownerId", json!("gid://shopify/Order/1")),
            "INVALID_VALUE",
            json!(["metafields", "1", "ownerId"]),
        ),
        (changed("type", Value::Null), "BLANK", json!(["metafields", "1", "type"])),
        (changed("key", json!("k")), "TOO_SHORT", json!(["metafields", "1", "key"])),
        (changed("namespace", json!("ab")), "TOO_SHORT", json!(["metafields", "1", "namespace"])),
        (changed("value", json!("")), "INVALID_VALUE", json!(["metafields", "1", "value"])),
        (changed("value", json!("two\nlines")), "INVALID_VALUE", json!(["metafields", "1", "value"])),
        (json!(vec![field(&gid, "1"); 26]), "LESS_THAN_OR_EQUAL_TO", json!(["metafields"])),
    ];
    for (fields, code, path) in cases {
        let answer = ask(&twin, SET, json!({ "fields": fields })).await;
        let error = &answer["data"]["metafieldsSet"]["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &path), "{answer}");
        assert_eq!(answer["data"]["metafieldsSet"]["metafields"], Value::Null);
    }
    assert!(twin.orders()[0].metafields.is_empty());
}

#[tokio::test]
async fn tags_and_order_updates_change_what_they_name() {
    let twin = shop_with(config(), 1).await;
    let order = twin.orders()[0].clone();
    let add = "mutation ($id: ID!) { tagsAdd(id: $id, tags: [\"ERP\", \"erp\", \"late\"]) { node { id ... on Order { tags } } userErrors { field message } } }";
    let answer = ask(&twin, add, json!({ "id": order.gid() })).await;
    let tags = answer["data"]["tagsAdd"]["node"]["tags"].as_array().unwrap();
    assert!(tags.contains(&json!("ERP")) && tags.contains(&json!("late")) && !tags.contains(&json!("erp")));
    let missing = ask(&twin, add, json!({ "id": "gid://shopify/Order/1" })).await;
    assert_eq!(
        missing["data"]["tagsAdd"],
        json!({ "node": null, "userErrors": [{ "field": ["id"], "message": "Order does not exist" }] })
    );

    let update = "mutation ($input: OrderInput!) { orderUpdate(input: $input) { order { note poNumber shippingAddress { city } } userErrors { field message } } }";
    let input = json!({ "input": { "id": order.gid(), "note": "Ring twice", "poNumber": "PO-9", "shippingAddress": { "city": "Utrecht" } } });
    let answer = ask(&twin, update, input).await;
    assert_eq!(codes(&answer), Vec::<&str>::new());
    assert_eq!(
        answer["data"]["orderUpdate"]["order"],
        json!({ "note": "Ring twice", "poNumber": "PO-9", "shippingAddress": { "city": "Utrecht" } })
    );
    let now = twin.order(order.id).unwrap();
    assert_eq!(now.email, order.email, "what the input does not name stays");
}

#[tokio::test]
async fn subscriptions_are_made_changed_listed_and_deleted() {
    let twin = shop_with(config(), 0).await;
    let create = "mutation ($topic: WebhookSubscriptionTopic!, $wanted: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: $topic, webhookSubscription: $wanted) {
        webhookSubscription { id topic uri includeFields metafieldNamespaces name apiVersion { handle } } userErrors { field message } } }";
    let wanted = json!({ "uri": "https://hub.example.com/webhooks", "includeFields": ["id"], "metafieldNamespaces": ["tidegate"], "name": "orders" });
    let answer = ask(&twin, create, json!({ "topic": "ORDERS_CREATE", "wanted": wanted })).await;
    let made = &answer["data"]["webhookSubscriptionCreate"]["webhookSubscription"];
    assert_eq!(made["apiVersion"]["handle"], "2026-10");
    let refused = [
        (
            json!({ "uri": "https://hub.example.com/webhooks" }),
            "Address for this topic has already been taken",
        ),
        (json!({ "uri": "http://hub.example.com/webhooks" }), "Address protocol http:// is not supported"),
        (
            json!({ "uri": "https://other.example.com", "name": "orders" }),
            "Name already exists, no duplicate allowed",
        ),
    ];
    for (wanted, text) in refused {
        let answer = ask(&twin, create, json!({ "topic": "ORDERS_CREATE", "wanted": wanted })).await;
        assert_eq!(answer["data"]["webhookSubscriptionCreate"]["userErrors"][0]["message"], text);
    }
    for topic in ["ORDERS_UPDATED", "ORDERS_PAID", "REFUNDS_CREATE"] {
        ask(
            &twin,
            create,
            json!({ "topic": topic, "wanted": { "uri": "https://hub.example.com/webhooks" } }),
        )
        .await;
    }
    let list = "query ($after: String) { webhookSubscriptions(first: 2, after: $after) { nodes { topic } pageInfo { hasNextPage endCursor } } }";
    let first = ask(&twin, list, json!({})).await["data"]["webhookSubscriptions"].clone();
    let second = ask(&twin, list, json!({ "after": first["pageInfo"]["endCursor"] })).await["data"]["webhookSubscriptions"].clone();
    assert_eq!((first["nodes"].as_array().unwrap().len(), second["nodes"].as_array().unwrap().len()), (2, 2));
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    let update = "mutation ($id: ID!) { webhookSubscriptionUpdate(id: $id, webhookSubscription: { includeFields: [\"id\", \"name\"] }) { webhookSubscription { includeFields uri } userErrors { message } } }";
    let answer = ask(&twin, update, json!({ "id": made["id"] })).await;
    assert_eq!(
        answer["data"]["webhookSubscriptionUpdate"]["webhookSubscription"],
        json!({ "includeFields": ["id", "name"], "uri": made["uri"] })
    );
    let delete = "mutation ($id: ID!) { webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } } }";
    let answer = ask(&twin, delete, json!({ "id": made["id"] })).await;
    assert_eq!(answer["data"]["webhookSubscriptionDelete"]["deletedWebhookSubscriptionId"], made["id"]);
    let again = ask(&twin, delete, json!({ "id": made["id"] })).await;
    assert_eq!(
        again["data"]["webhookSubscriptionDelete"]["userErrors"][0]["message"],
        "Webhook subscription does not exist"
    );
    assert_eq!(twin.stats().subscriptions, 3);
}
