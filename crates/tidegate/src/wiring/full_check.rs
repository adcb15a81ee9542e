//! The full check of stock: all that the source has against all that the shop has, for one flow and one shop. Owns the order
//! of things: both sides are read whole, what differs is looked at once more (it may be on its way, or agree by now), told by
//! its cause, and, where that is asked for, taken up again as a fact like any other, behind live ones.
//!
//! Nothing is concluded from half a side: a stream that fails ends the check, and nothing was changed.

mod second_look;

use super::Loaded;
use super::connectors::Connected;
use super::plan::INVENTORY;
use anyhow::Context as _;
use api::admin::{StockCheck, StockChecked, StockDifference};
use async_trait::async_trait;
use config::SHOPIFY;
use connector::port::{Connector, Fed};
use domains::inventory::Key;
use domains::inventory::compare::{Check, InFlight, Shelf, Shelves, Truth};
use engine::facts::Mapper;
use engine::plan::Plan;
use engine::work::{Progress, Scope, WorkError};
use kernel::clock::Clock;
use kernel::fault::{Fault, FaultKind};
use kernel::id::{FlowName, ShopId};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use serde_json::Value;
use shopify::graphql::ShopClient;
use shopify::inventory::{location_ids, snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use store::Store;

/// Differences that are kept with their names, of each cause; beyond they are counted.
const KEPT: usize = 25_000;
/// Pairs that one check holds: 24 bytes each.
const PAIRS_MAX: usize = 20_000_000;
/// Shopify's bulk operation, and each reading of a side.
const WITHIN: Duration = Duration::from_secs(3_600);
const TIME_OUT: Duration = Duration::from_secs(30);
/// Told of progress after so many.
const TELL_EVERY: u64 = 5_000;

/// One flow at one shop.
#[derive(Debug)]
struct FullCheck {
    scope: Scope,
    client: Arc<ShopClient>,
    target: Arc<dyn Connector>,
    mapper: Arc<dyn Mapper>,
}

/// Every full check that can be asked for.
pub fn all(
    loaded: &Loaded,
    plan: &Plan,
    connected: &Connected,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Arc<dyn StockCheck>>> {
    let mut checks: Vec<Arc<dyn StockCheck>> = Vec::new();
    let flows = loaded
        .config
        .flows
        .iter()
        .filter(|(_, flow)| flow.domain.as_str() == INVENTORY && flow.target.as_str() == SHOPIFY);
    for (name, flow) in flows {
        let planned = plan.flows.get(name).context("a flow that is not planned")?;
        let (Some(source), Some(target)) =
            (connected.sources.get(&planned.source), connected.connectors.get(&planned.target))
        else {
            continue;
        };
        for (shop, _) in loaded.config.shops_of(flow) {
            let client = connected.shops.get(shop).map_err(|fault| anyhow::anyhow!("{fault}"))?;
            let scope = Scope {
                store: store.clone(),
                source: source.clone(),
                facts: planned.facts.clone(),
                clock: clock.clone(),
                shop: shop.clone(),
                flow: name.clone(),
                domain: planned.domain.clone(),
                source_system: planned.source.clone(),
                budget_percent: flow.sweep.cost_share.percent(),
                time_out: TIME_OUT,
            };
            let (client, target, mapper) = (client.clone(), target.clone(), planned.mapper.clone());
            checks.push(Arc::new(FullCheck { scope, client, target, mapper }));
        }
    }
    Ok(checks)
}

/// A pair of the source, as it is meant at the target.
struct Meant {
    fed: Fed,
    subject: Subject,
    body: Value,
    sku: String,
    location: String,
    available: i64,
    counted: Option<i64>,
}

#[async_trait]
impl StockCheck for FullCheck {
    fn flow(&self) -> &FlowName {
        &self.scope.flow
    }

    fn shop(&self) -> &ShopId {
        &self.scope.shop
    }

    async fn run(&self, mend: bool, progress: &dyn Progress) -> Result<StockChecked, WorkError> {
        let places = location_ids(&self.client, &self.scope.call()).await?;
        let mut total = 0;
        let mut stopped = false;
        let finished = snapshot::take(&self.client, &self.scope.call(), WITHIN, &mut |told| {
            total = told.lines;
            stopped |= !progress.at(0, told.lines);
        })
        .await?;
        if stopped {
            return Err(WorkError::Stopped);
        }
        let key = Key([super::clock::seed(), super::clock::seed()]);
        let mut shelves = Shelves::new(key, PAIRS_MAX);
        let mut levels =
            snapshot::Snapshot::open(&self.client, &self.scope.call(), &finished, WITHIN).await?;
        let mut done = 0;
        while let Some(row) = levels.next().await? {
            shelves
                .add(&shelf(&row)?)
                .map_err(|many| Fault::new(FaultKind::Rejected, "TG-6107", many.to_string()))?;
            done += 1;
            if done % TELL_EVERY == 0 && !progress.at(done, total) {
                return Err(WorkError::Stopped);
            }
        }
        let mut whole = self.scope.source.whole(&self.scope.call(), self.scope.domain.as_str()).await?;
        let (mut check, mut gathered, mut unreadable, mut seen) = (None, Some(shelves), 0, 0);
        while let Some(fed) = whole.next().await? {
            seen += 1;
            if seen % TELL_EVERY == 0 && !progress.at(seen, total) {
                return Err(WorkError::Stopped);
            }
            let Ok(meant) = self.meant(fed, &places) else {
                // A dead letter says why, as soon as it is pushed or read.
                unreadable += 1;
                continue;
            };
            let check = check.get_or_insert_with(|| {
                let in_flight = in_flight(&meant.body);
                Check::new(gathered.take().unwrap_or_else(|| Shelves::new(key, 0)), in_flight, KEPT)
            });
            check.add(&Truth {
                sku: &meant.sku,
                location: &meant.location,
                available: meant.available,
                counted: meant.counted,
            });
        }
        let check = match (check, gathered) {
            (Some(check), _) => check,
            (None, shelves) => {
                Check::new(shelves.unwrap_or_else(|| Shelves::new(key, 0)), InFlight::Counted, KEPT)
            }
        };
        let mut naming = check.end();
        if naming.is_open() {
            let mut levels =
                snapshot::Snapshot::open(&self.client, &self.scope.call(), &finished, WITHIN).await?;
            while let Some(row) = levels.next().await? {
                naming.add(&shelf(&row)?);
                if !naming.is_open() {
                    break;
                }
            }
        }
        let report = naming.end();
        let mut told = StockChecked {
            flow: self.scope.flow.to_string(),
            shop: self.scope.shop.to_string(),
            source: report.source,
            shop_has: report.shopify,
            same: report.same,
            unreadable,
            without_sku: levels.without_sku(),
            ..StockChecked::default()
        };
        let mut wanted: BTreeMap<(String, String), StockDifference> = BTreeMap::new();
        for (cause, found) in report.all() {
            if found.count > 0 {
                told.causes.insert(cause.as_str().to_owned(), found.count);
            }
            for one in &found.kept {
                let line = StockDifference {
                    sku: one.sku.clone(),
                    location: one.location.clone(),
                    cause: cause.as_str().to_owned(),
                    why: None,
                    wanted: one.wanted,
                    has: one.has,
                    spelt: one.spelt.as_ref().map(|(sku, _)| sku.clone()),
                };
                wanted.insert((one.sku.clone(), one.location.clone()), line);
            }
        }
        if !wanted.is_empty() {
            self.second_look(&mut wanted, &places, mend, &mut told).await?;
        }
        told.differences = wanted.into_values().collect();
        Ok(told)
    }
}

impl FullCheck {
    fn meant(&self, fed: Fed, places: &BTreeMap<String, String>) -> Result<Meant, Fault> {
        let subject = Subject { shop: self.scope.shop.clone(), path: fed.path.clone() };
        let state = self.scope.facts.read(&fed.topic, &fed.payload)?;
        let body = self
            .mapper
            .map(&state.body, &subject, &ObjectKey::of(&subject), self.scope.clock.now().wall)?
            .body;
        let (sku, at, available) =
            (body["sku"].as_str(), location(&body["location"]), body["available"].as_i64());
        let (Some(sku), Some(at), Some(available)) = (sku, at, available) else {
            return Err(bug("the mapping made no pair"));
        };
        let location = places.get(&at).cloned().unwrap_or(at);
        let (sku, counted) = (sku.to_owned(), body["counted"].as_i64());
        Ok(Meant { fed, subject, sku, location, available, counted, body })
    }
}

/// A level of the shop's list; its quantities are GraphQL's `Int`.
fn shelf<'a>(row: &snapshot::Row<'a>) -> Result<Shelf<'a>, Fault> {
    let quantity = |quantity: i64| i32::try_from(quantity).map_err(|_| bug("a quantity is no Int"));
    let (available, committed) = (quantity(row.available)?, quantity(row.committed)?);
    Ok(Shelf { sku: row.sku, location: row.location, available, committed })
}

fn in_flight(body: &Value) -> InFlight {
    match body["in_flight"].as_str() {
        Some("all") => InFlight::All,
        Some("none") => InFlight::None,
        _ => InFlight::Counted,
    }
}

/// By name, by number or by its global id; the last two as the global id.
fn location(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_number { format!("gid://shopify/Location/{text}") } else { text })
}

fn bug(what: &str) -> Fault {
    Fault::new(FaultKind::Bug, "TG-5010", format!("the full check: {what}"))
}
