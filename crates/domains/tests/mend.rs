//! What a person may correct in an order, and what he is told of each mistake.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "this test uses some of the helpers")]
mod support;

use kernel::version::CameBy;
use serde_json::{Value, json};
use tidegate_domains::orders::{
    MENDED_TOPIC, Order, changed_paths, effective_version, from_rest_value, mend, mend_body, read_canonical,
};

fn original(pair: &str) -> Order {
    from_rest_value(&support::read(pair, "rest")).unwrap()
}

fn corrected(pair: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut value = serde_json::to_value(original(pair)).unwrap();
    change(&mut value);
    value
}

#[test]
fn every_fixture_is_a_canonical_order_and_uncorrected() {
    for pair in support::pairs() {
        let told = mend(&original(&pair), &corrected(&pair, |_| {})).unwrap_err();
        assert_eq!(told[0].to_string(), "the order: is as it was: nothing was corrected", "{pair}: {told:?}");
        assert_eq!(told.len(), 1, "{pair}: {told:?}");
    }
}

#[test]
fn a_corrected_order_is_newer_than_what_it_corrects_and_older_than_the_next_second() {
    let before = original("edited");
    let order =
        mend(&before, &corrected("edited", |order| order["lines"][0]["sku"] = json!("SKU-RIGHT"))).unwrap();
    assert_eq!(order.lines[0].sku.as_deref(), Some("SKU-RIGHT"));
    let version = |order: &Order| effective_version(order, CameBy::Push).unwrap();
    assert_eq!(version(&order).against(&version(&before)), kernel::version::Order::Newer);
    let mut next = before.clone();
    next.updated_at = next.updated_at.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
    assert_eq!(version(&next).against(&version(&order)), kernel::version::Order::Newer);
    // Its body is read back as it is, and corrected once more is newer again.
    let bytes = serde_json::to_vec(&order).unwrap();
    let back = read_canonical(&bytes).unwrap();
    assert_eq!((back.updated_at, MENDED_TOPIC), (order.updated_at, "orders/mended"));
    let again = serde_json::to_value(&back).map(|mut value| {
        value["note"] = json!("by hand");
        value
    });
    assert!(mend(&back, &again.unwrap()).unwrap().updated_at > order.updated_at);
}

#[test]
fn each_mistake_is_told_with_its_path_and_what_it_should_be() {
    type Change = fn(&mut Value);
    let table: [(Change, &[&str]); 12] = [
        (|order| order["lines"][0]["skuu"] = json!("x"), &["lines[0].skuu: is no field; did you mean sku?"]),
        (
            |order| {
                order["lines"][0].as_object_mut().unwrap().remove("title");
            },
            &["lines[0].title: is missing"],
        ),
        (|order| order["po_number"] = json!(4711), &["po_number: is a number, and has to be a text"]),
        (|order| order["lines"] = json!({}), &["lines: is a table, and has to be a list"]),
        (
            |order| order["financial_status"] = json!("payed"),
            &["financial_status: is \"payed\", and has to be one of pending, authorized"],
        ),
        (
            |order| order["lines"][0]["unit_price"]["shop"]["amount"] = json!("1,50"),
            &["lines[0].unit_price.shop.amount: is \"1,50\", and has to be a decimal as text"],
        ),
        (|order| order["processed_at"] = json!("yesterday"), &["processed_at: \"yesterday\" is no instant"]),
        (|order| order["order_id"] = json!("1"), &["order_id: says which order it is, and stays"]),
        (|order| order["updated_at"] = json!("2030-01-01T00:00:00Z"), &["updated_at: is set by itself"]),
        (
            |order| order["totals"]["current"]["total"]["shop"]["amount"] = json!("1.00"),
            &["totals.current.total.shop.amount: is 1.00 EUR, and the subtotal, shipping"],
        ),
        (
            |order| order["lines"][0]["current"]["total"]["shop"]["amount"] = json!("0.01"),
            &["totals.current.subtotal.shop.amount: is", "the lines' current totals come to"],
        ),
        (|order| *order = json!([]), &["the order: is a list, and has to be a table"]),
    ];
    for (change, expected) in table {
        let told = mend(&original("edited"), &corrected("edited", change)).unwrap_err();
        let text: Vec<String> = told.iter().map(ToString::to_string).collect();
        let text = text.join("\n");
        for part in expected {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }
    // All of them in one go.
    let several = corrected("edited", |order| {
        order["po_number"] = json!(1);
        order["lines"][0]["titel"] = json!("x");
    });
    assert_eq!(mend(&original("edited"), &several).unwrap_err().len(), 2);
}

#[test]
fn what_changed_is_named_without_its_value() {
    let before = corrected("edited", |_| {});
    let after = corrected("edited", |order| {
        order["lines"][0]["sku"] = json!("x");
        order["note"] = json!("secret");
    });
    assert_eq!(changed_paths(&before, &after, 20), ["lines[0].sku", "note"]);
    assert_eq!(changed_paths(&before, &after, 1), ["lines[0].sku"]);
}

#[test]
fn a_body_that_was_no_order_can_be_made_one() {
    let mut body = support::read("edited", "rest");
    support::set(&mut body, "/line_items/0/price_set/shop_money/amount", Some(json!("abc")));
    let told = mend_body(&body, false).unwrap_err();
    assert!(told[0].path.contains("line_items[0].price_set"), "{told:?}");
    let order = mend_body(&support::read("edited", "rest"), false).unwrap();
    assert!(order.updated_at > original("edited").updated_at);
}
