//! Another node's change comes here. Owns that each step is taken whole and in order, that what comes of it is byte for byte what that
//! node has, and what happens where it is not: then this node begins anew with the last whole copy.

use crate::block::Block;
use crate::error::{Doing as _, PriceStoreError};
use crate::journal::Entry;
use crate::layers;
use crate::manifest::{JOURNAL, LISTS, Manifest, SKUS, Unwritten};
use crate::names::{self, Names};
use crate::quiet::quietly;
use crate::reading::read_terms;
use crate::segment;
use crate::sha::sha256;
use crate::shared::{Head, Kind, Part, Shared, Standing, Step, unshared};
use crate::ship::copies;
use crate::store::{PriceStore, Writing};
use crate::version::{Damage, Version, by_terms};
use jiff::Timestamp;
use kernel::key::hex;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

/// More often it is not looked whether more steps have come, or begun anew.
const ROUNDS_MAX: u32 = 100;

/// Why a step cannot be taken.
#[derive(Debug)]
pub(crate) enum Untaken {
    /// What is here is not what the step rests upon.
    Apart(String),
    Failed(PriceStoreError),
}

impl From<PriceStoreError> for Untaken {
    fn from(error: PriceStoreError) -> Self {
        Self::Failed(error)
    }
}

fn apart(what: impl Into<String>) -> Untaken {
    Untaken::Apart(what.into())
}

/// The bytes behind the first chunk of a body, one chunk after the other.
pub(crate) struct Body<'s> {
    shared: &'s dyn Shared,
    name: String,
    part: u32,
    chunk: std::vec::IntoIter<u8>,
}

impl<'s> Body<'s> {
    /// With the first chunk, which is held against the step.
    pub(crate) fn open(shared: &'s dyn Shared, step: &Step) -> Result<(Head, Self), PriceStoreError> {
        let text = shared.get(&step.body, 0).map_err(unshared)?;
        let head: Head = serde_json::from_slice(&text).map_err(|_| {
            unshared(format!(
                "step {} of the prices was written by a newer program: start that one",
                step.number
            ))
        })?;
        if hex(&sha256(head.manifest.as_bytes())) != step.digest {
            return Err(unshared(format!("step {} of the prices is not what was written", step.number)));
        }
        Ok((head, Self { shared, name: step.body.clone(), part: 0, chunk: Vec::new().into_iter() }))
    }

    /// Hands on the next `bytes`.
    pub(crate) fn read(
        &mut self,
        mut bytes: u64,
        take: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), PriceStoreError> {
        while bytes > 0 {
            if self.chunk.as_slice().is_empty() {
                self.part += 1;
                self.chunk = self.shared.get(&self.name, self.part).map_err(unshared)?.into_iter();
                if self.chunk.as_slice().is_empty() {
                    return Err(unshared(format!("chunk {} of {} is empty", self.part, self.name)));
                }
            }
            let length = (self.chunk.as_slice().len() as u64).min(bytes);
            let some = usize::try_from(length).unwrap_or(usize::MAX);
            take(&self.chunk.as_slice()[..some]).doing("writing shared prices")?;
            self.chunk.nth(some - 1);
            bytes -= length;
        }
        Ok(())
    }
}

impl PriceStore {
    /// Takes what other nodes have changed. Returns how this node stands then; none: it shares its prices with nobody.
    ///
    /// # Errors
    /// The store cannot be asked, the disk fails. What counted goes on counting.
    pub fn follow(&self, now: Timestamp) -> Result<Option<Standing>, PriceStoreError> {
        let Some(shared) = self.shared.clone() else { return Ok(None) };
        // Most of the time there is nothing, and nobody has to be waited for.
        let newest = shared.head().map_err(unshared)?;
        let own = self.current();
        let is_there = newest.as_ref().is_some_and(|newest| newest.number == own.manifest.step)
            && newest.as_ref().map(|newest| &newest.digest) == own.manifest.digest().ok().as_ref();
        if !is_there && (newest.is_some() || !own.manifest.name().is_first()) {
            // A step may be gigabytes, and a merge is done here as it was there: carts go first.
            quietly(|| self.writing_at(now).map(drop))?;
        }
        let step = self.current().manifest.step;
        Ok(Some(Standing { step, newest: newest.map_or(step, |newest| newest.number.max(step)) }))
    }

