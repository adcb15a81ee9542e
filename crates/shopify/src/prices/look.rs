//! One look at all of it: what is there, what differs, what is to be done. What does not change within a run is read once.

use super::code;
use super::encode::Key;
use super::patience::Shop;
use super::places::Places;
use super::plan::{CatalogPlan, ListPlan, Plan};
use super::{Options, Tell};
use crate::graphql::SHOP;
use domains::prices::{
    Arranged, Batch, Change, Diff, Held, List, Place, Shelf, Wanted, arrange, batches, compare, gather,
};
use kernel::fault::{Fault, FaultKind};
use kernel::money::Currency;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is known from round to round.
#[derive(Default)]
pub(super) struct Known {
    wanted: Option<Fixed>,
    /// Names of catalogs of which nothing differed when they were read.
    pub(super) settled: BTreeSet<String>,
    /// What Shopify refused; it is not sent again.
    pub(super) refused: BTreeSet<Key>,
    /// Locations that it refused, of catalogs by their names.
    pub(super) locations: BTreeSet<(String, u64)>,
    /// Names of catalogs of which it refused a step.
    pub(super) stuck: BTreeSet<String>,
}

/// What does not change within a run.
pub(super) struct Fixed {
    pub(super) shelf: Shelf,
    pub(super) lists: Vec<List>,
    pub(super) arranged: Arranged,
}

/// A look, and what is needed to do what it says.
#[derive(Default)]
pub(super) struct Look {
    pub(super) plan: Plan,
    /// The price list of each catalog, where there is one.
    pub(super) ids: Vec<Option<u64>>,
    /// Those whose prices are not written.
    pub(super) shut: BTreeSet<usize>,
    held: Vec<Held>,
}

impl Known {
    pub(super) fn fixed(&self) -> Option<&Fixed> {
        self.wanted.as_ref()
    }

    /// The calls for one catalog.
    pub(super) fn batches(&self, look: &Look, catalog: usize) -> Vec<Batch> {
        let Some(fixed) = self.fixed().filter(|_| !look.shut.contains(&catalog)) else { return Vec::new() };
        batches(self.differs(fixed, catalog, &look.held[catalog]).changes)
    }

    fn differs(&self, fixed: &Fixed, catalog: usize, held: &Held) -> Diff {
        let of = &fixed.arranged.catalogs[catalog];
        if self.settled.contains(&of.name) {
            return Diff::default();
        }
        let mut diff = compare(of, &fixed.lists, &fixed.shelf, held);
        let is_refused = |change: &Change| self.refused.contains(&(of.name.clone(), Some(change.variant)));
        if !self.refused.is_empty() {
            diff.changes.retain(|change| !is_refused(change));
        }
        diff
    }
}

async fn currency(shop: &Shop<'_>) -> Result<Currency, Fault> {
    let reply = shop.read(&SHOP, &json!({})).await?;
    let code = reply.data.pointer("/shop/currencyCode").and_then(Value::as_str).unwrap_or_default();
    Currency::from_code(code).map_err(|error| {
        Fault::new(
            FaultKind::Transient,
            code::UNREADABLE,
            format!("the shop's own currency is not known: {error}"),
        )
    })
}

async fn fixed(
    shop: &Shop<'_>,
    wanted: &[Wanted],
    places: &Places,
    options: &Options,
    tell: &mut Tell<'_>,
) -> Result<Fixed, Fault> {
    let own = currency(shop).await?;
    let shelf = shop.shelf(own, options, tell).await?;
    let read = |one: &Wanted| {
        gather(one, &shelf).map_err(|why| {
            let what =
                format!("the wanted prices of list {} cannot be read: {why}; nothing is written", one.id);
            Fault::new(FaultKind::Rejected, code::SOURCE, what)
        })
    };
    let lists: Vec<List> = wanted.iter().map(read).collect::<Result<_, _>>()?;
    let arranged = arrange(wanted, &lists, (&shelf, own), &places.foreign(&options.prefix), &options.prefix);
    Ok(Fixed { shelf, lists, arranged })
}

