//! Bulk operations: a query without pages, run in the background, its result as JSON lines behind an address.
//!
//! Children stand on lines of their own with `__parentId`. At most five of a kind run at a time; `bulk_operations/finish`
//! tells the end. What writes in bulk is in `bulk_import`.

use super::answer::{Answer, Arguments, Node, Refusal, Request, Resolved, leaf, unmodelled};
use super::bulk_fault::{BulkFault, Stopped};
use super::document::{execute_bulk, parse, root_fields};
use super::nodes::{id_of, user_error};
use super::page::{Key, Shape, connection, date, date_or_null};
use super::search::{Found, Query, Searchable};
use super::shop::{Shop, State};
use super::spool::{Spool, Spooled};
use super::stock_query::piece_of;
use crate::shop::gid;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::{OperationType, Selection, SelectionSet};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) const AT_ONCE_MAX: usize = 5;

/// As `BulkOperationType` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Query,
    Mutation,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Query => "QUERY",
            Self::Mutation => "MUTATION",
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct BulkOperation {
    pub(super) id: u64,
    pub(super) way: Way,
    pub(super) query: String,
    status: &'static str,
    error_code: Option<&'static str>,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
    pub(super) objects: u64,
    pub(super) root_objects: u64,
    /// Served under `/bulk/{id}.jsonl`; of one that failed, what it did until then.
    pub(super) result: Option<Arc<Spooled>>,
}

impl BulkOperation {
    pub(super) fn new(id: u64, way: Way, query: String, at: Timestamp) -> Self {
        Self {
            id,
            way,
            query,
            status: "CREATED",
            error_code: None,
            created_at: at,
            completed_at: None,
            objects: 0,
            root_objects: 0,
            result: None,
        }
    }

    /// So many lines are done.
    pub(super) fn ran(&mut self, lines: u64) {
        (self.status, self.objects, self.root_objects) = ("RUNNING", lines, lines);
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, "CREATED" | "RUNNING" | "CANCELING")
    }
}

pub(super) struct BulkNode {
    operation: BulkOperation,
    url: Option<String>,
}

impl BulkNode {
    pub(super) fn new(shop: &Shop, operation: BulkOperation) -> Self {
        let url = operation.result.as_ref().filter(|lines| lines.bytes > 0);
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
            "type" => leaf(operation.way.name()),
            "query" => leaf(operation.query.clone()),
            "createdAt" => date(operation.created_at),
            "completedAt" => date_or_null(operation.completed_at),
            "objectCount" => leaf(operation.objects.to_string()),
            "rootObjectCount" => leaf(operation.root_objects.to_string()),
            "fileSize" => leaf(operation.result.as_ref().map(|lines| lines.bytes.to_string())),
            "url" => leaf(self.url.clone().filter(|_| operation.error_code.is_none())),
            "partialDataUrl" => leaf(self.url.clone().filter(|_| operation.error_code.is_some())),
            other => Err(unmodelled("BulkOperation", other)),
        }
    }
}

const OPERATIONS: Shape = Shape { connection: "BulkOperationConnection", edge: "BulkOperationEdge" };

pub(super) fn bulk_operations(args: &Arguments, request: &Request) -> Resolved {
    let text = args.text("query").unwrap_or_default();
    let query =
        Query::parse(text).map_err(|error| Refusal::bad_request(format!("Invalid search query: {error}")))?;
    request.warn_of_unknown("bulkOperations", text, &query, &["id", "operation_type", "status"]);
    let zone = &request.shop.config.profile.time_zone;
    let holds = |one: &&BulkOperation| {
        let values = |field: Option<&str>| match field {
            Some("id") => Found::Values(vec![Searchable::Number(one.id.into())]),
            Some("operation_type") => Found::Values(vec![Searchable::text(one.way.name().to_lowercase())]),
            Some("status") => Found::Values(vec![Searchable::text(one.status.to_lowercase())]),
            Some(_) | None => Found::Unknown,
        };
        query.holds(&values, zone)
    };
    let all: Vec<_> = request.shop.state().bulk.values().filter(holds).cloned().collect();
    let items = all.into_iter().map(|one| (Key { value: i128::from(one.id), id: one.id }, one)).collect();
    connection(OPERATIONS, items, args, request, |one| BulkNode::new(&request.shop, one))
}

