//! A cart as the input of a draft order: one that Shopify's published schema takes, exact to the cent, or none.

use super::{ACME, Counter, SERVER};
use crate::answer::Answer;
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::response::JsonMap;
use apollo_compiler::{ExecutableDocument, Schema};
use http::{Method, StatusCode};
use serde_json::{Value, json};

const ADMIN: &str = include_str!("../../../../../functions/prices/schema/draft_order.graphql");
const MUTATION: &str =
    "mutation($input: DraftOrderInput!) { draftOrderCreate(input: $input) { userErrors { field message } } }";

/// With a promotion that gives one of three away, and a price of three decimals.
async fn counter() -> Counter {
    let counter = Counter::new();
    counter.sells.skus.lock().unwrap().extend([(1, "PUMP"), (2, "SEAL"), (3, "BOLT"), (4, "")]);
    let terms = format!(
        "{}\n[[promotions]]\nid = \"THREE-FOR-TWO\"\nfor = \"everyone\"\nskus = \"SEAL\"\nbuy = 2\nget = 1\npercent_off = \"100\"\n",
        super::TERMS
    );
    let now = crate::world::at(crate::world::NOW);
    counter.store.set_terms(terms.as_bytes(), "anna", false, now).unwrap();
    counter.bring("list,sku,price\nLIST,SEAL,30\nLIST,BOLT,0.125\n", now);
    counter
}

fn draft(lines: &Value) -> Value {
    json!({"company": "gid://shopify/Company/17", "company_contact": "gid://shopify/CompanyContact/9", "po_number": "4500012",
        "cart": {"company_location": ACME, "currency": "EUR", "lines": lines}})
}

async fn ask(counter: &Counter, body: &Value) -> Answer {
    counter
        .send(Method::POST, "/v1/prices/draft-order", &[("authorization", SERVER)], &body.to_string())
        .await
}

#[tokio::test(start_paused = true)]
async fn each_price_of_a_line_is_a_line_of_the_draft_and_shopify_takes_it() {
    let counter = counter().await;
    let lines =
        json!([{"variant": 1, "quantity": 12}, {"variant": "gid://shopify/ProductVariant/2", "quantity": 9}]);
    let told = ask(&counter, &draft(&lines)).await;
    assert_eq!(told.header("cache-control"), "private, no-store");
    let told = told.json();
    let line = |variant: u64, quantity: u32, amount: &str| {
        json!({"variantId": format!("gid://shopify/ProductVariant/{variant}"), "quantity": quantity,
            "priceOverride": {"amount": amount, "currencyCode": "EUR"}})
    };
    assert_eq!(
        told["input"],
        json!({"purchasingEntity": {"purchasingCompany": {"companyId": "gid://shopify/Company/17",
                "companyLocationId": ACME, "companyContactId": "gid://shopify/CompanyContact/9"}},
            "presentmentCurrencyCode": "EUR", "poNumber": "4500012",
            "lineItems": [line(1, 12, "99.00"), line(2, 6, "30.00"), line(2, 3, "0.00")]})
    );
    let schema = Schema::parse_and_validate(ADMIN, "schema.graphql").unwrap();
    let document = ExecutableDocument::parse_and_validate(&schema, MUTATION, "draft.graphql").unwrap();
    let operation = document.operations.get(None).unwrap();
    let taken = |input: &Value| {
        let variables: JsonMap = serde_json::from_value(json!({"input": input})).unwrap();
        coerce_variable_values(&schema, operation, &variables).is_ok()
    };
    assert!(taken(&told["input"]), "{told}");
    let mut other = told["input"].clone();
    other["lineItems"][0]["quantity"] = json!("12");
    assert!(!taken(&other), "the schema takes anything");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_exactly_is_refused_as_a_whole_and_names_the_line() {
    let counter = counter().await;
    let good = json!({"variant": 1, "quantity": 1});
    for (line, why) in [
        (json!({"variant": 4, "quantity": 1}), "lines[1]: this variant has no SKU"),
        (json!({"sku": "PUMP", "quantity": 1}), "lines[1]: it names no variant"),
        (json!({"variant": 3, "quantity": 9}), "lines[1]: 0.125 has more decimals than EUR"),
        (json!({"variant": 1, "quantity": "1.5"}), "lines[1]: this unit is counted whole"),
        (json!({"variant": 1, "quantity": 0}), "lines[1]: "),
    ] {
        let refused = ask(&counter, &draft(&json!([good, line]))).await;
        refused.refused(StatusCode::BAD_REQUEST, "TG-7204", why);
    }
    let mut nobody = draft(&json!([good]));
    nobody["cart"]["company_location"] = Value::Null;
    ask(&counter, &nobody).await.refused(StatusCode::BAD_REQUEST, "TG-7204", "company_location is missing");
    let mut contact = draft(&json!([good]));
    contact.as_object_mut().unwrap().remove("company_contact");
    ask(&counter, &contact).await.refused(StatusCode::BAD_REQUEST, "TG-7204", "company_contact");
    let path = "/v1/prices/draft-order";
    let stranger = counter.send(Method::POST, path, &[], &draft(&json!([good])).to_string()).await;
    stranger.refused(StatusCode::UNAUTHORIZED, "TG-7201", "token");
    let many = vec![good; tidegate_api::prices::LINES_MAX + 1];
    let refused = ask(&counter, &draft(&json!(many))).await;
    refused.refused(StatusCode::PAYLOAD_TOO_LARGE, "TG-7204", "at most 500 lines");
}
