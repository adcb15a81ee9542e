//! From a configuration to the engine's plan: which flows, which systems, how hard each may be driven.

use super::facts::{FinalStates, Follow, Orders, Refusals, Shipments, Stock, Told};
use super::full_check::Straight;
use super::load::Loaded;
use super::mapper::FlowMapper;
use super::schemas::{PAYMENT, REFUND, REFUSAL};
use anyhow::{Context as _, bail};
use config::{Config, Flow, Intake, SHOPIFY, System, Unknown};
use connector::descriptor::{Descriptor, UnknownAnswer};
use domains::inventory::bundles::Bundles;
use domains::inventory::outlets::Outlets;
use domains::inventory::pools::Pools;
use domains::inventory::{RuleFault, Rules};
use engine::facts::Facts;
use engine::plan::{FlowPlan, Plan, SystemPlan};
use jiff::Timestamp;
use kernel::backoff::Backoff;
use kernel::flow::{AfterConfirm, ConfirmWhen, Mode, OrderPolicy};
use kernel::id::{DomainName, FlowName, SystemName};
use mapping::{Condition, Mapping};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The domain whose states are compared with what the target has, and set.
pub const INVENTORY: &str = "inventory";

/// Lanes in work at once at a system that takes many in one call, where nobody said otherwise: two full calls under way,
/// and as much that gathers for the next ones.
const TOGETHER: u32 = 1_000;

/// The flow name under which reads of a source are kept.
pub const READING: &str = "reading";

/// Takes the mappings out of what was loaded.
pub fn build(loaded: &mut Loaded) -> anyhow::Result<Plan> {
    let order = super::schemas::all().remove(super::schemas::ORDER).context("the order's schema")?;
    let reads = loaded.mappings.iter();
    let reads: Reads = reads.map(|(name, mapping)| (name.clone(), mapping.header().source.clone())).collect();
    let mut flows = BTreeMap::new();
    let loaded_rules: BTreeMap<FlowName, Rules> = loaded
        .config
        .flows
        .iter()
        .filter(|(_, flow)| flow.domain.as_str() == INVENTORY)
        .map(|(name, flow)| Ok((name.clone(), rules(loaded, name, flow)?)))
        .collect::<anyhow::Result<_>>()?;
    for (name, flow) in &loaded.config.flows {
        let Some(mapping) = loaded.mappings.remove(name) else {
            bail!("flow {name} has no mapping that could be read")
        };
        if let Some(rules) = loaded_rules.get(name)
            && let Some(straight) = Straight::of(&mapping, rules)
        {
            loaded.straight.insert(name.clone(), straight);
        }
        let mut planned = self::flow(&loaded.config, name, flow, mapping, &order, (&reads, &loaded_rules))?;
        planned.readable |= loaded.reads_states(&flow.source.value);
        flows.insert(name.clone(), planned);
    }
    let mut systems = BTreeMap::new();
    for (name, system) in &loaded.config.systems {
        let descriptor = loaded.descriptors.get(name.as_str());
        let mut planned = self::system(name, system, descriptor);
        let takes_stock = loaded.config.flows.values().any(|flow| {
            flow.target.value == *name && flow.domain.as_str() == INVENTORY && flow.mode.value != Mode::Off
        });
        // Lanes that go together in one call are each a lane in work.
        if takes_stock && system.concurrency.origin == config::Origin::Default {
            planned.concurrency = planned.concurrency.max(TOGETHER);
        }
        systems.insert(name.clone(), planned);
    }
    Ok(Plan { revision: loaded.revision.clone(), flows, systems, reading: FlowName::new(READING)? })
}

/// What each flow's mapping reads.
type Reads = BTreeMap<FlowName, String>;

