//! What was taken for an order: its transactions read at once (`order_payments.graphql`), each payment among them a part of its own.

use super::code;
use crate::graphql::{Claim, Deadline, ORDER_PAYMENTS, ShopClient};
use connector::port::{CallContext, Part, Read};
use domains::orders::BodyCode;
use domains::payments::{self, Listed};
use kernel::fault::{Fault, FaultKind};
use serde_json::json;

/// How many transactions are asked for, then how many where there are more. Shopify gives 250 of a list at most.
const ASKED: [u32; 2] = [10, 250];

/// None where the order has none, or Shopify does not show it: it was deleted.
pub(super) async fn payments(
    client: &ShopClient,
    call: &CallContext,
    claim: Claim,
    order: &str,
) -> Result<Vec<Part>, Fault> {
    let (gid, deadline) = (super::order_gid(order), Deadline::new(client, call));
    for first in ASKED {
        let variables = json!({ "id": gid, "first": first });
        let reply = client.ask_within(&deadline, claim, &ORDER_PAYMENTS, &variables).await?;
        match payments::listed(&reply.data) {
            Ok(found) => {
                return Ok(found.unwrap_or_default().into_iter().map(|one| part(order, one)).collect());
            }
            Err(fault) if fault.code == BodyCode::Incomplete => {}
            Err(fault) => return Err(super::shape(&fault.path)),
        }
    }
    let what = format!("{gid} has more than {} transactions", ASKED[1]);
    Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what))
}

fn part(order: &str, payment: Listed) -> Part {
    let read = Read {
        payload: payment.payload.to_string().into_bytes(),
        topic: payments::TOPIC.to_owned(),
        updated_at: payment.paid_at,
        sequence: None,
    };
    Part { path: payments::path(order, &payment.payment_id), read }
}
