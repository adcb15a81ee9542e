//! Migrations: numbered, applied once each in a transaction of its own, known again by a checksum; one node at a time.
//!
//! Owns the table `migrations`. Refuses a database that a newer program made, one whose history is not ours, and one
//! that is somebody else's.

use crate::bind::args;
use crate::codec::nanos;
use crate::error::{Done, Fail, bug};
use crate::session::Session;
use jiff::Timestamp;
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
    fn sql_number(&self) -> i32 {
        self.number.cast_signed()
    }
}

/// The migrations that a database still lacks; refuses one that knows more than `all`.
pub(crate) async fn pending<'a>(session: &Session, all: &'a [Migration]) -> Done<Vec<&'a Migration>> {
    if !is_there(session).await? {
        refuse_a_foreign_one(session).await?;
        return Ok(all.iter().collect());
    }
    let rows = session.all("SELECT number, checksum FROM migrations ORDER BY number", &[]).await?;
    let known = all.last().map_or(0, |newest| newest.number);
    let mut applied = 0;
    for row in rows {
        let (number, checksum): (i32, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let number = number.cast_unsigned();
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

async fn is_there(session: &Session) -> Done<bool> {
    let sql = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'migrations'";
    Ok(session.one(sql, &[]).await?.is_some())
}

/// Tables of another program are not ours to stand among.
async fn refuse_a_foreign_one(session: &Session) -> Done<()> {
    let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1 LIMIT 1";
    match session.one(sql, &[]).await? {
        None => Ok(()),
        Some(row) => Err(Fail::Store(StoreError::Unreadable(format!(
            "the database has the table {} of another program. It was not touched: name a database, or a schema by search_path, of its own",
            row.try_get::<_, String>(0)?
        )))),
    }
}

/// Applies one, in the transaction that is open.
pub(crate) async fn apply(session: &Session, migration: &Migration, now: Timestamp) -> Done<()> {
    session
        .batch(
            "CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, name text NOT NULL, \
             checksum bytea NOT NULL, applied_at bigint NOT NULL)",
        )
        .await?;
    session.batch(migration.sql).await?;
    let sql = "INSERT INTO migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";
    session
        .execute(
            sql,
            args![migration.sql_number(), migration.name, migration.checksum().to_vec(), nanos(now)],
        )
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_migrations_are_numbered_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
        }
    }
}
