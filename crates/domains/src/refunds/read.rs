//! Reading a refund from the answer of `refund.graphql`, with all its pages merged in.

use super::model::{Refund, RefundLine, RefundShipping};
use crate::json::{Json, parse};
use crate::orders::parsed::{Amount, At, Currencies, Form, Read, arithmetic, ids};
use crate::orders::{BodyCode, BodyFault};
use kernel::money::MoneyBag;

const SUBTOTAL: Amount<'static> = Amount { bare: "", set: "", graphql: "subtotalSet" };
const TAX: Amount<'static> = Amount { bare: "", set: "", graphql: "totalTaxSet" };
const SHIPPING: Amount<'static> = Amount { bare: "", set: "", graphql: "subtotalAmountSet" };
const SHIPPING_TAX: Amount<'static> = Amount { bare: "", set: "", graphql: "taxAmountSet" };
const DUTY: Amount<'static> = Amount { bare: "", set: "", graphql: "amountSet" };

/// Takes the whole answer, or its `data`.
///
/// # Errors
/// A [`BodyFault`] that names the place; also where pages are missing, or where there is no such refund.
pub fn from_graphql(answer: &[u8]) -> Result<Refund, BodyFault> {
    let tree = parse(answer)?;
    let root = At::root(&tree, Form::GraphQl);
    let data = root.get("", "data");
    let data = data.as_ref().unwrap_or(&root);
    if matches!(data.json.get("refund"), Some(Json::Null)) {
        return Err(data.fault(BodyCode::NoSuchOrder, "Shopify has no such refund: its order was deleted"));
    }
    read(&data.need("", "refund")?)
}

fn read(at: &At<'_>) -> Read<Refund> {
    let order = at.need("", "order")?;
    let (money, included) = (Currencies::read(&order)?, order.flag("", "taxesIncluded")?);
    let total = money.set(&at.need("", "totalRefundedSet")?)?;
    let items = at.need("", "refundLineItems")?;
    for (connection, place) in
        [("refundLineItems", &items), ("refundShippingLines", &at.need("", "refundShippingLines")?)]
    {
        let more = place.get("", "pageInfo").map(|page| page.flag("", "hasNextPage")).transpose()?;
        if more == Some(true) {
            let message = format!("{connection} has more pages than were read");
            return Err(at.fault(BodyCode::Incomplete, message));
        }
    }
    let mut lines = Vec::new();
    for line in at.list("", "refundLineItems")? {
        lines.push(refunded(&line, money, included)?);
    }
    lines.sort_by(|one: &RefundLine, other| ids::rank(&one.line_id).cmp(&ids::rank(&other.line_id)));
    let mut shipping = Vec::new();
    for back in at.list("", "refundShippingLines")? {
        let (charged, tax) = (money.need(&back, SHIPPING)?, money.need(&back, SHIPPING_TAX)?);
        shipping.push(RefundShipping { net: net(&back, charged, tax, included)?, tax });
    }
    let mut duties = money.zero();
    for duty in at.list("", "duties")? {
        duties = sum(at, duties, money.need(&duty, DUTY)?)?;
    }
    let mut named = duties;
    let of_lines = lines.iter().flat_map(|line| [line.net, line.tax]);
    for part in of_lines.chain(shipping.iter().flat_map(|back| [back.net, back.tax])) {
        named = sum(at, named, part)?;
    }
    Ok(Refund {
        refund_id: ids::own(at, "Refund")?.id,
        order_id: ids::own(&order, "Order")?.id,
        order_name: order.text("", "name")?.unwrap_or_default(),
        created_at: at.need_instant("", "createdAt")?,
        currency: money.shop,
        presentment_currency: money.presentment,
        note: at.text("", "note")?,
        taxes_included: included,
        difference: total.checked_sub(named).map_err(arithmetic(at.path()))?,
        total,
        lines,
        shipping,
        duties,
    })
}

fn sum(at: &At<'_>, one: MoneyBag, other: MoneyBag) -> Read<MoneyBag> {
    one.checked_add(other).map_err(arithmetic(at.path()))
}

/// What was charged holds the tax where the order's prices do.
fn net(at: &At<'_>, charged: MoneyBag, tax: MoneyBag, included: bool) -> Read<MoneyBag> {
    if included { charged.checked_sub(tax).map_err(arithmetic(at.path())) } else { Ok(charged) }
}

fn refunded(at: &At<'_>, money: Currencies, included: bool) -> Read<RefundLine> {
    let line = at.need("", "lineItem")?;
    let (charged, tax) = (money.need(at, SUBTOTAL)?, money.need(at, TAX)?);
    Ok(RefundLine {
        line_id: ids::own(&line, "LineItem")?.id,
        sku: line.text("", "sku")?,
        title: line.text("", "title")?.unwrap_or_default(),
        quantity: at.need("", "quantity")?.count()?.to_string(),
        restock: at.text("", "restockType")?.map(|restock| restock.to_ascii_lowercase()),
        net: net(at, charged, tax, included)?,
        tax,
    })
}
