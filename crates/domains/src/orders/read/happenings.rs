//! Refunds, payments and fulfilments of a body: what becomes an event, and which refunds are really edits.
//!
//! Shopify records an edit that removes units as a refund without money. Such a refund is carried by the state; all
//! others are events and leave the state alone (a change has one carrier).

use jiff::Timestamp;
use kernel::money::MoneyBag;
use serde_json::{Value, json};

use super::amounts::{Amount, Currencies};
use super::at::{At, Form, Read};
use super::ids;
use crate::orders::event::{DerivedEvent, EventKind};

/// What a refund is for the state of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundIs {
    /// No money, nothing came back: units taken off by an edit.
    Edit,
    /// Made by the cancellation of an unpaid order; the cancellation says it already.
    Cancellation,
    /// Money or goods went back.
    Event,
}

pub(crate) struct Refund {
    pub(crate) is: RefundIs,
    pub(crate) lines: Vec<RefundedLine>,
}

pub(crate) struct RefundedLine {
    pub(crate) line_id: String,
    pub(crate) quantity: u64,
    /// Less discounts; null where the body does not say.
    pub(crate) subtotal: Option<MoneyBag>,
    pub(crate) tax: Option<MoneyBag>,
    restock: String,
}

/// The cancellation's own refund is dated a second before or after it.
const CANCELLATION_WITHIN_S: i64 = 5;

pub(crate) fn refund(
    at: &At<'_>,
    money: Currencies,
    cancelled_at: Option<Timestamp>,
    otherwise_at: Timestamp,
) -> Read<(Refund, Option<DerivedEvent>)> {
    let id = ids::own(at, "Refund")?.id;
    let occurred_at = match at.instant("created_at", "createdAt")? {
        Some(created_at) => created_at,
        None => at.instant("processed_at", "processedAt")?.unwrap_or(otherwise_at),
    };
    let mut lines = Vec::new();
    for line in at.list("refund_line_items", "refundLineItems")? {
        lines.push(refunded_line(&line, money)?);
    }
    let transactions = at.list("transactions", "transactions")?;
    let is = classify(&lines, transactions.is_empty(), occurred_at, cancelled_at);
    let event = (is == RefundIs::Event).then(|| DerivedEvent {
        kind: EventKind::Refund,
        id: id.clone(),
        status: None,
        occurred_at,
        body: refund_body(&id, occurred_at, &lines),
    });
    Ok((Refund { is, lines }, event))
}

fn classify(
    lines: &[RefundedLine],
    no_money: bool,
    created_at: Timestamp,
    cancelled_at: Option<Timestamp>,
) -> RefundIs {
    let nothing_came_back = lines.iter().all(|line| line.restock != "return");
    if !no_money || lines.is_empty() || !nothing_came_back {
        return RefundIs::Event;
    }
    match cancelled_at {
        Some(at) if created_at.as_second() >= at.as_second() - CANCELLATION_WITHIN_S => {
            RefundIs::Cancellation
        }
        _ => RefundIs::Edit,
    }
}

fn refunded_line(at: &At<'_>, money: Currencies) -> Read<RefundedLine> {
    let line_id = match ids::reference(at, "line_item_id", "lineItem")? {
        Some(line_id) => line_id,
        None => ids::number(&at.need("line_item_id", "lineItem")?)?,
    };
    let subtotal = Amount { bare: "subtotal", set: "subtotal_set", graphql: "subtotalSet" };
    let tax = Amount { bare: "total_tax", set: "total_tax_set", graphql: "totalTaxSet" };
    Ok(RefundedLine {
        line_id,
        quantity: at.need("quantity", "quantity")?.count()?,
        subtotal: money.find(at, subtotal)?,
        tax: money.find(at, tax)?,
        restock: at.text("restock_type", "restockType")?.unwrap_or_default().to_ascii_lowercase(),
    })
}

fn refund_body(id: &str, created_at: Timestamp, lines: &[RefundedLine]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({
                "line_id": line.line_id,
                "quantity": line.quantity.to_string(),
                "subtotal": line.subtotal,
                "tax": line.tax,
                "restock": line.restock,
            })
        })
        .collect();
    json!({ "refund_id": id, "created_at": created_at, "lines": lines })
}

/// A fulfilment; its status may still change, its identity does not.
pub(crate) fn fulfilment(at: &At<'_>, otherwise_at: Timestamp) -> Read<DerivedEvent> {
    let id = ids::own(at, "Fulfillment")?.id;
    let occurred_at = at.instant("created_at", "createdAt")?.unwrap_or(otherwise_at);
    let status = at.text("status", "status")?.map(|status| status.to_ascii_lowercase());
    let body = json!({ "fulfilment_id": id, "created_at": occurred_at, "status": status });
    Ok(DerivedEvent { kind: EventKind::Fulfilment, id, status, occurred_at, body })
}

/// A payment that succeeded; `None` for every other transaction. Orders of the webhook hold none.
pub(crate) fn payment(at: &At<'_>, money: Currencies, otherwise_at: Timestamp) -> Read<Option<DerivedEvent>> {
    let kind_at = at.need("kind", "kind")?;
    let kind = kind_at.spelled()?.to_ascii_lowercase();
    let status = at.text("status", "status")?.unwrap_or_default().to_ascii_lowercase();
    if !crate::payments::is_payment(&kind, &status) {
        return Ok(None);
    }
    let id = ids::own(at, "OrderTransaction")?.id;
    let occurred_at = at.instant("processed_at", "processedAt")?.unwrap_or(otherwise_at);
    // A REST transaction has one amount in the currency it was made in: text, so that it is taken for neither kind.
    let amount = match at.form {
        Form::Rest => json!({ "amount": at.text("amount", "")?, "currency": at.text("currency", "")? }),
        Form::GraphQl => {
            let set = at.need("", "amountSet")?;
            json!(money.set(&set)?)
        }
    };
    let gateway = at.text("gateway", "gateway")?;
    let body = json!({
        "transaction_id": id, "processed_at": occurred_at, "kind": kind, "gateway": gateway, "amount": amount,
    });
    Ok(Some(DerivedEvent { kind: EventKind::Payment, id, status: Some(status), occurred_at, body }))
}
