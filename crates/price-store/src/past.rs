//! The prices and terms of an instant that is over, as a book that a [`pricing::Resolver`] reads. Owns that an explanation of last
//! year needs no copy of last year's prices: each look-up is a search of the journal, which keeps every change. Slow beside
//! memory (a search for each list that is asked), and never wrong.

use crate::audit::AuditQuery;
use crate::error::{Doing as _, PriceStoreError};
use crate::journal::{self, What};
use crate::store::PriceStore;
use crate::version::{Version, by_terms};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use pricing::book::ListIndex;
use pricing::{Book, Price, Terms};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Past<'s> {
    store: &'s PriceStore,
    version: Arc<Version>,
    at: Timestamp,
    number: u64,
    terms: Terms,
    by_terms: Arc<[Option<u32>]>,
    /// What was looked up: a line is asked for the same price more than once.
    seen: RefCell<BTreeMap<(u32, u32), Option<Price>>>,
    fault: RefCell<Option<PriceStoreError>>,
}

impl PriceStore {
    /// What counted at `at`.
    ///
    /// # Errors
    /// A disk that fails, a journal or terms that are not what was written.
    pub fn past(&self, at: Timestamp) -> Result<Past<'_>, PriceStoreError> {
        let version = self.current();
        let until = at.checked_add(jiff::SignedDuration::from_nanos(1)).ok();
        let last = self.entries(&AuditQuery { until, ..AuditQuery::default() }, 1)?;
        let mut terms = Terms::default();
        for line in journal::backwards(&self.disk, &version.manifest.journal)? {
            let line = line?;
            if !line.has("\"what\":\"terms\"") {
                continue;
            }
            let entry = line.read()?;
            if let (What::Terms { file, .. }, true) = (&entry.what, entry.at <= at) {
                terms = crate::terms::compile(&self.disk.read(file).doing("reading terms of the past")?)?.1;
                break;
            }
        }
        Ok(Past {
            store: self,
            number: last.first().map_or(0, |entry| entry.version),
            by_terms: by_terms(&terms, &version.lists),
            terms,
            version,
            at,
            seen: RefCell::default(),
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
        let (Some(list), Some(sku)) = (self.version.lists.name(list), self.version.skus.name(sku)) else {
            return Ok(None);
        };
        let change = self.store.price_at(list, sku, self.at)?;
        Ok(change.and_then(|change| change.after).and_then(|form| form.read(&TimeZone::UTC).ok()))
    }
}

impl Book for Past<'_> {
    type Key = u32;

    fn key(&self, sku: &str) -> Option<u32> {
        self.version.skus.find(sku)
    }

    fn price(&self, list: ListIndex, key: u32) -> Option<Price> {
        let list = (*self.by_terms.get(list.0 as usize)?)?;
        if let Some(seen) = self.seen.borrow().get(&(list, key)) {
            return seen.clone();
        }
        let price = self.look(list, key).unwrap_or_else(|fault| {
            self.fault.borrow_mut().get_or_insert(fault);
            None
        });
        self.seen.borrow_mut().insert((list, key), price.clone());
        price
    }
}
