//! Bad bodies are refused with their code and path, never with a panic; odd ones that mean something are taken.

#[path = "support/mod.rs"]
#[expect(dead_code, reason = "this test uses some of the helpers")]
mod support;

use kernel::fault::FaultKind;
use serde_json::{Value, json};
use tidegate_domains::orders::{BodyCode, from_graphql_value, from_rest, from_rest_value};

const BODY: &str = "discount_over_lines";

/// A change of the good body (`None` removes) and what must be said about it.
#[test]
fn what_is_wrong_is_named() {
    use BodyCode::*;
    let text = |text: &str| Some(json!(text));
    let cases: Vec<(&str, Option<Value>, BodyCode, &str)> = vec![
        ("/currency", text("XXX"), UnknownCurrency, "$.currency"),
        ("/currency", text("eur"), UnknownCurrency, "$.currency"),
        ("/currency", None, Missing, "$.currency"),
        ("/currency", Some(json!(5)), WrongType, "$.currency"),
        ("/presentment_currency", text("EURO"), UnknownCurrency, "$.presentment_currency"),
        (
            "/presentment_currency",
            text("USD"),
            OtherCurrency,
            "$.line_items[0].price_set.presentment_money.currency_code",
        ),
        (
            "/line_items/1/price_set/shop_money/currency_code",
            text("USD"),
            OtherCurrency,
            "$.line_items[1].price_set.shop_money.currency_code",
        ),
        ("/line_items/1/quantity", Some(json!(-1)), Negative, "$.line_items[1].quantity"),
        ("/line_items/1/quantity", Some(json!(1.5)), WrongType, "$.line_items[1].quantity"),
        ("/line_items/1/quantity", text("NaN"), NotDecimal, "$.line_items[1].quantity"),
        ("/line_items/1/quantity", Some(json!(1e300)), NotDecimal, "$.line_items[1].quantity"),
        ("/line_items/1/quantity", None, Missing, "$.line_items[1].quantity"),
        (
            "/line_items/1/current_quantity",
            Some(json!(2)),
            TotalsDisagree,
            "$.line_items[1].current_quantity",
        ),
        ("/line_items/1/price_set/shop_money/amount", text("-33.33"), Negative, "$.line_items[1].price_set"),
        (
            "/line_items/1/price_set/shop_money/amount",
            text("1e400"),
            NotDecimal,
            "$.line_items[1].price_set.shop_money.amount",
        ),
        (
            "/line_items/1/price_set/shop_money/amount",
            text("33,33"),
            NotDecimal,
            "$.line_items[1].price_set.shop_money.amount",
        ),
        (
            "/line_items/1/price_set/shop_money/amount",
            Some(json!([])),
            WrongType,
            "$.line_items[1].price_set.shop_money.amount",
        ),
        ("/line_items/1/price_set", text("33.33"), WrongType, "$.line_items[1].price_set"),
        (
            "/line_items/1/discount_allocations/0/amount_set/shop_money/amount",
            text("99"),
            Negative,
            "$.line_items[1]",
        ),
        ("/line_items/1/id", Some(json!({})), TAKEN, ""),
        ("/line_items/1/tax_lines", text("none"), WrongType, "$.line_items[1].tax_lines"),
        ("/line_items/1", Some(json!(7)), Missing, "$.line_items[1].id"),
        ("/line_items", None, Missing, "$.line_items"),
        ("/line_items", text("x"), WrongType, "$.line_items"),
        ("/total_price_set/shop_money/amount", text("112.51"), TotalsDisagree, "$.total_price"),
        ("/total_tax_set/shop_money/amount", text("16.56"), TotalsDisagree, "$.total_tax"),
        ("/subtotal_price_set/shop_money/amount", text("90.01"), TotalsDisagree, "$.subtotal_price"),
        (
            "/total_shipping_price_set/shop_money/amount",
            text("5.94"),
            TotalsDisagree,
            "$.total_shipping_price_set",
        ),
        (
            "/total_line_items_price_set/shop_money/amount",
            text("99.99"),
            TotalsDisagree,
            "$.total_line_items_price",
        ),
        (
            "/current_total_price_set/shop_money/amount",
            text("112.49"),
            TotalsDisagree,
            "$.current_total_price",
        ),
        // The difference is exactly one line's amount: that line is named.
        ("/line_items/2/tax_lines", Some(json!([])), TotalsDisagree, "$.total_tax"),
        ("/total_tax_set/shop_money/amount", text("13.85"), TotalsDisagree, "$.line_items[2]"),
        ("/financial_status", text("generous"), UnknownValue, "$.financial_status"),
        ("/fulfillment_status", text("lost"), UnknownValue, "$.fulfillment_status"),
        ("/admin_graphql_api_id", text("gid://shopify/DraftOrder/5001"), WrongType, "$.admin_graphql_api_id"),
        ("/updated_at", text("yesterday"), WrongType, "$.updated_at"),
        ("/updated_at", text("2026-11-02 10:15:30"), WrongType, "$.updated_at"),
        ("/updated_at", None, Missing, "$.updated_at"),
        ("/created_at", Some(Value::Null), Missing, "$.created_at"),
        ("/test", text("no"), WrongType, "$.test"),
        ("/note", Some(json!(["x"])), WrongType, "$.note"),
        ("/discount_applications/0/type", text("magic"), UnknownValue, "$.discount_applications[0].type"),
    ];
    for (pointer, new, code, path) in cases {
        let mut body = support::read(BODY, "rest");
        support::set(&mut body, pointer, new.clone());
        let shown = format!("{pointer} = {new:?}");
        let verdict = from_rest_value(&body);
        if code == TAKEN {
            assert!(verdict.is_ok(), "{shown}: {verdict:?}");
            continue;
        }
        let Err(fault) = verdict else { panic!("{shown} was taken") };
        assert_eq!((fault.code, fault.path.as_str()), (code, path), "{shown}: {fault}");
        let fault = fault.into_fault();
        assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::Rejected, Some(path)));
    }
}

