//! A backup put in place of the database: prepared beside it, given a new epoch, and only then given its name. What was
//! there is kept under another one.
//!
//! Killed at any point it has done nothing that counts: while a restore is under way its file lies beside the database,
//! and no hub starts until the restore was made again or that file was taken away.

use crate::backup::beside;
use crate::error::{Done, Fail};
use crate::inspect::{Contents, inspect, verify};
use crate::open;
use rusqlite::params;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use store::StoreError;
use store::moving::note::{RESTORED, Restored};
use store::seal::MasterKey;

/// The database that is being prepared.
const RESTORING: &str = ".restoring";

/// A restore under way: the database is locked while this lives.
#[derive(Debug)]
pub struct Restore {
    database: PathBuf,
    lock: open::Lock,
}

fn unavailable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {error}", path.display()))
}

/// A hub does not start beside half a restore.
pub(crate) fn refuse_a_restore_under_way(database: &Path) -> Done<()> {
    let half = beside(database, RESTORING);
    if !half.exists() {
        return Ok(());
    }
    Err(StoreError::Unreadable(format!(
        "TG-4008: a restore of {} was cut off: `tidegate restore` again, or take {} away to go on with what was there before",
        database.display(),
        half.display()
    ))
    .into())
}

impl Restore {
    /// Locks the database, whether it is there or not. `progress` is told how many bytes of the backup were copied.
    /// Refuses a backup that is not ours, not whole or of another master key. What is in place is not touched. Blocks.
    pub fn prepare(
        backup: &Path,
        database: &Path,
        master_key: &MasterKey,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Self, Contents), StoreError> {
        let lock = open::lock(database)?;
        let contents = inspect(backup, master_key)?;
        let work = beside(database, RESTORING);
        for suffix in ["", "-wal", "-shm"] {
            remove(&beside(&work, suffix))?;
        }
        copy(backup, &work, progress)?;
        verify(&work)?;
        Ok((Self { database: database.to_owned(), lock }, contents))
    }

    /// Where the database lies until it gets its name: to be opened as a store, for what is to be done before that.
    pub fn file(&self) -> PathBuf {
        beside(&self.database, RESTORING)
    }

    /// A new epoch: what is without an answer, and whatever a forgotten life may have done, is looked up. Blocks.
    pub fn open_epoch(&self, restored: &mut Restored) -> Result<(), StoreError> {
        Ok(open_epoch(&self.file(), restored)?)
    }

    /// Gives it its name. What was there is kept; where. Blocks.
    pub fn put_in_place(self, kept_as: &str) -> Result<Option<PathBuf>, StoreError> {
        let Self { database, lock } = self;
        let work = beside(&database, RESTORING);
        // Whatever the file's log holds is in the file, and on disk, before it gets its name.
        settle(&work)?;
        let aside = beside(&database, kept_as);
        let mut kept = None;
        for suffix in ["", "-wal", "-shm"] {
            let (from, to) = (beside(&database, suffix), beside(&aside, suffix));
            match std::fs::rename(&from, &to) {
                Ok(()) => kept = Some(aside.clone()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(unavailable(&from, &error)),
            }
        }
        std::fs::rename(&work, &database).map_err(|error| unavailable(&database, &error))?;
        let folder = database.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| unavailable(folder, &error))?;
        remove(&beside(&work, ".lock"))?;
        drop(lock);
        Ok(kept)
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unavailable(path, &error)),
        _ => Ok(()),
    }
}

fn copy(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
    let mut source = File::open(from).map_err(|error| unavailable(from, &error))?;
    let total = source.metadata().map_or(0, |metadata| metadata.len());
    let create = File::options().write(true).create_new(true).mode(0o600).open(to);
    let mut target = create.map_err(|error| unavailable(to, &error))?;
    let (mut buffer, mut done) = (vec![0; 4 << 20], 0);
    loop {
        let read = source.read(&mut buffer).map_err(|error| unavailable(from, &error))?;
        if read == 0 {
            break;
        }
        target.write_all(&buffer[..read]).map_err(|error| unavailable(to, &error))?;
        done += read as u64;
        progress(done, total);
    }
    target.sync_all().map_err(|error| unavailable(to, &error))
}

/// What opening it has left in its log goes into the file.
fn settle(path: &Path) -> Result<(), StoreError> {
    let done = || -> Done<()> {
        let connection = open::writer(path)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        connection.close().map_err(|(_, error)| Fail::from(error))
    };
    done()?;
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|error| unavailable(path, &error))
}

fn open_epoch(path: &Path, restored: &mut Restored) -> Done<()> {
    let connection = open::writer(path)?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute("UPDATE installation SET epoch = epoch + 1", [])?;
    restored.epoch = transaction.query_row("SELECT epoch FROM installation", [], |row| row.get(0))?;
    // Who held a lease is gone with its life.
    transaction.execute("DELETE FROM leases", [])?;
    let sql = "INSERT OR REPLACE INTO cursors (name, value) VALUES (?1, ?2)";
    transaction.execute(sql, params![RESTORED, restored.text()?])?;
    transaction.commit()?;
    Ok(())
}

/// The same for a database that was put back by other means. Refuses what a store refuses. Blocks.
pub fn open_epoch_in_place(
    database: &Path,
    master_key: &MasterKey,
    restored: &mut Restored,
) -> Result<(), StoreError> {
    let _lock = open::lock(database)?;
    refuse_a_restore_under_way(database)?;
    open::look_first(database, master_key)?;
    Ok(open_epoch(database, restored)?)
}
