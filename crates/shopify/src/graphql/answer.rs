//! One answer of the Admin API, read: status, top-level `errors`, `userErrors`, cost. Owns where Shopify puts things;
//! what an error means is `error`'s.

use super::bucket::ThrottleStatus;
use super::document::Document;
use super::error::{self, Said, UserError};
use connector::outbound::{Access, Answer, classify};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Map, Value};
use std::time::Duration;

/// An answer that brought what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub data: Value,
    /// Of a write that was sent to read them: all of them; else none, because they are a fault.
    pub(crate) user_errors: Vec<UserError>,
    /// Fields that are null because the app is not approved for protected customer data: `order.email`.
    pub withheld: Vec<String>,
    /// `X-Shopify-API-Version`: the version that answered.
    pub version: Option<String>,
    /// The header `Date`, for the doctor.
    pub date: Option<String>,
    /// Points of the bucket, as Shopify says that it asked for.
    pub points: Option<u32>,
}

/// `extensions.cost`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cost {
    pub(super) requested: Option<u32>,
    pub(super) status: Option<ThrottleStatus>,
}

/// What becomes of the `userErrors` of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UserErrors {
    /// The write was refused: a fault.
    Judged,
    /// The caller wrote many things in one call and reads for itself whose they are.
    Handed,
}

/// The cost is told whatever else the answer says.
pub(super) fn read(
    answer: Answer,
    document: &Document,
    asked_version: &str,
    user_errors: UserErrors,
) -> (Cost, Result<Reply, Fault>) {
    let version = answer.header("x-shopify-api-version").map(str::to_owned);
    let body: Value = match refused(&answer).map_or_else(|| answer.json(), Err) {
        Ok(body) => body,
        Err(fault) => return (Cost::default(), Err(fault)),
    };
    let cost = cost(&body);
    let other_version = version.as_deref().filter(|version| *version != asked_version);
    let result = judged(&answer, document, body, cost, other_version, user_errors).map(|told| Reply {
        data: told.data,
        withheld: told.withheld,
        user_errors: told.user_errors,
        version: version.clone(),
        date: answer.header("date").map(str::to_owned),
        points: cost.requested,
    });
    (cost, result)
}

/// The statuses that mean at Shopify more than they do elsewhere: the whole shop is closed to us, not one order.
fn refused(answer: &Answer) -> Option<Fault> {
    let what = match answer.status.as_u16() {
        402 => "the shop is frozen: its plan was not paid",
        404 => "no such shop, or no such API version: compare the shop's domain and the app's api_version",
        423 => "the shop is locked: ask Shopify's support",
        _ => return classify::status(answer),
    };
    let code = format!("http_{}", answer.status.as_u16());
    let message = format!("Shopify answers HTTP {} for the whole shop: {what}", answer.status.as_u16());
    Some(Fault::new(FaultKind::Unauthorized, code, message))
}

fn judged(
    answer: &Answer,
    document: &Document,
    mut body: Value,
    cost: Cost,
    other_version: Option<&str>,
    user_errors: UserErrors,
) -> Result<Told, Fault> {
    let data = body.get_mut("data").map(Value::take).filter(Value::is_object);
    let errors = errors(&body);
    let is_write = answer.access == Access::Write;
    let (withheld, errors): (Vec<Said>, Vec<Said>) =
        errors.into_iter().partition(|said| !is_write && data.is_some() && said.is_protected_data);
    if let Some(fault) = error::judge(answer, document, &errors, other_version) {
        return Err(match fault.kind {
            FaultKind::Throttled => fault.retry_after(refill(cost)),
            _ => fault,
        });
    }
    let Some(data) = data else {
        return Err(answer.unreadable(format!("it has neither data nor errors: {}", answer.excerpt())));
    };
    let user_errors = if is_write { written(answer, &data, user_errors)? } else { Vec::new() };
    Ok(Told { data, withheld: withheld.into_iter().filter_map(|said| said.path).collect(), user_errors })
}

/// What an answer without a fault says.
struct Told {
    data: Value,
    withheld: Vec<String>,
    user_errors: Vec<UserError>,
}

/// Each root field of a write must be there; its `userErrors` are a fault, or whoever sent it reads them.
fn written(answer: &Answer, data: &Value, user_errors: UserErrors) -> Result<Vec<UserError>, Fault> {
    let mut handed = Vec::new();
    for (name, payload) in data.as_object().into_iter().flatten() {
        let Some(errors) = payload.get("userErrors").and_then(Value::as_array) else {
            return Err(answer.unreadable(format!("{name} says nothing: {}", answer.excerpt())));
        };
        let mut errors = errors.iter().map(|error| UserError::read(answer, error)).peekable();
        if user_errors == UserErrors::Judged
            && let Some(first) = errors.peek().cloned()
        {
            return Err(first.fault(name, errors.count()));
        }
        handed.extend(errors);
    }
    Ok(handed)
}

/// `errors` is a list, or on some refusals a text.
fn errors(body: &Value) -> Vec<Said> {
    match body.get("errors") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().map(said).collect(),
        Some(Value::String(text)) => vec![Said { message: text.clone(), ..Said::default() }],
        Some(other) => vec![Said { message: other.to_string(), ..Said::default() }],
    }
}

fn said(error: &Value) -> Said {
    let extensions = error.get("extensions").and_then(Value::as_object);
    let text = |fields: Option<&Map<String, Value>>, name: &str| {
        fields.and_then(|fields| fields.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    Said {
        message: text(error.as_object(), "message").unwrap_or_default(),
        code: text(extensions, "code"),
        path: error.get("path").and_then(error::path),
        // Told apart by a machine's field: the same code also stands for a missing scope.
        is_protected_data: text(extensions, "documentation")
            .is_some_and(|page| page.contains("protected-customer-data")),
    }
}

fn cost(body: &Value) -> Cost {
    let Some(cost) = body.pointer("/extensions/cost") else { return Cost::default() };
    let status = cost.get("throttleStatus").and_then(|status| {
        Some(ThrottleStatus {
            maximum: points(status.get("maximumAvailable")?)?,
            available: points(status.get("currentlyAvailable")?)?,
            restore_rate: points(status.get("restoreRate")?)?,
        })
    });
    Cost { requested: cost.get("requestedQueryCost").and_then(points), status }
}

/// Shopify writes `2000.0` as readily as `2000`.
fn points(value: &Value) -> Option<u32> {
    let whole = value.as_u64().or_else(|| {
        let number = value.as_f64().filter(|number| (0.0..4e9).contains(number))?;
        Some(number as u64)
    });
    u32::try_from(whole?).ok()
}

/// How long the bucket needs for what was refused.
fn refill(cost: Cost) -> Duration {
    let (Some(requested), Some(status)) = (cost.requested, cost.status) else {
        return Duration::from_secs(1);
    };
    let missing = u64::from(requested.saturating_sub(status.available)).max(1);
    Duration::from_millis((missing * 1000).div_ceil(u64::from(status.restore_rate.max(1))))
}
