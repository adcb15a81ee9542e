//! One version of all prices: what a cart sees from its first line to its last. Owns look-up through the layers of a list and
//! the walk over it; never changes, and lives as long as somebody holds it.

use crate::block::{Block, Entries};
use crate::manifest::Manifest;
use crate::names::Names;
use crate::sha::sha256;
use crate::word::Value;
use jiff::Timestamp;
use kernel::key::hex;
use pricing::book::ListIndex;
use pricing::{Book, Price, Terms};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The layers of a list that count, the newest first.
pub(crate) type Layers = Arc<[Arc<Block>]>;

/// All prices as they counted from an instant on.
#[derive(Debug)]
pub struct Version {
    pub(crate) manifest: Manifest,
    pub(crate) skus: Names,
    pub(crate) lists: Names,
    /// By the list's number.
    pub(crate) layers: Vec<Layers>,
    pub(crate) terms: Arc<ReadTerms>,
    /// The number here of each list of the terms, in their order.
    pub(crate) by_terms: Arc<[Option<u32>]>,
    pub(crate) damage: Damage,
}

/// A document of terms, and what it says.
#[derive(Debug, Default)]
pub(crate) struct ReadTerms {
    pub(crate) bytes: Vec<u8>,
    pub(crate) terms: Terms,
}

/// What could not be read of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong, file by file, in words.
    pub findings: Vec<String>,
    /// The lists of which a part is lost. They answer nothing until they are healed or loaded anew.
    pub lists: BTreeSet<String>,
}

impl Version {
    /// Counts the versions: a load that goes live and a change of the terms each make one, a merge does not.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.manifest.number
    }

    /// From when it counts.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.manifest.from
    }

    /// The terms of this version. Before any were set they say nothing: no list is for anybody.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms.terms
    }

    /// The terms as they were written, and their SHA-256.
    #[must_use]
    pub fn terms_document(&self) -> Option<(&[u8], &str)> {
        Some((&self.terms.bytes, &self.manifest.terms.as_ref()?.sha256))
    }

    /// What the manifest names as the terms is not what was read: nobody knows what a person wrote there.
    #[must_use]
    pub fn has_lost_terms(&self) -> bool {
        self.terms_document().is_some_and(|(bytes, digest)| hex(&sha256(bytes)) != digest)
    }

    /// Nothing at all, most of the time.
    #[must_use]
    pub fn damage(&self) -> &Damage {
        &self.damage
    }

    /// The store's own number of a list, by which [`Version::walk`] asks. The same in every version.
    #[must_use]
    pub fn list(&self, id: &str) -> Option<ListIndex> {
        self.lists.find(id).map(ListIndex)
    }

    /// The lists that have ever been loaded, and how many prices each has.
    pub fn lists(&self) -> impl Iterator<Item = (&str, u64)> {
        self.lists.iter().zip(&self.layers).map(|(id, layers)| (id, live(layers)))
    }

    /// How many prices there are.
    #[must_use]
    pub fn prices(&self) -> u64 {
        self.layers.iter().map(live).sum()
    }

    /// The number of a SKU, in its one spelling. The same in every version.
    #[must_use]
    #[inline]
    pub fn key(&self, sku: &str) -> Option<u32> {
        self.skus.find(sku)
    }

    /// What a list says of a SKU, both by their numbers here.
    #[must_use]
    #[inline]
    pub fn price(&self, list: ListIndex, key: u32) -> Option<Price> {
        self.value(list.0, key)?.price()
    }

    /// The text of a key.
    #[must_use]
    pub fn sku(&self, key: u32) -> Option<&str> {
        self.skus.name(key)
    }

    /// All prices of a list, in the order of their keys.
    pub fn walk(&self, list: ListIndex) -> impl Iterator<Item = (u32, Price)> {
        self.entries(list.0).filter_map(|(key, value)| Some((key, value.price()?)))
    }

    /// The price that a list has for a SKU, in any spelling.
    #[must_use]
    pub fn price_of(&self, list: &str, sku: &str) -> Option<Price> {
        let sku = pricing::Sku::spell(sku).ok()?;
        self.value(self.lists.find(list)?, self.skus.find(&sku)?)?.price()
    }

    /// The book that belongs to [`Version::terms`]: what a [`pricing::Resolver`] reads. A list of the terms that was never loaded is
    /// empty. It costs nothing.
    #[must_use]
    pub fn book(self: &Arc<Self>) -> TermsBook {
        TermsBook { version: Arc::clone(self) }
    }

    /// What the version takes of memory, together with what it shares with others.
    #[must_use]
    pub fn resident_bytes(&self) -> usize {
        let blocks: usize =
            self.layers.iter().flat_map(|layers| layers.iter()).map(|block| block.bytes()).sum();
        let lists = self.layers.len() * size_of::<Layers>();
        blocks + lists + self.skus.bytes() + self.lists.bytes()
    }

    #[inline]
    pub(crate) fn value(&self, list: u32, sku: u32) -> Option<Value<'_>> {
        for block in self.layers.get(list as usize)?.iter() {
            match block.value(sku) {
                Some(Value::Gone) => return None,
                None => {}
                found => return found,
            }
        }
        None
    }

    pub(crate) fn live(&self, list: u32) -> u64 {
        self.layers.get(list as usize).map_or(0, live)
    }

    /// What there is of a list, in the order of the SKUs' ids.
    pub(crate) fn entries(&self, list: u32) -> Merged<'_> {
        Merged::over(self.layers.get(list as usize).map_or(&[], |layers| &layers[..]), false)
    }
}

