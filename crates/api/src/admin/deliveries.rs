//! `GET deliveries`: newest first, each with what it waits for as far as that is seen without its root's whole life.

use super::asked::Question;
use super::lines::DeliveryLine;
use super::selection::ListAsked;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use kernel::id::DeliveryId;
use serde::Serialize;
use store::query::Life;

#[derive(Debug, Serialize)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryLine>,
    /// Give it as `before` to go on; absent at the end.
    next: Option<DeliveryId>,
}

pub(super) async fn list(
    State(parts): Parts,
    Question(asked): Question<ListAsked>,
) -> Result<Json<Deliveries>, AdminError> {
    let filter = asked.filter();
    let page = filter.page();
    let now = parts.clock.now().wall;
    let pauses = parts.store.pauses(now).await?;
    let found = parts.store.deliveries(filter).await?;
    let next = found.last().map(|delivery| delivery.id).filter(|_| found.len() >= page);
    let unseen = Life::default();
    let line = |delivery| DeliveryLine::of(delivery, &parts, &pauses, &unseen, now);
    Ok(Json(Deliveries { deliveries: found.iter().map(line).collect(), next }))
}
