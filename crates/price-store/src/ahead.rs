//! Reads ahead what a cart will ask. Owns nothing but time: a look-up in a hundred million prices waits for memory four times, and
//! what is looked up line by line waits for each. Read stage by stage for all lines, the processor waits for many at once.

use crate::block::Block;
use crate::names::hash;
use crate::version::Version;
use pricing::book::ListIndex;
use std::hint::black_box;

/// Fewer lines are looked up as they come.
const AHEAD_FROM: usize = 10;
/// A buyer with more lists than that is resolved without; what is read ahead would push out itself.
const BLOCKS_MAX: usize = 64;

impl Version {
    /// The keys of SKUs, each in its one spelling, whose prices are asked next, in these lists of the terms.
    pub(crate) fn keys_ahead(
        &self,
        lists: impl Iterator<Item = ListIndex>,
        skus: &[&str],
    ) -> Vec<Option<u32>> {
        let is_worth_it = skus.len() >= AHEAD_FROM;
        let hashes: Vec<u64> = skus.iter().map(|sku| hash(sku)).collect();
        if is_worth_it {
            self.skus.read_ahead(&hashes);
        }
        let found = skus.iter().zip(&hashes).map(|(sku, hash)| self.skus.find_hashed(sku, *hash));
        let keys: Vec<Option<u32>> = found.collect();
        if is_worth_it {
            self.prices_ahead(lists, &keys);
        }
        keys
    }

    fn prices_ahead(&self, lists: impl Iterator<Item = ListIndex>, keys: &[Option<u32>]) {
        let blocks: Vec<&Block> = lists
            .filter_map(|list| *self.by_terms.get(list.0 as usize)?)
            .filter_map(|list| self.layers.get(list as usize))
            .flat_map(|layers| layers.iter().map(AsRef::as_ref))
            .take(BLOCKS_MAX)
            .collect();
        let each = |read: &dyn Fn(&Block, u32) -> u32| {
            for block in &blocks {
                black_box(keys.iter().flatten().fold(0, |sum, key| sum ^ read(block, *key)));
            }
        };
        each(&|block, key| block.keys().first_read(key));
        each(&|block, key| u32::from(block.keys().second_read(key)));
        each(&|block, key| block.word(key));
    }
}
