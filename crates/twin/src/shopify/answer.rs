//! How a value gets into an answer: what a node gives for a field, how it refuses, and the guard around both.
//!
//! A field that the schema has and the look-alike has not is refused loudly (`NOT_MODELLED`), never answered with a
//! null that means something else.

use super::contract::Contract;
use super::shop::Shop;
use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::Field;
use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Map, Value, json};
use std::rc::Rc;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::access::Access;
use super::search::Query;

/// What one request resolves against.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) shop: Arc<Shop>,
    pub(super) contract: &'static Contract,
    pub(super) access: Access,
    /// A bulk operation: connections hold everything and need no `first`.
    pub(super) bulk: bool,
    /// Of a bulk operation that is read in pieces: how many of the root's objects to leave out, and how many to take.
    pub(super) piece: Option<(usize, usize)>,
    /// What the request gave its operation, after coercion.
    pub(super) variables: OnceLock<Map<String, Value>>,
    /// Warnings of search queries, for `extensions.search`.
    pub(super) search_warnings: Mutex<Vec<Value>>,
}

impl Request {
    pub(super) fn warn(&self, warning: Value) {
        self.search_warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// A field that cannot be searched is ignored, and said so in `extensions.search`.
    pub(super) fn warn_of_unknown(&self, path: &str, text: &str, query: &Query, known: &[&str]) {
        let unknown: Vec<_> = query.fields().into_iter().filter(|field| !known.contains(field)).collect();
        if !unknown.is_empty() {
            let warnings: Vec<_> = unknown
                .iter()
                .map(|field| json!({ "field": field, "message": "Invalid search field for this query.", "code": "invalid_field" }))
                .collect();
            self.warn(json!({ "path": [path], "query": text, "warnings": warnings }));
        }
    }
}

/// An error on a field, with Shopify's code.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) extensions: Map<String, Value>,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        let mut extensions = Map::new();
        extensions.insert("code".to_owned(), json!(code));
        Self { message: message.into(), extensions }
    }

    pub(super) fn with(mut self, key: &str, value: Value) -> Self {
        self.extensions.insert(key.to_owned(), value);
        self
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new("BAD_REQUEST", message)
    }

    pub(super) fn not_modelled(what: impl std::fmt::Display) -> Self {
        Self::new("NOT_MODELLED", format!("the look-alike does not model {what}"))
    }

    /// The executor carries text alone: the refusal travels as JSON and is unpacked by `decode`.
    fn into_field_error(self) -> FieldError {
        FieldError { message: json!({ "message": self.message, "extensions": self.extensions }).to_string() }
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let text = text.strip_prefix("resolver error: ").unwrap_or(text);
        let Value::Object(mut map) = serde_json::from_str(text).ok()? else { return None };
        let Some(Value::Object(extensions)) = map.remove("extensions") else { return None };
        Some(Self { message: map.remove("message")?.as_str()?.to_owned(), extensions })
    }
}

/// The value of a field.
#[derive(Clone)]
pub(super) enum Answer {
    Leaf(Value),
    Object(Rc<dyn Node>),
    List(Vec<Answer>),
}

impl Answer {
    pub(super) fn node(node: impl Node + 'static) -> Self {
        Self::Object(Rc::new(node))
    }
}

pub(super) type Resolved = Result<Answer, Refusal>;

/// Something with a type name and fields.
pub(super) trait Node {
    fn type_name(&self) -> &'static str;

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved;
}

/// A scalar, an enum or null.
pub(super) fn leaf(value: impl Into<Value>) -> Resolved {
    Ok(Answer::Leaf(value.into()))
}

pub(super) fn null() -> Resolved {
    Ok(Answer::Leaf(Value::Null))
}

pub(super) fn object(node: impl Node + 'static) -> Resolved {
    Ok(Answer::node(node))
}

/// The node, or null.
pub(super) fn optional(node: Option<impl Node + 'static>) -> Resolved {
    node.map_or_else(null, object)
}

pub(super) fn list<N: Node + 'static>(nodes: impl IntoIterator<Item = N>) -> Resolved {
    Ok(Answer::List(nodes.into_iter().map(Answer::node).collect()))
}

/// A small node whose fields are known beforehand.
#[derive(Clone)]
pub(super) struct Record {
    type_name: &'static str,
    fields: Vec<(&'static str, Answer)>,
}

impl Record {
    pub(super) fn new(type_name: &'static str) -> Self {
        Self { type_name, fields: Vec::new() }
    }

    pub(super) fn leaf(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.answer(name, Answer::Leaf(value.into()))
    }

