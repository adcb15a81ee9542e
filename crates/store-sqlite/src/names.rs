//! The dictionary of names: shops, systems, flows, topics and the like stand in rows as small numbers.
//!
//! Owns the numbers; they are never reused. The writer adds names within its transaction; a name whose transaction
//! failed is forgotten.

use crate::error::{Done, bug};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

#[derive(Debug, Default)]
struct Known {
    numbers: BTreeMap<Arc<str>, i64>,
    names: BTreeMap<i64, Arc<str>>,
}

/// Shared by the writer and the readers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    known: Arc<RwLock<Known>>,
    /// Whether any record was ever written: where none was, no fact is looked up in vain.
    has_records: Arc<AtomicBool>,
}

impl Names {
    pub(crate) fn load(connection: &Connection) -> Done<Self> {
        let mut known = Known::default();
        let mut statement = connection.prepare("SELECT id, name FROM names")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            known.learn(row.get(0)?, row.get::<_, String>(1)?.into());
        }
        // A store that is only looked at may be of an older schema.
        let has_table =
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'records')";
        let any = connection.query_row(has_table, [], |row| row.get(0))?
            && connection.query_row("SELECT EXISTS (SELECT 1 FROM records)", [], |row| row.get(0))?;
        Ok(Self { known: Arc::new(RwLock::new(known)), has_records: Arc::new(AtomicBool::new(any)) })
    }

    pub(crate) fn has_records(&self) -> bool {
        self.has_records.load(Ordering::Acquire)
    }

    /// One is about to be written; that its transaction may fail costs no more than a look-up.
    pub(crate) fn gets_records(&self) {
        self.has_records.store(true, Ordering::Release);
    }

    /// The number of a name that somebody wrote; `None`: no row can have it.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).numbers.get(name).copied()
    }

    pub(crate) fn name(&self, number: i64) -> Done<Arc<str>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.names.get(&number).cloned().ok_or_else(|| bug(format!("a row with the unknown name {number}")))
    }

    /// The number of a name, new if need be: then also the number to [`Names::forget`] on a rollback.
    pub(crate) fn number_or_new(&self, connection: &Connection, name: &str) -> Done<(i64, bool)> {
        if let Some(number) = self.number(name) {
            return Ok((number, false));
        }
        connection.prepare_cached("INSERT INTO names (name) VALUES (?1)")?.execute([name])?;
        let number = connection.last_insert_rowid();
        self.known.write().unwrap_or_else(PoisonError::into_inner).learn(number, name.into());
        Ok((number, true))
    }

    pub(crate) fn forget(&self, number: i64) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = known.names.remove(&number) {
            known.numbers.remove(&name);
        }
    }
}

impl Known {
    fn learn(&mut self, number: i64, name: Arc<str>) {
        self.names.insert(number, name.clone());
        self.numbers.insert(name, number);
    }
}
