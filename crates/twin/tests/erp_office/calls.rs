//! The calls in good health: create, find, amend, confirm, cancel, items, parties.

use reqwest::Method;
use serde_json::{Value, json};
use tidegate_twin::erp::Knobs;

use crate::client::{office, said, sale};

#[tokio::test]
async fn a_sale_is_created_with_its_own_totals_and_found_by_id() {
    let caller = office(Knobs::default()).await;
    let response = caller.create(&sale("a-1")).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["etag"], "\"1\"");
    let created: Value = response.json().await.unwrap();
    assert_eq!(created["number"], "SO-000001");
    assert_eq!(created["state"], "draft");
    assert_eq!(created["totals"], json!({ "net": "28.50", "tax": "5.42", "gross": "33.92" }));
    let read: Value = caller.get("/sales/1").await.json().await.unwrap();
    assert_eq!(read, created);
    assert_eq!(caller.get("/sales/2").await.status(), 404);
}

#[tokio::test]
async fn totals_follow_the_currency_the_rates_and_the_kind_of_price() {
    let caller = office(Knobs::default()).await;
    let line = |quantity: u32, price: &str, rates: Value| json!({ "sku": "SKU-0002", "quantity": quantity, "unit_price": price, "tax_rates": rates });
    let cases = [
        ("EUR", true, line(1, "119.00", json!(["0.19"])), "100.00 19.00 119.00"),
        ("EUR", false, line(1, "100.00", json!(["0.0625", "0.0175"])), "100.00 8.00 108.00"),
        ("JPY", false, line(7, "105", json!(["0.1"])), "735 74 809"),
        ("KWD", false, line(3, "1.235", json!(["0.05"])), "3.705 0.185 3.890"),
        ("EUR", false, line(7000, "0.01", json!([])), "70.00 0.00 70.00"),
    ];
    for (currency, included, line, expected) in cases {
        let mut body = sale("totals");
        body["currency"] = json!(currency);
        body["tax_included"] = json!(included);
        body["lines"] = json!([line]);
        let totals = caller.created(&body).await["totals"].clone();
        let written: Vec<_> =
            ["net", "tax", "gross"].iter().map(|name| totals[name].as_str().unwrap()).collect();
        assert_eq!(written.join(" "), expected, "{body}");
    }
    let mut body = sale("stated tax");
    body["lines"][0]["tax"] = json!("5.41");
    assert_eq!(caller.created(&body).await["totals"]["tax"], "5.41", "who states the tax vouches for it");
}

#[tokio::test]
async fn a_look_up_by_reference_has_more_than_one_page() {
    let caller = office(Knobs { page_size: 2, ..Knobs::default() }).await;
    for _ in 0..5 {
        caller.created(&sale("a/b c")).await;
    }
    caller.created(&sale("other")).await;
    let mut ids = Vec::new();
    let mut page = json!(1);
    while !page.is_null() {
        let found: Value =
            caller.get(&format!("/sales?reference=a%2Fb+c&page={page}")).await.json().await.unwrap();
        assert_eq!(found["total"], 5);
        ids.extend(found["sales"].as_array().unwrap().iter().map(|sale| sale["id"].as_u64().unwrap()));
        page = found["next_page"].clone();
    }
    assert_eq!(ids, [1, 2, 3, 4, 5]);
    let none: Value = caller.get("/sales?reference=unheard").await.json().await.unwrap();
    assert_eq!(none["sales"], json!([]));
}

#[tokio::test]
async fn sales_are_listed_by_the_day_they_were_ordered() {
    let caller = office(Knobs::default()).await;
    for (reference, ordered_at) in
        [("early", "2026-10-30T22:59:59Z"), ("in", "2026-10-30T23:00:00Z"), ("late", "2026-10-31T23:00:00Z")]
    {
        let mut body = sale(reference);
        body["ordered_at"] = json!(ordered_at);
        caller.created(&body).await;
    }
    let day = "/sales?ordered_from=2026-10-31T00:00:00%2B01:00&ordered_until=2026-11-01T00:00:00%2B01:00";
    let found: Value = caller.get(day).await.json().await.unwrap();
    assert_eq!(found["total"], 1);
    assert_eq!(found["sales"][0]["reference"], "in");
}

