//! `GET prices`: which version counts, its lists, what waits, and how live prices went.

use super::{Parts, prices, waiting};
use crate::admin::AdminError;
use crate::prices::{LiveCounts, NodeStanding, PriceError, Prices};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use price_store::Stats;
use pricing::document::Kind;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Serialize)]
pub(super) struct Status {
    version: u64,
    /// Since when it counts.
    from: Timestamp,
    /// SHA-256 of the terms as they were written; absent before any were.
    terms_sha256: Option<String>,
    locations: u64,
    promotions: u64,
    surcharges: u64,
    lists: Vec<List>,
    /// What cannot be read of it, in words.
    damage: Vec<String>,
    /// Lists that answer nothing because of that.
    damaged_lists: Vec<String>,
    held: u64,
    live: Option<Live>,
    /// Where several nodes share the prices: how each stands.
    nodes: Option<Vec<Node>>,
    stats: Stats,
}

#[derive(Debug, Serialize)]
struct Node {
    #[serde(flatten)]
    standing: NodeStanding,
    /// So many changes of others it does not have yet.
    behind: u64,
}

async fn nodes(prices: &Prices) -> Result<Option<Vec<Node>>, AdminError> {
    let Some(nodes) = &prices.nodes else { return Ok(None) };
    let all = nodes.all().await.map_err(|error| PriceError::disk(&error))?;
    let newest = all.iter().map(|one| one.newest.max(one.step)).max().unwrap_or_default();
    let node = |standing: NodeStanding| Node { behind: newest - standing.step, standing };
    Ok(Some(all.into_iter().map(node).collect()))
}

/// One list, of the terms or with prices or both.
#[derive(Debug, Serialize)]
struct List {
    list: String,
    prices: u64,
    /// Absent: the terms do not know it, so that nobody sees its prices.
    kind: Option<Kind>,
    currency: Option<&'static str>,
    approved: Option<bool>,
    #[serde(rename = "for")]
    audience: Vec<String>,
    base: Option<String>,
}

#[derive(Debug, Serialize)]
struct Live {
    system: String,
    /// Left alone for a while, because it failed again and again.
    left_alone: bool,
    #[serde(flatten)]
    counts: LiveCounts,
}

pub(super) async fn show(State(parts): Parts) -> Result<Json<Status>, AdminError> {
    let prices = prices(&parts)?;
    let version = prices.store.current();
    let stats = waiting(prices, |store| Ok(store.stats())).await?;
    let terms = version.terms();
    let counts: BTreeMap<&str, u64> = version.lists().collect();
    let of_terms = |list: &pricing::terms::PriceList| List {
        list: list.id.to_string(),
        prices: counts.get(&*list.id).copied().unwrap_or_default(),
        kind: Some(list.kind),
        currency: Some(list.currency.code()),
        approved: Some(list.approved),
        audience: list.audience.iter().map(ToString::to_string).collect(),
        base: list.base.and_then(|base| terms.list(base.list)).map(|base| base.id.to_string()),
    };
    let mut lists: Vec<List> = terms.lists().iter().map(of_terms).collect();
    let nobodys = version.lists().filter(|(id, prices)| *prices > 0 && terms.list_named(id).is_none());
    lists.extend(nobodys.map(|(id, prices)| List {
        list: id.to_owned(),
        prices,
        kind: None,
        currency: None,
        approved: None,
        audience: Vec::new(),
        base: None,
    }));
    let damage = version.damage();
    Ok(Json(Status {
        version: version.number(),
        from: version.from(),
        terms_sha256: version.terms_document().map(|(_, sha256)| sha256.to_owned()),
        locations: terms.locations().count() as u64,
        promotions: terms.promotions().len() as u64,
        surcharges: terms.surcharges().len() as u64,
        lists,
        damage: damage.findings.clone(),
        damaged_lists: damage.lists.iter().cloned().collect(),
        held: stats.held,
        live: prices.live_counts().map(|(system, left_alone, counts)| Live { system, left_alone, counts }),
        nodes: nodes(prices).await?,
        stats,
    }))
}
