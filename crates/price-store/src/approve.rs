//! What a person says to a load that is held: yes or no, with a name and a reason. Owns that nobody approves what he has not seen:
//! a load is weighed anew, and what has become of it meanwhile is shown first.

use crate::block::Block;
use crate::error::{Doing as _, PriceStoreError};
use crate::guards::Reason;
use crate::held::HeldLoad;
use crate::journal::{self, Approval, Changes, Files, What};
use crate::live::Told;
use crate::load::{LoadRequest, Mode, NewNames, Outcome, Weighed};
use crate::names::Table;
use crate::quiet::quietly;
use crate::segment::{self, Writer};
use crate::store::{PriceStore, Writing};
use crate::version::Version;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// More loads do not wait.
const HELD_MAX: usize = 100;

impl PriceStore {
    /// All loads that wait, the oldest first.
    ///
    /// # Errors
    /// A disk that fails, or a held load that is not what was written.
    pub fn held(&self) -> Result<Vec<HeldLoad>, PriceStoreError> {
        self.current().manifest.held.iter().map(|held| HeldLoad::read(&self.disk, held)).collect()
    }

    /// A held load goes live, because a person says so.
    ///
    /// # Errors
    /// [`PriceStoreError::LookAgain`]: since it was held something else went live, and what it would change is other than what the
    /// person saw. It is weighed anew and stays held; approving it again is meant.
    pub fn approve(
        &self,
        load: u64,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        let (by, reason) = named(by, reason)?;
        quietly(|| self.over_again(|| self.approve_here(load, by, reason, now)))
    }

    fn approve_here(
        &self,
        load: u64,
        by: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        let mut writing = self.writing_at(now)?;
        let version = self.current();
        let (held, drafts) = self.held_drafts(&version, load)?;
        let names = NewNames {
            skus: Table::beginning_at(version.skus.len()),
            lists: Table::beginning_at(version.lists.len()),
        };
        let mut weighed = self.weigh(&version, &names, drafts.iter().map(AsRef::as_ref), now)?;
        weighed.reasons.extend(self.overtaken(&version, &held, &drafts)?);
        let seen = |reason: &Reason| held.reasons.iter().any(|before| before.is_as(reason));
        if !weighed.reasons.iter().all(seen) {
            let again =
                HeldLoad { diff: weighed.diff, reasons: weighed.reasons, against: version.number(), ..held };
            self.hold_again(&mut writing, &version, &again, now)?;
            return Err(PriceStoreError::LookAgain(Box::new(again)));
        }
        let approval = Approval {
            reason: reason.to_owned(),
            loaded_by: held.by,
            loaded_at: held.at,
            held_for: weighed.reasons.clone(),
        };
        let approval = Some(approval);
        let told = Told { load, source: held.source, note: held.note, approval, by: by.to_owned(), now };
        self.go_live(&mut writing, &version, &names, weighed, told)
    }

    /// A held load is dropped.
    ///
    /// # Errors
    /// No such load is held; a disk that fails.
    pub fn reject(&self, load: u64, by: &str, reason: &str, now: Timestamp) -> Result<(), PriceStoreError> {
        let (by, reason) = named(by, reason)?;
        self.over_again(|| self.reject_here(load, by, reason, now))
    }

    fn reject_here(&self, load: u64, by: &str, reason: &str, now: Timestamp) -> Result<(), PriceStoreError> {
        let mut writing = self.writing_at(now)?;
        let version = self.current();
        let mut manifest = version.manifest.clone();
        let at =
            manifest.held.iter().position(|held| held.load == load).ok_or(PriceStoreError::NotHeld(load))?;
        let held = manifest.held.remove(at);
        // Rejecting is the way out of one that is damaged, too.
        let source =
            HeldLoad::read(&self.disk, &held).map_or_else(|_| "unknown".to_owned(), |held| held.source);
        let what = What::Rejected { load, source, reason: reason.to_owned() };
        self.publish(&mut writing, version.with(manifest), Some((by, what)), false, now).map(drop)
    }

    #[expect(clippy::too_many_arguments, reason = "all of a load, to be kept as it is")]
    pub(crate) fn hold(
        &self,
        writing: &mut Writing,
        version: &Version,
        names: &NewNames,
        drafts: &[Block],
        weighed: Weighed,
        request: LoadRequest,
        rows: u64,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        let load = version.manifest.next_load;
        let Weighed { diff, reasons, .. } = weighed;
        let superseded = self.superseded(version, drafts, &request)?;
        if version.manifest.held.len() - superseded.len() >= HELD_MAX {
            return Err(PriceStoreError::ManyHeld(HELD_MAX));
        }
        let LoadRequest { source, by, note, mode, .. } = request;
        let mut next = self.with_names(version, version.manifest.clone(), names)?;
        let manifest = &mut next.manifest;
        manifest.next_load = load + 1;
        manifest.held.retain(|held| !superseded.contains(&held.load));
        let (segment, ordinal) = manifest.new_file("held");
        let mut writer = Writer::create(&self.disk, &segment, ordinal).doing("writing a held load")?;
        for draft in drafts {
            writer.add(draft).doing("writing a held load")?;
        }
        let segment = writer.finish().doing("writing a held load")?;
        let against = version.number();
        let held = HeldLoad { load, at: now, source, by, note, mode, rows, against, diff, reasons };
        let (file, _) = manifest.new_file("held.json");
        manifest.held.push(held.write(&self.disk, file, segment)?);
        let what = What::Held { load, source: held.source, reasons: held.reasons.clone(), superseded };
        self.publish(writing, next, Some((&held.by, what)), false, now)?;
        Ok(Outcome::Held { load, diff: held.diff, reasons: held.reasons })
    }

