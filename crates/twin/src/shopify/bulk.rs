//! Bulk operations: a query without pages, run in the background, its result as JSON lines behind an address.
//!
//! Children stand on lines of their own with `__parentId`. At most five run at a time; `bulk_operations/finish` tells
//! the end. Mutations in bulk are not modelled.

use super::answer::{Answer, Arguments, Node, Request, Resolved, leaf, null, unmodelled};
use super::document::{execute_bulk, parse, root_fields};
use super::nodes::{id_of, user_error};
use super::page::{Key, Shape, connection, date, date_or_null};
use super::shop::Shop;
use super::stock_query::PIECEMEAL;
use crate::shop::gid;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{OperationType, Selection, SelectionSet};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const AT_ONCE_MAX: usize = 5;

#[derive(Clone, Debug)]
pub(super) struct BulkOperation {
    id: u64,
    query: String,
    status: &'static str,
    error_code: Option<&'static str>,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
    objects: u64,
    root_objects: u64,
    /// Served under `/bulk/{id}.jsonl`.
    pub(super) result: Option<Bytes>,
}

impl BulkOperation {
    fn is_open(&self) -> bool {
        matches!(self.status, "CREATED" | "RUNNING" | "CANCELING")
    }
}

pub(super) struct BulkNode {
    operation: BulkOperation,
    url: Option<String>,
}

impl BulkNode {
    fn new(shop: &Shop, operation: BulkOperation) -> Self {
        let url = operation.result.as_ref().filter(|lines| !lines.is_empty());
        Self { url: url.map(|_| format!("{}/bulk/{}.jsonl", shop.url, operation.id)), operation }
    }

    pub(super) fn find(request: &Request, id: u64) -> Option<Self> {
        let operation = request.shop.state().bulk.get(&id).cloned()?;
        Some(Self::new(&request.shop, operation))
    }
}

impl Node for BulkNode {
    fn type_name(&self) -> &'static str {
        "BulkOperation"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let operation = &self.operation;
        match name {
            "id" => leaf(gid("BulkOperation", operation.id)),
            "status" => leaf(operation.status),
            "errorCode" => leaf(operation.error_code),
            "type" => leaf("QUERY"),
            "query" => leaf(operation.query.clone()),
            "createdAt" => date(operation.created_at),
            "completedAt" => date_or_null(operation.completed_at),
            "objectCount" => leaf(operation.objects.to_string()),
            "rootObjectCount" => leaf(operation.root_objects.to_string()),
            "fileSize" => leaf(operation.result.as_ref().map(|lines| lines.len().to_string())),
            "url" => leaf(self.url.clone()),
            "partialDataUrl" => null(),
            other => Err(unmodelled("BulkOperation", other)),
        }
    }
}

const OPERATIONS: Shape = Shape { connection: "BulkOperationConnection", edge: "BulkOperationEdge" };

pub(super) fn bulk_operations(args: &Arguments, request: &Request) -> Resolved {
    if args.text("query").is_some_and(|query| !query.is_empty()) {
        return Err(super::answer::Refusal::not_modelled("bulkOperations by query"));
    }
    let all: Vec<_> = request.shop.state().bulk.values().cloned().collect();
    let items = all.into_iter().map(|one| (Key { value: i128::from(one.id), id: one.id }, one)).collect();
    connection(OPERATIONS, items, args, request, |one| BulkNode::new(&request.shop, one))
}

/// The newest of its kind.
pub(super) fn current(request: &Request, kind: &str) -> Option<BulkNode> {
    let newest = request.shop.state().bulk.values().next_back().cloned().filter(|_| kind == "QUERY")?;
    Some(BulkNode::new(&request.shop, newest))
}

