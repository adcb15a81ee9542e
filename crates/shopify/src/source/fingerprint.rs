//! What tells two states of one second apart without reading them: a few cheap scalars of the list, and the same of a
//! canonical order that we know.
//!
//! The canonical order is as edited and not as refunded, and the list's totals are as refunded: where a refund may
//! lie between them, or something else that only one of the two knows, nothing is claimed and the order is read.

use rust_decimal::Decimal;
use serde_json::Value;

const UNKNOWN: &str = "?";
const NONE: &str = "-";

/// How a listed order stands to the state that we know, both with the same `updatedAt`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// Nothing that the list shows is different.
    Same,
    /// It changed without its date: the log missed something.
    Differs,
    /// Only reading it can tell. Not yet a miss.
    Unknowable,
}

/// Financial status, fulfilment status, quantity, total, cancellation; in this order, apart by blanks.
fn text(parts: [String; 5]) -> String {
    parts.join(" ")
}

/// Of a node of `list_orders.graphql`.
pub(super) fn of_listed(node: &Value) -> String {
    let small = |name: &str| node.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let financial = small("displayFinancialStatus").unwrap_or_else(|| NONE.to_owned());
    let fulfilment = match small("displayFulfillmentStatus").as_deref() {
        None | Some("unfulfilled") => "unfulfilled".to_owned(),
        Some("partially_fulfilled") => "partial".to_owned(),
        Some(known @ ("fulfilled" | "restocked")) => known.to_owned(),
        // What the canonical order calls one or the other, by what was sent already.
        Some(_) => "unfulfilled/partial".to_owned(),
    };
    let quantity = node.get("currentSubtotalLineItemsQuantity").and_then(Value::as_u64);
    let total = node.pointer("/currentTotalPriceSet/shopMoney/amount").and_then(Value::as_str);
    text([
        financial,
        fulfilment,
        quantity.map_or_else(|| UNKNOWN.to_owned(), |quantity| quantity.to_string()),
        total.and_then(amount).unwrap_or_else(|| UNKNOWN.to_owned()),
        instant(node.get("cancelledAt")),
    ])
}

/// Of a canonical order (`domains::orders::canonical_bytes`, as JSON).
pub fn fingerprint_of(order: &Value) -> String {
    let status = |name: &str| order.get(name).and_then(Value::as_str).unwrap_or(NONE).to_owned();
    let (financial, cancelled) =
        (status("financial_status"), instant(order.pointer("/cancellation/cancelled_at")));
    let refunded = ["refunded", "partially_refunded"].contains(&financial.as_str()) || cancelled != NONE;
    let known = |part: Option<String>| part.filter(|_| !refunded).unwrap_or_else(|| UNKNOWN.to_owned());
    let total = order.pointer("/totals/current/total/shop/amount").and_then(Value::as_str).and_then(amount);
    text([financial, status("fulfilment_status"), known(quantity(order)), known(total), cancelled])
}

/// Units of goods. Gift cards and tips are lines of which the list does not say whether it counts them.
fn quantity(order: &Value) -> Option<String> {
    let flag = |value: &Value, name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    if flag(order.get("totals")?, "tips_in_lines") {
        return None;
    }
    let mut sum = Decimal::ZERO;
    for line in order.get("lines")?.as_array()? {
        if flag(line, "gift_card") {
            return None;
        }
        let amount = line.pointer("/quantity/current/amount")?.as_str()?.parse::<Decimal>().ok()?;
        sum = sum.checked_add(amount)?;
    }
    Some(sum.normalize().to_string())
}

fn amount(text: &str) -> Option<String> {
    text.parse::<Decimal>().ok().map(|amount| amount.normalize().to_string())
}

fn instant(value: Option<&Value>) -> String {
    match value.and_then(Value::as_str) {
        None => NONE.to_owned(),
        Some(text) => text
            .parse::<jiff::Timestamp>()
            .map_or_else(|_| UNKNOWN.to_owned(), |instant| instant.as_second().to_string()),
    }
}

