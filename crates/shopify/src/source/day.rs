//! A page of orders with what they come to: what `prove` sets against the target. Owns when a list can tell what an
//! order comes to as edited and not as refunded, and the bound of 60 days beyond which Shopify shows nothing without a
//! scope of its own.

use super::{code, need, shape};
use crate::graphql::{Claim, DAY_ORDERS, Deadline, Reply, SHOP, ShopClient, covers};
use connector::port::CallContext;
use jiff::{SignedDuration, Timestamp};
use kernel::fault::{Fault, FaultKind};
use kernel::money::{Currency, Money, MoneyBag, PresentmentMoney, ShopMoney};
use serde_json::{Value, json};
use std::time::Duration;

const VISIBLE: SignedDuration = SignedDuration::from_hours(60 * 24);
/// So long a page of a day waits for its share of the bucket: a day that breaks off at its third page proves nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// One page, which waits for the bucket beyond its call's time.
pub(super) async fn page(
    client: &ShopClient,
    call: &CallContext,
    claim: Claim,
    variables: &Value,
) -> Result<Reply, Fault> {
    let patient = CallContext { time_out: call.time_out + PATIENCE, ..call.clone() };
    client.ask_within(&Deadline::new(client, &patient), claim, &DAY_ORDERS, variables).await
}

/// Asks Shopify itself what it shows to this app: what the configuration says may have been taken back.
///
/// # Errors
/// Rejected where the days are ones that Shopify does not show.
pub(super) async fn refuse_too_old(
    client: &ShopClient,
    call: &CallContext,
    claim: Claim,
    from: Timestamp,
) -> Result<(), Fault> {
    if from >= call.now.checked_sub(VISIBLE).unwrap_or(Timestamp::MIN) {
        return Ok(());
    }
    let reply = client.ask(call, claim, &SHOP, &json!({})).await?;
    let granted = reply.data.pointer("/currentAppInstallation/accessScopes").and_then(Value::as_array);
    let mut all = granted.into_iter().flatten().filter_map(|scope| scope.get("handle")?.as_str());
    if all.any(|granted| covers(granted, "read_all_orders")) {
        return Ok(());
    }
    let what = format!(
        "{from} is beyond the 60 days that Shopify shows without read_all_orders: ask Shopify for that scope, grant \
         it to the app, and name it in the app's scopes"
    );
    Err(Fault::new(FaultKind::Rejected, code::TOO_OLD, what))
}

/// What an order comes to, of a node of `day_orders.graphql`. `None` where only the order itself can tell: where
/// something was taken away from it, by an edit or by a refund; and where the shop's side is a conversion, of which the
/// canonical order rounds each amount by itself.
pub(super) fn charged(node: &Value) -> Result<Option<MoneyBag>, Fault> {
    let current = money(node, "currentTotalPriceSet")?;
    let shop = current.currency();
    let presentment: Currency =
        need(node, "presentmentCurrencyCode")?.parse().map_err(|_| shape("presentmentCurrencyCode"))?;
    if node.get("cancelledAt").is_some_and(|at| !at.is_null()) {
        return Ok(Some(MoneyBag::zero(shop, presentment)));
    }
    if presentment != shop || current != money(node, "totalPriceSet")? {
        return Ok(None);
    }
    Ok(Some(MoneyBag::new(ShopMoney::new(current), PresentmentMoney::new(current))))
}

fn money(node: &Value, name: &str) -> Result<Money, Fault> {
    let shop = node.get(name).and_then(|set| set.get("shopMoney")).ok_or_else(|| shape(name))?;
    let currency = need(shop, "currencyCode")?.parse().map_err(|_| shape(name))?;
    Money::parse(need(shop, "amount")?, currency).map_err(|_| shape(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(current: &str, total: &str) -> Value {
        let set = |amount: &str| json!({ "shopMoney": { "amount": amount, "currencyCode": "EUR" } });
        json!({
            "cancelledAt": null, "presentmentCurrencyCode": "EUR",
            "currentTotalPriceSet": set(current), "totalPriceSet": set(total),
        })
    }

    #[test]
    fn a_list_tells_what_nothing_was_taken_from() {
        let told = |node: &Value| charged(node).unwrap().map(|bag| bag.shop.to_string());
        assert_eq!(told(&node("68.97", "68.970")).as_deref(), Some("68.97 EUR"));
        assert_eq!(told(&node("60.00", "68.97")), None, "edited or refunded");
        let mut other = node("68.97", "68.97");
        other["presentmentCurrencyCode"] = json!("USD");
        assert_eq!(told(&other), None, "converted");
        let mut cancelled = node("0.00", "68.97");
        cancelled["cancelledAt"] = json!("2026-11-24T10:00:00Z");
        assert_eq!(told(&cancelled).as_deref(), Some("0.00 EUR"));
        let mut unreadable = node("68.97", "68.97");
        unreadable["totalPriceSet"] = Value::Null;
        assert_eq!(charged(&unreadable).unwrap_err().code, code::SHAPE);
    }
}
