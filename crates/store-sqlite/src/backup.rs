//! Backups: a whole copy made while the store is in use, believed only after it was opened and checked.

use crate::error::{Done, Fail};
use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use store::StoreError;

/// The file's name with something after it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Copies the database of `source` to a file that does not exist yet. Returns its bytes.
pub(crate) fn backup(source: &Connection, to: &Path) -> Done<u64> {
    if to.exists() {
        return Err(refused(to, "exists already: name another file, or move it away"));
    }
    let partial = beside(to, ".partial");
    let copied = copy(source, &partial).and_then(|()| verify(&partial));
    if let Err(fail) = copied {
        // What is left of it is worth nothing; a failure to remove it is said by the next backup.
        let _ = std::fs::remove_file(&partial);
        return Err(fail);
    }
    publish(&partial, to).map_err(|error| refused(to, &error.to_string()))
}

fn refused(to: &Path, why: &str) -> Fail {
    Fail::Store(StoreError::Unavailable(format!("the backup {} {why}", to.display())))
}

fn copy(source: &Connection, partial: &Path) -> Done<()> {
    let _ = std::fs::remove_file(partial);
    // Nobody else reads it: payloads are sealed in it, ids and labels are not.
    File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(partial)
        .map_err(|error| refused(partial, &error.to_string()))?;
    let mut copy = Connection::open(partial)?;
    // In one step: of one moment, however much is written meanwhile.
    Backup::new(source, &mut copy)?.step(-1)?;
    // One file without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Opens the copy and has every page and row looked at.
pub(crate) fn verify(partial: &Path) -> Done<()> {
    let copy = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let found: String = copy.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    let rows: i64 = copy.query_row("SELECT count(*) FROM installation", [], |row| row.get(0))?;
    if found == "ok" && rows == 1 {
        return Ok(());
    }
    Err(Fail::Store(StoreError::Unreadable(format!(
        "the backup does not pass its check ({found}): the database itself may be damaged; keep the last good backup"
    ))))
}

/// Gives the copy its name once it is on disk.
fn publish(partial: &Path, to: &Path) -> std::io::Result<u64> {
    let file = File::open(partial)?;
    file.sync_all()?;
    std::fs::rename(partial, to)?;
    if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(file.metadata()?.len())
}
