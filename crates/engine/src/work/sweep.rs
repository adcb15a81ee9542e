//! The sweep: webhooks are hints, completeness comes from here. Two phases: ids with `updated_at`, compared with what
//! the log has; only what differs is read in full. Its watermark is the last *full* pass less an overlap, never "now".

use super::{Scope, WorkError};
use crate::facts::{ListedAs, State, Touched};
use connector::port::{ListBy, Listed, Read};
use jiff::Timestamp;
use kernel::clock::Now;
use kernel::envelope::Via;
use kernel::id::{FlowName, ShopId};
use std::time::Duration;
use store::query::SubjectStatus;

/// What one pass found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    pub listed: u64,
    /// Not in the log, or older there: each is a missed webhook (or, when polling, simply news).
    pub missed: u64,
}

/// How a pass is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How far a pass reaches back before the last full one.
    pub overlap: Duration,
    /// Changes younger than this are left to their webhook; the next pass lists them again.
    pub grace: Duration,
    /// Where no pass was ever made: what is older is history.
    pub from: Timestamp,
}

/// What the list cannot tell apart is read by each pass until it is older than this at its beginning, however far the two clocks are
/// apart: of the same second another change may come.
const SETTLES: Duration = Duration::from_secs(60);

/// One full pass. The watermark moves only when all of it is committed; `news` is called after each commit.
pub async fn pass(
    scope: &Scope,
    settings: Settings,
    news: &(dyn Fn() + Send + Sync),
) -> Result<Found, WorkError> {
    let began = scope.clock.now();
    let watermark = watermark_name(scope);
    let last = scope.store.cursor(&watermark).await?.and_then(|text| text.parse::<Timestamp>().ok());
    let from = last.map_or(settings.from, |last| back(last, settings.overlap).max(settings.from));
    let young = back(began.wall, settings.grace);
    let sure = last.map(|last| back(last, settings.grace + SETTLES));
    let mut found = Found::default();
    let mut cursor = None;
    loop {
        let page = scope.page(ListBy::UpdatedAt, from, None, cursor).await?;
        found.listed += page.items.len() as u64;
        let subjects: Vec<_> = page.items.iter().map(|item| item.subject.clone()).collect();
        let known = scope.store.status(&scope.flow, &subjects).await?;
        for (item, known) in page.items.iter().zip(&known) {
            if item.updated_at > young {
                continue;
            }
            let of_log = match stands(scope, item, known).await? {
                Stands::InLog => continue,
                // The pass before had no doubt left.
                Stands::Doubtful(_) if sure.is_some_and(|sure| item.updated_at <= sure) => continue,
                Stands::Doubtful(known) => Some(known),
                Stands::Missed => None,
            };
            let Some(read) = scope.read(item).await? else { continue };
            if of_log.is_some_and(|known| !brings_more(scope, &known, &read)) {
                continue;
            }
            scope.store.append(vec![scope.envelope(item, read, Via::Sweep)]).await?;
            found.missed += 1;
            news();
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    // A change that the grace left out is younger than this, and the overlap reaches it.
    scope.store.set_cursor(&watermark, &began.wall.to_string()).await?;
    Ok(found)
}

/// Where the next pass begins, for people.
pub fn watermark_name(scope: &Scope) -> String {
    watermark_of(&scope.shop, &scope.flow)
}

/// The same, of a flow at a shop.
pub fn watermark_of(shop: &ShopId, flow: &FlowName) -> String {
    format!("sweep/{shop}/{flow}")
}

/// Where it is kept that a shop shows more than was heard of it: since when.
pub fn asked_of(shop: &ShopId) -> String {
    format!("unaccounted/{shop}")
}

/// A state of the log, with what else it brings.
type Known = (State, Vec<Touched>);

/// How what is listed stands to the log.
enum Stands {
    InLog,
    Missed,
    /// Of the same second as this one, and the list shows no more.
    Doubtful(Box<Known>),
}

/// `updated_at` has whole seconds, so the same instant is told apart by what the list shows beside it.
async fn stands(scope: &Scope, item: &Listed, known: &SubjectStatus) -> Result<Stands, WorkError> {
    let of = |missed| if missed { Stands::Missed } else { Stands::InLog };
    let Some(about) = &known.about else { return Ok(Stands::Missed) };
    if about.updated_at != item.updated_at || item.fingerprint.is_empty() {
        return Ok(of(about.updated_at < item.updated_at));
    }
    let Some((envelope, payload)) = newest_of_source(scope, item).await? else { return Ok(Stands::InLog) };
    // One that cannot be read is a dead letter already.
    let Some(known) = known_by(scope, &envelope.topic, &payload) else { return Ok(Stands::InLog) };
    Ok(match scope.facts.listed_as(&known.0.body, &item.fingerprint) {
        ListedAs::Same => Stands::InLog,
        ListedAs::Differs => Stands::Missed,
        ListedAs::CannotTell => Stands::Doubtful(Box::new(known)),
    })
}

fn known_by(scope: &Scope, topic: &str, payload: &[u8]) -> Option<Known> {
    let state = scope.facts.read(topic, payload).ok()?;
    let touches = scope.facts.touches(topic, payload, &state);
    Some((state, touches))
}

/// Whether what was read is another state than is known, or brings more with it (a second refund). One that cannot be read does.
fn brings_more(scope: &Scope, known: &Known, read: &Read) -> bool {
    let (state, touches) = known;
    known_by(scope, &read.topic, &read.payload).is_none_or(|(now, brings)| {
        now.digest != state.digest || brings.iter().any(|one| !touches.contains(one))
    })
}

/// The newest state that the source gave. What a target told of its object (the sale's number) stands under the same subject, is
/// newer, and says nothing of it: taken for the order it hid each change of the second in which it was exported.
async fn newest_of_source(
    scope: &Scope,
    item: &Listed,
) -> Result<Option<(kernel::envelope::Envelope, bytes::Bytes)>, WorkError> {
    let newest = scope.store.newest_payload(&item.subject).await?;
    match newest {
        Some((envelope, _)) if envelope.source != scope.source_system => {
            let life = scope.store.life(&scope.shop, item.subject.root()).await?;
            Ok(store::newest_state(scope.store.as_ref(), &life, &scope.flow, &item.subject).await?)
        }
        newest => Ok(newest),
    }
}

fn back(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// When the next pass is due.
pub fn next_at(now: Now, every: Duration) -> kernel::clock::Mono {
    now.mono.plus(every)
}

#[cfg(test)]
mod tests;
