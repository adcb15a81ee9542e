//! Which full checks there are: one for each flow of stock into a shop, as the configuration has it. Makes them, and runs none.

use super::{FullCheck, TIME_OUT};
use crate::wiring::Loaded;
use crate::wiring::connectors::Connected;
use crate::wiring::open::data_dir;
use crate::wiring::plan::INVENTORY;
use anyhow::Context as _;
use api::admin::StockCheck;
use config::{Origin, SHOPIFY, Violation};
use engine::plan::Plan;
use engine::work::Scope;
use engine::work::stock_now::LooksNow;
use kernel::clock::Clock;
use kernel::id::{FlowName, ShopId};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

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
    let data_dir = data_dir(&loaded.config).context("the configuration has no [hub]")?;
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
