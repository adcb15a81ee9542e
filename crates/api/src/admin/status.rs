//! `GET status`: how everything stands now, as `engine::overview` judges it.

use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use engine::overview::{Overview, overview};

pub(super) async fn show(State(parts): Parts) -> Result<Json<Overview>, AdminError> {
    let now = parts.clock.now().wall;
    Ok(Json(overview(parts.store.as_ref(), &parts.hub.snapshot(), &parts.watched, now).await?))
}
