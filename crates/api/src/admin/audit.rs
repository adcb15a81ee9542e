//! `GET audit?limit`: who did what to what and why, newest first.

use super::asked::Question;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::operate::AuditEntry;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    limit: Option<u32>,
}

#[derive(Debug, Serialize)]
pub(super) struct Audit {
    entries: Vec<AuditEntry>,
}

const ENTRIES: u32 = 100;
const ENTRIES_MAX: u32 = 10_000;

pub(super) async fn list(
    State(parts): Parts,
    Question(asked): Question<Asked>,
) -> Result<Json<Audit>, AdminError> {
    let limit = asked.limit.unwrap_or(ENTRIES).min(ENTRIES_MAX);
    Ok(Json(Audit { entries: parts.store.audit_entries(limit).await? }))
}
