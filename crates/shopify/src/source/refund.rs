//! One refund, read whole: `refund.graphql`, then further pages of its lines, merged into one answer. A refund never changes,
//! so that its pages always fit.

use super::{code, need, need_instant, unsteady};
use crate::graphql::{Claim, Deadline, REFUND, ShopClient};
use connector::port::{CallContext, Read};
use domains::refunds::{self, merge, next_page};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};

/// More than any refund has: 100 lines a page.
const PAGES_MAX: usize = 100;

/// `None` where Shopify does not show it: its order was deleted.
pub(super) async fn refund(
    client: &ShopClient,
    call: &CallContext,
    claim: Claim,
    order: &str,
    id: &str,
) -> Result<Option<Read>, Fault> {
    let (gid, deadline) = (format!("gid://shopify/Refund/{id}"), Deadline::new(client, call));
    let (mut data, mut after, mut pages) = (Value::Null, None, 0);
    loop {
        let variables = json!({ "id": gid, "after": after });
        let reply = client.ask_within(&deadline, claim, &REFUND, &variables).await?;
        merge(&mut data, reply.data).map_err(unsteady)?;
        pages += 1;
        after = next_page(&data).map_err(unsteady)?;
        if after.is_none() {
            break;
        }
        if pages >= PAGES_MAX {
            let what = format!("{gid} has more than {PAGES_MAX} pages of lines");
            return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
        }
    }
    let Some(found) = data.get("refund").filter(|refund| refund.is_object()) else { return Ok(None) };
    let of = need(found.get("order").unwrap_or(&Value::Null), "id")?;
    if of != super::order_gid(order) {
        let what = format!("{gid} is of {of}, and was asked for as one of order {order}");
        return Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what));
    }
    let updated_at = need_instant(found, "createdAt")?;
    let payload = data.to_string().into_bytes();
    Ok(Some(Read { payload, topic: refunds::TOPIC.to_owned(), updated_at, sequence: None }))
}
