//! Reading what `order_payments.graphql` answers: which payments an order has, each as it is kept; and one payment.

use super::model::Payment;
use crate::json::{Json, parse};
use crate::orders::parsed::{Amount, At, Currencies, Form, Read, ids};
use crate::orders::{BodyCode, BodyFault};
use jiff::Timestamp;
use serde_json::{Value, json};

const AMOUNT: Amount<'static> = Amount { bare: "", set: "", graphql: "amountSet" };

/// A payment of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The number of the transaction's global id.
    pub payment_id: String,
    pub paid_at: Timestamp,
    /// What is kept of it, and [`from_graphql`] reads: the transaction and whose it is.
    pub payload: Value,
}

/// Whether a transaction is money that was taken: a sale or capture that succeeded. In Shopify's own words, in either spelling.
#[must_use]
pub fn is_payment(kind: &str, status: &str) -> bool {
    ["sale", "capture"].iter().any(|taken| kind.eq_ignore_ascii_case(taken))
        && status.eq_ignore_ascii_case("success")
}

/// The payments among an order's transactions, of an answer's `data`. `None`: Shopify has no such order.
///
/// # Errors
/// A [`BodyFault`] that names the place; [`BodyCode::Incomplete`] where the order has more transactions than the answer.
pub fn listed(data: &Value) -> Result<Option<Vec<Listed>>, BodyFault> {
    let tree = data.to_string();
    let tree = parse(tree.as_bytes())?;
    let root = At::root(&tree, Form::GraphQl);
    if matches!(root.json.get("order"), Some(Json::Null)) {
        return Ok(None);
    }
    let order = root.need("", "order")?;
    let count = order.need("", "transactionsCount")?.need("", "count")?.count()?;
    let transactions = order.list("", "transactions")?;
    if count != transactions.len() as u64 {
        let message = format!("the order has {count} transactions, and {} were read", transactions.len());
        return Err(order.fault(BodyCode::Incomplete, message));
    }
    let told = data["order"]["transactions"].as_array().map_or(&[][..], Vec::as_slice);
    if told.len() != transactions.len() {
        return Err(order.fault(BodyCode::WrongType, "transactions should be a list, and not in pages"));
    }
    let mut whose = data["order"].clone();
    if let Some(whose) = whose.as_object_mut() {
        whose.retain(|name, _| !name.starts_with("transactions"));
    }
    let mut all = Vec::new();
    for (at, told) in transactions.iter().zip(told) {
        if is_payment(at.need("", "kind")?.spelled()?, at.need("", "status")?.spelled()?) {
            all.push(Listed {
                payment_id: ids::own(at, "OrderTransaction")?.id,
                paid_at: paid_at(at)?,
                payload: json!({ "order": whose, "payment": told }),
            });
        }
    }
    Ok(Some(all))
}

/// One payment, as [`listed`] gave it.
///
/// # Errors
/// A [`BodyFault`] that names the place; also for a transaction that is no payment.
pub fn from_graphql(payload: &[u8]) -> Result<Payment, BodyFault> {
    let tree = parse(payload)?;
    let root = At::root(&tree, Form::GraphQl);
    let (order, at) = (root.need("", "order")?, root.need("", "payment")?);
    ids::refuse_other_type(&at, "OrderTransaction")?;
    let money = Currencies::read(&order)?;
    let kind = at.need("", "kind")?;
    let kind_of = kind.spelled()?.to_ascii_lowercase();
    if !is_payment(&kind_of, at.need("", "status")?.spelled()?) {
        return Err(kind.fault(BodyCode::UnknownValue, "is no sale or capture that succeeded"));
    }
    let parent = at.get("", "parentTransaction");
    Ok(Payment {
        payment_id: ids::own(&at, "OrderTransaction")?.id,
        order_id: ids::own(&order, "Order")?.id,
        order_name: order.text("", "name")?.unwrap_or_default(),
        kind: kind_of,
        paid_at: paid_at(&at)?,
        gateway: at.text("", "gateway")?,
        reference: at.text("", "paymentId")?,
        parent_id: parent.map(|parent| ids::own(&parent, "OrderTransaction")).transpose()?.map(|ids| ids.id),
        currency: money.shop,
        presentment_currency: money.presentment,
        amount: money.need(&at, AMOUNT)?,
    })
}

/// Null where Shopify does not know when it was processed: then when it was written down.
fn paid_at(at: &At<'_>) -> Read<Timestamp> {
    match at.instant("", "processedAt")? {
        Some(at) => Ok(at),
        None => at.need_instant("", "createdAt"),
    }
}
