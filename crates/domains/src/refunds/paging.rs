//! A refund whose lines take more than one answer: which page comes next, and how it joins the others. `refund.graphql` asks
//! for each.

use crate::orders::{BodyCode, BodyFault};
use serde_json::Value;

const LINES: &str = "/refund/refundLineItems";

/// The cursor of the next page of lines; `None`: all are there, or there is no such refund.
///
/// # Errors
/// An answer that says that there is more and not where.
pub fn next_page(data: &Value) -> Result<Option<String>, BodyFault> {
    let page = data.pointer(LINES).and_then(|lines| lines.get("pageInfo"));
    if page.and_then(|page| page.get("hasNextPage")).and_then(Value::as_bool) != Some(true) {
        return Ok(None);
    }
    let cursor = page.and_then(|page| page.get("endCursor")).and_then(Value::as_str);
    cursor
        .map(|cursor| Some(cursor.to_owned()))
        .ok_or_else(|| unfit("says that there are more lines, and not where"))
}

/// Joins a further page to what was read before.
///
/// # Errors
/// A page that is not of the same refund.
pub fn merge(data: &mut Value, page: Value) -> Result<(), BodyFault> {
    if data.is_null() {
        *data = page;
        return Ok(());
    }
    let same =
        data.pointer("/refund/id").is_some() && data.pointer("/refund/id") == page.pointer("/refund/id");
    let (Some(known), Some(more), true) =
        (data.pointer_mut(LINES), page.pointer(LINES).and_then(Value::as_object), same)
    else {
        return Err(unfit("is not a further page of the refund that was read before"));
    };
    if let Some(nodes) = more.get("nodes").and_then(Value::as_array)
        && let Some(before) = known.get_mut("nodes").and_then(Value::as_array_mut)
    {
        before.extend(nodes.iter().cloned());
    }
    if let Some(info) = more.get("pageInfo") {
        known["pageInfo"] = info.clone();
    }
    Ok(())
}

fn unfit(message: &str) -> BodyFault {
    BodyFault { code: BodyCode::Incomplete, path: "$.data.refund".to_owned(), message: message.to_owned() }
}
