//! From files to what is in force: configuration, mappings, the judgement over both.

use super::schemas;
use check::{
    DocumentFacts, DomainExpressions, Inputs, MappingInput, PersonalData, PersonalFact, Report, TopicFacts,
};
use config::Config;
use connector::descriptor::Descriptor;
use connector::list::Kind;
use kernel::id::FlowName;
use mapping::Mapping;
use std::collections::BTreeMap;
use std::path::Path;

/// A configuration with its mappings, and what there is to say about it.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    pub mappings: BTreeMap<FlowName, Mapping>,
    /// What stands in the files of bundles, of the flows that name one.
    pub bundles: BTreeMap<FlowName, Vec<u8>>,
    /// Of the flows of stock whose mapping has one.
    pub straight: BTreeMap<FlowName, super::full_check::Straight>,
    pub descriptors: BTreeMap<String, Descriptor>,
    pub report: Report,
    /// Which personal data is moved, and how long it is kept.
    pub personal: PersonalData,
    /// Of configuration and mappings: every attempt names it.
    pub revision: String,
    pub env: BTreeMap<String, String>,
}

impl Loaded {
    pub fn is_good(&self) -> bool {
        self.report.is_good()
    }

    /// Whether a system can be asked what changed.
    pub fn tells_changes(&self, system: &kernel::id::SystemName) -> bool {
        self.descriptors.get(system.as_str()).is_some_and(|descriptor| descriptor.tells_changes)
    }

    /// Whether a system can be asked for one state of it.
    pub fn reads_states(&self, system: &kernel::id::SystemName) -> bool {
        self.descriptors.get(system.as_str()).is_some_and(|descriptor| descriptor.reads_states)
    }
}

/// Every connector that this build has.
pub fn kinds() -> Vec<Kind> {
    let mut kinds = connectors::all().to_vec();
    kinds.extend_from_slice(connectors::sources());
    kinds.push(super::shops::kind());
    kinds.push(connectors::prices::KIND);
    kinds
}

/// Reads all of it. Never fails: what is wrong stands in the report, all in one go.
pub fn load(path: &Path, overrides: &[(String, String)], look_for_secrets: bool) -> Loaded {
    let env: BTreeMap<String, String> = std::env::vars().collect();
    let reading = Config::read(path, &env, overrides);
    let config = reading.config;
    let known = schemas::all();
    let mut mappings = BTreeMap::new();
    let mut inputs = BTreeMap::new();
    let mut texts: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let (mut bundles, mut bundles_read) = (BTreeMap::new(), BTreeMap::new());
    for (name, flow) in &config.flows {
        let file = &flow.mapping.value;
        let input = match std::fs::read_to_string(file) {
            Ok(text) => {
                let (facts, mapping) = check::load_mapping(&file.display().to_string(), &text, &known);
                mappings.extend(mapping.map(|mapping| (name.clone(), mapping)));
                texts.insert(name.to_string(), text.into_bytes());
                MappingInput::Loaded(facts)
            }
            Err(error) => MappingInput::Unreadable(error.to_string()),
        };
        inputs.insert(name.to_string(), input);
        if let Some(file) = &flow.stock.bundles {
            let read = std::fs::read(&file.value).map_err(|error| error.to_string());
            if let Ok(text) = &read {
                // No flow has such a name.
                texts.insert(format!("{name}/bundles"), text.clone());
                bundles.insert(name.clone(), text.clone());
            }
            bundles_read.insert(name.to_string(), read);
        }
    }
    let kinds = kinds();
    let systems = check::describe_systems(&config, &kinds);
    let descriptors = systems
        .iter()
        .filter_map(|(name, descriptor)| Some((name.clone(), descriptor.as_ref().ok()?.clone())))
        .collect();
    let expressions = DomainExpressions {
        schemas: known
            .get(schemas::ORDER)
            .map(|order| ("orders".to_owned(), order.clone()))
            .into_iter()
            .collect(),
    };
    let inputs = Inputs {
        connectors: kinds.iter().map(|kind| kind.name.to_owned()).collect(),
        systems,
        mappings: inputs,
        bundles: bundles_read,
        verbs: check::verbs(),
        documents: documents(),
        topics: topics(),
        expressions: Some(&expressions),
        secrets: look_for_secrets.then(|| env.clone()),
    };
    let report = check::run(&config, &inputs).with(reading.findings);
    let personal = check::personal_data(&config, &inputs, &personal_fields());
    let revision = config::revision_with_mappings(&config, &texts);
    let revision = kernel::key::hex(&revision[..8]);
    let straight = BTreeMap::new();
    Loaded { config, mappings, bundles, straight, descriptors, report, personal, revision, env }
}

/// Which fields of each domain are about a person.
fn personal_fields() -> BTreeMap<String, Vec<PersonalFact>> {
    let fact = |one: &domains::orders::PersonalField| PersonalFact {
        field: one.field.to_owned(),
        kind: one.kind.as_str().to_owned(),
    };
    BTreeMap::from([("orders".to_owned(), domains::orders::PERSONAL.iter().map(fact).collect())])
}

/// The documents that flows send, with the scopes that they need.
fn documents() -> BTreeMap<String, DocumentFacts> {
    shopify::graphql::DOCUMENTS
        .iter()
        .map(|document| {
            let facts = DocumentFacts {
                scopes: document.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                domain: document.domain.map(str::to_owned),
                direction: document.direction,
                schema: document.schema.map(str::to_owned),
            };
            (document.name.to_owned(), facts)
        })
        .collect()
}

/// The topics that orders can be heard of by.
fn topics() -> BTreeMap<String, TopicFacts> {
    domains::orders::ORDER_TOPICS
        .iter()
        .map(|(topic, _)| {
            let facts = TopicFacts {
                domain: "orders".to_owned(),
                scopes: ["read_orders".to_owned()].into_iter().collect(),
            };
            ((*topic).to_owned(), facts)
        })
        .collect()
}
