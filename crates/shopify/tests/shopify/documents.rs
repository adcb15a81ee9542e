//! Each document against Shopify's published schema: valid, its cost and its scopes as the table says, and refused
//! when it is spoiled.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use tidegate_shopify::graphql::{DOCUMENTS, Document, covers};
use twin::shopify::{judge, spoiled};

/// Variables at their largest.
fn variables(document: &Document) -> Value {
    let id = "gid://shopify/Order/1";
    match document.name {
        "Order" | "VersionOfOrder" => json!({ "id": id }),
        "OrderLines" => json!({ "id": id, "after": null }),
        "OrderRefund" | "Refund" => json!({ "id": "gid://shopify/Refund/1", "after": null }),
        "OrderPayments" => json!({ "id": id, "first": 10 }),
        "ListOrders" | "DayOrders" => json!({ "query": "", "after": null, "sortKey": "UPDATED_AT" }),
        "ErpFields" => {
            json!({ "id": id, "namespace": "custom", "number": "erp_number", "state": "erp_state" })
        }
        "AddOrderTags" | "RemoveOrderTags" => json!({ "id": id, "tags": [] }),
        "SetErpFields" => json!({ "metafields": [] }),
        "Shop" => json!({}),
        "Subscriptions" => json!({ "after": null }),
        "CreateSubscription" => json!({ "topic": "ORDERS_CREATE", "subscription": {} }),
        "UpdateSubscription" | "DeleteSubscription" => json!({ "id": id, "subscription": {} }),
        "OrderFulfilments" => json!({ "id": id, "namespace": "custom", "key": "shipments", "after": null }),
        "FulfilmentOrderLines" | "FulfilmentLines" => json!({ "id": id, "after": null }),
        "OrderHolds" => json!({ "id": id, "after": null }),
        "FulfilmentOrderHolds" => json!({ "id": id }),
        "HoldFulfilmentOrder" => json!({ "id": id, "hold": { "reason": "OTHER" } }),
        "ReleaseHold" => json!({ "id": id, "holds": [], "by": null }),
        "NoteShipment" => json!({ "metafields": [] }),
        "CreateFulfilment" => json!({ "fulfillment": { "lineItemsByFulfillmentOrder": [] } }),
        "CancelFulfilment" => json!({ "id": id }),
        "TrackFulfilment" => json!({ "id": id, "tracking": {}, "notify": false }),
        "StockLevels" | "StockChanged" => json!({ "ids": vec![id; 240] }),
        "FindStock" => json!({ "query": "", "location": id, "after": null }),
        "FindSku" => json!({ "query": "" }),
        "RunBulk" => json!({ "query": "" }),
        "Bulk" => json!({ "id": id }),
        "AllStock" => json!({}),
        "Locations" => json!({ "after": null }),
        "CustomerRoles" => json!({ "customer": id }),
        "ContactRoles" => json!({ "contact": id, "after": null }),
        "Variants" => json!({ "ids": vec![id; 250] }),
        "SetStock" => json!({ "input": {}, "key": "k" }),
        "ActivateStock" => json!({ "item": id, "location": id, "key": "k" }),
        "AllVariants" | "PricePlaces" | "AllPrices" | "BulkWrites" => json!({}),
        "ListPrices" | "PlainPrices" => json!({ "list": id, "after": null, "query": null }),
        "OpenPrices" => {
            let slot = |at: usize| [(format!("l{at}"), json!(id)), (format!("u{at}"), json!(true))];
            (0..20).flat_map(slot).collect::<serde_json::Map<_, _>>().into()
        }
        "ListRules" => json!({ "list": id, "after": null }),
        "SetPrices" => json!({ "list": id, "pricesToAdd": [], "variantIdsToDelete": [] }),
        "SetQuantityPrices" => json!({ "list": id, "input": {} }),
        "CreatePriceList" | "CreateCatalog" => json!({ "input": {} }),
        "ChangeCatalog" => json!({ "catalogId": id }),
        "ActivateCatalog" | "CancelBulk" => json!({ "id": id }),
        "DeleteCatalog" => json!({ "id": id, "withList": true }),
        "StageFile" => json!({ "input": [] }),
        "RunBulkWrite" => json!({ "mutation": "", "path": "" }),
        other => panic!("{other} has no variables here"),
    }
}

#[test]
fn each_document_is_valid_and_costs_what_the_table_says() {
    let mut wrong = Vec::new();
    for document in DOCUMENTS {
        let judged = judge(document.text, Some(document.name), &variables(document))
            .unwrap_or_else(|error| panic!("{}: {error}", document.file));
        if judged.requested_cost != document.cost {
            wrong.push(format!("{} costs {}, not {}", document.file, judged.requested_cost, document.cost));
        }
        assert!(document.cost <= 1000, "{}: one query may cost 1,000 points", document.file);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a mutation needs because of the object that it is given is not in the schema, nor is what a fulfilment's cancelling
/// needs: the file's head says it.
const BY_OBJECT: [&str; 3] = ["SetErpFields", "NoteShipment", "CancelFulfilment"];

#[test]
fn each_document_names_the_scopes_that_it_needs_and_no_other() {
    for document in DOCUMENTS {
        let judged = judge(document.text, Some(document.name), &variables(document)).unwrap();
        for any_of in &judged.scopes {
            let covered = any_of.iter().any(|scope| document.scopes.iter().any(|named| covers(named, scope)));
            assert!(covered, "{} needs one of {any_of:?}", document.file);
        }
        let needed: BTreeSet<&String> = judged.scopes.iter().flatten().collect();
        for named in document.scopes {
            let used = needed.iter().any(|scope| covers(named, scope));
            assert!(used || BY_OBJECT.contains(&document.name), "{} does not need {named}", document.file);
        }
        let head: String = document.text.lines().take_while(|line| line.starts_with('#')).collect();
        for named in document.scopes {
            assert!(head.contains(named), "the head of {} does not name {named}", document.file);
        }
    }
}

#[test]
fn a_spoiled_document_is_refused() {
    for document in DOCUMENTS {
        let variants = spoiled(document.text).unwrap();
        assert!(variants.len() >= 4, "{}", document.file);
        // All of the short ones; of the long ones every seventh, because each is validated in full.
        let step = if variants.len() > 60 { 7 } else { 1 };
        for variant in variants.iter().step_by(step) {
            assert!(judge(variant, Some(document.name), &variables(document)).is_err(), "{variant}");
        }
    }
}

#[test]
fn the_table_holds_every_file_once() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
    let mut files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut known: Vec<&str> = DOCUMENTS.iter().map(|document| document.file).collect();
    known.sort_unstable();
    assert_eq!(files, known);
    let names: BTreeSet<&str> = DOCUMENTS.iter().map(|document| document.name).collect();
    assert_eq!(names.len(), DOCUMENTS.len());
    assert!(DOCUMENTS.iter().all(|document| Document::named(document.name) == Some(document)));
}
