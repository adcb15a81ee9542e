//! Reading an order from Shopify's two forms: one reader with two sets of names, so that what it makes of them
//! cannot drift apart.

mod amounts;
mod at;
mod attributes;
mod edits;
mod happenings;
pub(crate) mod ids;
mod lines;
mod parties;

use serde_json::Value;

use super::event::{self, DerivedEvent};
use super::fault::{BodyCode, BodyFault};
use super::line::{Line, ShippingLine, Tax};
use super::model::{Cancellation, Order, Source};
use super::status::{FinancialStatus, FulfilmentStatus};
use super::totals::{self, Stated};
use crate::json::{Json, parse};
pub(crate) use amounts::{Amount, Currencies, arithmetic};
pub(crate) use at::{At, Form, Read};
pub(crate) use ids::{gid_digits, own_id};

/// Reads the body of an order webhook, or of the REST Admin API without its wrapper.
///
/// # Errors
/// A [`BodyFault`] that names the place: the body cannot become an order, and will not become one by itself.
pub fn from_rest(body: &[u8]) -> Result<Order, BodyFault> {
    let tree = parse(body)?;
    read(&At::root(&tree, Form::Rest))
}

/// [`from_rest`] for a body that was parsed already. Prefer the bytes: a parsed body has lost what duplicate keys
/// and long decimals said.
///
/// # Errors
/// As [`from_rest`].
pub fn from_rest_value(body: &Value) -> Result<Order, BodyFault> {
    from_rest(body.to_string().as_bytes())
}

/// Reads the answer of `order.graphql`, with all its pages merged in (see `next_read` and `merge`). Takes the whole
/// answer, its `data`, or the order itself.
///
/// # Errors
/// As [`from_rest`]; also where pages are missing, or where there is no such order.
pub fn from_graphql(answer: &[u8]) -> Result<Order, BodyFault> {
    let tree = parse(answer)?;
    let root = At::root(&tree, Form::GraphQl);
    let data = root.get("", "data");
    let data = data.as_ref().unwrap_or(&root);
    if matches!(data.json.get("order"), Some(Json::Null)) {
        return Err(data.fault(
            BodyCode::NoSuchOrder,
            "Shopify has no such order: it was deleted, or it is older than 60 days and the app lacks read_all_orders",
        ));
    }
    let order = data.get("", "order");
    let order = order.as_ref().unwrap_or(data);
    refuse_missing_pages(order)?;
    read(order)
}

/// [`from_graphql`] for an answer that was parsed and merged already.
///
/// # Errors
/// As [`from_graphql`].
pub fn from_graphql_value(answer: &Value) -> Result<Order, BodyFault> {
    from_graphql(answer.to_string().as_bytes())
}

/// `order.graphql` reads this many refunds; there is no count to compare with.
const REFUNDS_READ: usize = 40;

/// What was not read must not look as if it were not there.
fn refuse_missing_pages(order: &At<'_>) -> Read<()> {
    for connection in ["lineItems", "shippingLines", "discountApplications"] {
        refuse_next_page(order, connection)?;
    }
    for (list, count) in [("fulfillments", "fulfillmentsCount"), ("transactions", "transactionsCount")] {
        let read = order.list("", list)?.len() as u64;
        let Some(counted) = order.get("", count) else { continue };
        let there_are = counted.need("", "count")?.count()?;
        if there_are > read {
            let message = format!("says {there_are}, of which {read} were read; order.graphql reads no more");
            return Err(counted.fault(BodyCode::Incomplete, message));
        }
    }
    let refunds = order.list("", "refunds")?;
    if refunds.len() >= REFUNDS_READ {
        let message = format!("holds {REFUNDS_READ} refunds or more, which is all that order.graphql reads");
        return Err(order.need("", "refunds")?.fault(BodyCode::Incomplete, message));
    }
    for refund in refunds {
        refund.need("", "refundLineItems").map_err(|fault| BodyFault {
            code: BodyCode::Incomplete,
            message: "was not read: order_refund.graphql has to be run for each refund".to_owned(),
            ..fault
        })?;
        refuse_next_page(&refund, "refundLineItems")?;
    }
    Ok(())
}

