//! One order, read whole: `order.graphql`, then further pages until nothing is missing, merged into one answer.

use super::{READ_TOPIC, code, need_instant, order_gid};
use crate::graphql::{
    Claim, Deadline, Document, ORDER, ORDER_LINES, ORDER_REFUND, ShopClient, VERSION_OF_ORDER,
};
use connector::port::{CallContext, Read};
use domains::orders::{self, BodyFault, NextRead, merge, next_read};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

/// An order that changes between two pages is begun again so often.
const ROUNDS_MAX: usize = 3;
/// More pages than any order has: 35 lines a page.
const PAGES_MAX: usize = 500;

/// `None` where Shopify does not show the order: it was deleted, or it is older than 60 days and the app lacks
/// `read_all_orders`; the answer does not tell these apart.
pub(super) async fn order(
    client: &ShopClient,
    call: &CallContext,
    claim: Claim,
    id: &str,
) -> Result<Option<Read>, Fault> {
    let (gid, deadline) = (order_gid(id), Deadline::new(client, call));
    for _ in 0..ROUNDS_MAX {
        let (data, pages) = pages(client, &deadline, claim, &gid).await?;
        let Some(order) = data.get("order").filter(|order| order.is_object()) else { return Ok(None) };
        let updated_at = need_instant(order, "updatedAt")?;
        // Pages of two states do not add up; one answer is always of one state.
        if pages == 1 || version(client, &deadline, claim, &gid).await? == Some(updated_at) {
            let payload = data.to_string().into_bytes();
            return Ok(Some(Read { payload, topic: READ_TOPIC.to_owned(), updated_at, sequence: None }));
        }
    }
    let what =
        format!("order {id} changed {ROUNDS_MAX} times while its pages were read; it is read again later");
    Err(Fault::new(FaultKind::Transient, code::UNSTEADY, what))
}

async fn pages(
    client: &ShopClient,
    deadline: &Deadline,
    claim: Claim,
    gid: &str,
) -> Result<(Value, usize), Fault> {
    let (mut data, mut pages) = (Value::Null, 0);
    let mut next = Some(NextRead::order(gid));
    while let Some(read) = next {
        if pages >= PAGES_MAX {
            let what = format!("{gid} has more than {PAGES_MAX} pages of lines and refunds");
            return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
        }
        let variables = Value::Object(read.variables.clone());
        let reply = client.ask_within(deadline, claim, document(read.document), &variables).await?;
        merge(&mut data, &read, reply.data).map_err(unsteady)?;
        pages += 1;
        next = next_read(&data).map_err(unsteady)?;
    }
    Ok((data, pages))
}

fn document(document: orders::Document) -> &'static Document {
    match document {
        orders::Document::Order => &ORDER,
        orders::Document::Lines => &ORDER_LINES,
        orders::Document::Refund => &ORDER_REFUND,
    }
}

/// A page that does not follow on from the one before: the order was deleted or changed in between.
pub(super) fn unsteady(fault: BodyFault) -> Fault {
    Fault::new(FaultKind::Transient, code::UNSTEADY, format!("the order's pages do not fit: {fault}"))
        .field(fault.path)
}

async fn version(
    client: &ShopClient,
    deadline: &Deadline,
    claim: Claim,
    gid: &str,
) -> Result<Option<Timestamp>, Fault> {
    let reply = client.ask_within(deadline, claim, &VERSION_OF_ORDER, &json!({ "id": gid })).await?;
    let order = reply.data.get("order").filter(|order| order.is_object());
    order.map(|order| need_instant(order, "updatedAt")).transpose()
}