fn flow(
    config: &Config,
    name: &FlowName,
    flow: &Flow,
    mapping: Mapping,
    order: &mapping::Schema,
    (reads, rules): (&Reads, &BTreeMap<FlowName, Rules>),
) -> anyhow::Result<FlowPlan> {
    let from_shopify = flow.source.as_str() == SHOPIFY;
    let of_shipments = mapping.header().source == super::schemas::SHIPMENT;
    let of_refusals = mapping.header().source == REFUSAL;
    // Of the flows that follow this one, whether one carries such things.
    let carried = |schema: &str| {
        let follows = |(other, flow): (&FlowName, &Flow)| {
            flow.mode.value != Mode::Off
                && flow.follows.as_ref().is_some_and(|first| first.value == *name)
                && reads.get(other).is_some_and(|reads| reads == schema)
        };
        config.flows.iter().any(follows).then(|| flow.domain.value.clone())
    };
    let facts: Arc<dyn Facts> = if flow.domain.as_str() == INVENTORY {
        Arc::new(Stock::new(rules.get(name).cloned().unwrap_or_default()))
    } else if let Some(first) = flow.follows.as_ref().filter(|_| of_refusals) {
        Arc::new(Refusals::new(first.value.clone()))
    } else if flow.follows.is_some() {
        let paid = mapping.header().source == PAYMENT;
        Arc::new(if paid { FinalStates::Payments } else { FinalStates::Refunds })
    } else if from_shopify {
        let follow = Follow { refunds: carried(REFUND), payments: carried(PAYMENT) };
        let filters = flow
            .filters
            .iter()
            .map(|filter| {
                Condition::load("filter", &filter.value, order)
                    .map_err(|errors| anyhow::anyhow!("flow {name}: filter {:?}: {errors:?}", filter.value))
            })
            .collect::<anyhow::Result<_>>()?;
        Arc::new(Orders::new(filters).followed(follow))
    } else if of_shipments {
        let same = |other: &Flow| {
            other.domain.as_str() == INVENTORY
                && other.source.value == flow.source.value
                && other.shares_shops_with(flow)
        };
        let stock = config.flows.iter().find(|(_, other)| same(other)).and_then(|(name, _)| rules.get(name));
        Arc::new(Shipments::new(DomainName::new(INVENTORY)?, stock.cloned().unwrap_or_default()))
    } else {
        Arc::new(Told)
    };
    let zones = config.shops.iter().map(|(id, shop)| (id.clone(), shop.time_zone.value.clone())).collect();
    // What our deliveries find out at this target is a fact of its own only where some flow takes it from there: for one that
    // is off nothing is kept, as for a topic that no flow wants.
    let takes_outcomes = |other: &Flow| {
        other.intake.value == Intake::Outcome
            && other.mode.value != Mode::Off
            && other.source.value == flow.target.value
            && flow.shares_shops_with(other)
    };
    // The number of a refund or payment is none of its order's.
    let told = flow.follows.is_none() && config.flows.values().any(takes_outcomes);
    Ok(FlowPlan {
        name: name.clone(),
        domain: flow.domain.value.clone(),
        source: flow.source.value.clone(),
        target: flow.target.value.clone(),
        shops: flow.shops.iter().flat_map(|shops| shops.iter().map(|shop| shop.value.clone())).collect(),
        policy: flow.orders.policy(flow.mode.value).unwrap_or_else(|| write_back_policy(flow)),
        facts,
        mapper: Arc::new(FlowMapper::new(mapping, zones)),
        also_known_as: flow
            .former_references
            .iter()
            .map(|pattern| pattern.value.replace("{name}", "{label}").replace("{id}", "{key}"))
            .collect(),
        tells: told,
        tells_refusals: flow.exports_orders() && carried(REFUSAL).is_some(),
        readable: from_shopify,
        // What is open of an order, whether a shipment was recorded already, and who holds it, only the shop can say.
        observe_first: flow.domain.as_str() == INVENTORY || of_shipments || of_refusals,
    })
}