    /// All steps that there are; the one who writes has the floor.
    pub(crate) fn catch_up(&self, writing: &mut Writing, now: Timestamp) -> Result<(), PriceStoreError> {
        let Some(shared) = self.shared.clone() else { return Ok(()) };
        for _ in 0..ROUNDS_MAX {
            let own = self.current();
            let at = own.manifest.step;
            // With the step that this node took last, to see that it is still the same one.
            let mut steps = shared.steps(at.max(1)).map_err(unshared)?.into_iter().peekable();
            if steps.peek().is_none() {
                return match (shared.head().map_err(unshared)?, own.manifest.name().is_first()) {
                    (None, true) => Ok(()),
                    // Nobody shares any prices yet: these are the first.
                    (None, false) => self.ship_first(writing, now),
                    (Some(_), _) => {
                        self.join(shared.as_ref(), writing, "the shared ones ended before")?;
                        continue;
                    }
                };
            }
            if at > 0 {
                let same = steps.next().filter(|step| step.number == at);
                if same.map(|step| step.digest) != Some(own.manifest.digest()?) {
                    self.join(shared.as_ref(), writing, "what is here is not what is shared")?;
                    continue;
                }
            } else if !own.manifest.name().is_first() {
                self.join(shared.as_ref(), writing, "they were never shared")?;
                continue;
            }
            if steps.peek().is_none() {
                return Ok(());
            }
            for step in steps {
                match self.take(shared.as_ref(), writing, &step) {
                    Ok(()) => {}
                    Err(Untaken::Failed(error)) => return Err(error),
                    Err(Untaken::Apart(why)) => {
                        self.join(shared.as_ref(), writing, &why)?;
                        break;
                    }
                }
            }
        }
        Err(unshared("what is shared does not come to be here, however often it is copied".to_owned()))
    }

    /// With the last whole copy, and the steps since.
    pub(crate) fn join_anew(
        &self,
        writing: &mut Writing,
        why: &str,
        now: Timestamp,
    ) -> Result<(), PriceStoreError> {
        let Some(shared) = self.shared.clone() else { return Ok(()) };
        self.join(shared.as_ref(), writing, why)?;
        self.catch_up(writing, now)
    }

    fn ship_first(&self, writing: &mut Writing, now: Timestamp) -> Result<(), PriceStoreError> {
        let mut manifest = self.current().manifest.clone();
        manifest.step = 0;
        let next = self.current().with(manifest);
        let published = self.publish_as(writing, next, None, Kind::Whole, false, now);
        match published {
            // Another node's are the first: the next round joins them.
            Err(PriceStoreError::Behind) => self.catch_up(writing, now),
            published => published.map(drop),
        }
    }

    fn take(&self, shared: &dyn Shared, writing: &mut Writing, step: &Step) -> Result<(), Untaken> {
        let own = self.current();
        if step.number != own.manifest.step + 1 {
            return Err(apart(format!("step {} is gone already", own.manifest.step + 1)));
        }
        let (head, mut body) = Body::open(shared, step)?;
        let manifest: Manifest = serde_json::from_str(&head.manifest).map_err(|_| {
            unshared(format!("step {} was written by a newer program: start that one", step.number))
        })?;
        match head.kind {
            Kind::Merge => self.merge_alike(writing, &manifest),
            Kind::Whole if own.manifest.name().is_first() => Err(apart("there is a whole copy")),
            Kind::Whole => self.change(writing, manifest, &[], &mut body, &[]),
            Kind::Change => self.change(writing, manifest, &head.files, &mut body, &head.grown),
        }
    }

