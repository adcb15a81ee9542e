//! The full check of stock: all that the source has against all that the shop has, for one flow and one shop. Owns the order
//! of things: both sides are read whole, what differs is looked at once more (it may be on its way, or agree by now), told by
//! its cause, and, where that is asked for, taken up again as a fact like any other, behind live ones.
//!
//! Nothing is concluded from half a side: a stream that fails ends the check, and nothing was changed. Nor from a side that
//! cannot be the whole ([`guard`]). One that was killed goes on with what it had read of the shop ([`kept`]). There is one at a
//! time, over all nodes ([`running`]).

mod backfill;
mod guard;
mod kept;
mod now;
mod numbers;
mod only_shop;
mod rows;
mod running;
mod second_look;
mod shop_side;
mod straight;
mod told;

use only_shop::Heard;
use running::Run;
use straight::Figures;
pub use straight::Straight;
use told::{Watch, lines_of, policy_word};

use super::Loaded;
use super::connectors::Connected;
use super::plan::INVENTORY;
use anyhow::Context as _;
use api::admin::{CheckError, Checking, StockBackfilled, StockCheck, StockChecked, StockNamed};
use async_trait::async_trait;
use config::{OnlyInShop, Origin, SHOPIFY, Violation};
use connector::port::{Came, Connector, Fed, Stated, Whole};
use domains::inventory::Key;
use domains::inventory::compare::{Cause, Check, InFlight, Shelves, Truth};
use domains::inventory::composed;
use engine::facts::Mapper;
use engine::plan::Plan;
use engine::work::stock_now::LooksNow;
use engine::work::{Progress, Scope, WorkError};
use jiff::tz::TimeZone;
use kept::Kept;
use kernel::clock::Clock;
use kernel::fault::{Fault, FaultKind};
use kernel::id::{FlowName, ShopId};
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use serde_json::Value;
use shopify::graphql::ShopClient;
use shopify::inventory::location_ids;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
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
    straight: Option<Straight>,
    /// Of the last whole snapshot's pairs, a new one has so many, in percent.
    floor_percent: u8,
    /// Of configuration and mappings.
    revision: String,
    /// For what is read; no other check uses it.
    folder: PathBuf,
    /// The same, for backfills: one may be asked for while a check runs.
    backfills: PathBuf,
    zone: TimeZone,
    /// What becomes of a quantity that somebody typed in the shop.
    policy: Violation,
    only_in_shop: OnlyInShop,
    /// The source may push, and numbers what it pushes.
    pushes: bool,
    /// The source can be asked for one pair.
    asks: bool,
}

