//! Loads: how prices come in. Owns what is asked and answered, and the weighing: what a load would change of the version that
//! counts. Going live, and waiting for a person, stand in files of their own.

use crate::block::Block;
use crate::delta::{self, Delta};
use crate::diff::{Diff, ListCounts, Scales, currencies_gone};
use crate::error::PriceStoreError;
use crate::gather::{Gathered, Row, RowFault, gather};
use crate::guards::Reason;
use crate::live::Told;
use crate::names::Table;
use crate::quiet::quietly;
use crate::renumber::renumber;
use crate::store::PriceStore;
use crate::version::Version;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::PoisonError;

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
pub(crate) struct Weighed {
    pub(crate) deltas: Vec<Delta>,
    pub(crate) diff: Diff,
    pub(crate) reasons: Vec<Reason>,
}

/// The names that a load brings.
#[derive(Debug)]
pub(crate) struct NewNames {
    pub(crate) skus: Table,
    pub(crate) lists: Table,
}

impl PriceStore {
    /// Rows in any order. While they come, carts, merges, approvals and changes of the terms go on; another load waits. All of it is done
    /// on a thread that gives way to carts.
    ///
    /// # Errors
    /// Rows that are refused; a disk that fails. Nothing has changed then.
    pub fn load<'r>(
        &self,
        request: LoadRequest,
        rows: impl Iterator<Item = Result<Row<'r>, RowFault>> + Send,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        if request.by.trim().is_empty() {
            return Err(PriceStoreError::Nameless);
        }
        quietly(|| self.load_here(request, rows, now))
    }

    fn load_here<'r>(
        &self,
        request: LoadRequest,
        rows: impl Iterator<Item = Result<Row<'r>, RowFault>>,
        now: Timestamp,
    ) -> Result<Outcome, PriceStoreError> {
        let _one = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        // What other nodes have changed until now, so that little has to be done over.
        if self.shared.is_some() {
            drop(self.writing_at(now)?);
        }
        let Gathered { skus, lists, drafts, rows } = gather(&self.current(), &request.mode, rows)?;
        let mut names = NewNames { skus, lists };
        if request.dry_run {
            let Weighed { diff, reasons, .. } = self.weigh(&self.current(), &names, drafts.iter(), now)?;
            return Ok(Outcome::DryRun { diff, reasons });
        }
        let mut drafts = drafts;
        self.over_again(|| {
            let mut writing = self.writing_at(now)?;
            let version = self.current();
            if self.shared.is_some() {
                renumber(&version, &mut names, &mut drafts, &request.mode)?;
            }
            let weighed = self.weigh(&version, &names, drafts.iter(), now)?;
            if !weighed.reasons.is_empty() {
                let request = request.clone();
                return self.hold(&mut writing, &version, &names, &drafts, weighed, request, rows, now);
            }
            if self.shared.is_none() {
                // It is not done over.
                drafts = Vec::new();
            }
            let load = version.manifest.next_load;
            let LoadRequest { source, by, note, .. } = request.clone();
            let told = Told { load, source, note, approval: None, by, now };
            self.go_live(&mut writing, &version, &names, weighed, told)
        })
    }

    pub(crate) fn weigh<'d>(
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
}
