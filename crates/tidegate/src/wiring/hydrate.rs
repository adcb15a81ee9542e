//! A shop whose catalogs can be made to say what the price lists say.

use super::Loaded;
use super::hydration::wanted;
use api::admin::{Hydrate, HydrateError};
use async_trait::async_trait;
use connector::port::CallContext;
use kernel::clock::Clock;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use price_store::PriceStore;
use serde_json::{Value, json};
use shopify::graphql::{ShopClient, Shops};
use shopify::prices::{Options, Plan, Progress, Report, hydrate, plan};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// For one call, and for the upload of one file.
const TIME_OUT: Duration = Duration::from_secs(60);

/// All shops of the configuration.
pub fn all(loaded: &Loaded, shops: &Shops, clock: &Arc<dyn Clock>) -> Vec<Arc<dyn Hydrate>> {
    if loaded.config.prices.is_none() {
        return Vec::new();
    }
    let one = |client: &Arc<ShopClient>| {
        Arc::new(Catalogs { client: client.clone(), clock: clock.clone() }) as Arc<dyn Hydrate>
    };
    shops.iter().map(one).collect()
}

#[derive(Debug)]
struct Catalogs {
    client: Arc<ShopClient>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Hydrate for Catalogs {
    fn shop(&self) -> &ShopId {
        self.client.id()
    }

    async fn run(
        &self,
        prices: &PriceStore,
        dry_run: bool,
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
        let options = Options::default();
        let mut tell = |progress: &Progress<'_>| match progress {
            Progress::Reading { lines, .. } => tell(*lines, 0),
            Progress::Writing { done, of } => tell(*done, *of),
            Progress::Waiting { .. } | Progress::Planned(_) | Progress::Verifying { .. } => {}
        };
        let number = version.number();
        if dry_run {
            let plan = plan(&self.client, &call, &wanted, &options, &mut tell).await;
            return plan.map(|plan| planned(&plan, number)).map_err(HydrateError::from);
        }
        let report = hydrate(&self.client, &call, &wanted, &options, &mut tell).await;
        report.map(|report| reported(&report, number)).map_err(HydrateError::from)
    }
}

fn planned(plan: &Plan, version: u64) -> Value {
    let catalogs: Vec<Value> = plan
        .catalogs
        .iter()
        .map(|one| {
            json!({"name": one.name, "lists": one.lists, "locations": one.locations, "counts": one.counts,
                "calls": one.calls, "refused": one.refused})
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
        "in_bulk": plan.in_bulk, "catalogs": catalogs, "lists": lists, "text": plan.to_string()})
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
