//! Price lists and catalogs as they are against as they should be: which steps make the one the other. Pure.

use domains::prices::{Arranged, Catalog};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A price list of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenList {
    pub id: u64,
    pub name: String,
    pub currency: String,
    /// Fixed ones.
    pub prices: u64,
}

/// A catalog of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCatalog {
    pub id: String,
    pub title: String,
    pub is_active: bool,
    pub is_of_locations: bool,
    pub list: Option<u64>,
    pub locations: BTreeSet<u64>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub lists: Vec<SeenList>,
    pub catalogs: Vec<SeenCatalog>,
}

/// One thing to be done to them. Those that take something from a buyer come after the prices are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Makes a catalog that does not count yet, and its price list where there is none.
    Make {
        catalog: usize,
        name: String,
        list: Option<u64>,
        locations: BTreeSet<u64>,
    },
    AddLocations {
        id: String,
        name: String,
        locations: BTreeSet<u64>,
    },
    Activate {
        id: String,
        name: String,
    },
    RemoveLocations {
        id: String,
        name: String,
        locations: BTreeSet<u64>,
    },
    /// A catalog of ours that is not wanted, with its price list.
    Delete {
        id: String,
        name: String,
    },
}

impl Step {
    #[must_use]
    pub fn is_after_prices(&self) -> bool {
        !matches!(self, Self::Make { .. } | Self::AddLocations { .. })
    }

    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Make { name, .. }
            | Self::AddLocations { name, .. }
            | Self::Activate { name, .. }
            | Self::RemoveLocations { name, .. }
            | Self::Delete { name, .. } => name,
        }
    }
}

/// What follows from both sides.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) steps: Vec<Step>,
    /// The price list of each wanted catalog, where there is one.
    pub(super) lists: Vec<Option<u64>>,
    /// Of each wanted catalog, why its prices cannot be written.
    pub(super) refused: Vec<(usize, String)>,
    /// Catalogs of ours that are not wanted, and stay.
    pub(super) left_over: Vec<String>,
}

impl Places {
    pub(super) fn list(&self, name: &str) -> Option<&SeenList> {
        self.lists.iter().find(|list| list.name == name)
    }

    /// How many catalogs of each location are not ours.
    pub(super) fn foreign(&self, prefix: &str) -> BTreeMap<u64, usize> {
        let mut foreign = BTreeMap::new();
        for catalog in self.catalogs.iter().filter(|one| !one.title.starts_with(prefix)) {
            for location in &catalog.locations {
                *foreign.entry(*location).or_insert(0) += 1;
            }
        }
        foreign
    }

    pub(super) fn compare(&self, arranged: &Arranged, prefix: &str, is_whole: bool) -> Compared {
        let mut done = Compared::default();
        let mut kept: BTreeSet<&str> = BTreeSet::new();
        for (place, wanted) in arranged.catalogs.iter().enumerate() {
            let list = self.list(&wanted.name);
            done.lists.push(list.map(|list| list.id));
            match list {
                Some(list) if list.currency != wanted.currency.code() => {
                    done.lists[place] = None;
                    let why = format!(
                        "the price list there is in {}, and is wanted in {}",
                        list.currency, wanted.currency
                    );
                    done.refused.push((place, why));
                }
                None if wanted.is_existing => {
                    let why =
                        "the shop has no price list of this name: make it in the shop's admin".to_owned();
                    done.refused.push((place, why));
                }
                list if !wanted.is_existing => {
                    let list = list.map(|list| list.id);
                    let catalog =
                        list.and_then(|list| self.catalogs.iter().find(|one| one.list == Some(list)));
                    kept.extend(catalog.map(|catalog| catalog.id.as_str()));
                    one(&mut done.steps, (place, wanted, list), catalog, is_whole);
                }
                Some(_) | None => {}
            }
        }
        let names: BTreeSet<&str> = arranged.catalogs.iter().map(|one| one.name.as_str()).collect();
        for catalog in self.catalogs.iter().filter(|one| one.is_of_locations && one.title.starts_with(prefix))
        {
            if kept.contains(catalog.id.as_str()) {
                continue;
            }
            // One under a wanted name without its list was made twice: it would charge the shop's own prices.
            let is_stray = names.contains(catalog.title.as_str()) && catalog.list.is_none();
            if is_whole || is_stray {
                done.steps.push(Step::Delete { id: catalog.id.clone(), name: catalog.title.clone() });
            } else {
                done.left_over.push(catalog.title.clone());
            }
        }
        done
    }
}

fn one(
    steps: &mut Vec<Step>,
    (place, wanted, list): (usize, &Catalog, Option<u64>),
    catalog: Option<&SeenCatalog>,
    is_whole: bool,
) {
    let name = wanted.name.clone();
    let Some(catalog) = catalog else {
        steps.push(Step::Make { catalog: place, name, list, locations: wanted.locations.clone() });
        return;
    };
    let id = catalog.id.clone();
    let add: BTreeSet<u64> = wanted.locations.difference(&catalog.locations).copied().collect();
    let remove: BTreeSet<u64> = catalog.locations.difference(&wanted.locations).copied().collect();
    if !add.is_empty() {
        steps.push(Step::AddLocations { id: id.clone(), name: name.clone(), locations: add });
    }
    if !catalog.is_active {
        steps.push(Step::Activate { id: id.clone(), name: name.clone() });
    }
    if is_whole && !remove.is_empty() {
        steps.push(Step::RemoveLocations { id, name, locations: remove });
    }
}
