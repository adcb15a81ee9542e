//! Stocks items at locations: a call for each, because Shopify takes no more in one. What finds no time comes again.

use super::seen::{AllKin, Level, Seen, among, unreadable};
use super::set::{for_another, key};
use crate::graphql::{ACTIVATE_STOCK, Claim, Deadline, ShopClient, frozen};
use connector::outbound::Access;
use connector::port::{Applied, CallContext};
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use serde_json::json;

/// One item to be stocked, and what its caller calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member<'a> {
    pub(super) index: usize,
    pub(super) key: &'a CallKey,
    pub(super) item: String,
    pub(super) location: String,
    pub(super) sku: String,
    /// What shares its units, as it was seen when this was decided: what is set next is decided by it.
    pub(super) kin: AllKin,
}

pub(super) async fn each(
    client: &ShopClient,
    call: &CallContext,
    members: Vec<Member<'_>>,
) -> Vec<(usize, Result<Applied, Fault>)> {
    let deadline = Deadline::new(client, call);
    let mut answers = Vec::with_capacity(members.len());
    for (made, member) in members.into_iter().enumerate() {
        let rest = deadline.rest(client);
        // Enough must be left for an answer; the first has all of it.
        let late = made > 0 && rest.time_out * 2 < call.time_out;
        let answer = if late { Err(for_another()) } else { one(client, &rest, &member).await };
        answers.push((member.index, answer));
    }
    answers
}

async fn one(client: &ShopClient, call: &CallContext, member: &Member<'_>) -> Result<Applied, Fault> {
    let variables = json!({
        "item": member.item,
        "location": member.location,
        "key": key([member.key].into_iter()),
    });
    let body = frozen(&ACTIVATE_STOCK, &variables);
    let reply = client.send(call, Claim::STOCK, &ACTIVATE_STOCK, Access::Write, body).await?;
    let node = reply.data.pointer("/inventoryActivate/inventoryLevel").filter(|node| node.is_object());
    let level = node.map(|node| Level::read(node, &node["item"], None, &member.sku));
    // It was answered without an error: what cannot be read of it is looked up.
    let level = level.unwrap_or_else(|| Err(unreadable()));
    let level = level.map_err(|fault| Fault { kind: FaultKind::Ambiguous, ..fault })?;
    let external = level.external();
    let observation = among(Seen::Level(level), true, None, member.kin.clone());
    Ok(Applied { external: Some(external), observation: Some(observation) })
}
