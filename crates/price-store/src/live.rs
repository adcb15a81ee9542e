//! A load goes live. Owns which files its changes become, and their layers upon the lists.

use crate::block::Block;
use crate::delta::Delta;
use crate::diff::Counts;
use crate::error::{Doing as _, PriceStoreError};
use crate::form::PriceForm;
use crate::journal::{Approval, Changes, Files, INLINE_MAX, Inline, Loaded, What};
use crate::layers;
use crate::load::{NewNames, Outcome, Weighed};
use crate::manifest::{LISTS, Manifest, SKUS};
use crate::names::{Names, Table};
use crate::segment::{SegmentFile, Writer};
use crate::store::{PriceStore, Writing};
use crate::version::{Layers, Version, by_terms};
use crate::word::Value;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the journal says of a load.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) load: u64,
    pub(crate) source: String,
    pub(crate) note: Option<String>,
    pub(crate) approval: Option<Approval>,
    pub(crate) by: String,
    pub(crate) now: Timestamp,
}

impl PriceStore {
    /// Everything of it is on the disk, and then it counts.
    pub(crate) fn go_live(
        &self,
        writing: &mut Writing,
        version: &Version,
        names: &NewNames,
        weighed: Weighed,
        told: Told,
    ) -> Result<Outcome, PriceStoreError> {
        let Weighed { deltas, diff, .. } = weighed;
        let Told { load, source, note, approval, by, now } = told;
        let mut manifest = version.manifest.clone();
        manifest.next_load = manifest.next_load.max(load + 1);
        manifest.held.retain(|held| held.load != load);
        let healed: BTreeSet<u32> =
            deltas.iter().map(|delta| delta.list).filter(|list| manifest.lost.remove(list)).collect();
        let mut next = self.with_names(version, manifest, names)?;
        let prices = diff.total.after();
        let lists = deltas.len() as u64;
        let deltas: Vec<Delta> = deltas.into_iter().filter(|delta| !delta.is_empty()).collect();
        if deltas.is_empty() && healed.is_empty() {
            let what = What::Unchanged { load, source, lists, prices };
            let version = self.publish(writing, next, Some((&by, what)), false, now)?.number();
            return Ok(Outcome::Unchanged { load, version, diff });
        }
        let healed = healed.iter().filter_map(|list| next.lists.name(*list)).map(str::to_owned).collect();
        next.damage.lists.retain(|list| !BTreeSet::contains(&healed, list));
        let changes = self.put_layers(&mut next, deltas, &diff.total)?;
        let what = What::Loaded(Box::new(Loaded {
            load,
            source,
            note,
            approval,
            counts: diff.total,
            lists,
            largest_falls: diff.largest_falls.clone(),
            largest_rises: diff.largest_rises.clone(),
            healed,
            changes,
        }));
        let version = self.publish(writing, next, Some((&by, what)), true, now)?.number();
        Ok(Outcome::Live { load, version, diff })
    }

