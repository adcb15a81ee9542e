//! Mutations in bulk: one document, run once for each line of an uploaded file with that line's variables, without cost;
//! its result a line for each, with the number of the line that it answers. At most five run at a time (shopify.dev: "Bulk
//! import data", since 2026-01).

use super::answer::{Answer, Arguments, Request, Resolved};
use super::bulk::{AT_ONCE_MAX, BulkNode, BulkOperation, Way, ended, open_of};
use super::bulk_fault::{BulkFault, Stopped};
use super::document::{execute_line, parse};
use super::mutation::payload;
use super::nodes::user_error;
use super::shop::Shop;
use super::spool::{Spool, Spooled};
use crate::shop::gid;
use apollo_compiler::ExecutableDocument;
use apollo_compiler::executable::OperationType;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use serde_json::json;
use std::io::BufRead as _;
use std::sync::Arc;

pub(super) fn run_mutation(args: &Arguments, request: &Arc<Request>) -> Resolved {
    let text = args.text("mutation").unwrap_or_default().to_owned();
    let document = match parse(request.contract, &text) {
        Ok(document) => document,
        Err(errors) => {
            let first = errors["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
            return refused("INVALID_MUTATION", "mutation", &format!("Invalid bulk mutation: {first}"));
        }
    };
    if let Some(text) = fault(&document) {
        return refused("INVALID_MUTATION", "mutation", text);
    }
    let shop = &request.shop;
    let mut state = shop.state();
    let Some(file) = state.uploads.get(args.text("stagedUploadPath").unwrap_or_default()) else {
        let text = "The JSONL file could not be found. Try uploading the file again, and check that you've entered the URL correctly.";
        return refused("NO_SUCH_FILE", "stagedUploadPath", text);
    };
    let open: Vec<_> = open_of(&state, Way::Mutation).map(|one| gid("BulkOperation", one.id)).collect();
    if open.len() >= AT_ONCE_MAX {
        let text = format!(
            "A bulk mutation operation for this app and shop is already in progress: {}.",
            open.join(", ")
        );
        return refused("OPERATION_IN_PROGRESS", "", &text);
    }
    let id = state.next_id();
    let operation = BulkOperation::new(id, Way::Mutation, text, shop.now());
    state.bulk.insert(id, operation.clone());
    let ordered = state.bulk_faults.pop_front();
    drop(state);
    let shop = shop.clone();
    let node = BulkNode::new(&shop, operation);
    tokio::task::spawn_blocking(move || {
        const BROKEN: Stopped = Stopped::Failed("INTERNAL_SERVER_ERROR");
        let Ok(spool) = Spool::new() else { return ended(&shop, id, None, Some(BROKEN), (0, 0)) };
        let mut run = Run { shop: &shop, id, answers: spool, done: 0, fault: ordered };
        let stopped = run.all(&document, &file).err();
        let done = run.done;
        ended(&shop, id, run.answers.end().ok(), stopped, (done, done));
    });
    payload("BulkOperationRunMutationPayload", "bulkOperation", Some(Answer::node(node)), Vec::new())
}

fn refused(code: &'static str, field: &str, text: &str) -> Resolved {
    let field = (!field.is_empty()).then(|| vec![field.to_owned()]);
    let error = user_error("BulkMutationUserError", Some(code), field, text);
    payload("BulkOperationRunMutationPayload", "bulkOperation", None, vec![error])
}

/// What Shopify refuses before it runs.
fn fault(document: &ExecutableDocument) -> Option<&'static str> {
    let operation = document.operations.get(None).ok()?;
    if operation.operation_type != OperationType::Mutation {
        return Some("Invalid operation type. Only `mutation` operations are supported.");
    }
    (operation.root_fields(document).count() != 1)
        .then_some("Only one mutation can be run in bulk at a time.")
}

/// One that is running.
struct Run<'a> {
    shop: &'a Arc<Shop>,
    id: u64,
    answers: Spool,
    done: u64,
    fault: Option<BulkFault>,
}

impl Run<'_> {
    fn all(&mut self, document: &Valid<ExecutableDocument>, file: &Spooled) -> Result<(), Stopped> {
        const BROKEN: Stopped = Stopped::Failed("INTERNAL_SERVER_ERROR");
        for line in file.lines().map_err(|_| BROKEN)?.lines() {
            if let Some(stopped) = self.fault.and_then(|fault| fault.stops(self.done)) {
                return Err(stopped);
            }
            let line = line.map_err(|_| BROKEN)?;
            let request = self.shop.request(true).map_err(|_| BROKEN)?;
            let mut answer = match serde_json::from_str::<JsonMap>(&line) {
                Ok(variables) => execute_line(&request, document, &variables),
                Err(error) => json!({ "errors": [{ "message": format!("The line is no JSON: {error}") }] }),
            };
            answer["__lineNumber"] = self.done.into();
            if answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED" {
                return Err(Stopped::Failed("ACCESS_DENIED"));
            }
            self.answers.line(&answer).map_err(|_| BROKEN)?;
            self.done += 1;
            self.shop.count("bulkLines");
            let mut state = self.shop.state();
            match state.bulk.get_mut(&self.id).filter(|known| known.is_open()) {
                Some(known) => known.ran(self.done),
                // Cancelled: what was not run by then is not run.
                None => return Err(BROKEN),
            }
        }
        Ok(())
    }
}
