//! The journal: what happened to the prices, one line each, in a chain: each line names the digest of the line before it, and
//! the manifest that of the last. Owns its lines and their check; only grows.
//!
//! A change of few prices stands in its line. Of a larger one the line names the files: what the prices are after it, and what
//! they were before.

use crate::diff::{Counts, PriceChange};
use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::form::PriceForm;
use crate::guards::Reason;
use crate::manifest::{Head, JOURNAL};
use crate::segment::SegmentFile;
use crate::sha::{hex, sha256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// More changes than that are not in the line.
pub(crate) const INLINE_MAX: u64 = 200;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub number: u64,
    pub at: Timestamp,
    /// The version that counts after it.
    pub version: u64,
    /// Who did it: of a load that was approved, who approved it.
    pub by: String,
    #[serde(flatten)]
    pub what: What,
    pub(crate) prev: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Prices went live.
    Loaded(Box<Loaded>),
    /// A load was weighed and nothing was another than before.
    Unchanged {
        load: u64,
        source: String,
        lists: u64,
        prices: u64,
    },
    Held {
        load: u64,
        source: String,
        reasons: Vec<Reason>,
    },
    Rejected {
        load: u64,
        source: String,
        reason: String,
    },
    Terms {
        file: String,
        sha256: String,
        difference: Vec<TermsChange>,
    },
}

/// A load that went live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loaded {
    pub load: u64,
    pub source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// It had been held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    pub counts: Counts,
    pub lists: u64,
    pub largest_falls: Vec<PriceChange>,
    pub largest_rises: Vec<PriceChange>,
    /// Lists of which a part had been lost: what they were before is not known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub healed: BTreeSet<String>,
    pub(crate) changes: Changes,
}

/// The name of who approved is the entry's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    pub reason: String,
    /// Who, or what, had loaded it, and when.
    pub loaded_by: String,
    pub loaded_at: Timestamp,
    pub held_for: Vec<Reason>,
}

/// One thing of the terms that is another, is new or is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TermsChange {
    /// `lists`, `promotions`, …
    pub section: String,
    pub id: String,
    /// Which field; none: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<serde_json::Value>,
}

/// Where the changed prices of a load stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Changes {
    Inline(Vec<Inline>),
    Files(Files),
}

/// List, SKU, before, after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inline(
    pub(crate) String,
    pub(crate) String,
    pub(crate) Option<PriceForm>,
    pub(crate) Option<PriceForm>,
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Files {
    pub(crate) after: SegmentFile,
    /// None: nothing of it was there before.
    pub(crate) before: Option<SegmentFile>,
}

impl What {
    /// Files that are kept as long as the journal is.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let (first, second) = match self {
            Self::Loaded(loaded) => match &loaded.changes {
                Changes::Files(files) => (Some(&files.after), files.before.as_ref()),
                Changes::Inline(_) => (None, None),
            },
            _ => (None, None),
        };
        let terms = match self {
            Self::Terms { file, sha256, .. } => Some((file.as_str(), sha256.as_str())),
            _ => None,
        };
        let of_segments = [first, second].into_iter().flatten();
        of_segments.map(|segment| (segment.file.as_str(), segment.sha256.as_str())).chain(terms)
    }
}

/// Writes an entry behind the head; the new head. It counts when the manifest says so.
pub(crate) fn append(disk: &Disk, head: &Head, entry: &Entry) -> Result<Head, PriceStoreError> {
    let mut line = serde_json::to_vec(entry).map_err(std::io::Error::other).doing("writing the journal")?;
    let sha256 = hex(&sha256(&line));
    line.push(b'\n');
    disk.append(JOURNAL, head.bytes, &line).doing("writing the journal")?;
    Ok(Head { entries: head.entries + 1, bytes: head.bytes + line.len() as u64, sha256 })
}

/// All entries up to the head.
pub(crate) fn read(disk: &Disk, head: &Head) -> Result<Vec<Entry>, PriceStoreError> {
    let damaged = |what| PriceStoreError::Damaged { file: JOURNAL.to_owned(), what };
    if head.entries == 0 {
        return Ok(Vec::new());
    }
    let text = match disk.read_head(JOURNAL, head.bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(damaged("its end is missing"));
        }
        text => text.doing("reading the journal")?,
    };
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(|_| damaged("a line of it is no entry")))
        .collect()
}

/// What is wrong with the chain, line by line.
pub(crate) fn check(disk: &Disk, head: &Head) -> Result<Vec<String>, PriceStoreError> {
    if head.entries == 0 {
        return Ok(Vec::new());
    }
    let text = match disk.read_head(JOURNAL, head.bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Ok(vec!["the journal's end is missing".to_owned()]);
        }
        text => text.doing("reading the journal")?,
    };
    let mut wrong = Vec::new();
    let mut before = "0".repeat(64);
    let mut lines = 0;
    for line in text.strip_suffix(b"\n").unwrap_or(&text).split(|byte| *byte == b'\n') {
        lines += 1;
        match serde_json::from_slice::<Entry>(line) {
            Ok(entry) if entry.prev == before && entry.number == lines => {}
            Ok(_) => wrong.push(format!(
                "journal, line {lines}: it does not follow on the line before it, of which one was changed"
            )),
            Err(_) => wrong.push(format!("journal, line {lines}: it is no entry")),
        }
        before = hex(&sha256(line));
    }
    if before != head.sha256 || lines != head.entries || text.last() != Some(&b'\n') {
        wrong.push(format!("journal, line {lines}: it is not the last entry that was written"));
    }
    Ok(wrong)
}
