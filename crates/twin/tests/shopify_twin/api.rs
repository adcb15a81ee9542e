//! Who may ask what, and what it costs.

use crate::{ask, codes, config, noon, placed, post, scopes, shop_with};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tidegate_twin::shop::{Mix, Order, What};
use tidegate_twin::shopify::{Plan, ShopConfig, ShopifyTwin, judge, spoiled};

/// Documents as a hub sends them, with variables.
fn documents() -> Vec<(&'static str, Value)> {
    let order = "gid://shopify/Order/1";
    vec![
        ("{ shop { id myshopifyDomain currencyCode ianaTimezone plan { publicDisplayName } } }", json!({})),
        ("{ currentAppInstallation { accessScopes { handle } } }", json!({})),
        (
            "query Sweep($query: String!, $after: String) {
               orders(first: 250, after: $after, query: $query, sortKey: UPDATED_AT) {
                 nodes { id updatedAt } pageInfo { hasNextPage endCursor } } }",
            json!({ "query": "updated_at:>=2026-11-24T00:00:00Z" }),
        ),
        (
            "query One($id: ID!) { order(id: $id) {
               id name poNumber customer { id } lineItems(first: 50) { nodes { id sku quantity variant { id }
                 originalUnitPriceSet { shopMoney { amount currencyCode } presentmentMoney { amount } }
                 taxLines { title rate priceSet { shopMoney { amount } } } } }
               purchasingEntity { __typename ... on PurchasingCompany { company { id externalId } location { id } } }
               paymentTerms { paymentTermsName dueInDays } } }",
            json!({ "id": order }),
        ),
        (
            "mutation Number($fields: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $fields) {
               metafields { id key value } userErrors { field message code } } }",
            json!({ "fields": [{ "ownerId": order, "namespace": "tidegate", "key": "erp_number", "type": "single_line_text_field", "value": "1" }] }),
        ),
        (
            "mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
               webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
                 webhookSubscription { id uri apiVersion { handle } } userErrors { field message } } }",
            json!({ "topic": "ORDERS_CREATE", "subscription": { "uri": "https://hub.example.com/webhooks" } }),
        ),
    ]
}

#[tokio::test]
async fn each_document_is_taken_and_refused_when_it_is_spoiled_or_a_scope_is_missing() {
    let twin = shop_with(config(), 20).await;
    // One that has everything a document asks for: a company, a customer, a line with a variant.
    let orders = twin.orders();
    let whole = |order: &&Arc<Order>| {
        order.company.is_some()
            && order.lines.iter().any(|line| line.product_exists && line.variant_id.is_some())
    };
    let order = orders.iter().find(whole).unwrap().gid();
    for (document, mut variables) in documents() {
        if variables.get("id").is_some() {
            variables["id"] = json!(order);
        }
        if variables.get("fields").is_some() {
            variables["fields"][0]["ownerId"] = json!(order);
        }
        let answer = ask(&twin, document, variables.clone()).await;
        assert_eq!(codes(&answer), Vec::<&str>::new(), "{document}\n{answer:#}");
        let spoiled = spoiled(document).unwrap();
        assert!(spoiled.len() >= 6, "{document}");
        for variant in spoiled {
            let answer = ask(&twin, &variant, variables.clone()).await;
            assert!(
                answer.get("data").is_none() && answer.get("extensions").is_none(),
                "{variant}\n{answer}"
            );
            let known = |code: &&str| ["undefinedField", "argumentNotAccepted"].contains(code);
            assert!(codes(&answer).iter().any(known), "{variant}\n{answer}");
        }
        let all = config().scopes;
        for needed in judge(document, None, &variables).unwrap().scopes {
            let held = |scope: &String| {
                needed.contains(scope) || needed.contains(&scope.replacen("write_", "read_", 1))
            };
            twin.grant(&all.iter().filter(|scope| !held(scope)).cloned().collect());
            let answer = ask(&twin, document, variables.clone()).await;
            assert!(codes(&answer).contains(&"ACCESS_DENIED"), "{needed:?}\n{document}\n{answer}");
        }
        twin.grant(&all);
    }
}

