//! How the layers of a list lie upon each other. Owns which of the older ones count, and when a new layer is made of some of
//! them: so that a look-up asks few of them however many loads there were, and a price is written anew about as often as the
//! logarithm of their number.

use crate::block::{Block, Draft, Full, Place};
use crate::version::{Layers, Merged};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A look-up asks at most so many.
const LAYERS_MAX: usize = 5;

/// The newest layer, made of `after` and as many of the older ones as it is worth, and those that stay below it.
/// None: `after` itself is that layer.
pub(crate) fn folded(
    layers: &[Arc<Block>],
    after: &Arc<Block>,
    ordinal: u32,
) -> Result<(Option<Block>, usize), Full> {
    let mut size = after.len();
    let mut taken = 0;
    while let Some(next) = layers.get(taken) {
        let small = next.len() <= size * 2;
        let many = layers.len() - taken >= LAYERS_MAX;
        if !small && !many {
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
    let all = taken == layers.len();
    let below = if all { 0 } else { layers[taken - 1].below };
    Ok((Some(merged(&stack, Place { ordinal, below }, after.live)?), taken))
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
