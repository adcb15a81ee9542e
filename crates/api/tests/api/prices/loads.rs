//! The ERP brings prices itself.

use super::{ACME, Counter, LOADER, SERVER, cart};
use crate::answer::Answer;
use http::{Method, StatusCode};
use serde_json::Value;

async fn push(counter: &Counter, query: &str, kind: &str, body: &str) -> Answer {
    let headers = [("authorization", LOADER), ("content-type", kind)];
    counter.send(Method::POST, &format!("/v1/prices/loads{query}"), &headers, body).await
}

async fn price(counter: &Counter) -> Value {
    counter.resolve(&cart(Some(ACME), "PUMP")).await.json()["lines"][0]["unit_price"].clone()
}

#[tokio::test]
async fn what_is_pushed_counts_for_the_next_cart() {
    let counter = Counter::new();
    let line = r#"{"list":"OF-ACME","sku":"PUMP","price":"101.25"}"#;
    let told = push(&counter, "", "application/x-ndjson", line).await.json();
    assert_eq!((&told["outcome"], &told["version"]), (&"live".into(), &3.into()));
    assert_eq!(price(&counter).await, "101.25");
    let told = push(&counter, "?dry_run=true", "text/csv", "list,sku,price\nOF-ACME,PUMP,102\n").await.json();
    assert_eq!((&told["outcome"], &told["difference"]["total"]["up"]), (&"dry_run".into(), &1.into()));
    assert_eq!(price(&counter).await, "101.25");
}

#[tokio::test]
async fn one_row_that_is_wrong_refuses_them_all_with_its_line() {
    let counter = Counter::new();
    let body = "list,sku,price\nOF-ACME,PUMP,90\nOF-ACME,PUMP-2,4.75.1\nOF-ACME,PUMP-3,-1\n";
    let refused = push(&counter, "", "text/csv", body).await;
    refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "TG-7208", "line 3: price");
    refused.refused(StatusCode::UNPROCESSABLE_ENTITY, "TG-7208", "line 4: price");
    assert_eq!(price(&counter).await, "104.50");
}

#[tokio::test]
async fn a_load_that_halves_a_price_waits_for_a_person() {
    let counter = Counter::new();
    let held = push(&counter, "", "text/csv", "list,sku,price\nOF-ACME,PUMP,50\n").await;
    assert_eq!(held.status, StatusCode::ACCEPTED);
    let told: Value = serde_json::from_str(&held.text).unwrap();
    assert_eq!(told["outcome"], "held");
    assert!(told["because"][0].as_str().unwrap().contains("fall by more than 40 %"), "{told}");
    assert_eq!(price(&counter).await, "104.50");
}

#[tokio::test]
async fn who_may_only_ask_brings_nothing() {
    let counter = Counter::new();
    let headers = [("authorization", SERVER), ("content-type", "text/csv")];
    let refused = counter.send(Method::POST, "/v1/prices/loads", &headers, "list,sku,price\n").await;
    refused.refused(StatusCode::FORBIDDEN, "TG-7202", "may not bring prices");
    let refused = push(&counter, "", "application/json", "{}").await;
    refused.refused(StatusCode::BAD_REQUEST, "TG-7204", "text/csv");
    let refused = push(&counter, "?mode=some", "text/csv", "").await;
    refused.refused(StatusCode::BAD_REQUEST, "TG-7204", "changes, lists or all");
}

#[tokio::test]
async fn what_loads_put_upon_each_other_becomes_one_and_no_cart_sees_it() {
    let counter = Counter::new();
    let many: String = (0..20).map(|i| format!("OF-ACME,BOLT-{i},{i}.50\n")).collect();
    push(&counter, "", "text/csv", &format!("list,sku,price\n{many}")).await.json();
    push(&counter, "", "text/csv", "list,sku,price\nOF-ACME,PUMP,101.25\n").await.json();
    assert_eq!(counter.store.stats().layers_max, 2);
    let asked = [cart(Some(ACME), "PUMP"), cart(Some(ACME), "BOLT-7")];
    let mut before = Vec::new();
    for asked in &asked {
        before.push(counter.resolve(asked).await.json());
    }
    counter.prices.merge(crate::world::at(crate::world::NOW)).unwrap();
    assert_eq!(counter.store.stats().layers_max, 1);
    for (asked, before) in asked.iter().zip(before) {
        assert_eq!(counter.resolve(asked).await.json()["lines"], before["lines"]);
    }
}
