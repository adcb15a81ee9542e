//! One run of a source: asked until it has no more, each answer a load. Owns the order in which a load counts, its source hears of it
//! and its point is kept, on which it rests that a process may end at any instant: what was loaded and whose point was not kept is
//! asked for once more, and changes nothing.

use super::error::PullError;
use super::kept::{Came, Held, Kept, KeptFault};
use super::{Due, Pull};
use config::PriceMode;
use connector::port::CallContext;
use connector::prices::{Settled, ToldList, lies_before};
use jiff::Timestamp;
use kernel::envelope::TraceId;
use kernel::fault::{Fault, FaultKind};
use price_store::{AuditQuery, HeldLoad, Outcome, TermsChange, What};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// One load is held, held again, and decided.
const ENTRIES_MAX: usize = 100;
/// A point that jumps back.
const BACK: &str = "TG-3413";

/// How a run is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulling {
    pub what: Due,
    /// The point is forgotten: a system was brought back from a backup.
    pub from_the_beginning: bool,
    /// One answer is asked for and weighed, and nothing is changed: neither prices nor the point.
    pub dry_run: bool,
    /// Whose name stands in the journal.
    pub by: String,
    pub note: Option<String>,
}

/// What one answer came to.
#[derive(Debug)]
pub struct OneLoad {
    pub came: Came,
    /// None: its rows are refused, or it was held before.
    pub outcome: Option<Outcome>,
    /// Why nothing of it counts.
    pub refused: Option<String>,
    /// What it changes of the terms of its own lists.
    pub terms: Vec<TermsChange>,
    /// Of one that is held: what it told of its lists.
    pub(super) waiting: Option<Vec<ToldList>>,
}

/// What a run came to.
#[derive(Debug)]
pub enum Pulled {
    /// Each load in its order; none: there was nothing new.
    Loaded(Vec<OneLoad>),
    /// Nothing is asked for before a person has said something to a load.
    Waits { load: u64 },
}

/// Told how many rows there are.
pub(crate) type Tell = Arc<dyn Fn(u64) + Send + Sync>;

impl Pull {
    /// Asks until there is no more, or something waits for a person.
    ///
    /// # Errors
    /// What ended it. What was loaded before stays, and its point is kept.
    pub async fn run(&self, how: &Pulling, tell: Tell) -> Result<Pulled, PullError> {
        let Ok(_one) = self.at_work.try_lock() else {
            return Err(PullError::UnderWay(self.settings.name.clone()));
        };
        self.rows.store(0, Ordering::Relaxed);
        let work = Running { pull: self, how, tell, begun: self.clock.now().wall };
        if work.is_whole() && !how.dry_run {
            self.whole_of.store(work.version(), Ordering::Relaxed);
        }
        let result = work.run().await;
        self.rows.store(-1, Ordering::Relaxed);
        if let (Err(error), false) = (&result, how.dry_run) {
            let mut kept = Kept::read(&self.settings.kept_in)?;
            work.asked(&mut kept);
            kept.fault = Some(work.fault(error.code(), error.to_string()));
            kept.write(&self.settings.kept_in)?;
        }
        result
    }
}

pub(super) struct Running<'p> {
    pub(super) pull: &'p Pull,
    pub(super) how: &'p Pulling,
    pub(super) tell: Tell,
    pub(super) begun: Timestamp,
}

