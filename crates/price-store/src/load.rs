//! Loads: how prices come in. Owns their way from rows to a version: gathered, weighed, held or published, and what a person says to
//! one that is held. Nothing of a load is seen before all of it is.

use crate::block::Block;
use crate::delta::{self, Delta};
use crate::diff::{Counts, Diff, ListCounts, Scales, currencies_gone};
use crate::error::{Doing as _, PriceStoreError};
use crate::form::PriceForm;
use crate::gather::{Gathered, Row, RowFault, gather};
use crate::guards::Reason;
use crate::held::HeldLoad;
use crate::journal::{Approval, Changes, Files, INLINE_MAX, Inline, Loaded, What};
use crate::layers;
use crate::manifest::{LISTS, Manifest, SKUS};
use crate::names::{Names, Table};
use crate::segment::{self, SegmentFile, Writer};
use crate::store::{PriceStore, Writing};
use crate::version::{Version, by_terms};
use crate::word::Value;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the rows of a load are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// What is not in it stays as it is.
    Changes,
    /// All prices of each list that has a row, and of these; a list of these without a row becomes empty.
    Lists(Vec<String>),
    /// All prices of all lists.
    All,
}

/// Who loads what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadRequest {
    /// The system or file that the prices come from.
    pub source: String,
    /// The person or program.
    pub by: String,
    pub note: Option<String>,
    pub mode: Mode,
    /// Weighed and told, and nothing is changed.
    pub dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Live {
        load: u64,
        version: u64,
        diff: Diff,
    },
    /// Nothing is another than before; the version stays.
    Unchanged {
        load: u64,
        version: u64,
        diff: Diff,
    },
    /// It waits for [`PriceStore::approve`] or [`PriceStore::reject`].
    Held {
        load: u64,
        diff: Diff,
        reasons: Vec<Reason>,
    },
    /// `reasons`: why it would be held; none: it would go live.
    DryRun {
        diff: Diff,
        reasons: Vec<Reason>,
    },
}

/// A load that was weighed.
#[derive(Debug)]
struct Weighed {
    deltas: Vec<Delta>,
    diff: Diff,
    reasons: Vec<Reason>,
}

/// The names that a load brings.
#[derive(Debug)]
struct NewNames {
    skus: Table,
    lists: Table,
}

/// What the journal says of a load.
#[derive(Debug)]
struct Told {
    load: u64,
    source: String,
    note: Option<String>,
    approval: Option<Approval>,
}

