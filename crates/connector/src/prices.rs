//! A system that tells its prices by itself: what it is asked, and what it answers. Owns the shape of one answer, which is one load:
//! rows as a file has them (docs/price-store.md), and the point behind them. Refuses to know what a price means, which lists a
//! source may tell of, and when a point is kept: that is for whoever loads them.

use crate::port::CallContext;
use async_trait::async_trait;
use kernel::fault::Fault;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;
use std::fs::File;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowFormat {
    Csv,
    Ndjson,
}

/// One load.
#[derive(Debug)]
pub struct ToldPrices {
    /// From its first byte on.
    pub rows: File,
    pub format: RowFormat,
    pub count: RowCount,
    /// All prices of its lists, and not only what changed.
    pub whole: bool,
    /// Of a whole: these lists are told as well; one without a row is empty.
    pub lists: Vec<String>,
    /// The point behind it; it is kept when what is told counts, or was refused and said.
    pub next: String,
    /// There is more behind that point.
    pub more: bool,
    /// Which lists there are and for whom, where the system says that too.
    pub terms: Option<Vec<ToldList>>,
}

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowCount {
    Known(u64),
    /// Nobody counted: those that can be read.
    Unknown,
}

/// A price list as its system has it: what of the terms is its word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldList {
    pub id: String,
    /// What its system calls it.
    pub name: String,
    /// It is for these companies alone; none: for everyone.
    pub companies: Option<Vec<String>>,
    /// ISO 4217.
    pub currency: String,
    pub tax_included: bool,
}

/// What became of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled<'a> {
    /// It counts, or there was nothing to change.
    Live,
    /// Nothing of it counts, and why.
    Refused(&'a str),
}

/// Asked by one who waits for each answer before the next question.
#[async_trait]
pub trait PriceSource: Send + Sync + Debug {
    /// What changed behind a point; `None`: nothing is known yet. No answer: nothing did.
    ///
    /// # Errors
    /// Nothing was told; asked again it is the same question.
    async fn changes(&self, call: &CallContext, after: Option<&str>) -> Result<Option<ToldPrices>, Fault>;

    /// All that there is. No answer: there is nothing new to be had, as in a folder without a file.
    ///
    /// # Errors
    /// Half of it is never told.
    async fn whole(&self, call: &CallContext) -> Result<Option<ToldPrices>, Fault>;

    /// What became of what was told up to this point.
    ///
    /// # Errors
    /// It is told once more, and settled then.
    async fn settled(&self, next: &str, how: Settled<'_>) -> Result<(), Fault>;

    /// In a few words, for lists: `https://erp.example/prices`, `the folder /srv/prices`.
    fn describe(&self) -> String;
}

/// Whether a point lies before another one: two whole numbers, or two instants. Of other texts nobody knows.
#[must_use]
pub fn lies_before(next: &str, kept: &str) -> bool {
    if let (Ok(next), Ok(kept)) = (next.parse::<u128>(), kept.parse::<u128>()) {
        return next < kept;
    }
    match (next.parse::<jiff::Timestamp>(), kept.parse::<jiff::Timestamp>()) {
        (Ok(next), Ok(kept)) => next < kept,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_and_instants_have_an_order() {
        for (next, kept, before) in [
            ("9", "10", true),
            ("10", "10", false),
            ("11", "9", false),
            ("2026-11-26T10:00:00Z", "2026-11-26T11:00:00Z", true),
            ("2026-11-26T12:00:00+01:00", "2026-11-26T10:30:00Z", false),
            ("abc", "abd", false),
            ("9", "abc", false),
        ] {
            assert_eq!(lies_before(next, kept), before, "{next} and {kept}");
        }
    }
}
