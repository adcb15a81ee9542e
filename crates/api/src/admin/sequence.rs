//! `POST ats/reset-sequence`: a source of stock counts its states anew, after it was restored or replaced. From then on each of
//! its numbers counts above all that came before, and where it can be asked, it is asked from its beginning.

use super::asked::{Body, Hand, NothingElse};
use super::{AdminError, FlowInfo, Parts, StockFlow};
use axum::Json;
use axum::extract::State;
use engine::work::feed::point_of;
use engine::work::lift::name_of;
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::operate::AuditEntry;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    flow: Option<FlowName>,
    shop: Option<ShopId>,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Serialize)]
pub(super) struct Reset {
    system: String,
    shop: String,
    /// How often it began anew, this time counted.
    beginnings: u64,
}

pub(super) async fn reset(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Json<Reset>, AdminError> {
    let by = asked.hand.by(parts.clock.now().wall)?;
    let (system, shop) = the_one(&parts.stock, &asked)?;
    let (system, shop) = (&system, &shop);
    let name = name_of(system, shop);
    let before: u64 = parts.store.cursor(&name).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
    let beginnings = before + 1;
    parts.store.set_cursor(&name, &beginnings.to_string()).await?;
    // Its points are of its former life.
    let from_it = |flow: &&FlowInfo| flow.source == *system && flow.shops.contains(shop);
    let domains: BTreeSet<&DomainName> =
        parts.flows.iter().filter(from_it).map(|flow| &flow.domain).collect();
    for domain in domains {
        parts.store.set_cursor(&point_of(system, domain, shop), "").await?;
    }
    let target =
        format!("{system}, shop {shop}: its sequence numbers begin anew, for the {beginnings}. time");
    let entry = AuditEntry {
        at: by.at,
        who: by.who,
        action: "reset_sequence".to_owned(),
        target,
        why: by.why,
        count: 0,
    };
    parts.store.audit(entry).await?;
    Ok(Json(Reset { system: system.to_string(), shop: shop.to_string(), beginnings }))
}

/// The one that is meant; a reset of several at once is none.
fn the_one(flows: &[StockFlow], asked: &Asked) -> Result<(SystemName, ShopId), AdminError> {
    let mut found = Vec::new();
    let mut known = Vec::new();
    for flow in flows {
        for shop in &flow.shops {
            known.push(format!("{} at {shop}", flow.name));
            let is_meant = asked.flow.as_ref().is_none_or(|name| *name == flow.name)
                && asked.shop.as_ref().is_none_or(|named| named == shop);
            if is_meant {
                found.push((flow.source.clone(), shop.clone()));
            }
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Err(AdminError::not_found(format!(
                "name the one flow of stock whose source began anew, and its shop; there are: {known}"
            )))
        }
    }
}
