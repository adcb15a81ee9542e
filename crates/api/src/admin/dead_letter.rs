//! `GET dead-letters/{delivery}`: one dead letter, open or closed, with its delivery and every call made for it.

use super::lines::{DeliveryLine, LetterLine};
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::{Path, State};
use kernel::id::DeliveryId;
use serde::Serialize;
use store::query::{AttemptRow, DeliveryFilter};

#[derive(Debug, Serialize)]
pub(super) struct OneLetter {
    #[serde(flatten)]
    letter: LetterLine,
    /// Absent once it is past its time.
    delivery_now: Option<DeliveryLine>,
    attempts: Vec<AttemptRow>,
}

pub(super) async fn show(
    State(parts): Parts,
    Path(delivery): Path<String>,
) -> Result<Json<OneLetter>, AdminError> {
    let id = delivery.parse().map(DeliveryId).map_err(|_| {
        AdminError::mend(format!("{delivery:?} is no delivery; GET /admin/v1/dead-letters has their numbers"))
    })?;
    let which = DeliveryFilter { ids: vec![id], ..Default::default() };
    let mut letters = parts.store.dead_letters(which.clone(), false).await?;
    if letters.is_empty() {
        letters = parts.store.dead_letters(which, true).await?;
    }
    let Some(letter) = letters.first() else {
        return Err(AdminError::not_found(format!(
            "delivery {id} was never a dead letter; GET /admin/v1/dead-letters has all that are open"
        )));
    };
    let now = parts.clock.now().wall;
    let pauses = parts.store.pauses(now).await?;
    let life = parts.store.life(&letter.shop, letter.subject.root()).await?;
    let delivery = life.deliveries.iter().find(|delivery| delivery.id == id);
    Ok(Json(OneLetter {
        letter: LetterLine::of(letter, &parts),
        delivery_now: delivery.map(|delivery| DeliveryLine::of(delivery, &parts, &pauses, &life, now)),
        attempts: life.attempts.iter().filter(|attempt| attempt.delivery == id).cloned().collect(),
    }))
}
