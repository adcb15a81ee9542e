//! The store as a whole: its folder, its one writer, the version that counts. Owns opening and publishing: everything a version
//! is made of is on the disk before its manifest is, and its manifest before anybody sees it.

use crate::block::Block;
use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::guards::Guards;
use crate::journal::{self, Entry, What};
use crate::layers;
use crate::manifest::{
    DATA, Grown, JOURNAL, LISTS, Manifest, Name, SKUS, TermsFile, Unreadable, Unwritten, VERSIONS,
};
use crate::names::{self, Names, Table};
use crate::segment::{self, SegmentFile};
use crate::sha::sha256;
use crate::version::{Damage, ReadTerms, Version, by_terms};
use jiff::Timestamp;
use kernel::key::hex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
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
        Self::open_on(Disk::new(folder), options)
    }

    pub(crate) fn open_on(disk: Disk, options: Options) -> Result<Self, PriceStoreError> {
        let lock = File::create(disk.path("lock")).doing("locking the prices")?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(PriceStoreError::InUse(disk.path(""))),
            Err(std::fs::TryLockError::Error(error)) => return Err(error).doing("locking the prices"),
        }
        for folder in [VERSIONS, DATA] {
            disk.create_dir(folder).doing("making the folders of prices")?;
        }
        disk.sync_dir("").doing("making the folders of prices")?;
        let manifest = match Name::all(&disk).doing("looking for versions")?.last() {
            None => {
                nothing_was_lost(&disk)?;
                Manifest::first()
            }
            Some(name) => Manifest::read(&disk, name).map_err(|error| unreadable(name, error))?,
        };
        let mut writing = Writing::default();
        let mut findings = Vec::new();
        match kept_files(&disk, &manifest) {
            Ok(kept) => {
                writing.kept = kept;
                sweep(&disk, &manifest, &writing);
            }
            Err(PriceStoreError::Damaged { what, .. }) => {
                writing.keep_all = true;
                findings.push(format!("{JOURNAL}: {what}"));
            }
            Err(error) => return Err(error),
        }
        let version = read_version(&disk, manifest, findings)?;
        Ok(Self {
            disk,
            options,
            current: RwLock::new(Arc::new(version)),
            gathering: Mutex::new(()),
            writing: Mutex::new(writing),
            _lock: lock,
        })
    }

    /// The version that counts. Cheap; hold it from the first line of a cart to the last.
    #[must_use]
    pub fn current(&self) -> Arc<Version> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
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
        mut next: Version,
        entry: Option<(&str, What)>,
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
        let next = Arc::new(next);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        self.forget(writing, &before.manifest, &next.manifest);
        Ok(next)
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

/// A first load that died before it counted leaves one line of the journal and no version. More than one, and the versions have been
/// taken away: beginning anew would sweep away all that is left.
fn nothing_was_lost(disk: &Disk) -> Result<(), PriceStoreError> {
    let file = match disk.open(JOURNAL) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.doing("looking for versions")?,
    };
    let second = BufReader::new(file).split(b'\n').nth(1).transpose().doing("looking for versions")?;
    if second.is_none() {
        return Ok(());
    }
    let what = "there is no version in it, and the journal tells of some";
    Err(PriceStoreError::Damaged { file: VERSIONS.to_owned(), what })
}

/// Files that the journal names.
fn kept_files(disk: &Disk, manifest: &Manifest) -> Result<BTreeSet<String>, PriceStoreError> {
    let mut kept = BTreeSet::new();
    let mut chain = journal::Chain::default();
    for line in journal::forwards(disk, &manifest.journal)? {
        let line = line?;
        chain.follow(&line)?;
        if line.names_files() {
            kept.extend(line.read()?.what.files().map(|(file, _)| file.to_owned()));
        }
    }
    chain.end(&manifest.journal)?;
    Ok(kept)
}

fn unreadable(name: &Name, error: Unreadable) -> PriceStoreError {
    let file = name.path();
    match error {
        Unreadable::Disk(source) => PriceStoreError::Disk { doing: "reading a version", source },
        Unreadable::Changed => {
            PriceStoreError::Damaged { file, what: "neither of its two copies has its digest" }
        }
        Unreadable::Newer => PriceStoreError::Newer(file),
    }
}

