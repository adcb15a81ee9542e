//! `POST dead-letters/release`: dead deliveries wait again, spaced so that a system which has just come back is not
//! flooded.

use super::asked::{Body, Hand, NothingElse};
use super::selection::Selection;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    selection: Selection,
    #[serde(flatten)]
    hand: Hand,
    /// Between two of them.
    ramp_ms: Option<u64>,
    #[serde(flatten)]
    _rest: NothingElse,
}

/// How many it was done to.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) count: u64,
}

const RAMP_MS: u64 = 100;
/// More would put the last of many into another week.
const RAMP_MS_MAX: u64 = 60_000;

pub(super) async fn release(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Json<Done>, AdminError> {
    let now = parts.clock.now().wall;
    let by = asked.hand.by(now)?;
    let which = asked.selection.dead()?;
    let ramp = Duration::from_millis(asked.ramp_ms.unwrap_or(RAMP_MS).min(RAMP_MS_MAX));
    let count = parts.store.release(which, by, now, ramp).await?;
    parts.hub.changed();
    Ok(Json(Done { count }))
}
