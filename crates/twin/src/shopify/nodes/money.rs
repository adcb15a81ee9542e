//! Money as GraphQL spells it: decimals as strings, shop and presentment side by side.

use crate::shop::{Currency, MoneyBag, Order, graphql_amount};
use crate::shopify::answer::{Answer, Record, Resolved, leaf, object};
use rust_decimal::Decimal;

/// `MoneyV2`.
pub(super) fn money_record(currency: Currency, amount: Decimal) -> Record {
    Record::new("MoneyV2")
        .leaf("amount", graphql_amount(currency, amount))
        .leaf("currencyCode", currency.code())
}

/// `MoneyBag`.
pub(super) fn bag_record(order: &Order, bag: MoneyBag) -> Record {
    Record::new("MoneyBag")
        .node("shopMoney", money_record(order.money.shop, bag.shop))
        .node("presentmentMoney", money_record(order.money.presentment, bag.presentment))
}

pub(super) fn bag(order: &Order, bag: MoneyBag) -> Resolved {
    object(bag_record(order, bag))
}

pub(super) fn bag_or_null(order: &Order, bag: Option<MoneyBag>) -> Resolved {
    Ok(bag.map_or(Answer::Leaf(serde_json::Value::Null), |bag| Answer::node(bag_record(order, bag))))
}

/// `MoneyV2` in the shop's currency.
pub(super) fn shop_money(order: &Order, bag: MoneyBag) -> Resolved {
    object(money_record(order.money.shop, bag.shop))
}

/// The deprecated scalar `Money`: shop money without its currency.
pub(super) fn amount(order: &Order, bag: MoneyBag) -> Resolved {
    leaf(order.money.shop.write(bag.shop))
}
