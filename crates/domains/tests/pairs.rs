//! The webhook's body and the GraphQL answer of one order give byte-equal canonical forms.

#[path = "support/mod.rs"]
mod support;

use serde_json::{Value, json};
use tidegate_domains::orders::{
    Document, NextRead, Order, canonical_bytes, digest, events, external_ids, from_graphql_value, from_rest,
    from_rest_value, merge, next_read, with_digest,
};

fn both(pair: &str) -> (Order, Order) {
    let rest = from_rest(&std::fs::read(support::fixtures().join(pair).join("rest.json")).unwrap());
    let graphql = from_graphql_value(&support::read(pair, "graphql"));
    (
        rest.unwrap_or_else(|fault| panic!("{pair} rest: {fault}")),
        graphql.unwrap_or_else(|fault| panic!("{pair} graphql: {fault}")),
    )
}

#[test]
fn both_forms_give_the_same_bytes_and_the_same_digest() {
    let pairs = support::pairs();
    assert!(pairs.len() >= 9, "{pairs:?}");
    for pair in pairs {
        let (rest, graphql) = both(&pair);
        let bytes = canonical_bytes(&rest).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(&bytes), text(&canonical_bytes(&graphql).unwrap()), "{pair}");
        assert_eq!(digest(&rest).unwrap(), digest(&graphql).unwrap(), "{pair}");
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(with_digest(&rest).unwrap().0, value, "{pair}: nothing is missing from the tree");
        let pretty = format!("{}\n", serde_json::to_string_pretty(&value).unwrap());
        support::assert_file(&support::fixtures().join(&pair).join("canonical.json"), &pretty);
        let back: Order = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(canonical_bytes(&back).unwrap(), bytes, "{pair} is read back as it was written");
    }
}

/// What REST can tell and GraphQL can tell: refunds and fulfilments both, payments only GraphQL.
#[test]
fn events_are_derived_from_every_state() {
    let keys = |order: &Order| events(order).iter().map(|event| event.key()).collect::<Vec<_>>();
    let (rest, graphql) = both("refunded_and_shipped");
    assert_eq!(keys(&rest), ["fulfilment:6101", "fulfilment:6102", "refund:6002"]);
    assert_eq!(keys(&graphql), ["payment:804", "fulfilment:6101", "fulfilment:6102", "refund:6002"]);
    let refund = |order: &Order| events(order).last().unwrap().body.clone();
    assert_eq!(refund(&rest), refund(&graphql));
    assert_eq!(refund(&rest)["lines"][0]["subtotal"]["shop"]["amount"], "10.00");
    let (edited, _) = both("edited");
    assert_eq!(keys(&edited), Vec::<String>::new(), "an edit has one carrier: the state");
    let (cancelled, _) = both("cancelled_unpaid");
    assert_eq!(keys(&cancelled), Vec::<String>::new(), "a cancellation without money has one carrier too");
}

#[test]
fn the_state_is_as_edited_and_not_as_refunded() {
    let amounts = |order: &Order| {
        let line = &order.lines[0];
        [
            line.quantity.original.to_string(),
            line.quantity.current.to_string(),
            line.current.total.shop.to_string(),
            line.current.discount.shop.to_string(),
            order.totals.original.total.shop.to_string(),
            order.totals.current.total.shop.to_string(),
        ]
    };
    let (edited, _) = both("edited");
    assert_eq!(amounts(&edited), ["5 C62", "3 C62", "27.00 EUR", "3.00 EUR", "90.75 EUR", "68.97 EUR"]);
    let (refunded, _) = both("refunded_and_shipped");
    assert_eq!(amounts(&refunded), ["3 C62", "3 C62", "30.00 EUR", "0.00 EUR", "36.30 EUR", "36.30 EUR"]);
    let (cancelled, _) = both("cancelled_unpaid");
    assert_eq!(amounts(&cancelled), ["2 C62", "2 C62", "20.00 EUR", "0.00 EUR", "24.20 EUR", "24.20 EUR"]);
}

/// An edit of which Shopify keeps no record takes its share of the line, to the cent.
#[test]
fn an_edit_without_a_record_is_shared_out() {
    let mut body = support::read("edited", "rest");
    support::set(&mut body, "/refunds", Some(json!([])));
    let order = from_rest_value(&body).unwrap();
    assert_eq!(order.lines[0].current.total.shop.to_string(), "27.00 EUR");
    assert_eq!(order.totals.current.total.shop.to_string(), "68.97 EUR");
}