/// Marks a row of the table that must be taken.
const TAKEN: BodyCode = BodyCode::NoSuchOrder;

/// Text that `serde_json` would never give us.
#[test]
fn hostile_text_is_refused_with_its_path() {
    let body = std::fs::read_to_string(support::fixtures().join(BODY).join("rest.json")).unwrap();
    let inject = |member: &str| body.replacen('{', &format!("{{{member},"), 1);
    let deep = |levels: usize| format!("\"x\":{}{}", "[".repeat(levels), "]".repeat(levels));
    for (text, path, words) in [
        (inject(&deep(10_000)), "$.x", "nested deeper"),
        (inject(&deep(64)), "$.x", "nested deeper"),
        (inject("\"x\":{\"a\":1,\"a\":1}"), "$.x.a", "same key twice"),
        (inject("\"currency\":\"USD\""), "$.currency", "same key twice"),
        (inject("\"x\":[1,1e400]"), "$.x[1]", "every finite value"),
        (inject("\"x\":NaN"), "$.x", "does not allow (NaN"),
        (inject("\"x\":-Infinity"), "$.x", "does not allow (NaN"),
        (inject("\"x\":01"), "$.x", "does not allow (NaN"),
        (inject("\"x\":\"\\ud83d\""), "$.x", "surrogate"),
        (inject("\"x\":\"\\udc00\\ud800\""), "$.x", "surrogate"),
        (inject("\"x\":\"a\u{1}b\""), "$.x", "control character"),
        (inject("\"x\":\"\\x41\""), "$.x", "escape"),
        (inject("\"x y\":[{\"z\":tru}]"), "$[\"x y\"][0].z", "character"),
        (body[..body.len() / 2].to_owned(), "", "middle of a value"),
        (format!("{body}{body}"), "$", "after its end"),
        (String::new(), "$", "middle of a value"),
        ("not json".to_owned(), "$", "character"),
    ] {
        let fault = from_rest(text.as_bytes()).expect_err(words);
        assert_eq!(fault.code, BodyCode::NotJson, "{fault}");
        assert!(fault.message.contains(words), "{words}: {fault}");
        let exact = words != "nested deeper";
        assert!(fault.path == path || !exact && fault.path.starts_with(path) || path.is_empty(), "{fault}");
        assert!(fault.to_string().len() < 500);
    }
    let fault = from_rest(b"{\"id\":\"\xff\"}").unwrap_err();
    assert!(fault.message.contains("UTF-8"), "{fault}");
    for shape in ["[]", "null", "\"order\"", "5"] {
        assert_eq!(from_rest(shape.as_bytes()).unwrap_err().code, BodyCode::WrongType, "{shape}");
    }
    assert!(from_rest(inject(&deep(62)).as_bytes()).is_ok(), "63 levels are read");
}

