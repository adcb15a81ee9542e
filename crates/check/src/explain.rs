//! What a configuration means: who owns what, what moves where and when, and which scopes that needs. Data for the
//! terminal and for `--json`; judges nothing.

use crate::failure;
use crate::fields;
use crate::inputs::Inputs;
use crate::scopes;
use config::{Config, Flow, Intake, Owners};
use connector::descriptor::OrderAbilities;
use kernel::flow::{Mode, duration_text};
use kernel::id::SystemName;
use serde::Serialize;
use std::collections::BTreeSet;
use std::path::Path;

/// The flow of truth.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Explanation {
    pub systems: Vec<SystemTruth>,
    pub domains: Vec<DomainTruth>,
    pub flows: Vec<FlowTruth>,
    pub scopes: Vec<ScopeNeed>,
    /// Settings that do not stand in the file.
    pub overridden: Vec<SettingTruth>,
}

/// One configured system.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct SystemTruth {
    pub system: String,
    pub role: String,
    /// For a person: "Tryton 8.0 over JSON-RPC".
    pub connector: Option<String>,
    /// The domains it owns, or fields of one: "orders", "orders: erp.number, erp.state".
    pub owns: Vec<String>,
}

/// Whose word counts in one domain.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct DomainTruth {
    pub domain: String,
    pub system_of_record: String,
    pub fields: Vec<FieldTruth>,
    pub transforms: Option<Vec<String>>,
    pub violation: String,
}

/// A field with another owner.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct FieldTruth {
    pub field: String,
    pub owner: String,
    pub transforms: Option<Vec<String>>,
}

/// One flow.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct FlowTruth {
    pub flow: String,
    pub domain: String,
    pub source: String,
    pub target: String,
    /// For a person: "Tryton 8.0 over JSON-RPC".
    pub connector: Option<String>,
    pub shops: Vec<String>,
    pub mode: String,
    /// In words: what makes it move.
    pub trigger: String,
    pub go_live_at: Option<String>,
    pub mapping: String,
    /// The canonical fields that it carries.
    pub carries: Vec<String>,
    pub export_lag: String,
    /// What happens when the target fails, one sentence each.
    pub on_failure: Vec<String>,
    /// When an order is exported and confirmed and what a change becomes; absent for other flows.
    pub orders: Option<OrderTruth>,
}

/// The order policies in force.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct OrderTruth {
    pub export_when: Vec<String>,
    pub confirm_when: String,
    pub after_confirm: [(&'static str, String); 3],
    pub difference: String,
    pub filters: Vec<String>,
    /// What the target's connector can do; absent where it is unknown.
    pub able: Option<OrderAbilities>,
}

/// A scope that an app needs, and why.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct ScopeNeed {
    pub app: String,
    pub scope: String,
    pub granted: bool,
    /// The documents and topics that need it; empty: granted without need.
    pub needed_by: BTreeSet<String>,
}

/// A setting from the environment or a flag.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct SettingTruth {
    pub key: String,
    pub value: String,
    pub origin: String,
}

/// The word of a serde enum.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn owner(owners: &Owners) -> String {
    owners.0.iter().map(|owner| owner.as_str()).collect::<Vec<_>>().join(" and ")
}

pub(crate) fn explain(config: &Config, inputs: &Inputs<'_>) -> Explanation {
    let domains = domains(config);
    Explanation {
        systems: config
            .systems
            .iter()
            .map(|(name, system)| system_truth(inputs, &domains, name, system))
            .collect(),
        domains,
        flows: config
            .flows
            .iter()
            .map(|(name, flow)| flow_truth(config, inputs, name.as_str(), flow))
            .collect(),
        scopes: scope_needs(config, inputs),
        overridden: overridden(config),
    }
}

fn domains(config: &Config) -> Vec<DomainTruth> {
    let verbs = |verbs: &Option<config::Setting<Vec<config::Setting<String>>>>| {
        verbs.as_ref().map(|verbs| verbs.iter().map(|verb| verb.value.clone()).collect())
    };
    let truth = |(domain, ownership): (&kernel::id::DomainName, &config::Ownership)| DomainTruth {
        domain: domain.to_string(),
        system_of_record: owner(&ownership.system_of_record),
        fields: ownership
            .fields
            .iter()
            .map(|(field, owned)| FieldTruth {
                field: field.clone(),
                owner: owner(&owned.owner),
                transforms: verbs(&owned.transforms),
            })
            .collect(),
        transforms: verbs(&ownership.transforms),
        violation: match ownership.violation.value {
            config::Violation::Report => "report",
            config::Violation::Revert => "revert",
            config::Violation::Accept => "accept",
            config::Violation::Ask => "ask",
        }
        .to_owned(),
    };
    config.ownership.iter().map(truth).collect()
}

