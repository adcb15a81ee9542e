//! The shape of a source or target: the part of JSON Schema that schemars writes and that a mapping is checked
//! against. It answers which fields there are; it validates no documents.
//!
//! Understood: `type` (one, or one with `null`), `properties`, `required`, `additionalProperties`, `items`, `enum`,
//! `const`, `format` (`decimal`, `date`, `date-time`), a `pattern` of decimals, `maxLength`, `$ref` into `$defs`, `anyOf` and `oneOf` with
//! `null`, `allOf` of one. `x-reference: KIND` marks a field that takes a reference marker. Anything else is taken
//! as "any value", which is then checked when the mapping runs. Two rules keep paths checkable: an object that lists
//! its properties has no others unless `additionalProperties` says so, and one that lists none may have any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::types::{Format, Text, Ty};

/// Nodes of one schema; a schema beyond it is refused.
const NODES_MAX: usize = 20_000;
const DEPTH_MAX: usize = 64;

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
        let mut reader = Reader { root: schema, nodes: Vec::new(), refs: BTreeMap::new() };
        let result = reader.read(schema, 0);
        let refuse = |message: String| SchemaError { schema: name.to_owned(), message };
        result.map_err(refuse)?;
        let schema = Self { name: name.to_owned(), nodes: reader.nodes };
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

struct Reader<'s> {
    root: &'s Value,
    nodes: Vec<Node>,
    refs: BTreeMap<String, NodeId>,
}

impl Reader<'_> {
    fn read(&mut self, schema: &Value, depth: usize) -> Result<NodeId, String> {
        if self.nodes.len() >= NODES_MAX || depth > DEPTH_MAX {
            return Err(format!("more than {NODES_MAX} parts, or more than {DEPTH_MAX} levels"));
        }
        let id = NodeId(self.nodes.len());
        self.nodes.push(Node { kind: Kind::Plain(Ty::Any), nullable: false });
        let node = self.node(schema, depth)?;
        self.nodes[id.0] = node;
        Ok(id)
    }

    fn node(&mut self, schema: &Value, depth: usize) -> Result<Node, String> {
        let any = Node { kind: Kind::Plain(Ty::Any), nullable: true };
        let Some(object) = schema.as_object() else { return Ok(any) };
        if let Some(kind) = object.get("x-reference").and_then(Value::as_str) {
            let nullable = types_of(schema).contains("null");
            return Ok(Node { kind: Kind::Plain(Ty::Reference(kind.to_owned())), nullable });
        }
        if let Some(target) = object.get("$ref").and_then(Value::as_str) {
            return Ok(Node { kind: Kind::Same(self.reference(target, depth)?), nullable: false });
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(members) = object.get(key).and_then(Value::as_array) {
                return self.members(members, depth);
            }
        }
        if object.contains_key("enum") || object.contains_key("const") {
            return Ok(enumeration(schema).unwrap_or(any));
        }
        self.typed(schema, depth)
    }

    fn reference(&mut self, target: &str, depth: usize) -> Result<NodeId, String> {
        if let Some(id) = self.refs.get(target) {
            return Ok(*id);
        }
        let pointer =
            target.strip_prefix('#').ok_or_else(|| format!("`{target}` is not in this document"))?;
        let root = self.root;
        let schema = root.pointer(pointer).ok_or_else(|| format!("`{target}` leads nowhere"))?;
        // The number is known before its content is read, so that a schema may refer to itself.
        self.refs.insert(target.to_owned(), NodeId(self.nodes.len()));
        self.read(schema, depth + 1)
    }

    fn members(&mut self, members: &[Value], depth: usize) -> Result<Node, String> {
        let is_null = |member: &&Value| types_of(member).iter().eq(["null"].iter());
        let nullable = members.iter().any(|member| is_null(&member));
        let others: Vec<&Value> = members.iter().filter(|member| !is_null(member)).collect();
        if let Some(allowed) = others.iter().map(|member| texts_of(member)).collect::<Option<Vec<_>>>()
            && !allowed.is_empty()
        {
            return Ok(Node { kind: Kind::Plain(one_of_texts(allowed.concat())), nullable });
        }
        let mut ids = Vec::with_capacity(others.len());
        for member in others {
            ids.push(self.read(member, depth + 1)?);
        }
        let kind = match ids.as_slice() {
            [] => Kind::Plain(Ty::Any),
            [only] => Kind::Same(*only),
            _ => Kind::OneOf(ids),
        };
        Ok(Node { kind, nullable })
    }

    fn typed(&mut self, schema: &Value, depth: usize) -> Result<Node, String> {
        let types = types_of(schema);
        let nullable = types.contains("null");
        let named: Vec<&str> = types.iter().copied().filter(|name| *name != "null").collect();
        let kind = match named.as_slice() {
            ["boolean"] => Kind::Plain(Ty::Bool),
            ["integer"] => Kind::Plain(Ty::Integer),
            ["number"] | ["integer", "number"] => Kind::Plain(Ty::Number),
            ["string"] => Kind::Plain(Ty::Text(text_of(schema))),
            ["array"] => match schema.get("items") {
                Some(items) => Kind::List(self.read(items, depth + 1)?),
                None => Kind::List(self.read(&Value::Bool(true), depth + 1)?),
            },
            ["object"] => self.object(schema, depth)?,
            [] if schema.get("properties").is_some() => self.object(schema, depth)?,
            _ => return Ok(Node { kind: Kind::Plain(Ty::Any), nullable: nullable || named.is_empty() }),
        };
        Ok(Node { kind, nullable })
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Result<Kind, String> {
        let required: BTreeSet<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut fields = BTreeMap::new();
        for (key, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let node = self.read(field, depth + 1)?;
            fields.insert(key.clone(), (node, required.contains(key.as_str())));
        }
        let rest = match schema.get("additionalProperties") {
            None if fields.is_empty() => Rest::Any,
            None | Some(Value::Bool(false)) => Rest::None,
            Some(Value::Bool(true)) => Rest::Any,
            Some(more) => Rest::Like(self.read(more, depth + 1)?),
        };
        Ok(Kind::Object { fields, rest })
    }
}