    /// Loads that wait and that nobody needs any more: of the same source, each of their lists as a whole, and all of these lists are in
    /// the new one.
    fn superseded(
        &self,
        version: &Version,
        drafts: &[Block],
        request: &LoadRequest,
    ) -> Result<Vec<u64>, PriceStoreError> {
        let lists: BTreeSet<u32> = drafts.iter().map(|draft| draft.list).collect();
        let mut superseded = Vec::new();
        for file in version.manifest.held.iter().filter(|_| request.mode != Mode::Changes) {
            let held = HeldLoad::read(&self.disk, file)?;
            let old = segment::Reader::open(&self.disk, &file.segment).doing("reading a held load")?;
            let covers = old.is_some_and(|old| old.lists().all(|list| lists.contains(&list)));
            if held.source == request.source && held.mode != Mode::Changes && covers {
                superseded.push(held.load);
            }
        }
        Ok(superseded)
    }

    fn hold_again(
        &self,
        writing: &mut Writing,
        version: &Version,
        held: &HeldLoad,
        now: Timestamp,
    ) -> Result<(), PriceStoreError> {
        let mut manifest = version.manifest.clone();
        let (file, _) = manifest.new_file("held.json");
        let of_load = manifest.held.iter_mut().find(|file| file.load == held.load);
        let of_load = of_load.ok_or(PriceStoreError::NotHeld(held.load))?;
        *of_load = held.write(&self.disk, file, of_load.segment.clone())?;
        let (source, reasons) = (held.source.clone(), held.reasons.clone());
        let what = What::Held { load: held.load, source, reasons, superseded: Vec::new() };
        self.publish(writing, version.with(manifest), Some((&held.by, what)), false, now).map(drop)
    }

    fn held_drafts(
        &self,
        version: &Version,
        load: u64,
    ) -> Result<(HeldLoad, Vec<Arc<Block>>), PriceStoreError> {
        let file = version.manifest.held.iter().find(|held| held.load == load);
        let file = file.ok_or(PriceStoreError::NotHeld(load))?;
        let held = HeldLoad::read(&self.disk, file)?;
        let read = segment::read(&self.disk, &file.segment).doing("reading a held load")?;
        if read.unknown || !read.lost.is_empty() {
            let what = "a held load has lost prices: reject it and load it again";
            return Err(PriceStoreError::Damaged { file: file.segment.file.clone(), what });
        }
        Ok((held, read.blocks))
    }

    /// The last load of one of its lists that went live after this one was weighed.
    fn overtaken(
        &self,
        version: &Version,
        held: &HeldLoad,
        drafts: &[Arc<Block>],
    ) -> Result<Option<Reason>, PriceStoreError> {
        if version.number() == held.against {
            return Ok(None);
        }
        let lists: BTreeSet<u32> = drafts.iter().map(|draft| draft.list).collect();
        let last =
            held.reasons.iter().rev().find(|reason| matches!(reason, Reason::Overtaken { .. })).cloned();
        for line in journal::backwards(&self.disk, &version.manifest.journal)? {
            let entry = line?.read()?;
            if entry.version <= held.against {
                break;
            }
            if let What::Loaded(loaded) = &entry.what
                && self.touches(version, &loaded.changes, &lists)?
            {
                return Ok(Some(Reason::Overtaken { load: loaded.load }));
            }
        }
        Ok(last)
    }

    fn touches(
        &self,
        version: &Version,
        changes: &Changes,
        lists: &BTreeSet<u32>,
    ) -> Result<bool, PriceStoreError> {
        Ok(match changes {
            Changes::Inline(rows) => {
                rows.iter().any(|row| version.lists.find(&row.0).is_some_and(|list| lists.contains(&list)))
            }
            Changes::Files(Files { after, .. }) => {
                let opened = segment::Reader::open(&self.disk, after).doing("reading the journal's files")?;
                opened.is_none_or(|opened| opened.lists().any(|list| lists.contains(&list)))
            }
        })
    }
}

fn named<'t>(by: &'t str, reason: &'t str) -> Result<(&'t str, &'t str), PriceStoreError> {
    let (by, reason) = (by.trim(), reason.trim());
    if by.is_empty() || reason.is_empty() { Err(PriceStoreError::Nameless) } else { Ok((by, reason)) }
}
