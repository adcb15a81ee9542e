//! `GET dead-letters`: the groups with their cause and what they await, and the letters; open ones, or with
//! `closed=true` those that were closed.

use super::asked::Question;
use super::lines::LetterLine;
use super::selection::ListAsked;
use super::{AdminError, Parts};
use axum::Json;
use axum::extract::State;
use engine::overview::{Group, groups};
use kernel::id::DeliveryId;
use serde::Serialize;
use store::query::DeliveryFilter;

#[derive(Debug, Serialize)]
pub(super) struct DeadLetters {
    /// Of open letters, largest first. A group is of every shop.
    groups: Vec<Group>,
    letters: Vec<LetterLine>,
    /// Give it as `before` to go on; absent at the end.
    next: Option<DeliveryId>,
}

pub(super) async fn list(
    State(parts): Parts,
    Question(asked): Question<ListAsked>,
) -> Result<Json<DeadLetters>, AdminError> {
    let closed = asked.closed.unwrap_or(false);
    let filter = asked.filter();
    let page = filter.page();
    let letters = parts.store.dead_letters(filter.clone(), closed).await?;
    let mut groups = if closed { Vec::new() } else { groups(parts.store.as_ref(), &parts.watched).await? };
    groups.retain(|group| meant(group, &filter));
    let next = letters.last().map(|letter| letter.delivery).filter(|_| letters.len() >= page);
    let letters = letters.iter().map(|letter| LetterLine::of(letter, &parts)).collect();
    Ok(Json(DeadLetters { groups, letters, next }))
}

fn meant(group: &Group, filter: &DeliveryFilter) -> bool {
    filter.system.as_ref().is_none_or(|system| *system == group.group.system)
        && filter.flow.as_ref().is_none_or(|flow| *flow == group.group.flow)
        && filter.fingerprint.as_ref().is_none_or(|fingerprint| *fingerprint == group.group.fingerprint)
}
