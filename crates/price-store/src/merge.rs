//! Makes one layer of each list's layers, and few segments of many. Owns that this changes no answer and that no reader waits for
//! it. Tells how large the store is.

use crate::block::{Block, Place};
use crate::error::{Doing as _, PriceStoreError};
use crate::layers::merged;
use crate::quiet::quietly;
use crate::segment::{SegmentFile, Writer};
use crate::store::PriceStore;
use crate::version::Version;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How large a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub version: u64,
    pub prices: u64,
    pub lists: u64,
    pub skus: u64,
    /// In memory: prices, and the dictionary of the SKUs and lists.
    pub resident_bytes: u64,
    pub dictionary_bytes: u64,
    /// In hundredths of a byte, dictionary and all.
    pub centibytes_per_price: u64,
    /// The most that one look-up may have to ask.
    pub layers_max: u64,
    pub segments: u64,
    /// Of the segments that count.
    pub disk_bytes: u64,
    pub held: u64,
    pub journal_entries: u64,
}

impl PriceStore {
    #[must_use]
    pub fn stats(&self) -> Stats {
        let version = self.current();
        let resident = version.resident_bytes() as u64;
        let prices = version.prices();
        Stats {
            version: version.number(),
            prices,
            lists: u64::from(version.lists.len()),
            skus: u64::from(version.skus.len()),
            resident_bytes: resident,
            dictionary_bytes: (version.skus.bytes() + version.lists.bytes()) as u64,
            centibytes_per_price: (resident * 100).checked_div(prices).unwrap_or(0),
            layers_max: version.layers.iter().map(|layers| layers.len() as u64).max().unwrap_or(0),
            segments: version.manifest.segments.len() as u64,
            disk_bytes: version.manifest.segments.iter().map(|segment| segment.bytes).sum(),
            held: version.manifest.held.len() as u64,
            journal_entries: version.manifest.journal.entries,
        }
    }

    /// False: there was nothing to do.
    ///
    /// # Errors
    /// A disk that fails. Nothing has changed then.
    pub fn merge(&self, now: Timestamp) -> Result<bool, PriceStoreError> {
        quietly(|| self.merge_here(now))
    }

    fn merge_here(&self, now: Timestamp) -> Result<bool, PriceStoreError> {
        self.over_again(|| {
            let mut writing = self.writing_at(now)?;
            let Some(next) = self.merged_layers(&self.current())? else { return Ok(false) };
            self.publish(&mut writing, next, None, false, now)?;
            Ok(true)
        })
    }

    /// None: there is nothing to do. The same version always becomes the same bytes.
    pub(crate) fn merged_layers(&self, version: &Version) -> Result<Option<Version>, PriceStoreError> {
        let sparse = sparse_segments(version);
        let is_due = |layers: &[Arc<Block>]| {
            layers.len() > 1 || layers.iter().any(|block| sparse.contains(&block.ordinal))
        };
        if !version.layers.iter().any(|layers| is_due(layers)) {
            return Ok(None);
        }
        let mut next = version.with(version.manifest.clone());
        let (name, ordinal) = next.manifest.new_file("prices");
        let mut writer = Writer::create(&self.disk, &name, ordinal).doing("merging prices")?;
        for layers in next.layers.iter_mut().filter(|layers| is_due(layers)) {
            let live = layers.first().map_or(0, |block| block.live);
            let block = merged(layers, Place { ordinal, below: 0 }, live)?;
            writer.add(&block).doing("merging prices")?;
            *layers = Arc::new([Arc::new(block)]);
        }
        next.manifest.segments.push(writer.finish().doing("merging prices")?);
        next.drop_dead_segments();
        Ok(Some(next))
    }
}

/// Segments of which less than half still counts.
fn sparse_segments(version: &Version) -> BTreeSet<u32> {
    let mut counting: BTreeMap<u32, u64> = BTreeMap::new();
    for block in version.layers.iter().flat_map(|layers| layers.iter()) {
        *counting.entry(block.ordinal).or_default() += block.bytes() as u64;
    }
    let counts = |segment: &&SegmentFile| counting.get(&segment.ordinal).copied().unwrap_or(0);
    let segments = version.manifest.segments.iter();
    segments.filter(|segment| counts(segment) * 2 < segment.bytes).map(|segment| segment.ordinal).collect()
}
