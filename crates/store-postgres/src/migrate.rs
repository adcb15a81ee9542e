//! Migrations: numbered, applied once each in a transaction of its own, known again by a checksum; one node at a time.
//!
//! Owns the table `migrations`. Refuses a database on which this program may not run any more (`store::Schema`), one whose
//! history is not ours, and one that is somebody else's; and a migration that takes away what a node uses that runs now.

use crate::bind::args;
use crate::codec::nanos;
use crate::error::{Done, Fail, bug};
use crate::session::Session;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use store::{Schema, StoreError};

/// One step of the schema. Both stores number theirs alike.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    pub sql: &'static str,
    /// The oldest schema whose programs may run once this was applied: one that expands leaves it, one that contracts
    /// raises it.
    pub oldest: u32,
}

/// All of them, in order.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "store", sql: include_str!("../migrations/0001_store.sql"), oldest: 1 },
    Migration { number: 2, name: "series", sql: include_str!("../migrations/0002_series.sql"), oldest: 1 },
    Migration { number: 3, name: "records", sql: include_str!("../migrations/0003_records.sql"), oldest: 1 },
];

/// The newest that a program knows.
pub(crate) fn known(all: &[Migration]) -> u32 {
    all.last().map_or(0, |newest| newest.number)
}

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        Sha256::digest(self.sql.as_bytes()).into()
    }
}

/// The migrations that a database still lacks; refuses one on which a program that knows `all` may not run.
pub(crate) async fn pending(session: &Session, all: &'static [Migration]) -> Done<Vec<&'static Migration>> {
    let applied = applied(session).await?;
    let Some(schema) = of(&applied) else {
        if !is_there(session).await? {
            refuse_a_foreign_one(session).await?;
        }
        return Ok(all.iter().collect());
    };
    schema.admit(known(all))?;
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

/// What the database has; `None`: no store yet.
pub(crate) async fn schema(session: &Session) -> Done<Option<Schema>> {
    Ok(of(&applied(session).await?))
}

type Applied = (u32, Option<u32>, Vec<u8>);

fn of(applied: &[Applied]) -> Option<Schema> {
    Schema::of(applied.iter().map(|(number, oldest, _)| (*number, *oldest)))
}

/// Number, the oldest schema that may run, checksum. The first stores have no column for the second.
async fn applied(session: &Session) -> Done<Vec<Applied>> {
    if !is_there(session).await? {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT number, (to_jsonb(m) ->> 'oldest')::integer, checksum FROM migrations m ORDER BY number";
    let rows = session.all(sql, &[]).await?;
    let applied = rows.iter().map(|row| {
        let oldest: Option<i32> = row.try_get(1)?;
        Ok((row.try_get::<_, i32>(0)?.cast_unsigned(), oldest.map(i32::cast_unsigned), row.try_get(2)?))
    });
    applied.collect()
}

/// While a node runs it says, with each beat, which schema it knows: a lease of this name.
pub(crate) const PROGRAMS: &str = "schema/";

/// A node that knows too little runs now: what this migration takes away would be missed.
async fn refuse_beside_an_older_one(session: &Session, migration: &Migration, now: Timestamp) -> Done<()> {
    let sql = "SELECT min(substr(name, 8)::integer) FROM leases WHERE name >= 'schema/' AND name < 'schema0' \
               AND ends_at > $1";
    let row = session.one(sql, args![nanos(now)]).await?;
    let running: Option<i32> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    match running.map(i32::cast_unsigned).filter(|running| *running < migration.oldest) {
        None => Ok(()),
        Some(running) => {
            let (number, oldest) = (migration.number, migration.oldest);
            Err(Fail::Store(StoreError::TooOldBeside { number, oldest, running }))
        }
    }
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
             checksum bytea NOT NULL, applied_at bigint NOT NULL, oldest integer); \
             ALTER TABLE migrations ADD COLUMN IF NOT EXISTS oldest integer",
        )
        .await?;
    if migration.number > 1 {
        refuse_beside_an_older_one(session, migration, now).await?;
    }
    session.batch(migration.sql).await?;
    let sql =
        "INSERT INTO migrations (number, name, checksum, applied_at, oldest) VALUES ($1, $2, $3, $4, $5)";
    let (number, oldest) = (migration.number.cast_signed(), migration.oldest.cast_signed());
    let checksum = migration.checksum().to_vec();
    session.execute(sql, args![number, migration.name, checksum, nanos(now), oldest]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_migrations_are_numbered_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.number as usize, index + 1);
            assert!(migration.oldest <= migration.number);
        }
    }
}
