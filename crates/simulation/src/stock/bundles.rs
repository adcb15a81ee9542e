//! What is sold as a bundle of others, what lies at several places of the warehouse that are one to the shop, and what is shown at
//! several of the shop's: items beside the bins of the warehouse, which knows of bins alone. An item is a kind of thing at one of the
//! shop's locations. Owns what is made of what, and the state of an item that is composed, read from
//! the hub's own log as the binary does it.

use super::facts::{LEVEL, stock_domain};
use super::{LOCATION, sku};
use crate::flows::flow;
use crate::hub::ready;
use crate::planted::Bug;
use crate::world::World;
use connector::port::Read;
use domains::inventory::bundles::Bundles;
use domains::inventory::composed::{self, TOPIC};
use domains::inventory::division::Division;
use domains::inventory::outlets::Outlets;
use domains::inventory::pools::Pools;
use domains::inventory::sharing::{self, Component};
use domains::inventory::{self, Rules};
use engine::facts::Touched;
use kernel::subject::Subject;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Store as _;
use store::delivery::{DeliveryState, Wait};

/// What all is sold: pairs by themselves, and bundles of the first two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Items {
    pub(crate) pairs: usize,
    bundles: usize,
    /// Locations of the warehouse where a pair lies, 1 or more.
    places: usize,
    /// Locations of the shop where it is shown, 1 or more.
    outlets: usize,
    pub(crate) rules: Rules,
}

/// A level that a state is made of: its bin, and the instant that it was told under; behind it [`INCOMPLETE`].
pub(super) type Told = (usize, String);

/// Marks a level of which a change is missing.
pub(super) const INCOMPLETE: char = '?';

impl Items {
    /// `divided`: over two of the shop's locations, as this rule says after the place's name.
    ///
    /// # Panics
    /// Never: the rows are written here.
    pub(crate) fn new(pairs: usize, bundles: usize, places: usize, divided: Option<&str>) -> Self {
        let (places, rules) = (places.max(1), Rules::default());
        let mut items = Self { pairs, bundles, places, outlets: 1, rules };
        let mut text = "bundle,component,quantity\n".to_owned();
        for bundle in pairs..items.kinds() {
            for pair in items.pairs_of(bundle) {
                text += &format!("{},{},{}\n", sku(bundle), sku(pair), items.holds(bundle, pair));
            }
        }
        let bundles = Bundles::parse(text.as_bytes(), &items.rules);
        let rules = bundles.map(|bundles| items.rules.clone().with_bundles(Arc::new(bundles), &[]));
        match rules {
            Ok(Ok(rules)) => items.rules = rules,
            other => unreachable!("rows written here: {other:?}"),
        }
        if places > 1 {
            let names: Vec<String> = (0..places).map(|place| items.location(place)).collect();
            match Pools::parse(&[format!("{LOCATION} = {}", names.join(" + "))]) {
                Ok(pools) => items.rules = items.rules.with_pools(pools),
                Err(faults) => unreachable!("a rule written here: {faults:?}"),
            }
        }
        if let Some(divided) = divided {
            match Outlets::parse(&[format!("{LOCATION} = {divided}")], items.rules.pools()) {
                Ok(outlets) => {
                    items.outlets = outlets.of(LOCATION).map_or(1, <[_]>::len);
                    items.rules = items.rules.with_outlets(outlets);
                }
                Err(faults) => unreachable!("a rule written here: {faults:?}"),
            }
        }
        items
    }

    /// What is sold, wherever.
    fn kinds(&self) -> usize {
        self.pairs + self.bundles
    }

    /// What an item is, without where: a pair, or a bundle.
    pub(crate) fn kind(&self, item: usize) -> usize {
        item % self.kinds().max(1)
    }

    pub(crate) fn is_divided(&self) -> bool {
        self.outlets > 1
    }

    /// As the shop calls where an item is shown.
    pub(crate) fn shown_at(&self, item: usize) -> String {
        let outlets = self.rules.outlets().of(LOCATION).unwrap_or_default();
        let outlet = outlets.get(item / self.kinds().max(1));
        outlet.map_or_else(|| LOCATION.to_owned(), |outlet| outlet.location.clone())
    }