#[tokio::test]
async fn writes_need_the_scope_of_what_they_write_to() {
    let twin = shop_with(config(), 1).await;
    twin.grant(&scopes(&["read_orders", "read_all_orders"]));
    let order = twin.orders()[0].gid();
    let set = "mutation ($id: ID!) { metafieldsSet(metafields: [{ ownerId: $id, namespace: \"abc\", key: \"de\", type: \"json\", value: \"1\" }]) { userErrors { message } } }";
    let tag = "mutation ($id: ID!) { tagsAdd(id: $id, tags: [\"x\"]) { userErrors { message } } }";
    let update =
        "mutation ($id: ID!) { orderUpdate(input: { id: $id, note: \"x\" }) { userErrors { message } } }";
    for document in [set, tag, update] {
        let answer = ask(&twin, document, json!({ "id": order })).await;
        assert_eq!(codes(&answer), ["ACCESS_DENIED"], "{answer}");
        assert_eq!(answer["extensions"]["cost"]["requestedQueryCost"], 10);
    }
    let hook = "mutation { webhookSubscriptionCreate(topic: CUSTOMERS_CREATE, webhookSubscription: { uri: \"https://a.example\" }) { webhookSubscription { id } userErrors { field message } } }";
    let answer = ask(&twin, hook, json!({})).await;
    let error = &answer["data"]["webhookSubscriptionCreate"]["userErrors"][0]["message"];
    assert!(error.as_str().unwrap().contains("do not have permission"), "{answer}");
}

#[tokio::test]
async fn refusals_before_graphql_are_the_originals() {
    let twin = shop_with(config(), 0).await;
    let base = twin.url();
    let good = json!({ "query": "{ shop { id } }" });
    let cases = [
        ("/admin/api/2026-10/graphql.json", "wrong", good.clone(), 401),
        ("/admin/api/2025-04/graphql.json", "shpat_twin", good.clone(), 404),
        ("/admin/api/2099-01/graphql.json", "shpat_twin", good.clone(), 404),
        ("/admin/api/2026-10/orders.json", "shpat_twin", good.clone(), 404),
        ("/admin/api/2026-10/graphql.json", "shpat_twin", json!({ "quer": "{ shop { id } }" }), 400),
        ("/admin/api/2026-10/graphql.json", "shpat_twin", good, 200),
    ];
    for (path, token, body, status) in cases {
        let answer = post(&format!("{base}{path}"), token, &body).await;
        assert_eq!(answer.status(), status, "{path} {token}");
        assert!(answer.json::<Value>().await.unwrap().is_object());
    }
}

#[tokio::test]
async fn documents_that_are_wrong_are_refused_with_shopifys_codes() {
    let twin = shop_with(config(), 1).await;
    let list = json!({ "ids": (0..251).map(|id| format!("gid://shopify/Order/{id}")).collect::<Vec<_>>() });
    let cases = [
        ("{ shop { ", json!({}), "PARSE_ERROR"),
        ("{ shop }", json!({}), "selectionMismatch"),
        ("{ order { id } }", json!({}), "missingRequiredArguments"),
        ("{ order(id: \"1\") { agreements { edges { node { id } } } } }", json!({}), "NOT_MODELLED"),
        ("query ($id: ID!) { order(id: $id) { id } }", json!({}), "INVALID_VARIABLE"),
        ("query ($id: ID!) { shop { id } }", json!({ "id": "1" }), "variableNotUsed"),
        ("query ($n: Int!) { orders(first: $n) { nodes { id } } }", json!({ "n": "10" }), "INVALID_VARIABLE"),
        ("{ orders(first: 1, sortKey: WRONG) { nodes { id } } }", json!({}), "argumentLiteralsIncompatible"),
        ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", list, "MAX_INPUT_SIZE_EXCEEDED"),
        (
            "mutation { orderUpdate(input: { id: \"gid://shopify/Order/1\", total: 3 }) { userErrors { message } } }",
            json!({}),
            "argumentNotAccepted",
        ),
        ("{ order(id: \"5\") { id } }", json!({}), "argumentLiteralsIncompatible"),
        ("{ order(id: \"gid://shopify/Product/5\") { id } }", json!({}), "RESOURCE_NOT_FOUND"),
        ("{ orderByIdentifier(identifier: {}) { id } }", json!({}), "invalidOneOfInputObject"),
        ("{ orders { nodes { id } } }", json!({}), "BAD_REQUEST"),
        ("{ orders(first: 251) { nodes { id } } }", json!({}), "BAD_REQUEST"),
        ("{ orders(first: 1, last: 1) { nodes { id } } }", json!({}), "BAD_REQUEST"),
        ("{ orders(first: 1, after: \"nonsense\") { nodes { id } } }", json!({}), "BAD_REQUEST"),
    ];
    for (document, variables, code) in cases {
        let answer = ask(&twin, document, variables).await;
        assert_eq!(codes(&answer).first(), Some(&code), "{document}\n{answer}");
    }
    let missing = ask(&twin, "{ order(id: \"gid://shopify/Order/5\") { id } }", json!({})).await;
    assert_eq!((codes(&missing), &missing["data"]["order"]), (vec![], &Value::Null));
}

