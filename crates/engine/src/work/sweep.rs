//! The sweep: webhooks are hints, completeness comes from here. Two phases: ids with `updated_at`, compared with what
//! the log has; only what differs is read in full. Its watermark is the last *full* pass less an overlap, never "now".

use super::{Scope, WorkError};
use connector::port::{ListBy, Listed};
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
    let mut found = Found::default();
    let mut cursor = None;
    loop {
        let page = scope.page(ListBy::UpdatedAt, from, None, cursor).await?;
        found.listed += page.items.len() as u64;
        let subjects: Vec<_> = page.items.iter().map(|item| item.subject.clone()).collect();
        let known = scope.store.status(&scope.flow, &subjects).await?;
        for (item, known) in page.items.iter().zip(&known) {
            if item.updated_at > young || !differs(scope, item, known).await? {
                continue;
            }
            let Some(read) = scope.read(item).await? else { continue };
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

/// Whether the log lacks this state. `updated_at` has whole seconds, so the same instant is told apart by what the list
/// shows beside it.
async fn differs(scope: &Scope, item: &Listed, known: &SubjectStatus) -> Result<bool, WorkError> {
    let Some(about) = &known.about else { return Ok(true) };
    if about.updated_at != item.updated_at || item.fingerprint.is_empty() {
        return Ok(about.updated_at < item.updated_at);
    }
    let Some((envelope, payload)) = newest_of_source(scope, item).await? else { return Ok(false) };
    // One that cannot be read is a dead letter already.
    let Ok(state) = scope.facts.read(&envelope.topic, &payload) else { return Ok(false) };
    Ok(!scope.facts.can_be(&state.body, &item.fingerprint))
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
