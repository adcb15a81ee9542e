//! The store as a whole: its folder, its one writer, the version that counts. Owns opening and publishing: everything a version
//! is made of is on the disk before its manifest is, and its manifest before anybody sees it.

use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::guards::Guards;
use crate::join;
use crate::journal::{self, Entry, What};
use crate::manifest::{Grown, Manifest, Unwritten};
use crate::names::{self, Table};
use crate::reading::read_store;
use crate::shared::{Kind, Shared};
use crate::version::Version;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// How a store is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    pub guards: Guards,
}

/// Prices of one folder. One process has it at a time.
#[derive(Debug)]
pub struct PriceStore {
    pub(crate) disk: Disk,
    pub(crate) options: Options,
    current: RwLock<Arc<Version>>,
    /// One load at a time is gathered: it gives new SKUs their numbers.
    pub(crate) gathering: Mutex<()>,
    writing: Mutex<Writing>,
    pub(crate) shared: Option<Arc<dyn Shared>>,
    /// Why this node began anew with a copy of what is shared, last.
    joined: Mutex<Option<String>>,
    _lock: File,
}

/// What the one who writes knows.
#[derive(Debug, Default)]
pub(crate) struct Writing {
    /// Whether the last change is on the disk is not known.
    in_doubt: bool,
    /// Files that the journal names.
    kept: BTreeSet<String>,
    /// Which these are is not known: the journal is damaged. Nothing is removed.
    keep_all: bool,
}

pub(crate) const COPY: &str = ".copy";

impl PriceStore {
    /// # Errors
    /// A disk that fails, a folder that another process uses, a manifest or names that are not what was written. Prices that
    /// are not are a finding: see [`Version::damage`].
    pub fn open(folder: &Path, options: Options) -> Result<Self, PriceStoreError> {
        std::fs::create_dir_all(folder).doing("making the folder of prices")?;
        Self::open_on(Disk::new(folder), options, None)
    }

    /// One of several nodes that share their prices: it has what the others have when this returns.
    ///
    /// # Errors
    /// As [`PriceStore::open`], and what is shared cannot be read.
    pub fn open_shared(
        folder: &Path,
        options: Options,
        shared: Arc<dyn Shared>,
        now: Timestamp,
    ) -> Result<Self, PriceStoreError> {
        std::fs::create_dir_all(folder).doing("making the folder of prices")?;
        let store = Self::open_on(Disk::new(folder), options, Some(shared))?;
        let mut writing = store.writing_at(now)?;
        // The manifest names the terms by their digest, so that it is the others' manifest though they are not there.
        if store.current().has_lost_terms() {
            store.join_anew(&mut writing, "its terms are damaged", now)?;
        }
        drop(writing);
        Ok(store)
    }