/// Odd, but it means something.
#[test]
fn odd_spellings_are_taken() {
    let known = from_rest_value(&support::read(BODY, "rest")).unwrap();
    for (pointer, new) in [
        ("/line_items/0/price", json!(33.33)),
        ("/line_items/0/price_set", Value::Null),
        ("/line_items/0/price_set", json!({})),
        ("/line_items/0/price_set/shop_money/amount", json!("33.3300")),
        ("/line_items/0/price_set/shop_money/amount", json!(33.33)),
        ("/line_items/0/properties", Value::Null),
        ("/line_items/0/properties", json!({})),
        ("/line_items/0/duties", json!({})),
        ("/refunds", Value::Null),
        ("/customer/phone", json!("")),
        ("/billing_address/address2", json!(" ")),
        ("/tags", json!(["vip", "b2c"])),
        ("/created_at", json!("2026-11-02T04:15:30-05:00")),
        ("/id", json!(5002)),
        ("/line_items/2/properties", json!({"_bundle": "a\"b", "engraving": "J & N"})),
        ("/unheard_of", json!({"in": "another version"})),
    ] {
        let mut body = support::read(BODY, "rest");
        support::set(&mut body, pointer, Some(new.clone()));
        let order = from_rest_value(&body).unwrap_or_else(|fault| panic!("{pointer} = {new}: {fault}"));
        assert_eq!(order, known, "{pointer} = {new}");
    }
}

/// Shopify's own test notifications do not add up. They are never exported, so that this is nobody's business.
#[test]
fn a_test_order_need_not_add_up() {
    let mut body = support::read(BODY, "rest");
    support::set(&mut body, "/total_price_set/shop_money/amount", Some(json!("1.00")));
    assert_eq!(from_rest_value(&body).unwrap_err().code, BodyCode::TotalsDisagree);
    support::set(&mut body, "/test", Some(json!(true)));
    assert!(from_rest_value(&body).unwrap().test);
}

/// The shop's side of two currencies is a conversion and may be off by its rounding; the buyer's may not.
#[test]
fn two_currencies_agree_within_the_conversion() {
    for (pointer, amount, taken) in [
        ("/total_price_set/shop_money/amount", "140.91", true),
        ("/total_price_set/shop_money/amount", "141.90", false),
        ("/subtotal_price_set/presentment_money/amount", "137.01", false),
    ] {
        let mut body = support::read("duties_and_tips", "rest");
        support::set(&mut body, pointer, Some(json!(amount)));
        if pointer.starts_with("/total_price") {
            support::set(&mut body, "/current_total_price_set/shop_money/amount", Some(json!(amount)));
        }
        assert_eq!(from_rest_value(&body).is_ok(), taken, "{pointer} = {amount}");
    }
}

#[test]
fn a_graphql_answer_without_an_order_or_with_parts_missing_is_refused() {
    let answer = support::read(BODY, "graphql");
    let change = |pointer: &str, new: Value| {
        let mut answer = answer.clone();
        support::set(&mut answer, pointer, Some(new));
        from_graphql_value(&answer).unwrap_err()
    };
    for (pointer, new, code, path) in [
        ("/data/order", Value::Null, BodyCode::NoSuchOrder, "$.data"),
        (
            "/data/order/lineItems/pageInfo/hasNextPage",
            json!(true),
            BodyCode::Incomplete,
            "$.data.order.lineItems",
        ),
        (
            "/data/order/refunds",
            json!([{"id": "gid://shopify/Refund/1"}]),
            BodyCode::Incomplete,
            "$.data.order.refunds[0].refundLineItems",
        ),
        (
            "/data/order/fulfillmentsCount/count",
            json!(41),
            BodyCode::Incomplete,
            "$.data.order.fulfillmentsCount",
        ),
        (
            "/data/order/transactionsCount/count",
            json!(31),
            BodyCode::Incomplete,
            "$.data.order.transactionsCount",
        ),
        (
            "/data/order/lineItems/nodes/1/quantity",
            json!(-3),
            BodyCode::Negative,
            "$.data.order.lineItems.nodes[1].quantity",
        ),
        (
            "/data/order/totalTaxSet/shopMoney/amount",
            json!("13.85"),
            BodyCode::TotalsDisagree,
            "$.data.order.lineItems.nodes[2]",
        ),
        ("/data/order/currencyCode", json!("XXX"), BodyCode::UnknownCurrency, "$.data.order.currencyCode"),
    ] {
        let fault = change(pointer, new);
        assert_eq!((fault.code, fault.path.as_str()), (code, path), "{pointer}: {fault}");
    }
    assert!(from_graphql_value(&answer["data"]["order"]).is_ok(), "the order itself is taken too");
}
