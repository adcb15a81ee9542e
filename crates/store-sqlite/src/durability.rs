//! When a commit has to be on disk before it is answered, and when it may follow.
//!
//! What comes from outside (a fact that is acknowledged, a person's act) and what must be known before a byte leaves
//! (an attempt) is synced with its commit. What follows from rows that are on disk (a routing decision, an outcome) is
//! committed at once and synced with the next commit of the first kind, or when the writer has nothing to do, a moment
//! later. The end of the process loses neither. A power cut may take the last of the second kind: an envelope is
//! routed again, and an attempt is found without an answer and looked up. Commits reach the disk in their order: what
//! is on disk never lacks what it rests on. Why: docs/adr/0008.

use crate::error::Done;
use rusqlite::Connection;
use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

/// A derived commit is on disk at the latest when the writer was idle for this long.
pub(crate) const SYNC_WHEN_IDLE: Duration = Duration::from_millis(20);

/// What the answer to a commit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is on disk.
    OnDisk,
    /// It outlives the process; what it rests on is on disk.
    Derived,
}

#[derive(Debug)]
pub(crate) struct Durability {
    log: PathBuf,
    in_force: Weight,
    /// Something derived was committed since the last sync.
    behind: bool,
}

impl Durability {
    /// Of a connection that was opened with `synchronous=FULL`; `log` is its write-ahead log.
    pub(crate) fn new(log: PathBuf) -> Self {
        Self { log, in_force: Weight::OnDisk, behind: false }
    }

    /// Before a transaction begins: within one it cannot be changed.
    pub(crate) fn set(&mut self, connection: &Connection, weight: Weight) -> Done<()> {
        if self.in_force != weight {
            connection.execute_batch(match weight {
                Weight::OnDisk => "PRAGMA synchronous = FULL",
                Weight::Derived => "PRAGMA synchronous = NORMAL",
            })?;
            self.in_force = weight;
        }
        Ok(())
    }

    /// After a commit: one that is on disk took along all before it.
    pub(crate) fn committed(&mut self) {
        self.behind = self.in_force == Weight::Derived;
    }

    pub(crate) fn is_behind(&self) -> bool {
        self.behind
    }

    /// Brings the log to the disk. A disk that refuses is told of, and heard of again with the next commit that waits
    /// for it.
    pub(crate) fn catch_up(&mut self) {
        self.behind = false;
        if let Err(error) = File::open(&self.log).and_then(|log| log.sync_data()) {
            tracing::error!(error = %error, log = %self.log.display(), "the log was not brought to the disk");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synchronous(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn the_connection_syncs_what_has_to_be_on_disk_and_catches_up_with_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("d.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (a)")
            .unwrap();
        let mut durability = Durability::new(folder.path().join("d.db-wal"));
        let mut write = |weight| {
            durability.set(&connection, weight).unwrap();
            connection.execute_batch("BEGIN; INSERT INTO t VALUES (1); COMMIT").unwrap();
            durability.committed();
            (synchronous(&connection), durability.is_behind())
        };
        assert_eq!(write(Weight::OnDisk), (2, false));
        assert_eq!(write(Weight::Derived), (1, true));
        assert_eq!(write(Weight::Derived), (1, true));
        assert_eq!(write(Weight::OnDisk), (2, false));
        assert_eq!(write(Weight::Derived), (1, true));
        durability.catch_up();
        assert!(!durability.is_behind());
    }
}
