//! How the layers of a list lie upon each other. Owns which of the older ones count, and when a new layer is made of some of
//! them: so that a look-up asks few of them however many loads there were, and a price is written anew about as often as the
//! logarithm of their number.

use crate::block::{Block, Draft, Full, Place};
use crate::segment::SegmentFile;
use crate::version::{Layers, Merged};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A look-up asks at most so many.
const LAYERS_MAX: usize = 5;

/// The newest layer, made of `after` and as many of the older ones as it is worth, and how many these are. None: `after` itself is
/// that layer. `small`: segments that are to be given up.
pub(crate) fn folded(
    layers: &[Arc<Block>],
    after: &Arc<Block>,
    ordinal: u32,
    small: &BTreeSet<u32>,
) -> Result<(Option<Block>, usize), Full> {
    let mut size = after.len();
    let mut taken = 0;
    while let Some(next) = layers.get(taken) {
        let worth_it = next.len() <= size * 2;
        let many = layers.len() - taken >= LAYERS_MAX;
        if !worth_it && !many && !small.contains(&next.ordinal) {
            break;
        }
        size += next.len();
        taken += 1;
    }
    if taken == 0 {
        return Ok((None, 0));
    }
    let mut stack = vec![Arc::clone(after)];
    stack.extend_from_slice(&layers[..taken]);
    Ok((Some(merged(&stack, place(layers, taken, ordinal), after.live)?), taken))
}

/// The newest layers of a list to which nothing happens, out of the segments that are to be given up, as one.
pub(crate) fn moved(
    layers: &[Arc<Block>],
    ordinal: u32,
    small: &BTreeSet<u32>,
) -> Result<Option<(Block, usize)>, Full> {
    let taken = layers.iter().take_while(|block| small.contains(&block.ordinal)).count();
    let Some(first) = layers.first().filter(|_| taken > 0) else { return Ok(None) };
    Ok(Some((merged(&layers[..taken], place(layers, taken, ordinal), first.live)?, taken)))
}

/// Of a layer that is made of the `taken` newest.
fn place(layers: &[Arc<Block>], taken: usize, ordinal: u32) -> Place {
    let below = if taken == layers.len() { 0 } else { layers[taken - 1].below };
    Place { ordinal, below }
}

/// With more segments than that some are given up.
#[cfg(not(test))]
const SEGMENTS_MAX: usize = 32;
/// Few, so that it happens in tests.
#[cfg(test)]
const SEGMENTS_MAX: usize = 4;

/// Where there are many segments, all but the largest few: a list of them stands in each manifest, and each is a file.
pub(crate) fn small(segments: &[SegmentFile]) -> BTreeSet<u32> {
    if segments.len() <= SEGMENTS_MAX {
        return BTreeSet::new();
    }
    let mut by_size: Vec<&SegmentFile> = segments.iter().collect();
    by_size.sort_by_key(|segment| segment.bytes);
    let given_up = segments.len() - SEGMENTS_MAX / 4;
    by_size[..given_up].iter().map(|segment| segment.ordinal).collect()
}

/// One layer of several, the newest first.
pub(crate) fn merged(stack: &[Arc<Block>], place: Place, live: u32) -> Result<Block, Full> {
    let list = stack.first().map_or(0, |block| block.list);
    let mut draft = Draft::default();
    for (sku, value) in Merged::over(stack, place.below > 0) {
        draft.push(sku, value)?;
    }
    Ok(draft.build(list, place, live))
}

/// The layers of each list, of the blocks of all segments, in any order.
pub(crate) fn of_blocks(lists: u32, blocks: Vec<Arc<Block>>) -> Vec<Layers> {
    let mut by_list: BTreeMap<u32, Vec<Arc<Block>>> = BTreeMap::new();
    for block in blocks {
        by_list.entry(block.list).or_default().push(block);
    }
    let of_list = |list| by_list.remove(&list).map(counting).unwrap_or_default().into();
    (0..lists).map(of_list).collect()
}

fn counting(mut blocks: Vec<Arc<Block>>) -> Vec<Arc<Block>> {
    blocks.sort_by_key(|block| std::cmp::Reverse(block.ordinal));
    let mut limit = u32::MAX;
    blocks.retain(|block| {
        let counts = block.ordinal < limit;
        if counts {
            limit = block.below;
        }
        counts
    });
    blocks
}
