//! What a draft changes of a list: the prices that are others, as they will be and as they were. Owns that only what differs
//! goes on; a snapshot of a million prices of which ten are new is a layer of ten.

use crate::block::{Block, Draft, Full, Place};
use crate::diff::{Counts, Scales};
use crate::version::Version;
use crate::word::Value;
use std::sync::Arc;

/// Of one list.
#[derive(Debug)]
pub(crate) struct Delta {
    pub(crate) list: u32,
    pub(crate) after: Arc<Block>,
    /// Of those in `after` that were there, what they were.
    pub(crate) before: Block,
    pub(crate) counts: Counts,
}

impl Delta {
    pub(crate) fn is_empty(&self) -> bool {
        self.after.len() == 0
    }
}

pub(crate) fn of(
    version: &Version,
    draft: &Block,
    ordinal: u32,
    scales: &mut Scales<'_>,
) -> Result<Delta, Full> {
    let mut work = Work {
        scales,
        list: draft.list,
        counts: Counts::default(),
        after: Draft::default(),
        before: Draft::default(),
    };
    if draft.below == 0 {
        against_all(version, draft, &mut work)?;
    } else {
        against_each(version, draft, &mut work)?;
    }
    let Work { list, counts, after, before, .. } = work;
    let first = version.layers.get(list as usize).is_none_or(|layers| layers.is_empty());
    let place = Place { ordinal, below: if first { 0 } else { ordinal } };
    let live = u32::try_from(counts.after()).unwrap_or(u32::MAX);
    let after = Arc::new(after.build(list, place, live));
    Ok(Delta { list, after, before: before.build(list, Place { ordinal: ordinal + 1, below: 0 }, 0), counts })
}

#[derive(Debug)]
struct Work<'s, 'g> {
    scales: &'s mut Scales<'g>,
    list: u32,
    counts: Counts,
    after: Draft,
    before: Draft,
}

impl Work<'_, '_> {
    fn see(&mut self, sku: u32, before: Option<Value<'_>>, after: Option<Value<'_>>) -> Result<(), Full> {
        if self.scales.weigh(&mut self.counts, (self.list, sku), before, after) {
            self.after.push(sku, after.unwrap_or(Value::Gone))?;
            if let Some(before) = before {
                self.before.push(sku, before)?;
            }
        }
        Ok(())
    }
}

fn against_all(version: &Version, draft: &Block, work: &mut Work<'_, '_>) -> Result<(), Full> {
    let mut old = version.entries(draft.list).peekable();
    let mut new = draft.iter().peekable();
    loop {
        let sku = match (old.peek(), new.peek()) {
            (None, None) => return Ok(()),
            (Some((sku, _)), None) | (None, Some((sku, _))) => *sku,
            (Some((a, _)), Some((b, _))) => *a.min(b),
        };
        let before = old.next_if(|(at, _)| *at == sku).map(|(_, value)| value);
        let after = new.next_if(|(at, _)| *at == sku).map(|(_, value)| value);
        work.see(sku, before, after)?;
    }
}

fn against_each(version: &Version, draft: &Block, work: &mut Work<'_, '_>) -> Result<(), Full> {
    let mut touched = 0;
    for (sku, value) in draft.iter() {
        let before = version.value(draft.list, sku);
        touched += u64::from(before.is_some());
        work.see(sku, before, Some(value).filter(|value| *value != Value::Gone))?;
    }
    work.counts.same += version.live(draft.list) - touched;
    Ok(())
}