    /// Of what is free of a pair, what falls to where an item is shown.
    pub(crate) fn part(&self, item: usize, free: i64) -> i64 {
        let at = self.shown_at(item);
        let mut divisions = self.rules.outlets().divisions(&at).into_iter();
        let own: Option<Division> =
            divisions.find_map(|(of, division)| (of.location == at).then_some(division));
        own.map_or(free, |division| division.part(free))
    }

    /// The item of a SKU where it is shown.
    pub(crate) fn item(&self, name: &str, location: &str) -> Option<usize> {
        (0..self.len()).find(|item| sku(self.kind(*item)) == name && self.shown_at(*item) == location)
    }

    /// The item of a subject's path.
    pub(crate) fn item_at(&self, path: &str) -> Option<usize> {
        let subject = Subject { shop: crate::source::shop_id(), path: path.to_owned() };
        let (name, location) = inventory::parts(&subject)?;
        self.item(&name, &location)
    }

    /// As the warehouse calls one of its places.
    fn location(&self, place: usize) -> String {
        if self.places > 1 { format!("{LOCATION}-{place}") } else { LOCATION.to_owned() }
    }

    /// Where a pair lies: a bin at each place.
    pub(crate) fn bins(&self, pair: usize) -> std::ops::Range<usize> {
        pair * self.places..(pair + 1) * self.places
    }

    pub(crate) fn bins_in_all(&self) -> usize {
        self.pairs * self.places
    }

    /// Of a pair, the bin at a place; beyond the last they begin anew.
    pub(crate) fn bin(&self, pair: usize, place: usize) -> usize {
        pair * self.places + place % self.places.max(1)
    }

    pub(crate) fn pair_of(&self, bin: usize) -> usize {
        bin / self.places.max(1)
    }

    /// SKU and location of a bin, as the warehouse tells it.
    pub(crate) fn told_as(&self, bin: usize) -> (String, String) {
        (sku(self.pair_of(bin)), self.location(bin % self.places.max(1)))
    }

    /// The bin of a level's SKU and location.
    pub(crate) fn bin_of(&self, sku: &str, location: &str) -> Option<usize> {
        let pair: usize = sku.strip_prefix("SKU-")?.parse().ok()?;
        self.bins(pair).find(|bin| self.told_as(*bin).1 == location)
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds() * self.outlets.max(1)
    }

    /// Units of a pair in one of an item.
    pub(crate) fn holds(&self, item: usize, pair: usize) -> i64 {
        let kind = self.kind(item);
        match kind.checked_sub(self.pairs) {
            None => i64::from(kind == pair),
            // One of the first and two of the second; and a pair of the first.
            Some(0) => [1, 2].get(pair).copied().unwrap_or(0),
            Some(_) => [2].get(pair).copied().unwrap_or(0),
        }
    }

    /// The pairs that an item is made of.
    pub(crate) fn pairs_of(&self, item: usize) -> Vec<usize> {
        (0..self.pairs).filter(|pair| self.holds(item, *pair) > 0).collect()
    }

    /// The items that hold a pair, itself among them.
    pub(crate) fn holders(&self, pair: usize) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(move |item| self.holds(*item, pair) > 0)
    }

    /// Bundles that hold a pair, at each of the shop's locations.
    pub(crate) fn bundles_with(&self, pair: usize) -> i64 {
        let bundles = self.pairs..self.kinds();
        i64::try_from(bundles.filter(|bundle| self.holds(*bundle, pair) > 0).count()).unwrap_or(0)
    }

    pub(super) fn touched_by(&self, sku: &str, location: &str) -> Vec<Touched> {
        let touched = |path| Touched { domain: stock_domain(), path, once: false, written: true };
        sharing::told_to_kin(&self.rules, sku, location).into_iter().map(touched).collect()
    }

    /// Each level that a state is made of.
    pub(super) fn levels_of(&self, topic: &str, payload: &[u8]) -> Vec<Told> {
        let incomplete = incomplete(payload);
        let told = |level: &inventory::Stock| {
            let bin = self.bin_of(&level.sku, &level.location)?;
            let mut told = level.changed_at.to_string();
            told.extend(incomplete.contains(&self.told_as(bin)).then_some(INCOMPLETE));
            Some((bin, told))
        };
        if topic == LEVEL {
            return inventory::read(payload).ok().and_then(|level| told(&level)).into_iter().collect();
        }
        let composed = composed::read(payload).ok();
        composed.iter().flat_map(composed::Composed::levels).filter_map(told).collect()
    }
}

