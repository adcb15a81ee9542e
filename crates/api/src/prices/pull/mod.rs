//! Prices that come by themselves: a source is asked, and what it tells is loaded like any other load, through the same guards, into
//! the same journal. Owns which lists a source may tell of, what of it waits for a person, and when the point from which it is asked
//! is kept: only once what lies before it counts, or was refused and said. Refuses to know how a source is asked
//! ([`connector::prices`]) and to wait for a time: it says what is due.

mod answer;
mod due;
mod error;
mod kept;
mod owned;
mod run;
mod terms;

pub use due::Due;
pub use error::PullError;
pub use kept::{Came, KeptFault};
pub use run::{OneLoad, Pulled, Pulling};
pub(crate) use terms::carried;

use config::{Cadence, PriceMode};
use connector::prices::PriceSource;
use jiff::Timestamp;
use kept::Kept;
use kernel::clock::Clock;
use kernel::id::ShopId;
use owned::Owned;
use price_store::PriceStore;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// What a source is made of.
#[derive(Debug)]
pub struct PullSettings {
    /// It stands in the journal beside each price.
    pub name: String,
    pub source: Arc<dyn PriceSource>,
    /// Prices have no shop; a call has a name in its place.
    pub called: ShopId,
    /// In which an answer has to begin, or, where many questions make it, be whole.
    pub time_out: Duration,
    /// Ids of lists, or how they begin (`ERP-*`).
    pub lists: Vec<String>,
    pub mode: PriceMode,
    pub every: Cadence,
    pub snapshot: Option<Cadence>,
    /// One load after the other, each waits for the one before: a folder of files.
    pub in_order: bool,
    /// Where its point is kept: beside the prices, so that a copy of them has the point that fits.
    pub kept_in: PathBuf,
}

/// One source.
#[derive(Debug)]
pub struct Pull {
    settings: PullSettings,
    owned: Owned,
    prices: Arc<PriceStore>,
    clock: Arc<dyn Clock>,
    /// From when on it is looked whether it is due.
    since: Timestamp,
    /// Never two at a time.
    at_work: tokio::sync::Mutex<()>,
    /// Rows of the load that is under way; below 0: none is.
    rows: Arc<AtomicI64>,
    /// The version of all prices for which all of its own were asked last; 0: of none.
    whole_of: AtomicU64,
}

impl Pull {
    #[must_use]
    pub fn new(settings: PullSettings, prices: Arc<PriceStore>, clock: Arc<dyn Clock>) -> Self {
        let owned = Owned::new(&settings.name, settings.lists.clone());
        let (rows, since) = (Arc::new(AtomicI64::new(-1)), clock.now().wall);
        Self {
            settings,
            owned,
            prices,
            clock,
            since,
            at_work: tokio::sync::Mutex::default(),
            rows,
            whole_of: AtomicU64::new(0),
        }
    }

    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// How often it may be looked whether it is due.
    pub fn every(&self) -> &Cadence {
        &self.settings.every
    }

    /// What is due by now, of what is kept. A list of its own that is damaged has no price until all of it comes anew: that is due at
    /// once, and once for a version.
    ///
    /// # Errors
    /// What is kept cannot be read.
    pub fn due(&self, now: Timestamp) -> Result<Option<Due>, PullError> {
        let kept = Kept::read(&self.settings.kept_in)?;
        let due = due::of(&self.settings.every, self.settings.snapshot.as_ref(), &kept, (self.since, now));
        Ok(if self.is_to_be_mended() { Some(Due::Snapshot) } else { due })
    }

    /// A folder has no more than what lies in it.
    fn is_to_be_mended(&self) -> bool {
        let version = self.prices.current();
        let was_asked = self.whole_of.load(Ordering::Relaxed) == version.number();
        !self.settings.in_order
            && !was_asked
            && version.damage().lists.iter().any(|list| self.owned.owns(list))
    }

    /// For lists.
    ///
    /// # Errors
    /// What is kept cannot be read.
    pub fn told(&self, now: Timestamp) -> Result<PullTold, PullError> {
        let settings = &self.settings;
        let kept = Kept::read(&settings.kept_in)?;
        let rows = self.rows.load(Ordering::Relaxed);
        let at = (self.since, now);
        let next = due::next(&settings.every, kept.asked_at, at);
        let next_snapshot =
            settings.snapshot.as_ref().and_then(|cadence| due::next(cadence, kept.snapshot_at, at));
        Ok(PullTold {
            name: settings.name.clone(),
            asks: settings.source.describe(),
            mode: settings.mode.spelled(),
            lists: settings.lists.clone(),
            every: settings.every.to_string(),
            snapshot: settings.snapshot.as_ref().map(ToString::to_string),
            rows_under_way: u64::try_from(rows).ok(),
            asked_at: kept.asked_at,
            next,
            next_snapshot,
            due: next.is_some_and(|next| next <= now),
            cursor: kept.cursor,
            last: kept.last,
            held: [kept.held_changes, kept.held_snapshot]
                .into_iter()
                .flatten()
                .map(|held| held.load)
                .collect(),
            refused: kept.refused,
            fault: kept.fault,
        })
    }
}

/// A source as lists show it.
#[derive(Debug, Serialize)]
pub struct PullTold {
    pub name: String,
    pub asks: String,
    pub mode: &'static str,
    pub lists: Vec<String>,
    pub every: String,
    pub snapshot: Option<String>,
    /// Absent: nothing is under way.
    pub rows_under_way: Option<u64>,
    pub asked_at: Option<Timestamp>,
    pub next: Option<Timestamp>,
    pub next_snapshot: Option<Timestamp>,
    pub due: bool,
    /// From where it is asked on.
    pub cursor: Option<String>,
    /// What the last answer came to.
    pub last: Option<Came>,
    /// Loads of it that wait for a person.
    pub held: Vec<u64>,
    /// The last answer of which nothing counts, for good.
    pub refused: Option<KeptFault>,
    /// Why the last question brought nothing; absent once one does.
    pub fault: Option<KeptFault>,
}

trait Spelled {
    fn spelled(self) -> &'static str;
}

impl Spelled for PriceMode {
    fn spelled(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Lists => "lists",
            Self::All => "all",
        }
    }
}

#[cfg(test)]
mod tests;
