//! Pages, filters and sorting of orders; parts of one order in pages.

use crate::{ask, codes, config, noon, shop_with};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tidegate_twin::shopify::ShopifyTwin;

/// All ids of a connection of orders, page by page.
async fn walk(twin: &ShopifyTwin, arguments: &str, size: u32) -> Vec<String> {
    let query = format!(
        "query ($after: String) {{ orders(first: {size}, after: $after, {arguments}) {{ nodes {{ id }} pageInfo {{ hasNextPage endCursor hasPreviousPage }} }} }}"
    );
    let (mut ids, mut after, mut pages) = (Vec::new(), Value::Null, 0);
    loop {
        let answer = ask(twin, &query, json!({ "after": after })).await;
        assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
        let page = &answer["data"]["orders"];
        assert_eq!(page["pageInfo"]["hasPreviousPage"], pages > 0);
        ids.extend(
            page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()),
        );
        pages += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            return ids;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test]
async fn orders_come_complete_and_sorted_over_many_pages() {
    let twin = shop_with(config(), 57).await;
    let mut orders = twin.orders();
    for (sort, key) in [
        (
            "sortKey: CREATED_AT",
            (|order| (order.created_at.as_second(), order.id)) as fn(&tidegate_twin::shop::Order) -> _,
        ),
        ("sortKey: UPDATED_AT", |order| (order.updated_at.as_second(), order.id)),
        ("sortKey: ID", |order| (0, order.id)),
    ] {
        orders.sort_by_key(|order| key(order));
        let expected: Vec<_> = orders.iter().map(|order| order.gid()).collect();
        assert_eq!(walk(&twin, sort, 10).await, expected, "{sort}");
        let backwards: Vec<_> = expected.into_iter().rev().collect();
        assert_eq!(walk(&twin, &format!("{sort}, reverse: true"), 25).await, backwards, "{sort} reverse");
    }
    let last = ask(&twin, "{ orders(last: 3, sortKey: ID) { edges { cursor node { id } } pageInfo { hasPreviousPage startCursor } } }", json!({})).await;
    let page = &last["data"]["orders"];
    let ids: BTreeSet<_> =
        page["edges"].as_array().unwrap().iter().map(|edge| edge["node"]["id"].clone().to_string()).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(page["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(page["pageInfo"]["startCursor"], page["edges"][0]["cursor"]);
}

#[tokio::test]
async fn what_changes_between_two_pages_moves_and_nothing_else_is_lost() {
    let config = config();
    let clock = config.clock.clone();
    let twin = shop_with(config, 30).await;
    clock.advance(Duration::from_secs(3600));
    let first = ask(
        &twin,
        "{ orders(first: 10, sortKey: UPDATED_AT) { nodes { id } pageInfo { endCursor } } }",
        json!({}),
    )
    .await;
    let page = &first["data"]["orders"];
    let (seen, waiting) = (page["nodes"][0]["id"].as_str().unwrap().to_owned(), twin.orders()[29].id);
    let id: u64 = seen.rsplit('/').next().unwrap().parse().unwrap();
    twin.update(id, |order| order.note = Some("changed".to_owned())).unwrap();
    twin.update(waiting, |order| order.note = Some("changed".to_owned())).unwrap();
    let rest = ask(
        &twin,
        "query ($after: String) { orders(first: 50, after: $after, sortKey: UPDATED_AT) { nodes { id } } }",
        json!({ "after": page["pageInfo"]["endCursor"] }),
    )
    .await;
    let mut all: Vec<String> = Vec::new();
    for answer in [&first, &rest] {
        all.extend(
            answer["data"]["orders"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(
        all.iter().filter(|one| **one == seen).count(),
        2,
        "it was changed after it was read: it comes again"
    );
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 30);
}

#[tokio::test]
async fn filters_find_what_the_sweep_asks_for() {
    let config = config();
    let clock = config.clock.clone();
    let twin = shop_with(config, 20).await;
    clock.advance(Duration::from_secs(7200));
    let orders = twin.orders();
    for order in &orders[..3] {
        twin.update(order.id, |order| order.note = Some("later".to_owned())).unwrap();
    }
    let later: BTreeSet<_> = orders[..3].iter().map(|order| order.gid()).collect();
    let since = noon().checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    let found = |query: String| {
        let twin = &twin;
        async move { walk(twin, &format!("query: \"{query}\""), 250).await.into_iter().collect::<BTreeSet<_>>() }
    };
    assert_eq!(found(format!("updated_at:>={since}")).await, later);
    assert_eq!(found(format!("updated_at:>='{since}' status:any")).await, later);
    assert_eq!(found(format!("updated_at:<{since}")).await.len(), 17);
    assert_eq!(found("created_at:>=2026-11-24 created_at:<2026-11-25".to_owned()).await.len(), 20);
    assert_eq!(found(format!("id:{}", orders[5].id)).await, [orders[5].gid()].into());
    assert_eq!(found(format!("name:{}", orders[6].name)).await, [orders[6].gid()].into());
    let either = format!("name:{} OR name:{}", orders[6].name, orders[7].name);
    assert_eq!(found(either).await, [orders[6].gid(), orders[7].gid()].into());
    let count =
        ask(&twin, "{ ordersCount(query: \"status:any\", limit: 5) { count precision } }", json!({})).await;
    assert_eq!(count["data"]["ordersCount"], json!({ "count": 5, "precision": "AT_LEAST" }));
    let typo =
        ask(&twin, "{ orders(first: 50, query: \"updatd_at:>2030-01-01\") { nodes { id } } }", json!({}))
            .await;
    assert_eq!(typo["data"]["orders"]["nodes"].as_array().unwrap().len(), 20, "a typo filters nothing");
    assert_eq!(typo["extensions"]["search"][0]["warnings"][0]["code"], "invalid_field");
}

#[tokio::test]
async fn the_answer_about_an_order_is_what_its_webhook_says() {
    let twin = shop_with(config(), 40).await;
    let query = "query ($id: ID!, $after: String) { order(id: $id) {
        name legacyResourceId poNumber test taxesIncluded displayFinancialStatus
        currentTotalPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }
        totalTaxSet { shopMoney { amount } } customer { id }
        purchasingEntity { __typename }
        lineItems(first: 7, after: $after) { nodes { id sku quantity currentQuantity originalUnitPriceSet { shopMoney { amount } } } pageInfo { hasNextPage endCursor } }
        shippingLines(first: 5) { nodes { title discountedPriceSet { shopMoney { amount } } } } } }";
    for order in twin.orders() {
        let body = tidegate_twin::shop::webhook_body(&order);
        let (mut after, mut lines) = (Value::Null, Vec::new());
        let read = loop {
            let answer = ask(&twin, query, json!({ "id": order.gid(), "after": after })).await;
            assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
            let read = answer["data"]["order"].clone();
            lines.extend(read["lineItems"]["nodes"].as_array().unwrap().iter().cloned());
            if read["lineItems"]["pageInfo"]["hasNextPage"] == false {
                break read;
            }
            after = read["lineItems"]["pageInfo"]["endCursor"].clone();
        };
        let same = |left: &Value, right: &Value| {
            let number = |value: &Value| value.as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap();
            assert_eq!(number(left), number(right), "{}", order.name);
        };
        assert_eq!(read["name"], body["name"]);
        assert_eq!(read["poNumber"], body["po_number"]);
        assert_eq!(read["test"], body["test"]);
        assert_eq!(
            read["displayFinancialStatus"].as_str().unwrap().to_lowercase(),
            body["financial_status"].as_str().unwrap()
        );
        same(&read["legacyResourceId"], &json!(body["id"].to_string()));
        for side in ["shop_money", "presentment_money"] {
            let graphql = if side == "shop_money" { "shopMoney" } else { "presentmentMoney" };
            same(
                &read["currentTotalPriceSet"][graphql]["amount"],
                &body["current_total_price_set"][side]["amount"],
            );
        }
        same(&read["totalTaxSet"]["shopMoney"]["amount"], &body["total_tax"]);
        assert_eq!(read["customer"]["id"], body["customer"]["admin_graphql_api_id"]);
        let company = body.get("company").is_some();
        let expected = if company {
            json!("PurchasingCompany")
        } else if body["customer"].is_null() {
            Value::Null
        } else {
            json!("Customer")
        };
        assert_eq!(read["purchasingEntity"]["__typename"], expected);
        let written = body["line_items"].as_array().unwrap();
        assert_eq!(lines.len(), written.len());
        for (line, written) in lines.iter().zip(written) {
            assert_eq!(line["id"], written["admin_graphql_api_id"]);
            assert_eq!(line["sku"], written["sku"]);
            assert_eq!(line["quantity"], written["quantity"]);
            assert_eq!(line["currentQuantity"], written["current_quantity"]);
            same(&line["originalUnitPriceSet"]["shopMoney"]["amount"], &written["price"]);
        }
    }
}
