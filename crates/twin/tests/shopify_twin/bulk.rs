//! Bulk operations.

use crate::sink::Sink;
use crate::{ask, codes, config, shop_with};
use serde_json::{Value, json};
use tidegate_twin::shopify::{ShopConfig, ShopifyTwin, StockConfig};

const RUN: &str = "mutation ($query: String!) { bulkOperationRunQuery(query: $query) { bulkOperation { id status } userErrors { field message code } } }";

#[tokio::test]
async fn a_bulk_query_reads_everything_into_lines() {
    let twin = shop_with(config(), 300).await;
    let (sink, url) = Sink::start().await;
    twin.subscribe("bulk_operations/finish", &url);
    let query = "{ orders(query: \"status:any\") { edges { node { id name lineItems { edges { node { id quantity } } } } } } }";
    let answer = ask(&twin, RUN, json!({ "query": query })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    let id = answer["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"].clone();
    twin.webhook_counts().wait_for(|counts| counts.succeeded == 1).await.unwrap();
    assert_eq!(sink.taken()[0].json()["status"], "completed");
    let node = "query ($id: ID!) { node(id: $id) { ... on BulkOperation { status objectCount rootObjectCount url } } }";
    let operation = ask(&twin, node, json!({ "id": id })).await["data"]["node"].clone();
    assert_eq!((&operation["status"], &operation["rootObjectCount"]), (&json!("COMPLETED"), &json!("300")));
    let text = reqwest::get(operation["url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let parents = lines.iter().filter(|line| line.get("__parentId").is_none()).count();
    let items: usize = twin.orders().iter().map(|order| order.lines.len()).sum();
    assert_eq!((parents, lines.len() - parents), (300, items));
}

#[tokio::test]
async fn bulk_queries_that_shopify_refuses_are_refused() {
    let twin = shop_with(config(), 1).await;
    let cases = [
        ("{ shop { id } }", "Bulk queries must contain at least one connection."),
        (
            "{ orders { nodes { id } } }",
            "All connection fields in a bulk query must select their contents using 'edges'",
        ),
        (
            "{ orders { edges { node { idd } } } }",
            "Invalid bulk query: Field 'idd' doesn't exist on type 'Order'",
        ),
        (
            "{ priceLists { edges { node { name prices { edges { node { originType } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field",
        ),
        (
            "{ priceList(id: \"gid://shopify/PriceList/1\") { prices { edges { node { quantityPriceBreaks { edges { node { id } } } } } } } }",
            "The parent 'node' field for a nested connection must select the 'id' field",
        ),
        ("mutation { tagsAdd(id: \"x\", tags: []) { userErrors { message } } }", "Invalid operation type."),
    ];
    for (query, text) in cases {
        let answer = ask(&twin, RUN, json!({ "query": query })).await;
        let error = &answer["data"]["bulkOperationRunQuery"]["userErrors"][0];
        assert_eq!(error["code"], "INVALID");
        assert!(error["message"].as_str().unwrap().starts_with(text), "{answer}");
    }
}

/// More items than are read at a time; a line for each level, under its item.
#[tokio::test]
async fn the_whole_stock_is_read_in_bulk() {
    let stock = StockConfig { generated: 2_500, available: 3, stocked_at: 1, ..StockConfig::default() };
    let twin = ShopifyTwin::start(ShopConfig { stock, ..config() }).await.unwrap();
    twin.set_by_hand("GEN-002500", "WH-2", 8).unwrap();
    twin.set_stocked("GEN-002500", "WH-2", true).unwrap();
    let (sink, url) = Sink::start().await;
    twin.subscribe("bulk_operations/finish", &url);
    let query = "{ inventoryItems { edges { node { id sku inventoryLevels { edges { node { id location { id } quantities(names: [\"available\", \"committed\"]) { name quantity } } } } } } } }";
    let answer = ask(&twin, RUN, json!({ "query": query })).await;
    assert_eq!(answer["data"]["bulkOperationRunQuery"]["userErrors"], json!([]), "{answer}");
    sink.arrived(1).await;
    let current = "{ currentBulkOperation { status objectCount rootObjectCount url } }";
    let operation = ask(&twin, current, json!({})).await["data"]["currentBulkOperation"].clone();
    assert_eq!((&operation["rootObjectCount"], &operation["objectCount"]), (&json!("2520"), &json!("5041")));
    let text = reqwest::get(operation["url"].as_str().unwrap()).await.unwrap().text().await.unwrap();
    let last: Vec<Value> =
        text.lines().rev().take(3).map(|line| serde_json::from_str(line).unwrap()).collect();
    let item = "gid://shopify/InventoryItem/46600000002500";
    assert_eq!(last[2], json!({ "id": item, "sku": "GEN-002500" }));
    let level = json!({
        "id": "gid://shopify/InventoryLevel/72212345679?inventory_item_id=46600000002500",
        "location": { "id": "gid://shopify/Location/72212345679" },
        "quantities": [{ "name": "available", "quantity": 8 }, { "name": "committed", "quantity": 0 }],
        "__parentId": item,
    });
    assert_eq!(last[0], level);
}
