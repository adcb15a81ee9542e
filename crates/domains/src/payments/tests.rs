//! An order's payments as Shopify answers them: which transactions are payments, each read again, and what is wrong.

use super::*;
use crate::orders::BodyCode;
use serde_json::{Value, json};

fn transaction(id: u64, kind: &str, status: &str, amount: &str) -> Value {
    json!({
        "id": format!("gid://shopify/OrderTransaction/{id}"),
        "kind": kind,
        "status": status,
        "gateway": "shopify_payments",
        "paymentId": format!("#1001.{id}"),
        "createdAt": "2026-11-26T10:00:00Z",
        "processedAt": "2026-11-26T10:00:05Z",
        "parentTransaction": null,
        "amountSet": {
            "shopMoney": { "amount": amount, "currencyCode": "EUR" },
            "presentmentMoney": { "amount": "11.00", "currencyCode": "USD" },
        },
    })
}

fn answer(transactions: Vec<Value>) -> Value {
    json!({ "order": {
        "id": "gid://shopify/Order/5678",
        "name": "#1001",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": "USD",
        "transactionsCount": { "count": transactions.len() },
        "transactions": transactions,
    } })
}

fn read(payload: &Value) -> Result<Payment, crate::orders::BodyFault> {
    from_graphql(payload.to_string().as_bytes())
}

#[test]
fn money_that_was_taken_is_a_payment_and_nothing_else() {
    let mut captured = transaction(3, "CAPTURE", "SUCCESS", "10.00");
    captured["parentTransaction"] = json!({ "id": "gid://shopify/OrderTransaction/1" });
    captured["processedAt"] = Value::Null;
    let all = listed(&answer(vec![
        transaction(1, "AUTHORIZATION", "SUCCESS", "10.00"),
        transaction(2, "CAPTURE", "FAILURE", "10.00"),
        captured,
        transaction(4, "SALE", "PENDING", "2.00"),
        transaction(5, "SALE", "SUCCESS", "2.00"),
        transaction(6, "REFUND", "SUCCESS", "2.00"),
        transaction(7, "VOID", "SUCCESS", "2.00"),
        transaction(8, "SUGGESTED_REFUND", "SUCCESS", "2.00"),
    ]))
    .unwrap()
    .unwrap();
    let ids: Vec<&str> = all.iter().map(|listed| listed.payment_id.as_str()).collect();
    assert_eq!(ids, ["3", "5"]);
    let payment = read(&all[0].payload).unwrap();
    assert_eq!((payment.order_id.as_str(), payment.order_name.as_str()), ("5678", "#1001"));
    assert_eq!((payment.kind.as_str(), payment.parent_id.as_deref()), ("capture", Some("1")));
    assert_eq!(payment.amount.shop.money().to_string(), "10.00 EUR");
    assert_eq!(payment.amount.presentment.money().to_string(), "11.00 USD");
    assert_eq!(payment.paid_at.to_string(), "2026-11-26T10:00:00Z", "when it was written down");
    assert_eq!((payment.paid_at, payment.gateway.as_deref()), (all[0].paid_at, Some("shopify_payments")));
    assert_eq!(payment.reference.as_deref(), Some("#1001.3"));
    let (body, digest) = canonical(&payment).unwrap();
    assert_eq!((&body["payment_id"], canonical(&payment).unwrap().1), (&json!("3"), digest));
    assert_eq!(read(&all[1].payload).unwrap().paid_at.to_string(), "2026-11-26T10:00:05Z");
}

#[test]
fn an_order_without_payments_has_none_and_one_that_is_gone_is_told() {
    assert_eq!(listed(&answer(Vec::new())).unwrap(), Some(Vec::new()));
    assert_eq!(listed(&json!({ "order": null })).unwrap(), None);
}

#[test]
fn what_is_no_list_or_no_payment_is_refused_with_its_place() {
    let mut half = answer(vec![transaction(1, "SALE", "SUCCESS", "2.00")]);
    half["order"]["transactionsCount"]["count"] = json!(2);
    assert_eq!(listed(&half).unwrap_err().code, BodyCode::Incomplete, "half a list is none");
    let mut pages = answer(vec![transaction(1, "SALE", "SUCCESS", "2.00")]);
    pages["order"]["transactions"] = json!({ "nodes": pages["order"]["transactions"] });
    assert_eq!(listed(&pages).unwrap_err().code, BodyCode::WrongType, "what is kept of it would be nothing");
    let good =
        || listed(&answer(vec![transaction(1, "SALE", "SUCCESS", "2.00")])).unwrap().unwrap().remove(0);
    for (place, value, path) in [
        ("/payment/kind", json!("VOID"), "$.payment.kind"),
        ("/payment/amountSet", Value::Null, "$.payment.amountSet"),
        ("/payment/amountSet/shopMoney/amount", json!("-2.00"), "$.payment.amountSet"),
        (
            "/payment/amountSet/shopMoney/currencyCode",
            json!("USD"),
            "$.payment.amountSet.shopMoney.currencyCode",
        ),
        ("/payment/id", json!("gid://shopify/Refund/1"), "$.payment.id"),
        ("/order/currencyCode", json!("XYZ"), "$.order.currencyCode"),
    ] {
        let mut bad = good().payload;
        *bad.pointer_mut(place).unwrap() = value;
        assert_eq!(read(&bad).unwrap_err().path, path);
    }
}

#[test]
fn a_payment_and_the_list_of_them_are_below_their_order() {
    assert_eq!(path("5678", "999"), "order:5678/payment:999");
    assert_eq!(list_of(&list_path("5678")), Some("5678"));
    for other in ["order:5678", "order:5678/payment:9", "order:x/payments:all", "order:/payments:all"] {
        assert_eq!(list_of(other), None, "{other}");
    }
}