pub(super) fn run_query(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let text = args.text("query").unwrap_or_default().to_owned();
    let invalid = |text: &str| {
        payload(
            "BulkOperationRunQueryPayload",
            None,
            Some(("INVALID", Some(vec!["query".to_owned()]), text.to_owned())),
        )
    };
    let document = match parse(request.contract, &text) {
        Ok(document) => document,
        Err(errors) => {
            let first = errors["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            return invalid(&format!("Invalid bulk query: {first}"));
        }
    };
    if let Some(fault) = fault(&document) {
        return invalid(&fault);
    }
    let shop = &request.shop;
    let operation = {
        let mut state = shop.state();
        let open: Vec<_> =
            state.bulk.values().filter(|one| one.is_open()).map(|one| gid("BulkOperation", one.id)).collect();
        if open.len() >= AT_ONCE_MAX {
            let text = format!(
                "A bulk query operation for this app and shop is already in progress: {}.",
                open.join(", ")
            );
            return payload(
                "BulkOperationRunQueryPayload",
                None,
                Some(("OPERATION_IN_PROGRESS", None, text)),
            );
        }
        let id = state.next_id();
        let operation = BulkOperation {
            id,
            query: text,
            status: "CREATED",
            error_code: None,
            created_at: shop.now(),
            completed_at: None,
            objects: 0,
            root_objects: 0,
            result: None,
        };
        state.bulk.insert(id, operation.clone());
        operation
    };
    let node = BulkNode::new(shop, operation.clone());
    let shop = shop.clone();
    tokio::task::spawn_blocking(move || run(&shop, operation));
    payload("BulkOperationRunQueryPayload", Some(node), None)
}

pub(super) fn cancel(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let id = id_of("BulkOperation", args.text("id").unwrap_or_default())?;
    let mut state = request.shop.state();
    let error = |field: Option<Vec<String>>, text: &str| Some(("", field, text.to_owned()));
    let Some(operation) = state.bulk.get_mut(&id) else {
        let error = error(Some(vec!["id".to_owned()]), "Bulk operation does not exist");
        return payload("BulkOperationCancelPayload", None, error);
    };
    if !operation.is_open() {
        let text =
            format!("A bulk operation cannot be canceled when it is {}", operation.status.to_lowercase());
        let node = BulkNode::new(&request.shop, operation.clone());
        return payload("BulkOperationCancelPayload", Some(node), error(None, &text));
    }
    operation.status = "CANCELED";
    operation.completed_at = Some(request.shop.now());
    payload("BulkOperationCancelPayload", Some(BulkNode::new(&request.shop, operation.clone())), None)
}

type Fault = (&'static str, Option<Vec<String>>, String);

fn payload(type_name: &'static str, node: Option<BulkNode>, error: Option<Fault>) -> Resolved {
    let error_type = if type_name.contains("RunQuery") { "BulkOperationUserError" } else { "UserError" };
    let errors = error.map(|(code, field, text)| user_error(error_type, Some(code), field, &text));
    let node = node.map(Answer::node);
    super::mutation::payload(type_name, "bulkOperation", node, errors.into_iter().collect())
}

/// What Shopify refuses before it runs.
fn fault(document: &ExecutableDocument) -> Option<String> {
    let operation = document.operations.get(None).ok()?;
    if operation.operation_type != OperationType::Query {
        return Some("Invalid operation type. Only `query` operations are supported.".to_owned());
    }
    let mut connections = Vec::new();
    let nodes = connections_in(document, &operation.selection_set, 1, &mut connections);
    let names = |found: &[String]| found.join(", ");
    if !nodes.is_empty() {
        return Some(format!(
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: '{} {{ \
             edges {{ node {{'. Selecting via 'nodes' is not supported. Invalid connection fields: '{}'.",
            nodes[0],
            names(&nodes)
        ));
    }
    let deepest = connections.iter().copied().max().unwrap_or(0);
    match connections.len() {
        0 => Some("Bulk queries must contain at least one connection.".to_owned()),
        6.. => Some("Bulk queries cannot contain more than 5 connections.".to_owned()),
        _ if deepest > 2 => {
            Some("Bulk queries cannot contain connections with a nesting depth greater than 2.".to_owned())
        }
        _ => None,
    }
}

/// The depth of each connection; returns those that select `nodes`.
fn connections_in(
    document: &ExecutableDocument,
    set: &SelectionSet,
    depth: usize,
    found: &mut Vec<usize>,
) -> Vec<String> {
    let mut with_nodes = Vec::new();
    for selection in &set.selections {
        let (name, inner) = match selection {
            Selection::Field(field) => (Some(field.name.as_str()), &field.selection_set),
            Selection::InlineFragment(inline) => (None, &inline.selection_set),
            Selection::FragmentSpread(spread) => match spread.fragment_def(document) {
                Some(fragment) => (None, &fragment.selection_set),
                None => continue,
            },
        };
        let is_connection = name.is_some() && inner.ty.ends_with("Connection");
        if is_connection {
            found.push(depth);
            let nodes =
                |selection: &Selection| selection.as_field().is_some_and(|field| field.name == "nodes");
            with_nodes.extend(name.filter(|_| inner.selections.iter().any(nodes)).map(str::to_owned));
        }
        with_nodes.extend(connections_in(document, inner, depth + usize::from(is_connection), found));
    }
    with_nodes
}

/// How many of the root's objects are read at a time, where the root can be read in pieces: the whole of a shop's stock
/// as one tree of values would be gigabytes.
const PIECE: usize = 1000;

fn run(shop: &Arc<Shop>, operation: BulkOperation) {
    let mut lines = Lines::default();
    let error_code = read(shop, &operation, &mut lines).err();
    let mut state = shop.state();
    let Some(known) = state.bulk.get_mut(&operation.id).filter(|known| known.is_open()) else { return };
    known.status = if error_code.is_some() { "FAILED" } else { "COMPLETED" };
    known.error_code = error_code;
    known.completed_at = Some(shop.now());
    known.objects = lines.objects;
    known.root_objects = lines.root_objects;
    known.result = error_code.is_none().then(|| lines.text.into());
    let body = json!({
        "admin_graphql_api_id": gid("BulkOperation", operation.id),
        "completed_at": known.completed_at.map(|at| at.to_string()),
        "created_at": known.created_at.to_string(),
        "error_code": error_code.map(str::to_lowercase),
        "status": known.status.to_lowercase(),
        "type": "query",
    });
    shop.raise_other(&state, "bulk_operations/finish", body);
}

/// Writes everything that the query finds; the error is the operation's code.
fn read(shop: &Arc<Shop>, operation: &BulkOperation, lines: &mut Lines) -> Result<(), &'static str> {
    let in_pieces = {
        let request = shop.request(true).map_err(|_| "INTERNAL_SERVER_ERROR")?;
        let fields = root_fields(&request, &operation.query);
        !fields.is_empty() && fields.iter().all(|field| PIECEMEAL.contains(&field.as_str()))
    };
    let mut from = 0;
    loop {
        let piece = in_pieces.then_some((from, PIECE));
        let request = shop.bulk_request(piece).map_err(|_| "INTERNAL_SERVER_ERROR")?;
        let before = lines.root_objects;
        match execute_bulk(&request, &operation.query) {
            Ok((data, errors)) if errors.is_empty() => lines.write(&data, None),
            Ok((_, errors)) if errors.iter().any(|error| error["extensions"]["code"] == "ACCESS_DENIED") => {
                return Err("ACCESS_DENIED");
            }
            _ => return Err("INTERNAL_SERVER_ERROR"),
        }
        from += PIECE;
        if !in_pieces || lines.root_objects == before {
            return Ok(());
        }
    }
}

/// JSON lines, and how many objects they are.
#[derive(Default)]
struct Lines {
    text: Vec<u8>,
    objects: u64,
    root_objects: u64,
}

impl Lines {
    /// Every node of every connection below, each followed by its own children.
    fn write(&mut self, value: &Value, parent: Option<&str>) {
        let Value::Object(fields) = value else { return };
        for inner in fields.values() {
            match edges(inner) {
                Some(edges) => edges.iter().for_each(|edge| self.write_node(&edge["node"], parent)),
                None => self.write(inner, parent),
            }
        }
    }

    fn write_node(&mut self, node: &Value, parent: Option<&str>) {
        let Value::Object(fields) = node else { return };
        let mut own: Map<String, Value> = fields
            .iter()
            .filter(|(_, value)| edges(value).is_none())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if let Some(parent) = parent {
            own.insert("__parentId".to_owned(), parent.into());
        }
        // A map of values always serialises.
        self.text.extend(serde_json::to_vec(&own).unwrap_or_default());
        self.text.push(b'\n');
        self.objects += 1;
        self.root_objects += u64::from(parent.is_none());
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
        self.write(node, Some(id));
    }
}

fn edges(value: &Value) -> Option<&Vec<Value>> {
    value.as_object()?.get("edges")?.as_array()
}
