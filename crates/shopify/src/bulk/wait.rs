//! An operation from its beginning to its end.

use super::{Finished, code};
use crate::graphql::{BULK, Claim, Document, RUN_BULK, ShopClient, frozen};
use connector::port::CallContext;
use kernel::fault::{Fault, FaultKind};
use serde_json::{Value, json};
use std::time::Duration;

/// Between two looks; the first ones come sooner, because a small shop has its result at once.
const PACE: [Duration; 4] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];
const PACE_MAX: Duration = Duration::from_secs(10);
/// So many looks may fail one after another.
const FAILED_MAX: u32 = 10;
/// Five operations run at a time for one app in one shop.
const OCCUPIED: Duration = Duration::from_secs(30);

/// How far an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Lines that are written.
    pub lines: u64,
    /// Its result, once it has ended.
    pub finished: Option<Finished>,
}

/// Begins one; its id. Where as many run as Shopify allows it is Throttled.
pub async fn begin(client: &ShopClient, call: &CallContext, query: &Document) -> Result<String, Fault> {
    let body = frozen(&RUN_BULK, &json!({ "query": query.text }));
    let reply = client.send_many(call, Claim::STOCK, &RUN_BULK, body).await.map_err(asked_again)?;
    let count = reply.user_errors.len();
    if let Some(error) = reply.user_errors.into_iter().next() {
        let occupied = error.code.as_deref() == Some("OPERATION_IN_PROGRESS");
        let fault = error.fault(query.name, count);
        return Err(match occupied {
            true => Fault { kind: FaultKind::Throttled, ..fault }.retry_after(OCCUPIED),
            false => fault,
        });
    }
    let id = reply.data.pointer("/bulkOperationRunQuery/bulkOperation/id").and_then(Value::as_str);
    id.map(str::to_owned).ok_or_else(|| {
        let what = format!("Shopify began {} and did not say under which id: it is begun again", query.name);
        Fault::new(FaultKind::Transient, code::FAILED, what)
    })
}

/// One that was perhaps begun reads and changes nothing: another is begun, and nobody looks at the first.
fn asked_again(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Ambiguous => Fault { kind: FaultKind::Transient, ..fault },
        _ => fault,
    }
}

/// How far it is. One that ended without a result is a fault.
pub async fn progress(client: &ShopClient, call: &CallContext, id: &str) -> Result<Progress, Fault> {
    let reply = client.ask(call, Claim::STOCK, &BULK, &json!({ "id": id })).await?;
    let operation = reply.data.get("bulkOperation").unwrap_or(&Value::Null);
    let text = |name: &str| operation.get(name).and_then(Value::as_str).map(str::to_owned);
    let failed = |kind: FaultKind, why: &str| {
        let said = text("errorCode").map(|code| format!(" ({code})")).unwrap_or_default();
        Err(Fault::new(kind, code::FAILED, format!("the bulk operation {id} {why}{said}: begin another")))
    };
    // A number of 64 bits travels as a text.
    let number = |name: &str| {
        let value = operation.get(name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    };
    let lines = number("objectCount").unwrap_or(0);
    let finished = |url: Option<String>| {
        let finished = Finished { id: id.to_owned(), url, lines, bytes: number("fileSize") };
        Ok(Progress { lines, finished: Some(finished) })
    };
    match text("status").as_deref() {
        Some("CREATED" | "RUNNING" | "CANCELING") => Ok(Progress { lines, finished: None }),
        Some("COMPLETED") => match text("url") {
            None if lines > 0 => failed(FaultKind::Transient, "ended and does not say where its result is"),
            url => finished(url),
        },
        Some("CANCELED") => failed(FaultKind::Rejected, "was cancelled by somebody"),
        Some("EXPIRED") => failed(FaultKind::Rejected, "is too old: its result is gone"),
        Some("FAILED") => match text("errorCode").as_deref() {
            Some("ACCESS_DENIED") => failed(FaultKind::Unauthorized, "was refused to this app"),
            _ => failed(FaultKind::Transient, "failed at Shopify"),
        },
        _ => failed(FaultKind::Rejected, "is not known to Shopify"),
    }
}

/// Looks until it has ended, and tells each look; the call's time is each look's own.
pub async fn await_result(
    client: &ShopClient,
    call: &CallContext,
    id: &str,
    within: Duration,
    tell: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Finished, Fault> {
    let end = client.mono().plus(within);
    let (mut looks, mut failures) = (PACE.into_iter(), 0);
    loop {
        let mut wait = looks.next().unwrap_or(PACE_MAX);
        match progress(client, call, id).await {
            Ok(progress) => {
                failures = 0;
                tell(&progress);
                if let Some(finished) = progress.finished {
                    return Ok(finished);
                }
            }
            Err(fault) if fault.kind == FaultKind::Throttled => {
                wait = fault.retry_after.unwrap_or(PACE_MAX).max(wait);
            }
            // That a look fails says nothing of the operation.
            Err(fault) if fault.kind == FaultKind::Transient && fault.code != code::FAILED => {
                failures += 1;
                if failures >= FAILED_MAX {
                    return Err(fault);
                }
            }
            Err(fault) => return Err(fault),
        }
        if client.mono() >= end {
            let what = format!(
                "the bulk operation {id} has not ended within {}: it may be looked at again later",
                kernel::flow::duration_text(within)
            );
            return Err(Fault::new(FaultKind::Transient, code::ENDLESS, what));
        }
        client.pause(wait).await;
    }
}
