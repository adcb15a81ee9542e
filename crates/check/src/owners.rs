//! One owner for each domain and field: not two, and not none.

use crate::fields;
use crate::judge::Judge;
use config::{Code, Finding, Flow, Origin, Owners, Setting, Violation};
use kernel::id::FlowName;
use std::collections::BTreeSet;

pub(crate) fn judge(judge: &mut Judge<'_>) {
    for (domain, ownership) in &judge.config.ownership {
        let key = format!("ownership.{domain}");
        one(
            judge,
            &format!("the domain {domain}"),
            &format!("{key}.system_of_record"),
            &ownership.system_of_record,
        );
        for (field, owned) in &ownership.fields {
            one(judge, &format!("{domain}.{field}"), &format!("{key}.fields.{field:?}.owner"), &owned.owner);
        }
        if ownership.violation.value == Violation::Ask && domain.as_str() != "inventory" {
            let message =
                format!("[ownership.{domain}] asks a person about each violation, and only inventory can");
            let help = "write report, revert or accept";
            judge.finding(
                Code::Policy,
                &ownership.violation.origin,
                format!("{key}.violation"),
                message,
                help,
            );
        }
        overlaps(judge, domain.as_str(), ownership);
        verbs(judge, &format!("{key}.transforms"), ownership.transforms.as_ref());
        for (field, owned) in &ownership.fields {
            verbs(judge, &format!("{key}.fields.{field:?}.transforms"), owned.transforms.as_ref());
        }
    }
    no_owner(judge);
    same_flow_twice(judge);
    two_writers(judge);
}

fn one(judge: &mut Judge<'_>, what: &str, key: &str, owners: &Setting<Owners>) {
    match owners.value.0.as_slice() {
        [_] => {}
        [] => {
            let help = "name the one system whose word counts";
            judge.finding(Code::NoOwner, &owners.origin, key, format!("{what} has no owner"), help);
        }
        many => {
            let names: Vec<&str> = many.iter().map(|owner| owner.as_str()).collect();
            let message = format!("{what} has {} owners: {}", names.len(), names.join(" and "));
            let help =
                format!("keep one, as in \"{}\"; what another system owns of it goes under fields", names[0]);
            judge.finding(Code::TwoOwners, &owners.origin, key, message, help);
        }
    }
}

/// A field that lies within another has that one's owner, or there would be two.
fn overlaps(judge: &mut Judge<'_>, domain: &str, ownership: &config::Ownership) {
    for (field, owned) in &ownership.fields {
        for (outer, outer_owned) in &ownership.fields {
            let (inner_path, outer_path) = (fields::plain(field), fields::plain(outer));
            let spelled_twice = inner_path == outer_path && field > outer;
            let inside = inner_path != outer_path && fields::within(&inner_path, &outer_path);
            let same = owned.owner.value.0.iter().map(|o| &o.value).eq(outer_owned
                .owner
                .value
                .0
                .iter()
                .map(|o| &o.value));
            if same || !(inside || spelled_twice) {
                continue;
            }
            let name = |owners: &Owners| owners.0.first().map_or("nobody", |o| o.as_str()).to_owned();
            let message = format!(
                "{domain}.{field} has two owners: {}, and {} by {outer}",
                name(&owned.owner.value),
                name(&outer_owned.owner.value)
            );
            let help = format!("take one of the two away, or name the fields below {outer} one by one");
            let finding = Finding::new(Code::TwoOwners, &owned.at, message, help);
            let key = format!("ownership.{domain}.fields.{field:?}");
            judge.push(finding.key(key).related("the other claim", &outer_owned.at));
        }
    }
}

fn verbs(judge: &mut Judge<'_>, key: &str, transforms: Option<&Setting<Vec<Setting<String>>>>) {
    for verb in transforms.into_iter().flat_map(|verbs| verbs.iter()) {
        if judge.inputs.verbs.is_empty() || judge.inputs.verbs.contains(&verb.value) {
            continue;
        }
        let known = judge.inputs.verbs.iter().map(String::as_str);
        let help = match config::nearest(verb, known.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the verbs are {}", known.collect::<Vec<_>>().join(", ")),
        };
        judge.finding(
            Code::Value,
            &verb.origin,
            key,
            format!("{:?} is not a mapping verb", verb.value),
            help,
        );
    }
}