    pub(super) fn node(self, name: &'static str, node: impl Node + 'static) -> Self {
        self.answer(name, Answer::node(node))
    }

    pub(super) fn answer(mut self, name: &'static str, answer: Answer) -> Self {
        self.fields.push((name, answer));
        self
    }
}

impl Node for Record {
    fn type_name(&self) -> &'static str {
        self.type_name
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let known = self.fields.iter().find(|(field, _)| *field == name);
        known.map(|(_, answer)| answer.clone()).ok_or_else(|| unmodelled(self.type_name, name))
    }
}

/// For the last arm of a node's fields.
pub(super) fn unmodelled(type_name: &str, field: &str) -> Refusal {
    Refusal::not_modelled(format_args!("{type_name}.{field}"))
}

/// Of `@idempotent(key:)` on a field.
pub(super) fn idempotency_key(field: &Field, given: impl Fn(&str) -> Option<String>) -> Option<String> {
    match field.directives.get("idempotent")?.specified_argument_by_name("key")?.as_ref() {
        Literal::String(key) => Some(key.clone()),
        Literal::Variable(name) => given(name.as_str()),
        _ => None,
    }
}

/// Arguments after coercion: they fit the schema.
pub(super) struct Arguments {
    values: Map<String, Value>,
    /// Of `@idempotent(key:)` on the field.
    pub(super) idempotency_key: Option<String>,
}

impl Arguments {
    fn of(info: &ResolveInfo<'_>, request: &Request) -> Self {
        let values = match serde_json::to_value(info.arguments()) {
            Ok(Value::Object(arguments)) => arguments,
            _ => Map::new(),
        };
        let given = |name: &str| request.variables.get()?.get(name)?.as_str().map(str::to_owned);
        let key = info.field_selections().iter().find_map(|field| idempotency_key(field, given));
        Self { values, idempotency_key: key }
    }

    #[cfg(test)]
    pub(super) fn given(arguments: Value) -> Self {
        Self { values: arguments.as_object().cloned().unwrap_or_default(), idempotency_key: None }
    }

    /// All of them, as the client gave them.
    pub(super) fn whole(&self) -> Value {
        Value::Object(self.values.clone())
    }

    /// None where it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_i64()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn texts(&self, name: &str) -> Option<Vec<String>> {
        let list = self.get(name)?.as_array()?;
        Some(list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
    }

    /// `first` of a plain list, applied.
    pub(super) fn cut<T>(&self, mut items: Vec<T>) -> Vec<T> {
        if let Some(first) = self.number("first") {
            items.truncate(usize::try_from(first).unwrap_or(0));
        }
        items
    }
}

/// A node behind its access rules, as the executor sees it.
pub(super) struct Guarded {
    node: Rc<dyn Node>,
    request: Arc<Request>,
}

impl Guarded {
    pub(super) fn new(node: Rc<dyn Node>, request: Arc<Request>) -> Self {
        Self { node, request }
    }

    fn resolve(&self, info: &ResolveInfo<'_>) -> Resolved {
        let (parent, field) = (self.node.type_name(), info.field_name());
        let answers_with = info.field_definition().ty.inner_named_type().as_str();
        let Request { access, contract, .. } = &*self.request;
        access.check(contract, parent, field, answers_with)?;
        let mut answer = self.node.field(field, &Arguments::of(info, &self.request), &self.request)?;
        if let (true, Answer::Leaf(Value::Array(items))) = (info.field_definition().ty.is_list(), &mut answer)
        {
            // A list of scalars, as against a scalar that holds a list.
            answer = Answer::List(std::mem::take(items).into_iter().map(Answer::Leaf).collect());
        }
        if let Answer::Object(node) = &answer
            && let Some(needs) = contract.of_type(node.type_name())
        {
            // Behind an interface or a union the type is known only now.
            access.check_one(field, needs)?;
        }
        Ok(answer)
    }

    fn complete<'a>(&self, answer: Answer) -> ResolvedValue<'a> {
        match answer {
            Answer::Leaf(value) => ResolvedValue::Leaf(value.into()),
            Answer::Object(node) => ResolvedValue::object(Self::new(node, self.request.clone())),
            Answer::List(items) => {
                ResolvedValue::list(items.into_iter().map(|item| self.complete(item)).collect::<Vec<_>>())
            }
        }
    }
}

impl ObjectValue for Guarded {
    fn type_name(&self) -> &str {
        self.node.type_name()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        self.resolve(info).map(|answer| self.complete(answer)).map_err(Refusal::into_field_error)
    }
}
