//! How REST bodies spell money, numbers and dates.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Number, Value, json};

use crate::shop::money::MoneyBag;
use crate::shop::order::Order;

/// `{"shop_money": {"amount", "currency_code"}, "presentment_money": {…}}`.
pub(super) fn set(order: &Order, bag: MoneyBag) -> Value {
    let money = &order.money;
    json!({
        "shop_money": { "amount": money.shop.write(bag.shop), "currency_code": money.shop.code() },
        "presentment_money": {
            "amount": money.presentment.write(bag.presentment),
            "currency_code": money.presentment.code(),
        },
    })
}

/// The amount in shop money, as a string.
pub(super) fn amount(order: &Order, bag: MoneyBag) -> String {
    order.money.shop.write(bag.shop)
}

/// A JSON number, integral where it can be: `99`, `749.95`.
pub(super) fn number(value: Decimal) -> Value {
    let text = value.normalize().to_string();
    if let Ok(integral) = text.parse::<i64>() {
        return json!(integral);
    }
    text.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

/// `2026-10-31T09:30:00+01:00`: the offset that the shop's zone had at that instant.
pub(super) fn date(order: &Order, at: Timestamp) -> String {
    at.to_zoned(order.shop.time_zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

pub(super) fn date_or_null(order: &Order, at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| json!(date(order, at)))
}
