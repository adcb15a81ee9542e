//! Totals add up to the minor unit, in shop and in presentment money, over thousands of generated orders and all that
//! happens to them. The sums are made anew from the written bodies: they share nothing with the code under test.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::playing::{dec, play};

/// `shop_money` or `presentment_money` of a set.
fn of(set: &Value, side: &str) -> Decimal {
    if set.is_null() { Decimal::ZERO } else { dec(&set[side]["amount"]) }
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn sum<'a>(values: impl IntoIterator<Item = &'a Value>, side: &str, set: &str) -> Decimal {
    values.into_iter().map(|value| of(&value[set], side)).sum()
}

fn quantity(line: &Value, name: &str) -> Decimal {
    Decimal::from(line[name].as_u64().expect("a quantity"))
}

/// What the lines of a body say, added up by this file's own rules.
#[derive(Debug, Default, PartialEq)]
struct Sums {
    line_items: Decimal,
    discounts: Decimal,
    subtotal: Decimal,
    tax: Decimal,
    shipping: Decimal,
    duties: Decimal,
    tip_lines: Decimal,
}

fn sums(body: &Value, side: &str) -> Sums {
    let mut sums = Sums::default();
    for line in list(body, "line_items") {
        let gross = of(&line["price_set"], side) * quantity(line, "quantity");
        if line.get("tip").is_some() {
            sums.tip_lines += gross;
            continue;
        }
        let discount = sum(list(line, "discount_allocations"), side, "amount_set");
        assert!(discount <= gross && discount >= Decimal::ZERO, "a discount of {discount} on {gross}");
        sums.line_items += gross;
        sums.discounts += discount;
        sums.subtotal += gross - discount;
        sums.tax += sum(list(line, "tax_lines"), side, "price_set");
        sums.duties += list(line, "duties").iter().map(|duty| dec(&duty[side]["amount"])).sum::<Decimal>();
    }
    for line in list(body, "shipping_lines") {
        let discount = sum(list(line, "discount_allocations"), side, "amount_set");
        sums.discounts += discount;
        sums.shipping += of(&line["price_set"], side);
        sums.tax += sum(list(line, "tax_lines"), side, "price_set");
        assert_eq!(of(&line["discounted_price_set"], side), of(&line["price_set"], side) - discount);
    }
    sums
}

fn shipping_discount(body: &Value, side: &str) -> Decimal {
    list(body, "shipping_lines")
        .iter()
        .map(|line| sum(list(line, "discount_allocations"), side, "amount_set"))
        .sum()
}

fn check_as_ordered(body: &Value, side: &str) {
    let expected = sums(body, side);
    let total = |name: &str| of(&body[name], side);
    assert_eq!(total("total_line_items_price_set"), expected.line_items);
    assert_eq!(total("total_discounts_set"), expected.discounts);
    assert_eq!(total("subtotal_price_set"), expected.subtotal);
    assert_eq!(total("total_tax_set"), expected.tax);
    assert_eq!(sum(list(body, "tax_lines"), side, "price_set"), expected.tax);
    assert_eq!(total("total_shipping_price_set"), expected.shipping);
    assert_eq!(total("original_total_duties_set"), expected.duties);
    let on_top = if body["taxes_included"] == true { Decimal::ZERO } else { expected.tax };
    let without_tip =
        expected.subtotal + expected.shipping - shipping_discount(body, side) + on_top + expected.duties;
    let tip = total("total_price_set") - without_tip;
    assert!(tip >= expected.tip_lines, "the total leaves {tip} for tips");
    if side == "shop_money" {
        assert_eq!(tip, dec(&body["total_tip_received"]));
    }
}

