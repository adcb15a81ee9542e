//! What a full check has read so far, in a folder of the data directory, so that one that is killed goes on. Owns what of it
//! may be gone on with: Shopify's bulk operation by its id, and, once it was read whole, what the shop has, in a file with
//! its checksum. Refuses to go on with what is too old, of another configuration, or damaged. That two runs do not share it,
//! whoever opens it has seen to ([`lock`]).
//!
//! Of the source nothing is kept: half of one snapshot and half of a later one are no snapshot.

use jiff::Timestamp;
use kernel::clock::after;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Of what follows here; another form is not read.
const FORM: u32 = 1;
/// Stock moves: what the shop had longer ago says little of what it has.
const AGE_MAX: Duration = Duration::from_secs(3_600);

const STATE: &str = "check.json";
const ROWS: &str = "shop.rows";
const LOCK: &str = "lock";

/// What stands in the folder beside the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    form: u32,
    /// Of configuration and mappings.
    revision: String,
    begun_at: Timestamp,
    /// Shopify's bulk operation.
    operation: String,
    /// Once it was read whole.
    shop: Option<ShopSide>,
}

/// The file of rows, and what else is known of the shop's side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShopSide {
    pub(super) pairs: u64,
    /// Levels that were passed over, because their item has no SKU.
    pub(super) without_sku: u64,
    /// By their number in the rows.
    pub(super) locations: Vec<String>,
    pub(super) bytes: u64,
    /// Of the rows, in hexadecimal.
    pub(super) sha256: String,
}

/// The folder of one check, for as long as it runs.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    revision: String,
    state: Option<State>,
}

/// Why a folder is not locked.
#[derive(Debug)]
pub(super) enum NotKept {
    /// Another run has it.
    UnderWay,
    Broken(io::Error),
}

impl From<io::Error> for NotKept {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// The one lock of a flow's checks and backfills at a shop; made, where it is not there.
pub(super) fn lock(folder: &Path) -> Result<File, NotKept> {
    std::fs::create_dir_all(folder)?;
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(NotKept::UnderWay),
        Err(error) => Err(io::Error::from(error).into()),
    }
}

