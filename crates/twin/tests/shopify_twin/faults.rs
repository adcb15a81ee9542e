//! Requests that fail on purpose: whether they were carried out, and what the same key finds afterwards.

use crate::stock::{SET, input, quantity};
use crate::{ask, codes, config};
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_twin::shopify::{API_VERSION, ApiFault, ShopConfig, ShopifyTwin};

const ITEM: &str = "gid://shopify/InventoryItem/46487160210003";
const PLACE: &str = "gid://shopify/Location/72212345678";

fn call(key: &str, to: i64) -> Value {
    json!({ "query": SET, "variables": { "input": input(json!([quantity(ITEM, PLACE, to, json!(100_000))])), "key": key } })
}

async fn post(twin: &ShopifyTwin, body: &Value) -> reqwest::Response {
    crate::post(&format!("{}/admin/api/{API_VERSION}/graphql.json", twin.url()), "shpat_twin", body).await
}

fn available(twin: &ShopifyTwin) -> i64 {
    twin.stock("SKU-0003", "WH-1").unwrap().available
}

#[tokio::test]
async fn each_fault_is_carried_out_or_not_as_it_says() {
    let twin = ShopifyTwin::start(config()).await.unwrap();
    let cases = [
        (ApiFault::ErrorBefore, 503, false),
        (ApiFault::ErrorAfter, 502, true),
        (ApiFault::TooMany, 429, false),
        (ApiFault::Throttled, 200, false),
        (ApiFault::CutOff, 200, true),
    ];
    for (number, (fault, status, carried_out)) in cases.into_iter().enumerate() {
        twin.set_by_hand("SKU-0003", "WH-1", 100_000).unwrap();
        twin.fail_next(fault);
        let (key, sets) = (format!("k{number}"), twin.stock_counts().sets);
        let answer = post(&twin, &call(&key, 7)).await;
        assert_eq!(answer.status(), status, "{fault:?}");
        match fault {
            ApiFault::CutOff => assert!(answer.bytes().await.is_err(), "the answer is not whole"),
            ApiFault::Throttled => assert_eq!(codes(&answer.json().await.unwrap()), ["THROTTLED"]),
            ApiFault::TooMany => assert_eq!(answer.headers()["retry-after"], "2.0"),
            _ => {}
        }
        assert_eq!(available(&twin) == 7, carried_out, "{fault:?}");
        // The same bytes again under the same key: done once, whatever became of the first.
        let again: Value = post(&twin, &call(&key, 7)).await.json().await.unwrap();
        assert_eq!(again["data"]["inventorySetQuantities"]["userErrors"], json!([]), "{fault:?}");
        assert_eq!((available(&twin), twin.stock_counts().sets), (7, sets + 1), "{fault:?}");
    }
    assert_eq!(twin.stock_counts().repeated, 2);
}

#[tokio::test]
async fn a_late_one_has_no_second_effect_under_a_key_that_was_used_in_between() {
    let config = config();
    let clock = config.clock.clone();
    let twin = ShopifyTwin::start(config).await.unwrap();
    twin.turn_faults(|faults| faults.late_by = Duration::from_secs(30));
    twin.fail_next(ApiFault::Late);
    assert_eq!(post(&twin, &call("k1", 7)).await.status(), 504);
    assert_eq!(available(&twin), 100_000);
    let again: Value = post(&twin, &call("k1", 7)).await.json().await.unwrap();
    assert_eq!(again["data"]["inventorySetQuantities"]["userErrors"], json!([]));
    twin.set_by_hand("SKU-0003", "WH-1", 100_000).unwrap();
    clock.advance(Duration::from_secs(31));
    while twin.stock_counts().repeated == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(available(&twin), 100_000);
}

#[tokio::test]
async fn a_slow_one_keeps_its_key_until_it_is_done() {
    let config = config();
    let clock = config.clock.clone();
    let twin = ShopifyTwin::start(config).await.unwrap();
    twin.turn_faults(|faults| faults.late_by = Duration::from_secs(30));
    twin.fail_next(ApiFault::Slow);
    assert_eq!(post(&twin, &call("k1", 7)).await.status(), 504);
    let meanwhile: Value = post(&twin, &call("k1", 7)).await.json().await.unwrap();
    let error = &meanwhile["data"]["inventorySetQuantities"]["userErrors"][0];
    assert_eq!(error["code"], "IDEMPOTENCY_CONCURRENT_REQUEST");
    clock.advance(Duration::from_secs(31));
    while twin.stock_counts().sets == 0 {
        tokio::task::yield_now().await;
    }
    let again: Value = post(&twin, &call("k1", 7)).await.json().await.unwrap();
    assert_eq!(again["data"]["inventorySetQuantities"]["userErrors"], json!([]));
    assert_eq!((available(&twin), twin.stock_counts().sets), (7, 1));
}

#[tokio::test]
async fn queries_and_other_mutations_are_spared() {
    let twin = ShopifyTwin::start(ShopConfig::new("acme.myshopify.com")).await.unwrap();
    twin.turn_faults(|faults| {
        faults.only.insert("inventorySetQuantities".to_owned());
        faults.error_before_per_mille = 1000;
    });
    assert_eq!(codes(&ask(&twin, "{ shop { id } }", json!({})).await), Vec::<&str>::new());
    let tags =
        "mutation { tagsAdd(id: \"gid://shopify/Order/1\", tags: [\"a\"]) { userErrors { message } } }";
    assert_eq!(codes(&ask(&twin, tags, json!({})).await), Vec::<&str>::new());
    assert_eq!(post(&twin, &call("k1", 7)).await.status(), 503);
    assert_eq!(twin.stats().api["fault_error_before"], 1);
}
