//! Migrations: numbered, applied once each in a transaction of its own, known again by a checksum, and preceded by a
//! backup that is made without being asked for.
//!
//! Owns the table `migrations`. Refuses a store that a newer program made, and one whose history is not ours.

use crate::codec::nanos;
use crate::error::{Done, bug};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use store::StoreError;

/// One step of the schema. Both stores number theirs alike.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    pub sql: &'static str,
}

/// All of them, in order.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "store", sql: include_str!("../migrations/0001_store.sql") }];

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql.as_bytes()).into()
    }
}

/// The migrations that a database still lacks; refuses one that knows more than `all`.
pub(crate) fn pending<'a>(connection: &Connection, all: &'a [Migration]) -> Done<Vec<&'a Migration>> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'migrations'";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0 {
        return Ok(all.iter().collect());
    }
    let mut statement = connection.prepare("SELECT number, checksum FROM migrations ORDER BY number")?;
    let mut rows = statement.query([])?;
    let known = all.last().map_or(0, |newest| newest.number);
    let mut applied = 0;
    while let Some(row) = rows.next()? {
        let (number, checksum): (u32, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let Some(migration) = all.iter().find(|migration| migration.number == number) else {
            return Err(StoreError::TooNew { found: number.max(known + 1), known }.into());
        };
        if checksum != migration.checksum() {
            return Err(bug(format!(
                "migration {number} of this store differs from that of this program: it was changed after it was published"
            )));
        }
        applied = number;
    }
    Ok(all.iter().filter(|migration| migration.number > applied).collect())
}

/// Applies what is pending, each in a transaction of its own.
pub(crate) fn apply(connection: &Connection, pending: &[&Migration], now: Timestamp) -> Done<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, \
         checksum BLOB NOT NULL, applied_at INTEGER NOT NULL) STRICT",
    )?;
    for migration in pending {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration.sql)?;
        let sql = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?1, ?2, ?3, ?4)";
        let row = params![migration.number, migration.name, &migration.checksum()[..], nanos(now)];
        transaction.execute(sql, row)?;
        transaction.pragma_update(None, "user_version", migration.number)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration { number: 1, name: "one", sql: "CREATE TABLE a (x)" };
    const TWO: Migration =
        Migration { number: 2, name: "two", sql: "CREATE TABLE b (x); CREATE TABLE a (x)" };

    #[test]
    fn each_is_applied_once_and_one_that_fails_leaves_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        let all = [ONE];
        apply(&connection, &pending(&connection, &all).unwrap(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(pending(&connection, &all).unwrap().is_empty());
        let both = [ONE, TWO];
        let left = pending(&connection, &both).unwrap();
        assert_eq!(left.iter().map(|migration| migration.number).collect::<Vec<_>>(), [2]);
        assert!(apply(&connection, &left, Timestamp::UNIX_EPOCH).is_err(), "its second statement fails");
        assert_eq!(pending(&connection, &both).unwrap().len(), 1, "nothing of it was done");
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(version, 1);
    }

    #[test]
    fn a_newer_store_and_a_changed_history_are_refused() {
        let connection = Connection::open_in_memory().unwrap();
        let both = [ONE, Migration { sql: "CREATE TABLE b (x)", ..TWO }];
        apply(&connection, &both.iter().collect::<Vec<_>>(), Timestamp::UNIX_EPOCH).unwrap();
        let newer = StoreError::from(pending(&connection, &[ONE]).unwrap_err());
        assert_eq!(newer, StoreError::TooNew { found: 2, known: 1 });
        let changed = [ONE, Migration { sql: "CREATE TABLE b (y)", ..TWO }];
        assert!(matches!(pending(&connection, &changed).unwrap_err().into(), StoreError::Bug(_)));
    }

    #[test]
    fn the_published_migrations_are_numbered_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
        }
    }
}
