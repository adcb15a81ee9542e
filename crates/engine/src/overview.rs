//! How everything stands now, in one answer: what the front page draws and `tidegate status` prints.
//!
//! It reads the store and a snapshot of the running engine, and judges: what is late, why, and what happens next. It
//! changes nothing, and holds no payload.

mod findings;
mod lag;
mod late;
mod silence;
mod touched;

pub use findings::{About, Finding, Verdict};
pub use lag::{Lag, Minute, Quantiles};
pub use late::{Late, LateGroup};
pub use silence::{Topic, silence_after_ms};
pub use touched::Touched;

use crate::hub::Snapshot;
use crate::plan::Plan;
use crate::system::SystemView;
use crate::triage::{Cause, cause};
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::id::{FlowName, SystemName};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use store::operate::Pause;
use store::query::{Awaited, Backlog, DeadLetterGroup, LogSize};
use store::{Store, StoreError};

/// What the overview has to know of the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    pub flows: BTreeMap<FlowName, WatchedFlow>,
    /// The lag of an export that is promised.
    pub objective: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedFlow {
    pub source: SystemName,
    pub target: SystemName,
    /// Its lag counts: it brings the thing to its target, and is not the way back (the ERP's number).
    pub exports: bool,
}

impl Watched {
    /// A flow whose doubts are settled by reading its source, or whose target's link is a fact of its own, is an
    /// export; the way back is neither.
    pub fn of(plan: &Plan, objective: Duration) -> Self {
        let watched = |flow: &crate::plan::FlowPlan| WatchedFlow {
            source: flow.source.clone(),
            target: flow.target.clone(),
            exports: flow.readable || flow.tells,
        };
        let flows = plan.flows.iter().map(|(name, flow)| (name.clone(), watched(flow))).collect();
        Self { flows, objective }
    }

    pub fn exports(&self) -> impl Iterator<Item = (&FlowName, &WatchedFlow)> {
        self.flows.iter().filter(|(_, flow)| flow.exports)
    }

    pub fn objective_ms(&self) -> u64 {
        u64::try_from(self.objective.as_millis()).unwrap_or(u64::MAX)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Overview {
    pub at: Timestamp,
    pub verdict: Verdict,
    /// What a person should know, worst first.
    pub findings: Vec<Finding>,
    /// Nothing has arrived yet.
    pub fresh: bool,
    pub objective_ms: u64,
    pub lag: Lag,
    pub late: Late,
    pub touched: Touched,
    pub systems: Vec<SystemLine>,
    pub dead_letters: Vec<Group>,
    pub topics: Vec<Topic>,
    pub pauses: Vec<Pause>,
    pub log: LogSize,
    /// Lanes in work at this moment.
    pub in_work: usize,
}

/// A system: how it runs, and what waits for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SystemLine {
    pub name: String,
    /// Absent where the engine has not told yet.
    pub running: Option<SystemView>,
    pub waiting: u64,
    pub due: u64,
    pub unknown: u64,
    pub dead: u64,
    /// Since the change that has waited longest was made, whatever it waits for.
    pub oldest_ms: Option<u64>,
    pub next_due_at: Option<Timestamp>,
    /// Work is due and none is done, though nothing known holds it.
    pub stalled: bool,
}

/// A group of dead letters with its cause in plain words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    #[serde(flatten)]
    pub group: DeadLetterGroup,
    pub cause: Cause,
    /// Where things are missing: each, and when it is looked for again.
    pub awaited: Vec<Awaited>,
}

/// Everything, as it stands at `now`.
pub async fn overview(
    store: &dyn Store,
    snapshot: &Snapshot,
    watched: &Watched,
    now: Timestamp,
) -> Result<Overview, StoreError> {
    let pauses = store.pauses(now).await?;
    let backlog = store.backlog(now).await?;
    let systems = system_lines(snapshot, &backlog, watched, now);
    let log = store.log_size().await?;
    let late = late::late(store, snapshot, watched, &pauses, now).await?;
    let lag = lag::lag(store, watched, &late, now).await?;
    let touched = touched::touched(store, watched).await?;
    let dead_letters = groups(store, watched).await?;
    let topics = silence::topics(store, now).await?;
    let findings = findings::findings(&late, &systems, &dead_letters, &topics, &pauses, watched);
    Ok(Overview {
        at: now,
        verdict: findings::verdict(&findings),
        findings,
        fresh: log.envelopes == 0 && log.last.is_none(),
        objective_ms: watched.objective_ms(),
        lag,
        late,
        touched,
        systems,
        dead_letters,
        topics,
        pauses,
        log,
        in_work: snapshot.in_work,
    })
}

