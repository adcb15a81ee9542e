//! A store as the source of a move: no hub runs on it meanwhile, its rows come out in words that every store knows, and
//! at the end it says where it went.
//!
//! Owns the lock for as long as it lives and the notes in the file. Changes no row.

mod rows;
mod select;
mod webhooks;

use crate::codec::nanos;
use crate::error::{Done, bug};
use crate::migrate::{self, MIGRATIONS};
use crate::names::Names;
use crate::open;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::{Path, PathBuf};
use store::StoreError;
use store::moving::note::{self, MOVED, MOVING, PREFIX};
use store::moving::{Batch, Note, Sum, Table};
use store::operate::By;
use store::seal::MasterKey;

/// A store that nobody runs on while this lives.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    names: Names,
    _lock: open::Lock,
}

impl Source {
    /// Refuses a file in use, one that is not ours or not whole, another master key, and a schema that this program would
    /// first have to migrate. Blocks.
    pub fn open(path: &Path, master_key: &MasterKey) -> Result<Self, StoreError> {
        Ok(Self::opened(path, master_key)?)
    }

    fn opened(path: &Path, master_key: &MasterKey) -> Done<Self> {
        let lock = open::lock_of(path)?;
        open::look_first(path, master_key)?;
        let connection = open::reader(path)?;
        if !migrate::pending(&connection, MIGRATIONS)?.is_empty() {
            return Err(StoreError::Unreadable(format!(
                "{} has the schema of an older program: `tidegate store migrate` first",
                path.display()
            ))
            .into());
        }
        // What a newer program has added would be left behind.
        let known = MIGRATIONS.last().map_or(0, |newest| newest.number);
        if let Some(schema) = migrate::schema(&connection)?.filter(|schema| schema.number > known) {
            return Err(StoreError::Unreadable(format!(
                "{} has schema {}, and this program knows {known}: move it by the newer program",
                path.display(),
                schema.number
            ))
            .into());
        }
        let names = Names::load(&connection)?;
        Ok(Self { path: path.to_owned(), names, _lock: lock })
    }

    /// The note of a move that was begun, and whether it came to its end.
    pub fn note(&self) -> Result<Option<(Note, bool)>, StoreError> {
        let connection = open::reader(&self.path).map_err(StoreError::from)?;
        for (name, ended) in [(MOVED, true), (MOVING, false)] {
            if let Some(value) = cursor(&connection, name)? {
                return Ok(Some((Note::parse(&value)?, ended)));
            }
        }
        Ok(None)
    }

    /// From now on no hub starts here, also when this process is killed.
    pub fn begin(&self, note: &Note) -> Result<(), StoreError> {
        Ok(self.write(&[(MOVING, Some(note.text()?))], None)?)
    }

    /// It lives on where the note says.
    pub fn end(&self, note: &Note) -> Result<(), StoreError> {
        Ok(self.write(&[(MOVING, None), (MOVED, Some(note.text()?))], None)?)
    }

