//! `POST backfill`: reads the orders that were created in a time and appends what the log lacks; with `dry_run` it only
//! counts. The same question again goes on where the one before was stopped.

use super::asked::{Body, Hand, NothingElse};
use super::stream::{After, Teller, streamed};
use super::works::{Named, Place, When};
use super::{AdminError, AdminParts, Parts, WorkScope};
use axum::extract::State;
use axum::response::Response;
use engine::work::Progress;
use engine::work::backfill::{self, Tally};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::operate::{AuditEntry, By};

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    named: Named,
    since: When,
    until: Option<When>,
    #[serde(default)]
    dry_run: bool,
    #[serde(flatten)]
    hand: Hand,
    #[serde(flatten)]
    _rest: NothingElse,
}

#[derive(Debug, Default, Serialize)]
struct Backfilled {
    dry_run: bool,
    #[serde(flatten)]
    tally: Tally,
    parts: Vec<Part>,
}

#[derive(Debug, Serialize)]
struct Part {
    #[serde(flatten)]
    place: Place,
    since: Timestamp,
    until: Option<Timestamp>,
    /// What was created before is history to the flow, and is filtered by that rule.
    go_live_at: Timestamp,
    #[serde(flatten)]
    tally: Tally,
}

pub(super) async fn backfill(State(parts): Parts, Body(asked): Body<Asked>) -> Result<Response, AdminError> {
    let by = asked.hand.by_or("a backfill", parts.clock.now().wall)?;
    let mut works = Vec::new();
    for work in asked.named.works(&parts)? {
        let since = asked.since.at(&work.zone)?;
        let until = asked.until.as_ref().map(|until| until.at(&work.zone)).transpose()?;
        if until.is_some_and(|until| until <= since) {
            return Err(AdminError::mend("until is not after since: nothing lies between"));
        }
        works.push((work, backfill::Named { since, until }));
    }
    let (given, dry_run) = (parts.clone(), asked.dry_run);
    Ok(streamed(&parts, move |teller| walk(given, works, dry_run, by, teller)))
}

async fn walk(
    parts: Arc<AdminParts>,
    works: Vec<(WorkScope, backfill::Named)>,
    dry_run: bool,
    by: By,
    teller: Arc<Teller>,
) -> Result<Backfilled, AdminError> {
    let mut all = Backfilled { dry_run, ..Backfilled::default() };
    for (work, named) in works {
        let progress = Awake { parts: &parts, after: teller.after(all.tally.listed), dry_run };
        let tally = if dry_run {
            backfill::plan(&work.scope, &named, &progress).await?
        } else {
            backfill::run(&work.scope, &named, &job(&named), &progress).await?
        };
        if !dry_run {
            parts.hub.appended();
            parts.store.audit(entry(&work, &named, &by, tally.appended)).await?;
        }
        add(&mut all.tally, tally);
        let (since, until) = (named.since, named.until);
        all.parts.push(Part { place: Place::of(&work), since, until, go_live_at: work.go_live_at, tally });
    }
    Ok(all)
}

/// Tells the hub of what was appended while the work goes on.
pub(super) struct Awake<'a> {
    pub(super) parts: &'a AdminParts,
    pub(super) after: After<'a>,
    pub(super) dry_run: bool,
}

impl Progress for Awake<'_> {
    fn at(&self, done: u64, total: u64) -> bool {
        if !self.dry_run {
            self.parts.hub.appended();
        }
        self.after.at(done, total)
    }
}

/// The same time is the same job.
fn job(named: &backfill::Named) -> String {
    let until = named.until.map(|until| until.to_string()).unwrap_or_default();
    format!("{}..{until}", named.since)
}

fn entry(work: &WorkScope, named: &backfill::Named, by: &By, count: u64) -> AuditEntry {
    AuditEntry {
        at: by.at,
        who: by.who.clone(),
        action: "backfill".to_owned(),
        target: format!("{}, shop {}, created {}", work.scope.flow, work.scope.shop, job(named)),
        why: by.why.clone(),
        count,
    }
}

fn add(all: &mut Tally, part: Tally) {
    let Tally { listed, exported, under_way, appended, gone } = part;
    all.listed += listed;
    all.exported += exported;
    all.under_way += under_way;
    all.appended += appended;
    all.gone += gone;
}
