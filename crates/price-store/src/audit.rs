//! What was the price, who changed it, when, why, and by which load. Owns the search through the journal and the files that it
//! names. Answers come from the journal alone and not from the prices that count: the two can be held against each other.

use crate::block::Block;
use crate::disk::Disk;
use crate::error::{Doing as _, PriceStoreError};
use crate::form::PriceForm;
use crate::journal::{self, Changes, Entry, Files, Inline, Line, Loaded, What};
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
    /// The SKU as it stands in a line of the journal.
    text: Option<String>,
}

impl PriceStore {
    /// The journal, the newest entry first: loads, approvals, changes of the terms. Lists and SKU of the query are not asked.
    ///
    /// # Errors
    /// A disk that fails, a journal that is not what was written.
    pub fn entries(&self, query: &AuditQuery, limit: usize) -> Result<Vec<Entry>, PriceStoreError> {
        let mut found = Vec::new();
        let mut skip = query.skip;
        for line in journal::backwards(&self.disk, &self.current().manifest.journal)? {
            if found.len() == limit {
                break;
            }
            let entry = line?.read()?;
            if query.is_over(&entry) {
                break;
            }
            if query.takes(&entry) {
                if skip == 0 {
                    found.push(entry);
                } else {
                    skip -= 1;
                }
            }
        }
        Ok(found)
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
        for line in journal::backwards(&self.disk, &version.manifest.journal)? {
            let line = line?;
            if !wanted.may_be_in(&line) {
                continue;
            }
            let entry = line.read()?;
            if query.is_over(&entry) {
                break;
            }
            let What::Loaded(loaded) = &entry.what else { continue };
            if !query.takes(&entry) {
                continue;
            }
            let mut told =
                Told { version: &version, entry: &entry, loaded, healed: BTreeSet::new(), each: &mut each };
            let flow = match &loaded.changes {
                Changes::Inline(rows) => told.inline(rows, &wanted),
                Changes::Files(files) => told.in_files(&self.disk, files, &wanted)?,
            };
            if flow.is_break() || told.healed(&wanted).is_break() {
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

    /// All that follows is older than what is looked for.
    fn is_over(&self, entry: &Entry) -> bool {
        self.from.is_some_and(|from| entry.at < from)
    }

    /// None: nothing of that name was ever loaded.
    fn wanted(&self, version: &Version) -> Option<Wanted> {
        let numbers = |ids: &BTreeSet<String>| ids.iter().filter_map(|id| version.lists.find(id)).collect();
        let lists = self.lists.as_ref().map(numbers);
        let (sku, text) = match &self.sku {
            None => (None, None),
            Some(sku) => {
                let sku = Sku::spell(sku).ok()?;
                (Some(version.skus.find(&sku)?), serde_json::to_string(&sku).ok())
            }
        };
        Some(Wanted { lists, sku, text })
    }
}

impl Wanted {
    fn list(&self, list: u32) -> bool {
        self.lists.as_ref().is_none_or(|lists| lists.contains(&list))
    }

    fn may_be_in(&self, line: &Line) -> bool {
        self.text.as_ref().is_none_or(|text| line.has(text) || line.names_files() || line.has("\"healed\":["))
    }
}

/// Tells the changes of one load.
struct Told<'e, F> {
    version: &'e Version,
    entry: &'e Entry,
    loaded: &'e Loaded,
    /// The lists of which the SKU that is looked for was told.
    healed: BTreeSet<u32>,
    each: &'e mut F,
}

impl<F: FnMut(PriceAudit) -> ControlFlow<()>> Told<'_, F> {
    fn tell(
        &mut self,
        list: &str,
        sku: &str,
        before: Option<PriceForm>,
        after: Option<PriceForm>,
    ) -> ControlFlow<()> {
        let Self { entry, loaded, .. } = self;
        let approval = loaded.approval.as_ref();
        (self.each)(PriceAudit {
            list: list.to_owned(),
            sku: sku.to_owned(),
            before,
            after,
            at: entry.at,
            version: entry.version,
            entry: entry.number,
            load: loaded.load,
            source: loaded.source.clone(),
            by: entry.by.clone(),
            note: loaded.note.clone(),
            approved_because: approval.map(|approval| approval.reason.clone()),
            loaded_by: approval.map(|approval| approval.loaded_by.clone()),
        })
    }

    fn inline(&mut self, rows: &[Inline], wanted: &Wanted) -> ControlFlow<()> {
        for Inline(list, sku, before, after) in rows {
            let Some(number) = self.version.lists.find(list).filter(|list| wanted.list(*list)) else {
                continue;
            };
            if wanted.sku.is_none_or(|wanted| self.version.skus.find(sku) == Some(wanted)) {
                self.healed.insert(number);
                self.tell(list, sku, before.clone(), after.clone())?;
            }
        }
        ControlFlow::Continue(())
    }

    fn in_files(
        &mut self,
        disk: &Disk,
        files: &Files,
        wanted: &Wanted,
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
            self.healed.insert(list);
            if self.block(list, &block, was.as_ref(), wanted.sku).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn block(&mut self, list: u32, block: &Block, was: Option<&Block>, sku: Option<u32>) -> ControlFlow<()> {
        let version = self.version;
        let list = version.lists.name(list).unwrap_or_default();
        let one = sku.and_then(|sku| Some((sku, block.value(sku)?)));
        let all = sku.is_none().then(|| block.iter());
        for (sku, value) in one.into_iter().chain(all.into_iter().flatten()) {
            let form = |value: Value<'_>| value.price().as_ref().map(PriceForm::from);
            let before = was.and_then(|was| was.value(sku)).and_then(form);
            self.tell(list, version.skus.name(sku).unwrap_or_default(), before, form(value))?;
        }
        ControlFlow::Continue(())
    }

    /// A list that had been lost was loaded as a whole: a SKU that is not in it has no price from there on.
    fn healed(&mut self, wanted: &Wanted) -> ControlFlow<()> {
        let Some(sku) = wanted.sku else { return ControlFlow::Continue(()) };
        let (version, loaded) = (self.version, self.loaded);
        for list in &loaded.healed {
            let number =
                version.lists.find(list).filter(|list| wanted.list(*list) && !self.healed.contains(list));
            if number.is_some() {
                self.tell(list, version.skus.name(sku).unwrap_or_default(), None, None)?;
            }
        }
        ControlFlow::Continue(())
    }
}

fn opened(disk: &Disk, segment: &SegmentFile) -> Result<Reader, PriceStoreError> {
    let found = Reader::open(disk, segment).doing("reading the journal's files")?;
    found.ok_or_else(|| PriceStoreError::Damaged {
        file: segment.file.clone(),
        what: "it is not there, or its directory is lost",
    })
}

fn block_of(reader: &mut Reader, segment: &SegmentFile, list: u32) -> Result<Option<Block>, PriceStoreError> {
    match reader.block(list).doing("reading the journal's files")? {
        Some(None) => Err(PriceStoreError::Damaged {
            file: segment.file.clone(),
            what: "the changes of a list in it are lost",
        }),
        Some(block) => Ok(block),
        None => Ok(None),
    }
}