pub(super) async fn look(
    shop: &Shop<'_>,
    wanted: &[Wanted],
    options: &Options,
    known: &mut Known,
    tell: &mut Tell<'_>,
) -> Result<Look, Fault> {
    if wanted.is_empty() && options.is_whole {
        let what = "no price list is wanted at all, and what is not wanted would go: give the lists, or say that they are not \
                    all of them";
        return Err(Fault::new(FaultKind::Rejected, code::NOTHING, what));
    }
    let places = shop.places(options, tell).await?;
    let mut fixed = match known.wanted.take() {
        Some(fixed) => fixed,
        None => fixed(shop, wanted, &places, options, tell).await?,
    };
    for catalog in &mut fixed.arranged.catalogs {
        let name = &catalog.name;
        catalog.locations.retain(|location| !known.locations.contains(&(name.clone(), *location)));
    }
    let compared = places.compare(&fixed.arranged, &options.prefix, options.is_whole);
    let held = held(shop, wanted, (&fixed, known), (&places, &compared.lists), options, tell).await?;
    let refused: BTreeMap<usize, String> = compared.refused.into_iter().collect();
    let mut plan = told(wanted, &fixed, &places, &options.prefix);
    (plan.steps, plan.left_over) = (compared.steps, compared.left_over);
    plan.steps.retain(|step| !known.stuck.contains(step.name()));
    for (place, catalog) in fixed.arranged.catalogs.iter().enumerate() {
        let Diff { counts, largest, changes } = known.differs(&fixed, place, &held[place]);
        let why = refused.get(&place).cloned();
        let calls = if why.is_some() { 0 } else { batches(changes).len() };
        if calls == 0 && compared.lists[place].is_some() {
            known.settled.insert(catalog.name.clone());
        }
        plan.catalogs.push(CatalogPlan {
            name: catalog.name.clone(),
            lists: catalog.lists.iter().map(|list| wanted[*list].id.clone()).collect(),
            locations: catalog.locations.len(),
            counts,
            largest,
            calls,
            refused: why,
        });
    }
    plan.in_bulk = plan.calls() > options.direct_max;
    known.wanted = Some(fixed);
    Ok(Look { plan, ids: compared.lists, shut: refused.into_keys().collect(), held })
}

/// What the lists themselves say.
fn told(wanted: &[Wanted], fixed: &Fixed, places: &Places, prefix: &str) -> Plan {
    let ids = |lists: &[usize]| lists.iter().map(|list| wanted[*list].id.clone()).collect();
    let of_list = |(place, one): (usize, &Wanted)| {
        let list = &fixed.lists[place];
        ListPlan {
            id: one.id.clone(),
            prices: list.items.len(),
            left: list.left.clone(),
            unknown: list.unknown.clone(),
            ends: list.ends,
            is_for_nobody: fixed.arranged.for_nobody.contains(&place),
        }
    };
    let ours: BTreeSet<u64> = wanted
        .iter()
        .filter_map(|one| match &one.place {
            Place::Locations(locations) => Some(locations),
            Place::Existing(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    let others = places.catalogs.iter().filter(|one| one.is_active && !one.title.starts_with(prefix));
    let foreign = others
        .flat_map(|one| one.locations.intersection(&ours).map(|location| (*location, one.title.clone())));
    Plan {
        lists: wanted.iter().enumerate().map(of_list).collect(),
        merged: fixed.arranged.merged.iter().map(|(lists, sku)| (ids(lists), sku.clone())).collect(),
        foreign: foreign.collect(),
        ..Plan::default()
    }
}

/// What each catalog's price list holds; of one that is settled nothing is read.
async fn held(
    shop: &Shop<'_>,
    wanted: &[Wanted],
    (fixed, known): (&Fixed, &Known),
    (places, ids): (&Places, &[Option<u64>]),
    options: &Options,
    tell: &mut Tell<'_>,
) -> Result<Vec<Held>, Fault> {
    let mut held: Vec<Held> = vec![Held::new(); ids.len()];
    let mut in_bulk: BTreeMap<u64, (usize, Currency)> = BTreeMap::new();
    for (place, catalog) in fixed.arranged.catalogs.iter().enumerate() {
        let Some(id) = ids[place].filter(|_| !known.settled.contains(&catalog.name)) else { continue };
        let depends = |list: &usize| {
            wanted[*list].has_quantities
                || fixed.lists[*list].items.iter().any(|(_, item)| item.quantities.is_some())
        };
        let has_quantities = catalog.lists.iter().any(depends);
        let count = places.list(&catalog.name).map_or(0, |list| list.prices);
        if !has_quantities && count > options.paged_max {
            in_bulk.insert(id, (place, catalog.currency));
        } else if has_quantities || count > 0 {
            held[place] = shop.prices_of(id, catalog.currency).await?;
        }
    }
    if !in_bulk.is_empty() {
        let of = in_bulk.iter().map(|(id, (_, currency))| (*id, *currency)).collect();
        for (id, prices) in shop.all_prices(&of, options, tell).await? {
            if let Some((place, _)) = in_bulk.get(&id) {
                held[*place] = prices;
            }
        }
    }
    Ok(held)
}
