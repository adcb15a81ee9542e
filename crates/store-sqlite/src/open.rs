//! Opening: one process alone, a file that is ours and whole, a schema we know, the right key; only then is anything
//! written. What is refused is left untouched.

use crate::backup::{backup, beside};
use crate::checkpoints::BACKSTOP_PAGES;
use crate::error::{Done, Fail};
use crate::migrate::{self, MIGRATIONS, Migration};
use crate::moving::refuse_a_moved_one;
use crate::restore::refuse_a_restore_under_way;
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;
use store::StoreError;
use store::seal::{MasterKey, Random};

/// "TGAT": what SQLite's header says of whose file it is.
const APPLICATION_ID: i32 = 0x5447_4154;
/// Files up to this size are read whole before they are trusted.
const CHECKED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// A whole page for each frame of a payload of two or three kilobytes.
const PAGE_BYTES: u32 = 4096;

/// Holds the lock for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// What a process needs to know of an installation before it works on it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub connection: Connection,
    pub lock: Lock,
    /// The number of the master key in force.
    pub master: i32,
}

fn unreadable(path: &Path, why: &str) -> Fail {
    Fail::Store(StoreError::Unreadable(format!(
        "{}: {why}. It was not touched: name another data_dir, move the file away, or restore a backup",
        path.display()
    )))
}

fn unavailable(path: &Path, error: &std::io::Error) -> Fail {
    Fail::Store(StoreError::Unavailable(format!("{}: {error}", path.display())))
}

/// Only one process works on a database.
pub(crate) fn lock(path: &Path) -> Done<Lock> {
    let beside = beside(path, ".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&beside)
        .map_err(|error| unavailable(&beside, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.display().to_string()).into()),
        Err(TryLockError::Error(error)) => Err(unavailable(&beside, &error)),
    }
}

pub(crate) fn open(path: &Path, master_key: &MasterKey, random: &dyn Random, now: Timestamp) -> Done<Opened> {
    let lock = lock(path)?;
    refuse_a_restore_under_way(path)?;
    if !is_there(path)? {
        create(path, master_key, random, now)?;
    }
    look_first(path, master_key)?;
    let connection = writer(path)?;
    refuse_a_moved_one(&connection, path)?;
    let pending = migrate::pending(&connection, MIGRATIONS)?;
    if let Some(first) = pending.first() {
        let copy = beside(path, &format!(".before-{:04}", first.number));
        if !copy.exists() {
            backup(&connection, &copy)?;
        }
        migrate::apply(&connection, &pending, now)?;
    }
    let master = connection.query_row("SELECT master FROM installation", [], |row| row.get(0))?;
    Ok(Opened { connection, lock, master })
}

/// What opening would do to the schema, without doing it (`--dry-run`).
pub(crate) fn pending(path: &Path) -> Done<Vec<&'static Migration>> {
    if !is_there(path)? {
        return Ok(MIGRATIONS.iter().collect());
    }
    is_ours_and_whole(path)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrate::pending(&connection, MIGRATIONS)
}

/// The connection that writes.
pub(crate) fn writer(path: &Path) -> Done<Connection> {
    let connection = Connection::open_with_flags(path, write_flags())?;
    set_up_writer(&connection)?;
    Ok(connection)
}

/// The lock of a database that is there.
pub(crate) fn lock_of(path: &Path) -> Done<Lock> {
    if !is_there(path)? {
        return Err(unreadable(path, "there is no such file"));
    }
    lock(path)
}

fn write_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// A connection for a reader.
pub(crate) fn reader(path: &Path) -> Done<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(64);
    plan_once(&connection)?;
    connection
        .execute_batch("PRAGMA cache_size = -2000; PRAGMA query_only = ON; PRAGMA busy_timeout = 5000")?;
    Ok(connection)
}

/// A statement keeps the plan that it was prepared with. Otherwise SQLite plans each one anew that compares a value
/// with the condition of a partial index, at every change of the value: half of a writer's time.
fn plan_once(connection: &Connection) -> Done<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

fn set_up_writer(connection: &Connection) -> Done<()> {
    connection.set_prepared_statement_cache_capacity(256);
    plan_once(connection)?;
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = {BACKSTOP_PAGES}; \
         PRAGMA cache_size = -6000; PRAGMA temp_store = MEMORY; PRAGMA busy_timeout = 5000; \
         PRAGMA journal_size_limit = 67108864"
    ))?;
    Ok(())
}

fn is_there(path: &Path) -> Done<bool> {
    match std::fs::metadata(path) {
        // An empty one too: we never leave one, so it was cut off.
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unavailable(path, &error)),
    }
}

/// Makes the whole database under another name, then gives it its own: there is never half of one.
fn create(path: &Path, master_key: &MasterKey, random: &dyn Random, now: Timestamp) -> Done<()> {
    let new = beside(path, ".new");
    let _ = std::fs::remove_file(&new);
    let connection = Connection::open(&new)?;
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_BYTES}; PRAGMA application_id = {APPLICATION_ID}; PRAGMA journal_mode = WAL"
    ))?;
    migrate::apply(&connection, &MIGRATIONS.iter().collect::<Vec<_>>(), now)?;
    let mut id = [0; 16];
    random.fill(&mut id)?;
    let id = kernel::key::hex(&id);
    let sql = "INSERT INTO installation (one, id, created_at, epoch, key_check, master) VALUES (1, ?1, ?2, 1, ?3, 1)";
    let check = master_key.check_value(&id);
    connection.execute(sql, params![id, crate::codec::nanos(now), &check[..]])?;
    connection.close().map_err(|(_, error)| error)?;
    std::fs::rename(&new, path).map_err(|error| unavailable(path, &error))?;
    Ok(())
}

/// Everything that can be refused, before a connection that writes is opened.
pub(crate) fn look_first(path: &Path, master_key: &MasterKey) -> Done<()> {
    is_ours_and_whole(path)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let looked = look(&connection, path, master_key);
    looked.map_err(|fail| match fail {
        Fail::Sql(error) => unreadable(path, &format!("the database is damaged ({error})")),
        fail => fail,
    })
}

fn look(connection: &Connection, path: &Path, master_key: &MasterKey) -> Done<()> {
    migrate::pending(connection, MIGRATIONS)?;
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.len() <= CHECKED_BYTES_MAX) {
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(unreadable(path, &format!("the database is damaged ({found})")));
        }
    }
    let sql = "SELECT id, key_check FROM installation";
    let row = connection.query_row(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let (id, check) =
        row.optional()?.ok_or_else(|| unreadable(path, "the database has lost its installation"))?;
    if check != master_key.check_value(&id) {
        return Err(StoreError::WrongKey.into());
    }
    Ok(())
}

/// Reads the header itself: SQLite would make a database of an empty file and repair what it takes for its own.
fn is_ours_and_whole(path: &Path) -> Done<()> {
    let mut header = [0; 100];
    let mut file = File::open(path).map_err(|error| unavailable(path, &error))?;
    let bytes = file.metadata().map_err(|error| unavailable(path, &error))?.len();
    let read = file.read_exact(&mut header);
    if read.is_err() || !header.starts_with(b"SQLite format 3\0") {
        return Err(unreadable(path, "it is not a database"));
    }
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if number(68) != APPLICATION_ID.cast_unsigned() {
        return Err(unreadable(path, "it is a database of another program"));
    }
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let log = std::fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    // With a log beside it the file may still have to grow.
    if log == 0 && bytes < page * u64::from(number(28)) {
        let whole = page * u64::from(number(28));
        return Err(unreadable(path, &format!("it is cut off: {bytes} bytes of {whole}")));
    }
    Ok(())
}
