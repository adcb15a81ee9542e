//! `GET cadence`: the work that no event drives: what is due next, when it was made last, and what that found.

use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use config::Cadence;
use jiff::Timestamp;
use kernel::id::{FlowName, ShopId};
use serde::Serialize;
use store::operate::AuditEntry;

/// Which work it is, of one flow at one shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// All stock of the source against all of the shop.
    FullCheck,
    /// What no webhook told of is looked for.
    Sweep,
}

/// One work with its cadence.
#[derive(Debug, Clone)]
pub struct Cadenced {
    pub work: Work,
    pub flow: FlowName,
    pub shop: ShopId,
    pub cadence: Cadence,
    /// Under which name the store keeps when it was made last.
    pub cursor: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Cadences {
    cadences: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    work: Work,
    flow: FlowName,
    shop: ShopId,
    cadence: String,
    /// Absent: not since this store began.
    last: Option<Timestamp>,
    /// Absent: nobody knows before it was looked for once.
    next: Option<Timestamp>,
    /// It is due: at its next look it is made.
    due: bool,
    /// What the last one found, of those that leave an entry in the audit.
    found: Option<Found>,
}

#[derive(Debug, Serialize)]
struct Found {
    at: Timestamp,
    who: String,
    what: String,
}

/// The newest entries of the audit in which a result is looked for.
const ENTRIES: u32 = 1_000;

pub(super) async fn list(State(parts): Parts) -> Result<Json<Cadences>, AdminError> {
    let now = parts.clock.now().wall;
    let found = match parts.cadences.iter().any(|of| of.work == Work::FullCheck) {
        true => parts.store.audit_entries(ENTRIES).await?,
        false => Vec::new(),
    };
    let mut cadences = Vec::with_capacity(parts.cadences.len());
    for of in &parts.cadences {
        let last = parts.store.cursor(&of.cursor).await?.and_then(|text| text.parse::<Timestamp>().ok());
        let next = last.and_then(|last| of.cadence.after(last));
        cadences.push(Line {
            work: of.work,
            flow: of.flow.clone(),
            shop: of.shop.clone(),
            cadence: of.cadence.to_string(),
            last,
            next,
            due: next.is_some_and(|next| next <= now),
            found: (of.work == Work::FullCheck).then(|| newest(&found, of)).flatten(),
        });
    }
    cadences.sort_by_key(|of| (of.next.is_none(), of.next));
    Ok(Json(Cadences { cadences }))
}

fn newest(entries: &[AuditEntry], of: &Cadenced) -> Option<Found> {
    let head = format!("{}, shop {}: ", of.flow, of.shop);
    let entry =
        entries.iter().find(|entry| entry.action == "reconcile" && entry.target.starts_with(&head))?;
    let what = entry.target[head.len()..].to_owned();
    Some(Found { at: entry.at, who: entry.who.clone(), what })
}
