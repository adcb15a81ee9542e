//! Which catalogs the lists of a run become. Of all catalogs of a company location Shopify charges the lowest price, and a
//! catalog that has no fixed price for an item offers it at the shop's own (help.shopify.com: "Creating B2B catalogs"); so
//! several lists of a location stand in catalogs of their own only where it is proved that the lowest is the one that
//! resolution gives, for every item and quantity. Else they are merged into one catalog, in which the first list that has a
//! price goes before the others, as in resolution.

use super::offer::{Item, Minor};
use super::shelf::Shelf;
use super::wanted::{List, Place, Wanted};
use kernel::money::Currency;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Catalogs of one company location (shopify.dev: limits of B2B).
pub const CATALOGS_OF_LOCATION_MAX: usize = 25;
const NAME_MAX: usize = 255;

/// One catalog with one price list, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// Of its price list, which is unique in the shop, and of the catalog.
    pub name: String,
    pub currency: Currency,
    pub locations: BTreeSet<u64>,
    /// A person made it: only its prices are ours.
    pub is_existing: bool,
    /// By their places in the run; more than one is a merge, the first goes first.
    pub lists: Vec<usize>,
}

/// All of them, and what has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arranged {
    pub catalogs: Vec<Catalog>,
    /// Lists for nobody, by their places: nothing is hydrated of them.
    pub for_nobody: Vec<usize>,
    /// Merges, with the SKU that made the first proof fail; none where there would have been too many catalogs.
    pub merged: Vec<(Vec<usize>, Option<String>)>,
}

/// `foreign`: how many catalogs of each location are not ours. `own`: the shop's own currency.
#[must_use]
pub fn arrange(
    wanted: &[Wanted],
    lists: &[List],
    (shelf, own): (&Shelf, Currency),
    foreign: &BTreeMap<u64, usize>,
    prefix: &str,
) -> Arranged {
    let mut chains: BTreeMap<(Currency, u64), Vec<usize>> = BTreeMap::new();
    let mut arranged = Arranged::default();
    for (place, one) in wanted.iter().enumerate() {
        match &one.place {
            Place::Existing(name) => arranged.catalogs.push(Catalog {
                name: name.clone(),
                currency: one.currency,
                locations: BTreeSet::new(),
                is_existing: true,
                lists: vec![place],
            }),
            Place::Locations(locations) if locations.is_empty() => arranged.for_nobody.push(place),
            Place::Locations(locations) => {
                for location in locations {
                    chains.entry((one.currency, *location)).or_default().push(place);
                }
            }
        }
    }
    let mut groups: BTreeMap<(Currency, Vec<usize>), BTreeSet<u64>> = BTreeMap::new();
    for ((currency, location), chain) in chains {
        groups.entry((currency, chain)).or_default().insert(location);
    }
    let mut catalogs: BTreeMap<(Currency, Vec<usize>), BTreeSet<u64>> = BTreeMap::new();
    for ((currency, chain), locations) in groups {
        let others =
            locations.iter().filter_map(|location| foreign.get(location)).max().copied().unwrap_or(0);
        let has_room = chain.len() + others <= CATALOGS_OF_LOCATION_MAX;
        let own_of = |good: u32| shelf.good(good).and_then(|good| good.own).filter(|_| own == currency);
        let fault = if chain.len() > 1 { disproof(&chain, lists, &own_of) } else { None };
        if has_room && fault.is_none() {
            for list in chain {
                catalogs.entry((currency, vec![list])).or_default().extend(&locations);
            }
        } else {
            let sku =
                fault.filter(|_| has_room).and_then(|good| shelf.good(good)).map(|good| good.sku.clone());
            arranged.merged.push((chain.clone(), sku));
            catalogs.entry((currency, chain)).or_default().extend(&locations);
        }
    }
    for ((currency, lists), locations) in catalogs {
        let name = name_of(prefix, currency, lists.iter().map(|list| wanted[*list].id.as_str()));
        arranged.catalogs.push(Catalog { name, currency, locations, is_existing: false, lists });
    }
    arranged
}

/// The first good for which the lowest price over the lists is not that of the first list that has it.
fn disproof(chain: &[usize], lists: &[List], own: &dyn Fn(u32) -> Option<Minor>) -> Option<u32> {
    let mut at = vec![0_usize; chain.len()];
    loop {
        let here = |at: &[usize], place: usize| lists[chain[place]].items.get(at[place]);
        let good = (0..chain.len()).filter_map(|place| here(&at, place)).map(|(good, _)| *good).min()?;
        let items: Vec<Option<&Item>> = (0..chain.len())
            .map(|place| here(&at, place).filter(|(one, _)| *one == good).map(|(_, item)| item))
            .collect();
        if !holds(&items, own(good)) {
            return Some(good);
        }
        for (place, item) in items.iter().enumerate() {
            at[place] += usize::from(item.is_some());
        }
    }
}

fn holds(items: &[Option<&Item>], own: Option<Minor>) -> bool {
    let Some(first) = items.iter().flatten().next() else { return true };
    let minimums = items.iter().flatten().flat_map(|item| item.breaks()).map(|(minimum, _)| *minimum);
    let mut quantities: Vec<u32> = std::iter::once(1).chain(minimums).collect();
    quantities.sort_unstable();
    quantities.dedup();
    quantities.iter().all(|quantity| {
        // What the shop's own price would be in another currency is not known here.
        items.iter().all(|item| {
            item.map_or(own, |item| Some(item.at(*quantity)))
                .is_some_and(|offered| first.at(*quantity) <= offered)
        })
    })
}

fn name_of<'a>(prefix: &str, currency: Currency, ids: impl Iterator<Item = &'a str>) -> String {
    let ids: Vec<&str> = ids.collect();
    let name = format!("{prefix}{} {currency}", ids.join(" + "));
    if name.chars().count() <= NAME_MAX {
        return name;
    }
    let digest = Sha256::digest(name.as_bytes());
    let short: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let first: String = name.chars().take(NAME_MAX - 24).collect();
    format!("{first}… {short}")
}

/// The prices of a catalog: of its lists the first that has one.
#[must_use]
pub(super) fn merged(lists: &[List], of: &[usize]) -> Vec<(u32, Item)> {
    let mut goods: BTreeMap<u32, &Item> = BTreeMap::new();
    for list in of.iter().rev() {
        goods.extend(lists[*list].items.iter().map(|(good, item)| (*good, item)));
    }
    goods.into_iter().map(|(good, item)| (good, item.clone())).collect()
}