impl PriceStore {
    /// Rows in any order. While they come, carts, merges, approvals and changes of the terms go on; another load waits.
    ///
    /// # Errors
    /// Rows that are refused; a disk that fails. Nothing has changed then.
    pub fn load<'r>(
        &self,
        request: LoadRequest,
        rows: impl Iterator<Item = Result<Row<'r>, RowFault>>,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        if request.by.trim().is_empty() {
            return Err(PriceStoreError::Nameless);
        }
        let _one = self.gathering.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let Gathered { skus, lists, drafts, rows } = gather(&self.current(), &request.mode, rows)?;
        let names = NewNames { skus, lists };
        if request.dry_run {
            let Weighed { diff, reasons, .. } = self.weigh(&self.current(), &names, drafts.iter(), now)?;
            return Ok(Outcome::DryRun { diff, reasons });
        }
        let mut writing = self.writing()?;
        let version = self.current();
        let weighed = self.weigh(&version, &names, drafts.iter(), now)?;
        if weighed.reasons.is_empty() {
            drop(drafts);
            let load = version.manifest.next_load;
            let LoadRequest { source, by, note, .. } = request;
            let told = Told { load, source, note, approval: None };
            return self.go_live(&mut writing, &version, &names, weighed, told, &by, now);
        }
        self.hold(&mut writing, &version, names, &drafts, weighed, request, rows, now)
    }

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
        let mut writing = self.writing()?;
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
        let told = Told { load, source: held.source, note: held.note, approval: Some(approval) };
        self.go_live(&mut writing, &version, &names, weighed, told, by, now)
    }

    /// A held load is dropped.
    ///
    /// # Errors
    /// No such load is held; a disk that fails.
    pub fn reject(&self, load: u64, by: &str, reason: &str, now: Timestamp) -> Result<(), PriceStoreError> {
        let (by, reason) = named(by, reason)?;
        let mut writing = self.writing()?;
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

    fn weigh<'d>(
        &self,
        version: &Version,
        names: &NewNames,
        drafts: impl Iterator<Item = &'d Block>,
        now: Timestamp,
    ) -> Result<Weighed, PriceStoreError> {
        let guards = &self.options.guards;
        let mut scales = Scales::new(guards, now.as_second());
        let list_id = |list| version.lists.name(list).or_else(|| names.lists.named(list)).unwrap_or_default();
        let sku_text = |sku| version.skus.name(sku).or_else(|| names.skus.named(sku)).unwrap_or_default();
        let mut deltas = Vec::new();
        let mut lists = Vec::new();
        for draft in drafts {
            let id = list_id(draft.list);
            if draft.below > 0 && version.manifest.lost.contains(&draft.list) {
                return Err(PriceStoreError::NeedsWhole(id.to_owned()));
            }
            let delta = delta::of(version, draft, version.manifest.next_file, &mut scales)?;
            let in_terms = version.terms().list_named(id).is_some();
            lists.push(ListCounts { list: id.to_owned(), in_terms, counts: delta.counts });
            deltas.push(delta);
        }
        let diff = scales.end(lists, |list, sku| (list_id(list).to_owned(), sku_text(sku).to_owned()));
        let after: BTreeMap<u32, u64> =
            deltas.iter().map(|delta| (delta.list, delta.counts.after())).collect();
        let gone =
            currencies_gone(version, |list| after.get(&list).copied().unwrap_or_else(|| version.live(list)));
        let reasons = guards.judge(&diff, gone);
        Ok(Weighed { deltas, diff, reasons })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one step of two callers, and each part is of another kind"
    )]
    fn go_live(
        &self,
        writing: &mut Writing,
        version: &Version,
        names: &NewNames,
        weighed: Weighed,
        told: Told,
        by: &str,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        let Weighed { deltas, diff, .. } = weighed;
        let load = told.load;
        let mut manifest = version.manifest.clone();
        manifest.next_load = manifest.next_load.max(load + 1);
        manifest.held.retain(|held| held.load != load);
        let healed: BTreeSet<u32> =
            deltas.iter().map(|delta| delta.list).filter(|list| manifest.lost.remove(list)).collect();
        let mut next = self.with_names(version, manifest, names)?;
        let prices = diff.total.after();
        let lists = deltas.len() as u64;
        let deltas: Vec<Delta> = deltas.into_iter().filter(|delta| !delta.is_empty()).collect();
        if deltas.is_empty() && healed.is_empty() {
            let what = What::Unchanged { load, source: told.source, lists, prices };
            let version = self.publish(writing, next, Some((by, what)), false, now)?.number();
            return Ok(Outcome::Unchanged { load, version, diff });
        }
        let healed = healed.iter().filter_map(|list| next.lists.name(*list)).map(str::to_owned).collect();
        next.damage.lists.retain(|list| !BTreeSet::contains(&healed, list));
        let changes = self.put_layers(&mut next, deltas, &diff.total)?;
        let what = What::Loaded(Box::new(Loaded {
            load,
            source: told.source,
            note: told.note,
            approval: told.approval,
            counts: diff.total,
            lists,
            largest_falls: diff.largest_falls.clone(),
            largest_rises: diff.largest_rises.clone(),
            healed,
            changes,
        }));
        let version = self.publish(writing, next, Some((by, what)), true, now)?.number();
        Ok(Outcome::Live { load, version, diff })
    }

    /// Writes the changes and lays them upon the lists; what the journal says of them.
    fn put_layers(
        &self,
        next: &mut Version,
        deltas: Vec<Delta>,
        total: &Counts,
    ) -> Result<Changes, PriceStoreError> {
        let inline = total.changed() <= INLINE_MAX;
        let inline_changes = if inline { inlined(next, &deltas) } else { Vec::new() };
        let doing = "writing prices";
        let (after_name, ordinal) = next.manifest.new_file("prices");
        let (before_name, _) = next.manifest.new_file("before");
        let (folded_name, folded_ordinal) = next.manifest.new_file("prices");
        let mut after: Option<Writer> = None;
        let mut before: Option<Writer> = None;
        let mut folded: Option<Writer> = None;
        for Delta { list, after: block, before: was, .. } in deltas {
            debug_assert_eq!(block.ordinal, ordinal);
            let layers = next.layers.get_mut(list as usize).ok_or(PriceStoreError::InDoubt)?;
            let (made, taken) = layers::folded(layers, &block, folded_ordinal)?;
            if made.is_none() || !inline {
                self.writer(&mut after, &after_name, ordinal)?.add(&block).doing(doing)?;
            }
            if !inline && was.len() > 0 {
                self.writer(&mut before, &before_name, ordinal)?.add(&was).doing(doing)?;
            }
            let top = match made {
                Some(made) => {
                    self.writer(&mut folded, &folded_name, folded_ordinal)?.add(&made).doing(doing)?;
                    Arc::new(made)
                }
                None => block,
            };
            *layers = std::iter::once(top).chain(layers[taken..].iter().map(Arc::clone)).collect();
        }
        let after = after.map(Writer::finish).transpose().doing(doing)?;
        let before = before.map(Writer::finish).transpose().doing(doing)?;
        next.manifest.segments.extend(after.clone());
        next.manifest.segments.extend(folded.map(Writer::finish).transpose().doing(doing)?);
        next.drop_dead_segments();
        Ok(match after {
            Some(after) if !inline => Changes::Files(Files { after, before }),
            _ => Changes::Inline(inline_changes),
        })
    }

    fn writer<'w>(
        &self,
        slot: &'w mut Option<Writer>,
        name: &str,
        ordinal: u32,
    ) -> Result<&'w mut Writer, PriceStoreError> {
        if slot.is_none() {
            *slot = Some(Writer::create(&self.disk, name, ordinal).doing("writing prices")?);
        }
        slot.as_mut().ok_or(PriceStoreError::InDoubt)
    }

    /// The same prices, with names that are on the disk when this returns.
    fn with_names(
        &self,
        version: &Version,
        mut manifest: Manifest,
        names: &NewNames,
    ) -> Result<Version, PriceStoreError> {
        manifest.skus = self.append_names(SKUS, manifest.skus, &names.skus)?;
        manifest.lists = self.append_names(LISTS, manifest.lists, &names.lists)?;
        let mut next = version.with(manifest);
        next.skus = added(&version.skus, &names.skus)?;
        if names.lists.len() > 0 {
            next.lists = added(&version.lists, &names.lists)?;
            next.layers.resize_with(next.lists.len() as usize, Arc::default);
            next.by_terms = by_terms(next.terms(), &next.lists);
        }
        Ok(next)
    }

    #[expect(clippy::too_many_arguments, reason = "all of a load, to be kept as it is")]
    fn hold(
        &self,
        writing: &mut Writing,
        version: &Version,
        names: NewNames,
        drafts: &[Block],
        weighed: Weighed,
        request: LoadRequest,
        rows: u64,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        let load = version.manifest.next_load;
        let Weighed { diff, reasons, .. } = weighed;
        let LoadRequest { source, by, note, mode, .. } = request;
        let mut next = self.with_names(version, version.manifest.clone(), &names)?;
        let manifest = &mut next.manifest;
        manifest.next_load = load + 1;
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
        let what = What::Held { load, source: held.source, reasons: held.reasons.clone() };
        self.publish(writing, next, Some((&held.by, what)), false, now)?;
        Ok(Outcome::Held { load, diff: held.diff, reasons: held.reasons })
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
        let what = What::Held { load: held.load, source: held.source.clone(), reasons: held.reasons.clone() };
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
        let mut last =
            held.reasons.iter().rev().find(|reason| matches!(reason, Reason::Overtaken { .. })).cloned();
        for entry in crate::journal::read(&self.disk, &version.manifest.journal)? {
            if let What::Loaded(loaded) = &entry.what
                && entry.version > held.against
                && self.touches(version, &loaded.changes, &lists)?
            {
                last = Some(Reason::Overtaken { load: loaded.load });
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

fn added(names: &Names, new: &Table) -> Result<Names, PriceStoreError> {
    if new.len() == 0 { Ok(names.clone()) } else { Ok(names.with(new.clone())?) }
}

fn inlined(version: &Version, deltas: &[Delta]) -> Vec<Inline> {
    let mut rows = Vec::new();
    for Delta { list, after, before, .. } in deltas {
        for (sku, value) in after.iter() {
            let text = |name: Option<&str>| name.unwrap_or_default().to_owned();
            let form = |value: Value<'_>| value.price().as_ref().map(PriceForm::from);
            let was = before.value(sku).and_then(form);
            rows.push(Inline(
                text(version.lists.name(*list)),
                text(version.skus.name(sku)),
                was,
                form(value),
            ));
        }
    }
    rows
}

impl Version {
    /// The same, as another manifest keeps it.
    pub(crate) fn with(&self, manifest: Manifest) -> Self {
        Self {
            manifest,
            skus: self.skus.clone(),
            lists: self.lists.clone(),
            layers: self.layers.clone(),
            terms: Arc::clone(&self.terms),
            by_terms: Arc::clone(&self.by_terms),
            damage: self.damage.clone(),
        }
    }

    /// Segments of which no block counts.
    pub(crate) fn drop_dead_segments(&mut self) {
        let used: BTreeSet<u32> =
            self.layers.iter().flat_map(|layers| layers.iter()).map(|block| block.ordinal).collect();
        self.manifest.segments.retain(|segment: &SegmentFile| used.contains(&segment.ordinal));
    }
}
