//! Partitions by time: made before they are needed, dropped whole when their time is over.
//!
//! Owns their names, bounds and storage settings. A partition is made apart and then attached, so that nobody who
//! appends meanwhile waits; it is detached before it is dropped for the same reason.

use crate::bind::args;
use crate::error::{Done, Fail, bug};
use crate::session::{Pool, Session};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A table that is partitioned by `day`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    Envelopes,
    Payloads,
    Attempts,
    WebhookIds,
}

impl Table {
    pub(crate) const ALL: [Table; 4] =
        [Table::Envelopes, Table::Payloads, Table::Attempts, Table::WebhookIds];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Table::Envelopes => "envelopes",
            Table::Payloads => "payloads",
            Table::Attempts => "attempts",
            Table::WebhookIds => "webhook_ids",
        }
    }

    /// Days in one partition.
    fn days(self) -> i32 {
        match self {
            Table::Payloads | Table::WebhookIds => 1,
            Table::Envelopes | Table::Attempts => 28,
        }
    }

    /// Rows of attempts and envelopes change once, soon after they came: room for that in their page keeps indexes out
    /// of it. A payload stays in its page up to the size where that is possible. Webhook ids and payloads are never
    /// updated and never deleted: there is nothing to vacuum but their age.
    fn storage(self) -> &'static str {
        match self {
            Table::Envelopes => "fillfactor = 85, autovacuum_vacuum_scale_factor = 0.1",
            Table::Attempts => "fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05",
            Table::Payloads => {
                "toast_tuple_target = 8160, autovacuum_vacuum_insert_scale_factor = 1, autovacuum_analyze_scale_factor = 0.5"
            }
            Table::WebhookIds => {
                "autovacuum_vacuum_insert_scale_factor = 1, autovacuum_analyze_scale_factor = 0.5"
            }
        }
    }

    /// The first day of the partition that holds a day.
    fn start(self, day: i32) -> i32 {
        day.div_euclid(self.days()) * self.days()
    }

    fn partition(self, start: i32) -> String {
        format!("{}_{start}", self.name())
    }
}

/// Which partitions are known to be there.
#[derive(Debug, Default)]
pub(crate) struct Partitions(Mutex<BTreeSet<(Table, i32)>>);

/// One at a time makes or drops a partition: "TGpart".
const LOCK: i64 = 0x5447_7061_7274;

impl Partitions {
    /// Sees to it that rows of these days have a place.
    pub(crate) async fn ensure(&self, pool: &Pool, wanted: &[(Table, i32)]) -> Done<()> {
        let missing: BTreeSet<(Table, i32)> = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let starts = wanted.iter().map(|(table, day)| (*table, table.start(*day)));
            starts.filter(|place| !known.contains(place)).collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        let mut session = pool.session().await?;
        let made = make(&mut session, &missing).await;
        match made {
            Ok(()) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(missing);
                Ok(())
            }
            Err(fail) => {
                session.roll_back(&fail).await;
                Err(fail)
            }
        }
    }

    /// Partitions of a table whose days are all before this one, oldest first.
    pub(crate) async fn before(session: &Session, table: Table, day: i32) -> Done<Vec<i32>> {
        let sql = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
                   WHERE i.inhparent = $1::text::regclass AND NOT i.inhdetachpending";
        let mut starts = Vec::new();
        for row in session.all(sql, args![table.name()]).await? {
            let name: String = row.try_get(0)?;
            let start = name.strip_prefix(table.name()).and_then(|rest| rest.strip_prefix('_'));
            let start: i32 = start
                .and_then(|start| start.parse().ok())
                .ok_or_else(|| bug(format!("{name} is no partition of ours")))?;
            if start + table.days() <= day {
                starts.push(start);
            }
        }
        starts.sort_unstable();
        Ok(starts)
    }

    /// Drops a partition, with all that is in it.
    pub(crate) async fn drop(&self, session: &Session, table: Table, start: i32) -> Done<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&(table, start));
        let (parent, partition) = (table.name(), table.partition(start));
        session.batch(&format!("ALTER TABLE {parent} DETACH PARTITION {partition} CONCURRENTLY")).await?;
        session.batch(&format!("DROP TABLE {partition}")).await
    }
}

pub(crate) fn partition(table: Table, start: i32) -> String {
    table.partition(start)
}

async fn make(session: &mut Session, missing: &BTreeSet<(Table, i32)>) -> Done<()> {
    session
        .begin(&format!("BEGIN; SET LOCAL lock_timeout = 5000; SELECT pg_advisory_xact_lock({LOCK})"))
        .await?;
    for (table, start) in missing {
        let partition = table.partition(*start);
        let sql = "SELECT 1 FROM pg_inherits WHERE inhparent = $1::text::regclass AND inhrelid = to_regclass($2::text)";
        if session.one(sql, args![table.name(), partition]).await?.is_some() {
            continue;
        }
        let (parent, end, storage) = (table.name(), start + table.days(), table.storage());
        // One that was detached and not dropped, by a process that died between, goes first.
        let sql = format!(
            "DROP TABLE IF EXISTS {partition}; CREATE TABLE {partition} (LIKE {parent} INCLUDING ALL) WITH ({storage}); \
             ALTER TABLE {parent} ATTACH PARTITION {partition} FOR VALUES FROM ({start}) TO ({end})"
        );
        session.batch(&sql).await?;
    }
    session.commit(Vec::new(), None).await
}

/// Whether a row found no partition: one that was known here was dropped by another node.
pub(crate) fn is_missing(fail: &Fail) -> bool {
    let Fail::Sql(error) = fail else { return false };
    error.code() == Some(&tokio_postgres::error::SqlState::CHECK_VIOLATION)
}

impl Partitions {
    /// What is known is asked again.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