#[test]
fn the_digest_leaves_out_what_we_write_and_covers_what_happened() {
    let body = support::read("refunded_and_shipped", "rest");
    let known = digest(&from_rest_value(&body).unwrap()).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut body = body.clone();
        support::set(&mut body, pointer, Some(value));
        digest(&from_rest_value(&body).unwrap()).unwrap()
    };
    for (pointer, value) in [
        ("/updated_at", json!("2026-11-04T09:00:00+01:00")),
        ("/tags", json!("tidegate:exported")),
        ("/tags", json!("Tidegate:processing, tidegate done")),
        ("/client_details", json!({"user_agent": "other"})),
        ("/metafields", json!([{"namespace": "tidegate", "key": "erp_number", "value": "S-1"}])),
    ] {
        assert_eq!(with(pointer, value), known, "{pointer} is not part of the state");
    }
    for (pointer, value) in [
        ("/note", json!("left at the neighbours'")),
        ("/tags", json!("urgent")),
        ("/financial_status", json!("refunded")),
        ("/refunds/0/id", json!(1)),
        ("/refunds/0/admin_graphql_api_id", json!("gid://shopify/Refund/6003")),
        ("/fulfillments/0/status", json!("cancelled")),
        ("/line_items/0/sku", json!("CUP-2")),
        ("/po_number", json!("4711")),
    ] {
        let changed = with(pointer, value) != known;
        // The number beside a gid does not count: the gid wins.
        assert_eq!(changed, pointer != "/refunds/0/id", "{pointer}");
    }
}

/// A body of 300 lines, and the same order read in pages of 20 and 35.
#[test]
fn three_hundred_lines_in_pages() {
    let line_of = |body: &Value, pointer: &str| body.pointer(pointer).unwrap().clone();
    let mut rest = support::read("b2b_complete", "rest");
    let mut graphql = support::read("b2b_complete", "graphql");
    let (model, graph_model) =
        (line_of(&rest, "/line_items/0"), line_of(&graphql, "/data/order/lineItems/nodes/0"));
    let lines = 300_u64;
    let rest_lines: Vec<Value> = (0..lines).map(|number| numbered(&model, number)).collect();
    let graph_lines: Vec<Value> = (0..lines).map(|number| numbered(&graph_model, number)).collect();
    support::set(&mut rest, "/line_items", Some(json!(rest_lines)));
    // 300 × 7000 × 1.50 = 3,150,000.00; tax 300 × 2205.00 = 661,500.00; shipping 173.55 + 36.45.
    for (rest_name, graph_name, amount) in [
        ("total_line_items_price", "", "3150000.00"),
        ("subtotal_price", "subtotalPriceSet", "3150000.00"),
        ("current_subtotal_price", "currentSubtotalPriceSet", "3150000.00"),
        ("total_tax", "totalTaxSet", "661536.45"),
        ("total_price", "totalPriceSet", "3811710.00"),
        ("current_total_price", "currentTotalPriceSet", "3811710.00"),
    ] {
        let set = json!({ "shop_money": {"amount": amount, "currency_code": "EUR"} });
        support::set(&mut rest, &format!("/{rest_name}_set"), Some(set));
        if !graph_name.is_empty() {
            let money = json!({"amount": amount, "currencyCode": "EUR"});
            let set = json!({ "shopMoney": money, "presentmentMoney": money });
            support::set(&mut graphql, &format!("/data/order/{graph_name}"), Some(set));
        }
    }
    let page = |from: usize, size: usize| {
        let to = (from + size).min(graph_lines.len());
        let info = json!({"hasNextPage": to < graph_lines.len(), "endCursor": to.to_string()});
        json!({"nodes": graph_lines[from..to], "pageInfo": info})
    };
    support::set(&mut graphql, "/data/order/lineItems", Some(page(0, 20)));
    let mut data = graphql["data"].clone();
    let mut reads = 0;
    while let Some(read) = next_read(&data).unwrap() {
        assert_eq!(read.document, Document::Lines);
        assert!(from_graphql_value(&data).is_err(), "an order with pages missing is refused");
        let from: usize = read.variables["after"].as_str().unwrap().parse().unwrap();
        let answer = json!({"order": {"id": read.variables["id"], "lineItems": page(from, 35)}});
        merge(&mut data, &read, answer).unwrap();
        reads += 1;
    }
    assert_eq!(reads, 8);
    let (rest, graphql) = (from_rest_value(&rest).unwrap(), from_graphql_value(&data).unwrap());
    assert_eq!(rest.lines.len(), 300);
    assert_eq!(rest.totals.current.total.shop.to_string(), "3811710.00 EUR");
    assert_eq!(canonical_bytes(&rest).unwrap(), canonical_bytes(&graphql).unwrap());
}

fn numbered(line: &Value, number: u64) -> Value {
    let mut line = line.clone();
    let id = 100_000 + number;
    let gid = json!(format!("gid://shopify/LineItem/{id}"));
    if line.get("admin_graphql_api_id").is_some() {
        line["id"] = json!(id);
        line["admin_graphql_api_id"] = gid;
    } else {
        line["id"] = gid;
    }
    line["sku"] = json!(format!("BOLT-{number}"));
    line
}

