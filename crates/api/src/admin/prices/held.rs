//! `GET prices/held`, `POST prices/held/{load}/approve`, `…/reject`: loads that a guard has stopped, and what a person says.

use super::{Parts, prices, waiting};
use crate::admin::AdminError;
use crate::admin::asked::{Body, Hand};
use crate::prices::outcome_told;
use axum::Json;
use axum::extract::{Path, State};
use price_store::HeldLoad;
use serde::Serialize;
use serde_json::{Value, json};

#[derive(Debug, Serialize)]
pub(super) struct Held {
    held: Vec<Value>,
}

/// With its reasons in words.
pub(super) fn told(load: &HeldLoad) -> Value {
    let mut told = json!(load);
    told["because"] = load.reasons.iter().map(ToString::to_string).collect();
    told
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<Held>, AdminError> {
    let held = waiting(prices(&parts)?, |store| store.held()).await?;
    Ok(Json(Held { held: held.iter().map(told).collect() }))
}

pub(super) async fn approve(
    State(parts): Parts,
    Path(load): Path<u64>,
    Body(hand): Body<Hand>,
) -> Result<Json<Value>, AdminError> {
    let now = parts.clock.now().wall;
    let by = hand.by(now)?;
    let outcome = waiting(prices(&parts)?, move |store| store.approve(load, &by.who, &by.why, now)).await?;
    Ok(Json(outcome_told(&outcome)))
}

pub(super) async fn reject(
    State(parts): Parts,
    Path(load): Path<u64>,
    Body(hand): Body<Hand>,
) -> Result<Json<Value>, AdminError> {
    let now = parts.clock.now().wall;
    let by = hand.by(now)?;
    waiting(prices(&parts)?, move |store| store.reject(load, &by.who, &by.why, now)).await?;
    Ok(Json(json!({ "outcome": "rejected", "load": load })))
}
