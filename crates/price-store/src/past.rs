//! The prices and terms of an instant that is over, as a book that a [`pricing::Resolver`] reads. Owns that an explanation of last
//! year needs no copy of last year's prices: each look-up is a search of the journal, which keeps every change. Slow beside
//! memory (a file for each load that is asked), and never wrong.

use crate::audit::{block_of, opened};
use crate::error::{Doing as _, PriceStoreError};
use crate::journal::{self, Changes, Entry, What};
use crate::segment::Reader;
use crate::store::PriceStore;
use crate::version::{Version, by_terms};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pricing::book::ListIndex;
use pricing::{Book, Price, Terms};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Past<'s> {
    store: &'s PriceStore,
    version: Arc<Version>,
    number: u64,
    terms: Terms,
    by_terms: Arc<[Option<u32>]>,
    /// Up to the instant, the newest first.
    entries: Vec<Entry>,
    readers: RefCell<BTreeMap<u64, Reader>>,
    fault: RefCell<Option<PriceStoreError>>,
}

impl PriceStore {
    /// What counted at `at`.
    ///
    /// # Errors
    /// A disk that fails, a journal or terms that are not what was written.
    pub fn past(&self, at: Timestamp) -> Result<Past<'_>, PriceStoreError> {
        let version = self.current();
        let mut entries = journal::read(&self.disk, &version.manifest.journal)?;
        entries.retain(|entry| entry.at <= at);
        entries.reverse();
        let terms = entries.iter().find_map(|entry| match &entry.what {
            What::Terms { file, .. } => Some(file),
            _ => None,
        });
        let terms = match terms {
            None => Terms::default(),
            Some(file) => crate::terms::compile(&self.disk.read(file).doing("reading terms of the past")?)?.1,
        };
        Ok(Past {
            store: self,
            number: entries.first().map_or(0, |entry| entry.version),
            by_terms: by_terms(&terms, &version.lists),
            terms,
            version,
            entries,
            readers: RefCell::default(),
            fault: RefCell::default(),
        })
    }
}

impl Past<'_> {
    /// The version that counted.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// To be asked after the last look-up: one that met this has answered "no price".
    #[must_use]
    pub fn fault(self) -> Option<PriceStoreError> {
        self.fault.into_inner()
    }

    fn look(&self, list: u32, sku: u32) -> Result<Option<Price>, PriceStoreError> {
        for entry in &self.entries {
            let What::Loaded(loaded) = &entry.what else { continue };
            if loaded.healed.iter().any(|healed| self.version.lists.find(healed) == Some(list)) {
                // The list as a whole stands in this load.
                return self.change(entry.number, &loaded.changes, list, sku).map(Option::flatten);
            }
            if let Some(price) = self.change(entry.number, &loaded.changes, list, sku)? {
                return Ok(price);
            }
        }
        Ok(None)
    }

    /// What a load said of a price. None: nothing.
    fn change(
        &self,
        entry: u64,
        changes: &Changes,
        list: u32,
        sku: u32,
    ) -> Result<Option<Option<Price>>, PriceStoreError> {
        match changes {
            Changes::Inline(rows) => {
                let (list, sku) = (self.version.lists.name(list), self.version.skus.name(sku));
                let row = rows.iter().find(|row| Some(&*row.0) == list && Some(&*row.1) == sku);
                Ok(row.map(|row| row.3.as_ref().and_then(|form| form.read(&TimeZone::UTC).ok())))
            }
            Changes::Files(files) => {
                let mut readers = self.readers.borrow_mut();
                let reader = match readers.entry(entry) {
                    Slot::Occupied(slot) => slot.into_mut(),
                    Slot::Vacant(slot) => slot.insert(opened(&self.store.disk, &files.after)?),
                };
                let block = block_of(reader, &files.after, list)?;
                Ok(block.and_then(|block| block.value(sku).map(|value| value.price())))
            }
        }
    }
}

impl Book for Past<'_> {
    type Key = u32;

    fn key(&self, sku: &str) -> Option<u32> {
        self.version.skus.find(sku)
    }

    fn price(&self, list: ListIndex, key: u32) -> Option<Price> {
        let list = (*self.by_terms.get(list.0 as usize)?)?;
        self.look(list, key).unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            None
        })
    }
}
