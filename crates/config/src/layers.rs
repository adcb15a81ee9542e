//! The layers above the file: `TIDEGATE__SECTION__KEY` variables, then `--set section.key=value`. Owns how their
//! names find their keys; what a value means is for whoever reads it.

use crate::code::Code;
use crate::finding::Finding;
use crate::source::Origin;
use crate::tree::{Entry, Node, Raw, Table};
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

const PREFIX: &str = "TIDEGATE__";

/// Lays the variables over the tree. A segment meets an existing key whatever its case and signs (`ORDERS_TO_ERP`
/// is `orders-to-erp`); what does not exist yet is made in lower case.
pub(crate) fn environment(tree: &mut Table, env: &BTreeMap<String, String>, findings: &mut Vec<Finding>) {
    for (name, value) in env.range(PREFIX.to_owned()..) {
        let Some(path) = name.strip_prefix(PREFIX) else { break };
        let origin = Origin::Environment(name.clone());
        let segments: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        if segments.iter().any(String::is_empty) {
            findings.push(Finding::new(
                Code::Override,
                &origin,
                format!("{name} names no key"),
                "write TIDEGATE__SECTION__KEY, as in TIDEGATE__HUB__LISTEN",
            ));
            continue;
        }
        set(tree, &segments, Names::Folded, value, &origin, findings);
    }
}

/// Lays `--set` over the tree. The key is written as in TOML: `ownership.orders.fields."erp.number".owner`.
pub(crate) fn flags(tree: &mut Table, overrides: &[(String, String)], findings: &mut Vec<Finding>) {
    for (key, value) in overrides {
        let origin = Origin::Flag(key.clone());
        match dotted(key) {
            Some(segments) => set(tree, &segments, Names::Exact, value, &origin, findings),
            None => findings.push(Finding::new(
                Code::Override,
                &origin,
                format!("--set {key:?} names no key"),
                "write --set section.key=value, as in --set hub.listen=127.0.0.1:8080",
            )),
        }
    }
}

/// The segments of a dotted key, read by the TOML parser itself.
fn dotted(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '\r', '=', '#', '[']) {
        return None;
    }
    let line = format!("{key} = 0");
    let table = DeTable::parse(&line).ok()?;
    let mut segments = Vec::new();
    let mut level = table.get_ref().clone();
    loop {
        let (name, value) = level.iter().next()?;
        segments.push(name.get_ref().to_string());
        let next = match value.get_ref() {
            DeValue::Table(inner) => inner.clone(),
            _ => return Some(segments),
        };
        level = next;
    }
}

#[derive(Clone, Copy)]
enum Names {
    Exact,
    Folded,
}

fn set(
    tree: &mut Table,
    segments: &[String],
    names: Names,
    value: &str,
    origin: &Origin,
    findings: &mut Vec<Finding>,
) {
    let Some((last, parents)) = segments.split_last() else { return };
    let mut table = tree;
    for segment in parents {
        let key = existing(table, segment, names);
        let entry = table.entry(key.clone()).or_insert_with(|| Entry {
            key_at: origin.clone(),
            node: Node { raw: Raw::Table(Table::new()), origin: origin.clone() },
        });
        // An inline table from a layer below is opened, so that one key of it can be replaced.
        entry.node = entry.node.settled();
        match &mut entry.node.raw {
            Raw::Table(inner) => table = inner,
            other => {
                let kind = Node { raw: other.clone(), origin: Origin::Default }.kind();
                findings.push(Finding::new(
                    Code::Override,
                    origin,
                    format!("{origin} goes through {key}, which is {kind} and not a table"),
                    "name a key of a table, or replace the whole value",
                ));
                return;
            }
        }
    }
    let node = Node { raw: Raw::Loose(value.to_owned()), origin: origin.clone() };
    let key = existing(table, last, names);
    table.insert(key, Entry { key_at: origin.clone(), node });
}

fn existing(table: &Table, segment: &str, names: Names) -> String {
    let fold = |name: &str| -> String {
        name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
    };
    match names {
        Names::Exact => segment.to_owned(),
        Names::Folded => {
            let folded = fold(segment);
            table.keys().find(|key| fold(key) == folded).cloned().unwrap_or_else(|| segment.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf<'a>(tree: &'a Table, path: &[&str]) -> &'a Node {
        let entry = &tree[path[0]];
        match &entry.node.raw {
            Raw::Table(inner) if path.len() > 1 => leaf(inner, &path[1..]),
            _ => &entry.node,
        }
    }

    #[test]
    fn variables_meet_keys_of_any_spelling_and_flags_come_last() {
        let (_, mut tree, findings) = crate::tree::parse(
            "t.toml",
            "[flows.orders-to-erp]\nmode = \"off\"\nslo = { export_lag = \"60s\" }\n",
        );
        assert!(findings.is_empty());
        let mut findings = Vec::new();
        let env = [
            ("TIDEGATE__FLOWS__ORDERS_TO_ERP__MODE", "shadow"),
            ("TIDEGATE__FLOWS__ORDERS_TO_ERP__SLO__EXPORT_LAG", "90s"),
            ("TIDEGATE_LOG", "not ours"),
            ("TIDEGATEX", "not ours"),
        ];
        let env = env.map(|(k, v)| (k.to_owned(), v.to_owned())).into_iter().collect();
        environment(&mut tree, &env, &mut findings);
        assert_eq!(leaf(&tree, &["flows", "orders-to-erp", "mode"]).text().as_deref(), Some("shadow"));
        assert_eq!(
            leaf(&tree, &["flows", "orders-to-erp", "slo", "export_lag"]).text().as_deref(),
            Some("90s")
        );
        flags(&mut tree, &[("flows.orders-to-erp.mode".into(), "live".into())], &mut findings);
        let node = leaf(&tree, &["flows", "orders-to-erp", "mode"]);
        assert_eq!(node.text().as_deref(), Some("live"));
        assert_eq!(node.origin, Origin::Flag("flows.orders-to-erp.mode".into()));
        assert_eq!(findings, []);
    }

    #[test]
    fn what_names_no_key_is_a_finding() {
        let (_, mut tree, _) = crate::tree::parse("t.toml", "[hub]\nlisten = \"x\"\n");
        let mut findings = Vec::new();
        let env = [
            ("TIDEGATE__".to_owned(), "1".to_owned()),
            ("TIDEGATE__HUB__LISTEN__X".to_owned(), "1".to_owned()),
        ];
        environment(&mut tree, &env.into_iter().collect(), &mut findings);
        flags(
            &mut tree,
            &[("".into(), "1".into()), ("a..b".into(), "1".into()), ("a=b".into(), "1".into())],
            &mut findings,
        );
        assert_eq!(findings.len(), 5);
        assert!(findings.iter().all(|finding| finding.code == Code::Override));
    }
}
