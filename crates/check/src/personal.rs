//! Which personal data each flow moves: from the mapping plans, by field and line, and how long the hub keeps it. Data
//! for the terminal, `--json` and the data protection officer's page; judges nothing.

use crate::explain::shown;
use crate::fields::{canonical, within};
use crate::inputs::{Inputs, MappingFacts, MappingInput, RuleFacts};
use config::{Config, Flow, SHOPIFY};
use kernel::flow::duration_text;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A field of a domain that is about a person, or may be, with what is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalFact {
    /// Without marks of list items: `billing_address`, `lines.attributes`.
    pub field: String,
    /// In words: "identity", "free text".
    pub kind: String,
}

/// What is moved, and what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonalData {
    pub flows: Vec<PersonalFlow>,
    pub kept: Vec<Kept>,
}

/// One flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PersonalFlow {
    pub flow: String,
    pub domain: String,
    pub source: String,
    pub target: String,
    /// For a person: "Tryton 8.0 over JSON-RPC".
    pub connector: Option<String>,
    /// Where the data goes: the address of the connection, or the shops' domains.
    pub reached_at: Vec<String>,
    pub mode: String,
    pub shops: Vec<String>,
    pub moves: Vec<Moved>,
    /// Why `moves` says nothing, where it cannot.
    pub unknown: Option<String>,
}

/// One field with personal data, into one field of the target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moved {
    pub field: String,
    pub kind: String,
    pub to: String,
    /// File and line of the mapping.
    pub mapping: String,
    /// The verbs that it goes through.
    pub through: Vec<String>,
}

/// Something that the hub holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub what: String,
    pub how_long: String,
    pub how: String,
}

/// `personal` says for each domain which of its fields are about a person.
pub fn personal_data(
    config: &Config,
    inputs: &Inputs<'_>,
    personal: &BTreeMap<String, Vec<PersonalFact>>,
) -> PersonalData {
    let flow =
        |(name, flow): (&kernel::id::FlowName, &Flow)| of_flow(config, inputs, personal, name.as_str(), flow);
    PersonalData { flows: config.flows.iter().map(flow).collect(), kept: kept(config) }
}

fn of_flow(
    config: &Config,
    inputs: &Inputs<'_>,
    personal: &BTreeMap<String, Vec<PersonalFact>>,
    name: &str,
    flow: &Flow,
) -> PersonalFlow {
    let (moves, unknown) = match (inputs.mappings.get(name), personal.get(flow.domain.as_str())) {
        (_, None) => {
            (Vec::new(), Some(format!("nothing is known about the fields of {}", flow.domain.as_str())))
        }
        (Some(MappingInput::Loaded(facts)), Some(known)) if facts.findings.is_empty() => {
            (moves(config, facts, known, flow), None)
        }
        _ => (Vec::new(), Some("its mapping cannot be read; `tidegate check` says why".to_owned())),
    };
    PersonalFlow {
        flow: name.to_owned(),
        domain: flow.domain.as_str().to_owned(),
        source: flow.source.as_str().to_owned(),
        target: flow.target.as_str().to_owned(),
        connector: inputs.descriptor(flow.target.as_str()).map(|descriptor| descriptor.title.clone()),
        reached_at: reached_at(config, flow),
        mode: crate::explain::word(&flow.mode.value),
        shops: config.shops_of(flow).map(|(shop, _)| shop.to_string()).collect(),
        moves,
        unknown,
    }
}

/// Verbs that say where rules stand and whether they run.
const STRUCTURE: [&str; 3] = ["each", "within", "when"];