/// Groups of open dead letters, the largest first.
pub async fn groups(store: &dyn Store, watched: &Watched) -> Result<Vec<Group>, StoreError> {
    let awaited = store.awaited(None, AWAITED_MAX).await?;
    let mut groups: Vec<Group> = store
        .dead_letter_groups()
        .await?
        .into_iter()
        .map(|group| explained(group, &awaited, watched))
        .collect();
    groups.sort_by(|a, b| {
        b.group.count.cmp(&a.group.count).then(a.group.fingerprint.cmp(&b.group.fingerprint))
    });
    Ok(groups)
}

const AWAITED_MAX: u32 = 500;

fn explained(group: DeadLetterGroup, awaited: &[Awaited], watched: &Watched) -> Group {
    let source = watched.flows.get(&group.flow).map_or("the source", |flow| flow.source.as_str());
    let mut cause = cause(&group.example, group.system.as_str(), source);
    let awaited: Vec<Awaited> = match &group.example.missing {
        Some(missing) => {
            let same = |row: &&Awaited| row.system == group.system && row.reference.kind == missing.kind;
            awaited.iter().filter(same).cloned().collect()
        }
        None => Vec::new(),
    };
    if awaited.len() > 1 {
        let others = awaited.len() - 1;
        let others = if others == 1 { "one other".to_owned() } else { format!("{others} others") };
        cause.cause = format!("{}, nor {others} of that kind", cause.cause);
    }
    Group { group, cause, awaited }
}

/// Due for this long without anything in work is a stall.
const STALL_MS: u64 = 60_000;

fn system_lines(
    snapshot: &Snapshot,
    backlog: &[Backlog],
    watched: &Watched,
    now: Timestamp,
) -> Vec<SystemLine> {
    let targets = watched.flows.values().map(|flow| flow.target.to_string());
    let running = snapshot.systems.iter().map(|system| system.name.clone());
    let waiting = backlog.iter().map(|backlog| backlog.system.to_string());
    let names: std::collections::BTreeSet<String> = targets.chain(running).chain(waiting).collect();
    names.into_iter().map(|name| system_line(name, snapshot, backlog, now)).collect()
}

fn system_line(name: String, snapshot: &Snapshot, backlog: &[Backlog], now: Timestamp) -> SystemLine {
    let running = snapshot.systems.iter().find(|system| system.name == name).cloned();
    let backlog = backlog.iter().find(|backlog| backlog.system.as_str() == name);
    let due = backlog.map_or(0, |backlog| backlog.due);
    let next_due_at = backlog.and_then(|backlog| backlog.next_due_at);
    let overdue_ms = next_due_at.map_or(0, |at| elapsed_ms(at, now));
    let free = |system: &SystemView| {
        system.breaker == "closed"
            && !system.paused
            && system.throttled_for_ms.is_none()
            && system.in_work == 0
    };
    let elsewhere = |(system, count): (&SystemName, &u32)| system.as_str() == name && *count > 0;
    let works_elsewhere = snapshot.in_work_elsewhere.iter().any(elsewhere);
    SystemLine {
        stalled: due > 0 && overdue_ms > STALL_MS && !works_elsewhere && running.as_ref().is_some_and(free),
        waiting: backlog.map_or(0, |backlog| backlog.waiting),
        due,
        unknown: backlog.map_or(0, |backlog| backlog.unknown),
        dead: backlog.map_or(0, |backlog| backlog.dead),
        oldest_ms: backlog.and_then(|backlog| backlog.oldest_changed_at).map(|at| elapsed_ms(at, now)),
        next_due_at,
        running,
        name,
    }
}

#[cfg(test)]
mod tests;
