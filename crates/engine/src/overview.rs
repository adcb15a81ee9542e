//! How everything stands now, in one answer: what the front page draws and `tidegate status` prints.
//!
//! It reads the store and a snapshot of the running engine, and judges: what is late, why, and what happens next. It
//! changes nothing, and holds no payload.

mod findings;
mod lag;
mod late;
mod silence;
mod stock;
mod touched;

pub use findings::{About, Finding, Verdict};
pub use lag::{Lag, Minute, Quantiles};
pub use late::{Late, LateGroup};
pub use silence::{Topic, silence_after_ms};
pub use stock::{Accepted, ClockOfSource, Met, Promised, SHARE_PERCENT, StockLags, StockObjective};
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
    /// Flows of stock, with what each promises; they are counted by themselves, not among the exports.
    pub stock: StockLags,
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
    pub fn of(plan: &Plan, objective: Duration, stock: StockLags) -> Self {
        let is_stock = |name: &FlowName| stock.flows().any(|(of, _)| of == name);
        let watched = |name: &FlowName, flow: &crate::plan::FlowPlan| WatchedFlow {
            source: flow.source.clone(),
            target: flow.target.clone(),
            exports: (flow.readable || flow.tells) && !is_stock(name),
        };
        let flows = plan.flows.iter().map(|(name, flow)| (name.clone(), watched(name, flow))).collect();
        Self { flows, objective, stock }
    }

    /// Each flow of stock as if it were all that is exported: its objective is its own.
    fn of_stock(&self) -> impl Iterator<Item = Self> {
        self.stock.flows().filter_map(|(name, promised)| {
            let flow = WatchedFlow { exports: true, ..self.flows.get(name)?.clone() };
            let flows = BTreeMap::from([(name.clone(), flow)]);
            Some(Self { flows, objective: promised.objective, stock: StockLags::default() })
        })
    }

    pub fn exports(&self) -> impl Iterator<Item = (&FlowName, &WatchedFlow)> {
        self.flows.iter().filter(|(_, flow)| flow.exports)
    }

    /// What a flow promises: `None` where its lag does not count.
    #[must_use]
    pub fn objective_of(&self, flow: &FlowName) -> Option<u64> {
        let stock =
            self.stock.flows().find(|(name, _)| *name == flow).map(|(_, promised)| promised.objective);
        match stock {
            Some(objective) => Some(u64::try_from(objective.as_millis()).unwrap_or(u64::MAX)),
            None => self.flows.get(flow).filter(|flow| flow.exports).map(|_| self.objective_ms()),
        }
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
    /// Of each flow of stock at each shop, how much was in time.
    pub stock: Vec<StockObjective>,
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
    let mut findings = findings::findings(&late, &systems, &dead_letters, &topics, &pauses, watched);
    let stock = stock_objectives(store, snapshot, watched, &pauses, now, &mut findings).await?;
    Ok(Overview {
        at: now,
        verdict: findings::verdict(&findings),
        findings,
        fresh: log.envelopes == 0 && log.last.is_none(),
        objective_ms: watched.objective_ms(),
        lag,
        late,
        stock,
        touched,
        systems,
        dead_letters,
        topics,
        pauses,
        log,
        in_work: snapshot.in_work,
    })
}

/// How stock stands, and what is to be known of what is late of it.
async fn stock_objectives(
    store: &dyn Store,
    snapshot: &Snapshot,
    watched: &Watched,
    pauses: &[Pause],
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<Vec<StockObjective>, StoreError> {
    let mut waiting = BTreeMap::new();
    for of_flow in watched.of_stock() {
        let late = late::late(store, snapshot, &of_flow, pauses, now).await?;
        late.by_place(&mut waiting);
        findings.extend(findings::of_stock(&late, &of_flow));
    }
    let stock = watched.stock.told(&waiting, now);
    findings.extend(stock.iter().filter_map(findings::of_clock));
    findings::sort(findings);
    Ok(stock)
}

/// How stock stands, alone.
pub async fn stock(
    store: &dyn Store,
    snapshot: &Snapshot,
    watched: &Watched,
    now: Timestamp,
) -> Result<Vec<StockObjective>, StoreError> {
    let pauses = store.pauses(now).await?;
    stock_objectives(store, snapshot, watched, &pauses, now, &mut Vec::new()).await
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
