//! The shape of a source or target: the part of JSON Schema that schemars writes and that a mapping is checked
//! against. It answers which fields there are; it validates no documents.
//!
//! Understood: `type` (one, or one with `null`), `properties`, `required`, `additionalProperties`, `items`, `enum`,
//! `const`, `format` (`decimal`, `date`, `date-time`), a `pattern` of decimals, `maxLength`, `$ref` into `$defs`, `anyOf` and `oneOf` with
//! `null`, `allOf` of one. `x-reference: KIND` marks a field that takes a reference marker. Anything else is taken
//! as "any value", which is then checked when the mapping runs. Two rules keep paths checkable: an object that lists
//! its properties has no others unless `additionalProperties` says so, and one that lists none may have any.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::types::Ty;

/// A named schema, `order/1`.
#[derive(Debug, Clone)]
pub struct Schema {
    name: String,
    nodes: Vec<Node>,
}

/// Why a schema cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TG-2019: schema `{schema}`: {message}")]
pub struct SchemaError {
    /// The schema's name.
    pub schema: String,
    /// What is wrong with it.
    pub message: String,
}

/// The place of a node in its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(usize);

#[derive(Debug, Clone)]
struct Node {
    kind: Kind,
    nullable: bool,
}

#[derive(Debug, Clone)]
enum Kind {
    Plain(Ty),
    List(NodeId),
    Object { fields: BTreeMap<String, (NodeId, bool)>, rest: Rest },
    Same(NodeId),
    OneOf(Vec<NodeId>),
}

#[derive(Debug, Clone, Copy)]
enum Rest {
    None,
    Any,
    Like(NodeId),
}

/// A field that was looked up: `node` is `None` where anything may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) node: Option<NodeId>,
    pub(crate) required: bool,
}

impl Schema {
    /// Reads a JSON Schema.
    ///
    /// # Errors
    /// When the root is not an object, a `$ref` leads nowhere, or the schema is beyond the bounds.
    pub fn new(name: &str, schema: &Value) -> Result<Self, SchemaError> {
        let refuse = |message: String| SchemaError { schema: name.to_owned(), message };
        let nodes = read::nodes(schema).map_err(refuse)?;
        let schema = Self { name: name.to_owned(), nodes };
        if !matches!(schema.ty(schema.root()), Ty::Object | Ty::Any) {
            return Err(refuse("the root must be an object".to_owned()));
        }
        Ok(schema)
    }

    /// The schema's name, as a mapping's header gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What one value of it is called in an expression: `order` for `order/1`.
    pub(crate) fn noun(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    pub(crate) fn root(&self) -> NodeId {
        NodeId(0)
    }

    /// The node behind aliases, and whether it may be null.
    fn node(&self, id: NodeId) -> (&Kind, bool) {
        let (mut id, mut nullable) = (id, false);
        // An alias of an alias of itself would never end: bounded by the number of nodes.
        for _ in 0..=self.nodes.len() {
            let node = &self.nodes[id.0];
            nullable |= node.nullable;
            match &node.kind {
                Kind::Same(next) => id = *next,
                kind => return (kind, nullable),
            }
        }
        (&Kind::Plain(Ty::Any), true)
    }

    pub(crate) fn nullable(&self, id: NodeId) -> bool {
        self.node(id).1
    }

    /// The type of a node's value.
    pub(crate) fn ty(&self, id: NodeId) -> Ty {
        match self.node(id).0 {
            Kind::Plain(ty) => ty.clone(),
            Kind::List(item) => Ty::List(Box::new(match self.node(*item).0 {
                Kind::Plain(ty) => ty.clone(),
                Kind::List(_) => Ty::List(Box::new(Ty::Any)),
                Kind::Object { .. } => Ty::Object,
                Kind::OneOf(_) | Kind::Same(_) => Ty::Any,
            })),
            Kind::Object { .. } => Ty::Object,
            Kind::OneOf(members) if members.iter().all(|id| matches!(self.ty(*id), Ty::Object)) => Ty::Object,
            Kind::OneOf(_) | Kind::Same(_) => Ty::Any,
        }
    }

    /// The items of a list; `Some(None)` where anything may be.
    pub(crate) fn items(&self, id: NodeId) -> Option<Option<NodeId>> {
        match self.node(id).0 {
            Kind::List(item) => Some(Some(*item)),
            Kind::Plain(Ty::Any) | Kind::OneOf(_) => Some(None),
            _ => None,
        }
    }

    /// The field of an object; `None` if there is none of that name, or if it is no object.
    pub(crate) fn field(&self, id: NodeId, key: &str) -> Option<Field> {
        match self.node(id).0 {
            Kind::Plain(Ty::Any) => Some(Field { node: None, required: false }),
            Kind::Object { fields, rest } => match (fields.get(key), rest) {
                (Some((node, required)), _) => Some(Field { node: Some(*node), required: *required }),
                (None, Rest::Any) => Some(Field { node: None, required: false }),
                (None, Rest::Like(node)) => Some(Field { node: Some(*node), required: false }),
                (None, Rest::None) => None,
            },
            Kind::OneOf(members) => self.field_of_any(members, key),
            _ => None,
        }
    }

    /// A field of one of several shapes: required only if each of them requires it, known if one has it.
    fn field_of_any(&self, members: &[NodeId], key: &str) -> Option<Field> {
        let found: Vec<Field> = members.iter().filter_map(|id| self.field(*id, key)).collect();
        let first = *found.first()?;
        let same = found.iter().all(|field| match (field.node, first.node) {
            (Some(a), Some(b)) => self.ty(a) == self.ty(b) && self.ty(a) != Ty::Object,
            _ => false,
        });
        let required = found.len() == members.len() && found.iter().all(|field| field.required);
        let node = if same || found.len() == 1 { first.node } else { None };
        Some(Field { node, required })
    }

    /// The names of an object's fields.
    pub(crate) fn keys(&self, id: NodeId) -> Vec<&str> {
        match self.node(id).0 {
            Kind::Object { fields, .. } => fields.keys().map(String::as_str).collect(),
            Kind::OneOf(members) => {
                let all: BTreeSet<&str> = members.iter().flat_map(|id| self.keys(*id)).collect();
                all.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The fields that an object must have.
    pub(crate) fn required(&self, id: NodeId) -> Vec<(&str, NodeId)> {
        match self.node(id).0 {
            Kind::Object { fields, .. } => fields
                .iter()
                .filter(|(_, (_, required))| *required)
                .map(|(key, (node, _))| (key.as_str(), *node))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Up to two paths from the root that end in this field name, for the help of an error.
    pub(crate) fn paths_ending_in(&self, key: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut waiting = vec![(self.root(), String::new(), 0)];
        let mut visited = 0;
        while let Some((id, path, depth)) = waiting.pop() {
            visited += 1;
            if visited > 2_000 || found.len() >= 2 {
                break;
            }
            // A schema may hold itself.
            if depth > 6 {
                continue;
            }
            match self.node(id).0 {
                Kind::List(item) => waiting.push((*item, format!("{path}[]"), depth)),
                Kind::Object { fields, .. } => {
                    for (name, (node, _)) in fields.iter().rev() {
                        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                        if name == key {
                            found.push(path.clone());
                        }
                        waiting.push((*node, path, depth + 1));
                    }
                }
                _ => {}
            }
        }
        found.truncate(2);
        found
    }
}
