//! What is in force: flows and systems, compiled from the configuration by the binary. Immutable for the life of
//! an engine.

pub use crate::doubt::Doubt;
use crate::facts::{Facts, Mapper};
use connector::descriptor::UnknownAnswer;
use kernel::backoff::Backoff;
use kernel::flow::OrderPolicy;
use kernel::id::{DomainName, FlowName, ShopId, SystemName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// All flows and systems, and the revision that every attempt names.
#[derive(Debug, Clone)]
pub struct Plan {
    pub revision: String,
    pub flows: BTreeMap<FlowName, FlowPlan>,
    pub systems: BTreeMap<SystemName, SystemPlan>,
    /// The flow name under which reads of a source are kept.
    pub reading: FlowName,
}

#[derive(Debug, Clone)]
pub struct FlowPlan {
    pub name: FlowName,
    pub domain: DomainName,
    pub source: SystemName,
    pub target: SystemName,
    /// Empty: all.
    pub shops: BTreeSet<ShopId>,
    pub policy: OrderPolicy,
    pub facts: Arc<dyn Facts>,
    pub mapper: Arc<dyn Mapper>,
    /// References of a former connector, with `{key}` and `{label}` for the order's.
    pub also_known_as: Vec<String>,
    /// Whether the target's link is a fact of its own (the ERP's number, for a flow that writes it back).
    pub tells: bool,
    /// Whether it is a fact of its own that the target refuses what this brings, or takes it after all (for a flow that holds it in
    /// the shop).
    pub tells_refusals: bool,
    /// Whether doubts are settled by reading the source.
    pub readable: bool,
    /// Whether what the target has is looked at before each write, whatever its connector says: what is written is
    /// compared with it and set.
    pub observe_first: bool,
}

/// How one system is treated.
#[derive(Debug, Clone, PartialEq)]
pub struct SystemPlan {
    pub name: SystemName,
    pub unknown: UnknownAnswer,
    pub observe_first: bool,
    pub health: bool,
    pub resolves_references: bool,
    /// Shorter than the lease.
    pub time_out: Duration,
    pub lease: Duration,
    /// The longest that the target may work on a request, plus the lag of its search.
    pub settle_after: Duration,
    /// Lanes in work at once.
    pub concurrency: u32,
    /// Calls a second; `None`: no limit.
    pub rate_per_s: Option<u32>,
    /// Attempts that count before a dead letter.
    pub attempts_max: u32,
    pub backoff: Backoff,
    /// Distinct lanes that fail in a row before the breaker opens.
    pub breaker_lanes: u32,
    pub breaker_backoff: Backoff,
    /// The store was restored: what may have been made by a life that it has forgotten.
    pub doubt: Option<Doubt>,
}

impl SystemPlan {
    /// The defaults of every system; the configuration reference states them.
    pub fn new(name: SystemName, unknown: UnknownAnswer) -> Self {
        Self {
            name,
            unknown,
            observe_first: true,
            health: true,
            resolves_references: false,
            time_out: Duration::from_secs(30),
            lease: Duration::from_secs(60),
            settle_after: Duration::from_secs(90),
            concurrency: 8,
            rate_per_s: None,
            attempts_max: 12,
            backoff: Backoff::default(),
            breaker_lanes: 5,
            breaker_backoff: Backoff { first: Duration::from_secs(1), max: Duration::from_secs(60) },
            doubt: None,
        }
    }
}

impl FlowPlan {
    pub fn takes(&self, domain: &DomainName, source: &SystemName, shop: &ShopId) -> bool {
        self.domain == *domain
            && self.source == *source
            && (self.shops.is_empty() || self.shops.contains(shop))
    }
}
