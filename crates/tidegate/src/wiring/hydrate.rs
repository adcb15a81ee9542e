//! A shop whose catalogs can be made to say what the price lists say.

use super::Loaded;
use super::clock::seed;
use super::hydration::{LeftAtTheCart, Markets, wanted};
use super::last_read::LastRead;
use super::open;
use super::run_lease::{LEASE, Lease, OneOf, last_run_of};
use api::admin::{Hydrate, HydrateError, Hydrating};
use async_trait::async_trait;
use config::{MarketList, Plan as ShopPlan, Violation};
use connector::port::CallContext;
use jiff::Timestamp;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::fault::Fault;
use kernel::id::ShopId;
use price_store::{PriceStore, Version};
use serde_json::{Value, json};
use shopify::graphql::{ShopClient, Shops};
use shopify::prices::{HandMade, Memory, Options, Plan, Progress, Report, hydrate, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::runtime::Handle;
use tokio::sync::watch;

/// For one call, and for the upload of one file.
const TIME_OUT: Duration = Duration::from_secs(60);
/// Whose ownership policy counts.
const DOMAIN: &str = "pricing";

/// All shops of the configuration.
pub fn all(
    loaded: &Loaded,
    shops: &Shops,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
    stop: Option<&watch::Receiver<bool>>,
) -> Vec<Arc<dyn Hydrate>> {
    let data_dir = open::data_dir(&loaded.config).filter(|_| loaded.config.prices.is_some());
    let Some(data_dir) = data_dir else { return Vec::new() };
    let one = |client: &Arc<ShopClient>| {
        Arc::new(Catalogs {
            client: client.clone(),
            store: store.clone(),
            clock: clock.clone(),
            folder: data_dir.join("hydrated").join(client.id().as_str()),
            hand_made: hand_made(loaded),
            common: common(loaded, client.id()),
            markets: markets(loaded, client.id()),
            is_plus: loaded
                .config
                .shops
                .get(client.id())
                .is_some_and(|shop| matches!(shop.plan.value, ShopPlan::Plus | ShopPlan::Enterprise)),
            stop: stop.cloned(),
        }) as Arc<dyn Hydrate>
    };
    shops.iter().map(one).collect()
}

/// The lists that are brought out; none: all.
fn common(loaded: &Loaded, shop: &ShopId) -> Option<BTreeSet<String>> {
    let hydrate = loaded.config.prices.as_ref()?.hydrate.as_ref()?;
    let lists = hydrate.of(shop)?.lists.as_ref()?;
    Some(lists.value.iter().map(|list| list.value.clone()).collect())
}

/// The price lists of markets that are written.
fn markets(loaded: &Loaded, shop: &ShopId) -> Vec<MarketList> {
    let hydrate = loaded.config.prices.as_ref().and_then(|prices| prices.hydrate.as_ref());
    let markets = hydrate.and_then(|hydrate| hydrate.of(shop)?.markets.as_ref());
    markets.into_iter().flat_map(|markets| &markets.value).map(|market| market.value.clone()).collect()
}

/// Without a policy the owner's word counts.
fn hand_made(loaded: &Loaded) -> HandMade {
    let policy = loaded.config.ownership.iter().find(|(domain, _)| domain.as_str() == DOMAIN);
    match policy.map(|(_, ownership)| ownership.violation.value) {
        None | Some(Violation::Revert) => HandMade::Goes,
        Some(Violation::Report | Violation::Accept | Violation::Ask) => HandMade::Stays,
    }
}

#[derive(Debug)]
struct Catalogs {
    client: Arc<ShopClient>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Of what was last read of this shop.
    folder: PathBuf,
    hand_made: HandMade,
    common: Option<BTreeSet<String>>,
    /// Price lists of markets, which say what everyone pays.
    markets: Vec<MarketList>,
    is_plus: bool,
    /// A hub that stops waits for no run: the next one goes on.
    stop: Option<watch::Receiver<bool>>,
}

impl Catalogs {
    fn markets(&self) -> Markets<'_> {
        Markets { lists: &self.markets, alone: !self.markets.is_empty() && !self.is_plus }
    }

    /// Of a run that writes: what was last read of the shop, and the lease without which nothing is written. What it reads is
    /// known to all nodes to be of this one.
    async fn begin(&self) -> Result<(LastRead, Lease), HydrateError> {
        let folder = self.folder.clone();
        let opened = tokio::task::spawn_blocking(move || LastRead::open(&folder)).await;
        let broken =
            |why: String| HydrateError::new(format!("{}: {why}; nothing was written", self.folder.display()));
        let opened = opened.map_err(|error| broken(error.to_string()))?;
        let shop = self.client.id();
        let Some(last_read) = opened.map_err(|error| broken(error.to_string()))? else {
            let what = format!(
                "prices are being brought into the shop {shop} by another run: wait until it has ended, a second one would \
                 write against it"
            );
            return Err(HydrateError::under_way(what));
        };
        let owner = last_read.owner(seed).map_err(|error| broken(error.to_string()))?;
        let taken = Lease::take(&self.store, &self.clock, OneOf::hydration(shop), owner).await;
        let Some((lease, before)) = taken.map_err(|error| broken(error.to_string()))? else {
            let what = format!(
                "prices are being brought into the shop {shop} by another node: wait until its run has ended; if that node \
                 died, its run counts for {} more seconds at most",
                LEASE.as_secs()
            );
            return Err(HydrateError::under_way(what));
        };
        match last_read.begin(before.as_deref(), lease.run()) {
            Ok(()) => Ok((last_read, lease)),
            Err(error) => {
                lease.give_back().await;
                Err(broken(error.to_string()))
            }
        }
    }

    /// Millions of prices are worked out between two calls: nobody else's work waits for that on this thread. That nobody can
    /// end it from outside then, it sees to itself.
    fn aside<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, HydrateError> {
        let mut stop = self.stop.clone();
        let stops = async move {
            match &mut stop {
                // A sender that is gone has stopped too.
                Some(stop) => drop(stop.wait_for(|stop| *stop).await),
                None => std::future::pending().await,
            }
        };
        let ends = async {
            tokio::select! {
                biased;
                () = stops => Err(HydrateError::stopped()),
                done = work => done.map_err(HydrateError::from),
            }
        };
        tokio::task::block_in_place(|| Handle::current().block_on(ends))
    }

    /// Of a run that writes nothing; none where another node made the last one.
    async fn looked_at(&self) -> Option<LastRead> {
        let last_read = LastRead::look(&self.folder);
        let known = self.store.cursor(&last_run_of(self.client.id())).await.ok()??;
        (last_read.last_run()? == known).then_some(last_read)
    }
}