    /// Writes the changes and lays them upon the lists; what the journal says of them.
    fn put_layers(
        &self,
        next: &mut Version,
        deltas: Vec<Delta>,
        total: &Counts,
    ) -> Result<Changes, PriceStoreError> {
        let inline = total.changed() <= INLINE_MAX;
        let inline_changes = if inline { inlined(next, &deltas) } else { Vec::new() };
        let doing = "writing prices";
        let (after_name, ordinal) = next.manifest.new_file("prices");
        let (before_name, _) = next.manifest.new_file("before");
        let (folded_name, folded_ordinal) = next.manifest.new_file("prices");
        let mut after: Option<Writer> = None;
        let mut before: Option<Writer> = None;
        let mut folded: Option<Writer> = None;
        let small = layers::small(&next.manifest.segments);
        let touched: BTreeSet<u32> = deltas.iter().map(|delta| delta.list).collect();
        for Delta { list, after: block, before: was, .. } in deltas {
            debug_assert_eq!(block.ordinal, ordinal);
            let layers = next.layers.get_mut(list as usize).ok_or(PriceStoreError::InDoubt)?;
            let (made, taken) = layers::folded(layers, &block, folded_ordinal, &small)?;
            if made.is_none() || !inline {
                self.writer(&mut after, &after_name, ordinal)?.add(&block).doing(doing)?;
            }
            if !inline && was.len() > 0 {
                self.writer(&mut before, &before_name, ordinal)?.add(&was).doing(doing)?;
            }
            let top = match made {
                Some(made) => {
                    self.writer(&mut folded, &folded_name, folded_ordinal)?.add(&made).doing(doing)?;
                    Arc::new(made)
                }
                None => block,
            };
            *layers = on_top(top, &layers[taken..]);
        }
        for (list, layers) in (0..).zip(&mut next.layers) {
            if !touched.contains(&list)
                && let Some((made, taken)) = layers::moved(layers, folded_ordinal, &small)?
            {
                self.writer(&mut folded, &folded_name, folded_ordinal)?.add(&made).doing(doing)?;
                *layers = on_top(Arc::new(made), &layers[taken..]);
            }
        }
        let after = after.map(Writer::finish).transpose().doing(doing)?;
        let before = before.map(Writer::finish).transpose().doing(doing)?;
        next.manifest.segments.extend(after.clone());
        next.manifest.segments.extend(folded.map(Writer::finish).transpose().doing(doing)?);
        next.drop_dead_segments();
        Ok(match after {
            Some(after) if !inline => Changes::Files(Files { after, before }),
            _ => Changes::Inline(inline_changes),
        })
    }

    fn writer<'w>(
        &self,
        slot: &'w mut Option<Writer>,
        name: &str,
        ordinal: u32,
    ) -> Result<&'w mut Writer, PriceStoreError> {
        if slot.is_none() {
            *slot = Some(Writer::create(&self.disk, name, ordinal).doing("writing prices")?);
        }
        slot.as_mut().ok_or(PriceStoreError::InDoubt)
    }

    /// The same prices, with names that are on the disk when this returns.
    pub(crate) fn with_names(
        &self,
        version: &Version,
        mut manifest: Manifest,
        names: &NewNames,
    ) -> Result<Version, PriceStoreError> {
        manifest.skus = self.append_names(SKUS, manifest.skus, &names.skus)?;
        manifest.lists = self.append_names(LISTS, manifest.lists, &names.lists)?;
        let mut next = version.with(manifest);
        next.skus = added(&version.skus, &names.skus)?;
        if names.lists.len() > 0 {
            next.lists = added(&version.lists, &names.lists)?;
            next.layers.resize_with(next.lists.len() as usize, Arc::default);
            next.by_terms = by_terms(next.terms(), &next.lists);
        }
        Ok(next)
    }
}

fn on_top(top: Arc<Block>, below: &[Arc<Block>]) -> Layers {
    std::iter::once(top).chain(below.iter().map(Arc::clone)).collect()
}

fn added(names: &Names, new: &Table) -> Result<Names, PriceStoreError> {
    if new.len() == 0 { Ok(names.clone()) } else { Ok(names.with(new.clone())?) }
}

fn inlined(version: &Version, deltas: &[Delta]) -> Vec<Inline> {
    let mut rows = Vec::new();
    for Delta { list, after, before, .. } in deltas {
        for (sku, value) in after.iter() {
            let text = |name: Option<&str>| name.unwrap_or_default().to_owned();
            let form = |value: Value<'_>| value.price().as_ref().map(PriceForm::from);
            let was = before.value(sku).and_then(form);
            rows.push(Inline(
                text(version.lists.name(*list)),
                text(version.skus.name(sku)),
                was,
                form(value),
            ));
        }
    }
    rows
}

impl Version {
    /// The same, as another manifest keeps it.
    pub(crate) fn with(&self, manifest: Manifest) -> Self {
        Self {
            manifest,
            skus: self.skus.clone(),
            lists: self.lists.clone(),
            layers: self.layers.clone(),
            terms: Arc::clone(&self.terms),
            by_terms: Arc::clone(&self.by_terms),
            damage: self.damage.clone(),
        }
    }

    /// Segments of which no block counts.
    pub(crate) fn drop_dead_segments(&mut self) {
        let used: BTreeSet<u32> =
            self.layers.iter().flat_map(|layers| layers.iter()).map(|block| block.ordinal).collect();
        self.manifest.segments.retain(|segment: &SegmentFile| used.contains(&segment.ordinal));
    }
}
