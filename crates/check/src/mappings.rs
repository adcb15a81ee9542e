//! What a mapping moves against who owns it: no flow carries what its source does not own, and no transform is used
//! that the owner does not allow.

use crate::fields;
use crate::inputs::{MappingFacts, MappingInput, RuleFacts};
use crate::judge::Judge;
use config::{Code, Finding, Flow, Origin, Ownership, Spot};
use kernel::id::FlowName;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (name, flow) in judge.flows() {
        match judge.inputs.mappings.get(name.as_str()) {
            Some(MappingInput::Unreadable(why)) => unreadable(judge, name, flow, why),
            None => unreadable(judge, name, flow, "it was not found"),
            Some(MappingInput::Loaded(facts)) if !facts.findings.is_empty() => {
                for finding in &facts.findings {
                    judge.push(finding.clone());
                }
            }
            Some(MappingInput::Loaded(facts)) => {
                if let Some(ownership) = judge.config.ownership.get(&flow.domain.value) {
                    let contested = contested(judge, flow) || judge.system(&flow.source.value).is_none();
                    for rule in &facts.rules {
                        if !contested {
                            owned(judge, name, flow, ownership, facts, rule);
                        }
                        transforms(judge, name, flow, ownership, facts, rule);
                    }
                }
            }
        }
    }
}

/// Whether the domain's ownership is itself refused: whose a field is cannot be said then.
fn contested(judge: &Judge<'_>, flow: &Flow) -> bool {
    let path = format!("ownership.{}.", flow.domain.as_str());
    judge.findings.iter().any(|finding| {
        matches!(finding.code, Code::TwoOwners | Code::NoOwner)
            && finding.key.as_deref().is_some_and(|key| key.starts_with(&path))
    })
}

fn unreadable(judge: &mut Judge<'_>, name: &FlowName, flow: &Flow, why: &str) {
    let message =
        format!("the mapping {} cannot be read: {why}", crate::explain::shown(judge.config, &flow.mapping));
    let help = "correct the path; a relative one counts from the folder of the configuration file";
    judge.finding(Code::MappingFile, &flow.mapping.origin, format!("flows.{name}.mapping"), message, help);
}

fn place(facts: &MappingFacts, rule: &RuleFacts) -> Origin {
    Origin::File(Spot::new(&facts.source, rule.span.clone()))
}

/// The field that a rule moves and somebody else owns: the one that it writes, where ownership names it, or one that
/// it reads.
fn owned(
    judge: &mut Judge<'_>,
    name: &FlowName,
    flow: &Flow,
    ownership: &Ownership,
    facts: &MappingFacts,
    rule: &RuleFacts,
) {
    let source = &flow.source.value;
    let written = fields::written(ownership, &flow.target.value, &rule.to);
    let named = fields::entry(ownership, &written).is_some();
    let read = rule.reads.iter().filter(|path| !fields::is_identity(path));
    let moved = std::iter::once(written)
        .filter(|_| named)
        .chain(read.map(|path| fields::canonical(Some(ownership), source, path)));
    for field in moved {
        let Some(owner) = fields::owner(ownership, &field) else { continue };
        if owner == source {
            continue;
        }
        let domain = flow.domain.as_str();
        let message = format!(
            "flow {name} would write {} of {} from {domain}.{field}, which {source} does not own: {owner} does",
            rule.to,
            flow.target.as_str()
        );
        let help = format!(
            "take the rule out, let a flow from {owner} carry it, or make {source} the owner: [ownership.{domain}] fields.{field:?}"
        );
        let claim = fields::entry(ownership, &field)
            .map_or(&ownership.system_of_record.origin, |(_, owned)| &owned.owner.origin);
        let finding = Finding::new(Code::NotOwned, &place(facts, rule), message, help);
        judge.push(finding.key(format!("flows.{name}.mapping")).related("its owner is named", claim));
        return;
    }
}

/// Verbs that choose or arrange and alter no value: always allowed.
const ARRANGING: &[&str] = &["each", "within", "when"];

fn transforms(
    judge: &mut Judge<'_>,
    name: &FlowName,
    flow: &Flow,
    ownership: &Ownership,
    facts: &MappingFacts,
    rule: &RuleFacts,
) {
    let source = &flow.source.value;
    let mut told = std::collections::BTreeSet::new();
    for path in &rule.reads {
        let field = fields::canonical(Some(ownership), source, path);
        let of_field = fields::entry(ownership, &field).and_then(|(_, owned)| owned.transforms.as_ref());
        let Some(allowed) = of_field.or(ownership.transforms.as_ref()) else { continue };
        let altering = rule.verbs.iter().filter(|verb| !ARRANGING.contains(&verb.as_str()));
        for verb in altering.filter(|verb| !allowed.iter().any(|allowed| allowed.value == **verb)) {
            if !told.insert(verb) {
                continue;
            }
            let list: Vec<&str> = allowed.iter().map(|verb| verb.as_str()).collect();
            let domain = flow.domain.as_str();
            let message = format!(
                "the mapping of flow {name} uses {verb} on {domain}.{field}, which ownership does not allow"
            );
            let help = if list.is_empty() {
                format!("no verb is allowed on it: take the rule out, or add {verb:?} to transforms")
            } else {
                format!("use one of {}, or add {verb:?} to transforms", list.join(", "))
            };
            let finding = Finding::new(Code::TransformRefused, &place(facts, rule), message, help);
            judge.push(
                finding.key(format!("flows.{name}.mapping")).related("the allowed ones", &allowed.origin),
            );
        }
    }
}