#[async_trait]
impl Hydrate for Catalogs {
    fn shop(&self) -> &ShopId {
        self.client.id()
    }

    async fn run(
        &self,
        prices: &PriceStore,
        how: Hydrating,
        tell: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Value, HydrateError> {
        let (memory, lease) = match how.dry_run {
            true => (self.looked_at().await, None),
            false => {
                let (memory, lease) = self.begin().await?;
                (Some(memory), Some(lease))
            }
        };
        let options = Options {
            fence: lease.as_ref().map(Lease::fence),
            memory: memory.map(|memory| Arc::new(memory) as Arc<dyn Memory>),
            against_shop: how.against_shop,
            hand_made: self.hand_made,
            ..Options::default()
        };
        let made = self.make(prices, how.dry_run, &options, tell);
        if let Some(lease) = lease {
            lease.give_back().await;
        }
        made
    }
}

impl Catalogs {
    /// Nobody else writes meanwhile.
    fn make(
        &self,
        prices: &PriceStore,
        dry_run: bool,
        options: &Options,
        tell: &mut (dyn FnMut(u64, u64) + Send),
    ) -> Result<Value, HydrateError> {
        let now = self.clock.now().wall;
        let version = newest(prices, now)?;
        let (wanted, left) = wanted(&version, now, self.common.as_ref(), self.markets());
        if wanted.is_empty()
            && let Some(one) = left.first()
        {
            let what = format!(
                "no list would be brought out, and all of our catalogs would go: {}: {}",
                one.id, one.why
            );
            return Err(HydrateError::new(what));
        }
        let call = CallContext {
            shop: self.client.id().clone(),
            time_out: TIME_OUT,
            trace: TraceId::default(),
            span: 1,
            now,
        };
        let mut tell = |progress: &Progress<'_>| match progress {
            Progress::Reading { lines, .. } => tell(*lines, 0),
            Progress::Writing { done, of } => tell(*done, *of),
            Progress::Waiting { .. } | Progress::Planned(_) | Progress::Verifying { .. } => {}
        };
        let number = version.number();
        if dry_run {
            let plan = self.aside(plan(&self.client, &call, &wanted, options, &mut tell));
            return plan.map(|plan| planned(&plan, number, &left));
        }
        let report = self.aside(hydrate(&self.client, &call, &wanted, options, &mut tell));
        report.map(|report| reported(&report, number, &left))
    }
}

