//! From connectors, mapping files and schemas to the plain facts that the rules judge. The one place of this crate that
//! calls them.

use crate::inputs::{ExpressionFault, Expressions, MappingFacts, RuleFacts};
use config::{Code, Config, Finding, Origin, Source, Spot};
use connector::descriptor::Descriptor;
use connector::list::Kind;
use connector::settings::Settings;
use kernel::id::SystemName;
use mapping::{Condition, Mapping, MappingError, Schema, Verb};
use std::collections::{BTreeMap, BTreeSet};

/// Every mapping verb, for [`crate::Inputs::verbs`].
pub fn verbs() -> BTreeSet<String> {
    Verb::ALL.iter().map(|verb| verb.name().to_owned()).collect()
}

/// Asks the connectors what they can do with the connections of a configuration. Makes no call and needs no secret.
pub fn describe_systems(
    config: &Config,
    kinds: &[Kind],
) -> BTreeMap<String, Result<Descriptor, Vec<String>>> {
    let describe = |(name, system): (&SystemName, &config::System)| {
        let kind = kinds.iter().find(|kind| kind.name == system.connector.value)?;
        let settings = Settings::new(system.connection.values(), BTreeMap::new());
        Some((name.to_string(), (kind.describe)(&settings)))
    };
    config.systems.iter().filter_map(describe).collect()
}

/// Loads a mapping and takes its facts. `schemas` are all that are known, by name; a header that names another is a
/// finding. The mapping itself comes back where it is well.
pub fn load_mapping(
    name: &str,
    text: &str,
    schemas: &BTreeMap<String, Schema>,
) -> (MappingFacts, Option<Mapping>) {
    let source = Source::new(name, text);
    let mut facts = MappingFacts {
        source: source.clone(),
        source_schema: String::new(),
        target_schema: String::new(),
        rules: Vec::new(),
        findings: Vec::new(),
    };
    let header = match Mapping::header_of(name, text) {
        Ok(header) => header,
        Err(errors) => {
            facts.findings = errors.iter().map(|error| finding(&source, error)).collect();
            return (facts, None);
        }
    };
    facts.source_schema.clone_from(&header.source);
    facts.target_schema.clone_from(&header.target);
    let (Some(from), Some(to)) = (schemas.get(&header.source), schemas.get(&header.target)) else {
        facts.findings =
            unknown_schemas(&source, &[("source", &header.source), ("target", &header.target)], schemas);
        return (facts, None);
    };
    match Mapping::load(name, text, from, to) {
        Ok(mapping) => {
            facts.rules = rules(&mapping);
            (facts, Some(mapping))
        }
        Err(errors) => {
            facts.findings = errors.iter().map(|error| finding(&source, error)).collect();
            (facts, None)
        }
    }
}

fn finding(source: &Source, error: &MappingError) -> Finding {
    let at = Origin::File(Spot::new(source, error.span.clone()));
    let help =
        error.help.clone().unwrap_or_else(|| "mend the mapping; docs/mapping.md shows each verb".to_owned());
    Finding::new(Code::Of(error.code.as_str()), &at, error.message.clone(), help)
}

fn unknown_schemas(
    source: &Source,
    named: &[(&str, &String)],
    schemas: &BTreeMap<String, Schema>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, name) in named.iter().filter(|(_, name)| !schemas.contains_key(name.as_str())) {
        let start = source.text().find(&format!("{name:?}")).unwrap_or(0);
        let at = Origin::File(Spot::new(source, start..start + name.len() + 2));
        let known = schemas.keys().map(String::as_str);
        let help = match config::nearest(name, known.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the schemas are {}", known.collect::<Vec<_>>().join(", ")),
        };
        let message = format!("the mapping's {key} {name:?} is no schema that a connector or domain has");
        findings.push(Finding::new(Code::Of(mapping::LoadCode::Header.as_str()), &at, message, help));
    }
    findings
}

fn rules(mapping: &Mapping) -> Vec<RuleFacts> {
    let rule = |(to, field): (&mapping::Path, &mapping::FieldFacts)| RuleFacts {
        to: to.as_str().to_owned(),
        reads: field.reads.iter().map(|path| path.as_str().to_owned()).collect(),
        verbs: field.verbs.iter().map(|verb| verb.name().to_owned()).collect(),
        words: field.words.clone(),
        span: field.span.clone(),
    };
    mapping.fields().iter().map(rule).collect()
}

/// Judges filters as conditions over a domain's canonical model, by the mapping's own rules and bounds.
#[derive(Debug, Default)]
pub struct DomainExpressions {
    /// The schema of each domain's canonical model.
    pub schemas: BTreeMap<String, Schema>,
}

impl Expressions for DomainExpressions {
    fn judge(&self, domain: &str, expression: &str) -> Vec<ExpressionFault> {
        // A domain without a model is refused by another rule.
        let Some(schema) = self.schemas.get(domain) else { return Vec::new() };
        let errors = Condition::load("filter", expression, schema).err().unwrap_or_default();
        let fault = |error: MappingError| ExpressionFault {
            code: error.code.as_str(),
            message: format!("the filter {expression:?} cannot be used: {}", error.message),
            help: error.help.unwrap_or_else(|| "mend it; docs/mapping.md shows what it may hold".to_owned()),
        };
        errors.into_iter().map(fault).collect()
    }
}