fn types_of(schema: &Value) -> BTreeSet<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => BTreeSet::from([name.as_str()]),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// The texts that a schema of `const` or `enum` allows; `None` if it is another schema.
fn texts_of(schema: &Value) -> Option<Vec<String>> {
    if let Some(value) = schema.get("const") {
        return value.as_str().map(|text| vec![text.to_owned()]);
    }
    let values = schema.get("enum")?.as_array()?;
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn enumeration(schema: &Value) -> Option<Node> {
    let values = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => values.clone(),
        (_, Some(value)) => vec![value.clone()],
        _ => return None,
    };
    let nullable = values.iter().any(Value::is_null);
    let texts: Option<Vec<String>> = values
        .iter()
        .filter(|value| !value.is_null())
        .map(|value| value.as_str().map(str::to_owned))
        .collect();
    Some(Node { kind: Kind::Plain(one_of_texts(texts?)), nullable })
}

fn one_of_texts(texts: Vec<String>) -> Ty {
    Ty::Text(Text { allowed: Some(Arc::new(texts.into_iter().collect())), ..Text::default() })
}

fn text_of(schema: &Value) -> Text {
    let format = match schema.get("format").and_then(Value::as_str) {
        Some("decimal") => Format::Decimal,
        Some("date") => Format::Date,
        Some("date-time") => Format::DateTime,
        _ if schema.get("pattern").and_then(Value::as_str).is_some_and(is_decimal_pattern) => Format::Decimal,
        _ => Format::Plain,
    };
    let chars_max = schema.get("maxLength").and_then(Value::as_u64).and_then(|max| usize::try_from(max).ok());
    Text { format, allowed: None, chars_max }
}

/// `^-?[0-9]+(\.[0-9]+)?$` and its likes: the pattern of a decimal.
fn is_decimal_pattern(pattern: &str) -> bool {
    let rest = pattern.replace("[0-9]", "").replace("\\d", "");
    rest.len() < pattern.len() && rest.contains("\\.") && rest.chars().all(|c| "^$-?+*().\\".contains(c))
}
