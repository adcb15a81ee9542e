//! Reads ahead what a cart will ask. Owns nothing but time: a look-up in a hundred million prices waits for memory four times, and
//! what is looked up line by line waits for each. Read stage by stage for all lines, the processor waits for many at once.

use crate::block::Block;
use crate::names::hash;
use crate::version::TermsBook;
use pricing::Sku;
use pricing::book::ListIndex;
use std::hint::black_box;

impl TermsBook {
    /// Of the lines of a cart, in any spelling, and the lists that it is resolved with ([`pricing::Resolver::lists`]). It changes no answer;
    /// worth it from about ten lines on.
    pub fn read_ahead<'s>(
        &self,
        lists: impl Iterator<Item = ListIndex>,
        skus: impl Iterator<Item = &'s str>,
    ) {
        let version = self.version();
        let skus: Vec<_> = skus.filter_map(|sku| Sku::spell(sku).ok()).collect();
        let hashes: Vec<u64> = skus.iter().map(|sku| hash(sku)).collect();
        version.skus.read_ahead(&hashes);
        let found = |(sku, hash): (&std::borrow::Cow<'_, str>, &u64)| version.skus.find_hashed(sku, *hash);
        let keys: Vec<u32> = skus.iter().zip(&hashes).filter_map(found).collect();
        let blocks: Vec<&Block> = lists
            .filter_map(|list| *version.by_terms.get(list.0 as usize)?)
            .filter_map(|list| version.layers.get(list as usize))
            .flat_map(|layers| layers.iter().map(AsRef::as_ref))
            .take(BLOCKS_MAX)
            .collect();
        for block in &blocks {
            black_box(keys.iter().fold(0, |sum, key| sum ^ block.keys().first_read(*key)));
        }
        for block in &blocks {
            black_box(keys.iter().fold(0, |sum, key| sum ^ block.keys().second_read(*key)));
        }
        for block in &blocks {
            black_box(keys.iter().fold(0, |sum, key| sum ^ block.word(*key)));
        }
    }
}

/// A buyer with more lists than that is resolved without; what is read ahead would push out itself.
const BLOCKS_MAX: usize = 64;
