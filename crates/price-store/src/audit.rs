//! What was the price, who changed it, when, why, and by which load. Owns the search through the journal and the files that it
//! names. Answers come from the journal alone and not from the prices that count: the two can be held against each other.

use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::form::PriceForm;
use crate::journal::{self, Changes, Entry, Files, Inline, Loaded, What};
use crate::segment::{Reader, SegmentFile};
use crate::store::PriceStore;
use crate::version::Version;
use crate::word::Value;
use jiff::Timestamp;
use pricing::Sku;
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// What is looked for; what is none is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Any of these: the lists of a company, for one.
    pub lists: Option<BTreeSet<String>>,
    /// In any spelling.
    pub sku: Option<String>,
    /// Who loaded or approved it.
    pub by: Option<String>,
    pub load: Option<u64>,
    /// Half open: the first instant counts, the last does not.
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// How many of the newest are passed over.
    pub skip: usize,
}

/// One change of one price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceAudit {
    pub list: String,
    pub sku: String,
    pub before: Option<PriceForm>,
    pub after: Option<PriceForm>,
    pub at: Timestamp,
    /// The first version in which it counts.
    pub version: u64,
    /// The line of the journal.
    pub entry: u64,
    pub load: u64,
    pub source: String,
    /// Who approved it, if it was held; else who loaded it.
    pub by: String,
    pub note: Option<String>,
    /// Why it was approved, and who had loaded it.
    pub approved_because: Option<String>,
    pub loaded_by: Option<String>,
}

/// The names of what is looked for, as numbers.
#[derive(Debug)]
struct Wanted {
    lists: Option<BTreeSet<u32>>,
    sku: Option<u32>,
}

impl PriceStore {
    /// The journal, the newest entry first: loads, approvals, changes of the terms. Lists and SKU of the query are not asked.
    ///
    /// # Errors
    /// A disk that fails, a journal that is not what was written.
    pub fn entries(&self, query: &AuditQuery, limit: usize) -> Result<Vec<Entry>, PriceStoreError> {
        let mut entries = journal::read(&self.disk, &self.current().manifest.journal)?;
        entries.retain(|entry| query.takes(entry));
        Ok(entries.into_iter().rev().skip(query.skip).take(limit).collect())
    }