/// The newest of its kind.
pub(super) fn current(request: &Request, kind: &str) -> Option<BulkNode> {
    let newest = request.shop.state().bulk.values().rfind(|one| one.way.name() == kind).cloned()?;
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
    let (operation, ordered) = {
        let mut state = shop.state();
        let open: Vec<_> = open_of(&state, Way::Query).map(|one| gid("BulkOperation", one.id)).collect();
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
        let operation = BulkOperation::new(id, Way::Query, text, shop.now());
        state.bulk.insert(id, operation.clone());
        (operation, state.bulk_faults.pop_front())
    };
    let node = BulkNode::new(shop, operation.clone());
    let shop = shop.clone();
    tokio::task::spawn_blocking(move || run(&shop, operation, ordered));
    payload("BulkOperationRunQueryPayload", Some(node), None)
}

/// Those that have not ended.
pub(super) fn open_of(state: &State, way: Way) -> impl Iterator<Item = &BulkOperation> {
    state.bulk.values().filter(move |one| one.way == way && one.is_open())
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
    let mut found = Connections::default();
    found.read(document, &operation.selection_set, 1, true);
    let Connections { depths: connections, with_nodes: nodes, without_id } = found;
    let names = |found: &[String]| found.join(", ");
    if !nodes.is_empty() {
        return Some(format!(
            "All connection fields in a bulk query must select their contents using 'edges' > 'node', e.g: '{} {{ \
             edges {{ node {{'. Selecting via 'nodes' is not supported. Invalid connection fields: '{}'.",
            nodes[0],
            names(&nodes)
        ));
    }
    if !without_id.is_empty() {
        return Some(format!(
            "The parent 'node' field for a nested connection must select the 'id' field without an alias and must be of 'ID' \
             return type. Connection fields without 'id': {}.",
            names(&without_id)
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

/// The connections of a query.
#[derive(Default)]
struct Connections {
    depths: Vec<usize>,
    /// Those that select `nodes`.
    with_nodes: Vec<String>,
    /// Nested ones below a node without its id: their lines could not name it.
    without_id: Vec<String>,
}

impl Connections {
    fn read(&mut self, document: &ExecutableDocument, set: &SelectionSet, depth: usize, has_id: bool) {
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
            if let Some(name) = name.filter(|_| is_connection) {
                self.depths.push(depth);
                let nodes =
                    |selection: &Selection| selection.as_field().is_some_and(|field| field.name == "nodes");
                if inner.selections.iter().any(nodes) {
                    self.with_nodes.push(name.to_owned());
                }
                if depth > 1 && !has_id {
                    self.without_id.push(name.to_owned());
                }
            }
            let has_id = if name == Some("node") { selects_id(document, inner) } else { has_id };
            self.read(document, inner, depth + usize::from(is_connection), has_id);
        }
    }
}

fn selects_id(document: &ExecutableDocument, set: &SelectionSet) -> bool {
    set.selections.iter().any(|selection| match selection {
        Selection::Field(field) => field.name == "id" && field.alias.is_none(),
        Selection::InlineFragment(inline) => selects_id(document, &inline.selection_set),
        Selection::FragmentSpread(spread) => spread
            .fragment_def(document)
            .is_some_and(|fragment| selects_id(document, &fragment.selection_set)),
    })
}

fn run(shop: &Arc<Shop>, operation: BulkOperation, fault: Option<BulkFault>) {
    let Ok(spool) = Spool::new() else {
        return ended(shop, operation.id, None, Some(Stopped::Failed("INTERNAL_SERVER_ERROR")), (0, 0));
    };
    let mut lines = Lines { spool, objects: 0, root_objects: 0 };
    let stopped = read(shop, &operation, &mut lines, fault).err();
    let counts = (lines.objects, lines.root_objects);
    ended(shop, operation.id, lines.spool.end().ok(), stopped, counts);
}

/// Nothing of one that was cancelled meanwhile; `lines` are what it did, to its end or until it stopped.
pub(super) fn ended(
    shop: &Shop,
    id: u64,
    lines: Option<Spooled>,
    stopped: Option<Stopped>,
    (objects, root_objects): (u64, u64),
) {
    let mut state = shop.state();
    let Some(known) = state.bulk.get_mut(&id).filter(|known| known.is_open()) else { return };
    known.objects = objects;
    known.root_objects = root_objects;
    let error_code = match stopped {
        Some(Stopped::Hung) => {
            known.status = "RUNNING";
            return;
        }
        Some(Stopped::Failed(code)) => Some(code),
        None => lines.is_none().then_some("INTERNAL_SERVER_ERROR"),
    };
    known.status = if error_code.is_some() { "FAILED" } else { "COMPLETED" };
    known.error_code = error_code;
    known.completed_at = Some(shop.now());
    known.result = lines.map(Arc::new);
    let body = json!({
        "admin_graphql_api_id": gid("BulkOperation", id),
        "completed_at": known.completed_at.map(|at| at.to_string()),
        "created_at": known.created_at.to_string(),
        "error_code": error_code.map(str::to_lowercase),
        "status": known.status.to_lowercase(),
        "type": known.way.name().to_lowercase(),
    });
    shop.raise_other(&state, "bulk_operations/finish", body);
}

/// Writes everything that the query finds.
fn read(
    shop: &Arc<Shop>,
    operation: &BulkOperation,
    lines: &mut Lines,
    fault: Option<BulkFault>,
) -> Result<(), Stopped> {
    const BROKEN: Stopped = Stopped::Failed("INTERNAL_SERVER_ERROR");
    // The whole of a shop's stock or prices as one tree of values would be gigabytes.
    let size = {
        let request = shop.request(true).map_err(|_| BROKEN)?;
        let fields = root_fields(&request, &operation.query);
        let sizes: Option<Vec<usize>> = fields.iter().map(|field| piece_of(field)).collect();
        sizes.and_then(|sizes| sizes.into_iter().min())
    };
    let mut from = 0;
    loop {
        let piece = size.map(|size| (from, size));
        let request = shop.bulk_request(piece).map_err(|_| BROKEN)?;
        let before = lines.root_objects;
        match execute_bulk(&request, &operation.query) {
            Ok((data, errors)) if errors.is_empty() => {
                lines.write(&data, None).map_err(|_| BROKEN)?;
            }
            Ok((_, errors)) if errors.iter().any(|error| error["extensions"]["code"] == "ACCESS_DENIED") => {
                return Err(Stopped::Failed("ACCESS_DENIED"));
            }
            _ => return Err(BROKEN),
        }
        if let Some(stopped) = fault.and_then(|fault| fault.stops(lines.objects)) {
            return Err(stopped);
        }
        from += size.unwrap_or_default();
        if size.is_none() || lines.root_objects == before {
            return Ok(());
        }
    }
}

/// JSON lines, and how many objects they are.
struct Lines {
    spool: Spool,
    objects: u64,
    root_objects: u64,
}

impl Lines {
    /// Every node of every connection below, each followed by its own children.
    fn write(&mut self, value: &Value, parent: Option<&str>) -> std::io::Result<()> {
        let Value::Object(fields) = value else { return Ok(()) };
        for inner in fields.values() {
            match edges(inner) {
                Some(edges) => edges.iter().try_for_each(|edge| self.write_node(&edge["node"], parent))?,
                None => self.write(inner, parent)?,
            }
        }
        Ok(())
    }

    fn write_node(&mut self, node: &Value, parent: Option<&str>) -> std::io::Result<()> {
        let Value::Object(fields) = node else { return Ok(()) };
        let mut own: Map<String, Value> = fields
            .iter()
            .filter(|(_, value)| edges(value).is_none())
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        if let Some(parent) = parent {
            own.insert("__parentId".to_owned(), parent.into());
        }
        self.spool.line(&Value::Object(own))?;
        self.objects += 1;
        self.root_objects += u64::from(parent.is_none());
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default();
        self.write(node, Some(id))
    }
}

fn edges(value: &Value) -> Option<&Vec<Value>> {
    value.as_object()?.get("edges")?.as_array()
}
