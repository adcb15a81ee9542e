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
use crate::sha::sha256;
use jiff::Timestamp;
use kernel::key::hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

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
        /// Older loads of the same lists by the same source that were dropped for it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        superseded: Vec<u64>,
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

/// The line of an entry as it is searched before it is read.
#[derive(Debug)]
pub(crate) struct Line(Vec<u8>);

impl Line {
    /// Whether the text stands in it: cheap beside reading it as an entry.
    pub(crate) fn has(&self, text: &str) -> bool {
        std::str::from_utf8(&self.0).is_ok_and(|line| line.contains(text))
    }

    /// Whether it names files: what its changes are stands there.
    pub(crate) fn names_files(&self) -> bool {
        self.has("\"files\":{") || self.has("\"what\":\"terms\"")
    }

    pub(crate) fn read(&self) -> Result<Entry, PriceStoreError> {
        serde_json::from_slice(&self.0).map_err(|_| damaged("a line of it is no entry"))
    }
}

fn damaged(what: &'static str) -> PriceStoreError {
    PriceStoreError::Damaged { file: JOURNAL.to_owned(), what }
}

/// The lines from the first to the head.
pub(crate) fn forwards(
    disk: &Disk,
    head: &Head,
) -> Result<impl Iterator<Item = Result<Line, PriceStoreError>>, PriceStoreError> {
    let file = opened(disk, head)?;
    let lines = file.map(|file| BufReader::with_capacity(CHUNK_BYTES, file.take(head.bytes)).split(b'\n'));
    Ok(lines.into_iter().flatten().map(|line| line.map(Line).doing("reading the journal")))
}

/// The lines from the head to the first: an answer about today is found without reading what was long ago.
pub(crate) fn backwards(disk: &Disk, head: &Head) -> Result<Backwards, PriceStoreError> {
    Ok(Backwards { file: opened(disk, head)?, left: head.bytes, buffer: Vec::new() })
}

fn opened(disk: &Disk, head: &Head) -> Result<Option<File>, PriceStoreError> {
    if head.entries == 0 {
        return Ok(None);
    }
    let file = match disk.open(JOURNAL) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(damaged("it is not there")),
        file => file.doing("reading the journal")?,
    };
    let length = file.metadata().doing("reading the journal")?.len();
    if length < head.bytes { Err(damaged("its end is missing")) } else { Ok(Some(file)) }
}

const CHUNK_BYTES: usize = 1 << 18;

/// See [`backwards`].
#[derive(Debug)]
pub(crate) struct Backwards {
    file: Option<File>,
    /// What was not read yet.
    left: u64,
    /// What was, and not given yet; without the line end of its last line.
    buffer: Vec<u8>,
}

impl Backwards {
    fn line(&mut self) -> io::Result<Option<Line>> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let mut searched = 0;
        loop {
            let unsearched = self.buffer.len() - searched;
            if let Some(end) = self.buffer[..unsearched].iter().rposition(|byte| *byte == b'\n') {
                let line = self.buffer.split_off(end + 1);
                self.buffer.pop();
                if !line.is_empty() {
                    return Ok(Some(Line(line)));
                }
                searched = 0;
                continue;
            }
            if self.left == 0 {
                self.file = None;
                let first = std::mem::take(&mut self.buffer);
                return Ok((!first.is_empty()).then_some(Line(first)));
            }
            searched = self.buffer.len();
            // A long line is not copied once for each chunk of it.
            let chunk = (CHUNK_BYTES.max(searched) as u64).min(self.left);
            self.left -= chunk;
            let mut more = vec![0; usize::try_from(chunk).map_err(io::Error::other)?];
            file.seek(SeekFrom::Start(self.left))?;
            file.read_exact(&mut more)?;
            more.append(&mut self.buffer);
            self.buffer = more;
        }
    }
}

impl Iterator for Backwards {
    type Item = Result<Line, PriceStoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line().doing("reading the journal").transpose()
    }
}

/// Follows the chain without reading what stands in the lines: whether any byte was changed.
#[derive(Debug)]
pub(crate) struct Chain {
    before: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { before: "0".repeat(64) }
    }
}

impl Chain {
    pub(crate) fn follow(&mut self, line: &Line) -> Result<(), PriceStoreError> {
        // It is the last field of an entry.
        if !line.0.ends_with(format!("\"prev\":\"{}\"}}", self.before).as_bytes()) {
            return Err(damaged("a line does not follow on the line before it, of which one was changed"));
        }
        self.before = hex(&sha256(&line.0));
        Ok(())
    }

    pub(crate) fn end(&self, head: &Head) -> Result<(), PriceStoreError> {
        let same = head.entries == 0 || self.before == head.sha256;
        if same { Ok(()) } else { Err(damaged("its last line is not the one that was written")) }
    }
}

/// What is wrong with the chain, line by line.
pub(crate) fn check(disk: &Disk, head: &Head) -> Result<Vec<String>, PriceStoreError> {
    let lines = match forwards(disk, head) {
        Err(PriceStoreError::Damaged { what, .. }) => return Ok(vec![format!("journal: {what}")]),
        lines => lines?,
    };
    let mut wrong = Vec::new();
    let mut before = "0".repeat(64);
    let (mut count, mut bytes) = (0, 0);
    for line in lines {
        let line = line?;
        count += 1;
        bytes += line.0.len() as u64 + 1;
        match line.read() {
            Ok(entry) if entry.prev == before && entry.number == count => {}
            Ok(_) => wrong.push(format!(
                "journal, line {count}: it does not follow on the line before it, of which one was changed"
            )),
            Err(_) => wrong.push(format!("journal, line {count}: it is no entry")),
        }
        before = hex(&sha256(&line.0));
    }
    if head.entries > 0 && (before != head.sha256 || count != head.entries || bytes != head.bytes) {
        wrong.push(format!("journal, line {count}: it is not the last entry that was written"));
    }
    Ok(wrong)
}
