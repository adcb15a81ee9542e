//! Stock: what can be read of it, what orders do to it, and who sets it under which rules.

use crate::sink::Sink;
use crate::{ask, codes, config, placed, scopes, shop_with};
use serde_json::{Value, json};
use tidegate_twin::shop::{CancelReason, Change, Mix, RefundRequest, What};
use tidegate_twin::shopify::{Levels, ShopConfig, ShopifyTwin, StockConfig};

pub(crate) const SET: &str = "mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
    inventorySetQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup { reason referenceDocumentUri changes { name delta quantityAfterChange item { id sku } location { id name } } }
        userErrors { code field message } } }";

const ITEM_1: &str = "gid://shopify/InventoryItem/46487160210001";
const ITEM_2: &str = "gid://shopify/InventoryItem/46487160210002";
const PLACE_1: &str = "gid://shopify/Location/72212345678";
const PLACE_2: &str = "gid://shopify/Location/72212345679";

pub(crate) fn quantity(item: &str, location: &str, quantity: i64, from: Value) -> Value {
    json!({ "inventoryItemId": item, "locationId": location, "quantity": quantity, "changeFromQuantity": from })
}

pub(crate) fn input(quantities: Value) -> Value {
    json!({ "name": "available", "reason": "correction", "referenceDocumentUri": "gid://tidegate/Delivery/7", "quantities": quantities })
}

