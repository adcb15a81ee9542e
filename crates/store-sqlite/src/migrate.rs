//! Migrations: numbered, applied once each in a transaction of its own, known again by a checksum, and preceded by a
//! backup that is made without being asked for.
//!
//! Owns the table `migrations`. Refuses a store on which this program may not run any more (`store::Schema`), and one whose
//! history is not ours.

use crate::codec::nanos;
use crate::error::{Done, bug};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};
use store::Schema;

/// One step of the schema. Both stores number theirs alike.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    pub sql: &'static str,
    /// The oldest schema whose programs may run once this was applied.
    pub oldest: u32,
}

/// All of them, in order.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "store", sql: include_str!("../migrations/0001_store.sql"), oldest: 1 },
    Migration { number: 2, name: "series", sql: include_str!("../migrations/0002_series.sql"), oldest: 1 },
    Migration { number: 3, name: "records", sql: include_str!("../migrations/0003_records.sql"), oldest: 1 },
];

/// The newest that this program knows.
pub const KNOWN_SCHEMA: u32 = MIGRATIONS[MIGRATIONS.len() - 1].number;

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql.as_bytes()).into()
    }
}

/// The migrations that a database still lacks; refuses one on which a program that knows `all` may not run.
pub(crate) fn pending<'a>(connection: &Connection, all: &'a [Migration]) -> Done<Vec<&'a Migration>> {
    let known = all.last().map_or(0, |newest| newest.number);
    let applied = applied(connection)?;
    let Some(schema) = Schema::of(applied.iter().map(|(number, oldest, _)| (*number, *oldest))) else {
        return Ok(all.iter().collect());
    };
    schema.admit(known)?;
    for (number, _, checksum) in &applied {
        // What a newer program has added is its own affair.
        let ours = all.iter().find(|migration| migration.number == *number);
        if ours.is_some_and(|migration| migration.checksum()[..] != checksum[..]) {
            return Err(bug(format!(
                "migration {number} of this store differs from that of this program: it was changed after it was published"
            )));
        }
    }
    Ok(all.iter().filter(|migration| migration.number > schema.number).collect())
}

/// What the store has; `None`: it has no table of migrations.
pub(crate) fn schema(connection: &Connection) -> Done<Option<Schema>> {
    Ok(Schema::of(applied(connection)?.into_iter().map(|(number, oldest, _)| (number, oldest))))
}

/// Number, the oldest schema that may run, checksum.
type Applied = (u32, Option<u32>, Vec<u8>);

fn applied(connection: &Connection) -> Done<Vec<Applied>> {
    let columns = "SELECT name FROM pragma_table_info('migrations')";
    let mut statement = connection.prepare(columns)?;
    let columns: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    // The first stores have no such column.
    let oldest = if columns.iter().any(|column| column == "oldest") { "oldest" } else { "NULL" };
    let sql = format!("SELECT number, {oldest}, checksum FROM migrations ORDER BY number");
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Applies what is pending, each in a transaction of its own.
pub(crate) fn apply(connection: &Connection, pending: &[&Migration], now: Timestamp) -> Done<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, \
         checksum BLOB NOT NULL, applied_at INTEGER NOT NULL, oldest INTEGER) STRICT",
    )?;
    let sql = "SELECT count(*) FROM pragma_table_info('migrations') WHERE name = 'oldest'";
    if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? == 0 {
        connection.execute_batch("ALTER TABLE migrations ADD COLUMN oldest INTEGER")?;
    }
    for migration in pending {
        let transaction = connection.unchecked_transaction()?;
        transaction.execute_batch(migration.sql)?;
        let sql =
            "INSERT INTO migrations (number, name, checksum, applied_at, oldest) VALUES (?1, ?2, ?3, ?4, ?5)";
        let row = params![
            migration.number,
            migration.name,
            &migration.checksum()[..],
            nanos(now),
            migration.oldest
        ];
        transaction.execute(sql, row)?;
        transaction.pragma_update(None, "user_version", migration.number)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::StoreError;

    const ONE: Migration = Migration { number: 1, name: "one", sql: "CREATE TABLE a (x)", oldest: 1 };
    const TWO: Migration =
        Migration { number: 2, name: "two", sql: "CREATE TABLE b (x); CREATE TABLE a (x)", oldest: 2 };

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
        assert_eq!(newer, StoreError::TooNew { found: 2, oldest: 2, known: 1 });
        let changed = [ONE, Migration { sql: "CREATE TABLE b (y)", ..TWO }];
        assert!(matches!(pending(&connection, &changed).unwrap_err().into(), StoreError::Bug(_)));
    }

    #[test]
    fn a_store_that_a_newer_program_only_expanded_is_run_on() {
        let connection = Connection::open_in_memory().unwrap();
        let both = [ONE, Migration { sql: "CREATE TABLE b (x)", oldest: 1, ..TWO }];
        apply(&connection, &both.iter().collect::<Vec<_>>(), Timestamp::UNIX_EPOCH).unwrap();
        assert!(pending(&connection, &[ONE]).unwrap().is_empty());
        assert_eq!(schema(&connection).unwrap(), Some(Schema { number: 2, oldest: 1 }));
        let other = [Migration { sql: "CREATE TABLE c (x)", ..ONE }];
        assert!(matches!(pending(&connection, &other).unwrap_err().into(), StoreError::Bug(_)));
    }

    #[test]
    fn a_store_from_before_the_rule_is_taken_and_learns_it() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE a (x)").unwrap();
        let table = "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL, \
                     applied_at INTEGER NOT NULL) STRICT";
        connection.execute_batch(table).unwrap();
        let row = params![&ONE.checksum()[..]];
        connection.execute("INSERT INTO migrations VALUES (1, 'one', ?1, 0)", row).unwrap();
        let both = [ONE, Migration { sql: "CREATE TABLE b (x)", oldest: 1, ..TWO }];
        let left = pending(&connection, &both).unwrap();
        assert_eq!(left.iter().map(|migration| migration.number).collect::<Vec<_>>(), [2]);
        apply(&connection, &left, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(schema(&connection).unwrap(), Some(Schema { number: 2, oldest: 1 }));
    }

    #[test]
    fn the_published_migrations_are_numbered_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
        }
    }
}