/// Compares what a list gave with [`fingerprint_of`] the state that we know.
pub fn compare(listed: &str, known: &str) -> Compared {
    let (listed, known): (Vec<&str>, Vec<&str>) = (listed.split(' ').collect(), known.split(' ').collect());
    if listed.len() != known.len() || listed.len() < 2 {
        return Compared::Unknowable;
    }
    let mut result = Compared::Same;
    for (listed, known) in listed.into_iter().zip(known) {
        if listed == UNKNOWN || known == UNKNOWN {
            result = Compared::Unknowable;
        } else if !listed.split('/').any(|one| one == known) {
            return Compared::Differs;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn listed(change: impl FnOnce(&mut Value)) -> String {
        let mut node = json!({
            "displayFinancialStatus": "PAID", "displayFulfillmentStatus": "UNFULFILLED",
            "currentSubtotalLineItemsQuantity": 4, "cancelledAt": null,
            "currentTotalPriceSet": { "shopMoney": { "amount": "68.97" } },
        });
        change(&mut node);
        of_listed(&node)
    }

    fn known(change: impl FnOnce(&mut Value)) -> String {
        let line =
            |amount: &str| json!({ "gift_card": false, "quantity": { "current": { "amount": amount } } });
        let mut order = json!({
            "financial_status": "paid", "fulfilment_status": "unfulfilled", "cancellation": null,
            "lines": [line("3"), line("1")],
            "totals": { "tips_in_lines": false, "current": { "total": { "shop": { "amount": "68.970" } } } },
        });
        change(&mut order);
        fingerprint_of(&order)
    }

    #[test]
    fn each_scalar_tells_states_apart() {
        assert_eq!(compare(&listed(|_| {}), &known(|_| {})), Compared::Same);
        for (name, value) in [
            ("displayFinancialStatus", json!("VOIDED")),
            ("displayFulfillmentStatus", json!("FULFILLED")),
            ("displayFulfillmentStatus", json!("PARTIALLY_FULFILLED")),
            ("currentSubtotalLineItemsQuantity", json!(3)),
            ("currentTotalPriceSet", json!({ "shopMoney": { "amount": "68.98" } })),
            ("cancelledAt", json!("2026-11-24T10:00:00Z")),
        ] {
            let listed = listed(|node| node[name] = value.clone());
            assert_eq!(compare(&listed, &known(|_| {})), Compared::Differs, "{name} {value}");
        }
    }

    #[test]
    fn what_only_one_side_knows_is_not_claimed() {
        let plain = listed(|_| {});
        let refunded = |order: &mut Value| order["financial_status"] = json!("partially_refunded");
        assert_eq!(
            compare(
                &listed(|node| node["displayFinancialStatus"] = json!("PARTIALLY_REFUNDED")),
                &known(refunded)
            ),
            Compared::Unknowable
        );
        assert_eq!(compare(&plain, &known(refunded)), Compared::Differs);
        assert_eq!(
            compare(&plain, &known(|order| order["lines"][0]["gift_card"] = json!(true))),
            Compared::Unknowable
        );
        assert_eq!(
            compare(&plain, &known(|order| order["totals"]["tips_in_lines"] = json!(true))),
            Compared::Unknowable
        );
        for status in ["ON_HOLD", "IN_PROGRESS", "SCHEDULED"] {
            let held = listed(|node| node["displayFulfillmentStatus"] = json!(status));
            assert_eq!(compare(&held, &known(|_| {})), Compared::Same);
            assert_eq!(compare(&held, &known(|o| o["fulfilment_status"] = json!("partial"))), Compared::Same);
            assert_eq!(
                compare(&held, &known(|o| o["fulfilment_status"] = json!("fulfilled"))),
                Compared::Differs
            );
        }
        for empty in [("", ""), ("", &plain), (&plain, "")] {
            assert_eq!(compare(empty.0, empty.1), Compared::Unknowable);
        }
    }
}
