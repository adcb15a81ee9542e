//! Where resolution reads prices: a port, and the plain book in memory that tests, examples and a Shopify Function use. Refuses
//! to say how a book of a hundred million prices is laid out: that is the read model's.

use crate::price::Price;
use crate::sku::Sku;
use std::collections::BTreeMap;

/// The place of a price list among those of the terms that were read with this book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListIndex(pub u32);

/// Prices of one version. A reader holds one book for a whole cart, so that a cart sees one version.
pub trait Book {
    /// A SKU of this book; cheap to copy.
    type Key: Copy;

    /// `sku` in its one spelling ([`Sku::spell`]). None: no list has ever had a price for it.
    fn key(&self, sku: &str) -> Option<Self::Key>;

    /// What `list` says of the SKU.
    fn price(&self, list: ListIndex, key: Self::Key) -> Option<Price>;

    /// The keys of a cart, whose lines are then priced in `lists`: of each SKU what [`Book::key`] says. A book that has to wait
    /// for its prices waits here, for all of them at once.
    fn keys(&self, lists: impl Iterator<Item = ListIndex>, skus: &[&str]) -> Vec<Option<Self::Key>> {
        let _ = lists;
        skus.iter().map(|sku| self.key(sku)).collect()
    }
}

/// A book in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryBook {
    skus: BTreeMap<Sku, u32>,
    prices: BTreeMap<(ListIndex, u32), Price>,
}

impl MemoryBook {
    /// What was there before for this list and SKU is replaced, and returned.
    pub fn set(&mut self, list: ListIndex, sku: Sku, price: Price) -> Option<Price> {
        let next = u32::try_from(self.skus.len()).unwrap_or(u32::MAX);
        let key = *self.skus.entry(sku).or_insert(next);
        self.prices.insert((list, key), price)
    }
}

impl Book for MemoryBook {
    type Key = u32;

    fn key(&self, sku: &str) -> Option<u32> {
        self.skus.get(sku).copied()
    }

    fn price(&self, list: ListIndex, key: u32) -> Option<Price> {
        self.prices.get(&(list, key)).cloned()
    }
}
