//! The documents that the hub sends (`crates/shopify/queries`), judged and asked.

use crate::{ask, codes, config, shop_with};
use serde_json::json;
use std::path::Path;
use tidegate_twin::shop::{Change, RefundRequest, What};
use tidegate_twin::shopify::{judge, spoiled};

fn documents() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shopify/queries");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let documents = files.filter(|file| file.extension().is_some_and(|ending| ending == "graphql"));
    documents
        .map(|file| {
            (file.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(file).unwrap())
        })
        .collect()
}

#[test]
fn every_document_is_valid_affordable_and_refused_when_spoiled() {
    for (name, text) in documents() {
        let judgement = judge(&text, None, &json!({ "first": 250, "size": 250, "n": 250 }));
        let judgement = judgement.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(judgement.requested_cost <= 1000, "{name} asks for {} points", judgement.requested_cost);
        for variant in spoiled(&text).unwrap() {
            assert!(judge(&variant, None, &json!({})).is_err(), "{name}\n{variant}");
        }
    }
}

/// Those that read one thing by its id: every field has an answer for every kind of order.
#[tokio::test]
async fn reads_by_id_are_answered_whole() {
    let twin = shop_with(config(), 60).await;
    for order in twin.orders() {
        let line = order.lines.iter().find(|line| line.current_quantity > 0);
        let request = RefundRequest {
            lines: line.map(|line| (line.id, 1)).into_iter().collect(),
            ..RefundRequest::default()
        };
        // Unpaid ones have nothing to give back, and some nothing to send.
        let _ = twin.refund(order.id, request);
        let _ = twin.apply(&Change { order_id: order.id, what: What::Fulfil { units: Vec::new() } });
    }
    let run = "mutation { bulkOperationRunQuery(query: \"{ inventoryItems { edges { node { id } } } }\") { bulkOperation { id } } }";
    let bulk =
        ask(&twin, run, json!({})).await["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"].clone();
    for (name, text) in documents() {
        // The id is all that has to be given.
        let signature =
            text.split_once("query ").and_then(|(_, rest)| rest.split_once(')')).map(|(head, _)| head);
        let only_by_id =
            signature.is_some_and(|head| head.contains("$id: ID!") && head.matches('!').count() == 1);
        for order in twin.orders().iter().filter(|_| only_by_id) {
            let id = if text.contains("refund(id") {
                let Some(refund) = order.refunds.first() else { continue };
                format!("gid://shopify/Refund/{}", refund.id)
            } else if text.contains("fulfillment(id") {
                let Some(fulfilment) = order.fulfilments.first() else { continue };
                format!("gid://shopify/Fulfillment/{}", fulfilment.id)
            } else if text.contains("fulfillmentOrder(id") {
                let open =
                    "query ($id: ID!) { order(id: $id) { fulfillmentOrders(first: 1) { nodes { id } } } }";
                let answer = ask(&twin, open, json!({ "id": order.gid() })).await;
                let nodes = &answer["data"]["order"]["fulfillmentOrders"]["nodes"];
                let Some(id) = nodes[0]["id"].as_str() else { continue };
                id.to_owned()
            } else if text.contains("bulkOperation(id") {
                bulk.as_str().unwrap().to_owned()
            } else {
                order.gid()
            };
            let answer = ask(&twin, &text, json!({ "id": id })).await;
            assert_eq!(codes(&answer), Vec::<&str>::new(), "{name}\n{answer}");
            let found = answer["data"].as_object().unwrap().values().all(|value| !value.is_null());
            assert!(found, "{name}\n{answer}");
        }
    }
}