async fn set(twin: &ShopifyTwin, key: &str, input: Value) -> Value {
    let answer = ask(twin, SET, json!({ "input": input, "key": key })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    answer["data"]["inventorySetQuantities"].clone()
}

async fn shop(stock: StockConfig) -> ShopifyTwin {
    ShopifyTwin::start(ShopConfig { stock, ..config() }).await.unwrap()
}

fn with(available: i64) -> StockConfig {
    StockConfig { available, ..StockConfig::default() }
}

fn levels(available: i64, committed: i64) -> Option<Levels> {
    Some(Levels { available, committed, on_hand: available + committed, is_active: true })
}

fn code(answer: &Value) -> &str {
    answer["userErrors"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn items_are_found_by_sku_with_their_level_at_a_location() {
    let twin = shop(StockConfig { generated: 500_000, ..with(12) }).await;
    let query = "query ($q: String!, $at: ID!) { productVariants(first: 200, query: $q) { nodes { id sku inventoryPolicy inventoryQuantity
        inventoryItem { id sku tracked variant { id } inventoryLevel(locationId: $at) { id isActive quantities(names: [\"available\", \"committed\", \"on_hand\"]) { name quantity } } } }
        pageInfo { hasNextPage } } }";
    let wanted = "sku:'SKU-0002' OR sku:'GEN-500000' OR sku:'SKU-9999'";
    let answer = ask(&twin, query, json!({ "q": wanted, "at": PLACE_2 })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    let found = answer["data"]["productVariants"]["nodes"].as_array().unwrap();
    let skus: Vec<_> = found.iter().map(|one| one["sku"].as_str().unwrap()).collect();
    assert_eq!(skus, ["SKU-0002", "GEN-500000"]);
    let item = &found[0]["inventoryItem"];
    assert_eq!((&item["id"], &item["variant"]["id"]), (&json!(ITEM_2), &found[0]["id"]));
    let level = &item["inventoryLevel"];
    assert_eq!(level["id"], "gid://shopify/InventoryLevel/72212345679?inventory_item_id=46487160210002");
    let quantities = json!([
        { "name": "available", "quantity": 12 }, { "name": "committed", "quantity": 0 }, { "name": "on_hand", "quantity": 12 }
    ]);
    assert_eq!(level["quantities"], quantities);
    assert_eq!(found[0]["inventoryQuantity"], 24);
    assert_eq!(answer["extensions"]["cost"]["requestedQueryCost"], 2 + 5 * 10);
}

#[tokio::test]
async fn levels_items_variants_and_locations_are_nodes() {
    let twin = shop(with(5)).await;
    let level = "gid://shopify/InventoryLevel/72212345678?inventory_item_id=46487160210001";
    let missing = "gid://shopify/InventoryLevel/1?inventory_item_id=46487160210001";
    let query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on InventoryLevel { quantities(names: [\"available\"]) { quantity } item { sku } location { name } }
        ... on InventoryItem { sku } ... on Location { name } ... on ProductVariant { sku price } } locations(first: 5, query: \"name:'Warehouse 2'\") { nodes { id name } } location { id } }";
    let ids = json!([level, missing, ITEM_1, PLACE_1, "gid://shopify/ProductVariant/44392954490001"]);
    let answer = ask(&twin, query, json!({ "ids": ids })).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    let nodes = answer["data"]["nodes"].as_array().unwrap();
    assert_eq!((&nodes[0]["id"], &nodes[1]), (&json!(level), &Value::Null));
    assert_eq!(
        (&nodes[0]["item"]["sku"], &nodes[0]["quantities"][0]["quantity"]),
        (&json!("SKU-0001"), &json!(5))
    );
    assert_eq!((&nodes[2]["sku"], &nodes[3]["name"]), (&json!("SKU-0001"), &json!("Warehouse 1")));
    assert_eq!(nodes[4]["price"], "12.49");
    assert_eq!(answer["data"]["locations"]["nodes"], json!([{ "id": PLACE_2, "name": "Warehouse 2" }]));
    assert_eq!(answer["data"]["location"]["id"], PLACE_1);
}

#[tokio::test]
async fn quantities_are_set_all_together_with_what_the_client_saw() {
    let twin = shop(with(10)).await;
    let both = json!([quantity(ITEM_1, PLACE_1, 7, json!(10)), quantity(ITEM_2, PLACE_2, -3, Value::Null)]);
    let done = set(&twin, "k1", input(both)).await;
    let group = &done["inventoryAdjustmentGroup"];
    assert_eq!(group["reason"], "Inventory correction");
    assert_eq!(group["referenceDocumentUri"], "gid://tidegate/Delivery/7");
    let changes: Vec<_> = group["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["delta"].as_i64().unwrap()))
        .collect();
    assert_eq!(changes, [("available", -3), ("available", -13), ("on_hand", -3), ("on_hand", -13)]);
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(7, 0));
    assert_eq!(twin.stock("SKU-0002", "Warehouse 2"), levels(-3, 0));

    let half_stale = json!([quantity(ITEM_1, PLACE_1, 5, json!(7)), quantity(ITEM_2, PLACE_2, 5, json!(10))]);
    let refused = set(&twin, "k2", input(half_stale)).await;
    assert_eq!(refused["inventoryAdjustmentGroup"], Value::Null);
    let error = json!({ "code": "CHANGE_FROM_QUANTITY_STALE", "field": ["input", "quantities", "1", "changeFromQuantity"],
        "message": "The changeFromQuantity value does not match persisted value." });
    assert_eq!(refused["userErrors"], json!([error]));
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(7, 0), "nothing of a refused call is done");

    let same = set(&twin, "k3", input(json!([quantity(ITEM_1, PLACE_1, 7, json!(7))]))).await;
    assert_eq!(
        same,
        json!({ "inventoryAdjustmentGroup": null, "userErrors": [] }),
        "nothing changed: no group"
    );
    let sets = twin.stock_sets();
    let seen: Vec<_> = sets
        .iter()
        .map(|one| (one.key.as_deref(), one.sku.as_str(), one.location, one.from, one.to))
        .collect();
    assert_eq!(seen, [(Some("k1"), "SKU-0001", "WH-1", 10, 7), (Some("k1"), "SKU-0002", "WH-2", 10, -3)]);
    let counts = twin.stock_counts();
    assert_eq!((counts.calls, counts.sets, counts.unchanged, counts.stale), (3, 2, 1, 1));
}

#[tokio::test]
async fn on_hand_is_set_through_what_is_available() {
    let config = ShopConfig { stock: with(100_000), ..config() };
    let twin = shop_with(config, 30).await;
    let row = twin.all_stock().into_iter().find(|row| row.levels.committed > 0).unwrap();
    let number: u64 = row.sku.trim_start_matches("SKU-").parse().unwrap();
    let item = format!("gid://shopify/InventoryItem/{}", 46_487_160_210_000 + number);
    let mut wanted = input(json!([quantity(&item, PLACE_1, 50, json!(row.levels.on_hand))]));
    wanted["name"] = json!("on_hand");
    assert_eq!(set(&twin, "k1", wanted).await["userErrors"], json!([]));
    let after = twin.stock(&row.sku, row.location).unwrap();
    assert_eq!((after.on_hand, after.committed), (50, row.levels.committed));
    assert_eq!(after.available, 50 - row.levels.committed);
}

#[tokio::test]
async fn a_key_has_one_effect_and_belongs_to_its_parameters() {
    let twin = shop(with(10)).await;
    let wanted = input(json!([quantity(ITEM_1, PLACE_1, 4, json!(10))]));
    let first = set(&twin, "k1", wanted.clone()).await;
    twin.set_by_hand("SKU-0001", "WH-1", 9).unwrap();
    assert_eq!(set(&twin, "k1", wanted.clone()).await, first, "the same answer, whatever happened since");
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(9, 0));
    let other = set(&twin, "k1", input(json!([quantity(ITEM_1, PLACE_1, 5, json!(9))]))).await;
    assert_eq!(code(&other), "IDEMPOTENCY_KEY_PARAMETER_MISMATCH");
    assert_eq!(code(&set(&twin, "k2", wanted.clone()).await), "CHANGE_FROM_QUANTITY_STALE");
    twin.set_by_hand("SKU-0001", "WH-1", 10).unwrap();
    assert_eq!(code(&set(&twin, "k2", wanted.clone()).await), "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED");
    assert_eq!(set(&twin, "k3", wanted).await["userErrors"], json!([]));
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(4, 0));
    assert_eq!(twin.stock_counts().repeated, 1);
}

#[tokio::test]
async fn what_is_mandatory_at_run_time_is_a_top_level_error() {
    let twin = shop(with(10)).await;
    let wanted = input(json!([quantity(ITEM_1, PLACE_1, 4, json!(10))]));
    let without = "mutation ($input: InventorySetQuantitiesInput!) { inventorySetQuantities(input: $input) { userErrors { code } } }";
    let answer = ask(&twin, without, json!({ "input": wanted })).await;
    assert_eq!(codes(&answer), ["BAD_REQUEST"]);
    assert_eq!(
        answer["errors"][0]["message"],
        "The @idempotent directive is required for this mutation but was not provided."
    );
    let mut absent = wanted;
    absent["quantities"][0].as_object_mut().unwrap().remove("changeFromQuantity");
    let answer = ask(&twin, SET, json!({ "input": absent, "key": "k1" })).await;
    assert_eq!(codes(&answer), ["INVALID_FIELD_ARGUMENTS"]);
    let many: Vec<_> = (0..251).map(|n| quantity(ITEM_1, PLACE_1, n, Value::Null)).collect();
    let answer = ask(&twin, SET, json!({ "input": input(json!(many)), "key": "k2" })).await;
    assert_eq!(codes(&answer), ["MAX_INPUT_SIZE_EXCEEDED"]);
    twin.grant(&scopes(&["read_inventory", "read_products", "read_locations"]));
    let wanted = input(json!([quantity(ITEM_1, PLACE_1, 4, json!(10))]));
    let answer = ask(&twin, SET, json!({ "input": wanted, "key": "k3" })).await;
    assert_eq!(codes(&answer), ["ACCESS_DENIED"]);
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(10, 0));
}

#[tokio::test]
async fn what_is_wrong_with_an_input_is_a_user_error_with_its_place() {
    let twin = shop(with(10)).await;
    let one = |item: &str, location: &str, value: i64| json!([quantity(item, location, value, Value::Null)]);
    let with = |name: &str, value: &str| {
        let mut input = input(one(ITEM_1, PLACE_1, 1));
        input[name] = json!(value);
        input
    };
    let twice = json!([quantity(ITEM_1, PLACE_1, 1, Value::Null), quantity(ITEM_1, PLACE_1, 1, Value::Null)]);
    let mut below = with("name", "on_hand");
    below["quantities"][0]["quantity"] = json!(-1);
    let at = |part: &str| json!(["input", "quantities", "0", part]);
    let cases = [
        (with("name", "committed"), "INVALID_NAME", json!(["input", "name"])),
        (with("reason", "because"), "INVALID_REASON", json!(["input", "reason"])),
        (
            with("referenceDocumentUri", "nothing"),
            "INVALID_REFERENCE_DOCUMENT",
            json!(["input", "referenceDocumentUri"]),
        ),
        (
            with("referenceDocumentUri", "gid://tidegate/7"),
            "INVALID_REFERENCE_DOCUMENT",
            json!(["input", "referenceDocumentUri"]),
        ),
        (
            input(one("gid://shopify/InventoryItem/1", PLACE_1, 1)),
            "INVALID_INVENTORY_ITEM",
            at("inventoryItemId"),
        ),
        (input(one(ITEM_1, "gid://shopify/Location/1", 1)), "INVALID_LOCATION", at("locationId")),
        (input(one(ITEM_1, PLACE_1, 1_000_000_001)), "INVALID_QUANTITY_TOO_HIGH", at("quantity")),
        (input(one(ITEM_1, PLACE_1, -1_000_000_001)), "INVALID_QUANTITY_TOO_LOW", at("quantity")),
        (below, "INVALID_QUANTITY_NEGATIVE", at("quantity")),
        (input(twice), "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", at("locationId")),
    ];
    for (number, (input, code, field)) in cases.into_iter().enumerate() {
        let answer = set(&twin, &format!("k{number}"), input).await;
        let error = &answer["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!(code), &field), "{answer}");
    }
    assert!(twin.stock_sets().is_empty());
}

const ACTIVATE: &str = "mutation ($item: ID!, $at: ID!, $available: Int, $key: String!) {
    inventoryActivate(inventoryItemId: $item, locationId: $at, available: $available) @idempotent(key: $key) {
        inventoryLevel { id isActive quantities(names: [\"available\"]) { quantity } } userErrors { field message } } }";

#[tokio::test]
async fn what_is_not_stocked_at_a_location_can_be_counted_there_and_is_sold_once_it_is_activated() {
    let twin = shop(StockConfig { stocked_at: 1, ..with(10) }).await;
    assert_eq!(twin.stock("SKU-0001", "WH-2"), None);
    let read = "query ($id: ID!, $at: ID!) { inventoryItem(id: $id) { inventoryLevel(locationId: $at) { id } any: inventoryLevel(locationId: $at, includeInactive: true) { isActive } inventoryLevels(first: 5) { nodes { location { id } } } } }";
    let variables = json!({ "id": ITEM_1, "at": PLACE_2 });
    let item = ask(&twin, read, variables.clone()).await["data"]["inventoryItem"].clone();
    assert_eq!((&item["inventoryLevel"], &item["any"]), (&Value::Null, &Value::Null));
    let done = set(&twin, "k1", input(json!([quantity(ITEM_1, PLACE_2, 6, json!(0))]))).await;
    assert_eq!(done["userErrors"], json!([]));
    let item = ask(&twin, read, variables).await["data"]["inventoryItem"].clone();
    assert_eq!((&item["inventoryLevel"], &item["any"]["isActive"]), (&Value::Null, &json!(false)));
    assert_eq!(item["inventoryLevels"]["nodes"].as_array().unwrap().len(), 1);

    let activate = |key: &str, available: Value| json!({ "item": ITEM_1, "at": PLACE_2, "available": available, "key": key });
    let answer = ask(&twin, ACTIVATE, activate("k2", Value::Null)).await;
    let activated = &answer["data"]["inventoryActivate"];
    assert_eq!(activated["userErrors"], json!([]), "{answer}");
    assert_eq!(activated["inventoryLevel"]["isActive"], true);
    assert_eq!(activated["inventoryLevel"]["quantities"][0]["quantity"], 6, "its quantities are kept");
    let again = ask(&twin, ACTIVATE, activate("k2", Value::Null)).await;
    assert_eq!(again["data"], answer["data"]);
    let refused = ask(&twin, ACTIVATE, activate("k3", json!(9))).await;
    assert_eq!(refused["data"]["inventoryActivate"]["userErrors"][0]["field"], json!(["available"]));
    assert_eq!(twin.stock("SKU-0001", "WH-2"), levels(6, 0));
}

/// One order of one line, whose item is as it says.
async fn one_order(stock: StockConfig, quantity: u32) -> (ShopifyTwin, u64, u64) {
    let config = ShopConfig { stock, ..config() };
    let changes = placed(&config, 1, crate::noon(), Mix::demo());
    let twin = ShopifyTwin::start(config).await.unwrap();
    let What::Place(order) = &changes[0].what else { unreachable!("placed") };
    let mut order = order.as_ref().clone();
    order.lines.truncate(1);
    let line = &mut order.lines[0];
    (line.variant_id, line.sku) = (Some(44_392_954_490_001), Some("SKU-0001".to_owned()));
    (line.quantity, line.current_quantity) = (quantity, quantity);
    let (id, line) = (order.id, order.lines[0].id);
    twin.apply(&Change { order_id: id, what: What::Place(Box::new(order)) }).unwrap();
    (twin, id, line)
}

#[tokio::test]
async fn an_order_commits_ships_and_gives_back_its_units() {
    let (twin, order, line) = one_order(with(10), 6).await;
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(4, 6));
    twin.edit(order, line, 5).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(5, 5));
    let fulfil = |units| Change { order_id: order, what: What::Fulfil { units: vec![(line, units)] } };
    let shipped = twin.apply(&fulfil(2)).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(5, 3));
    assert_eq!(shipped.fulfilments[0].location_id, 72_212_345_678);
    let refund =
        |units, restock| RefundRequest { lines: vec![(line, units)], restock, ..RefundRequest::default() };
    if twin.order(order).unwrap().totals().received.is_zero() {
        twin.pay(order, "manual").unwrap();
    }
    twin.refund(order, refund(1, false)).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(5, 2), "not restocked: gone");
    twin.refund(order, refund(1, true)).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(6, 1));
    twin.apply(&fulfil(1)).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(6, 0));
    let counts = twin.stock_counts();
    assert_eq!((counts.sold, counts.shipped, counts.restocked, counts.oversold), (6, 3, 2, 0));
}

#[tokio::test]
async fn a_cancelled_order_gives_everything_back() {
    let (twin, order, _) = one_order(with(10), 6).await;
    twin.cancel(order, CancelReason::Customer).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(10, 0));
}

#[tokio::test]
async fn an_order_is_taken_from_where_there_is_enough_and_else_from_the_first() {
    let (twin, _, _) = one_order(with(10), 11).await;
    assert_eq!((twin.stock("SKU-0001", "WH-1"), twin.stock_counts().oversold), (levels(-1, 11), 1));
    let (twin, _, _) = one_order(StockConfig { stocked_at: 1, ..with(10) }, 3).await;
    twin.set_by_hand("SKU-0001", "WH-2", 50).unwrap();
    twin.set_by_hand("SKU-0001", "WH-1", 0).unwrap();
    let of_second = placed(&config(), 2, crate::noon(), Mix::demo());
    let What::Place(order) = &of_second[1].what else { unreachable!("placed") };
    let mut order = order.as_ref().clone();
    order.lines.truncate(1);
    (order.lines[0].variant_id, order.lines[0].quantity, order.lines[0].current_quantity) =
        (Some(44_392_954_490_001), 3, 3);
    let place = |order| Change { order_id: 0, what: What::Place(Box::new(order)) };
    let mut later = order.clone();
    later.id += 1_000_000_007;
    twin.apply(&place(order)).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-1"), levels(-3, 6), "the second does not stock it");
    twin.set_stocked("SKU-0001", "WH-2", true).unwrap();
    twin.apply(&place(later)).unwrap();
    assert_eq!(twin.stock("SKU-0001", "WH-2"), levels(47, 3));
}

#[tokio::test]
async fn two_lines_of_one_item_are_not_taken_from_the_same_units() {
    let config = ShopConfig { stock: StockConfig { may_oversell: false, ..with(10) }, ..config() };
    let changes = placed(&config, 2, crate::noon(), Mix::demo());
    let twin = ShopifyTwin::start(config).await.unwrap();
    let two_lines = |change: &Change, units: u32| {
        let What::Place(order) = &change.what else { unreachable!("placed") };
        let mut order = order.as_ref().clone();
        let mut line = order.lines[0].clone();
        (line.variant_id, line.quantity, line.current_quantity) = (Some(44_392_954_490_001), units, units);
        let second = tidegate_twin::shop::Line { id: line.id + 1, ..line.clone() };
        order.lines = vec![line, second];
        Change { order_id: order.id, what: What::Place(Box::new(order)) }
    };
    assert!(twin.apply(&two_lines(&changes[1], 11)).is_err());
    twin.apply(&two_lines(&changes[0], 6)).unwrap();
    assert_eq!(
        (twin.stock("SKU-0001", "WH-1"), twin.stock("SKU-0001", "WH-2")),
        (levels(4, 6), levels(4, 6))
    );
    assert!(twin.apply(&two_lines(&changes[1], 4)).is_ok());
    assert_eq!(twin.stock_counts().oversold, 0);
}

#[tokio::test]
async fn a_shop_that_does_not_oversell_refuses_the_order() {
    let config = ShopConfig { stock: StockConfig { may_oversell: false, ..with(0) }, ..config() };
    let changes = placed(&config, 1, crate::noon(), Mix::demo());
    let twin = ShopifyTwin::start(config).await.unwrap();
    let refused = twin.apply(&changes[0]).unwrap_err().to_string();
    assert!(refused.contains("were ordered and 0 are available"), "{refused}");
    assert!(twin.orders().is_empty());
}

#[tokio::test]
async fn each_change_of_a_level_is_told_to_who_subscribed() {
    let twin = shop(with(10)).await;
    let (sink, url) = Sink::start().await;
    twin.subscribe("inventory_levels/update", &url);
    set(
        &twin,
        "k1",
        input(json!([quantity(ITEM_1, PLACE_1, 4, json!(10)), quantity(ITEM_2, PLACE_1, 10, json!(10))])),
    )
    .await;
    sink.arrived(1).await;
    twin.set_by_hand("SKU-0002", "WH-2", 3).unwrap();
    sink.arrived(2).await;
    twin.settled().await;
    let taken = sink.taken();
    assert_eq!(taken.len(), 2, "what was so already is not told");
    assert_eq!(taken[0].header("x-shopify-topic"), "inventory_levels/update");
    let body = json!({ "inventory_item_id": 46_487_160_210_001_u64, "location_id": 72_212_345_678_u64, "available": 4,
        "updated_at": "2026-11-24T12:00:00+00:00",
        "admin_graphql_api_id": "gid://shopify/InventoryLevel/72212345678?inventory_item_id=46487160210001" });
    assert_eq!(taken[0].json(), body);
    assert_eq!(taken[1].json()["available"], 3);
}
