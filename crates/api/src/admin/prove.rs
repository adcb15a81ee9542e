//! `POST prove`: accounts for every order of a day, counted and added up again from the source and from the target.

use super::asked::{Body, NothingElse};
use super::stream::{Teller, streamed};
use super::works::{Named, Place, day};
use super::{AdminError, AdminParts, Parts, WorkScope};
use axum::extract::State;
use axum::response::Response;
use engine::work::prove::{Proof, prove as prove_span};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    named: Named,
    /// Of the shop's calendar.
    day: Date,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Default, Serialize)]
struct Proved {
    day: String,
    /// Every order is accounted for, and the target agrees.
    holds: bool,
    counts: Counts,
    #[serde(flatten)]
    proof: Proof,
    spans: Vec<Span>,
}

/// The source's count beside the target's own.
#[derive(Debug, Default, Serialize)]
struct Counts {
    source: u64,
    at_target: u64,
    /// The target gave no answer about so many.
    not_asked: u64,
}

#[derive(Debug, Serialize)]
struct Span {
    #[serde(flatten)]
    place: Place,
    from: Timestamp,
    until: Timestamp,
}

/// What a shop shows without a scope of its own.
const VISIBLE: SignedDuration = SignedDuration::from_hours(60 * 24);

pub(super) async fn prove(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let mut works = Vec::new();
    for work in asked.named.works(&parts)? {
        let (from, until) = day(asked.day, &work.zone)?;
        is_visible(&parts, &work, asked.day, from)?;
        works.push((work, from, until));
    }
    Ok(streamed(&parts, |teller| walk(asked.day, works, teller)))
}

fn is_visible(parts: &AdminParts, work: &WorkScope, date: Date, from: Timestamp) -> Result<(), AdminError> {
    let now = parts.clock.now().wall;
    if work.reads_all_orders || from >= now.checked_sub(VISIBLE).unwrap_or(Timestamp::MIN) {
        return Ok(());
    }
    Err(AdminError::too_old(format!(
        "{date} is further back than the 60 days of orders that {} shows without read_all_orders: ask Shopify for that \
         scope, grant it to the app, and name it in the app's scopes",
        work.scope.shop
    )))
}

async fn walk(
    date: Date,
    works: Vec<(WorkScope, Timestamp, Timestamp)>,
    teller: Arc<Teller>,
) -> Result<Proved, AdminError> {
    let mut all = Proved { day: date.to_string(), ..Proved::default() };
    for (work, from, until) in works {
        let progress = teller.after(all.proof.source);
        let proof = prove_span(&work.scope, &work.target, &work.difference, from, until, &progress).await?;
        all.spans.push(Span { place: Place::of(&work), from, until });
        merge(&mut all.proof, proof);
    }
    all.holds = all.proof.holds();
    all.counts = Counts {
        source: all.proof.source,
        at_target: all.proof.accounts.iter().filter_map(|account| account.at_target).sum(),
        not_asked: all.proof.accounts.iter().filter(|account| account.at_target.is_none()).count() as u64,
    };
    Ok(all)
}

fn merge(all: &mut Proof, part: Proof) {
    let Proof {
        source,
        exported,
        waiting,
        dead,
        filtered,
        unheard,
        closed,
        lost,
        doubled,
        unclaimed,
        hands,
        released,
        swept,
        amounts,
        accounts,
    } = part;
    all.source += source;
    all.exported += exported;
    all.waiting += waiting;
    all.dead += dead;
    all.filtered += filtered;
    all.unheard += unheard;
    all.closed += closed;
    all.lost += lost;
    all.doubled += doubled;
    all.unclaimed += unclaimed;
    all.hands += hands;
    all.released += released;
    all.swept += swept;
    all.amounts.merge(amounts);
    all.accounts.extend(accounts);
}
