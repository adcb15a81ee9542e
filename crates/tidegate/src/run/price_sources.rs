//! Sources of prices at their cadence: each as often as it is configured, never two at a time, at the node whose turn it is: nodes
//! share their prices, and what one has loaded all have. What needs a person is said once.

use super::Running;
use crate::wiring::again::Again;
use crate::wiring::node::Turn;
use api::admin::Ran;
use api::prices::pull::{Due, OneLoad, Pull, PullError, Pulled, Pulling};
use api::watch::{IntakeNotice, Watching};
use jiff::Timestamp;
use kernel::clock::Clock;
use kernel::fault::{FaultKind, Severity};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use store::operate::By;

/// Under which name the store keeps when a source was asked last.
pub fn cursor(source: &str) -> String {
    format!("price_pull/{source}")
}

/// How often it is looked whether one is due.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// One source, until the hub stops. A node whose turn comes asks on from its own point, or from the beginning: what all have by then
/// changes nothing.
pub async fn keep(pull: Arc<Pull>, running: Around, mut turn: Turn) {
    let mut said = Said::before(&pull, running.clock.now().wall);
    while turn.comes().await {
        let now = running.clock.now().wall;
        let mut stopping = turn.clone();
        tokio::select! {
            biased;
            // Whoever stops waits for no system: what counts was kept, and the rest is asked for again.
            () = stopping.over() => return,
            () = look(&pull, &running, now, &mut said) => {}
        }
        if turn.stopped(LOOK_EVERY.min(pull.every().span().unwrap_or(LOOK_EVERY))).await {
            return;
        }
    }
}

/// What sources share.
#[derive(Debug, Clone)]
pub struct Around {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    watching: Arc<Watching>,
}

impl Around {
    pub fn of(running: &Running) -> Self {
        Self {
            store: running.store.clone(),
            clock: running.clock.clone(),
            watching: running.watching.clone(),
        }
    }
}

/// What a person was told of, and need not be told again; and what is asked again.
#[derive(Debug, Default)]
struct Said {
    held: Option<u64>,
    fault: Option<String>,
    /// Of what changed, and of all of its prices: each fails by itself.
    again: [Option<Again>; 2],
}

impl Said {
    /// Where the last question before this life of the hub failed, it is asked again.
    fn before(pull: &Pull, now: Timestamp) -> Self {
        let failed = pull.told(now).is_ok_and(|told| told.fault.is_some());
        let usual = (failed && !pull.every().is_steady()).then(Again::default);
        Self { again: [usual, None], ..Self::default() }
    }

    fn again(&mut self, due: Due) -> &mut Option<Again> {
        &mut self.again[usize::from(due == Due::Snapshot)]
    }

    /// What failed, and for which it is time.
    fn is_again(&self, now: Timestamp) -> impl Iterator<Item = Due> {
        let is_time = move |again: &Option<Again>| again.is_some_and(|again| again.wait(now).is_none());
        let dues = [Due::Usual, Due::Snapshot].into_iter().zip(self.again);
        dues.filter(move |(_, again)| is_time(again)).map(|(due, _)| due)
    }
}

/// Its next time may be a day away, and asked again it may be there.
fn is_of_use(pull: &Pull, due: Due, error: &PullError) -> bool {
    let is_soon = due == Due::Usual && pull.every().is_steady();
    !is_soon && !is_for_good(error)
}

/// Asked again it would say the same, until a person has mended it.
fn is_for_good(error: &PullError) -> bool {
    match error {
        PullError::Source(fault) => fault.kind == FaultKind::Rejected,
        PullError::Terms(_) => true,
        _ => false,
    }
}

