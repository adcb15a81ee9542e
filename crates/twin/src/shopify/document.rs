//! From a GraphQL request to its answer: parse, validate, price, throttle, execute.
//!
//! Every document is parsed and validated against the published schema; nothing looks at its text. Where Shopify
//! answers without `data` (a document that is not valid, arrays that are too long, an empty bucket), so does this.

use super::answer::{Guarded, Node as ObjectNode, Refusal, Request, idempotency_key};
use super::contract::Contract;
use super::cost::{Bill, QUERY_MAX};
use super::faults::Asked;
use super::mutation::Mutation;
use super::query::QueryRoot;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::Node;
use apollo_compiler::ast::Value as Literal;
use apollo_compiler::executable::{Field, Operation};
use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::{DiagnosticList, Valid};
use serde_json::{Map, Value, json};
use std::rc::Rc;
use std::sync::Arc;

const ARRAY_MAX: usize = 250;

/// What a client posts.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) query: String,
    pub(super) variables: JsonMap,
    pub(super) operation_name: Option<String>,
}

/// What the call asks for; nothing where it cannot be read.
pub(super) fn asked(request: &Request, call: &Call) -> Asked {
    let document = request.shop.documents.get_or_parse(&call.query, |text| parse(request.contract, text));
    let Ok(document) = document else { return Asked::default() };
    let Ok(operation) = select(&document, call.operation_name.as_deref()) else { return Asked::default() };
    let fields = operation.root_fields(&document).map(|field| field.name.to_string()).collect();
    let key = |field: &Node<Field>| {
        let given = |name: &str| call.variables.get(name)?.as_str().map(str::to_owned);
        idempotency_key(field, given)
    };
    let keys = operation.root_fields(&document).filter_map(key).collect();
    Asked { is_mutation: operation.is_mutation(), fields, keys }
}

/// `THROTTLED`, as if the bucket were empty.
pub(super) fn throttled_answer(shop: &super::shop::Shop) -> Value {
    json!({ "errors": [throttled()], "extensions": { "cost": shop.cost(10, None) } })
}

/// The whole answer, ready to be written.
pub(super) fn answer(request: &Arc<Request>, call: &Call) -> Value {
    run(request, call).unwrap_or_else(|refused| refused)
}

/// `Err` is an answer too: one without `data`.
fn run(request: &Arc<Request>, call: &Call) -> Result<Value, Value> {
    let shop = &request.shop;
    let document = shop.documents.get_or_parse(&call.query, |text| parse(request.contract, text))?;
    let operation = select(&document, call.operation_name.as_deref())?;
    let variables = coerce_variable_values(&request.contract.schema, operation, &call.variables)
        .map_err(|error| single("INVALID_VARIABLE", error.message().to_string()))?;
    let bill = Bill { document: &document, operation, variables: &variables };
    let requested = bill.requested();
    if requested > QUERY_MAX {
        return Err(too_dear(requested));
    }
    if let Some(refusal) = too_long(operation, &document, &variables) {
        return Err(json!({ "errors": [refusal], "extensions": { "cost": shop.cost(requested, None) } }));
    }
    if !shop.take(requested) {
        return Err(json!({ "errors": [throttled()], "extensions": { "cost": shop.cost(requested, None) } }));
    }
    if let Ok(Value::Object(given)) = serde_json::to_value(&*variables) {
        // A request runs one operation.
        let _ = request.variables.set(given);
    }
    let (data, errors) = execute(request, &document, operation, &variables);
    let actual = bill.actual(data.as_object());
    shop.give_back(requested, actual);
    let mut extensions = json!({ "cost": shop.cost(requested, Some(actual)) });
    let warnings = std::mem::take(
        &mut *request.search_warnings.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
    );
    if !warnings.is_empty() {
        extensions["search"] = warnings.into();
    }
    let mut answer = json!({ "data": data, "extensions": extensions });
    if !errors.is_empty() {
        answer["errors"] = errors.into();
    }
    Ok(answer)
}

fn execute(
    request: &Arc<Request>,
    document: &Valid<ExecutableDocument>,
    operation: &Operation,
    variables: &Valid<JsonMap>,
) -> (Value, Vec<Value>) {
    let root: Rc<dyn ObjectNode> =
        if operation.is_mutation() { Rc::new(Mutation) } else { Rc::new(QueryRoot) };
    let root = Guarded::new(root, request.clone());
    let executed = Execution::new(&request.contract.schema, document)
        .operation(operation)
        .coerced_variable_values(variables)
        .enable_schema_introspection(true)
        .execute_sync(&root);
    match executed {
        Ok(response) => {
            let errors = response.errors.into_iter().map(|error| unpacked(&error)).collect();
            (serde_json::to_value(response.data).unwrap_or_default(), errors)
        }
        Err(error) => (Value::Null, vec![json!({ "message": error.message().to_string() })]),
    }
}

