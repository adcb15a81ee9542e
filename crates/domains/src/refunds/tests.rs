//! A refund as Shopify answers it, whole, in pages, and wrong.

use super::*;
use crate::orders::BodyCode;
use serde_json::{Value, json};

fn bag(shop: &str, presentment: &str) -> Value {
    json!({
        "shopMoney": { "amount": shop, "currencyCode": "EUR" },
        "presentmentMoney": { "amount": presentment, "currencyCode": "USD" },
    })
}

fn line(id: u64, quantity: u64, subtotal: (&str, &str), tax: (&str, &str)) -> Value {
    json!({
        "quantity": quantity,
        "restockType": "RETURN",
        "lineItem": { "id": format!("gid://shopify/LineItem/{id}"), "sku": format!("SKU-{id}"), "title": "A thing" },
        "subtotalSet": bag(subtotal.0, subtotal.1),
        "totalTaxSet": bag(tax.0, tax.1),
    })
}

fn answer(lines: Vec<Value>, total: (&str, &str)) -> Value {
    json!({ "refund": {
        "id": "gid://shopify/Refund/999",
        "createdAt": "2026-11-26T10:00:00Z",
        "note": " broken ",
        "order": {
            "id": "gid://shopify/Order/5678", "name": "#1001",
            "currencyCode": "EUR", "presentmentCurrencyCode": "USD", "taxesIncluded": false,
        },
        "totalRefundedSet": bag(total.0, total.1),
        "duties": [{ "amountSet": bag("1.00", "1.10") }],
        "refundShippingLines": {
            "nodes": [{ "subtotalAmountSet": bag("4.00", "4.40"), "taxAmountSet": bag("0.76", "0.84") }],
            "pageInfo": { "hasNextPage": false, "endCursor": null },
        },
        "refundLineItems": {
            "nodes": lines, "pageInfo": { "hasNextPage": false, "endCursor": null },
        },
    } })
}

fn read(answer: &Value) -> Result<Refund, crate::orders::BodyFault> {
    from_graphql(answer.to_string().as_bytes())
}

#[test]
fn what_was_given_back_adds_up_to_the_cent() {
    let lines = vec![
        line(12, 2, ("20.00", "22.00"), ("3.80", "4.18")),
        line(7, 1, ("5.00", "5.50"), ("0.95", "1.05")),
    ];
    let refund = read(&answer(lines, ("33.01", "36.37"))).unwrap();
    assert_eq!((refund.order_id.as_str(), refund.refund_id.as_str()), ("5678", "999"));
    let ids: Vec<&str> = refund.lines.iter().map(|line| line.line_id.as_str()).collect();
    assert_eq!(ids, ["7", "12"], "by their ids, as numbers");
    assert_eq!(refund.lines[1].restock.as_deref(), Some("return"));
    // 20 + 3.80 + 5 + 0.95 + 4 + 0.76 + 1 = 35.51; the buyer got 33.01: a fee of 2.50 was kept.
    assert_eq!(refund.difference.shop.money().to_string(), "-2.50 EUR");
    assert_eq!(refund.difference.presentment.money().to_string(), "-2.70 USD");
    let (body, digest) = canonical(&refund).unwrap();
    assert_eq!((body["quantity"].is_null(), &body["lines"][0]["quantity"]), (true, &json!("1")));
    assert_eq!(canonical(&refund).unwrap().1, digest);
}

#[test]
fn where_prices_hold_the_tax_it_is_counted_once() {
    let mut included = answer(vec![line(1, 1, ("11.90", "11.90"), ("1.90", "1.90"))], ("16.90", "17.40"));
    included["refund"]["order"]["taxesIncluded"] = json!(true);
    let refund = read(&included).unwrap();
    assert_eq!(refund.lines[0].net.shop.money().to_string(), "10.00 EUR");
    assert_eq!(refund.shipping[0].net.shop.money().to_string(), "3.24 EUR");
    assert!(refund.difference.is_zero(), "{:?}", refund.difference);
}

#[test]
fn pages_of_lines_are_one_refund() {
    let mut first = answer(vec![line(1, 1, ("1.00", "1.00"), ("0.00", "0.00"))], ("7.76", "7.34"));
    first["refund"]["refundLineItems"]["pageInfo"] = json!({ "hasNextPage": true, "endCursor": "c1" });
    let mut data = Value::Null;
    merge(&mut data, first).unwrap();
    assert_eq!(next_page(&data).unwrap().as_deref(), Some("c1"));
    let half = read(&data).unwrap_err();
    assert_eq!(half.code, BodyCode::Incomplete, "half a refund is none");
    // What brings nothing new would be asked for again and again.
    for (page, says) in [
        (data.clone(), "still to come"),
        (json!({ "refund": { "id": data["refund"]["id"], "refundLineItems": {} } }), "without lines"),
        (json!({ "refund": { "id": data["refund"]["id"], "refundLineItems": { "nodes": [] } } }), "the last"),
        (json!({ "refund": { "id": data["refund"]["id"], "refundLineItems": [] } }), "not a further page"),
    ] {
        let mut again = data.clone();
        let fault = merge(&mut again, page).unwrap_err();
        assert!(fault.message.contains(says), "{fault}");
        assert_eq!(again, data, "nothing of it is taken");
    }
    let mut text = json!({ "refund": { "id": data["refund"]["id"], "refundLineItems": "none" } });
    assert!(merge(&mut text, data.clone()).is_err());
    merge(&mut data, answer(vec![line(2, 1, ("1.00", "1.00"), ("0.00", "0.00"))], ("7.76", "7.34"))).unwrap();
    assert_eq!(next_page(&data).unwrap(), None);
    assert_eq!(read(&data).unwrap().lines.len(), 2);
    let mut other = answer(Vec::new(), ("0", "0"));
    other["refund"]["id"] = json!("gid://shopify/Refund/1");
    assert!(merge(&mut data, other).is_err());
}

#[test]
fn what_is_no_refund_is_refused_with_its_place() {
    let good = || answer(vec![line(1, 1, ("1.00", "1.00"), ("0.19", "0.19"))], ("6.95", "7.53"));
    assert!(read(&good()).is_ok());
    assert_eq!(read(&json!({ "refund": null })).unwrap_err().code, BodyCode::NoSuchOrder);
    for (place, value, path) in [
        ("/refund/totalRefundedSet", json!(null), "$.refund.totalRefundedSet"),
        ("/refund/refundLineItems/nodes/0/quantity", json!(-1), "$.refund.refundLineItems.nodes[0].quantity"),
        (
            "/refund/refundLineItems/nodes/0/quantity",
            json!(1.5),
            "$.refund.refundLineItems.nodes[0].quantity",
        ),
        (
            "/refund/refundLineItems/nodes/0/subtotalSet/shopMoney/currencyCode",
            json!("USD"),
            "$.refund.refundLineItems.nodes[0].subtotalSet.shopMoney.currencyCode",
        ),
        ("/refund/order/currencyCode", json!("XYZ"), "$.refund.order.currencyCode"),
    ] {
        let mut bad = good();
        *bad.pointer_mut(place).unwrap() = value;
        assert_eq!(read(&bad).unwrap_err().path, path);
    }
}

#[test]
fn a_refund_is_below_its_order() {
    assert_eq!(path("5678", "999"), "order:5678/refund:999");
    assert_eq!(parts("order:5678/refund:999"), Some(("5678", "999")));
    for other in
        ["order:5678", "order:5678/shipment:9", "order:x/refund:9", "order:5/refund:", "order:5/refund:a"]
    {
        assert_eq!(parts(other), None, "{other}");
    }
}
