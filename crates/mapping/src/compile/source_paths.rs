//! Source paths against the source's schema: where each leads, of which type, and what was meant by one that leads
//! nowhere.

use super::Compiler;
use crate::error::LoadCode;
use crate::nearest::{nearest, suggest};
use crate::path::{Base, Path, Segment, SourcePath};
use crate::read::Entry;
use crate::schema::{NodeId, Schema};
use crate::types::{Ty, Typed};

impl Compiler<'_> {
    /// A source path that stands in an entry, with its type; the read is noted.
    pub(super) fn path(&mut self, entry: &Entry<'_, '_>) -> Option<(SourcePath, Resolved)> {
        let text = entry.text(&mut self.findings)?;
        let path = match SourcePath::parse(text) {
            Ok(path) => path,
            Err(reason) => {
                self.findings.add(
                    LoadCode::UnknownSourcePath,
                    entry.span.clone(),
                    format!("`{text}`: {reason}"),
                );
                return None;
            }
        };
        match self.resolve(&path) {
            Ok(resolved) => Some((path, resolved)),
            Err(unknown) => {
                self.findings.add_help(
                    LoadCode::UnknownSourcePath,
                    entry.span.clone(),
                    unknown.message,
                    unknown.help,
                );
                None
            }
        }
    }

    /// Follows a path through the source schema.
    pub(crate) fn resolve(&self, path: &SourcePath) -> Result<Resolved, Unknown> {
        let base = match path.base {
            Base::Root => self.scopes.first(),
            Base::Up(levels) => self.scopes.len().checked_sub(levels + 1).and_then(|at| self.scopes.get(at)),
        };
        let Some(base) = base else {
            return Err(Unknown {
                message: format!("`{path}` goes further out than there are items around"),
                help: "`$.` is the source itself, one `^` the item around the current one".to_owned(),
            });
        };
        let mut at = Resolved {
            node: base.node,
            path: base.path.clone(),
            optional: false,
            many: false,
            also: Vec::new(),
        };
        for (depth, segment) in path.segments.iter().enumerate() {
            let sure = depth == 0 && base.present;
            at.optional |= !sure && at.node.is_some_and(|node| self.source.nullable(node));
            self.resolve_segment(&mut at, segment, path)?;
        }
        Ok(at)
    }

    fn resolve_segment(
        &self,
        at: &mut Resolved,
        segment: &Segment,
        whole: &SourcePath,
    ) -> Result<(), Unknown> {
        let Some(node) = at.node else {
            at.optional = true;
            match segment {
                Segment::Key(key) => at.path = at.path.key(key),
                Segment::Every => (at.path, at.many) = (at.path.items(), true),
                Segment::Index(_) | Segment::Where { .. } => at.path = at.path.items(),
            }
            return Ok(());
        };
        if let Segment::Key(key) = segment {
            let Some(field) = self.source.field(node, key) else {
                return Err(self.unknown_field(node, key, &at.path, whole));
            };
            at.node = field.node;
            at.optional |= !field.required;
            at.path = at.path.key(key);
            return Ok(());
        }
        let Some(items) = self.source.items(node) else {
            return Err(Unknown {
                message: format!("`{}` is no list, so `{whole}` leads nowhere", at.path),
                help: String::new(),
            });
        };
        at.path = at.path.items();
        at.node = items;
        match segment {
            Segment::Every => at.many = true,
            Segment::Where { key, .. } => {
                at.optional = true;
                if let Some(item) = items {
                    if self.source.field(item, key).is_none() {
                        return Err(self.unknown_field(item, key, &at.path, whole));
                    }
                    at.also.push(at.path.key(key));
                }
            }
            Segment::Index(_) | Segment::Key(_) => at.optional = true,
        }
        Ok(())
    }

    fn unknown_field(&self, node: NodeId, key: &str, parent: &Path, whole: &SourcePath) -> Unknown {
        if let Ty::List(_) = self.source.ty(node) {
            return Unknown {
                message: format!("`{parent}` is a list, so it has no `{key}`"),
                help: format!(
                    "`{parent}[].{key}` is each of them, `{parent}[0].{key}` the first; a list is written with `each`"
                ),
            };
        }
        let holder = if parent.as_str().is_empty() { "the source".to_owned() } else { format!("`{parent}`") };
        let keys = self.source.keys(node);
        let help = match (nearest(key, keys.iter().copied()), self.source.paths_ending_in(key)) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, elsewhere) if !elsewhere.is_empty() => {
                format!("the source has it as {}", elsewhere.join(" and "))
            }
            _ if keys.is_empty() => format!("{holder} has no fields"),
            _ => suggest(key, keys.iter().copied()),
        };
        Unknown { message: format!("`{whole}`: {holder} has no field `{key}`"), help }
    }

    /// Notes that the rule at hand reads a field.
    pub(crate) fn note_read(&mut self, resolved: &Resolved) {
        self.rule_reads.insert(resolved.path.clone());
        self.rule_reads.extend(resolved.also.iter().cloned());
    }
}

/// Where a source path leads.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(super) node: Option<NodeId>,
    pub(super) path: Path,
    pub(super) optional: bool,
    pub(super) many: bool,
    /// Fields that are read to get there: the field of `[field=text]`.
    also: Vec<Path>,
}

impl Resolved {
    /// The type of what stands there.
    pub(crate) fn typed(&self, schema: &Schema) -> Typed {
        let (ty, nullable) = match self.node {
            Some(node) => (schema.ty(node), schema.nullable(node)),
            None => (Ty::Any, true),
        };
        if self.many {
            return Typed::new(Ty::List(Box::new(ty)), false);
        }
        Typed::new(ty, self.optional || nullable)
    }
}

/// Why a path leads nowhere.
pub(crate) struct Unknown {
    pub(crate) message: String,
    pub(crate) help: String,
}