/// Executes a query by itself, for a bulk operation: no price, no limits.
pub(super) fn execute_bulk(request: &Arc<Request>, text: &str) -> Result<(Value, Vec<Value>), Value> {
    let document = parse(request.contract, text)?;
    let operation = select(&document, None)?;
    Ok(execute(request, &document, operation, &Valid::assume_valid(JsonMap::default())))
}

/// One line of a bulk operation that writes: a document with its variables. No price, but arrays are as long as ever.
pub(super) fn execute_line(
    request: &Arc<Request>,
    document: &Valid<ExecutableDocument>,
    given: &JsonMap,
) -> Value {
    let run = || {
        let operation = select(document, None)?;
        let variables = coerce_variable_values(&request.contract.schema, operation, given)
            .map_err(|error| single("INVALID_VARIABLE", error.message().to_string()))?;
        if let Some(refusal) = too_long(operation, document, &variables) {
            return Err(json!({ "errors": [refusal] }));
        }
        let (data, errors) = execute(request, document, operation, &variables);
        let mut answer = json!({ "data": data });
        if !errors.is_empty() {
            answer["errors"] = errors.into();
        }
        Ok(answer)
    };
    run().unwrap_or_else(|refused: Value| refused)
}

/// Of a bulk operation's query, by name.
pub(super) fn root_fields(request: &Request, text: &str) -> Vec<String> {
    let call = Call { query: text.to_owned(), ..Call::default() };
    asked(request, &call).fields
}

/// An error of the executor with the code that the resolver gave it.
fn unpacked(error: &apollo_compiler::response::GraphQLError) -> Value {
    let mut written = serde_json::to_value(error).unwrap_or_default();
    let refusal = Refusal::decode(&error.message).unwrap_or_else(|| {
        Refusal::new(
            "INTERNAL_SERVER_ERROR",
            format!("the look-alike answered what the schema forbids: {}", error.message),
        )
    });
    written["message"] = refusal.message.into();
    written["extensions"] = refusal.extensions.into();
    written
}

pub(super) fn parse(contract: &Contract, text: &str) -> Result<Valid<ExecutableDocument>, Value> {
    ExecutableDocument::parse_and_validate(&contract.schema, text, "query.graphql")
        .map_err(|refused| json!({ "errors": diagnostics(contract, &refused.errors) }))
}

fn select<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a Operation, Value> {
    match document.operations.get(name) {
        Ok(operation) => Ok(operation),
        Err(_) => Err(json!({ "errors": [{ "message": match name {
            Some(name) => format!("No operation named {name:?}"),
            None => "An operation name is required".to_owned(),
        } }] })),
    }
}

fn diagnostics(contract: &Contract, list: &DiagnosticList) -> Vec<Value> {
    let one = |diagnostic: apollo_compiler::diagnostic::Diagnostic<
        '_,
        apollo_compiler::validation::DiagnosticData,
    >| {
        let text = diagnostic.error.to_string();
        let (code, message) = classify(contract, diagnostic.error.unstable_error_name(), &text);
        let mut written = json!({ "message": message, "extensions": { "code": code } });
        if let Some(range) = diagnostic.line_column_range() {
            written["locations"] = json!([{ "line": range.start.line, "column": range.start.column }]);
        }
        written
    };
    let all: Vec<Value> = list.iter().map(one).collect();
    // What cannot be read is not judged any further, and a selection whose fields are all unknown is not empty.
    let is = |error: &Value, code: &str| error["extensions"]["code"] == code;
    if let Some(unreadable) = all.iter().find(|error| is(error, "PARSE_ERROR")) {
        return vec![unreadable.clone()];
    }
    let follow_up = all.iter().any(|error| !is(error, "selectionMismatch"));
    all.into_iter().filter(|error| !(follow_up && is(error, "selectionMismatch"))).collect()
}

