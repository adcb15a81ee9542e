//! All that a source has, with what shares units put together: for a full check. Such levels are held back until the last has
//! come; all others pass.

use super::{pieces, read};
use async_trait::async_trait;
use connector::port::{Stated, Whole};
use domains::inventory::composed::TOPIC;
use domains::inventory::{self, Rules};
use kernel::fault::Fault;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(super) struct Composed {
    inner: Box<dyn Whole>,
    rules: Rules,
    /// By location and SKU.
    held: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// The last of the source has come: what is given now is composed, a location at a time.
    is_over: bool,
}

impl Composed {
    pub(super) fn new(inner: Box<dyn Whole>, rules: Rules) -> Self {
        Self { inner, rules, held: BTreeMap::new(), is_over: false }
    }

    /// Keeps a level of what is sold in bundles as well; gives back any other, one that cannot be read, and a pair that came
    /// before.
    fn keeps(&mut self, stated: Stated) -> Option<Stated> {
        let Ok(level) = inventory::read(&stated.payload) else { return Some(stated) };
        if self.rules.bundles().held_by(&level.sku).is_empty() {
            return Some(stated);
        }
        let held = self.held.entry(level.location).or_default();
        if held.contains_key(&level.sku) {
            return Some(stated);
        }
        // Its own: nothing else is held with it.
        held.insert(level.sku, stated.payload.to_vec());
        None
    }

    /// Each that shares units at the next location where something that it is made of was told.
    fn composed(&mut self) -> Vec<Stated> {
        let mut all = Vec::new();
        while all.is_empty()
            && let Some((location, held)) = self.held.pop_first()
        {
            let family = |sku: &String| self.rules.bundles().family(sku).iter();
            let members: BTreeSet<&String> = held.keys().flat_map(family).collect();
            for sku in members {
                let pieces = pieces(&self.rules, sku);
                let levels = pieces.iter().map(|piece| (piece, held.get(&piece.sku).map(Vec::as_slice)));
                let levels: Vec<_> = levels.collect();
                if levels.iter().all(|(_, level)| level.is_none()) {
                    continue;
                }
                // What cannot be read is told of when it is pushed or read by itself.
                if let Ok(read) = read(sku, &location, &levels) {
                    all.push(Stated { sequence: 0, payload: read.payload.into() });
                }
            }
        }
        all
    }
}

#[async_trait]
impl Whole for Composed {
    fn topic(&self) -> &'static str {
        if self.is_over { TOPIC } else { self.inner.topic() }
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        while !self.is_over {
            let come = self.inner.next().await?;
            if come.is_empty() {
                self.is_over = true;
                break;
            }
            let others: Vec<Stated> = come.into_iter().filter_map(|stated| self.keeps(stated)).collect();
            if !others.is_empty() {
                return Ok(others);
            }
        }
        Ok(self.composed())
    }
}
