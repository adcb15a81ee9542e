//! Backfill: a person names orders by the time of their creation; each is read and appended at low priority. What the
//! target already has is found by the delivery's own look-up (also under a former connector's reference) and adopted,
//! not written to. Resumable: the page that was reached is a cursor in the store.

use super::{Progress, Scope, WorkError};
use connector::port::ListBy;
use jiff::Timestamp;
use kernel::envelope::Via;
use serde::{Deserialize, Serialize};
use store::delivery::DeliveryState;

/// What is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub since: Timestamp,
    /// Exclusive; absent: up to now.
    pub until: Option<Timestamp>,
}

/// What a backfill would do, or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Tally {
    pub listed: u64,
    /// Already at the target with this state: nothing to do.
    pub exported: u64,
    /// Waiting or unknown already: the live delivery does it.
    pub under_way: u64,
    /// Appended (or, in a dry run, to be appended).
    pub appended: u64,
    /// Gone from the source meanwhile.
    pub gone: u64,
}

/// Counts without appending.
pub async fn plan(scope: &Scope, named: &Named, progress: &dyn Progress) -> Result<Tally, WorkError> {
    walk(scope, named, None, progress).await
}

/// Does it. `job` names the cursor; the same job goes on where it was killed.
pub async fn run(
    scope: &Scope,
    named: &Named,
    job: &str,
    progress: &dyn Progress,
) -> Result<Tally, WorkError> {
    walk(scope, named, Some(job), progress).await
}

async fn walk(
    scope: &Scope,
    named: &Named,
    job: Option<&str>,
    progress: &dyn Progress,
) -> Result<Tally, WorkError> {
    let place = job.map(|job| format!("backfill/{}/{}/{job}", scope.shop, scope.flow));
    let mut tally = Tally::default();
    let mut cursor = match &place {
        Some(place) => scope.store.cursor(place).await?.filter(|cursor| !cursor.is_empty()),
        None => None,
    };
    loop {
        let page = scope.page(ListBy::CreatedAt, named.since, named.until, cursor).await?;
        let subjects: Vec<_> = page.items.iter().map(|item| item.subject.clone()).collect();
        let known = scope.store.status(&scope.flow, &subjects).await?;
        for (item, known) in page.items.iter().zip(&known) {
            tally.listed += 1;
            let current = known.about.as_ref().is_some_and(|about| about.updated_at >= item.updated_at);
            let state = known.delivery.as_ref().map(|delivery| &delivery.state);
            if known.external.is_some() && current {
                tally.exported += 1;
            } else if matches!(state, Some(DeliveryState::Unknown { .. })) {
                tally.under_way += 1;
            } else if job.is_none() {
                tally.appended += 1;
            } else if let Some(read) = scope.read(item).await? {
                scope.store.append(vec![scope.envelope(item, read, Via::Backfill)]).await?;
                tally.appended += 1;
            } else {
                tally.gone += 1;
            }
            if !progress.at(tally.listed, 0) {
                return Err(WorkError::Stopped);
            }
        }
        cursor = page.next;
        if let Some(place) = &place {
            scope.store.set_cursor(place, cursor.as_deref().unwrap_or_default()).await?;
        }
        if cursor.is_none() {
            return Ok(tally);
        }
    }
}