/// The levels in a payload that were folded behind a gap.
fn incomplete(payload: &[u8]) -> BTreeSet<(String, String)> {
    fn look(value: &Value, found: &mut BTreeSet<(String, String)>) {
        let missing = value["folded"]["missing"].as_array().is_some_and(|missing| !missing.is_empty());
        if missing || value["folded"]["given_up"].as_u64() > Some(0) {
            let name = |of: &str| value[of].as_str().unwrap_or_default().to_owned();
            found.insert((name("sku"), name("location")));
        }
        match value {
            Value::Array(all) => all.iter().for_each(|one| look(one, found)),
            Value::Object(all) => all.values().for_each(|one| look(one, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    look(&serde_json::from_slice(payload).unwrap_or_default(), &mut found);
    found
}

impl World {
    /// What is composed of the newest levels in the log; `None`: there are none, or it waits as it is.
    pub(super) fn composed(&mut self, subject: &Subject) -> Option<Read> {
        let stock = self.stock.as_ref()?;
        let (name, location) = inventory::parts(subject)?;
        let made_of = sharing::made_of(&stock.items.rules, &name, &location);
        let pairs: Vec<(&str, &str)> = made_of.iter().flat_map(Component::pairs).collect();
        let at = |(sku, at): &(&str, &str)| inventory::subject(subject.shop.clone(), sku, at);
        let subjects: Vec<Subject> = pairs.iter().map(at).collect();
        let known = ready(self.disk.status(&flow("stock"), &subjects));
        let newest = known.iter().filter_map(|known| Some(known.delivery.as_ref()?.position.0)).max()?;
        let changed = newest;
        let own = ready(self.disk.status(&flow("stock"), std::slice::from_ref(subject)));
        let routed = own.first().and_then(|own| match own.routed.as_ref()? {
            kernel::version::EffectiveVersion::Sequence { sequence } => Some(*sequence),
            _ => None,
        });
        let newest = newest.max(routed.unwrap_or(newest));
        let waits = own.into_iter().filter_map(|own| own.delivery).find(|delivery| {
            let version = kernel::version::EffectiveVersion::Sequence { sequence: newest };
            let waits =
                matches!(&delivery.state, DeliveryState::Waiting { wait, .. } if *wait != Wait::Reading);
            waits && delivery.version == Some(version)
        });
        let waits = waits.and_then(|waits| ready(self.disk.delivery_payload(waits.id)));
        let mut levels: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
        for ((sku, at), known) in pairs.iter().zip(&known) {
            let Some(delivery) = known.delivery.as_ref() else { continue };
            let pair = ((*sku).to_owned(), (*at).to_owned());
            let kept = stock.composed_of.get(&pair).filter(|_| self.bug == Some(Bug::OthersAsTheyWere));
            let level = match kept {
                // The bug: only what has just changed is read.
                Some(kept) if delivery.position.0 < changed => Some(kept.clone()),
                _ => ready(self.disk.delivery_payload(delivery.id)).map(|level| level.to_vec()),
            };
            levels.extend(level.map(|level| (pair, level)));
        }
        let level = |sku: &str, at: &str| levels.get(&(sku.to_owned(), at.to_owned())).map(Vec::as_slice);
        let payload = composed::write(&name, &location, &made_of, level);
        self.stock.as_mut()?.composed_of.extend(levels);
        if waits.is_some_and(|waits| waits[..] == payload[..]) {
            return None;
        }
        let updated_at = composed::read(&payload).ok()?.changed_at();
        Some(Read { payload, topic: TOPIC.to_owned(), updated_at, sequence: Some(newest) })
    }
}
