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
/// A page that is not of the same refund, that has no lines or does not say whether it is the last, and one that ends where the one before
/// it ended: it would be asked for again and again.
pub fn merge(data: &mut Value, page: Value) -> Result<(), BodyFault> {
    if data.is_null() {
        *data = page;
        return Ok(());
    }
    let same =
        data.pointer("/refund/id").is_some() && data.pointer("/refund/id") == page.pointer("/refund/id");
    let after = next_page(data)?;
    let known = data.pointer_mut(LINES).and_then(Value::as_object_mut);
    let (Some(known), Some(more), true) = (known, page.pointer(LINES).and_then(Value::as_object), same)
    else {
        return Err(unfit("is not a further page of the refund that was read before"));
    };
    let nodes = more.get("nodes").and_then(Value::as_array);
    let before = known.get_mut("nodes").and_then(Value::as_array_mut);
    let (Some(nodes), Some(info), Some(before)) = (nodes, more.get("pageInfo"), before) else {
        return Err(unfit("has a page without lines, or one that does not say whether it is the last"));
    };
    if after.is_some() && next_page(&page)? == after {
        return Err(unfit("says after a further page that the same page is still to come"));
    }
    before.extend(nodes.iter().cloned());
    known.insert("pageInfo".to_owned(), info.clone());
    Ok(())
}

fn unfit(message: &str) -> BodyFault {
    BodyFault { code: BodyCode::Incomplete, path: "$.data.refund".to_owned(), message: message.to_owned() }
}
