//! Refunds, transactions and fulfilments: members of an order's body, and the bodies of their own topics.

use serde_json::{Value, json};

use super::parts;
use super::write::{amount, date, number, set};
use crate::shop::money::MoneyBag;
use crate::shop::order::{Fulfilment, Order, gid};
use crate::shop::payment::{Transaction, TransactionKind};
use crate::shop::refund::{Refund, RefundLine, RefundShipping};

/// `refunds/create`, and each of the order's `refunds`.
pub fn refund_body(order: &Order, refund: &Refund) -> Value {
    let duties: MoneyBag = refund.duties.iter().map(|(_, amount)| *amount).sum();
    let transactions = refund.transactions.iter().filter_map(|id| order.transaction(*id));
    json!({
        "id": refund.id,
        "admin_graphql_api_id": gid("Refund", refund.id),
        "order_id": order.id,
        "created_at": date(order, refund.created_at),
        "processed_at": date(order, refund.created_at),
        "note": refund.note,
        "user_id": null,
        "restock": refund.restock,
        "return": null,
        "duties": refund.duties.iter()
            .map(|(id, amount)| json!({ "duty_id": id, "amount_set": set(order, *amount) }))
            .collect::<Vec<_>>(),
        "total_duties_set": set(order, duties),
        "order_adjustments": refund.shipping.iter()
            .map(|back| shipping_adjustment(order, refund, back))
            .collect::<Vec<_>>(),
        "refund_line_items": refund.lines.iter().map(|line| refund_line(order, line)).collect::<Vec<_>>(),
        "refund_shipping_lines": refund.shipping.iter()
            .map(|back| refund_shipping(order, back))
            .collect::<Vec<_>>(),
        "transactions": transactions.map(|one| transaction_body(order, one)).collect::<Vec<_>>(),
    })
}

/// `subtotal` and `total_tax` are JSON numbers here, and nowhere else.
fn refund_line(order: &Order, back: &RefundLine) -> Value {
    json!({
        "id": back.id,
        "line_item_id": back.line_id,
        "location_id": back.location_id,
        "quantity": back.quantity,
        "restock_type": back.restock.rest(),
        "subtotal": number(back.subtotal.shop),
        "subtotal_set": set(order, back.subtotal),
        "total_tax": number(back.total_tax.shop),
        "total_tax_set": set(order, back.total_tax),
        "line_item": order.line(back.line_id).map(|line| parts::line(order, line)),
    })
}

fn refund_shipping(order: &Order, back: &RefundShipping) -> Value {
    let line = order.shipping_lines.iter().find(|line| line.id == back.shipping_line_id);
    json!({
        "id": back.id,
        "shipping_line_id": back.shipping_line_id,
        "full_refund": true,
        "subtotal_amount_set": set(order, back.subtotal),
        "tax_amount_set": set(order, back.tax),
        "shipping_line": line.map(|line| parts::shipping_line(order, line)),
    })
}

fn shipping_adjustment(order: &Order, refund: &Refund, back: &RefundShipping) -> Value {
    json!({
        "id": back.id + 1,
        "order_id": order.id,
        "refund_id": refund.id,
        "kind": "shipping_refund",
        "reason": "Shipping refund",
        "amount": amount(order, -back.subtotal),
        "amount_set": set(order, -back.subtotal),
        "tax_amount": amount(order, -back.tax),
        "tax_amount_set": set(order, -back.tax),
    })
}

/// `order_transactions/create`, and each of a refund's `transactions`. The amount is in presentment money, as the
/// buyer was charged.
pub fn transaction_body(order: &Order, transaction: &Transaction) -> Value {
    let currency = order.money.presentment;
    let paid = currency.write(transaction.amount.presentment);
    let message = match transaction.kind {
        TransactionKind::Refund => {
            Some(format!("Refunded {paid} {} from {} gateway", currency.code(), transaction.gateway))
        }
        _ => None,
    };
    let unsettled = json!({
        "presentment_money": { "amount": "0.0", "currency": currency.code() },
        "shop_money": { "amount": "0.0", "currency": order.money.shop.code() },
    });
    json!({
        "id": transaction.id,
        "admin_graphql_api_id": gid("OrderTransaction", transaction.id),
        "order_id": order.id,
        "kind": transaction.kind.rest(),
        "gateway": transaction.gateway,
        "status": transaction.status.rest(),
        "message": message,
        "created_at": date(order, transaction.created_at),
        "processed_at": date(order, transaction.created_at),
        "test": transaction.test,
        "authorization": transaction.authorization,
        "location_id": null,
        "user_id": null,
        "parent_id": transaction.parent_id,
        "device_id": null,
        "error_code": null,
        "source_name": order.source_name,
        "receipt": {},
        "amount": paid,
        "currency": currency.code(),
        "payment_id": transaction.payment_id,
        "total_unsettled_set": unsettled,
        "manual_payment_gateway": transaction.gateway == "manual",
        "amount_rounding": null,
    })
}

/// `fulfillments/create`, and each of the order's `fulfillments`.
pub fn fulfilment_body(order: &Order, fulfilment: &Fulfilment) -> Value {
    let lines = fulfilment.lines.iter().filter_map(|(id, quantity)| {
        let mut written = parts::line(order, order.line(*id)?);
        // The quantity that was shipped, not that of the line.
        written["quantity"] = json!(quantity);
        Some(written)
    });
    json!({
        "id": fulfilment.id,
        "admin_graphql_api_id": gid("Fulfillment", fulfilment.id),
        "order_id": order.id,
        "created_at": date(order, fulfilment.created_at),
        "updated_at": date(order, fulfilment.updated_at),
        "location_id": fulfilment.location_id,
        "name": fulfilment.name,
        "origin_address": {},
        "receipt": {},
        "service": "manual",
        "shipment_status": null,
        "status": if fulfilment.cancelled_at.is_some() { "cancelled" } else { "success" },
        "tracking_company": fulfilment.tracking.company,
        "tracking_number": fulfilment.tracking.numbers.first(),
        "tracking_numbers": fulfilment.tracking.numbers,
        "tracking_url": fulfilment.tracking.urls.first(),
        "tracking_urls": fulfilment.tracking.urls,
        "line_items": lines.collect::<Vec<_>>(),
    })
}