/// Shopify's code for what the validator found, and its own words where the two kinds are the same.
fn classify(contract: &Contract, name: Option<&str>, text: &str) -> (&'static str, String) {
    let named: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    match (name, named.as_slice()) {
        (Some("UndefinedField"), [parent, field]) if contract.is_left_out(parent, field) => {
            ("NOT_MODELLED", format!("the look-alike's schema leaves {parent}.{field} out; Shopify has it"))
        }
        (Some("UndefinedField"), [parent, field]) => {
            ("undefinedField", format!("Field '{field}' doesn't exist on type '{parent}'"))
        }
        (Some("UndefinedArgument"), [argument, of]) => {
            let of = of.rsplit('.').next().unwrap_or(of);
            ("argumentNotAccepted", format!("Field '{of}' doesn't accept argument '{argument}'"))
        }
        (Some("UndefinedInputValue"), [argument, of]) => {
            ("argumentNotAccepted", format!("InputObject '{of}' doesn't accept argument '{argument}'"))
        }
        (Some("RequiredArgument"), _) => ("missingRequiredArguments", text.to_owned()),
        (Some("RequiredField"), _) => ("missingRequiredInputObjectAttribute", text.to_owned()),
        (Some("MissingSubselection"), _) => ("selectionMismatch", text.to_owned()),
        (Some("UndefinedDirective"), _) => ("undefinedDirective", text.to_owned()),
        (Some("UndefinedDefinition" | "UndefinedTypeInInlineFragmentTypeCondition"), _) => {
            ("undefinedType", text.to_owned())
        }
        (Some("UnusedVariable"), _) => ("variableNotUsed", text.to_owned()),
        (Some("UndefinedVariable"), _) => ("variableNotDefined", text.to_owned()),
        (Some("DisallowedVariableUsage"), _) => ("variableMismatch", text.to_owned()),
        (
            Some("UndefinedEnumValue" | "UnsupportedValueType" | "IntCoercionError" | "FloatCoercionError"),
            _,
        ) => ("argumentLiteralsIncompatible", text.to_owned()),
        (Some("UnusedFragment"), _) => ("useDefinedFragment", text.to_owned()),
        (Some(_), _) => ("invalidDocument", text.to_owned()),
        (None, _) => ("PARSE_ERROR", text.to_owned()),
    }
}

fn single(code: &str, message: String) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code } }] })
}

fn throttled() -> Value {
    json!({ "message": "Throttled", "extensions": {
        "code": "THROTTLED",
        "documentation": "https://shopify.dev/api/usage/rate-limits",
    } })
}

fn too_dear(requested: u32) -> Value {
    json!({ "errors": [{
        "message": format!(
            "Query cost is {requested}, which exceeds the single query max cost limit ({QUERY_MAX}).\n\nSee \
             https://shopify.dev/concepts/about-apis/rate-limits for more information on how the\ncost of a query \
             is calculated.\n\nTo query larger amounts of data with fewer limits, bulk operations should be used instead.\n"
        ),
        "extensions": {
            "code": "MAX_COST_EXCEEDED",
            "cost": requested,
            "maxCost": QUERY_MAX,
            "documentation": "https://shopify.dev/api/usage/rate-limits",
        },
    }] })
}

/// The first argument of a root field with an array of more than 250.
fn too_long(operation: &Operation, document: &ExecutableDocument, variables: &JsonMap) -> Option<Value> {
    let variables = serde_json::to_value(variables).unwrap_or_default();
    for field in operation.root_fields(document) {
        for argument in &field.arguments {
            let value = plain(&argument.value, variables.as_object());
            let mut path = vec![field.response_key().to_string(), argument.name.to_string()];
            if let Some(size) = longest(&value, &mut path) {
                return Some(json!({
                    "message": format!("The input array size of {size} is greater than the maximum allowed of {ARRAY_MAX}."),
                    "path": path,
                    "extensions": { "code": "MAX_INPUT_SIZE_EXCEEDED" },
                }));
            }
        }
    }
    None
}

/// The size of the first array that is too long; `path` then leads to it.
fn longest(value: &Value, path: &mut Vec<String>) -> Option<usize> {
    match value {
        Value::Array(items) if items.len() > ARRAY_MAX => Some(items.len()),
        Value::Array(items) => items.iter().find_map(|item| longest(item, path)),
        Value::Object(fields) => fields.iter().find_map(|(name, inner)| {
            path.push(name.clone());
            let found = longest(inner, path);
            if found.is_none() {
                path.pop();
            }
            found
        }),
        _ => None,
    }
}

fn plain(literal: &Literal, variables: Option<&Map<String, Value>>) -> Value {
    match literal {
        Literal::Variable(name) => {
            variables.and_then(|all| all.get(name.as_str())).cloned().unwrap_or_default()
        }
        Literal::List(items) => items.iter().map(|item| plain(item, variables)).collect(),
        Literal::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.to_string(), plain(value, variables)))
            .collect::<Map<_, _>>()
            .into(),
        // Lengths are all that is asked for here.
        _ => Value::Null,
    }
}