impl Running<'_> {
    async fn run(&self) -> Result<Pulled, PullError> {
        let settings = &self.pull.settings;
        let mut kept = Kept::read(&settings.kept_in)?;
        let counts = self.version();
        if kept.version.is_some_and(|version| version > counts) {
            tracing::warn!(
                "the prices are of version {counts}, which is older than what {} was asked for: it is asked from the beginning",
                settings.name
            );
            (kept.cursor, kept.held_changes, kept.held_snapshot) = (None, None, None);
        }
        if !self.how.dry_run {
            self.said(&mut kept).await?;
        }
        if self.how.from_the_beginning {
            (kept.cursor, kept.held_changes) = (None, None);
        }
        if let Some(load) = self.waits_for(&kept).filter(|_| !self.how.dry_run) {
            self.asked(&mut kept);
            kept.write(&settings.kept_in)?;
            return Ok(Pulled::Waits { load });
        }
        let mut all = Vec::new();
        loop {
            let call = self.call();
            let after = kept.cursor.clone();
            let told = if self.is_whole() {
                settings.source.whole(&call).await?
            } else {
                settings.source.changes(&call, after.as_deref()).await?
            };
            let Some(told) = told else { break };
            if let Some(after) = after.as_deref().filter(|after| lies_before(&told.next, after)) {
                return Err(back(&told.next, after).into());
            }
            let (more, whole) = (told.more, told.whole);
            let next = told.next.clone();
            let one = self.load(told).await?;
            let goes_on = if self.how.dry_run { false } else { self.keep(&mut kept, &one, &next).await? };
            all.push(one);
            if !goes_on || !more || (whole && !settings.in_order) {
                break;
            }
        }
        if !self.how.dry_run {
            self.asked(&mut kept);
            kept.fault = None;
            if all.is_empty() {
                kept.last = Some(Came {
                    at: self.begun,
                    outcome: "nothing_new".to_owned(),
                    load: None,
                    version: None,
                    rows: 0,
                    whole: self.is_whole(),
                });
            }
            kept.write(&settings.kept_in)?;
        }
        Ok(Pulled::Loaded(all))
    }

    fn version(&self) -> u64 {
        self.pull.prices.current().number()
    }

    fn is_whole(&self) -> bool {
        self.how.what == Due::Snapshot || self.pull.settings.mode != PriceMode::Changes
    }

    fn call(&self) -> CallContext {
        CallContext {
            shop: self.pull.settings.called.clone(),
            time_out: self.pull.settings.time_out,
            trace: TraceId::default(),
            span: 1,
            now: self.pull.clock.now().wall,
        }
    }

    /// What a person said meanwhile to loads that waited.
    async fn said(&self, kept: &mut Kept) -> Result<(), PullError> {
        let waiting: Vec<u64> = self.held().await?.iter().map(|held| held.load).collect();
        let decided = |held: &Option<Held>| held.clone().filter(|held| !waiting.contains(&held.load));
        let (changes, snapshot) = (decided(&kept.held_changes), decided(&kept.held_snapshot));
        for held in changes.iter().chain(&snapshot) {
            let rejected = self.rejected(held.load).await?;
            // Whose its lists are was held with it. Behind a newer answer that one's word counts already.
            if let (None, Some(lists)) = (&rejected, &held.terms)
                && kept.cursor == held.after
            {
                self.terms(lists).await?;
            }
            let how = rejected.as_deref().map_or(Settled::Live, Settled::Refused);
            self.pull.settings.source.settled(&held.next, how).await?;
            // Behind a newer snapshot the point has gone on already.
            if kept.cursor == held.after {
                kept.cursor = Some(held.next.clone());
            }
        }
        if changes.is_some() {
            kept.held_changes = None;
        }
        if snapshot.is_some() {
            kept.held_snapshot = None;
        }
        if changes.is_some() || snapshot.is_some() {
            kept.version = Some(self.version());
            kept.write(&self.pull.settings.kept_in)?;
        }
        Ok(())
    }

    /// By whom and why, where a person said no.
    async fn rejected(&self, load: u64) -> Result<Option<String>, PullError> {
        let prices = self.pull.prices.clone();
        let query = AuditQuery { load: Some(load), ..AuditQuery::default() };
        let entries = tokio::task::spawn_blocking(move || prices.entries(&query, ENTRIES_MAX)).await;
        let entries = entries.map_err(|_| PullError::BrokeOff)??;
        Ok(entries.into_iter().find_map(|entry| match entry.what {
            What::Rejected { reason, .. } => {
                Some(format!("load {load} was rejected by {}: {reason}", entry.by))
            }
            _ => None,
        }))
    }

    /// The load that has to be decided before anything else is asked for.
    fn waits_for(&self, kept: &Kept) -> Option<u64> {
        let held = if self.is_whole() { &kept.held_snapshot } else { &kept.held_changes };
        let held = held.as_ref().filter(|held| held.after == kept.cursor)?;
        (!self.is_whole() || self.pull.settings.in_order).then_some(held.load)
    }

    pub(super) async fn held(&self) -> Result<Vec<HeldLoad>, PullError> {
        let prices = self.pull.prices.clone();
        let held = tokio::task::spawn_blocking(move || prices.held()).await;
        Ok(held.map_err(|_| PullError::BrokeOff)??)
    }

    /// The source hears of it, then its point is kept. False: nothing behind it is asked for.
    async fn keep(&self, kept: &mut Kept, one: &OneLoad, next: &str) -> Result<bool, PullError> {
        let settings = &self.pull.settings;
        let OneLoad { came, refused, waiting, .. } = one;
        if came.outcome == "held" {
            let held = Held {
                load: came.load.unwrap_or_default(),
                after: kept.cursor.clone(),
                next: next.to_owned(),
                terms: waiting.clone(),
            };
            *(if came.whole { &mut kept.held_snapshot } else { &mut kept.held_changes }) = Some(held);
        } else {
            let how = refused.as_deref().map_or(Settled::Live, Settled::Refused);
            settings.source.settled(next, how).await?;
            // Of a whole that is refused nothing is known: what changes is asked for from where it was.
            if refused.is_none() || !came.whole || settings.in_order {
                kept.cursor = Some(next.to_owned());
            }
        }
        let goes_on = came.outcome != "held";
        if let Some(why) = refused {
            kept.refused = Some(self.fault("TG-7208", why.clone()));
        }
        (kept.last, kept.version) = (Some(came.clone()), Some(self.version()));
        kept.write(&settings.kept_in)?;
        Ok(goes_on)
    }

    fn asked(&self, kept: &mut Kept) {
        kept.asked_at = Some(self.begun);
        if self.is_whole() || kept.snapshot_at.is_none() {
            kept.snapshot_at = Some(self.begun);
        }
    }

    fn fault(&self, code: &str, message: String) -> KeptFault {
        KeptFault { at: self.begun, code: code.to_owned(), message }
    }
}

fn back(next: &str, after: &str) -> Fault {
    let what = format!(
        "the point behind the answer is {next:?}, which lies before {after:?}, up to which all is known: was the system brought \
         back from a backup? Nothing of it is taken. To begin anew on purpose: tidegate prices pull --from-the-beginning"
    );
    Fault::new(FaultKind::Rejected, BACK, what)
}
