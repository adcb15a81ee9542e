//! An order's fulfilment orders and their holds, read whole.

use super::code;
use super::seen::{Part, Seen};
use super::want::Want;
use crate::graphql::{Claim, Deadline, ORDER_HOLDS, ShopClient};
use crate::source::{connection, order_gid, order_of};
use connector::port::{CallContext, Observation, Wanted};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

/// 40 each: no order leaves in more parts.
const PAGES_MAX: usize = 5;

pub(super) async fn look(
    client: &ShopClient,
    call: &CallContext,
    wanted: &Wanted,
) -> Result<Observation, Fault> {
    let gid = order_gid(order_of(&wanted.subject)?);
    let deadline = Deadline::new(client, call);
    let (mut after, mut parts): (Option<String>, Vec<Part>) = (None, Vec::new());
    // What is wrong with it is the plan's to say.
    let handle = Want::read(&wanted.body).ok().map(|want| want.handle);
    for _ in 0..PAGES_MAX {
        let variables = json!({ "id": gid, "after": after });
        let reply = client.ask_within(&deadline, Claim::LIVE, &ORDER_HOLDS, &variables).await?;
        let Some(order) = reply.data.get("order").filter(|order| order.is_object()) else {
            return Ok(Seen { has_order: false, parts: Vec::new() }.observation(gid, None));
        };
        let (nodes, next) = connection(order, "fulfillmentOrders")?;
        parts.extend(nodes.iter().map(Part::read).collect::<Result<Vec<_>, _>>()?);
        match next {
            Some(next) => after = Some(next),
            None => return Ok(Seen { has_order: true, parts }.observation(gid, handle.as_deref())),
        }
    }
    let what =
        "the order has more fulfilment orders than are looked at: hold it in Shopify by hand, and skip this";
    Err(Fault::new(FaultKind::Rejected, code::TOO_MANY, what))
}

/// One of them as it is now; `None`: it is there no more.
pub(super) async fn again(
    client: &ShopClient,
    deadline: &Deadline,
    id: &Value,
) -> Result<Option<Part>, Fault> {
    let document = &crate::graphql::FULFILMENT_ORDER_HOLDS;
    let reply = client.ask_within(deadline, Claim::LIVE, document, &json!({ "id": id })).await?;
    reply.data.get("fulfillmentOrder").filter(|order| order.is_object()).map(Part::read).transpose()
}