/// Where each list of the terms stands among those that were loaded.
pub(crate) fn by_terms(terms: &Terms, lists: &Names) -> Arc<[Option<u32>]> {
    terms.lists().iter().map(|list| lists.find(&list.id)).collect()
}

fn live(layers: &Layers) -> u64 {
    layers.first().map_or(0, |block| u64::from(block.live))
}

/// A version as the terms that stand in it count its lists. A cart holds one from its first line to its last.
#[derive(Debug, Clone)]
pub struct TermsBook {
    version: Arc<Version>,
}

impl TermsBook {
    #[must_use]
    pub fn version(&self) -> &Arc<Version> {
        &self.version
    }
}

impl Book for TermsBook {
    type Key = u32;

    #[inline]
    fn key(&self, sku: &str) -> Option<u32> {
        self.version.key(sku)
    }

    #[inline]
    fn price(&self, list: ListIndex, key: u32) -> Option<Price> {
        let list = (*self.version.by_terms.get(list.0 as usize)?)?;
        self.version.value(list, key)?.price()
    }

    fn keys(&self, lists: impl Iterator<Item = ListIndex>, skus: &[&str]) -> Vec<Option<u32>> {
        self.version.keys_ahead(lists, skus)
    }
}

/// A walk over several layers as one: of what stands in more than one, the newest counts.
#[derive(Debug)]
pub(crate) struct Merged<'a> {
    /// The newest first, each with its next entry.
    heads: Vec<(Option<(u32, Value<'a>)>, Entries<'a>)>,
    with_gone: bool,
}

impl<'a> Merged<'a> {
    pub(crate) fn over(layers: &'a [Arc<Block>], with_gone: bool) -> Self {
        let heads = layers.iter().map(|block| {
            let mut entries = block.iter();
            (entries.next(), entries)
        });
        Self { heads: heads.collect(), with_gone }
    }
}

impl<'a> Iterator for Merged<'a> {
    type Item = (u32, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let least = self.heads.iter().filter_map(|(head, _)| head.map(|(id, _)| id)).min()?;
            let mut newest = None;
            for (head, rest) in &mut self.heads {
                if let Some((id, value)) = *head
                    && id == least
                {
                    newest.get_or_insert(value);
                    *head = rest.next();
                }
            }
            match newest {
                Some(Value::Gone) if !self.with_gone => {}
                Some(value) => return Some((least, value)),
                None => return None,
            }
        }
    }
}