fn refuse_next_page(owner: &At<'_>, connection: &str) -> Read<()> {
    let Some(found) = owner.get("", connection) else { return Ok(()) };
    match found.get("", "pageInfo") {
        Some(page) if page.flag("", "hasNextPage")? => {
            Err(found.fault(BodyCode::Incomplete, "has more pages than were read"))
        }
        _ => Ok(()),
    }
}

fn read(at: &At<'_>) -> Read<Order> {
    if !matches!(at.json, Json::Object(_)) {
        return Err(at.wrong_type("an order, which is an object"));
    }
    ids::refuse_other_type(at, "Order")?;
    let own = ids::own(at, "Order")?;
    let money = Currencies::read(at)?;
    let updated_at = at.need_instant("updated_at", "updatedAt")?;
    let cancellation = cancellation(at)?;
    let cancelled_at = cancellation.as_ref().map(|cancellation| cancellation.cancelled_at);
    let (events, refunds) = happenings(at, money, cancelled_at, updated_at)?;
    let lines = lines(at, money, &refunds, cancelled_at.is_some())?;
    let shipping_lines = shipping_lines(at, money)?;
    let test = at.flag("test", "test")?;
    let stated = Stated::read(at, money)?;
    let taxes_included = at.flag("taxes_included", "taxesIncluded")?;
    let duties_included = at.flag("duties_included", "dutiesIncluded")?;
    let taxes = order_taxes(at, money, &lines, &shipping_lines)?;
    let refunded = events.iter().any(|event| event.kind == event::EventKind::Refund);
    let totals = totals::Check {
        lines: &lines,
        shipping_lines: &shipping_lines,
        stated: &stated,
        order_taxes: &taxes,
        money,
        taxes_included,
        duties_included,
        comparable: !refunded && cancelled_at.is_none(),
    }
    .run(at, test)?;
    Ok(Order {
        order_id: own.id,
        gid: own.gid,
        name: at.text("name", "name")?.unwrap_or_default(),
        confirmation_number: at.text("confirmation_number", "confirmationNumber")?,
        created_at: at.need_instant("created_at", "createdAt")?,
        processed_at: at.instant("processed_at", "processedAt")?,
        updated_at,
        closed_at: at.instant("closed_at", "closedAt")?,
        cancellation,
        test,
        currency: money.shop,
        presentment_currency: money.presentment,
        taxes_included,
        duties_included,
        tax_exempt: at.flag("tax_exempt", "taxExempt")?,
        financial_status: financial_status(at)?,
        fulfilment_status: fulfilment_status(at, &events)?,
        source: source(at)?,
        po_number: at.text("po_number", "poNumber")?,
        note: at.text("note", "note")?,
        attributes: attributes::read(at, "note_attributes")?,
        tags: attributes::tags(at)?,
        company: parties::company(at)?,
        contact: parties::contact(at)?,
        payment_terms: parties::payment_terms(at)?,
        billing_address: parties::address(at, "billing_address", "billingAddress")?,
        shipping_address: parties::address(at, "shipping_address", "shippingAddress")?,
        discounts: lines::discounts(at)?,
        lines,
        shipping_lines,
        taxes,
        totals,
        events,
    })
}

fn cancellation(at: &At<'_>) -> Read<Option<Cancellation>> {
    let Some(cancelled_at) = at.instant("cancelled_at", "cancelledAt")? else { return Ok(None) };
    let reason = at.text("cancel_reason", "cancelReason")?.map(|reason| reason.to_ascii_lowercase());
    Ok(Some(Cancellation { cancelled_at, reason }))
}

fn financial_status(at: &At<'_>) -> Read<Option<FinancialStatus>> {
    let Some(found) = at.get("financial_status", "displayFinancialStatus") else { return Ok(None) };
    let text = found.spelled()?;
    FinancialStatus::parse(text).map(Some).ok_or_else(|| unknown_status(&found, text, "financial"))
}