/// What all nodes have by now: a run of another node may have brought more than this one has taken, and older prices would take the
/// place of newer ones.
fn newest(prices: &PriceStore, now: Timestamp) -> Result<Arc<Version>, HydrateError> {
    match tokio::task::block_in_place(|| prices.follow(now)) {
        Ok(_) => Ok(prices.current()),
        Err(error) => Err(HydrateError::new(format!(
            "whether this node has the newest prices cannot be known: {error}; nothing was written"
        ))),
    }
}

fn planned(plan: &Plan, version: u64, left: &[LeftAtTheCart]) -> Value {
    let catalogs: Vec<Value> = plan
        .catalogs
        .iter()
        .map(|one| {
            json!({"name": one.name, "lists": one.lists, "locations": one.locations, "counts": one.counts,
                "calls": one.calls, "refused": one.refused, "drift": one.drift, "drifted": one.drifted})
        })
        .collect();
    let lists: Vec<Value> = plan
        .lists
        .iter()
        .map(|one| {
            let mut left: BTreeMap<&str, u64> = BTreeMap::new();
            for price in &one.left {
                *left.entry(price.why.code()).or_default() += 1;
            }
            json!({"id": one.id, "prices": one.prices, "at_the_cart": left, "not_in_the_shop": one.unknown.len(),
                "ends": one.ends})
        })
        .collect();
    let drifted = plan.catalogs.iter().flat_map(|one| &one.drifted);
    let largest = drifted.max_by_key(|one| one.by()).map(ToString::to_string);
    let mut text = plan.to_string();
    for one in left {
        text.push_str(&match one.locations {
            0 => format!("{}: nothing of it is written: {}\n", one.id, one.why),
            some => format!("list {} stays at the cart for {some} locations: {}\n", one.id, one.why),
        });
    }
    let left: Vec<Value> =
        left.iter().map(|one| json!({"id": one.id, "locations": one.locations, "why": one.why})).collect();
    json!({"version": version, "nothing_to_do": plan.is_empty(), "counts": plan.counts(), "calls": plan.calls(),
        "in_bulk": plan.in_bulk, "drift": plan.drift(), "basis": plan.basis, "largest_drift": largest,
        "catalogs": catalogs, "lists": lists, "left_at_the_cart": left, "undercuts": plan.undercuts, "text": text})
}

fn reported(report: &Report, version: u64, left: &[LeftAtTheCart]) -> Value {
    let refused: Vec<Value> = report
        .refused
        .iter()
        .map(|one| json!({"catalog": one.catalog, "sku": one.sku, "code": one.code, "message": one.message}))
        .collect();
    let written = report.written;
    json!({"plan": planned(&report.plan, version, left), "rounds": report.rounds, "refused": refused,
        "unsettled": report.unsettled, "notes": report.notes,
        "written": {"calls": written.calls, "operations": written.operations, "lines": written.lines,
            "changes": written.changes, "points": written.points}})
}

#[cfg(test)]
mod tests {
    use super::super::price_series::PriceSeries;
    use super::*;
    use price_store::{LoadRequest, Mode, Options};
    use store::MemoryStore;
    use tempfile::TempDir;

    fn now() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().unwrap()
    }

    fn loads(store: &PriceStore, price: u32) {
        let request = LoadRequest {
            source: "erp".to_owned(),
            by: "anna".to_owned(),
            note: None,
            mode: Mode::Changes,
            dry_run: false,
        };
        let rows = format!("list,sku,price\nLIST,PUMP,{price}\n");
        store.load(request, price_store::read::csv(rows.as_bytes(), jiff::tz::TimeZone::UTC), now()).unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_brings_what_all_nodes_have_or_nothing() {
        let common: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
        let opened = folders.each_ref().map(|folder| {
            let series = Arc::new(PriceSeries::new(common.clone()));
            tokio::task::block_in_place(|| {
                PriceStore::open_shared(folder.path(), Options::default(), series, now()).unwrap()
            })
        });
        let [one, other] = opened;
        tokio::task::block_in_place(|| loads(&one, 10));
        assert_eq!(other.current().number(), 0, "it has not looked yet");
        assert_eq!(newest(&other, now()).unwrap().number(), one.current().number());
        // Steps that this node cannot take.
        tokio::task::block_in_place(|| [11, 12].iter().for_each(|price| loads(&one, *price)));
        let behind = other.current().number();
        common.forget_steps("prices", 3, now()).await.unwrap();
        let refused = newest(&other, now()).unwrap_err().to_string();
        assert!(refused.contains("cannot be known") && refused.contains("nothing was written"), "{refused}");
        assert_eq!(other.current().number(), behind);
    }
}
