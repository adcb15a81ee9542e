//! The manifest: what a version is made of. Owns its form and that it is the one thing by which a store changes: all else is
//! written before it and is nothing until a manifest names it; so a process that dies leaves the version before or the one
//! after.
//!
//! The number of a manifest counts what can be seen: prices, terms. Its layout counts the ways in which the same is kept: a
//! merge, and an entry of the journal that changes no price.

use crate::disk::Disk;
use crate::held::HeldFile;
use crate::segment::SegmentFile;
use crate::sha::sha256;
use jiff::Timestamp;
use kernel::key::hex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;

pub(crate) const VERSIONS: &str = "versions";
pub(crate) const DATA: &str = "data";
pub(crate) const SKUS: &str = "skus";
pub(crate) const LISTS: &str = "lists";
pub(crate) const JOURNAL: &str = "journal";
const FORMAT: u32 = 1;
const DRAFT: &str = "versions/draft";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    format: u32,
    pub(crate) number: u64,
    pub(crate) layout: u64,
    /// From when it counts.
    pub(crate) from: Timestamp,
    /// Files are numbered, and no number is given twice.
    pub(crate) next_file: u32,
    /// So are loads.
    pub(crate) next_load: u64,
    /// The oldest first.
    pub(crate) segments: Vec<SegmentFile>,
    pub(crate) skus: Grown,
    pub(crate) lists: Grown,
    pub(crate) terms: Option<TermsFile>,
    pub(crate) journal: Head,
    pub(crate) held: Vec<HeldFile>,
    /// The last step that is in it of those that several nodes share; 0: they share nothing.
    #[serde(default, skip_serializing_if = "is_unshared")]
    pub(crate) step: u64,
    /// The lists of which a part was lost, by their numbers: they answer nothing until they are loaded as a whole.
    pub(crate) lost: BTreeSet<u32>,
}

/// How much of a growing file belongs to this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Grown {
    pub(crate) count: u32,
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TermsFile {
    pub(crate) file: String,
    pub(crate) sha256: String,
}

/// The end of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    /// Of the last entry.
    pub(crate) sha256: String,
}

impl Manifest {
    pub(crate) fn first() -> Self {
        Self {
            format: FORMAT,
            number: 0,
            layout: 0,
            from: Timestamp::MIN,
            next_file: 1,
            next_load: 1,
            segments: Vec::new(),
            skus: Grown::default(),
            lists: Grown::default(),
            terms: None,
            journal: Head { entries: 0, bytes: 0, sha256: "0".repeat(64) },
            held: Vec::new(),
            step: 0,
            lost: BTreeSet::new(),
        }
    }

    pub(crate) fn name(&self) -> Name {
        Name { number: self.number, layout: self.layout, from: self.from }
    }

    /// A file of its own, whose number is given to no other.
    pub(crate) fn new_file(&mut self, kind: &str) -> (String, u32) {
        let ordinal = self.next_file;
        self.next_file += 1;
        (format!("{DATA}/{ordinal:010}.{kind}"), ordinal)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        let segments = self.segments.iter().map(|segment| segment.file.as_str());
        let held = self.held.iter().flat_map(|held| [held.file.as_str(), held.segment.file.as_str()]);
        segments.chain(held).chain(self.terms.as_ref().map(|terms| terms.file.as_str()))
    }

    /// After this it is the store's state, whatever happens. What is wrong before the rename has changed nothing.
    pub(crate) fn write(&self, disk: &Disk) -> Result<(), Unwritten> {
        let text = serde_json::to_string(self).map_err(|error| Unwritten::Not(io::Error::other(error)))?;
        let digest = hex(&sha256(text.as_bytes()));
        // Twice: a byte that changes on the disk costs nothing.
        let text = format!("{text}\n{digest}\n{text}\n{digest}\n");
        disk.sync_dir(DATA).map_err(Unwritten::Not)?;
        disk.write(DRAFT, text.as_bytes()).map_err(Unwritten::Not)?;
        disk.rename(DRAFT, &self.name().path()).map_err(Unwritten::Perhaps)?;
        disk.sync_dir(VERSIONS).map_err(Unwritten::Perhaps)
    }

    pub(crate) fn read(disk: &Disk, name: &Name) -> Result<Self, Unreadable> {
        let text = disk.read(&name.path()).map_err(Unreadable::Disk)?;
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let body = lines
            .as_chunks::<2>()
            .0
            .iter()
            .find(|[body, digest]| *digest == hex(&sha256(body)).as_bytes())
            .map(|[body, _]| *body)
            .ok_or(Unreadable::Changed)?;
        let manifest: Self = serde_json::from_slice(body).map_err(|_| Unreadable::Newer)?;
        if manifest.format != FORMAT {
            return Err(Unreadable::Newer);
        }
        if manifest.name() == *name { Ok(manifest) } else { Err(Unreadable::Changed) }
    }
}

#[derive(Debug)]
pub(crate) enum Unwritten {
    /// The version before counts.
    Not(io::Error),
    /// Which one counts is known when the store is opened again.
    Perhaps(io::Error),
}

impl Unwritten {
    pub(crate) fn source(self) -> io::Error {
        match self {
            Self::Not(error) | Self::Perhaps(error) => error,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_unshared(step: &u64) -> bool {
    *step == 0
}

#[derive(Debug)]
pub(crate) enum Unreadable {
    Disk(io::Error),
    /// It is not what was written.
    Changed,
    /// It was written by a program that knew more.
    Newer,
}

/// A manifest by its file name, so that a version is found by number or instant without opening any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) number: u64,
    pub(crate) layout: u64,
    pub(crate) from: Timestamp,
}

impl Name {
    /// Of a store in which nothing was ever written.
    pub(crate) fn is_first(self) -> bool {
        self.from == Timestamp::MIN
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_suffix(".json")?.splitn(3, '-');
        let (number, layout) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let from = Timestamp::from_nanosecond(parts.next()?.parse().ok()?).ok()?;
        Some(Self { number, layout, from })
    }

    pub(crate) fn path(self) -> String {
        format!("{VERSIONS}/{:010}-{:06}-{}.json", self.number, self.layout, self.from.as_nanosecond())
    }

    /// Of each number the newest layout, in order.
    pub(crate) fn all(disk: &Disk) -> io::Result<Vec<Self>> {
        let mut names: Vec<Self> = disk.list(VERSIONS)?.iter().filter_map(|name| Self::parse(name)).collect();
        names.sort_unstable();
        names.dedup_by(|later, kept| {
            let same = later.number == kept.number;
            if same {
                *kept = *later;
            }
            same
        });
        Ok(names)
    }
}