fn fulfilment_status(at: &At<'_>, events: &[DerivedEvent]) -> Read<FulfilmentStatus> {
    let something_sent = events.iter().any(|event| {
        event.kind == event::EventKind::Fulfilment && event.status.as_deref() == Some("success")
    });
    let found = at.get("fulfillment_status", "displayFulfillmentStatus");
    let text = found.as_ref().map(At::spelled).transpose()?;
    FulfilmentStatus::parse(text, something_sent).ok_or_else(|| {
        found.as_ref().map_or_else(
            || at.fault(BodyCode::UnknownValue, "unknown fulfilment status"),
            |found| unknown_status(found, text.unwrap_or_default(), "fulfilment"),
        )
    })
}

fn unknown_status(at: &At<'_>, text: &str, what: &str) -> BodyFault {
    let text: String = text.chars().take(40).collect();
    at.fault(BodyCode::UnknownValue, format!("{text:?} is no {what} status of this API version"))
}

fn source(at: &At<'_>) -> Read<Source> {
    Ok(Source {
        channel: at.text("source_name", "sourceName")?,
        app_id: ids::reference(at, "app_id", "app")?,
        identifier: at.text("source_identifier", "sourceIdentifier")?,
    })
}

fn happenings(
    at: &At<'_>,
    money: Currencies,
    cancelled_at: Option<jiff::Timestamp>,
    updated_at: jiff::Timestamp,
) -> Read<(Vec<DerivedEvent>, Vec<happenings::Refund>)> {
    let (mut events, mut refunds) = (Vec::new(), Vec::new());
    for refund in at.list("refunds", "refunds")? {
        let (refund, event) = happenings::refund(&refund, money, cancelled_at, updated_at)?;
        refunds.push(refund);
        events.extend(event);
    }
    for fulfilment in at.list("fulfillments", "fulfillments")? {
        events.push(happenings::fulfilment(&fulfilment, updated_at)?);
    }
    for transaction in at.list("transactions", "transactions")? {
        events.extend(happenings::payment(&transaction, money, updated_at)?);
    }
    event::sort(&mut events);
    Ok((events, refunds))
}

fn lines(at: &At<'_>, money: Currencies, refunds: &[happenings::Refund], cancelled: bool) -> Read<Vec<Line>> {
    at.need("line_items", "lineItems")?;
    let places = at.list("line_items", "lineItems")?;
    let mut read = Vec::with_capacity(places.len());
    for place in &places {
        read.push(lines::read(place, money)?);
    }
    let mut lines = edits::apply(read, refunds, cancelled)?;
    lines.sort_by(|a, b| ids::rank(&a.line_id).cmp(&ids::rank(&b.line_id)));
    match lines.windows(2).find(|pair| pair[0].line_id == pair[1].line_id) {
        Some(pair) => {
            let message = format!("holds two lines with the id {}", pair[0].line_id);
            Err(at.need("line_items", "lineItems")?.fault(BodyCode::WrongType, message))
        }
        None => Ok(lines),
    }
}

/// The order's own tax lines repeat those of its lines, unless these have none: an app that creates orders may tax
/// the order as a whole.
fn order_taxes(
    at: &At<'_>,
    money: Currencies,
    lines: &[Line],
    shipping_lines: &[ShippingLine],
) -> Read<Vec<Tax>> {
    let line_taxes = lines.iter().any(|line| !line.taxes.is_empty());
    let shipping_taxes = shipping_lines.iter().any(|line| !line.taxes.is_empty());
    if line_taxes || shipping_taxes { Ok(Vec::new()) } else { lines::taxes(at, money) }
}

fn shipping_lines(at: &At<'_>, money: Currencies) -> Read<Vec<ShippingLine>> {
    let mut lines = Vec::new();
    for place in at.list("shipping_lines", "shippingLines")? {
        lines.push(lines::shipping(&place, money)?);
    }
    lines.sort_by(|a, b| {
        let rank = |line: &ShippingLine| line.shipping_line_id.as_deref().map(|id| (id.len(), id.to_owned()));
        rank(a).cmp(&rank(b))
    });
    Ok(lines)
}
