//! A store on its way to another: what is left of each table goes over in batches, several tables at a time, and both ends
//! are read again at the end and compared. Killed at any point, it goes on where the target's books say.
//!
//! Owns the order of the steps; how rows are read and written is each store's.

use anyhow::{Context as _, bail};
use kernel::clock::Clock;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use store::StoreError;
use store::moving::{Batch, Note, Sum, Table};
use store_postgres::moving::{Standing, Target};
use store_sqlite::Source;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Tables on their way at once: one process of the database each, and a thread that reads.
const AT_ONCE: usize = 3;
/// Batches that are read and not yet written.
const AHEAD: usize = 2;

/// What moved of one table.
#[derive(Debug, Clone, Serialize)]
pub struct Moved {
    pub table: &'static str,
    pub rows: u64,
    pub checksum: String,
}

/// Told of rows that went over: of which table, and how many of all.
pub type Told = Arc<dyn Fn(&'static str, u64) + Send + Sync>;

/// Both ends.
#[derive(Debug, Clone)]
pub struct Move {
    pub source: Arc<Source>,
    pub target: Arc<Target>,
    pub note: Note,
    pub batch_bytes: usize,
}

impl Move {
    /// Copies what is left, compares, and lets the store live on at the target alone.
    pub async fn run(&self, clock: &dyn Clock, told: &Told) -> anyhow::Result<Vec<Moved>> {
        let source = self.source.clone();
        let note = self.note.clone();
        blocking(move || source.begin(&note)).await?;
        self.target.begin(&self.note).await?;
        self.each(Step::Copy, told).await?;
        let (installation, sum) = self.installation().await?;
        let mut moved = self.each(Step::Compare, told).await?;
        moved.sort_by_key(|(table, _)| *table);
        self.target.end(&installation).await?;
        let there = self.target.sum(Table::Installation).await?;
        if there != sum {
            bail!(
                "the installation differs at the target after it was written: do not run a hub on it, and report this"
            );
        }
        moved.push((Table::Installation, sum));
        self.fence(clock).await?;
        Ok(moved
            .into_iter()
            .map(|(table, sum)| Moved { table: table.name(), rows: sum.rows, checksum: sum.to_string() })
            .collect())
    }

    /// The source says where it went; no hub starts on it any more.
    pub async fn fence(&self, clock: &dyn Clock) -> anyhow::Result<()> {
        let (source, note) = (self.source.clone(), Note { at: clock.now().wall, ..self.note.clone() });
        Ok(blocking(move || source.end(&note)).await?)
    }

    async fn installation(&self) -> anyhow::Result<(Batch, Sum)> {
        let source = self.source.clone();
        let (batch, sum) = blocking(move || {
            let mut found = None;
            source.rows(Table::Installation, None, usize::MAX, &mut |batch| {
                found = Some(batch);
                Ok(())
            })?;
            Ok((found, source.sum(Table::Installation)?))
        })
        .await?;
        Ok((batch.context("the store has lost its installation row")?, sum))
    }

    /// One step for every table, a few at a time.
    async fn each(&self, step: Step, told: &Told) -> anyhow::Result<Vec<(Table, Sum)>> {
        let waiting: Arc<Mutex<Vec<Table>>> = Arc::new(Mutex::new(
            Table::ALL.into_iter().filter(|table| *table != Table::Installation).rev().collect(),
        ));
        let mut work = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (waiting, one, told) = (waiting.clone(), self.clone(), told.clone());
            work.spawn(async move {
                let mut done = Vec::new();
                let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                while let Some(table) = next() {
                    let sum = match step {
                        Step::Copy => one.copy(table, &told).await.map(|()| Sum::default())?,
                        Step::Compare => one.compare(table).await?,
                    };
                    done.push((table, sum));
                }
                anyhow::Ok(done)
            });
        }
        let mut all = Vec::new();
        while let Some(done) = work.join_next().await {
            all.extend(done??);
        }
        Ok(all)
    }

    async fn copy(&self, table: Table, told: &Told) -> anyhow::Result<()> {
        let after = self.target.place_in(table).await?;
        let (batches, mut read) = mpsc::channel::<Batch>(AHEAD);
        let (source, bytes) = (self.source.clone(), self.batch_bytes);
        let reading = tokio::task::spawn_blocking(move || {
            source.rows(table, after.as_deref(), bytes, &mut |batch| {
                // Whoever writes has failed and says why.
                batches.blocking_send(batch).map_err(|_| StoreError::Unavailable("nobody writes".into()))
            })
        });
        while let Some(batch) = read.recv().await {
            self.target.put(table, &batch).await.context(table.name())?;
            told(table.name(), batch.rows.len() as u64);
        }
        reading.await?.with_context(|| format!("{} cannot be read", table.name()))
    }

    /// Both ends, read again.
    async fn compare(&self, table: Table) -> anyhow::Result<Sum> {
        let source = self.source.clone();
        let here = tokio::task::spawn_blocking(move || Ok((source.sum(table)?, source.count(table)?)));
        let there = self.target.sum(table).await?;
        let (sum, count): (Sum, u64) = here.await?.map_err(|error: StoreError| error)?;
        // An id of a webhook may stand at several shops.
        if sum.rows < count || (sum.rows != count && table != Table::WebhookIds) {
            bail!("TG-4004: {} has {count} rows, of which {} can be read", table.name(), sum.rows);
        }
        if sum != there {
            bail!(
                "TG-4004: {} differs: {} rows ({sum}) here, {} rows ({there}) at the target. Nothing was switched over",
                table.name(),
                sum.rows,
                there.rows
            );
        }
        Ok(sum)
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Copy,
    Compare,
}

/// How the two ends stand to each other before anything is done.
#[derive(Debug)]
pub enum Stage {
    /// Nothing was done yet, or what was done goes on under this note.
    Go(Note),
    /// All is over there; the source does not know it yet.
    Over(Note),
    /// The target holds what a copy that was given up has left.
    LeftOver(Note),
}

/// What a copy from this source to that place is: a beginning, or the rest of one.
pub fn stage(
    note: Option<(Note, bool)>,
    standing: &Standing,
    installation: &str,
    begun: impl FnOnce() -> anyhow::Result<Note>,
    place: &str,
) -> anyhow::Result<Stage> {
    let known = match note {
        Some((note, true)) => bail!(
            "TG-4001: the store was moved to {} at {} already: run the hub there. `tidegate store reopen` lets it be used \
             and moved again",
            note.to,
            note.at
        ),
        Some((note, false)) if note.to != place => bail!(
            "TG-4002: the store is being moved to {} since {}: go on with that, or give it up with `tidegate store reopen`",
            note.to,
            note.at
        ),
        known => known.map(|(note, _)| note),
    };
    match (known, standing) {
        (Some(note), Standing::InUse(there)) if there == installation => Ok(Stage::Over(note)),
        (_, Standing::InUse(_)) => bail!(
            "TG-4005: {place} is a store that is in use: name an empty database, or a schema of its own by search_path"
        ),
        (Some(note), Standing::Empty) => Ok(Stage::Go(note)),
        (None, Standing::Empty) => Ok(Stage::Go(begun()?)),
        (Some(note), Standing::Begun(there)) if there.copy == note.copy => Ok(Stage::Go(note)),
        (_, Standing::Begun(there)) => Ok(Stage::LeftOver(there.clone())),
    }
}

/// How many rows went over, of how many.
#[derive(Debug, Default)]
pub struct Count {
    pub done: AtomicU64,
    pub total: u64,
}

impl Count {
    pub fn add(&self, rows: u64) -> u64 {
        self.done.fetch_add(rows, Ordering::Relaxed) + rows
    }
}

pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Bug(error.to_string()))?
}