    /// Notes, and who lifted them from what.
    fn write(&self, notes: &[(&str, Option<String>)], lifted: Option<(&By, &str)>) -> Done<()> {
        let connection = open::writer(&self.path)?;
        let transaction = connection.unchecked_transaction()?;
        for (name, value) in notes {
            match value {
                Some(value) => {
                    let sql = "INSERT OR REPLACE INTO cursors (name, value) VALUES (?1, ?2)";
                    transaction.execute(sql, params![name, value])?;
                }
                None => {
                    transaction.execute("DELETE FROM cursors WHERE name = ?1", [name])?;
                }
            }
        }
        if let Some((By { who, why, at }, target)) = lifted {
            let sql = "INSERT INTO audit (at, who, action, target, why, count) VALUES (?1, ?2, 'reopen', ?3, ?4, 1)";
            transaction.execute(sql, params![nanos(*at), who, format!("store moved to {target}"), why])?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Which installation it is.
    pub fn installation(&self) -> Result<String, StoreError> {
        let connection = open::reader(&self.path).map_err(StoreError::from)?;
        let found = connection.query_row("SELECT id FROM installation", [], |row| row.get(0));
        Ok(found.map_err(crate::error::Fail::from)?)
    }

    /// The rows of a table behind a key, in batches of about so many bytes, each handed to `take` until that says
    /// otherwise. Blocks.
    pub fn rows(
        &self,
        table: Table,
        after: Option<&str>,
        batch_bytes: usize,
        take: &mut dyn FnMut(Batch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let connection = open::reader(&self.path).map_err(StoreError::from)?;
        let mut batches = rows::Batches::new(batch_bytes, take);
        let out = match table {
            Table::WebhookIds => webhooks::rows(&connection, &self.names, after, &mut batches),
            table => rows::rows(&connection, &self.names, table, after, &mut batches),
        };
        out.map_err(StoreError::from)?;
        batches.end()
    }

    /// What is in a table: read anew, whatever was copied of it. Blocks.
    pub fn sum(&self, table: Table) -> Result<Sum, StoreError> {
        let mut sum = Sum::default();
        self.rows(table, None, 1 << 20, &mut |batch| {
            batch.rows.iter().for_each(|row| sum.add(table, row.iter().map(store::moving::Value::cell)));
            Ok(())
        })?;
        Ok(sum)
    }

    /// How many rows a table has, counted in the table itself.
    pub fn count(&self, table: Table) -> Result<u64, StoreError> {
        let connection = open::reader(&self.path).map_err(StoreError::from)?;
        Ok(count_of(&connection, table)?)
    }
}

pub(crate) fn count_of(connection: &Connection, table: Table) -> Done<u64> {
    Ok(match table {
        Table::WebhookIds => webhooks::count(connection)?,
        Table::Cursors => {
            let sql = "SELECT count(*) FROM cursors WHERE name NOT LIKE ?1 || '%'";
            count(connection, sql, [PREFIX])?
        }
        table => count(connection, &format!("SELECT count(*) FROM {}", table.name()), [])?,
    })
}

fn count(connection: &Connection, sql: &str, params: impl rusqlite::Params) -> Done<u64> {
    Ok(connection.query_row(sql, params, |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(crate) fn cursor(connection: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT value FROM cursors WHERE name = ?1";
    let found = connection.query_row(sql, [name], |row| row.get(0)).optional();
    Ok(found.map_err(crate::error::Fail::from)?)
}

/// No hub starts on a store that is being moved or was moved.
pub(crate) fn refuse_a_moved_one(connection: &Connection, path: &Path) -> Done<()> {
    let place = path.display().to_string();
    for name in [MOVED, MOVING] {
        if let Some(value) = cursor(connection, name)?
            && let Some(refusal) = note::refusal(&place, name, &value)?
        {
            return Err(refusal.into());
        }
    }
    Ok(())
}

/// Lets hubs start again on a store that was moved, or whose move was given up. What the note said. Blocks.
pub fn reopen(path: &Path, master_key: &MasterKey, by: &By) -> Result<Option<(Note, bool)>, StoreError> {
    let source = Source::open(path, master_key)?;
    let note = source.note()?;
    if let Some((note, _)) = &note {
        source.write(&[(MOVING, None), (MOVED, None)], Some((by, &note.to)))?;
    }
    Ok(note)
}

/// A key as it stands in the other store's books.
fn key_text(key: &[rusqlite::types::Value]) -> Done<String> {
    let parts: Vec<serde_json::Value> = key
        .iter()
        .map(|part| match part {
            rusqlite::types::Value::Integer(number) => (*number).into(),
            rusqlite::types::Value::Text(text) => text.as_str().into(),
            rusqlite::types::Value::Blob(bytes) => serde_json::json!({ "hex": kernel::key::hex(bytes) }),
            _ => serde_json::Value::Null,
        })
        .collect();
    serde_json::to_string(&parts).map_err(|error| bug(error.to_string()))
}

/// The other way.
fn key_of(text: &str) -> Done<Vec<rusqlite::types::Value>> {
    let unknown = || bug(format!("{text} is no place to go on from"));
    let parts: Vec<serde_json::Value> = serde_json::from_str(text).map_err(|_| unknown())?;
    let part = |part: serde_json::Value| match part {
        serde_json::Value::Number(number) => number.as_i64().map(Into::into),
        serde_json::Value::String(text) => Some(text.into()),
        serde_json::Value::Object(object) => {
            let hex = object.get("hex")?.as_str()?;
            let byte = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
            let bytes: Option<Vec<u8>> = (0..hex.len() / 2).map(|n| byte(2 * n)).collect();
            bytes.map(Into::into)
        }
        _ => None,
    };
    parts.into_iter().map(part).collect::<Option<_>>().ok_or_else(unknown)
}