/// What the flow keeps back, its units, its bundles, which locations are one, and which are divided.
pub fn rules(loaded: &Loaded, name: &FlowName, flow: &Flow) -> anyhow::Result<Rules> {
    let texts = |of: &config::Setting<Vec<config::Setting<String>>>| -> Vec<String> {
        of.value.iter().map(|text| text.value.clone()).collect()
    };
    let faulty = |faults: Vec<RuleFault>| anyhow::anyhow!("flows.{name}.stock: {faults:?}");
    let rules = Rules::parse(&texts(&flow.stock.safety), &texts(&flow.stock.units)).map_err(faulty)?;
    let bundles = match loaded.bundles.get(name) {
        Some(text) => Bundles::parse(text, &rules)
            .map_err(|refused| anyhow::anyhow!("flows.{name}.stock.bundles: {refused}"))?,
        None => Bundles::default(),
    };
    let pools = Pools::parse(&texts(&flow.stock.locations)).map_err(faulty)?;
    let rules = rules.with_bundles(Arc::new(bundles), &texts(&flow.stock.bundle_share)).map_err(faulty)?;
    let outlets = Outlets::parse(&texts(&flow.stock.outlets), &pools).map_err(faulty)?;
    Ok(rules.with_pools(pools).with_outlets(outlets))
}

/// A flow that carries what a target tells, or refunds or payments, has no order policy: each fact goes at once. What becomes of a credit note that
/// differs by a cent it says all the same.
fn write_back_policy(flow: &Flow) -> OrderPolicy {
    OrderPolicy {
        mode: flow.mode.value,
        go_live_at: Timestamp::MIN,
        export_when: BTreeSet::new(),
        confirm_when: ConfirmWhen::Never,
        after_confirm: AfterConfirm::default(),
        difference: flow.orders.difference.value.clone(),
    }
}

/// At least one: a slower limit is kept by the engine as one a second.
fn per_second(rate: config::Rate) -> u32 {
    let seconds = rate.per.as_secs().max(1);
    u32::try_from(u64::from(rate.count) / seconds).unwrap_or(u32::MAX).max(1)
}

fn system(name: &SystemName, system: &System, descriptor: Option<&Descriptor>) -> SystemPlan {
    let unknown = match (system.unknown.value, descriptor) {
        (Unknown::LookUp, Some(descriptor)) => descriptor.unknown.clone(),
        (Unknown::Person, _) | (_, None) => UnknownAnswer::Neither,
    };
    SystemPlan {
        observe_first: descriptor.is_none_or(|descriptor| descriptor.observe_first),
        health: descriptor.is_some_and(|descriptor| descriptor.health),
        resolves_references: descriptor.is_some_and(|descriptor| descriptor.resolves_references),
        time_out: system.request_timeout.value,
        lease: system.lease.value,
        settle_after: system.settle_after.value,
        concurrency: system.concurrency.value,
        rate_per_s: system.rate_limit.as_ref().map(|rate| per_second(rate.value)),
        attempts_max: system.retry.attempts_max.value,
        backoff: Backoff { first: system.retry.first.value, max: system.retry.longest.value },
        breaker_lanes: system.breaker.lanes.value,
        breaker_backoff: Backoff {
            first: system.breaker.open_first.value,
            max: system.breaker.open_longest.value,
        },
        ..SystemPlan::new(name.clone(), unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::load::load;
    use config::{ErpKind, InitOptions, starting_configuration};

    #[test]
    fn a_number_is_told_only_where_somebody_writes_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let files = starting_configuration(InitOptions {
            shop_domain: "acme.myshopify.com",
            erp: ErpKind::Http,
            erp_url: None,
            time_zone: Some("UTC"),
            now: Timestamp::UNIX_EPOCH,
            random: &mut |bytes| bytes.fill(7),
            twin: true,
            access_token: None,
            client_secret: None,
            erp_secret: None,
            mappings: [
                ("orders_to_erp.toml", include_str!("../../../../mappings/orders_to_http_erp.toml")),
                ("erp_to_shopify.toml", include_str!("../../../../mappings/erp_number_to_shopify.toml")),
            ]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into(),
        });
        for file in files.unwrap() {
            let path = folder.path().join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &file.contents).unwrap();
        }
        let tells = |mode: &str| {
            let overrides = [("flows.erp_number_back.mode".to_owned(), mode.to_owned())];
            let mut loaded = load(&folder.path().join("tidegate.toml"), &overrides, false);
            build(&mut loaded).unwrap().flows[&FlowName::new("orders_to_erp").unwrap()].tells
        };
        assert_eq!(["live", "shadow", "off"].map(tells), [true, true, false]);
    }
}