impl Kept {
    /// The folder, and what a reader should know of what was found in it.
    pub(super) fn open(
        folder: &Path,
        revision: &str,
        now: Timestamp,
        anew: bool,
    ) -> io::Result<(Self, Option<String>)> {
        std::fs::create_dir_all(folder)?;
        let mut kept = Self { folder: folder.to_owned(), revision: revision.to_owned(), state: None };
        let found = match std::fs::read(folder.join(STATE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((kept, None)),
            Err(error) => return Err(error),
        };
        let note = match judged(&found, revision, now, anew) {
            Ok(state) => {
                let read = if state.shop.is_some() { "read whole before it" } else { "asked for before it" };
                let note = format!(
                    "goes on where a check of {} was interrupted: what the shop has was {read} (bulk operation {})",
                    state.begun_at, state.operation
                );
                kept.state = Some(state);
                note
            }
            Err(why) => {
                kept.forget()?;
                format!("began anew: {why}")
            }
        };
        Ok((kept, Some(note)))
    }

    /// Shopify's bulk operation, where one was asked for.
    pub(super) fn operation(&self) -> Option<&str> {
        self.state.as_ref().map(|state| state.operation.as_str())
    }

    /// What the shop has, where it was read whole.
    pub(super) fn shop(&self) -> Option<&ShopSide> {
        self.state.as_ref()?.shop.as_ref()
    }

    /// Shopify was asked.
    pub(super) fn asked(&mut self, operation: String, now: Timestamp) -> io::Result<()> {
        let revision = self.revision.clone();
        self.put(State { form: FORM, revision, begun_at: now, operation, shop: None })
    }

    /// Its list was read whole; the rows are on disk.
    pub(super) fn read(&mut self, shop: ShopSide) -> io::Result<()> {
        let state = self.state.clone().ok_or_else(|| io::Error::other("a list that nobody asked for"))?;
        self.put(State { shop: Some(shop), ..state })
    }

    pub(super) fn rows(&self) -> PathBuf {
        self.folder.join(ROWS)
    }

    /// Nothing is gone on with.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        self.state = None;
        // The state first: rows without one are written over.
        for name in [STATE, ROWS] {
            match std::fs::remove_file(self.folder.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whole or not at all, whatever ends the process.
    fn put(&mut self, state: State) -> io::Result<()> {
        let half = self.folder.join("check.half");
        let mut file = File::create(&half)?;
        file.write_all(&serde_json::to_vec(&state)?)?;
        file.sync_all()?;
        std::fs::rename(&half, self.folder.join(STATE))?;
        File::open(&self.folder)?.sync_all()?;
        self.state = Some(state);
        Ok(())
    }
}

/// What of it may be gone on with, or why nothing.
fn judged(found: &[u8], revision: &str, now: Timestamp, anew: bool) -> Result<State, String> {
    let state: State = serde_json::from_slice(found)
        .ok()
        .filter(|state: &State| state.form == FORM)
        .ok_or("what an interrupted check has left cannot be read")?;
    let begun = state.begun_at;
    if anew {
        return Err(format!("that is what was asked for; a check of {begun} was interrupted"));
    }
    if state.revision != revision {
        return Err(format!(
            "the configuration or a mapping is another than when the check of {begun} was interrupted"
        ));
    }
    if after(begun, AGE_MAX) < now || begun > after(now, AGE_MAX) {
        return Err(format!("what the interrupted check of {begun} has read is too old"));
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn left(folder: &Path) -> ShopSide {
        let (mut kept, note) = Kept::open(folder, "r1", at("2026-11-26T02:00:00Z"), false).unwrap();
        assert_eq!(note, None);
        kept.asked("gid://shopify/BulkOperation/7".to_owned(), at("2026-11-26T02:00:00Z")).unwrap();
        let shop = ShopSide {
            pairs: 2,
            without_sku: 0,
            locations: vec!["gid://shopify/Location/1".to_owned()],
            bytes: 44,
            sha256: "ab".to_owned(),
        };
        kept.read(shop.clone()).unwrap();
        shop
    }

    #[test]
    fn an_interrupted_check_is_gone_on_with_and_a_finished_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let shop = left(folder.path());
        let (mut kept, note) = Kept::open(folder.path(), "r1", at("2026-11-26T02:30:00Z"), false).unwrap();
        assert!(note.unwrap().contains("BulkOperation/7"));
        assert_eq!((kept.operation(), kept.shop()), (Some("gid://shopify/BulkOperation/7"), Some(&shop)));
        kept.forget().unwrap();
        drop(kept);
        let (kept, note) = Kept::open(folder.path(), "r1", at("2026-11-26T02:30:00Z"), false).unwrap();
        assert_eq!((kept.operation(), note), (None, None));
    }

    #[test]
    fn what_may_not_be_gone_on_with_says_why() {
        for (revision, now, anew, why) in [
            ("r2", "2026-11-26T02:30:00Z", false, "configuration"),
            ("r1", "2026-11-26T03:30:00Z", false, "too old"),
            ("r1", "2026-11-25T03:30:00Z", false, "too old"),
            ("r1", "2026-11-26T02:30:00Z", true, "asked for"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            left(folder.path());
            let (kept, note) = Kept::open(folder.path(), revision, at(now), anew).unwrap();
            assert!(note.as_ref().is_some_and(|note| note.contains(why)), "{note:?}");
            assert_eq!(kept.operation(), None);
        }
        let folder = tempfile::tempdir().unwrap();
        left(folder.path());
        std::fs::write(folder.path().join(STATE), "{").unwrap();
        let (_, note) = Kept::open(folder.path(), "r1", at("2026-11-26T02:30:00Z"), false).unwrap();
        assert!(note.unwrap().contains("cannot be read"));
    }

    #[test]
    fn two_runs_do_not_share_it() {
        let folder = tempfile::tempdir().unwrap();
        let first = lock(folder.path()).unwrap();
        assert!(matches!(lock(folder.path()), Err(NotKept::UnderWay)));
        drop(first);
        lock(folder.path()).unwrap();
    }
}