/// A domain that moves needs an owner.
fn no_owner(judge: &mut Judge<'_>) {
    let mut told = BTreeSet::new();
    for (name, flow) in judge.flows() {
        let domain = &flow.domain.value;
        let written = judge.config.ownership.contains_key(domain)
            || judge.config.is_damaged(&format!("ownership.{domain}"));
        if written || !told.insert(domain) {
            continue;
        }
        let message = format!("nobody owns {domain}: nothing says whose word counts");
        let help = format!(
            "add [ownership.{domain}] with system_of_record, as in system_of_record = \"{}\"",
            flow.source.as_str()
        );
        judge.finding(Code::NoOwner, &flow.domain.origin, format!("flows.{name}.domain"), message, help);
    }
}

fn pairs<'a>(judge: &Judge<'a>) -> Vec<[(&'a FlowName, &'a Flow); 2]> {
    let flows: Vec<_> = judge.flows().collect();
    let mut pairs = Vec::new();
    for (at, one) in flows.iter().enumerate() {
        for other in &flows[at + 1..] {
            let same = one.1.domain == other.1.domain && one.1.target == other.1.target;
            if same && one.1.shares_shops_with(other.1) {
                pairs.push([*one, *other]);
            }
        }
    }
    pairs
}

fn same_flow_twice(judge: &mut Judge<'_>) {
    for [(first_name, first), (name, flow)] in pairs(judge) {
        // Orders, what was paid for them and what was given back of them: three matters.
        let reads = |name| judge.mapping(name).map(|mapping| mapping.source_schema.as_str());
        let same = match (&first.follows, &flow.follows) {
            (None, None) => true,
            (Some(_), Some(_)) => reads(first_name) == reads(name),
            _ => false,
        };
        if first.source != flow.source || !same {
            continue;
        }
        let message = format!(
            "flows {first_name} and {name} both carry {} from {} to {}: each object would be written by both",
            flow.domain.as_str(),
            flow.source.as_str(),
            flow.target.as_str()
        );
        let help = "take one away, or give each its own shops";
        let finding = Finding::new(Code::SameFlowTwice, &flow.at, message, help).key(format!("flows.{name}"));
        judge.push(finding.related("the other flow", &first.at));
    }
}

/// Under which each flow that was refused holds an order by itself.
const HOLD: &str = "shopify.hold/1";

/// Two flows of two sources that write one field of one target.
fn two_writers(judge: &mut Judge<'_>) {
    for [(first_name, first), (name, flow)] in pairs(judge) {
        if first.source == flow.source {
            continue;
        }
        let (Some(one), Some(other)) = (judge.mapping(first_name), judge.mapping(name)) else { continue };
        // Each has a hold of its own, and releases no other.
        if one.target_schema == HOLD && other.target_schema == HOLD {
            continue;
        }
        for rule in &other.rules {
            let to = fields::plain(&rule.to);
            let clash = one.rules.iter().find(|first| fields::plain(&first.to) == to);
            let Some(clash) = clash.filter(|_| !fields::is_identity(&to)) else { continue };
            let message = format!(
                "{}.{to} has two writers: {} by flow {first_name}, and {} by flow {name}",
                flow.target.as_str(),
                first.source.as_str(),
                flow.source.as_str()
            );
            let at = |facts: &crate::MappingFacts, rule: &crate::RuleFacts| {
                Origin::File(config::Spot::new(&facts.source, rule.span.clone()))
            };
            let help = "let only the owner's flow write it: take the rule out of the other mapping";
            let finding = Finding::new(Code::TwoOwners, &at(other, rule), message, help);
            judge.push(
                finding.key(format!("flows.{name}.mapping")).related("the other rule", &at(one, clash)),
            );
        }
    }
}