/// What a process left that died, and what a version needed that is no more. What cannot be removed lies there until the next start.
fn sweep(disk: &Disk, manifest: &Manifest, writing: &Writing) {
    let needed: BTreeSet<&str> = manifest.files().collect();
    for name in disk.list(DATA).unwrap_or_default() {
        let file = format!("{DATA}/{name}");
        if !needed.contains(file.as_str()) && !writing.kept.contains(&file) {
            let _ = disk.remove(&file);
        }
    }
    let own = manifest.name().path();
    for name in disk.list(VERSIONS).unwrap_or_default() {
        let file = format!("{VERSIONS}/{name}");
        if file != own {
            let _ = disk.remove(&file);
        }
    }
}

fn read_version(disk: &Disk, manifest: Manifest, findings: Vec<String>) -> Result<Version, PriceStoreError> {
    let mut damage = Damage { findings, ..Damage::default() };
    let skus = read_names(disk, SKUS, manifest.skus, &mut damage)?;
    let lists = read_names(disk, LISTS, manifest.lists, &mut damage)?;
    let mut manifest = manifest;
    let blocks = read_segments(disk, &mut manifest, lists.len(), &mut damage)?;
    let mut layers = layers::of_blocks(lists.len(), blocks);
    for list in &manifest.lost {
        if let Some(layers) = layers.get_mut(*list as usize) {
            *layers = Arc::default();
        }
        damage.lists.extend(lists.name(*list).map(str::to_owned));
    }
    let terms = match &manifest.terms {
        None => ReadTerms::default(),
        Some(file) => read_terms(disk, file, &mut damage)?,
    };
    let by_terms = by_terms(&terms.terms, &lists);
    Ok(Version { manifest, skus, lists, layers, terms: Arc::new(terms), by_terms, damage })
}

fn read_names(disk: &Disk, file: &str, grown: Grown, damage: &mut Damage) -> Result<Names, PriceStoreError> {
    if grown.bytes == 0 {
        return Ok(Names::default());
    }
    let copies = [file.to_owned(), format!("{file}{COPY}")];
    let read = copies.each_ref().map(|copy| {
        let bytes = disk.read_head(copy, grown.bytes).ok()?;
        names::read(&bytes).filter(|names| names.len() == grown.count).map(|names| (names, bytes))
    });
    let wrong = read.iter().position(Option::is_none);
    let Some((names, bytes)) = read.into_iter().flatten().next() else {
        let what = "neither it nor its copy has its sums";
        return Err(PriceStoreError::Damaged { file: file.to_owned(), what });
    };
    if let Some(wrong) = wrong {
        let healed = disk.write(&copies[wrong], &bytes).is_ok();
        let end = if healed { "was brought back from its copy" } else { "could not be written anew" };
        damage.findings.push(format!("{}: its sums are wrong; it {end}", copies[wrong]));
    }
    Ok(names)
}

fn read_terms(disk: &Disk, file: &TermsFile, damage: &mut Damage) -> Result<ReadTerms, PriceStoreError> {
    let bytes = match disk.read(&file.file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read.doing("reading the terms")?,
    };
    let intact = hex(&sha256(&bytes)) == file.sha256;
    let terms = if intact { crate::terms::compile(&bytes).ok() } else { None };
    let Some((_, terms)) = terms else {
        damage.findings.push(format!(
            "{}: the terms are not what was written: no list is for anybody until they are set anew",
            file.file
        ));
        return Ok(ReadTerms::default());
    };
    Ok(ReadTerms { bytes, terms })
}

/// All blocks that are whole. The lists of which one is lost that counts are put with those that were lost before.
fn read_segments(
    disk: &Disk,
    manifest: &mut Manifest,
    lists: u32,
    damage: &mut Damage,
) -> Result<Vec<Arc<Block>>, PriceStoreError> {
    let mut blocks = Vec::new();
    // Of each list, below which segment's number a layer does not count.
    let mut limits: BTreeMap<u32, u32> = BTreeMap::new();
    let mut segments: Vec<&SegmentFile> = manifest.segments.iter().collect();
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.ordinal));
    let mut lost = BTreeSet::new();
    for segment in segments {
        let read = segment::read(disk, segment).doing("reading prices")?;
        let counts = |limits: &BTreeMap<u32, u32>, list| {
            limits.get(&list).is_none_or(|limit| segment.ordinal < *limit)
        };
        damage.findings.extend(read.wrong.iter().map(|wrong| format!("{}: {wrong}", segment.file)));
        if read.unknown {
            lost.extend((0..lists).filter(|list| counts(&limits, *list)));
        }
        for entry in read.lost.iter().filter(|entry| counts(&limits, entry.list)) {
            lost.insert(entry.list);
        }
        for block in read.blocks {
            if counts(&limits, block.list) {
                limits.insert(block.list, block.below);
                blocks.push(block);
            }
        }
    }
    manifest.lost.extend(lost);
    Ok(blocks)
}