    pub(crate) fn open_on(
        disk: Disk,
        options: Options,
        shared: Option<Arc<dyn Shared>>,
    ) -> Result<Self, PriceStoreError> {
        let lock = File::create(disk.path("lock")).doing("locking the prices")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(PriceStoreError::InUse(disk.path(""))),
            Err(std::fs::TryLockError::Error(error)) => return Err(error).doing("locking the prices"),
        }
        join::finish(&disk).doing("taking shared prices in place of these")?;
        let (version, writing) = read_store(&disk)?;
        Ok(Self {
            disk,
            options,
            current: RwLock::new(Arc::new(version)),
            gathering: Mutex::new(()),
            writing: Mutex::new(writing),
            shared,
            joined: Mutex::default(),
            _lock: lock,
        })
    }

    /// The version that counts. Cheap; hold it from the first line of a cart to the last.
    #[must_use]
    pub fn current(&self) -> Arc<Version> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Nobody else writes while this is held, and what other nodes have written until now is here.
    pub(crate) fn writing_at(&self, now: Timestamp) -> Result<MutexGuard<'_, Writing>, PriceStoreError> {
        let mut writing = self.writing()?;
        self.catch_up(&mut writing, now)?;
        Ok(writing)
    }

    /// What is here begins anew with what is shared.
    pub(crate) fn joined(&self, version: Version, why: &str) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(version);
        *self.joined.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.to_owned());
    }

    /// Why this node began anew with a copy of what all share, since it was asked last.
    pub fn why_joined(&self) -> Option<String> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Nobody else writes while this is held.
    pub(crate) fn writing(&self) -> Result<MutexGuard<'_, Writing>, PriceStoreError> {
        // A writer that panicked has published all or nothing.
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if writing.in_doubt { Err(PriceStoreError::InDoubt) } else { Ok(writing) }
    }

    /// Writes the journal and the manifest, and only then shows the version. `seen`: it answers otherwise than before.
    pub(crate) fn publish(
        &self,
        writing: &mut Writing,
        next: Version,
        entry: Option<(&str, What)>,
        seen: bool,
        now: Timestamp,
    ) -> Result<Arc<Version>, PriceStoreError> {
        let kind = if entry.is_some() { Kind::Change } else { Kind::Merge };
        self.publish_as(writing, next, entry, kind, seen, now)
    }

    pub(crate) fn publish_as(
        &self,
        writing: &mut Writing,
        mut next: Version,
        entry: Option<(&str, What)>,
        kind: Kind,
        seen: bool,
        now: Timestamp,
    ) -> Result<Arc<Version>, PriceStoreError> {
        let before = self.current();
        let manifest = &mut next.manifest;
        (manifest.number, manifest.layout) =
            if seen { (before.number() + 1, 0) } else { (before.number(), before.manifest.layout + 1) };
        // A clock that was put back does not put a version before its elder.
        let now = now.max(before.manifest.from);
        if seen || before.manifest.name().is_first() {
            manifest.from = now;
        }
        let mut kept = Vec::new();
        if let Some((by, what)) = entry {
            kept.extend(what.files().map(|(file, _)| file.to_owned()));
            let head = &manifest.journal;
            let (number, prev) = (head.entries + 1, head.sha256.clone());
            let entry = Entry { number, at: now, version: manifest.number, by: by.to_owned(), what, prev };
            manifest.journal = journal::append(&self.disk, head, &entry)?;
            self.disk.sync_dir("").doing("writing the journal")?;
        }
        if kind == Kind::Whole {
            let all: Vec<String> = writing.kept.iter().cloned().collect();
            self.ship(&before.manifest, &mut next.manifest, &all, kind, now)?;
        } else {
            self.ship(&before.manifest, &mut next.manifest, &kept, kind, now)?;
        }
        match next.manifest.write(&self.disk) {
            Ok(()) => {}
            Err(Unwritten::Not(error)) => return Err(error).doing("writing a version"),
            Err(Unwritten::Perhaps(error)) => {
                writing.in_doubt = true;
                return Err(error)
                    .doing("writing a version, which counts or not when the store is opened again");
            }
        }
        writing.kept.extend(kept);
        Ok(self.swap(writing, next))
    }

    /// It is on the disk: now everybody sees it.
    pub(crate) fn swap(&self, writing: &Writing, next: Version) -> Arc<Version> {
        let (before, next) = (self.current(), Arc::new(next));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        self.forget(writing, &before.manifest, &next.manifest);
        next
    }

    /// Removes what only the version before needed. Readers of it have it in memory. A file that stays is removed at the next start.
    fn forget(&self, writing: &Writing, before: &Manifest, now: &Manifest) {
        let needed: BTreeSet<&str> = now.files().collect();
        let is_over =
            |file: &&str| !needed.contains(file) && !writing.kept.contains(*file) && !writing.keep_all;
        for file in before.files().filter(is_over) {
            let _ = self.disk.remove(file);
        }
        if before.name() != now.name() {
            let _ = self.disk.remove(&before.name().path());
        }
    }

    /// Behind the names of the manifest; what it says then.
    pub(crate) fn append_names(
        &self,
        file: &str,
        grown: Grown,
        table: &Table,
    ) -> Result<Grown, PriceStoreError> {
        let run = names::run(table);
        if run.is_empty() {
            return Ok(grown);
        }
        self.disk.append(file, grown.bytes, &run).doing("writing names")?;
        self.disk.append(&format!("{file}{COPY}"), grown.bytes, &run).doing("writing names")?;
        Ok(Grown { count: grown.count + table.len(), bytes: grown.bytes + run.len() as u64 })
    }
}

impl Writing {
    pub(crate) fn keeping(kept: BTreeSet<String>) -> Self {
        Self { kept, ..Self::default() }
    }

    pub(crate) fn keeping_all() -> Self {
        Self { keep_all: true, ..Self::default() }
    }

    pub(crate) fn keep(&mut self, files: Vec<String>) {
        self.kept.extend(files);
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.keep_all
    }
}
