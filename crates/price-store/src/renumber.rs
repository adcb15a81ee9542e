//! A load whose rows came while another node gave new SKUs and lists their numbers. Owns that what was gathered has the numbers that
//! count now.

use crate::block::{Block, Draft, Place};
use crate::error::PriceStoreError;
use crate::load::{Mode, NewNames};
use crate::names::{Names, Table, hash};
use crate::version::Version;
use crate::word::Value;
use std::collections::BTreeSet;

pub(crate) fn renumber(
    version: &Version,
    names: &mut NewNames,
    drafts: &mut Vec<Block>,
    mode: &Mode,
) -> Result<(), PriceStoreError> {
    let is_same = names.skus.begins() == version.skus.len() && names.lists.begins() == version.lists.len();
    if is_same {
        return Ok(());
    }
    let (skus, new_skus) = numbers(&version.skus, &names.skus)?;
    let (lists, new_lists) = numbers(&version.lists, &names.lists)?;
    let (first_sku, first_list) = (names.skus.begins(), names.lists.begins());
    let now = |first: u32, numbers: &[u32], number: u32| match number.checked_sub(first) {
        Some(place) => numbers.get(place as usize).copied().unwrap_or(number),
        None => number,
    };
    let mut again = Vec::with_capacity(drafts.len());
    for draft in drafts.iter() {
        let mut entries: Vec<(u32, Value<'_>)> =
            draft.iter().map(|(sku, value)| (now(first_sku, &skus, sku), value)).collect();
        entries.sort_unstable_by_key(|(sku, _)| *sku);
        let mut made = Draft::default();
        for (sku, value) in entries {
            made.push(sku, value)?;
        }
        let place = Place { ordinal: draft.ordinal, below: draft.below };
        again.push(made.build(now(first_list, &lists, draft.list), place, draft.live));
    }
    if *mode == Mode::All {
        // Lists that came meanwhile are not in it.
        let has: BTreeSet<u32> = again.iter().map(|draft| draft.list).collect();
        let missing = (0..version.lists.len()).filter(|list| !has.contains(list));
        let empty = |list| Draft::default().build(list, Place { ordinal: u32::MAX, below: 0 }, 0);
        again.extend(missing.map(empty));
    }
    again.sort_unstable_by_key(|draft| draft.list);
    *drafts = again;
    *names = NewNames { skus: new_skus, lists: new_lists };
    Ok(())
}

/// The number of each new name now, and those that are still new.
fn numbers(known: &Names, new: &Table) -> Result<(Vec<u32>, Table), PriceStoreError> {
    let mut left = Table::beginning_at(known.len());
    let mut numbers = Vec::with_capacity(new.len() as usize);
    for name in new.names() {
        let number = match known.find(name) {
            Some(number) => number,
            None => left.add(name, hash(name))?,
        };
        numbers.push(number);
    }
    Ok((numbers, left))
}
