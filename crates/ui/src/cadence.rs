//! What the page of cadences asks: the work that no event drives. A port, so that the pages know nothing of how work is made.

use crate::prices::Waiting;
use jiff::Timestamp;
use std::fmt::Debug;

/// Whoever knows what runs at a cadence.
pub trait Cadences: Send + Sync + Debug {
    /// All of it, what is due first at the top; an error is a sentence for whoever asked.
    fn all(&self) -> Waiting<'_, Result<Vec<Paced>, String>>;
}

/// One work with its cadence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paced {
    /// `full check`, `sweep`, …
    pub work: String,
    /// Its flow, or the source that it asks.
    pub of: Option<String>,
    pub shop: Option<String>,
    /// As it is written in the configuration.
    pub cadence: String,
    /// By up to how much each run is put off.
    pub jitter_ms: u64,
    /// Absent: nobody knows yet, or never by itself.
    pub next: Option<Timestamp>,
    pub due: bool,
    /// Absent: not since this store began.
    pub last: Option<Timestamp>,
    pub took_ms: Option<u64>,
    /// Times that went by since, for which it is made up once.
    pub missed: u32,
    /// Who has its lease, and until when.
    pub held_by: Option<(String, Timestamp)>,
    pub failed: bool,
    /// What came of the last one.
    pub result: Option<String>,
}