fn moves(config: &Config, facts: &MappingFacts, personal: &[PersonalFact], flow: &Flow) -> Vec<Moved> {
    let ownership = config.ownership.get(&flow.domain.value);
    let file = shown(config, &flow.mapping);
    let mut found = BTreeSet::new();
    // A list or a group moves nothing by itself: each field in it is a rule of its own.
    let moving = |rule: &&RuleFacts| !rule.verbs.iter().all(|verb| STRUCTURE.contains(&verb.as_str()));
    for rule in facts.rules.iter().filter(moving) {
        let (line, _) = facts.source.line_column(rule.span.start);
        for read in &rule.reads {
            let field = canonical(ownership, &flow.source.value, read);
            let Some(kind) = kind_of(&field, personal) else { continue };
            found.insert(Moved {
                field,
                kind,
                to: rule.to.clone(),
                mapping: format!("{file}:{line}"),
                through: rule.verbs.iter().cloned().collect(),
            });
        }
    }
    found.into_iter().collect()
}

/// A field is what the nearest one above it is; one that holds others is all that they are.
fn kind_of(field: &str, personal: &[PersonalFact]) -> Option<String> {
    let above = personal.iter().filter(|fact| within(field, &fact.field)).max_by_key(|fact| fact.field.len());
    let below = personal.iter().filter(|fact| fact.field != field && within(&fact.field, field));
    let kinds: BTreeSet<&str> = above.into_iter().chain(below).map(|fact| fact.kind.as_str()).collect();
    (!kinds.is_empty()).then(|| kinds.into_iter().collect::<Vec<_>>().join(", "))
}

fn reached_at(config: &Config, flow: &Flow) -> Vec<String> {
    if flow.target.as_str() == SHOPIFY {
        return config.shops_of(flow).map(|(_, shop)| shop.domain.as_str().to_owned()).collect();
    }
    let key = format!("systems.{}.connection.url", flow.target.as_str());
    let set = config.in_force.iter().filter(|setting| setting.key == key);
    set.map(|setting| setting.value.trim_matches('"').to_owned()).collect()
}

/// DESIGN section 7 (three lives) and promise 9, with the periods that are configured.
fn kept(config: &Config) -> Vec<Kept> {
    let retention = config.hub().map(|hub| duration_text(hub.payload_retention.value));
    let kept =
        |what: &str, how_long: String, how: &str| Kept { what: what.into(), how_long, how: how.into() };
    vec![
        kept(
            "what was received, and the requests made of it",
            format!(
                "{} (hub.payload_retention); longer while something of it is still to be delivered",
                retention.unwrap_or_else(|| "unknown".to_owned())
            ),
            "without card data and traces of the browser; sealed under a key for each order, which a redaction \
             request (customers/redact) destroys",
        ),
        kept(
            "which order is which object in a target: shop, order id, the object's id and version",
            "never dropped by age: it prevents doubles".to_owned(),
            "a pseudonym; says nothing about a person without Shopify or the target",
        ),
        kept(
            "that a request for data or redaction was carried out",
            "kept, as the proof that it was".to_owned(),
            "ids and times, no names",
        ),
        kept(
            "what operators did, under the name they signed in with",
            "kept, as the audit".to_owned(),
            "with their reason, in their own words",
        ),
        kept(
            "backups",
            "as long as you keep them".to_owned(),
            "hold what the store held, sealed; redactions are listed beside the store (redactions.ndjson), so that they can be \
             carried out again after a restore",
        ),
        kept("logs, metrics and alarms", "as long as you keep them".to_owned(), "hold no personal data"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_what_the_nearest_above_it_is_and_one_that_holds_others_is_all_of_them() {
        let fact = |field: &str, kind: &str| PersonalFact { field: field.into(), kind: kind.into() };
        let known = [
            fact("billing_address", "address"),
            fact("billing_address.name", "identity"),
            fact("lines.attributes", "free text"),
        ];
        for (field, kind) in [
            ("billing_address.zip", Some("address")),
            ("billing_address.name", Some("identity")),
            ("billing_address", Some("address, identity")),
            ("lines.attributes.value", Some("free text")),
            ("lines", Some("free text")),
            ("lines.sku", None),
            ("billing_addresses", None),
        ] {
            assert_eq!(kind_of(field, &known).as_deref(), kind, "{field}");
        }
    }
}
