//! Catalogs and price lists: what is refused, what a buyer pays, and what is limited by plan.

use crate::{ask, codes, config};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tidegate_twin::shopify::{Plan, ShopConfig, ShopifyTwin, StockConfig};

pub(crate) const LIST: &str = "mutation ($input: PriceListCreateInput!) { priceListCreate(input: $input) { priceList { id name currency parent { adjustment { type value } } } userErrors { code field message } } }";
pub(crate) const CATALOG: &str = "mutation ($input: CatalogCreateInput!) { catalogCreate(input: $input) { catalog { id title status priceList { id } } userErrors { code field message } } }";
pub(crate) const FIXED: &str = "mutation ($list: ID!, $add: [PriceListPriceInput!]!, $delete: [ID!]!) { priceListFixedPricesUpdate(priceListId: $list, pricesToAdd: $add, variantIdsToDelete: $delete) { pricesAdded { price { amount } variant { sku } } deletedFixedPriceVariantIds userErrors { code field message } } }";
const QUANTITY: &str = "mutation ($list: ID!, $input: QuantityPricingByVariantUpdateInput!) { quantityPricingByVariantUpdate(priceListId: $list, input: $input) { productVariants { id } userErrors { code field message } } }";

const SKU_1: &str = "gid://shopify/ProductVariant/44392954490001";
const SKU_2: &str = "gid://shopify/ProductVariant/44392954490002";

pub(crate) async fn shop(plan: Plan) -> ShopifyTwin {
    let stock = StockConfig { generated: 2_000, ..StockConfig::default() };
    let twin = ShopifyTwin::start(ShopConfig { plan, stock, ..config() }).await.unwrap();
    twin.know_company_location(1, "Acme, Berlin");
    twin.know_company_location(2, "Acme, Paris");
    twin
}

/// The payload of a mutation that the API took.
pub(crate) async fn done(twin: &ShopifyTwin, query: &str, variables: Value) -> Value {
    let answer = ask(twin, query, variables).await;
    assert_eq!(codes(&answer), Vec::<&str>::new(), "{answer}");
    answer["data"].as_object().unwrap().values().next().unwrap().clone()
}

pub(crate) fn refusals(payload: &Value) -> Vec<(String, String)> {
    let errors = payload["userErrors"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = |field: &Value| field.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(".");
    errors.iter().map(|error| (text(&error["code"]), path(&error["field"]))).collect()
}

pub(crate) async fn list(twin: &ShopifyTwin, name: &str) -> String {
    let parent = json!({ "adjustment": { "type": "PERCENTAGE_DECREASE", "value": 0 } });
    let input = json!({ "name": name, "currency": "EUR", "parent": parent });
    let made = done(twin, LIST, json!({ "input": input })).await;
    assert_eq!(made["userErrors"], json!([]));
    made["priceList"]["id"].as_str().unwrap().to_owned()
}

async fn catalog(twin: &ShopifyTwin, title: &str, list: &str, locations: &[u64]) -> Value {
    let ids: Vec<_> = locations.iter().map(|id| format!("gid://shopify/CompanyLocation/{id}")).collect();
    let context = json!({ "companyLocationIds": ids });
    let input = json!({ "title": title, "status": "ACTIVE", "priceListId": list, "context": context });
    done(twin, CATALOG, json!({ "input": input })).await
}

pub(crate) fn price(variant: &str, amount: &str) -> Value {
    json!({ "variantId": variant, "price": { "amount": amount, "currencyCode": "EUR" } })
}

fn least(minimum: i64, amount: &str) -> Value {
    json!({ "variantId": SKU_1, "minimumQuantity": minimum, "price": { "amount": amount, "currencyCode": "EUR" } })
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(code, field)| ((*code).to_owned(), (*field).to_owned())).collect()
}