    fn change(
        &self,
        writing: &mut Writing,
        manifest: Manifest,
        files: &[Part],
        body: &mut Body<'_>,
        grown: &[Part],
    ) -> Result<(), Untaken> {
        let own = self.current();
        for Part { file, bytes, .. } in files {
            let mut out = self.disk.create(file).doing("writing shared prices")?;
            body.read(*bytes, &mut |some| out.write_all(some))?;
            out.finish().doing("writing shared prices")?;
        }
        let mut kept = Vec::new();
        let mut next = own.with(manifest);
        for Part { file, at, bytes } in grown {
            let mut text = Vec::new();
            body.read(*bytes, &mut |some| text.write_all(some))?;
            let end = match file.as_str() {
                SKUS => own.manifest.skus.bytes,
                LISTS => own.manifest.lists.bytes,
                _ => own.manifest.journal.bytes,
            };
            if *at != end {
                return Err(apart(format!("{file} has another length")));
            }
            for copy in copies(file) {
                self.disk.append(&copy, *at, &text).doing("writing shared prices")?;
            }
            match file.as_str() {
                SKUS => next.skus = with(&own.skus, &text)?,
                LISTS => next.lists = with(&own.lists, &text)?,
                JOURNAL => kept = named_files(&text)?,
                other => return Err(apart(format!("{other} is no file that grows"))),
            }
        }
        self.put_on(&mut next, &own)?;
        self.disk.sync_dir("").doing("writing shared prices")?;
        self.show(writing, next, kept)
    }

    /// The layers and terms as the manifest has them.
    fn put_on(&self, next: &mut Version, own: &Version) -> Result<(), Untaken> {
        let counting: BTreeSet<u32> = next.manifest.segments.iter().map(|segment| segment.ordinal).collect();
        let of_own = own.layers.iter().flat_map(|layers| layers.iter());
        let mut blocks: Vec<Arc<Block>> =
            of_own.filter(|block| counting.contains(&block.ordinal)).map(Arc::clone).collect();
        for file in next.manifest.segments.iter().filter(|file| !own.manifest.segments.contains(file)) {
            let read = segment::read(&self.disk, file).doing("reading shared prices")?;
            if read.unknown || !read.wrong.is_empty() || !read.lost.is_empty() {
                return Err(apart(format!("{} is not what was shared", file.file)));
            }
            blocks.extend(read.blocks);
        }
        next.layers = layers::of_blocks(next.lists.len(), blocks);
        if next.manifest.terms != own.manifest.terms
            && let Some(file) = &next.manifest.terms
        {
            let mut damage = Damage::default();
            next.terms = Arc::new(read_terms(&self.disk, file, &mut damage)?);
            if !damage.findings.is_empty() {
                return Err(apart("the terms are not what was shared"));
            }
        }
        next.by_terms = by_terms(next.terms(), &next.lists);
        Ok(())
    }

    /// It counts elsewhere already: now here.
    fn show(&self, writing: &mut Writing, next: Version, kept: Vec<String>) -> Result<(), Untaken> {
        match next.manifest.write(&self.disk) {
            Ok(()) => {}
            Err(Unwritten::Not(error) | Unwritten::Perhaps(error)) => {
                return Err(PriceStoreError::Disk { doing: "writing a shared version", source: error }.into());
            }
        }
        writing.keep(kept);
        self.swap(writing, next);
        Ok(())
    }

    /// What the other node made of its layers, made of the same layers here.
    fn merge_alike(&self, writing: &mut Writing, manifest: &Manifest) -> Result<(), Untaken> {
        let mut next = self
            .merged_layers(&self.current())?
            .ok_or_else(|| apart("there is nothing to merge here, and there was elsewhere"))?;
        let before = self.current();
        next.manifest.layout = before.manifest.layout + 1;
        next.manifest.step = before.manifest.step + 1;
        if next.manifest != *manifest {
            return Err(apart("what was merged here has other bytes than elsewhere"));
        }
        self.disk.sync_dir("").doing("merging prices")?;
        self.show(writing, next, Vec::new())
    }
}

fn with(names: &Names, text: &[u8]) -> Result<Names, Untaken> {
    let table = names::table(names.len(), text).ok_or_else(|| apart("names are not what was shared"))?;
    names.with(table).map_err(|error| Untaken::Failed(error.into()))
}

/// Of lines of the journal.
pub(crate) fn named_files(text: &[u8]) -> Result<Vec<String>, Untaken> {
    let mut files = Vec::new();
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let entry: Entry =
            serde_json::from_slice(line).map_err(|_| apart("a line of the journal is no entry"))?;
        files.extend(entry.what.files().map(|(file, _)| file.to_owned()));
    }
    Ok(files)
}
