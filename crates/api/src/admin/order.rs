//! `GET orders/{shop}/{order}`: the whole life of one order: what came, what became of it at each target, every call,
//! and the same in the order of time.

use super::asked;
use super::lines::{DeliveryLine, EnvelopeLine, LetterLine, PauseLine, RefLine};
use super::orders::Known;
use super::timeline::{Moment, timeline};
use super::{AdminError, AdminParts, Parts};
use axum::Json;
use axum::extract::{Path, State};
use kernel::subject::Subject;
use serde::Serialize;
use store::operate::{Pause, PauseScope};
use store::query::{AttemptRow, Life};

#[derive(Debug, Serialize)]
pub(super) struct OrderLife {
    shop: String,
    order: String,
    subject: String,
    about: Option<Known>,
    envelopes: Vec<EnvelopeLine>,
    deliveries: Vec<DeliveryLine>,
    attempts: Vec<AttemptRow>,
    dead_letters: Vec<LetterLine>,
    external: Vec<RefLine>,
    /// Its own; those of systems and flows are in what a delivery waits for.
    pauses: Vec<PauseLine>,
    timeline: Vec<Moment>,
}

pub(super) async fn show(
    State(parts): Parts,
    Path((shop, order)): Path<(String, String)>,
) -> Result<Json<OrderLife>, AdminError> {
    let root = asked::order(&shop, &order)?;
    let life = life(&parts, &root).await?;
    let now = parts.clock.now().wall;
    let pauses = parts.store.pauses(now).await?;
    let own = |pause: &&Pause| matches!(&pause.scope, PauseScope::Subject(subject) if subject.shop == root.shop && subject.root() == root.path);
    let delivery = |delivery| DeliveryLine::of(delivery, &parts, &pauses, &life, now);
    Ok(Json(OrderLife {
        shop,
        order,
        subject: root.to_string(),
        about: life.about.as_ref().map(Known::of),
        envelopes: life
            .envelopes
            .iter()
            .map(|(envelope, routed)| EnvelopeLine::of(envelope, *routed))
            .collect(),
        deliveries: life.deliveries.iter().map(delivery).collect(),
        attempts: life.attempts.clone(),
        dead_letters: life.dead_letters.iter().map(|letter| LetterLine::of(letter, &parts)).collect(),
        external: RefLine::all(&life),
        pauses: pauses.iter().filter(own).map(PauseLine::of).collect(),
        timeline: timeline(&life, &parts),
    }))
}

/// Of an order that the log has heard of.
pub(super) async fn life(parts: &AdminParts, root: &Subject) -> Result<Life, AdminError> {
    let life = parts.store.life(&root.shop, &root.path).await?;
    if life.about.is_none() && life.envelopes.is_empty() && life.deliveries.is_empty() {
        return Err(AdminError::not_found(format!(
            "the log has never heard of {root}: find it by its name with GET /admin/v1/orders?name=%231001; an order \
             that the shop has and the log has not comes by the next sweep, or by a backfill"
        )));
    }
    Ok(life)
}