#[tokio::test]
async fn a_buyer_pays_the_lowest_price_over_the_catalogs_of_the_location() {
    let twin = shop(Plan::Plus).await;
    let (contract, dealers) = (list(&twin, "contract").await, list(&twin, "dealers").await);
    for (title, id, locations) in [("Contract", &contract, vec![1]), ("Dealers", &dealers, vec![1, 2])] {
        assert_eq!(catalog(&twin, title, id, &locations).await["userErrors"], json!([]));
    }
    let add = |id: &str, amount: &str| json!({ "list": id, "add": [price(SKU_1, amount)], "delete": [] });
    assert_eq!(done(&twin, FIXED, add(&contract, "9.50")).await["userErrors"], json!([]));
    let charged = twin.charged(1, "EUR", "SKU-0001", 1).unwrap();
    assert_eq!((charged.amount, charged.catalog.as_deref()), (Decimal::new(950, 2), Some("Contract")));
    done(&twin, FIXED, add(&dealers, "9.00")).await;
    let charged = twin.charged(1, "EUR", "SKU-0001", 1).unwrap();
    assert_eq!((charged.amount, charged.catalog.as_deref()), (Decimal::new(900, 2), Some("Dealers")));
    let breaks = json!({ "quantityPriceBreaksToAdd": [least(10, "8.00"), least(50, "7.25")], "quantityPriceBreaksToDelete": [],
        "quantityRulesToAdd": [], "quantityRulesToDeleteByVariantId": [], "pricesToAdd": [], "pricesToDeleteByVariantId": [] });
    let set = done(&twin, QUANTITY, json!({ "list": contract, "input": breaks })).await;
    assert_eq!(set["userErrors"], json!([]), "{set}");
    for (quantity, cents) in [(9, 900), (10, 800), (49, 800), (50, 725)] {
        assert_eq!(twin.charged(1, "EUR", "SKU-0001", quantity).unwrap().amount, Decimal::new(cents, 2));
    }
    let gone = done(&twin, FIXED, json!({ "list": contract, "add": [], "delete": [SKU_1] })).await;
    assert_eq!(gone["deletedFixedPriceVariantIds"], json!([SKU_1]));
    assert_eq!(
        twin.charged(1, "EUR", "SKU-0001", 50).unwrap().amount,
        Decimal::new(900, 2),
        "no price, no breaks"
    );
    assert_eq!(twin.price_counts().breaks_deleted, 2);
}

#[tokio::test]
async fn a_write_of_prices_is_done_whole_or_not_at_all() {
    let twin = shop(Plan::Plus).await;
    let id = list(&twin, "contract").await;
    let missing = "gid://shopify/ProductVariant/1";
    let dollars = json!({ "variantId": SKU_2, "price": { "amount": "1", "currencyCode": "USD" } });
    let mixed =
        json!({ "list": id, "add": [price(SKU_1, "5"), price(missing, "5"), dollars], "delete": [SKU_2] });
    let refused = done(&twin, FIXED, mixed).await;
    let expected = owned(&[
        ("PRICE_NOT_FIXED", "variantIdsToDelete.0"),
        ("VARIANT_NOT_FOUND", "pricesToAdd.1.variantId"),
        ("PRICE_LIST_CURRENCY_MISMATCH", "pricesToAdd.2.price"),
    ]);
    assert_eq!((refusals(&refused), &refused["pricesAdded"]), (expected, &Value::Null));
    assert_eq!(twin.price_counts().prices_set, 0);
    let nobody = json!({ "list": "gid://shopify/PriceList/9", "add": [], "delete": [] });
    let expected = owned(&[("PRICE_LIST_NOT_FOUND", "priceListId")]);
    assert_eq!(refusals(&done(&twin, FIXED, nobody).await), expected);
    let many: Vec<Value> = (0..251).map(|_| price(SKU_1, "5")).collect();
    let answer = ask(&twin, FIXED, json!({ "list": id, "add": many, "delete": [] })).await;
    assert_eq!(codes(&answer), ["MAX_INPUT_SIZE_EXCEEDED"], "{answer}");
}

