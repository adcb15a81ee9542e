//! The embedded store: one file, one process, nothing to install. One writer thread that commits in groups (WAL,
//! `synchronous=FULL` for all that did not follow from rows already on disk), readers apart, payloads compressed and
//! sealed before they reach the writer.
//!
//! Owns the schema and every statement. It keeps the promises of `store::Store`, held to them by the conformance
//! suite; it knows no order, no connector and no clock of its own. `docs/operator.md` tells operators about the file.

mod append;
mod backup;
mod checkpoints;
mod claims;
mod codec;
mod deliveries;
mod desk;
mod error;
mod filter;
pub mod inspect;
mod keep;
mod lanes;
mod letters;
mod life;
mod migrate;
mod moves;
mod moving;
mod names;
mod open;
mod port;
mod questions;
mod readers;
mod records;
pub mod restore;
mod roots;
mod route;
mod series;
mod transaction;
mod triage;
mod view;
mod webhook_ids;
mod writer;

pub use migrate::{KNOWN_SCHEMA, Migration};
pub use moving::{Source, reopen};

use crate::desk::Desk;
use crate::names::Names;
use crate::readers::Readers;
use crate::writer::Writer;
use kernel::clock::Clock;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use store::StoreError;
use store::pressure::Pressure;
use store::seal::vault::Vault;
use store::seal::{MasterKey, Random};

/// Threads that answer questions.
const READERS: usize = 2;

/// What the store is opened with.
#[derive(Debug)]
pub struct Options {
    /// The database file; its folder exists. Beside it lie `-wal`, `-shm` and `.lock`.
    pub path: PathBuf,
    pub master_key: MasterKey,
    pub random: Arc<dyn Random>,
    pub clock: Arc<dyn Clock>,
}

/// A handle to the open store; clones share it. When the last one is dropped the log is brought into the file and the
/// lock is given up.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    vault: Arc<Vault>,
    pressure: Pressure,
    /// Absent only while it is dropped.
    ways: Option<(Writer, Readers)>,
    threads: Vec<JoinHandle<()>>,
    lock: Option<open::Lock>,
}

impl SqliteStore {
    /// Opens or makes the store. Refuses, touching nothing: a file in use, a foreign, broken or cut-off file, a
    /// newer schema, a wrong master key. Makes a backup by itself before it migrates. Blocks.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        let Options { path, master_key, random, clock } = options;
        let opened = open::open(&path, &master_key, &*random, clock.now().wall)?;
        let names = Names::load(&opened.connection)?;
        let vault = Arc::new(Vault::new(opened.master, master_key, random));
        let (checkpoints, passes) = checkpoints::pair(&path)?;
        let desk = Desk::open(opened.connection, names.clone(), vault.clone(), checkpoints)?;
        let (writer, thread) = Writer::pair(desk);
        let (readers, waiting) = Readers::channel(writer.clone());
        // Joined in the opposite order: the passes end when the writer has.
        let mut threads = vec![spawn("store-log", move || passes.run())?];
        threads.push(spawn("store-writer", move || thread.run())?);
        for number in 0..READERS {
            let connection = open::reader(&path)?;
            let (names, vault, waiting) = (names.clone(), vault.clone(), waiting.clone());
            threads.push(spawn(&format!("store-reader-{number}"), move || {
                readers::run(&connection, &names, &vault, &waiting);
            })?);
        }
        let lock = Some(opened.lock);
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                vault,
                pressure: Pressure::default(),
                ways: Some((writer, readers)),
                threads,
                lock,
            }),
        })
    }

    /// The migrations that opening this file would apply, without touching it.
    pub fn pending_migrations(path: &Path) -> Result<Vec<&'static Migration>, StoreError> {
        Ok(open::pending(path)?)
    }

    /// Where the database lies.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn ways(&self) -> Result<&(Writer, Readers), StoreError> {
        self.inner.ways.as_ref().ok_or_else(|| StoreError::Bug("the store is closed".into()))
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| StoreError::Unavailable(format!("no thread for the store: {error}")))
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The threads end when nobody can ask them any more; the readers first, so that the writer's last act finds
        // the file its own.
        self.ways = None;
        for thread in self.threads.drain(..).rev() {
            // A thread that panicked has said so; there is nothing to add while closing.
            let _ = thread.join();
        }
        self.lock = None;
    }
}

#[cfg(test)]
pub(crate) fn tests_random() -> Arc<dyn Random> {
    use std::sync::atomic::{AtomicU64, Ordering};
    #[derive(Debug, Default)]
    struct Counting(AtomicU64);
    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
            for chunk in bytes.chunks_mut(8) {
                let next = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                chunk.copy_from_slice(&next.to_be_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }
    Arc::new(Counting::default())
}
