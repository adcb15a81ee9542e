//! Is every field that the target requires written? And is no field written both whole and in part?

use std::collections::BTreeMap;
use std::ops::Range;

use super::Compiler;
use crate::error::LoadCode;
use crate::path::Path;
use crate::schema::NodeId;

/// The fields of one object that its rules write, as a tree.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    whole: bool,
    parts: BTreeMap<String, Self>,
}

impl Coverage {
    /// Adds a field; fails with the name of one that overlaps it.
    pub(super) fn add(&mut self, to: &[String]) -> Result<(), String> {
        let mut at = self;
        for (depth, key) in to.iter().enumerate() {
            at = at.parts.entry(key.clone()).or_default();
            if at.whole && depth + 1 < to.len() {
                return Err(to[..=depth].join("."));
            }
        }
        at.whole = true;
        match at.parts.keys().next() {
            Some(part) => Err(format!("{}.{part}", to.join("."))),
            None => Ok(()),
        }
    }
}

impl Compiler<'_> {
    pub(super) fn check_coverage(
        &mut self,
        node: NodeId,
        written: &Coverage,
        at: &Path,
        span: &Range<usize>,
    ) {
        let missing: Vec<Path> = self
            .target
            .required(node)
            .into_iter()
            .filter(|(key, _)| !written.parts.contains_key(*key))
            .map(|(key, _)| at.key(key))
            .collect();
        for path in missing {
            self.findings.add_help(
                LoadCode::RequiredNotWritten,
                span.clone(),
                format!("the target requires `{path}`, and no rule writes it"),
                format!("add a rule: {{ to = \"{path}\", … }}"),
            );
        }
        for (key, part) in &written.parts {
            if part.whole {
                continue;
            }
            if let Some(inner) = self.target.field(node, key).and_then(|field| field.node) {
                self.check_coverage(inner, part, &at.key(key), span);
            }
        }
    }
}