/// Every full check that can be asked for.
pub fn all(
    loaded: &Loaded,
    plan: &Plan,
    connected: &Connected,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Arc<dyn StockCheck>>> {
    let checks = each(loaded, plan, connected, store, clock)?;
    Ok(checks.into_iter().map(|check| check as Arc<dyn StockCheck>).collect())
}

/// Who asks a shop what it has this moment, for each flow of stock.
pub type Looking = BTreeMap<FlowName, BTreeMap<ShopId, Arc<dyn LooksNow>>>;

/// The same that a check looks with.
pub fn looking(
    loaded: &Loaded,
    plan: &Plan,
    connected: &Connected,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Looking> {
    let mut looking = Looking::new();
    for check in each(loaded, plan, connected, store, clock)? {
        let (flow, shop) = (check.scope.flow.clone(), check.scope.shop.clone());
        looking.entry(flow).or_default().insert(shop, check);
    }
    Ok(looking)
}

fn each(
    loaded: &Loaded,
    plan: &Plan,
    connected: &Connected,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Vec<Arc<FullCheck>>> {
    let mut checks = Vec::new();
    let data_dir = super::open::data_dir(&loaded.config).context("the configuration has no [hub]")?;
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
        let policy = policy(loaded);
        for (shop, of_shop) in loaded.config.shops_of(flow) {
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
            checks.push(Arc::new(FullCheck {
                scope,
                client: client.clone(),
                target: target.clone(),
                mapper: planned.mapper.clone(),
                straight: loaded.straight.get(name).cloned(),
                floor_percent: flow.stock.snapshot_floor.percent(),
                revision: loaded.revision.clone(),
                folder: data_dir.join("full-checks").join(format!("{name}@{shop}")),
                backfills: data_dir.join("backfills").join(format!("{name}@{shop}")),
                zone: of_shop.time_zone.value.clone(),
                policy,
                only_in_shop: flow.stock.only_in_shop.value,
                asks: loaded.reads_states(&planned.source),
                pushes: loaded
                    .config
                    .systems
                    .get(&planned.source)
                    .is_some_and(|system| system.ingest.is_open()),
            }));
        }
    }
    Ok(checks)
}

/// Where nobody wrote otherwise the owner's word counts.
fn policy(loaded: &Loaded) -> Violation {
    let owned = loaded.config.ownership.iter().find(|(domain, _)| domain.as_str() == INVENTORY);
    let written = owned.map(|(_, ownership)| &ownership.violation);
    written.filter(|policy| policy.origin != Origin::Default).map_or(Violation::Revert, |policy| policy.value)
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

    fn zone(&self) -> &TimeZone {
        &self.zone
    }

    async fn backfill(
        &self,
        named: &StockNamed,
        brings: bool,
        progress: &dyn Progress,
    ) -> Result<StockBackfilled, CheckError> {
        self.brought(named, brings, progress).await
    }

    async fn run(&self, asked: &Checking, progress: &dyn Progress) -> Result<StockChecked, CheckError> {
        let run = self.begin(asked.mends).await?;
        let checked = self.checked(&run, asked, progress).await;
        run.end().await;
        checked
    }
}

impl FullCheck {
    async fn checked(
        &self,
        run: &Run,
        asked: &Checking,
        progress: &dyn Progress,
    ) -> Result<StockChecked, CheckError> {
        let (mut kept, note) = self.kept(&self.folder, asked.anew)?;
        let mut told = StockChecked {
            flow: self.scope.flow.to_string(),
            shop: self.scope.shop.to_string(),
            notes: note.into_iter().collect(),
            by_hand: policy_word(self.policy),
            ..StockChecked::default()
        };
        let found = self.found(&mut kept, (run, asked), progress, &mut told).await;
        // What the source said was doubted, or all is told: neither is gone on with.
        if matches!(found, Ok(()) | Err(CheckError::Doubted(_))) {
            kept.forget().map_err(files)?;
        }
        found.map(|()| told)
    }

    /// What an interrupted one has left in a folder.
    fn kept(&self, folder: &Path, anew: bool) -> Result<(Kept, Option<String>), Fault> {
        let now = self.scope.clock.now().wall;
        Kept::open(folder, &self.revision, now, anew).map_err(files)
    }

    async fn found(
        &self,
        kept: &mut Kept,
        (run, asked): (&Run, &Checking),
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<(), CheckError> {
        let places = location_ids(&self.client, &self.scope.call()).await?;
        let key = Key([super::clock::seed(), super::clock::seed()]);
        let shelves = self.shop_side(kept, key, progress, told).await?;
        let mut watch = Watch::begin(&self.scope.clock);
        let (check, differing, came, heard) = self.source_side(run, shelves, &places, progress, told).await?;
        watch.told("source", told);
        // By what the source told, and not by what is shown of it: of two locations that are one a whole one may be missing.
        let twice = check.twice() + came.unwrap_or_default().twice;
        let named = came.map_or(check.named() + told.unreadable, |came| came.named.saturating_sub(twice));
        run.may().await?;
        let measured = self.believe(named, twice, asked, told).await?;
        let report = shop_side::named(kept, check.end())?;
        (told.source, told.shop_has, told.same) = (report.source, report.shopify, report.same);
        let mut lines = lines_of(&report, &places, told);
        if !lines.is_empty() {
            self.second_look(run, differing, &places, &mut lines, told).await?;
        } else if asked.mends && self.policy == Violation::Ask {
            // What was asked about is as it should be by now.
            run.may().await?;
            self.ask(Vec::new(), told).await?;
        }
        if self.only_in_shop == OnlyInShop::Zero {
            self.zero((run, asked), measured, (&heard, &places), &mut lines, told).await?;
        }
        watch.told("second_look", told);
        told.differences = lines.into_values().collect();
        Ok(())
    }

    /// The source's side, compared as it streams past; and what of it differs.
    async fn source_side(
        &self,
        run: &Run,
        shelves: Shelves,
        places: &BTreeMap<String, String>,
        progress: &dyn Progress,
        told: &mut StockChecked,
    ) -> Result<(Check, Vec<Fed>, Option<Came>, Heard), CheckError> {
        let of_shop = shelves.len();
        let mut whole = self.whole(run).await?;
        let mut topic = whole.topic();
        let (mut seen, mut come) = (0, Vec::new());
        // How much is held back is the mapping's to say: the first level that it takes has it.
        let mut first = None;
        while first.is_none() {
            come = whole.next().await?;
            topic = whole.topic();
            if come.is_empty() {
                break;
            }
            first = come.iter().find_map(|stated| self.stated(topic, stated, places).ok());
            if first.is_none() {
                seen += come.len() as u64;
                told.unreadable += come.len() as u64;
            }
        }
        let in_flight = first.as_ref().map_or(InFlight::Counted, |meant| in_flight(&meant.body));
        // A million names are put in order: nothing else is to wait for that.
        let sorted = tokio::task::spawn_blocking(move || Check::new(shelves, in_flight, KEPT)).await;
        let mut check = sorted.map_err(|_| bug("the comparison ended by itself"))?;
        let (mut differing, mut heard) = (Differing::default(), Heard::default());
        // The shop's location of each of the source's.
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        let mut tell_at = TELL_EVERY;
        while !come.is_empty() {
            seen += come.len() as u64;
            if seen >= tell_at {
                tell_at = seen + TELL_EVERY;
                if !progress.at(of_shop + seen, of_shop * 2) {
                    return Err(WorkError::Stopped.into());
                }
            }
            let mut short = Vec::with_capacity(come.len());
            for stated in &come {
                // What the short way cannot read the long way says the same of.
                let figures = self.straight.as_ref().and_then(|way| way.figures(&stated.payload).ok());
                if let Some(figures) = figures {
                    if known.contains_key(&figures.location) {
                        short.push((stated, figures));
                        continue;
                    }
                    if let Ok(meant) = self.stated(topic, stated, places) {
                        heard.of(&meant);
                        known.insert(figures.location, meant.location.clone());
                        differing.compared(meant.compared(&mut check, places), topic, stated);
                        continue;
                    }
                } else if let Ok(meant) = self.stated(topic, stated, places) {
                    heard.of(&meant);
                    differing.compared(meant.compared(&mut check, places), topic, stated);
                    continue;
                }
                // A dead letter says why, as soon as it is pushed or read.
                told.unreadable += 1;
            }
            let truths: Vec<Truth<'_>> = short
                .iter()
                .filter_map(|(_, figures)| {
                    let location = known.get(&figures.location)?;
                    let Figures { sku, available, counted, .. } = figures;
                    Some(Truth { sku, location, available: *available, counted: *counted })
                })
                .collect();
            for ((stated, _), cause) in short.iter().zip(check.add_all(&truths)) {
                differing.compared(cause, topic, stated);
            }
            come = whole.next().await?;
            topic = whole.topic();
        }
        Ok((check, differing.all, whole.came(), heard))
    }

    /// All that the source has, from its first state on.
    async fn whole(&self, run: &Run) -> Result<Box<dyn Whole>, Fault> {
        let whole = self.scope.source.whole(&self.scope.call(), self.scope.domain.as_str()).await?;
        run.numbers.may_be_taken_up(whole.numbered(), self.pushes)?;
        Ok(whole)
    }

    /// What a state of the whole is meant to be at the target.
    fn stated(
        &self,
        topic: &str,
        stated: &Stated,
        places: &BTreeMap<String, String>,
    ) -> Result<Meant, Fault> {
        self.meant(fed(topic, stated), places)
    }

    fn meant(&self, mut fed: Fed, places: &BTreeMap<String, String>) -> Result<Meant, Fault> {
        let state = self.scope.facts.read(&fed.topic, &fed.payload)?;
        let (Some(sku), Some(at)) = (state.body["sku"].as_str(), state.body["location"].as_str()) else {
            return Err(bug("a level that was read names no pair"));
        };
        let mut subject = domains::inventory::subject(self.scope.shop.clone(), sku, at);
        if fed.topic == composed::TOPIC {
            let mut family = self.scope.facts.composes(&subject).unwrap_or_default().into_iter();
            let own = |path: &String| {
                let subject = Subject { shop: subject.shop.clone(), path: path.clone() };
                domains::inventory::parts(&subject).is_some_and(|own| own == (sku.to_owned(), at.to_owned()))
            };
            subject.path = family.find(own).ok_or_else(|| bug("what was composed shares no units"))?;
        }
        fed.path.clone_from(&subject.path);
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

/// As a feed would give it; whose it is its reader says. Its payload is its own, so that nothing else is held with it.
fn fed(topic: &str, stated: &Stated) -> Fed {
    fed_as(topic, stated.sequence, stated.payload.to_vec())
}

fn fed_as(topic: &str, sequence: i64, payload: Vec<u8>) -> Fed {
    Fed { path: String::new(), topic: topic.to_owned(), sequence, payload, change: None }
}

/// What differs, for the second look: of each cause as many as have their names in the report; some hundred bytes each.
#[derive(Default)]
struct Differing {
    all: Vec<Fed>,
    count: BTreeMap<Cause, usize>,
}

impl Differing {
    fn compared(&mut self, cause: Option<Cause>, topic: &str, stated: &Stated) {
        if let Some(cause) = cause {
            self.keep(cause, fed(topic, stated));
        }
    }

    fn keep(&mut self, cause: Cause, fed: Fed) {
        let count = self.count.entry(cause).or_default();
        if *count < KEPT {
            *count += 1;
            self.all.push(fed);
        }
    }
}

impl Meant {
    /// `places`: the shop's locations by name.
    fn compared(&self, check: &mut Check, places: &BTreeMap<String, String>) -> Option<Cause> {
        if self.fed.topic != composed::TOPIC {
            return check.add(&self.truth());
        }
        // What shares its units shows what the others leave of them.
        check.add_by(&self.truth(), |own, others| {
            let others = |sku: &str, at: Option<&str>| {
                others(sku, at.map(|name| places.get(name).map_or(name, String::as_str)))
            };
            shopify::inventory::to_show(&self.body, own, &others).unwrap_or(self.available)
        })
    }

    fn truth(&self) -> Truth<'_> {
        Truth { sku: &self.sku, location: &self.location, available: self.available, counted: self.counted }
    }
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

/// The folder of a check cannot be used.
fn files(error: std::io::Error) -> Fault {
    let what = format!("what the full check reads cannot be kept in the data directory: {error}");
    Fault::new(FaultKind::Transient, "TG-6108", what)
}