#[tokio::test]
async fn an_amendment_needs_the_version_that_it_is_of() {
    let caller = office(Knobs::default()).await;
    caller.created(&sale("a-1")).await;
    let amend = |version: Option<&'static str>, body: Value| {
        let mut request = caller.request(Method::PATCH, "/sales/1").json(&body);
        if let Some(version) = version {
            request = request.header("If-Match", version);
        }
        request.send()
    };
    let quantity =
        json!({ "lines": [{ "sku": "SKU-0001", "quantity": 1, "unit_price": "10.00", "tax_rate": "0.19" }] });
    assert_eq!(said(amend(None, quantity.clone()).await.unwrap()).await.code, "version_required");
    assert_eq!(said(amend(Some("\"2\""), quantity.clone()).await.unwrap()).await.code, "version_mismatch");
    let amended = amend(Some("\"1\""), quantity.clone()).await.unwrap();
    assert_eq!(amended.headers()["etag"], "\"2\"");
    let amended: Value = amended.json().await.unwrap();
    assert_eq!(amended["totals"]["gross"], "11.90");
    assert_eq!(amended["order_number"], "#a-1", "what is absent stays");
    let gone: Value = amend(Some("2"), json!({ "order_number": null })).await.unwrap().json().await.unwrap();
    assert_eq!(gone["order_number"], Value::Null, "what is null goes");
    let moved = amend(Some("3"), json!({ "party": "CUST-002" })).await.unwrap();
    assert_eq!(said(moved).await.field.as_deref(), Some("party"));
    let ledger = caller.erp.ledger();
    assert_eq!((ledger.creates, ledger.amends), (1, 2));
}

#[tokio::test]
async fn confirm_and_cancel_are_errors_the_second_time() {
    let caller = office(Knobs::default()).await;
    caller.created(&sale("a-1")).await;
    let act = |path: &'static str| caller.request(Method::POST, path).send();
    let confirmed: Value = act("/sales/1/confirm").await.unwrap().json().await.unwrap();
    assert_eq!(confirmed["state"], "confirmed");
    assert_eq!(said(act("/sales/1/confirm").await.unwrap()).await.code, "already_confirmed");
    let amend =
        caller.request(Method::PATCH, "/sales/1").header("If-Match", "2").json(&json!({ "note": "x" }));
    assert_eq!(said(amend.send().await.unwrap()).await.code, "not_draft");
    let cancelled: Value = act("/sales/1/cancel").await.unwrap().json().await.unwrap();
    assert_eq!(cancelled["state"], "cancelled");
    for path in ["/sales/1/cancel", "/sales/1/confirm"] {
        assert_eq!(said(act(path).await.unwrap()).await.code, "already_cancelled");
    }
    assert_eq!(said(act("/sales/9/cancel").await.unwrap()).await.status, 404);
}

#[tokio::test]
async fn a_missing_item_can_be_made_to_exist() {
    let caller = office(Knobs::default()).await;
    let mut body = sale("a-1");
    body["lines"][0]["sku"] = json!("SKU-9001");
    let refused = said(caller.create(&body).await).await;
    assert_eq!((refused.status, refused.code.as_str()), (422, "unknown_item"));
    assert_eq!(refused.field.as_deref(), Some("lines[0].sku"));
    let before: Value = caller.get("/items?sku=SKU-9001").await.json().await.unwrap();
    assert_eq!(before["total"], 0);
    let item = json!({ "sku": "SKU-9001", "description": "new" });
    assert_eq!(caller.post("/items", &item).send().await.unwrap().status(), 201);
    assert_eq!(said(caller.post("/items", &item).send().await.unwrap()).await.code, "duplicate_item");
    let after: Value = caller.get("/items?sku=SKU-9001").await.json().await.unwrap();
    assert_eq!(after["items"][0]["sku"], "SKU-9001");
    caller.created(&body).await;
}

#[tokio::test]
async fn parties_and_health_can_be_asked_for() {
    let caller = office(Knobs { page_size: 4, ..Knobs::default() }).await;
    let one: Value = caller.get("/parties?code=CUST-003").await.json().await.unwrap();
    assert_eq!(one["parties"][0]["name"], "De Vries Techniek B.V.");
    let all: Value = caller.get("/parties").await.json().await.unwrap();
    assert_eq!((&all["total"], &all["next_page"]), (&json!(6), &json!(2)));
    assert_eq!(caller.get("/health").await.status(), 200);
}

#[tokio::test]
async fn what_is_configured_to_order_has_a_price_when_it_is_asked_for() {
    let caller = office(Knobs::default()).await;
    let line = |sku: &str| json!({ "sku": sku, "quantity": "1", "unit": "C62" });
    let asked =
        json!({ "company_location": null, "currency": "EUR", "lines": [line("CFG-18"), line("SKU-0001")] });
    let response = caller.post("/prices", &asked).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let told: Value = response.json().await.unwrap();
    assert_eq!(told, json!({ "lines": [{ "unit_price": "118.00" }, { "unit_price": null }] }));
    let asked = json!({ "currency": "EUR", "lines": [{ "sku": "CFG-18" }] });
    let response = caller.post("/prices", &asked).send().await.unwrap();
    assert_eq!(said(response).await.field.as_deref(), Some("lines[0].quantity"));
}
