//! Writes in bulk: a file of variables, put where Shopify says, and one document that is run once for each of its lines. Owns
//! how that is begun and ended; what a line means is its writer's.

use super::{code, progress};
use crate::graphql::{
    BULK_WRITES, CANCEL_BULK, Claim, Document, RUN_BULK_WRITE, STAGE_FILE, ShopClient, frozen,
};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::time::Duration;

/// A file of variables (shopify.dev: "Faster bulk operations").
pub const FILE_BYTES_MAX: usize = 100 * 1024 * 1024;
/// Of each kind, for one app in one shop.
pub const AT_ONCE_MAX: usize = 5;
const OCCUPIED: Duration = Duration::from_secs(30);
/// A line of JSON holds no line's end of its own, so that this cannot stand in it.
const BOUNDARY: &str = "tidegate-end-of-variables";

/// Puts a file where Shopify says; its path, by which a write is begun. One that nobody names is forgotten by Shopify.
pub async fn upload(client: &ShopClient, call: &CallContext, lines: &[u8]) -> Result<String, Fault> {
    let input = json!([{
        "resource": "BULK_MUTATION_VARIABLES",
        "filename": "variables.jsonl",
        "mimeType": "text/jsonl",
        "httpMethod": "POST",
        "fileSize": lines.len().to_string(),
    }]);
    let reply =
        client.ask(call, Claim::STOCK, &STAGE_FILE, &json!({ "input": input })).await.map_err(again)?;
    let target = reply.data.pointer("/stagedUploadsCreate/stagedTargets/0").unwrap_or(&Value::Null);
    let nowhere = || {
        let what = "Shopify does not say where the file of a write in bulk may be put: it is asked again";
        Fault::new(FaultKind::Transient, code::NO_PLACE, what)
    };
    let url = target.get("url").and_then(Value::as_str).ok_or_else(nowhere)?;
    let mut form = Vec::with_capacity(lines.len() + 4096);
    let mut path = None;
    for parameter in target.get("parameters").and_then(Value::as_array).into_iter().flatten() {
        let text = |name: &str| parameter.get(name).and_then(Value::as_str).unwrap_or_default();
        let (name, value) = (text("name"), text("value"));
        if name == "key" {
            path = Some(value.to_owned());
        }
        let part =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        form.extend_from_slice(part.as_bytes());
    }
    let file = "Content-Disposition: form-data; name=\"file\"; filename=\"variables.jsonl\"\r\nContent-Type: text/jsonl";
    form.extend_from_slice(format!("--{BOUNDARY}\r\n{file}\r\n\r\n").as_bytes());
    form.extend_from_slice(lines);
    form.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    let path = path.ok_or_else(nowhere)?;
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    client.elsewhere(url)?.put(call, &kind, form).await?;
    Ok(path)
}

/// Begins a write; its id. Where as many run as Shopify allows it is Throttled; where it is not known whether it has begun it
/// is Ambiguous, and [`open_writes`] tells.
pub async fn begin_write(
    client: &ShopClient,
    call: &CallContext,
    mutation: &Document,
    path: &str,
) -> Result<String, Fault> {
    let body = frozen(&RUN_BULK_WRITE, &json!({ "mutation": mutation.text, "path": path }));
    let reply = client.send_many(call, Claim::STOCK, &RUN_BULK_WRITE, body).await?;
    let count = reply.user_errors.len();
    if let Some(error) = reply.user_errors.into_iter().next() {
        let occupied = error.code.as_deref() == Some("OPERATION_IN_PROGRESS");
        let fault = error.fault(mutation.name, count);
        return Err(match occupied {
            true => Fault { kind: FaultKind::Throttled, ..fault }.retry_after(OCCUPIED),
            false => fault,
        });
    }
    let id = reply.data.pointer("/bulkOperationRunMutation/bulkOperation/id").and_then(Value::as_str);
    id.map(str::to_owned).ok_or_else(|| {
        let what = format!("Shopify began {} in bulk and did not say under which id", mutation.name);
        Fault::new(FaultKind::Ambiguous, code::FAILED, what)
    })
}

/// Writes of these documents that have not ended, the newest first: an earlier run's go on at Shopify.
pub async fn open_writes(
    client: &ShopClient,
    call: &CallContext,
    of: &[&Document],
) -> Result<Vec<String>, Fault> {
    let reply = client.ask(call, Claim::STOCK, &BULK_WRITES, &json!({})).await?;
    let nodes = reply.data.pointer("/bulkOperations/nodes").and_then(Value::as_array);
    let text =
        |node: &Value, name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_open = |node: &&Value| {
        matches!(text(node, "status").as_str(), "CREATED" | "RUNNING" | "CANCELING")
            && of.iter().any(|document| text(node, "query").trim() == document.text.trim())
    };
    Ok(nodes.into_iter().flatten().filter(is_open).map(|node| text(node, "id")).collect())
}

/// Ends one that does not end by itself, and looks until it has. What it did by then is done.
pub async fn cancel(
    client: &ShopClient,
    call: &CallContext,
    id: &str,
    within: Duration,
) -> Result<(), Fault> {
    // Refused where it has ended meanwhile: then there is nothing to cancel.
    match client.ask(call, Claim::STOCK, &CANCEL_BULK, &json!({ "id": id })).await {
        Err(fault) if !matches!(fault.kind, FaultKind::Rejected | FaultKind::Ambiguous) => return Err(fault),
        _ => (),
    }
    let end = client.mono().plus(within);
    loop {
        match progress(client, call, id).await {
            Ok(progress) if progress.finished.is_none() && client.mono() < end => {
                client.pause(Duration::from_secs(2)).await;
            }
            Ok(progress) if progress.finished.is_none() => {
                let what =
                    format!("the bulk operation {id} was cancelled and goes on: ask Shopify's support");
                return Err(Fault::new(FaultKind::Transient, code::ENDLESS, what));
            }
            Err(fault) if fault.code != code::FAILED => return Err(fault),
            // It has ended, in whatever way.
            _ => return Ok(()),
        }
    }
}

/// A place that was perhaps given is forgotten: another is asked for.
fn again(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Ambiguous => Fault { kind: FaultKind::Transient, ..fault },
        _ => fault,
    }
}
