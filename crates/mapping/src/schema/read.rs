//! Reading the part of JSON Schema that mappings are checked against.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::{Kind, Node, NodeId, Rest};
use crate::types::{Format, Text, Ty};

/// Nodes of one schema; a schema beyond it is refused.
const NODES_MAX: usize = 20_000;
const DEPTH_MAX: usize = 64;

/// Every node of a schema, the root first.
pub(super) fn nodes(schema: &Value) -> Result<Vec<Node>, String> {
    let mut reader = Reader { root: schema, nodes: Vec::new(), refs: BTreeMap::new() };
    reader.read(schema, 0)?;
    Ok(reader.nodes)
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
