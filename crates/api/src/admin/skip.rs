//! `POST dead-letters/skip`: ends deliveries that nobody wants any more. By `ids` also those that still wait; never one
//! whose answer is unknown.

use super::asked::{Body, Hand, NothingElse};
use super::release::Done;
use super::selection::Selection;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::query::DeliveryFilter;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    selection: Selection,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

pub(super) async fn skip(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Json<Done>, AdminError> {
    let by = asked.hand.by(parts.clock.now().wall)?;
    let which = asked.selection.dead()?;
    let phase = which.phase.filter(|_| asked.selection.ids.is_empty());
    let count = parts.store.skip(DeliveryFilter { phase, ..which }, by).await?;
    parts.hub.changed();
    Ok(Json(Done { count }))
}
