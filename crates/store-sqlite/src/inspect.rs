//! What a database file holds, read without opening it as a store: while a hub runs on it, or before a backup is put in
//! place. Changes nothing.

use crate::codec::time;
use crate::error::{Done, bug};
use crate::migrate::{self, MIGRATIONS, Migration};
use crate::moving::cursor;
use crate::names::Names;
use crate::open;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use std::path::{Path, PathBuf};
use store::StoreError;
use store::moving::note::{MOVED, MOVING, RESTORED, Restored};
use store::moving::{Note, Table};
use store::operate::Installation;
use store::seal::MasterKey;

/// What is open of one system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDuties {
    pub system: String,
    pub waiting: u64,
    /// Without an answer: looked up at the next start.
    pub unknown: u64,
    pub dead: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub installation: Installation,
    pub pending: Vec<&'static str>,
    /// The oldest schema whose programs may run on it.
    pub oldest: u32,
    /// The newest moment that it knows of: it is of then, or a little later.
    pub newest: Timestamp,
    pub envelopes: u64,
    pub payload_bytes: u64,
    pub unrouted: u64,
    pub open: Vec<OpenDuties>,
    /// Shop and request of each redaction that was carried out.
    pub certified: Vec<(String, String)>,
    /// It was moved, or is being moved: where to, and whether that came to its end.
    pub moved: Option<(Note, bool)>,
    pub restored: Option<Restored>,
}

/// Looks at a file. Refuses one that is not ours, not whole, of a newer program or of another master key.
pub fn inspect(path: &Path, master_key: &MasterKey) -> Result<Contents, StoreError> {
    open::look_first(path, master_key)?;
    let connection = open::reader(path)?;
    Ok(contents(&connection)?)
}

/// Has every page and row looked at.
pub fn verify(path: &Path) -> Result<(), StoreError> {
    Ok(crate::backup::verify(path)?)
}

/// How many rows each table has.
pub fn counts(path: &Path) -> Result<Vec<(Table, u64)>, StoreError> {
    let connection = open::reader(path)?;
    let counted =
        Table::ALL.into_iter().map(|table| Ok((table, crate::moving::count_of(&connection, table)?)));
    Ok(counted.collect::<Done<_>>()?)
}

/// The files of a database that are there, with their bytes.
pub fn files(path: &Path) -> Vec<(PathBuf, u64)> {
    let beside = ["", "-wal", "-shm"].map(|suffix| crate::backup::beside(path, suffix));
    beside
        .into_iter()
        .filter_map(|file| std::fs::metadata(&file).ok().map(|metadata| (file, metadata.len())))
        .collect()
}

fn contents(connection: &Connection) -> Done<Contents> {
    let names = Names::load(connection)?;
    let pending: Vec<&Migration> = migrate::pending(connection, MIGRATIONS)?;
    let installation = installation(connection)?;
    let number = |sql: &str| -> Done<u64> {
        let found = connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0)).optional()?;
        Ok(found.flatten().unwrap_or_default().unsigned_abs())
    };
    let mut open = Vec::new();
    let sql =
        "SELECT system, sum(waiting), sum(unknown), sum(dead) FROM lanes GROUP BY system ORDER BY system";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let count = |at: usize| row.get::<_, i64>(at).map(i64::unsigned_abs);
        open.push(OpenDuties {
            system: names.name(row.get(0)?)?.as_ref().to_owned(),
            waiting: count(1)?,
            unknown: count(2)?,
            dead: count(3)?,
        });
    }
    let moved = match (cursor(connection, MOVED)?, cursor(connection, MOVING)?) {
        (Some(value), _) => Some((Note::parse(&value)?, true)),
        (None, Some(value)) => Some((Note::parse(&value)?, false)),
        (None, None) => None,
    };
    Ok(Contents {
        newest: newest(connection, installation.created_at)?,
        installation,
        pending: pending.iter().map(|migration| migration.name).collect(),
        oldest: migrate::schema(connection)?.map_or(0, |schema| schema.oldest),
        // The log is never shortened here, and numbered without a gap.
        envelopes: number("SELECT max(position) FROM envelopes")?,
        payload_bytes: number("SELECT value FROM counters WHERE name = 'payload_bytes'")?,
        unrouted: number(
            "SELECT count(*) FROM envelopes INDEXED BY envelopes_unrouted WHERE routed_at IS NULL",
        )?,
        open,
        certified: certified(connection)?,
        moved,
        restored: cursor(connection, RESTORED)?.map(|value| Restored::parse(&value)).transpose()?,
    })
}

fn installation(connection: &Connection) -> Done<Installation> {
    let sql = "SELECT id, created_at, epoch, revision, place, (SELECT max(number) FROM migrations) FROM installation";
    let found = connection.query_row(sql, [], |row| {
        Ok(Installation {
            id: row.get(0)?,
            created_at: time(row.get(1)?),
            epoch: row.get(2)?,
            revision: row.get(3)?,
            place: row.get(4)?,
            schema: row.get(5)?,
        })
    });
    found.optional()?.ok_or_else(|| bug("the store has lost its installation row"))
}

/// Of the last rows of each series; a row that is far behind its neighbours moves nothing.
fn newest(connection: &Connection, created_at: Timestamp) -> Done<Timestamp> {
    let mut newest = crate::codec::nanos(created_at);
    for (table, key, columns) in [
        ("envelopes", "position", "max(received_at, coalesce(routed_at, 0))"),
        ("deliveries", "id", "max(created_at, coalesce(ended_at, 0))"),
        ("attempts", "id", "max(started_at, coalesce(ended_at, 0))"),
        ("audit", "id", "at"),
    ] {
        let sql = format!(
            "SELECT max(at) FROM (SELECT {columns} AS at FROM {table} ORDER BY {key} DESC LIMIT 10000)"
        );
        let found: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
        newest = newest.max(found.unwrap_or(i64::MIN));
    }
    Ok(time(newest))
}

fn certified(connection: &Connection) -> Done<Vec<(String, String)>> {
    let mut statement = connection.prepare("SELECT certificate FROM certificates")?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let certificate: store::operate::Certificate =
            serde_json::from_str(row.get_ref(0)?.as_str().unwrap_or_default()).map_err(|error| {
                bug(format!("a certificate that no program of this schema wrote: {error}"))
            })?;
        found.push((certificate.shop.as_str().to_owned(), certificate.requested));
    }
    Ok(found)
}