#[tokio::test]
async fn breaks_need_a_price_fit_the_rule_and_are_ten_at_most() {
    let twin = shop(Plan::Plus).await;
    let id = list(&twin, "contract").await;
    let input = |prices: Value, breaks: Value, rules: Value| {
        let input = json!({ "pricesToAdd": prices, "pricesToDeleteByVariantId": [], "quantityPriceBreaksToAdd": breaks,
            "quantityPriceBreaksToDelete": [], "quantityRulesToAdd": rules, "quantityRulesToDeleteByVariantId": [] });
        json!({ "list": id, "input": input })
    };
    let first = done(&twin, QUANTITY, input(json!([]), json!([least(10, "8")]), json!([]))).await;
    let code = "QUANTITY_PRICE_BREAK_ADD_PRICE_LIST_PRICE_NOT_FOUND";
    assert_eq!(refusals(&first), owned(&[(code, "input.quantityPriceBreaksToAdd.0.variantId")]));
    let eleven: Vec<Value> = (1..=11).map(|step| least(step * 10, "8")).collect();
    let one = json!([price(SKU_1, "9")]);
    let refused = done(&twin, QUANTITY, input(one.clone(), json!(eleven), json!([]))).await;
    assert_eq!(refusals(&refused)[0].0, "QUANTITY_PRICE_BREAK_ADD_LIMIT_EXCEEDED");
    let rule = json!([{ "variantId": SKU_1, "minimum": 6, "maximum": null, "increment": 6 }]);
    let refused = done(&twin, QUANTITY, input(one.clone(), json!([least(10, "8")]), rule.clone())).await;
    let code = "QUANTITY_PRICE_BREAK_ADD_MIN_NOT_A_MULTIPLE_OF_QUANTITY_RULES_INCREMENT";
    assert_eq!(refusals(&refused)[0].0, code);
    let set = done(&twin, QUANTITY, input(one, json!([least(12, "8")]), rule)).await;
    assert_eq!(set["userErrors"], json!([]));
    let read = "query ($id: ID!) { priceList(id: $id) { fixedPricesCount prices(first: 5, originType: FIXED) { nodes { price { amount } variant { sku } quantityPriceBreaks(first: 10) { nodes { minimumQuantity price { amount } } } } } quantityRules(first: 5, originType: FIXED) { nodes { minimum increment productVariant { sku } } } } }";
    let answer = ask(&twin, read, json!({ "id": id })).await;
    let list = &answer["data"]["priceList"];
    assert_eq!(list["fixedPricesCount"], 1, "{answer}");
    let of = &list["prices"]["nodes"][0];
    let breaks = json!([{ "minimumQuantity": 12, "price": { "amount": "8.0" } }]);
    assert_eq!((&of["variant"]["sku"], &of["quantityPriceBreaks"]["nodes"]), (&json!("SKU-0001"), &breaks));
    let rule = json!([{ "minimum": 6, "increment": 6, "productVariant": { "sku": "SKU-0001" } }]);
    assert_eq!(list["quantityRules"]["nodes"], rule);
}

#[tokio::test]
async fn catalogs_are_limited_by_location_and_plan() {
    let twin = shop(Plan::Plus).await;
    for number in 0..25 {
        let id = list(&twin, &format!("list {number}")).await;
        assert_eq!(catalog(&twin, &format!("Catalog {number}"), &id, &[1]).await["userErrors"], json!([]));
    }
    let id = list(&twin, "one too many").await;
    let refused = catalog(&twin, "One too many", &id, &[2, 1, 77]).await;
    let at = "input.context.companyLocationIds";
    let expected = [
        ("CONTEXT_CATALOG_LIMIT_REACHED".to_owned(), format!("{at}.1")),
        ("COMPANY_LOCATION_NOT_FOUND".to_owned(), format!("{at}.2")),
    ];
    assert_eq!(refusals(&refused), expected);
    let again = json!({ "name": "list 3", "currency": "EUR", "parent": { "adjustment": { "type": "PERCENTAGE_DECREASE", "value": 101 } } });
    let refused = done(&twin, LIST, json!({ "input": again })).await;
    let expected =
        owned(&[("TAKEN", "input.name"), ("INVALID_ADJUSTMENT_MIN_VALUE", "input.parent.adjustment.value")]);
    assert_eq!(refusals(&refused), expected);

    let small = shop(Plan::Advanced).await;
    let id = list(&small, "contract").await;
    let refused = catalog(&small, "Contract", &id, &[1]).await;
    let code = "UNPERMITTED_ENTITLEMENTS_DIRECT_CATALOG_ASSIGNMENT";
    assert_eq!(refusals(&refused), owned(&[(code, "input.status")]));
    for number in 0..3 {
        small.market_catalog_by_hand(&format!("Market {number}"), "EUR", &[1]).unwrap();
    }
    assert!(small.market_catalog_by_hand("Market 4", "EUR", &[1]).is_err());
}
