//! What lies in a store's folder becomes the version that counts. Owns what is damaged and what is not, and that what nobody needs
//! is swept away.

use crate::block::Block;
use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::journal;
use crate::layers;
use crate::manifest::{DATA, Grown, JOURNAL, LISTS, Manifest, Name, SKUS, TermsFile, Unreadable, VERSIONS};
use crate::names::{self, Names};
use crate::segment::{self, SegmentFile};
use crate::sha::sha256;
use crate::store::{COPY, Writing};
use crate::version::{Damage, ReadTerms, Version, by_terms};
use kernel::key::hex;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader};
use std::sync::Arc;

/// The version that counts, and what whoever writes must know.
pub(crate) fn read_store(disk: &Disk) -> Result<(Version, Writing), PriceStoreError> {
    for folder in [VERSIONS, DATA] {
        disk.create_dir(folder).doing("making the folders of prices")?;
    }
    disk.sync_dir("").doing("making the folders of prices")?;
    let manifest = match Name::all(disk).doing("looking for versions")?.last() {
        None => {
            nothing_was_lost(disk)?;
            Manifest::first()
        }
        Some(name) => Manifest::read(disk, name).map_err(|error| unreadable(name, error))?,
    };
    let mut findings = Vec::new();
    let writing = match kept_files(disk, &manifest) {
        Ok(kept) => {
            sweep(disk, &manifest, &kept);
            Writing::keeping(kept)
        }
        Err(PriceStoreError::Damaged { what, .. }) => {
            findings.push(format!("{JOURNAL}: {what}"));
            Writing::keeping_all()
        }
        Err(error) => return Err(error),
    };
    let version = read_version(disk, manifest, findings)?;
    Ok((version, writing))
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
fn sweep(disk: &Disk, manifest: &Manifest, kept: &BTreeSet<String>) {
    let needed: BTreeSet<&str> = manifest.files().collect();
    for name in disk.list(DATA).unwrap_or_default() {
        let file = format!("{DATA}/{name}");
        if !needed.contains(file.as_str()) && !kept.contains(&file) {
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

pub(crate) fn read_terms(
    disk: &Disk,
    file: &TermsFile,
    damage: &mut Damage,
) -> Result<ReadTerms, PriceStoreError> {
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
