//! The picture as a Mermaid flow chart, for pages that draw it themselves (GitHub, many wikis).

use super::{Picture, kind, rows};
use crate::explain::{Explanation, FlowTruth};
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn written(truth: &Explanation) -> String {
    let picture = Picture::of(truth);
    // Names of systems may be words of Mermaid: each gets a plain id.
    let named = truth.systems.iter().map(|system| system.system.as_str());
    let others = truth.flows.iter().flat_map(|flow| [flow.source.as_str(), flow.target.as_str()]);
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    for name in named.chain(others) {
        let next = ids.len();
        ids.entry(name).or_insert(next);
    }
    let mut text = "flowchart LR\n".to_owned();
    for (name, id) in &ids {
        let about = match picture.systems.get(name) {
            Some(system) => std::iter::once(kind(system))
                .chain(system.owns.iter().map(|owned| format!("owns {owned}")))
                .collect::<Vec<_>>(),
            None => vec!["is not configured".to_owned()],
        };
        let _ = writeln!(text, "  s{id}[\"<b>{}</b><br/>{}\"]", safe(name), safe_lines(&about));
    }
    for (id, flow) in truth.flows.iter().enumerate() {
        let (source, target) = (ids[flow.source.as_str()], ids[flow.target.as_str()]);
        // A flow is a node of its own: labels on lines would lie on one another.
        let _ = writeln!(text, "  f{id}(\"{}\")", label(flow));
        let line = line(flow);
        let _ = writeln!(text, "  s{source} {line} f{id} {line} s{target}");
    }
    text
}

/// What is off or only watched is drawn with a line that shows it.
fn line(flow: &FlowTruth) -> &'static str {
    match flow.mode.as_str() {
        "live" => "-->",
        "shadow" => "-.->",
        _ => "-.-x",
    }
}

fn label(flow: &FlowTruth) -> String {
    let said: Vec<String> =
        rows(flow).into_iter().map(|(label, value)| format!("{label}: {}", value.join("; "))).collect();
    format!("<b>{}</b> ({})<br/>{}", safe(&flow.flow), safe(&flow.mode), safe_lines(&said))
}

fn safe_lines(lines: &[String]) -> String {
    lines.iter().map(|line| safe(line)).collect::<Vec<_>>().join("<br/>")
}

/// Mermaid's own way to write what it would take for syntax.
fn safe(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '"' => safe.push_str("#quot;"),
            '#' => safe.push_str("#35;"),
            '<' => safe.push_str("#lt;"),
            '>' => safe.push_str("#gt;"),
            '&' => safe.push_str("#amp;"),
            '`' => safe.push_str("#96;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}
