//! What the shop sells: SKUs, the variants of each, and their own price.

use super::offer::Minor;
use std::collections::BTreeMap;

/// One SKU of the shop. Several variants may have it: each of them gets the price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Good {
    pub sku: String,
    pub variants: Vec<u64>,
    /// The lowest price of its variants, in the shop's own currency.
    pub own: Option<Minor>,
}

/// All of them, each with a number.
#[derive(Debug, Clone, Default)]
pub struct Shelf {
    goods: Vec<Good>,
    by_sku: BTreeMap<String, u32>,
    by_variant: BTreeMap<u64, u32>,
}

/// SKUs are compared without blanks around them and without regard to case.
fn folded(sku: &str) -> String {
    sku.trim().to_lowercase()
}

impl Shelf {
    /// A variant without a SKU is passed over: nothing can name it.
    pub fn add(&mut self, sku: &str, variant: u64, own: Option<Minor>) {
        let key = folded(sku);
        if key.is_empty() {
            return;
        }
        let next = u32::try_from(self.goods.len()).unwrap_or(u32::MAX);
        let at = *self.by_sku.entry(key).or_insert(next);
        self.by_variant.insert(variant, at);
        match self.goods.get_mut(at as usize) {
            Some(good) => {
                good.variants.push(variant);
                good.own = good.own.into_iter().chain(own).min();
            }
            None => self.goods.push(Good { sku: sku.trim().to_owned(), variants: vec![variant], own }),
        }
    }

    #[must_use]
    pub fn find(&self, sku: &str) -> Option<u32> {
        self.by_sku.get(&folded(sku)).copied()
    }

    #[must_use]
    pub fn of_variant(&self, variant: u64) -> Option<u32> {
        self.by_variant.get(&variant).copied()
    }

    #[must_use]
    pub fn good(&self, number: u32) -> Option<&Good> {
        self.goods.get(number as usize)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.goods.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.goods.is_empty()
    }
}
