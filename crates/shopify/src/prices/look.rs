//! One look at all of it: what is there, what differs, what is to be done. What does not change within a run is read once.

use super::code;
use super::encode::Key;
use super::held::Looker;
use super::patience::Shop;
use super::places::Places;
use super::plan::{CatalogPlan, ListPlan, Plan};
use super::{Options, Tell};
use crate::graphql::SHOP;
use domains::prices::{
    Arranged, Batch, Change, Diff, Held, List, Place, Shelf, Wanted, arrange, batches, compare, gather,
    undercuts,
};
use kernel::fault::{Fault, FaultKind};
use kernel::money::Currency;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Prices that somebody else changed, for each catalog; all are counted.
const DRIFT_SHOWN: usize = 10;

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
    /// Those that were read in whole because that was asked for.
    pub(super) compared: BTreeSet<String>,
    /// Nothing is kept of what is read: another run may be writing.
    pub(super) is_dry: bool,
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
    rest: Vec<Rest>,
}

/// What is needed to know what is to be written, whichever is smaller.
enum Rest {
    Held(Held),
    Changes(Vec<Change>),
}

impl Known {
    pub(super) fn dry() -> Self {
        Self { is_dry: true, ..Self::default() }
    }

    pub(super) fn fixed(&self) -> Option<&Fixed> {
        self.wanted.as_ref()
    }

    /// The calls for one catalog.
    pub(super) fn batches(&self, look: &Look, catalog: usize) -> Vec<Batch> {
        let Some(fixed) = self.fixed().filter(|_| !look.shut.contains(&catalog)) else { return Vec::new() };
        match look.rest.get(catalog) {
            Some(Rest::Held(held)) => batches(self.differs(fixed, catalog, held).changes),
            Some(Rest::Changes(changes)) => batches(changes.clone()),
            None => Vec::new(),
        }
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
    let looker = Looker { shop, wanted, fixed: &fixed, places: &places, options };
    let mut seen = looker.held(known, &compared.lists, tell).await?;
    if let Some(memory) = options.memory.as_ref().filter(|_| !known.is_dry) {
        // A list that is gone never comes again under its number; what stays of it is only in the way.
        let _ = memory.keep_only(&places.lists.iter().map(|list| list.id).collect()).await;
    }
    let refused: BTreeMap<usize, String> = compared.refused.into_iter().collect();
    let mut plan = told(wanted, &fixed, &places, &options.prefix);
    (plan.steps, plan.left_over) = (compared.steps, compared.left_over);
    plan.basis = seen.basis;
    plan.steps.retain(|step| !known.stuck.contains(step.name()));
    let mut rest = Vec::new();
    for (place, catalog) in fixed.arranged.catalogs.iter().enumerate() {
        let held = seen.held.remove(&place).unwrap_or_default();
        let Diff { counts, largest, changes } = known.differs(&fixed, place, &held);
        let why = refused.get(&place).cloned();
        let is_small = changes.len() * 2 < held.len();
        let calls = if why.is_some() { 0 } else { batches(changes.clone()).len() };
        rest.push(if is_small { Rest::Changes(changes) } else { Rest::Held(held) });
        let mut drift = seen.drift.remove(&place).unwrap_or_default();
        drift.sort_by_cached_key(|one| std::cmp::Reverse(one.by()));
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
            drift: drift.len() as u64,
            drifted: drift.into_iter().take(DRIFT_SHOWN).collect(),
        });
    }
    plan.in_bulk = plan.calls() > options.direct_max;
    known.wanted = Some(fixed);
    Ok(Look { plan, ids: compared.lists, shut: refused.into_keys().collect(), rest })
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
        undercuts: undercuts(wanted, &fixed.lists, &fixed.shelf),
        ..Plan::default()
    }
}