/// `order.graphql` reads the ids of refunds, `order_refund.graphql` what they took back.
#[test]
fn refunds_are_read_one_by_one() {
    let complete = support::read("refunded_and_shipped", "graphql")["data"].clone();
    let refund = complete["order"]["refunds"][0].clone();
    let mut data = complete.clone();
    data["order"]["refunds"] = json!([{ "id": refund["id"] }]);
    let read = next_read(&data).unwrap().unwrap();
    assert_eq!((read.document, read.variables["id"].as_str()), (Document::Refund, refund["id"].as_str()));
    assert!(from_graphql_value(&data).is_err(), "a refund that was not read is not overlooked");
    let mut first = refund.clone();
    first["refundLineItems"] = json!({"nodes": [], "pageInfo": {"hasNextPage": true, "endCursor": "a"}});
    let mut other = first.clone();
    other["id"] = json!("gid://shopify/Refund/1");
    assert!(merge(&mut data.clone(), &read, json!({ "refund": other })).is_err(), "it is another refund");
    merge(&mut data, &read, json!({ "refund": first })).unwrap();
    let read = next_read(&data).unwrap().unwrap();
    assert_eq!(read.variables["after"], "a");
    merge(&mut data, &read, json!({ "refund": refund })).unwrap();
    assert_eq!(next_read(&data).unwrap(), None);
    assert_eq!(
        canonical_bytes(&from_graphql_value(&data).unwrap()).unwrap(),
        canonical_bytes(&from_graphql_value(&complete).unwrap()).unwrap()
    );
    // One that stands twice is no reason to ask for ever.
    data["order"]["refunds"] = json!([{ "id": refund["id"] }, { "id": refund["id"] }]);
    for _ in 0..2 {
        let read = next_read(&data).unwrap().unwrap();
        merge(&mut data, &read, json!({ "refund": refund })).unwrap();
    }
    assert_eq!(next_read(&data).unwrap(), None);
}

#[test]
fn an_answer_that_brings_no_progress_is_a_fault() {
    let data = support::read("b2b_complete", "graphql")["data"].clone();
    let mut open = data.clone();
    open["order"]["lineItems"]["pageInfo"] = json!({"hasNextPage": true, "endCursor": "a"});
    let read = next_read(&open).unwrap().unwrap();
    let id = &open["order"]["id"];
    for answer in [
        json!({"order": null}),
        json!({"order": {"id": id, "lineItems": {"nodes": [], "pageInfo": {"hasNextPage": true, "endCursor": "a"}}}}),
        json!({"order": {"id": "gid://shopify/Order/1", "lineItems": {"nodes": [], "pageInfo": {"hasNextPage": false}}}}),
        json!({"order": {"lineItems": {"nodes": [], "pageInfo": {"hasNextPage": false}}}}),
        json!({}),
    ] {
        assert!(merge(&mut open.clone(), &read, answer.clone()).is_err(), "{answer}");
    }
    open["order"]["lineItems"]["pageInfo"]["endCursor"] = Value::Null;
    assert!(next_read(&open).is_err());
    assert_eq!(next_read(&json!({"order": null})).unwrap(), None);
    assert_eq!(NextRead::order("gid://shopify/Order/1").variables["id"], "gid://shopify/Order/1");
}

#[test]
fn external_ids_come_from_the_read() {
    let data = support::read("b2b_complete", "graphql")["data"].clone();
    assert_eq!(
        external_ids(&data),
        [
            ("gid://shopify/Company/5738955058".to_owned(), "C-77".to_owned()),
            ("gid://shopify/CompanyLocation/8612086066".to_owned(), "DEBTOR-4711".to_owned()),
        ]
    );
}

/// A discount that an edit gave: Shopify's totals before the change stay sound, its current ones follow the lines.
#[test]
fn a_discount_by_an_edit_is_taken_and_a_wrong_total_is_not() {
    let mut body = support::read("refunded_and_shipped", "rest");
    support::set(&mut body, "/refunds", Some(json!([])));
    support::set(&mut body, "/line_items/0/current_quantity", Some(json!(3)));
    let allocation = json!([{ "amount": "6.00", "discount_application_index": 0 }]);
    support::set(&mut body, "/line_items/0/discount_allocations", Some(allocation));
    for (name, amount) in [("current_subtotal_price", "24.00"), ("current_total_price", "30.30")] {
        support::set(&mut body, &format!("/{name}_set"), None);
        support::set(&mut body, &format!("/{name}"), Some(json!(amount)));
    }
    let order = from_rest_value(&body).unwrap();
    assert_eq!(order.totals.current.total.shop.to_string(), "30.30 EUR");
    support::set(&mut body, "/total_price_set/shop_money/amount", Some(json!("36.31")));
    assert!(
        from_rest_value(&body).is_err(),
        "a total that does not follow from the others is no earlier picture"
    );
}
