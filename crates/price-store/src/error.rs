//! What a store refuses, and what to do then.

use crate::gather::RowFault;
use crate::held::HeldLoad;
use pricing::TermsFault;
use std::io;
use std::path::PathBuf;

/// Nothing has changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum PriceStoreError {
    #[error("{doing}: {source}")]
    Disk { doing: &'static str, source: io::Error },
    #[error("{} is used by another process: ask the one that runs, or stop it", .0.display())]
    InUse(PathBuf),
    #[error(
        "{file} is not what was written: {what}. Bring it back from a backup, or move the folder away and load all prices anew"
    )]
    Damaged { file: String, what: &'static str },
    #[error("{0} was written by a newer program: start that one")]
    Newer(String),
    #[error("whether the last change is on the disk is not known: open the store again")]
    InDoubt,
    /// A load is all or nothing. The first faults, and how many there are.
    #[error("{count} rows of the load are refused, so that nothing of it counts; the first: {}", .faults.first().map_or_else(String::new, ToString::to_string))]
    Rows { faults: Vec<RowFault>, count: u64 },
    #[error("the list {0} is damaged and changes cannot be put upon it: load it as a whole")]
    NeedsWhole(String),
    #[error("the terms have {} faults; the first: {}", .0.len(), .0.first().map_or_else(String::new, ToString::to_string))]
    Terms(Vec<TermsFault>),
    #[error("the terms cannot be read: {0}")]
    TermsUnreadable(String),
    #[error("no load {0} is held: it was approved or rejected before, or never")]
    NotHeld(u64),
    #[error("what load {} would change is another thing by now: look at it again, and approve it then", .0.load)]
    LookAgain(Box<HeldLoad>),
    #[error("{0} loads wait already: approve or reject some of them first")]
    ManyHeld(usize),
    /// Another node was first; it is done over.
    #[error("other nodes change prices all the time: try again in a moment")]
    Behind,
    #[error("the prices that all nodes share: {0}")]
    Shared(String),
    #[error("say who, and why: a name and a reason are recorded")]
    Nameless,
    #[error("the windows and tiers of one list take more than two gigabytes: make it two lists")]
    ListFull,
    #[error(transparent)]
    TooMany(#[from] crate::names::TooMany),
}

/// What was being done when the disk failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, PriceStoreError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str) -> Result<T, PriceStoreError> {
        self.map_err(|source| PriceStoreError::Disk { doing, source })
    }
}

impl From<crate::block::Full> for PriceStoreError {
    fn from(_: crate::block::Full) -> Self {
        Self::ListFull
    }
}
