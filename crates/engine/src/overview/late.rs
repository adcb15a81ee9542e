//! What is late by now, and what it waits for, grouped by that.

use super::Watched;
use crate::hub::Snapshot;
use crate::waits::{Because, Waits, waits_for};
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::id::{FlowName, ShopId, SystemName};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use store::delivery::{Delivery, DeliveryKind};
use store::operate::Pause;
use store::query::{DeliveryFilter, Life, Phase};
use store::{Store, StoreError};

/// Open deliveries looked at, for each flow; where more are open, the newest.
const OPEN_MAX: usize = 2000;
const PAGE: u32 = 500;

/// Exports that are open for longer than the objective, except those that wait for a condition or a time that the
/// flow's own policy sets.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Late {
    pub count: u64,
    pub oldest_ms: Option<u64>,
    /// More are open than were looked at, and the oldest of them is late.
    pub more: bool,
    /// The largest first.
    pub groups: Vec<LateGroup>,
    /// Of which flow and shop each is, and how old.
    #[serde(skip)]
    ages_ms: Vec<(FlowName, ShopId, u64)>,
    /// Of which flow, and at which shops it has anything open, where more are late than were looked at.
    #[serde(skip)]
    more_of: BTreeSet<(FlowName, ShopId)>,
}

/// How long each has waited that is late, of one flow at one shop.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) ages_ms: Vec<u64>,
    /// More are late than these.
    pub(super) more: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LateGroup {
    pub system: SystemName,
    pub count: u64,
    pub oldest_ms: u64,
    /// Of the one that has waited longest.
    pub waits: Waits,
}

impl Late {
    pub(super) fn ages_ms(&self) -> impl Iterator<Item = u64> {
        self.ages_ms.iter().map(|(_, _, age_ms)| *age_ms)
    }

    /// Adds how old each is, by flow and shop.
    pub(super) fn by_place(&self, to: &mut BTreeMap<(FlowName, ShopId), Waiting>) {
        for (flow, shop, age_ms) in &self.ages_ms {
            to.entry((flow.clone(), shop.clone())).or_default().ages_ms.push(*age_ms);
        }
        for place in &self.more_of {
            to.entry(place.clone()).or_default().more = true;
        }
    }
}

pub(super) async fn late(
    store: &dyn Store,
    snapshot: &Snapshot,
    watched: &Watched,
    pauses: &[Pause],
    now: Timestamp,
) -> Result<Late, StoreError> {
    let mut late = Late::default();
    let mut groups: BTreeMap<(SystemName, Because), LateGroup> = BTreeMap::new();
    for (flow, _) in watched.exports() {
        let filter =
            DeliveryFilter { flow: Some(flow.clone()), phase: Some(Phase::Open), ..Default::default() };
        let (open, full) = newest(store, filter).await?;
        if full && oldest_ms(store, &open, now).await?.is_none_or(|age_ms| age_ms > watched.objective_ms()) {
            late.more = true;
            late.more_of.extend(open.iter().map(|one| (flow.clone(), one.subject.shop.clone())));
        }
        for delivery in open {
            let age_ms = elapsed_ms(delivery.changed_at, now);
            let waits = waits_for(&delivery, &snapshot.systems, pauses, &Life::default(), now);
            let Some(waits) = waits.filter(|waits| counts(&delivery, waits)) else { continue };
            if age_ms <= watched.objective_ms() {
                continue;
            }
            late.ages_ms.push((flow.clone(), delivery.subject.shop.clone(), age_ms));
            let key = (delivery.lane.system.clone(), waits.because);
            let fresh = || LateGroup {
                system: delivery.lane.system.clone(),
                count: 0,
                oldest_ms: 0,
                waits: waits.clone(),
            };
            let group = groups.entry(key).or_insert_with(fresh);
            group.count += 1;
            if age_ms > group.oldest_ms {
                group.oldest_ms = age_ms;
                group.waits = waits;
            }
        }
    }
    late.count = late.ages_ms.len() as u64;
    late.oldest_ms = late.ages_ms().max();
    late.groups = groups.into_values().collect();
    late.groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    Ok(late)
}

/// A step's time and an order that is not paid are as wanted.
fn counts(delivery: &Delivery, waits: &Waits) -> bool {
    matches!(delivery.kind, DeliveryKind::State | DeliveryKind::Event)
        && !matches!(waits.because, Because::Condition | Because::Schedule)
}

/// How long the one has waited that has waited longest, of all that goes where these go. None: nobody knows.
async fn oldest_ms(store: &dyn Store, open: &[Delivery], now: Timestamp) -> Result<Option<u64>, StoreError> {
    let systems: BTreeSet<&SystemName> = open.iter().map(|delivery| &delivery.lane.system).collect();
    let backlog = store.backlog(now).await?;
    let of = backlog.iter().filter(|of| systems.contains(&of.system));
    Ok(of.filter_map(|of| of.oldest_changed_at).map(|oldest| elapsed_ms(oldest, now)).max())
}

async fn newest(store: &dyn Store, mut filter: DeliveryFilter) -> Result<(Vec<Delivery>, bool), StoreError> {
    let mut all: Vec<Delivery> = Vec::new();
    filter.limit = PAGE;
    while all.len() < OPEN_MAX {
        let page = store.deliveries(filter.clone()).await?;
        let full = page.len() >= PAGE as usize;
        filter.before = page.last().map(|delivery| delivery.id);
        all.extend(page);
        if !full {
            return Ok((all, false));
        }
    }
    Ok((all, true))
}