    /// Changes of prices, the newest first.
    ///
    /// # Errors
    /// As [`PriceStore::each_change`].
    pub fn audit(&self, query: &AuditQuery, limit: usize) -> Result<Vec<PriceAudit>, PriceStoreError> {
        let mut found = Vec::new();
        let mut skip = query.skip;
        if limit > 0 {
            self.each_change(query, |change| {
                if skip > 0 {
                    skip -= 1;
                    return ControlFlow::Continue(());
                }
                found.push(change);
                if found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        Ok(found)
    }

    /// All changes of one price, the newest first.
    ///
    /// # Errors
    /// As [`PriceStore::each_change`].
    pub fn history(&self, list: &str, sku: &str) -> Result<Vec<PriceAudit>, PriceStoreError> {
        let query = AuditQuery {
            lists: Some(BTreeSet::from([list.to_owned()])),
            sku: Some(sku.to_owned()),
            ..AuditQuery::default()
        };
        self.audit(&query, usize::MAX)
    }

    /// The change by which a price was what it was at an instant. None: no load had ever spoken of it. A change whose `after` is
    /// none: it had no price.
    ///
    /// # Errors
    /// As [`PriceStore::each_change`].
    pub fn price_at(
        &self,
        list: &str,
        sku: &str,
        at: Timestamp,
    ) -> Result<Option<PriceAudit>, PriceStoreError> {
        let query = AuditQuery {
            lists: Some(BTreeSet::from([list.to_owned()])),
            sku: Some(sku.to_owned()),
            until: at.checked_add(jiff::SignedDuration::from_nanos(1)).ok(),
            ..AuditQuery::default()
        };
        Ok(self.audit(&query, 1)?.pop())
    }

    /// Changes of prices, load by load, the newest load first, without holding them in memory: for an export.
    ///
    /// # Errors
    /// A disk that fails, a journal or a file of it that is not what was written.
    pub fn each_change(
        &self,
        query: &AuditQuery,
        mut each: impl FnMut(PriceAudit) -> ControlFlow<()>,
    ) -> Result<(), PriceStoreError> {
        let version = self.current();
        let Some(wanted) = query.wanted(&version) else { return Ok(()) };
        for entry in journal::read(&self.disk, &version.manifest.journal)?.into_iter().rev() {
            let What::Loaded(loaded) = &entry.what else { continue };
            if !query.takes(&entry) {
                continue;
            }
            let flow = match &loaded.changes {
                Changes::Inline(rows) => inline(&version, &entry, loaded, rows, &wanted, &mut each),
                Changes::Files(files) => {
                    in_files(&self.disk, &version, &entry, loaded, files, &wanted, &mut each)?
                }
            };
            if flow.is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl AuditQuery {
    fn takes(&self, entry: &Entry) -> bool {
        let load = match &entry.what {
            What::Loaded(loaded) => Some(loaded.load),
            What::Unchanged { load, .. } | What::Held { load, .. } | What::Rejected { load, .. } => {
                Some(*load)
            }
            What::Terms { .. } => None,
        };
        let loaded_by = match &entry.what {
            What::Loaded(loaded) => loaded.approval.as_ref().map(|approval| approval.loaded_by.as_str()),
            _ => None,
        };
        self.from.is_none_or(|from| from <= entry.at)
            && self.until.is_none_or(|until| entry.at < until)
            && self.load.is_none_or(|wanted| load == Some(wanted))
            && self.by.as_deref().is_none_or(|by| entry.by == by || loaded_by == Some(by))
    }

    /// None: nothing of that name was ever loaded.
    fn wanted(&self, version: &Version) -> Option<Wanted> {
        let numbers = |ids: &BTreeSet<String>| ids.iter().filter_map(|id| version.lists.find(id)).collect();
        let lists = self.lists.as_ref().map(numbers);
        let sku = match &self.sku {
            None => None,
            Some(sku) => Some(version.skus.find(&Sku::spell(sku).ok()?)?),
        };
        Some(Wanted { lists, sku })
    }
}

impl Wanted {
    fn list(&self, list: u32) -> bool {
        self.lists.as_ref().is_none_or(|lists| lists.contains(&list))
    }
}

fn told(entry: &Entry, loaded: &Loaded, list: &str, sku: &str) -> PriceAudit {
    PriceAudit {
        list: list.to_owned(),
        sku: sku.to_owned(),
        before: None,
        after: None,
        at: entry.at,
        version: entry.version,
        entry: entry.number,
        load: loaded.load,
        source: loaded.source.clone(),
        by: entry.by.clone(),
        note: loaded.note.clone(),
        approved_because: loaded.approval.as_ref().map(|approval| approval.reason.clone()),
        loaded_by: loaded.approval.as_ref().map(|approval| approval.loaded_by.clone()),
    }
}

fn inline(
    version: &Version,
    entry: &Entry,
    loaded: &Loaded,
    rows: &[Inline],
    wanted: &Wanted,
    each: &mut impl FnMut(PriceAudit) -> ControlFlow<()>,
) -> ControlFlow<()> {
    for Inline(list, sku, before, after) in rows {
        let is_list = version.lists.find(list).is_some_and(|list| wanted.list(list));
        let is_sku = wanted.sku.is_none_or(|wanted| version.skus.find(sku) == Some(wanted));
        if is_list && is_sku {
            let (before, after) = (before.clone(), after.clone());
            each(PriceAudit { before, after, ..told(entry, loaded, list, sku) })?;
        }
    }
    ControlFlow::Continue(())
}

fn in_files(
    disk: &Disk,
    version: &Version,
    entry: &Entry,
    loaded: &Loaded,
    files: &Files,
    wanted: &Wanted,
    each: &mut impl FnMut(PriceAudit) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, PriceStoreError> {
    let mut after = opened(disk, &files.after)?;
    let mut before = None;
    let lists: Vec<u32> = after.lists().filter(|list| wanted.list(*list)).collect();
    for list in lists {
        let Some(block) = block_of(&mut after, &files.after, list)? else { continue };
        if wanted.sku.is_some_and(|sku| block.value(sku).is_none()) {
            continue;
        }
        if let (None, Some(file)) = (&before, &files.before) {
            before = Some(opened(disk, file)?);
        }
        let was = match (&mut before, &files.before) {
            (Some(reader), Some(file)) => block_of(reader, file, list)?,
            _ => None,
        };
        let one = wanted.sku.and_then(|sku| Some((sku, block.value(sku)?)));
        let all = wanted.sku.is_none().then(|| block.iter());
        for (sku, value) in one.into_iter().chain(all.into_iter().flatten()) {
            let form = |value: Value<'_>| value.price().as_ref().map(PriceForm::from);
            let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
            let told = told(entry, loaded, &name(version.lists.name(list)), &name(version.skus.name(sku)));
            let before = was.as_ref().and_then(|was| was.value(sku)).and_then(form);
            if each(PriceAudit { before, after: form(value), ..told }).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    Ok(ControlFlow::Continue(()))
}

pub(crate) fn opened(disk: &Disk, segment: &SegmentFile) -> Result<Reader, PriceStoreError> {
    let found = Reader::open(disk, segment).doing("reading the journal's files")?;
    found.ok_or_else(|| PriceStoreError::Damaged {
        file: segment.file.clone(),
        what: "it is not there, or its directory is lost",
    })
}

pub(crate) fn block_of(
    reader: &mut Reader,
    segment: &SegmentFile,
    list: u32,
) -> Result<Option<crate::block::Block>, PriceStoreError> {
    match reader.block(list).doing("reading the journal's files")? {
        Some(None) => Err(PriceStoreError::Damaged {
            file: segment.file.clone(),
            what: "the changes of a list in it are lost",
        }),
        Some(block) => Ok(block),
        None => Ok(None),
    }
}
