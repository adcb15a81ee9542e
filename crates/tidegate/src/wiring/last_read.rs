//! What was last read of a shop's price lists, in a folder of the data directory, a file for each list. Owns that a file is the
//! old one or the new one whatever ends the process, that two runs do not share the folder, and that a folder of a node that
//! was not the last to write the shop's prices is not believed.

use super::run_lease;
use async_trait::async_trait;
use rustix::fs::{FlockOperation, flock};
use shopify::prices::Memory;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

const LOCK: &str = "lock";
const RUN: &str = "run";
const HALF: &str = "half";
/// Of a list's file, behind its number.
const ENDING: &str = ".list";

/// The folder of one shop, for as long as a run lasts.
#[derive(Debug)]
pub struct LastRead {
    folder: PathBuf,
    /// Held until it is dropped, by whatever ends the process too. None: it is only looked into.
    _lock: Option<File>,
}

impl LastRead {
    /// For a run that writes. None: another one is under way.
    pub fn open(folder: &Path) -> io::Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { folder: folder.to_owned(), _lock: Some(lock) })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// For a run that writes nothing, beside one that may.
    pub fn look(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), _lock: None }
    }

    /// By which name this folder holds the lease of a run: it stays the same over the lives of its node.
    pub fn owner(&self, new: impl FnOnce() -> u64) -> io::Result<String> {
        run_lease::owner(&self.folder, new)
    }

    /// Which run wrote here last.
    pub fn last_run(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.join(RUN)).ok()
    }

    /// From here on this run is the last. Where `known` (what all nodes know of the last run) was not made here, nothing that is
    /// here is believed.
    pub fn begin(&self, known: Option<&str>, run: &str) -> io::Result<()> {
        if known.is_none() || known != self.last_run().as_deref() {
            keep_only(&self.folder, &BTreeSet::new())?;
        }
        put(&self.folder, RUN, run.as_bytes())
    }
}

/// Whole or not at all, whatever ends the process.
fn put(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let half = folder.join(HALF);
    let mut file = File::create(&half)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&half, folder.join(name))?;
    File::open(folder)?.sync_all()
}

fn keep_only(folder: &Path, lists: &BTreeSet<u64>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut has_gone = false;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(number) = name.to_str().and_then(|name| name.strip_suffix(ENDING)) else { continue };
        if number.parse().is_ok_and(|list| lists.contains(&list)) {
            continue;
        }
        std::fs::remove_file(entry.path())?;
        has_gone = true;
    }
    if has_gone { File::open(folder)?.sync_all() } else { Ok(()) }
}

async fn away<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?;
    done.map_err(|error| error.to_string())
}

#[async_trait]
impl Memory for LastRead {
    async fn read(&self, list: u64) -> Result<Option<Vec<u8>>, String> {
        let path = self.folder.join(format!("{list}{ENDING}"));
        away(move || match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    async fn write(&self, list: u64, record: Vec<u8>) -> Result<(), String> {
        let folder = self.folder.clone();
        away(move || put(&folder, &format!("{list}{ENDING}"), &record)).await
    }

    async fn keep_only(&self, lists: &BTreeSet<u64>) -> Result<(), String> {
        let (folder, lists) = (self.folder.clone(), lists.clone());
        away(move || keep_only(&folder, &lists)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_believed_only_where_it_made_the_last_run() {
        let folder = tempfile::tempdir().unwrap();
        let first = LastRead::open(folder.path()).unwrap().unwrap();
        assert!(LastRead::open(folder.path()).unwrap().is_none(), "two runs do not share it");
        first.begin(None, "one").unwrap();
        first.write(7, vec![1]).await.unwrap();
        first.write(8, vec![2]).await.unwrap();
        assert_eq!(first.owner(|| 7).unwrap(), "0000000000000007");
        drop(first);
        let next = LastRead::open(folder.path()).unwrap().unwrap();
        assert_eq!(next.owner(|| 8).unwrap(), "0000000000000007", "its next life has its name");
        next.begin(Some("one"), "two").unwrap();
        next.keep_only(&[7].into()).await.unwrap();
        assert_eq!((next.read(7).await, next.read(8).await), (Ok(Some(vec![1])), Ok(None)));
        // Another node wrote meanwhile, or the store is of an earlier day.
        next.begin(Some("elsewhere"), "three").unwrap();
        assert_eq!((next.read(7).await, next.last_run().as_deref()), (Ok(None), Some("three")));
    }
}