/// Current is as ordered less what the refunds of the body took.
fn check_current(body: &Value, side: &str) {
    let refunds = || list(body, "refunds").iter();
    let tips: Vec<_> = list(body, "line_items")
        .iter()
        .filter(|line| line.get("tip").is_some())
        .map(|line| &line["id"])
        .collect();
    let back = |set: &str, tip: bool| -> Decimal {
        refunds()
            .flat_map(|refund| list(refund, "refund_line_items"))
            .filter(|line| tips.contains(&&line["line_item_id"]) == tip)
            .map(|line| of(&line[set], side))
            .sum()
    };
    let shipping_back = |set: &str| -> Decimal {
        refunds()
            .flat_map(|refund| list(refund, "refund_shipping_lines"))
            .map(|line| of(&line[set], side))
            .sum()
    };
    let duties_back: Decimal = refunds().map(|refund| of(&refund["total_duties_set"], side)).sum();
    let total = |name: &str| of(&body[name], side);
    assert_eq!(
        total("current_subtotal_price_set"),
        total("subtotal_price_set") - back("subtotal_set", false)
    );
    let tax = total("total_tax_set") - back("total_tax_set", false) - shipping_back("tax_amount_set");
    assert_eq!(total("current_total_tax_set"), tax);
    assert_eq!(total("current_total_duties_set"), total("original_total_duties_set") - duties_back);
    let shipping = total("total_shipping_price_set")
        - shipping_discount(body, side)
        - shipping_back("subtotal_amount_set");
    assert_eq!(total("current_shipping_price_set"), shipping);
    let tip_lines = sums(body, side).tip_lines - back("subtotal_set", true);
    let on_top = if body["taxes_included"] == true { Decimal::ZERO } else { tax };
    let without_tip =
        total("current_subtotal_price_set") + shipping + on_top + total("current_total_duties_set");
    let tip = total("current_total_price_set") - without_tip;
    if body["cancelled_at"].is_null() {
        assert!(tip >= tip_lines);
    } else {
        assert_eq!(tip, Decimal::ZERO);
        assert_eq!(total("current_total_price_set"), Decimal::ZERO, "nothing is left of a cancelled order");
    }
    for line in list(body, "line_items") {
        let gone: Decimal = refunds()
            .flat_map(|refund| list(refund, "refund_line_items"))
            .filter(|back| back["line_item_id"] == line["id"])
            .map(|back| quantity(back, "quantity"))
            .sum();
        assert_eq!(quantity(line, "current_quantity"), quantity(line, "quantity") - gone);
    }
}

/// Each discount application's shares are worth what it says.
fn check_discounts(body: &Value) {
    for (index, discount) in list(body, "discount_applications").iter().enumerate() {
        let lines = list(body, "line_items").iter().chain(list(body, "shipping_lines"));
        let shares: Decimal = lines
            .flat_map(|line| list(line, "discount_allocations"))
            .filter(|share| share["discount_application_index"].as_u64() == Some(index as u64))
            .map(|share| dec(&share["amount"]))
            .sum();
        if discount["value_type"] == "fixed_amount" {
            assert_eq!(shares, dec(&discount["value"]));
        } else {
            assert!(shares > Decimal::ZERO || dec(&body["total_line_items_price"]).is_zero());
        }
    }
}

/// Every amount of a set has exactly the decimals of its currency.
fn check_decimals(value: &Value) {
    match value {
        Value::Object(members) => {
            if let (Some(Value::String(amount)), Some(Value::String(code))) =
                (members.get("amount"), members.get("currency_code"))
            {
                let wanted = match code.as_str() {
                    "JPY" => 0,
                    "BHD" | "KWD" => 3,
                    _ => 2,
                };
                assert_eq!(
                    amount.split_once('.').map_or(0, |(_, decimals)| decimals.len()),
                    wanted,
                    "{amount} {code}"
                );
            }
            members.values().for_each(check_decimals);
        }
        Value::Array(items) => items.iter().for_each(check_decimals),
        _ => {}
    }
}

#[test]
fn totals_add_up_whatever_happens_to_an_order() {
    let mut checked = 0;
    for seed in [1, 2] {
        play(seed, 600, |_, body, _| {
            for side in ["shop_money", "presentment_money"] {
                check_as_ordered(body, side);
                check_current(body, side);
            }
            check_discounts(body);
            check_decimals(body);
            checked += 1;
        });
    }
    assert!(checked > 1900, "{checked} states");
}

#[test]
fn money_that_moved_is_what_is_outstanding() {
    let (mut partly_refunded, mut owed) = (0, 0);
    play(3, 400, |order, body, _| {
        let total = dec(&body["current_total_price"]);
        let kinds = |kinds: &[&str]| -> Decimal {
            order
                .transactions
                .iter()
                .filter(|one| kinds.contains(&one.kind.rest()))
                .map(|one| one.amount.shop)
                .sum()
        };
        let (received, back) = (kinds(&["sale", "capture"]), kinds(&["refund"]));
        assert_eq!(dec(&body["total_outstanding"]), total - received + back);
        let status = body["financial_status"].as_str().unwrap();
        match status {
            "paid" => assert!(total <= received && back.is_zero()),
            "partially_paid" => assert!(!received.is_zero() && received < total),
            "refunded" => assert_eq!(received, back),
            "partially_refunded" => {
                assert!(back < received);
                partly_refunded += 1;
            }
            "authorized" | "pending" | "voided" => {
                assert_eq!(received, Decimal::ZERO);
                owed += 1;
            }
            other => panic!("a status of {other}"),
        }
    });
    assert!(partly_refunded > 5 && owed > 100, "{partly_refunded} {owed}");
}
