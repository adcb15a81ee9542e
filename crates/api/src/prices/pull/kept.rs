//! What is known of a source between two questions, in a small file beside the prices. Owns that it is written as a whole or not at
//! all.

use super::error::PullError;
use connector::prices::ToldList;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Kept {
    /// All before it counts, or was refused and said.
    pub(super) cursor: Option<String>,
    /// Of the prices, when the point was kept.
    pub(super) version: Option<u64>,
    pub(super) asked_at: Option<Timestamp>,
    pub(super) snapshot_at: Option<Timestamp>,
    /// Changes that a guard holds: nothing is asked behind them.
    pub(super) held_changes: Option<Held>,
    /// A snapshot that a guard holds: a newer one takes its place.
    pub(super) held_snapshot: Option<Held>,
    pub(super) last: Option<Came>,
    pub(super) refused: Option<KeptFault>,
    pub(super) fault: Option<KeptFault>,
}

/// A load that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) load: u64,
    /// The point that it was asked from.
    pub(super) after: Option<String>,
    /// The point behind it.
    pub(super) next: String,
    /// What it told of its lists: it counts with its prices.
    #[serde(default)]
    pub(super) terms: Option<Vec<ToldList>>,
}

/// What an answer came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Came {
    pub at: Timestamp,
    /// `live`, `unchanged`, `held`, `refused`, `nothing_new`.
    pub outcome: String,
    pub load: Option<u64>,
    pub version: Option<u64>,
    pub rows: u64,
    /// All of its prices, or what changed.
    pub whole: bool,
}

/// Why something brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFault {
    pub at: Timestamp,
    pub code: String,
    pub message: String,
}

impl Kept {
    /// Of a file that is not there: nothing was asked yet.
    pub(super) fn read(file: &Path) -> Result<Self, PullError> {
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                let what = format!(
                    "{} is not what was written: {error}. Remove it: the source is then asked for all that it has",
                    file.display()
                );
                PullError::Kept(io::Error::new(io::ErrorKind::InvalidData, what))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(PullError::Kept(error)),
        }
    }

    pub(super) fn write(&self, file: &Path) -> Result<(), PullError> {
        self.written(file).map_err(PullError::Kept)
    }

    fn written(&self, file: &Path) -> io::Result<()> {
        let folder = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let beside = file.with_extension("new");
        let mut new = File::create(&beside)?;
        new.write_all(&serde_json::to_vec_pretty(self)?)?;
        new.sync_all()?;
        fs::rename(&beside, file)?;
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_what_is_damaged_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sources/erp.json");
        assert_eq!(Kept::read(&file).unwrap(), Kept::default());
        let held = Held { load: 4, after: Some("16".to_owned()), next: "17".to_owned(), terms: None };
        let kept = Kept { cursor: Some("16".to_owned()), held_changes: Some(held), ..Kept::default() };
        kept.write(&file).unwrap();
        assert_eq!(Kept::read(&file).unwrap(), kept);
        fs::write(&file, "{\"cursor\":").unwrap();
        assert!(Kept::read(&file).unwrap_err().to_string().contains("Remove it"));
    }
}
