//! A change goes to the other nodes: its files are put beside the series, and then its step is appended, which is the moment at which it
//! counts. Owns that nothing counts here before it counts there, and that of two nodes which change something at once one does it over.

use crate::error::{Doing as _, PriceStoreError};
use crate::manifest::{JOURNAL, LISTS, Manifest, SKUS};
use crate::shared::{CHUNK_BYTES, Head, Kind, Part, Shared, Step, unshared};
use crate::store::{COPY, PriceStore, Writing};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom};

/// A change that others overtook is done over so often.
const TRIES: u32 = 20;
/// More bytes than twice what the last whole copy has, and these: it is time for another one.
const BYTES_MIN: u64 = 64 << 20;

impl PriceStore {
    /// Does it over where another node was first: what it rests on is another thing then.
    pub(crate) fn over_again<T>(
        &self,
        mut work: impl FnMut() -> Result<T, PriceStoreError>,
    ) -> Result<T, PriceStoreError> {
        let mut tries = 0;
        loop {
            match work() {
                Err(PriceStoreError::Behind) if tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    /// What is about to be written here, to all: after it, it counts. `kept`: files that the journal names.
    pub(crate) fn ship(
        &self,
        before: &Manifest,
        next: &mut Manifest,
        kept: &[String],
        kind: Kind,
        now: Timestamp,
    ) -> Result<(), PriceStoreError> {
        let Some(shared) = &self.shared else {
            // What is changed alone no other node has: whoever shares again finds that it is this one's own.
            next.step = 0;
            return Ok(());
        };
        // On that of the version it was made of; the first that anybody shares follows on none.
        next.step += 1;
        let old: BTreeSet<&str> = before.files().collect();
        let files: BTreeSet<&str> = match kind {
            Kind::Change => next.files().chain(kept.iter().map(String::as_str)).collect(),
            Kind::Merge => BTreeSet::new(),
            Kind::Whole => next.files().chain(kept.iter().map(String::as_str)).collect(),
        };
        let is_new = |file: &&str| kind == Kind::Whole || !old.contains(file);
        let files = files.into_iter().filter(is_new).map(|file| {
            let bytes = self.disk.open(file).and_then(|open| open.metadata()).doing("shipping prices")?.len();
            Ok(Part { file: file.to_owned(), at: 0, bytes })
        });
        let files = files.collect::<Result<Vec<_>, PriceStoreError>>()?;
        let grown = [
            (SKUS, before.skus.bytes, next.skus.bytes),
            (LISTS, before.lists.bytes, next.lists.bytes),
            (JOURNAL, before.journal.bytes, next.journal.bytes),
        ];
        let grown = grown.map(|(file, from, to)| {
            let at = if kind == Kind::Whole { 0 } else { from };
            Part { file: file.to_owned(), at, bytes: to - at }
        });
        let grown = grown.into_iter().filter(|part| part.bytes > 0).collect();
        let head = Head { manifest: next.text()?, kind, files, grown };
        self.append_step(shared.as_ref(), next, &head, now)
    }

    fn append_step(
        &self,
        shared: &dyn Shared,
        next: &Manifest,
        head: &Head,
        now: Timestamp,
    ) -> Result<(), PriceStoreError> {
        let body = shared.new_body().map_err(unshared)?;
        let text = serde_json::to_vec(head).map_err(|error| unshared(error.to_string()))?;
        let mut bytes = text.len() as u64;
        shared.put(&body, 0, text, now).map_err(unshared)?;
        let (mut part, mut chunk) = (0, Vec::new());
        let mut put = |chunk: &mut Vec<u8>| {
            part += 1;
            shared.put(&body, part, std::mem::take(chunk), now).map_err(unshared)
        };
        for Part { file, at, bytes: length } in head.files.iter().chain(&head.grown) {
            let mut open = self.disk.open(file).doing("shipping prices")?;
            open.seek(SeekFrom::Start(*at)).doing("shipping prices")?;
            let mut left = *length;
            bytes += left;
            while left > 0 {
                let room = (CHUNK_BYTES - chunk.len()) as u64;
                let read =
                    open.by_ref().take(room.min(left)).read_to_end(&mut chunk).doing("shipping prices")?;
                if read == 0 {
                    return Err(PriceStoreError::Damaged { file: file.clone(), what: "its end is missing" });
                }
                left -= read as u64;
                if chunk.len() == CHUNK_BYTES {
                    put(&mut chunk)?;
                }
            }
        }
        if !chunk.is_empty() {
            put(&mut chunk)?;
        }
        let whole = head.kind == Kind::Whole;
        let step = Step { number: next.step, body, digest: next.digest()?, bytes, whole, at: now };
        match shared.append(&step) {
            Ok(true) => Ok(()),
            Ok(false) => Err(PriceStoreError::Behind),
            Err(why) => Err(PriceStoreError::Shared(format!(
                "{why}; whether the change counts is known when the store can be asked again: look before doing it over"
            ))),
        }
    }

    /// A whole copy for nodes to come, where more than so many steps have followed on the last one, or many bytes; what is before it is
    /// forgotten then. True: made.
    ///
    /// # Errors
    /// The disk, or the store.
    pub fn copy_for_others(&self, steps_max: u64, now: Timestamp) -> Result<bool, PriceStoreError> {
        let Some(shared) = self.shared.clone() else { return Ok(false) };
        let steps = self.all_steps(shared.as_ref())?;
        let last = steps.iter().rposition(|step| step.whole);
        let since: u64 = steps[last.map_or(0, |last| last + 1)..].iter().map(|step| step.bytes).sum();
        let count = (steps.len() - last.map_or(0, |last| last + 1)) as u64;
        let whole = last.map_or(0, |last| steps[last].bytes);
        if count <= steps_max && since <= BYTES_MIN + 2 * whole {
            return Ok(false);
        }
        let copy = self.over_again(|| {
            let mut writing = self.writing_at(now)?;
            self.ship_whole(&mut writing, now)?;
            // While nobody else writes: after it others go on, and the copy is not the newest any more.
            Ok(self.current().manifest.step)
        })?;
        // Nodes that have all but the copy see by the step before it that they have the same.
        shared.forget(copy.saturating_sub(1), now).map_err(unshared)?;
        Ok(true)
    }

    /// The same prices as before, as a step with which a node may begin.
    pub(crate) fn ship_whole(&self, writing: &mut Writing, now: Timestamp) -> Result<(), PriceStoreError> {
        if writing.is_damaged() || !self.current().damage().findings.is_empty() {
            let what = "what is damaged is not handed on: see prices verify";
            return Err(PriceStoreError::Damaged { file: JOURNAL.to_owned(), what });
        }
        let next = self.current().with(self.current().manifest.clone());
        self.publish_as(writing, next, None, Kind::Whole, false, now).map(drop)
    }

    pub(crate) fn all_steps(&self, shared: &dyn Shared) -> Result<Vec<Step>, PriceStoreError> {
        let mut all: Vec<Step> = Vec::new();
        loop {
            let from = all.last().map_or(0, |last| last.number + 1);
            let more = shared.steps(from).map_err(unshared)?;
            if more.is_empty() {
                return Ok(all);
            }
            all.extend(more);
        }
    }
}

/// Both of a file's copies.
pub(crate) fn copies(file: &str) -> Vec<String> {
    match file {
        SKUS | LISTS => vec![file.to_owned(), format!("{file}{COPY}")],
        _ => vec![file.to_owned()],
    }
}
