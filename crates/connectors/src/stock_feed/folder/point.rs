//! How far a folder is taken. Owns the form in which that is kept, and what a file may not be, because of those before it: numbered
//! changes beside levels that only their dates order, and a second copy of changes that nothing names.

use crate::dropped::digest;
use domains::inventory::drop::{Counted, Holds};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

/// How much of which file was given; as a feed's point it is kept where all before it is committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Point {
    pub(super) file: String,
    pub(super) sha256: String,
    /// Lines, as far as they tell something.
    #[serde(alias = "levels")]
    pub(super) given: u64,
    pub(super) ended: bool,
    /// Some file of levels had no numbers, since the source began to count.
    #[serde(default)]
    dated_levels: bool,
    /// Some file of changes had.
    #[serde(default)]
    numbered_changes: bool,
}

impl Point {
    /// At the beginning of a file that was looked at; `before`: how far the folder was taken.
    pub(super) fn new(file: String, sha256: String, counted: Counted, before: Option<&Self>) -> Self {
        let (dated, numbered) = marks(counted);
        let before = before.map_or((false, false), |before| (before.dated_levels, before.numbered_changes));
        Self {
            file,
            sha256,
            given: 0,
            ended: false,
            dated_levels: before.0 || dated,
            numbered_changes: before.1 || numbered,
        }
    }

    /// Why a file cannot be taken after what was taken.
    pub(super) fn refuses(before: Option<&Self>, name: &str, counted: Counted) -> Option<String> {
        let before = before?;
        let half_taken = before.file == name && before.given > 0 && !before.ended;
        if counted.is_nameless() && half_taken {
            return Some(format!(
                "{} lines of another file of this name were taken, and nothing tells which of its changes they were; leave out what was \
                 taken and drop the rest under another name, or give each change an id",
                before.given
            ));
        }
        let (dated, numbered) = marks(counted);
        let begin =
            "; if they never were of one numbering, tidegate ats reset-sequence forgets what came before";
        if numbered && before.dated_levels {
            return Some(format!(
                "its changes have a version, and levels that were dropped here had none: which of the changes are in those levels cannot be \
                 known. Give the levels a version too, or the changes an id in its place{begin}"
            ));
        }
        if dated && before.numbered_changes {
            return Some(format!(
                "its levels have no version, and changes that were dropped here had one: which of the changes are in these levels cannot be \
                 known. Give the levels a version too, or the changes an id in its place{begin}"
            ));
        }
        None
    }
}

/// Whether these are levels that only a date orders, and whether they are changes with a number.
fn marks(counted: Counted) -> (bool, bool) {
    let has_numbers = counted.versioned > 0;
    match counted.holds {
        Holds::Levels => (counted.told > 0 && !has_numbers, false),
        Holds::Changes => (false, has_numbers),
    }
}

/// Another file with the same bytes in a folder.
pub(super) fn copy_in(folder: &Path, file: &Path, sha256: &str) -> io::Result<Option<String>> {
    let bytes = fs::metadata(file)?.len();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        if about.is_file() && about.len() == bytes && digest(&entry.path())? == sha256 {
            return Ok(Some(entry.file_name().to_string_lossy().into_owned()));
        }
    }
    Ok(None)
}
