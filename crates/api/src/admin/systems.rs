//! `GET systems`: each system, how it runs and what waits for it.

use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use engine::overview::{SystemLine, overview};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Systems {
    systems: Vec<SystemLine>,
}

pub(super) async fn list(State(parts): Parts) -> Result<Json<Systems>, AdminError> {
    let now = parts.clock.now().wall;
    let all = overview(parts.store.as_ref(), &parts.hub.snapshot(), &parts.watched, now).await?;
    Ok(Json(Systems { systems: all.systems }))
}