fn system_truth(
    inputs: &Inputs<'_>,
    domains: &[DomainTruth],
    name: &SystemName,
    system: &config::System,
) -> SystemTruth {
    let owned = |truth: &DomainTruth| {
        let fields = truth.fields.iter().filter(|field| field.owner == name.as_str());
        let fields: Vec<&str> = fields.map(|field| field.field.as_str()).collect();
        match (truth.system_of_record == name.as_str(), fields.is_empty()) {
            (true, _) => Some(truth.domain.clone()),
            (false, false) => Some(format!("{}: {}", truth.domain, fields.join(", "))),
            (false, true) => None,
        }
    };
    SystemTruth {
        system: name.to_string(),
        role: system.role.value.as_str().to_owned(),
        connector: inputs.descriptor(name.as_str()).map(|descriptor| descriptor.title.clone()),
        owns: domains.iter().filter_map(owned).collect(),
    }
}

fn flow_truth(config: &Config, inputs: &Inputs<'_>, name: &str, flow: &Flow) -> FlowTruth {
    let descriptor = inputs.descriptor(flow.target.as_str());
    let ownership = config.ownership.get(&flow.domain.value);
    let mut carries = BTreeSet::new();
    if let Some(crate::MappingInput::Loaded(facts)) = inputs.mappings.get(name) {
        let reads = facts.rules.iter().flat_map(|rule| &rule.reads);
        carries.extend(reads.map(|path| fields::canonical(ownership, &flow.source.value, path)));
    }
    FlowTruth {
        flow: name.to_owned(),
        domain: flow.domain.as_str().to_owned(),
        source: flow.source.as_str().to_owned(),
        target: flow.target.as_str().to_owned(),
        connector: descriptor.map(|descriptor| descriptor.title.clone()),
        shops: config.shops_of(flow).map(|(shop, _)| shop.to_string()).collect(),
        mode: word(&flow.mode.value),
        trigger: trigger(flow),
        go_live_at: flow.orders.go_live_at.as_ref().map(|at| at.value.to_string()),
        mapping: shown(config, &flow.mapping),
        carries: carries.into_iter().collect(),
        export_lag: duration_text(flow.slo.export_lag.value),
        on_failure: failure::words(config, inputs, &flow.target.value),
        orders: flow.exports_orders().then(|| orders(flow, descriptor.map(|known| known.orders.clone()))),
    }
}

/// A path as the user wrote it: without the folder of the configuration file.
pub(crate) fn shown(config: &Config, path: &Path) -> String {
    path.strip_prefix(&config.base_dir).unwrap_or(path).display().to_string()
}

fn trigger(flow: &Flow) -> String {
    let (every, source) = (duration_text(flow.sweep.every.value), flow.source.as_str());
    match (flow.mode.value, flow.intake.value) {
        (Mode::Off, _) => "nothing: it is off".to_owned(),
        (_, Intake::Webhook) => format!("webhooks, and a sweep every {every}"),
        (_, Intake::Poll) => format!("a sweep every {every}"),
        (_, Intake::Push) => format!("what {source} posts to /ingest/{source}/{}", flow.domain.as_str()),
        (_, Intake::Follows) => {
            let first = flow.follows.as_ref().map(|first| first.value.to_string()).unwrap_or_default();
            if source != config::SHOPIFY {
                return format!(
                    "what {source} refuses of the orders that {first} brings, and takes after all"
                );
            }
            format!("what was paid or given back of the orders that {first} brought")
        }
        (_, Intake::Outcome) => format!("what deliveries to {source} found out"),
    }
}

fn orders(flow: &Flow, able: Option<OrderAbilities>) -> OrderTruth {
    let orders = &flow.orders;
    OrderTruth {
        export_when: orders.export_when.iter().map(|when| word(&when.value)).collect(),
        confirm_when: orders.confirm_when.value.to_string(),
        after_confirm: [
            ("address", word(&orders.address.value)),
            ("line", word(&orders.line.value)),
            ("cancel", word(&orders.cancel.value)),
        ],
        difference: orders.difference.value.to_string(),
        filters: flow.filters.iter().map(|filter| filter.value.clone()).collect(),
        able,
    }
}

fn scope_needs(config: &Config, inputs: &Inputs<'_>) -> Vec<ScopeNeed> {
    let mut found = Vec::new();
    for (name, app) in &config.apps {
        let needs = scopes::of_app(config, inputs, name);
        for granted in app.scopes.iter() {
            if !needs.keys().any(|needed| scopes::covers(granted, needed)) {
                found.push(ScopeNeed {
                    app: name.clone(),
                    scope: granted.value.clone(),
                    granted: true,
                    needed_by: BTreeSet::new(),
                });
            }
        }
        for (scope, needed_by) in needs {
            let granted = app.scopes.iter().any(|granted| scopes::covers(granted, &scope));
            found.push(ScopeNeed { app: name.clone(), scope, granted, needed_by });
        }
    }
    found.sort_by(|one, other| (&one.app, &one.scope).cmp(&(&other.app, &other.scope)));
    found
}

fn overridden(config: &Config) -> Vec<SettingTruth> {
    let elsewhere =
        config.in_force.iter().filter(|setting| matches!(setting.origin.kind(), "environment" | "flag"));
    elsewhere
        .map(|setting| SettingTruth {
            key: setting.key.clone(),
            value: setting.value.clone(),
            origin: setting.origin.to_string(),
        })
        .collect()
}
