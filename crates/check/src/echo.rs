//! Echo loops: a field that flows carry from one system to others and back. A graph of (system, field), with an edge
//! for each field that a flow carries; a circle in it is refused.

use crate::fields;
use crate::judge::Judge;
use config::{Code, Finding, Flow, Origin, Spot};
use kernel::id::{FlowName, SystemName};
use std::collections::{BTreeMap, BTreeSet};

/// A field as one system has it.
type Node = (String, String);

struct Edge<'a> {
    from: Node,
    to: Node,
    name: &'a FlowName,
    flow: &'a Flow,
    at: Origin,
}

pub(crate) fn judge(judge: &mut Judge<'_>) {
    let edges = edges(judge);
    let mut told: BTreeSet<BTreeSet<&str>> = BTreeSet::new();
    for start in &edges {
        let Some(circle) = circle(&edges, start) else { continue };
        let flows: BTreeSet<&str> = circle.iter().map(|edge| edge.name.as_str()).collect();
        if told.insert(flows) {
            let finding = finding(&circle);
            judge.push(finding);
        }
    }
}

fn edges<'a>(judge: &Judge<'a>) -> Vec<Edge<'a>> {
    let mut edges = Vec::new();
    for (name, flow) in judge.flows().filter(|(_, flow)| flow.source != flow.target) {
        let Some(facts) = judge.mapping(name) else { continue };
        for rule in &facts.rules {
            let at = Origin::File(Spot::new(&facts.source, rule.span.clone()));
            for path in rule.reads.iter().filter(|path| !fields::is_identity(path)) {
                let (from, to) = ends(judge, flow, path, &rule.to);
                for (from, to) in
                    from.iter().flat_map(|from| to.iter().map(move |to| (from.clone(), to.clone())))
                {
                    edges.push(Edge { from, to, name, flow, at: at.clone() });
                }
            }
        }
    }
    edges
}

/// Where a rule takes a field from and brings it to. A field has two names in a system: its own, and the one that the
/// domain's model has for what was read.
fn ends(judge: &Judge<'_>, flow: &Flow, read: &str, written: &str) -> ([Node; 2], [Node; 2]) {
    let (source, target, domain) = (&flow.source.value, &flow.target.value, flow.domain.as_str());
    let model = fields::canonical(judge.config.ownership.get(&flow.domain.value), source, read);
    let own = |system: &SystemName, path: &str| {
        (system.to_string(), format!("{domain}.{}", fields::local(system, path)))
    };
    let in_model = |system: &SystemName| (system.to_string(), format!("{domain}.{model} of the model"));
    ([own(source, read), in_model(source)], [own(target, written), in_model(target)])
}

/// The shortest way from an edge's end back to its start, over flows that all serve a shop in common with it.
fn circle<'a, 'b>(edges: &'b [Edge<'a>], start: &'b Edge<'a>) -> Option<Vec<&'b Edge<'a>>> {
    let mut came_by: BTreeMap<&Node, &Edge<'a>> = BTreeMap::new();
    let mut edge_of_circle = vec![&start.to];
    let mut next = 0;
    while next < edge_of_circle.len() {
        let node = edge_of_circle[next];
        next += 1;
        if *node == start.from {
            return Some(way_back(&came_by, start));
        }
        for edge in edges.iter().filter(|edge| edge.from == *node && edge.flow.shares_shops_with(start.flow))
        {
            if edge.to != start.to && !came_by.contains_key(&edge.to) {
                came_by.insert(&edge.to, edge);
                edge_of_circle.push(&edge.to);
            }
        }
    }
    None
}

fn way_back<'a, 'b>(came_by: &BTreeMap<&Node, &'b Edge<'a>>, start: &'b Edge<'a>) -> Vec<&'b Edge<'a>> {
    let mut way = Vec::new();
    let mut node = &start.from;
    while let Some(edge) = came_by.get(node) {
        way.push(*edge);
        node = &edge.from;
        if *node == start.to {
            break;
        }
    }
    way.push(start);
    way.reverse();
    way
}

fn finding(circle: &[&Edge<'_>]) -> Finding {
    let mut way: Vec<String> = circle.iter().map(|edge| edge.from.0.clone()).collect();
    way.extend(circle.first().map(|edge| edge.from.0.clone()));
    let (field, names): (&str, Vec<&str>) = (
        circle.first().map_or("", |edge| &edge.from.1),
        circle.iter().map(|edge| edge.name.as_str()).collect(),
    );
    let message = format!("{field} goes round: {} (flows {})", way.join(" → "), names.join(", "));
    let help = "let only the owner's flow carry it: take the rule out of the mapping that brings it back";
    let last = circle.last();
    let at = last.map_or(Origin::Default, |edge| edge.at.clone());
    let mut finding = Finding::new(Code::EchoLoop, &at, message, help);
    if let Some(edge) = last {
        finding = finding.key(format!("flows.{}.mapping", edge.name));
    }
    for edge in circle.iter().rev().skip(1) {
        finding = finding.related(format!("carried by flow {}", edge.name), &edge.at);
    }
    finding
}