#[tokio::test]
async fn an_empty_bucket_throttles_without_data_and_fills_by_the_second() {
    let config = ShopConfig { plan: Plan::Standard, ..config() };
    let clock = config.clock.clone();
    let twin = shop_with(config, 1).await;
    // 2 + 11 (orders) × (1 + 2 + 11 (lines) × 3): 398 points, of which little is used: there is one order.
    let dear = "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { variant { id } product { id } } } } } }";
    let answer = ask(&twin, dear, json!({})).await;
    let cost = &answer["extensions"]["cost"];
    assert_eq!(cost["requestedQueryCost"], 398);
    let actual = cost["actualQueryCost"].as_u64().unwrap();
    assert!(actual < 60, "{answer}");
    assert_eq!(
        cost["throttleStatus"],
        json!({ "maximumAvailable": 2000, "currentlyAvailable": 2000 - actual, "restoreRate": 100 })
    );
    // Five at once take the bucket before any is done with: here one after the other, so drain it by mutations.
    let tag = format!(
        "mutation {{ tagsAdd(id: \"{}\", tags: [\"a\"]) {{ userErrors {{ message }} }} }}",
        twin.orders()[0].gid()
    );
    let mut answers = 0;
    let refused = loop {
        let answer = ask(&twin, &tag, json!({})).await;
        if codes(&answer) == ["THROTTLED"] {
            break answer;
        }
        answers += 1;
        assert!(answers <= 200, "2,000 points are 200 mutations");
    };
    assert!(refused.get("data").is_none());
    assert_eq!(refused["extensions"]["cost"]["actualQueryCost"], Value::Null);
    assert!(refused["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"].as_u64().unwrap() < 10);
    clock.advance(Duration::from_secs(1));
    assert_eq!(codes(&ask(&twin, &tag, json!({})).await), Vec::<&str>::new());
    assert!(twin.stats().api["throttled"] >= 1);
}

#[tokio::test]
async fn a_query_over_a_thousand_points_is_refused_whatever_the_bucket_holds() {
    let twin = shop_with(config(), 1).await;
    let dear = "{ orders(first: 250) { nodes { lineItems(first: 250) { nodes { taxLines { title } discountAllocations { discountApplication { index } } duties { id } variant { id } product { id } } } refunds { refundLineItems(first: 250) { nodes { lineItem { id } location { id } } } } } } }";
    let answer = ask(&twin, dear, json!({})).await;
    assert_eq!(codes(&answer), ["MAX_COST_EXCEEDED"], "{answer}");
    assert!(answer.get("data").is_none());
    assert_eq!(answer["errors"][0]["extensions"]["maxCost"], 1000);
}

#[tokio::test]
async fn protected_data_without_approval_is_null_with_an_error_and_the_rest_is_there() {
    let config = ShopConfig { approved: scopes(&["name"]), ..config() };
    let twin = shop_with(config, 5).await;
    let order = twin.orders().into_iter().find(|order| order.email.is_some()).unwrap();
    let answer =
        ask(&twin, "query ($id: ID!) { order(id: $id) { name email } }", json!({ "id": order.gid() })).await;
    assert_eq!(answer["data"]["order"], json!({ "name": order.name, "email": null }));
    assert_eq!(codes(&answer), ["ACCESS_DENIED"]);
    assert_eq!(answer["errors"][0]["path"], json!(["order", "email"]));
}

#[tokio::test]
async fn orders_of_more_than_sixty_days_need_their_own_scope() {
    let config = config();
    let old = noon().checked_sub(jiff::SignedDuration::from_hours(24 * 61)).unwrap();
    let changes = placed(&config, 2, old, Mix::plain());
    let twin = ShopifyTwin::start(config).await.unwrap();
    for change in &changes {
        twin.apply(change).unwrap();
    }
    let What::Place(order) = &changes[0].what else { panic!("orders are placed") };
    let query = "query ($id: ID!) { order(id: $id) { id } ordersCount { count } }";
    let variables = json!({ "id": order.gid() });
    assert_eq!(ask(&twin, query, variables.clone()).await["data"]["ordersCount"]["count"], 2);
    twin.grant(&scopes(&["read_orders"]));
    let answer = ask(&twin, query, variables).await;
    assert_eq!(answer["data"], json!({ "order": null, "ordersCount": { "count": 0 } }));
}
