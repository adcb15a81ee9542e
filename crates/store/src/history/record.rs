//! The notes: one for each call, with its place in the order of all calls.

use crate::delivery::Moved;
use crate::log::{Appended, DedupeKey};
use jiff::Timestamp;
use kernel::id::{AttemptId, DeliveryId, Position};
use kernel::subject::Subject;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// One call and its answer. Calls of one owner follow each other; those of two may overlap, and then nobody can say
/// which came first.
#[derive(Debug, Clone)]
pub struct Entry {
    pub owner: usize,
    /// Before the call, and after its answer: places in one order of all calls.
    pub began: u64,
    pub ended: u64,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    /// One fact of an append. `number` is its place among the states of its subject; `None`: nobody knows what became
    /// of it.
    Appended { key: DedupeKey, subject: Subject, number: i64, answer: Option<Appended> },
    /// Decisions that were committed, or perhaps were not.
    Routed { positions: Vec<Position> },
    /// A lane that was taken until `until`.
    Claimed { claim: Taken, until: Timestamp, now: Timestamp },
    /// A move and what became of it; `None`: nobody knows.
    Moved { claim: Taken, kind: Step, at: Timestamp, until: Option<Timestamp>, answer: Option<Moved> },
    /// A lane given back under this fence.
    GaveBack { claim: Taken },
    /// A store of one process was opened anew, nobody asking meanwhile: earlier holds and their fences are gone.
    Reopened,
}

/// What a claim says, as far as the contract is about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub lane: String,
    pub fence: i64,
    pub delivery: DeliveryId,
    pub position: Position,
    pub subject: Subject,
    /// Of the state or event that it brings.
    pub number: i64,
    pub is_event: bool,
    pub open_attempt: Option<AttemptId>,
}

/// What a move did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An attempt began, and the lane is kept.
    Begins,
    /// The delivery ended; the attempt, if one was open, has its answer.
    Ends,
}

/// The notes of one play, and its clock.
#[derive(Debug)]
pub struct Record {
    places: AtomicU64,
    millisecond: AtomicI64,
    entries: Mutex<Vec<Entry>>,
}

impl Default for Record {
    fn default() -> Self {
        // A day of 2026.
        let millisecond = AtomicI64::new(1_780_000_000_000);
        Self { places: AtomicU64::new(1), millisecond, entries: Mutex::default() }
    }
}

impl Record {
    /// The next place in the order of calls.
    pub(super) fn place(&self) -> u64 {
        self.places.fetch_add(1, Ordering::SeqCst)
    }

    /// The time now; it goes on by a millisecond with each look.
    pub(super) fn now(&self) -> Timestamp {
        let millisecond = self.millisecond.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_millisecond(millisecond).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn pass(&self, span: Duration) {
        self.millisecond.fetch_add(i64::try_from(span.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    pub(super) fn note(&self, owner: usize, began: u64, what: What) {
        let ended = self.place();
        self.lock().push(Entry { owner, began, ended, what });
    }

    /// Notes that a store of one process begins a new life.
    pub fn reopened(&self) {
        let began = self.place();
        self.note(usize::MAX, began, What::Reopened);
    }

    /// What was noted so far, in the order in which the calls were answered.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = self.lock().clone();
        entries.sort_by_key(|entry| entry.ended);
        entries
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        // A test that panicked elsewhere has left whole notes.
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