async fn look(pull: &Pull, around: &Around, now: Timestamp, said: &mut Said) {
    let due = match pull.due(now) {
        Ok(due) => due,
        Err(error) => return failed(pull, around, &error, said),
    };
    // A snapshot answers what changed as well.
    let due = due.into_iter().chain(said.is_again(now)).max_by_key(|due| *due == Due::Snapshot);
    let Some(due) = due else { return };
    let by = By::hub("its cadence", now);
    let how = Pulling { what: due, from_the_beginning: false, dry_run: false, by: by.who, note: None };
    let began = around.clock.now();
    let outcome = match pull.run(&how, Arc::new(|_| {})).await {
        Ok(pulled) => {
            said.fault = None;
            *said.again(due) = None;
            if due == Due::Snapshot {
                *said.again(Due::Usual) = None;
            }
            told(pull, around, due, &pulled, said);
            Ok(in_words(&pulled))
        }
        // A person has it brought right now.
        Err(PullError::UnderWay(_)) => return,
        Err(error) => {
            let again = said.again(due);
            *again = is_of_use(pull, due, &error).then(|| again.unwrap_or_default().failed(now));
            passed(pull, around, began.wall);
            failed(pull, around, &error, said);
            Err(error.to_string())
        }
    };
    let name = cursor(pull.name());
    let ran = Ran::since(began, around.clock.as_ref(), outcome);
    let kept = match ran.keep(around.store.as_ref(), &name).await {
        Ok(()) => around.store.set_cursor(&name, &began.wall.to_string()).await,
        refused => refused,
    };
    if let Err(error) = kept {
        tracing::warn!(error = %error, "how {} was asked is not kept for lists", pull.name());
    }
}

fn in_words(pulled: &Pulled) -> String {
    match pulled {
        Pulled::Waits { load } => format!("load {load} waits for a person"),
        Pulled::Loaded(all) if all.is_empty() => "nothing new".to_owned(),
        Pulled::Loaded(all) => {
            let one = |one: &OneLoad| format!("{} rows {}", one.came.rows, one.came.outcome);
            all.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

fn told(pull: &Pull, around: &Around, due: Due, pulled: &Pulled, said: &mut Said) {
    let source = pull.name();
    let all = match pulled {
        Pulled::Waits { load } => {
            return held(pull, around, *load, "it changes more than a guard allows", said);
        }
        Pulled::Loaded(all) => all,
    };
    for one in all {
        let kind = if due == Due::Snapshot { "all prices" } else { "prices" };
        tracing::info!(work.count = one.came.rows, "{kind} came from {source}: {}", one.came.outcome);
        if let Some(why) = &one.refused {
            refusal(pull, around, why);
        }
        if let (Some(load), "held") = (one.came.load, one.came.outcome.as_str()) {
            let because = match &one.outcome {
                Some(price_store::Outcome::Held { reasons, .. }) => {
                    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
                }
                _ => "it was held before".to_owned(),
            };
            held(pull, around, load, &because, said);
        }
    }
}

/// An answer that was refused and passed before the run was ended by another one: its point is kept, so that nobody is told later.
fn passed(pull: &Pull, around: &Around, began: Timestamp) {
    match pull.told(began) {
        Ok(told) => {
            if let Some(refused) = told.refused.filter(|refused| refused.at >= began) {
                refusal(pull, around, &refused.message);
            }
        }
        Err(error) => {
            tracing::warn!(error = %error, "what {} was refused cannot be read", pull.name());
        }
    }
}

fn refusal(pull: &Pull, around: &Around, why: &str) {
    let why = why.lines().take(2).collect::<Vec<_>>().join(" ");
    let notice = IntakeNotice::PricesRefused { source: pull.name().to_owned(), why };
    around.watching.intake(Severity::Ticket, &notice);
}

fn held(pull: &Pull, around: &Around, load: u64, because: &str, said: &mut Said) {
    if said.held.replace(load) == Some(load) {
        return;
    }
    let notice =
        IntakeNotice::PricesHeld { source: pull.name().to_owned(), load, because: because.to_owned() };
    around.watching.intake(Severity::Ticket, &notice);
}

/// What does not mend itself is said, once as long as it is the same.
fn failed(pull: &Pull, around: &Around, error: &PullError, said: &mut Said) {
    let (source, why) = (pull.name(), error.to_string());
    tracing::warn!(error = %error, "{source} did not say its prices, or they could not be loaded; it is asked again from the same point");
    let mends_itself = matches!(error, PullError::Source(fault) if fault.kind != FaultKind::Rejected);
    if mends_itself || said.fault.as_ref() == Some(&why) {
        return;
    }
    let notice = IntakeNotice::PricesRefused { source: source.to_owned(), why: why.clone() };
    around.watching.intake(Severity::Ticket, &notice);
    said.fault = Some(why);
}

#[cfg(test)]
mod tests;
