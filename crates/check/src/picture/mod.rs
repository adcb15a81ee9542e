//! The flow of truth as a picture: systems with what they own, flows with what moves them and what happens on failure.
//! Owns who stands beside whom; [`svg`] and [`mermaid`] draw it. Knows nothing that [`Explanation`] does not say.

mod mermaid;
mod narrow;
mod pen;
mod svg;
mod wide;

use crate::explain::{Explanation, FlowTruth, SystemTruth};
use std::collections::BTreeMap;

/// For which width a drawing is made; text keeps its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// A page: source, flows and target beside one another.
    Wide,
    /// A phone: below one another.
    Narrow,
}

impl Explanation {
    /// A drawing that needs nothing beside it: light or dark by the reader's choice, text as text.
    pub fn to_svg(&self, width: Width) -> String {
        svg::drawn(&Picture::of(self), width)
    }

    /// The same as a Mermaid flow chart.
    pub fn to_mermaid(&self) -> String {
        mermaid::written(self)
    }
}

/// Two systems and all flows between them, in either direction.
struct Band<'a> {
    left: &'a str,
    right: &'a str,
    flows: Vec<&'a FlowTruth>,
}

struct Picture<'a> {
    bands: Vec<Band<'a>>,
    systems: BTreeMap<&'a str, &'a SystemTruth>,
    /// Systems that no flow touches.
    alone: Vec<&'a str>,
}

impl<'a> Picture<'a> {
    fn of(truth: &'a Explanation) -> Self {
        let busy =
            |name: &str| truth.flows.iter().filter(|flow| flow.source == name || flow.target == name).count();
        // The system that most flows touch stands on the left, Shopify where it is one of several.
        let rank = |name: &'a str| (usize::MAX - busy(name), name != config::SHOPIFY, name);
        let mut pairs: BTreeMap<_, Vec<&FlowTruth>> = BTreeMap::new();
        for flow in &truth.flows {
            let (source, target) = (rank(&flow.source), rank(&flow.target));
            pairs.entry((source.min(target), source.max(target))).or_default().push(flow);
        }
        // What goes out, then what comes back.
        for ((left, _), flows) in &mut pairs {
            flows.sort_by_key(|flow| flow.source != left.2);
        }
        let bands: Vec<Band<'_>> = pairs
            .into_iter()
            .map(|((left, right), flows)| Band { left: left.2, right: right.2, flows })
            .collect();
        let touched = |name: &str| bands.iter().any(|band| band.left == name || band.right == name);
        let alone =
            truth.systems.iter().map(|system| system.system.as_str()).filter(|name| !touched(name)).collect();
        let systems = truth.systems.iter().map(|system| (system.system.as_str(), system)).collect();
        Self { bands, systems, alone }
    }

    /// Bands one after another whose left system is the same one.
    fn shared(&self) -> impl Iterator<Item = &[Band<'a>]> {
        self.bands.chunk_by(|one, other| one.left == other.left)
    }

    /// What stands below its name in a system's box.
    fn about(&self, name: &str) -> Vec<String> {
        let Some(system) = self.systems.get(name) else { return vec!["is not configured".to_owned()] };
        std::iter::once(kind(system)).chain(system.owns.iter().map(|owned| format!("owns {owned}"))).collect()
    }
}

/// "erp, Tryton 8.0 over JSON-RPC".
fn kind(system: &SystemTruth) -> String {
    let connector = system.connector.as_deref().unwrap_or("no such connector");
    if system.role == system.system { connector.to_owned() } else { format!("{}, {connector}", system.role) }
}

/// What a flow's card says, label by label; each part of a value begins a line.
fn rows(flow: &FlowTruth) -> Vec<(&'static str, Vec<String>)> {
    let one = |value: &str| vec![value.to_owned()];
    let rows = [
        ("carries", one(&flow.domain)),
        ("shops", one(&flow.shops.join(", "))),
        ("moved by", one(&flow.trigger)),
        ("within", one(&flow.export_lag)),
        ("mapping", one(&flow.mapping)),
        ("on failure", flow.on_failure.clone()),
    ];
    rows.into_iter().filter(|(_, value)| value.iter().any(|part| !part.is_empty())).collect()
}

/// The card as one sentence, for who hears it.
fn sentence(flow: &FlowTruth) -> String {
    let said: Vec<String> = rows(flow)
        .into_iter()
        .skip(1)
        .map(|(label, value)| format!("{label}: {}", value.join("; ")))
        .collect();
    let FlowTruth { flow: name, domain, source, target, mode, .. } = flow;
    format!("{name} brings {domain} from {source} to {target}, {mode}. {}.", said.join(". "))
}

/// The whole as one sentence.
fn summary(picture: &Picture<'_>) -> String {
    let flows = picture.bands.iter().flat_map(|band| &band.flows);
    let said: Vec<String> = flows
        .map(|flow| format!("{} from {} to {} ({})", flow.domain, flow.source, flow.target, flow.mode))
        .collect();
    if said.is_empty() {
        "No flow is configured.".to_owned()
    } else {
        format!("What moves: {}.", said.join("; "))
    }
}
