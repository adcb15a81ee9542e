//! All that a source has, with what is composed of several levels put together: for a full check. Such levels are held back until all
//! that belong together have come, or the last of all; others pass.

use super::{Levels, read};
use async_trait::async_trait;
use connector::port::{Came, Stated, Whole};
use domains::inventory::composed::TOPIC;
use domains::inventory::{self, Rules, parts, sharing};
use kernel::fault::Fault;
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
pub(super) struct Composed {
    inner: Box<dyn Whole>,
    rules: Rules,
    shop: ShopId,
    /// By place and by SKU, the level at each of the source's locations.
    held: BTreeMap<String, BTreeMap<String, BTreeMap<String, Vec<u8>>>>,
    /// SKUs that are in no bundle and of which every location of a place that is composed has been told: by SKU and place.
    complete: Vec<(String, String)>,
    /// By place, those that were given: what comes of them after that comes twice.
    given: BTreeMap<String, BTreeSet<String>>,
    /// What came last is composed.
    is_composed: bool,
    /// The last of the source has come: what is given now is composed, a location at a time.
    is_over: bool,
    came: Came,
}

impl Composed {
    pub(super) fn new(inner: Box<dyn Whole>, rules: Rules, shop: ShopId) -> Self {
        Self {
            inner,
            rules,
            shop,
            held: BTreeMap::new(),
            complete: Vec::new(),
            given: BTreeMap::new(),
            is_composed: false,
            is_over: false,
            came: Came::default(),
        }
    }

    /// Keeps a level of which something is composed; gives back any other, one that cannot be read, and a pair that came before.
    fn keeps(&mut self, stated: Stated) -> Option<Stated> {
        let Ok(level) = inventory::read(&stated.payload) else { return Some(stated) };
        let subject = inventory::subject(self.shop.clone(), &level.sku, &level.location);
        if sharing::composes(&self.rules, &subject).is_none() {
            return Some(stated);
        }
        let at = sharing::place(&self.rules, &level.location).to_owned();
        // A bundle, a pool or an outlet has no level of its own.
        let own = sharing::made_of(&self.rules, &level.sku, &at);
        if !own.iter().flat_map(sharing::Component::pairs).any(|pair| pair == (&level.sku, &level.location)) {
            return Some(stated);
        }
        let lies_at = own.first().map_or(0, |component| component.locations.len());
        let has_no_own = self.rules.pools().sources(&at).is_some() || self.rules.outlets().of(&at).is_some();
        let is_alone = self.rules.bundles().family(&level.sku).is_empty();
        let is_given = self.given.get(&at).is_some_and(|given| given.contains(&level.sku));
        let held = self.held.entry(at.clone()).or_default().entry(level.sku.clone()).or_default();
        if is_given || held.contains_key(&level.location) {
            if !has_no_own {
                return Some(stated);
            }
            // What it would be at its own location nobody says.
            self.came.twice += 1;
            return None;
        }
        // Its own: nothing else is held with it.
        held.insert(level.location, stated.payload.to_vec());
        if is_alone && lies_at == held.len() {
            self.complete.push((level.sku, at));
        }
        None
    }

    /// Those of which every level has come by now.
    fn completed(&mut self) -> Vec<Stated> {
        let mut all = Vec::new();
        for (sku, at) in std::mem::take(&mut self.complete) {
            let held = self.held.get_mut(&at).and_then(|held| held.remove(&sku)).unwrap_or_default();
            let held = BTreeMap::from([(sku.clone(), held)]);
            let shown = sharing::shown_at(&self.rules, &at).into_iter();
            all.extend(shown.filter_map(|shown| self.of(&sku, shown, &held)));
            self.given.entry(at).or_default().insert(sku);
        }
        all
    }

    /// All at the next location where something that it is made of was told.
    fn next_location(&mut self) -> Vec<Stated> {
        let mut all = Vec::new();
        while all.is_empty()
            && let Some((at, held)) = self.held.pop_first()
        {
            let own = |sku: &String| sharing::family(&self.rules, sku, &at).into_iter();
            let paths: BTreeSet<String> = held.keys().flat_map(own).collect();
            let pair_of = |path| parts(&Subject { shop: self.shop.clone(), path });
            for (sku, shown) in paths.into_iter().filter_map(pair_of) {
                all.extend(self.of(&sku, &shown, &held));
            }
        }
        all
    }

    /// What a SKU is at a location where it is shown; `None`: nothing that it is made of was told.
    fn of(&self, sku: &str, at: &str, held: &BTreeMap<String, BTreeMap<String, Vec<u8>>>) -> Option<Stated> {
        let made_of = sharing::made_of(&self.rules, sku, at);
        let mut levels = Levels::new();
        for (sku, location) in made_of.iter().flat_map(sharing::Component::pairs) {
            if let Some(level) = held.get(sku).and_then(|held| held.get(location)) {
                levels.insert((sku.to_owned(), location.to_owned()), level.clone());
            }
        }
        if levels.is_empty() {
            return None;
        }
        // What cannot be read is told of when it is pushed or read by itself.
        let read = read(sku, at, &made_of, &levels).ok()?;
        Some(Stated { sequence: 0, payload: read.payload.into() })
    }
}

#[async_trait]
impl Whole for Composed {
    fn topic(&self) -> &'static str {
        if self.is_composed { TOPIC } else { self.inner.topic() }
    }

    async fn next(&mut self) -> Result<Vec<Stated>, Fault> {
        self.is_composed = true;
        while !self.is_over {
            let completed = self.completed();
            if !completed.is_empty() {
                return Ok(completed);
            }
            let come = self.inner.next().await?;
            if come.is_empty() {
                self.is_over = true;
                break;
            }
            self.came.named += come.len() as u64;
            let others: Vec<Stated> = come.into_iter().filter_map(|stated| self.keeps(stated)).collect();
            if !others.is_empty() {
                self.is_composed = false;
                return Ok(others);
            }
        }
        Ok(self.next_location())
    }

    fn numbered(&self) -> Option<bool> {
        self.inner.numbered()
    }

    fn came(&self) -> Option<Came> {
        let is_counted = !self.rules.pools().is_empty() || !self.rules.outlets().is_empty();
        is_counted.then_some(self.came)
    }
}

#[cfg(test)]
mod tests;
