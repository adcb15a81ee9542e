//! What it refuses, with code, status and field.

use reqwest::Method;
use serde_json::{Value, json};
use tidegate_twin::erp::{ErpConfig, Knobs};

use crate::client::{client, office, said, sale, with};

/// A sale with one member changed (`a.b` or `lines.0.sku`); null takes it away.
fn changed(pointer: &str, value: Value) -> Value {
    let mut body = sale("a-1");
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    parent[name] = value;
    body
}

#[tokio::test]
async fn each_mistake_has_its_code_and_names_its_field() {
    let knobs = Knobs {
        books_closed_until: Some("2026-10-01T00:00:00Z".parse().unwrap()),
        blocked_parties: ["CUST-005".to_owned()].into(),
        refuse: ["poison".to_owned(), "#9".to_owned()].into(),
        check_totals: true,
        ..Knobs::default()
    };
    let tax_rates = ["0.19", "0.07"].map(|rate| rate.parse().unwrap()).to_vec();
    let caller = with(ErpConfig { knobs, tax_rates, ..ErpConfig::default() }).await;
    let cases = [
        ("/party", json!("CUST-404"), 422, "unknown_party", "party"),
        ("/party", json!("cust-001"), 422, "unknown_party", "party"),
        ("/party", json!("CUST-005"), 422, "party_blocked", "party"),
        ("/party", Value::Null, 400, "bad_request", "party"),
        ("/currency", json!("EUX"), 422, "unknown_currency", "currency"),
        ("/payment_term", json!("NET31"), 422, "unknown_payment_term", "payment_term"),
        ("/po_number", json!("4".repeat(41)), 422, "refused", "po_number"),
        ("/reference", json!("poison"), 422, "refused", "reference"),
        ("/order_number", json!("#9"), 422, "refused", "reference"),
        ("/reference", json!(""), 400, "bad_request", "reference"),
        ("/ordered_at", json!("2026-09-30T23:59:59Z"), 422, "closed_period", "ordered_at"),
        ("/ordered_at", json!("yesterday"), 400, "bad_request", "ordered_at"),
        (
            "/totals",
            json!({ "net": "28.50", "tax": "5.41", "gross": "33.91" }),
            422,
            "totals_mismatch",
            "totals",
        ),
        ("/lines", json!([]), 400, "bad_request", "lines"),
        ("/lines/0/sku", json!("sku-0001"), 422, "unknown_item", "lines[0].sku"),
        ("/lines/0/sku", json!("SKU-0001 "), 422, "unknown_item", "lines[0].sku"),
        ("/lines/0/quantity", json!(0), 400, "bad_request", "lines[0].quantity"),
        ("/lines/0/quantity", json!("-1"), 400, "bad_request", "lines[0].quantity"),
        ("/lines/0/unit_price", json!(10.5), 400, "bad_request", "lines[0].unit_price"),
        ("/lines/0/tax_rate", json!("0.21"), 422, "unknown_tax", "lines[0].tax_rate"),
        ("/lines/0/colour", json!("red"), 400, "bad_request", "lines[0].colour"),
        ("/referense", json!("a-1"), 400, "bad_request", "referense"),
        ("/metadata", json!({ "a": 1 }), 400, "bad_request", "metadata.a"),
        ("/shipment_address", json!({ "planet": "Mars" }), 400, "bad_request", "shipment_address.planet"),
    ];
    let count = cases.len();
    for (pointer, value, status, code, field) in cases {
        let body = changed(pointer, value);
        let answer = said(caller.create(&body).await).await;
        assert_eq!(
            (answer.status, answer.code.as_str(), answer.field.as_deref()),
            (status, code, Some(field)),
            "{body}"
        );
    }
    let ledger = caller.erp.ledger();
    assert_eq!(ledger.creates, 0);
    assert_eq!(ledger.refusals.values().sum::<u64>(), count as u64);
    assert_eq!(ledger.refusals["unknown_item"], 2);
    caller.created(&sale("a-1")).await;
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let caller = office(Knobs::default()).await;
    for body in ["", "{", "[]", "null", "{\"reference\": \"a\""] {
        let response = caller.request(Method::POST, "/sales").body(body).send().await.unwrap();
        assert_eq!(said(response).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn without_the_token_nothing_is_said_about_what_exists() {
    let caller = office(Knobs::default()).await;
    for token in [None, Some("wrong"), Some("")] {
        for path in ["/sales/1", "/nothing", "/health"] {
            let mut request = client().get(format!("{}{path}", caller.erp.url()));
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            let answer = said(request.send().await.unwrap()).await;
            assert_eq!((answer.status, answer.code.as_str()), (401, "unauthorized"), "{token:?} {path}");
        }
    }
}

#[tokio::test]
async fn a_reference_is_unique_only_when_told() {
    let caller = office(Knobs::default()).await;
    caller.created(&sale("a-1")).await;
    caller.created(&sale("a-1")).await;
    caller.erp.turn(|knobs| knobs.unique_reference = true);
    let answer = said(caller.create(&sale("a-1")).await).await;
    assert_eq!((answer.status, answer.code.as_str()), (409, "duplicate_reference"));
    caller.created(&sale("a-2")).await;
}

#[tokio::test]
async fn a_body_beyond_the_bound_is_refused() {
    let caller = office(Knobs::default()).await;
    let body = vec![b' '; 9 << 20];
    // The connection may be closed while the body is still being sent: both are a refusal.
    if let Ok(response) = caller.request(Method::POST, "/sales").body(body).send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(caller.erp.ledger().creates, 0);
    assert_eq!(caller.erp.ledger().refusals["too_large"], 1);
}

#[tokio::test]
async fn a_lenient_office_takes_items_that_it_does_not_know_and_still_refuses_the_rest() {
    let caller = office(Knobs { accept_any_item: true, ..Knobs::default() }).await;
    caller.created(&changed("/lines/0/sku", json!("TEE-BLUE-XL"))).await;
    let answer = said(caller.create(&changed("/party", json!("CUST-404"))).await).await;
    assert_eq!((answer.status, answer.code.as_str()), (422, "unknown_party"));
}
