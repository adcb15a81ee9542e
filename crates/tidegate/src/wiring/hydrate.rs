//! A shop whose catalogs can be made to say what the price lists say.

use super::Loaded;
use super::hydration::wanted;
use super::last_read::LastRead;
use super::open;
use api::admin::{Hydrate, HydrateError, Hydrating};
use async_trait::async_trait;
use config::Violation;
use connector::port::CallContext;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use price_store::PriceStore;
use serde_json::{Value, json};
use shopify::graphql::{ShopClient, Shops};
use shopify::prices::{HandMade, Memory, Options, Plan, Progress, Report, hydrate, plan};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::runtime::Handle;

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
        }) as Arc<dyn Hydrate>
    };
    shops.iter().map(one).collect()
}

/// Without a policy the owner's word counts.
fn hand_made(loaded: &Loaded) -> HandMade {
    let policy = loaded.config.ownership.iter().find(|(domain, _)| domain.as_str() == DOMAIN);
    match policy.map(|(_, ownership)| ownership.violation.value) {
        None | Some(Violation::Revert) => HandMade::Goes,
        Some(Violation::Report | Violation::Accept) => HandMade::Stays,
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
}

impl Catalogs {
    fn cursor(&self) -> String {
        format!("hydrated/{}", self.client.id())
    }

    /// Of a run that writes; what it reads is known to all nodes to be of this one.
    async fn last_read(&self) -> Result<LastRead, HydrateError> {
        let folder = self.folder.clone();
        let opened = tokio::task::spawn_blocking(move || LastRead::open(&folder)).await;
        let broken =
            |why: String| HydrateError::new(format!("{}: {why}; nothing was written", self.folder.display()));
        let opened = opened.map_err(|error| broken(error.to_string()))?;
        let Some(last_read) = opened.map_err(|error| broken(error.to_string()))? else {
            let what = format!(
                "prices are being brought into the shop {} by another run: wait until it has ended, a second one would \
                 write against it",
                self.client.id()
            );
            return Err(HydrateError::new(what));
        };
        let known = self.store.cursor(&self.cursor()).await.map_err(|error| broken(error.to_string()))?;
        let run = self.clock.now().wall.to_string();
        last_read.begin(known.as_deref(), &run).map_err(|error| broken(error.to_string()))?;
        self.store.set_cursor(&self.cursor(), &run).await.map_err(|error| broken(error.to_string()))?;
        Ok(last_read)
    }

    /// Of a run that writes nothing; none where another node made the last one.
    async fn looked_at(&self) -> Option<LastRead> {
        let last_read = LastRead::look(&self.folder);
        let known = self.store.cursor(&self.cursor()).await.ok()??;
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
        let now = self.clock.now().wall;
        let version = prices.current();
        let wanted = wanted(&version, now);
        let call = CallContext {
            shop: self.client.id().clone(),
            time_out: TIME_OUT,
            trace: TraceId::default(),
            span: 1,
            now,
        };
        let memory = match how.dry_run {
            true => self.looked_at().await,
            false => Some(self.last_read().await?),
        };
        let options = Options {
            memory: memory.map(|memory| Arc::new(memory) as Arc<dyn Memory>),
            against_shop: how.against_shop,
            hand_made: self.hand_made,
            ..Options::default()
        };
        let mut tell = |progress: &Progress<'_>| match progress {
            Progress::Reading { lines, .. } => tell(*lines, 0),
            Progress::Writing { done, of } => tell(*done, *of),
            Progress::Waiting { .. } | Progress::Planned(_) | Progress::Verifying { .. } => {}
        };
        let number = version.number();
        if how.dry_run {
            let plan = aside(plan(&self.client, &call, &wanted, &options, &mut tell));
            return plan.map(|plan| planned(&plan, number)).map_err(HydrateError::from);
        }
        let report = aside(hydrate(&self.client, &call, &wanted, &options, &mut tell));
        report.map(|report| reported(&report, number)).map_err(HydrateError::from)
    }
}

/// Millions of prices are worked out between two calls: nobody else's work waits for that on this thread.
fn aside<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| Handle::current().block_on(work))
}

fn planned(plan: &Plan, version: u64) -> Value {
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
    json!({"version": version, "nothing_to_do": plan.is_empty(), "counts": plan.counts(), "calls": plan.calls(),
        "in_bulk": plan.in_bulk, "drift": plan.drift(), "basis": plan.basis, "catalogs": catalogs, "lists": lists, "text": plan.to_string()})
}

fn reported(report: &Report, version: u64) -> Value {
    let refused: Vec<Value> = report
        .refused
        .iter()
        .map(|one| json!({"catalog": one.catalog, "sku": one.sku, "code": one.code, "message": one.message}))
        .collect();
    let written = report.written;
    json!({"plan": planned(&report.plan, version), "rounds": report.rounds, "refused": refused,
        "unsettled": report.unsettled, "notes": report.notes,
        "written": {"calls": written.calls, "operations": written.operations, "lines": written.lines,
            "changes": written.changes}})
}
