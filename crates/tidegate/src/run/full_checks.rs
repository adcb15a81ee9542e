//! Full checks of stock at their cadence: each as often as its flow says, at the node whose turn it is; that there are
//! never two at a time is the check's own (`wiring::full_check`). One that was missed while no hub ran is made up for once. What it found is kept as where a person asked.

use super::Running;
use crate::wiring::Loaded;
use crate::wiring::again::Again;
use crate::wiring::node::Turn;
use api::admin::{CheckError, Checking, Made as HowMade, Ran, StockCheck, kept, record};
use api::watch::{IntakeNotice, Watching};
use config::Cadence;
use engine::work::{Quiet, WorkError};
use jiff::Timestamp;
use kernel::clock::Clock;
use kernel::fault::{FaultKind, Severity};
use kernel::id::{FlowName, ShopId};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::operate::By;

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Under which name the store keeps when a check was made last.
pub fn cursor(flow: &FlowName, shop: &ShopId) -> String {
    format!("full_check/{flow}/{shop}")
}

/// One check and its cadence.
struct Due {
    check: Arc<dyn StockCheck>,
    cadence: Cadence,
    /// By up to how much each is put off.
    jitter: Duration,
    mends: bool,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Tells the hub that facts were committed.
    appended: Box<dyn Fn() + Send + Sync>,
    watching: Arc<Watching>,
    again: Again,
}

/// How one went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    /// To its end, or to one that a person has to mend.
    Done,
    /// It is tried again: what failed may be there by then.
    Failed,
    /// Another one is under way, and it is asked for again soon.
    NotYet,
}

/// Those that the configuration asks for; each until the hub stops.
pub fn all(
    loaded: &Loaded,
    running: &Running,
    checks: &[Arc<dyn StockCheck>],
) -> Vec<impl Future<Output = ()> + Send + use<>> {
    let due = checks.iter().filter_map(|check| {
        let stock = &loaded.config.flows.get(check.flow())?.stock;
        let hub = running.hub.clone();
        let due = Due {
            check: check.clone(),
            cadence: stock.full_check.as_ref()?.value.clone(),
            jitter: stock.put_off(),
            mends: stock.full_check_mends.value,
            store: running.store.clone(),
            clock: running.clock.clone(),
            appended: Box::new(move || hub.appended()),
            watching: running.watching.clone(),
            again: Again::default(),
        };
        Some(due.keep(running.turn()))
    });
    due.collect()
}

impl Due {
    async fn keep(mut self, mut turn: Turn) {
        let name = cursor(self.check.flow(), self.check.shop());
        while turn.comes().await {
            let mut stopping = turn.clone();
            tokio::select! {
                biased;
                // Whoever stops waits for no bulk operation: it changes nothing by being left.
                () = stopping.over() => return,
                () = self.look(&name) => {}
            }
            if turn.stopped(LOOK_EVERY.min(self.cadence.span().unwrap_or(LOOK_EVERY))).await {
                return;
            }
        }
    }

    async fn look(&mut self, name: &str) {
        let now = self.clock.now().wall;
        if self.again.wait(now).is_some() {
            return;
        }
        let last = match self.store.cursor(name).await {
            Ok(text) => text.and_then(|text| text.parse::<Timestamp>().ok()),
            // That it cannot be read does not make it the first time: the one that is due now would be passed over.
            Err(error) => {
                tracing::warn!(flow.name = %self.check.flow(), error = %error, "when the full check was made last cannot be read");
                return;
            }
        };
        let next = |last| self.cadence.next_put_off(name, self.jitter, last, now);
        if last.is_some_and(|last| next(last).is_none_or(|due| due > now)) {
            return;
        }
        // The first comes when it is due after now: at its first start a hub has only begun to bring what there is.
        let made = if last.is_none() { Made::Done } else { self.make().await };
        // One that failed is due still, for another node and another life of the hub as well.
        self.again =
            if made == Made::Failed { self.again.failed(self.clock.now().wall) } else { Again::default() };
        if made != Made::Done {
            return;
        }
        if let Err(error) = self.store.set_cursor(name, &now.to_string()).await {
            tracing::warn!(flow.name = %self.check.flow(), error = %error, "when the full check was made is not kept");
        }
    }

    async fn make(&self) -> Made {
        let (flow, shop) = (self.check.flow(), self.check.shop());
        let began = self.clock.now();
        let by = By::hub("the cadence of its flow", began.wall);
        let checking = Checking { mends: self.mends, ..Checking::default() };
        let mut made = Made::Done;
        let outcome = match self.check.run(&checking, &Quiet).await {
            Ok(told) => {
                if told.appended > 0 {
                    (self.appended)();
                }
                self.watching.asked(self.check.as_ref(), &told);
                let entry = record(self.check.as_ref(), &told, !self.mends, &by);
                // Behind the flow and the shop.
                let found =
                    entry.target.split_once(": ").map_or(&*entry.target, |(_, found)| found).to_owned();
                tracing::info!(
                    flow.name = %flow, shop.id = %shop, work.count = told.appended,
                    "a full check: {}{}", entry.target, told.notes.iter().map(|note| format!("; {note}")).collect::<String>()
                );
                let how = HowMade { by: &by, dry_run: !self.mends, began };
                let (store, clock) = (self.store.as_ref(), self.clock.as_ref());
                if let Err(error) = kept(store, clock, self.check.as_ref(), &told, &how).await {
                    tracing::warn!(flow.name = %flow, shop.id = %shop, error = %error, "what the full check found is not kept");
                }
                Ok(found)
            }
            Err(CheckError::UnderWay { .. }) => return Made::NotYet,
            Err(CheckError::Work(WorkError::Stopped)) => return Made::Done,
            Err(error) => {
                let why = for_a_person(&error);
                let next =
                    if why.is_some() { "the next one comes at its cadence" } else { "it is made again soon" };
                tracing::warn!(
                    flow.name = %flow, shop.id = %shop, error = %error,
                    "a full check did not come to its end and changed nothing; {next}"
                );
                made = if why.is_some() { Made::Done } else { Made::Failed };
                if let Some(why) = why {
                    let notice =
                        IntakeNotice::SnapshotRefused { flow: flow.clone(), shop: shop.clone(), why };
                    self.watching.intake(Severity::Ticket, &notice);
                }
                Err(error.to_string())
            }
        };
        let ran = Ran::since(began, self.clock.as_ref(), outcome);
        if let Err(error) = ran.keep(self.store.as_ref(), &cursor(flow, shop)).await {
            tracing::warn!(flow.name = %flow, error = %error, "how the full check went is not kept");
        }
        made
    }
}

/// What does not mend itself until the next check.
fn for_a_person(error: &CheckError) -> Option<String> {
    match error {
        CheckError::Doubted(why) => Some(why.clone()),
        CheckError::Work(WorkError::Source(fault)) if fault.kind == FaultKind::Rejected => {
            Some(fault.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
