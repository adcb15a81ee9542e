//! Reading an order by GraphQL in pages: what has to be read next, and how it is merged in.
//!
//! Pure. Whoever reads runs `order.graphql`, then asks [`next_read`] until there is nothing more, merging each
//! answer: `order → lines page 2, 3, … → each refund`. Every step makes progress or is a fault, so the loop ends.

use serde_json::{Map, Value, json};

use super::fault::{BodyCode, BodyFault};

/// The documents in `crates/shopify/queries/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// `order.graphql`: the order with the first page of its lines.
    Order,
    /// `order_lines.graphql`: a further page of its lines.
    Lines,
    /// `order_refund.graphql`: one refund with a page of its lines.
    Refund,
}

impl Document {
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Self::Order => "order.graphql",
            Self::Lines => "order_lines.graphql",
            Self::Refund => "order_refund.graphql",
        }
    }
}

/// The next document to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextRead {
    pub document: Document,
    /// `$id` and, beyond a first page, `$after`.
    pub variables: Map<String, Value>,
}

impl NextRead {
    /// The first read of an order.
    #[must_use]
    pub fn order(gid: &str) -> Self {
        Self::of(Document::Order, gid, None)
    }

    fn of(document: Document, id: &str, after: Option<&str>) -> Self {
        let mut variables = Map::new();
        variables.insert("id".to_owned(), json!(id));
        if document != Document::Order {
            variables.insert("after".to_owned(), json!(after));
        }
        Self { document, variables }
    }

    fn id(&self) -> &str {
        self.variables.get("id").and_then(Value::as_str).unwrap_or_default()
    }
}

/// What is still missing from `data`, the merged `data` of the answers so far; `None` when it is complete, and when
/// there is no such order.
///
/// # Errors
/// Where an answer says that there is more but not where.
pub fn next_read(data: &Value) -> Result<Option<NextRead>, BodyFault> {
    let Some(order) = data.get("order").filter(|order| order.is_object()) else { return Ok(None) };
    let id = text(order, "id");
    if let Some(after) = next_page(order, "lineItems", "$.data.order.lineItems")? {
        return Ok(Some(NextRead::of(Document::Lines, id, Some(after))));
    }
    let refunds = order.get("refunds").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for refund in refunds {
        if refund.get("refundLineItems").is_none() {
            return Ok(Some(NextRead::of(Document::Refund, text(refund, "id"), None)));
        }
        if let Some(after) = next_page(refund, "refundLineItems", "$.data.order.refunds")? {
            return Ok(Some(NextRead::of(Document::Refund, text(refund, "id"), Some(after))));
        }
    }
    Ok(None)
}

/// Whether something of a refund is still to be read; one that stands twice is read twice.
fn is_open(refund: &Value) -> bool {
    refund.get("refundLineItems").is_none() || !matches!(next_page(refund, "refundLineItems", ""), Ok(None))
}

fn next_page<'a>(owner: &'a Value, connection: &str, path: &str) -> Result<Option<&'a str>, BodyFault> {
    let page = owner.get(connection).and_then(|found| found.get("pageInfo"));
    let more = page.and_then(|page| page.get("hasNextPage")).and_then(Value::as_bool).unwrap_or(false);
    if !more {
        return Ok(None);
    }
    match page.and_then(|page| page.get("endCursor")).and_then(Value::as_str) {
        Some(cursor) => Ok(Some(cursor)),
        None => Err(BodyFault::new(BodyCode::Incomplete, path, "has a next page but no cursor to it")),
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Merges the `data` of the answer to `read` into `data`.
///
/// # Errors
/// Where the answer is not what was asked for (it is of another order or refund), or brings no progress: the order was
/// deleted in between, or a page repeats its own cursor.
pub fn merge(data: &mut Value, read: &NextRead, mut answer: Value) -> Result<(), BodyFault> {
    match read.document {
        Document::Order => {
            *data = answer;
            Ok(())
        }
        Document::Lines => {
            require(answer.get("order").is_some_and(|order| text(order, "id") == read.id()), read)?;
            let page = answer.pointer_mut("/order/lineItems").map(Value::take);
            let into = data.pointer_mut("/order").and_then(|order| order.get_mut("lineItems"));
            append(into, page, read)
        }
        Document::Refund => {
            let mut refund = answer.get_mut("refund").map(Value::take).unwrap_or_default();
            require(text(&refund, "id") == read.id(), read)?;
            let known = data.pointer_mut("/order/refunds").and_then(Value::as_array_mut).and_then(|all| {
                all.iter_mut().find(|known| text(known, "id") == read.id() && is_open(known))
            });
            match known {
                Some(known) if known.get("refundLineItems").is_none() && refund.is_object() => {
                    *known = refund;
                    require(known.get("refundLineItems").is_some(), read)
                }
                Some(known) => {
                    let page = refund.get_mut("refundLineItems").map(Value::take);
                    append(known.get_mut("refundLineItems"), page, read)
                }
                None => require(false, read),
            }
        }
    }
}

/// Adds a page's nodes and takes over where it ends.
fn append(into: Option<&mut Value>, page: Option<Value>, read: &NextRead) -> Result<(), BodyFault> {
    let (Some(Value::Object(into)), Some(Value::Object(mut page))) = (into, page) else {
        return require(false, read);
    };
    let cursor = |page: Option<&Value>| page.map(|page| text(page, "endCursor").to_owned());
    let more = page.get("pageInfo").and_then(|found| found.get("hasNextPage")) == Some(&Value::Bool(true));
    require(!more || cursor(page.get("pageInfo")) != cursor(into.get("pageInfo")), read)?;
    let (Some(Value::Array(nodes)), Some(Value::Array(known))) =
        (page.remove("nodes"), into.get_mut("nodes"))
    else {
        return require(false, read);
    };
    known.extend(nodes);
    let end = page.remove("pageInfo").unwrap_or_default();
    into.insert("pageInfo".to_owned(), end);
    Ok(())
}

fn require(condition: bool, read: &NextRead) -> Result<(), BodyFault> {
    if condition {
        Ok(())
    } else {
        let message = format!("the answer to {} is not the page that was asked for", read.document.file());
        Err(BodyFault::new(BodyCode::Incomplete, "$.data", message))
    }
}

/// The ids that the merchant's own systems gave a company and its location, which only a read can tell: pairs of gid
/// and external id, for the hub's table of references.
#[must_use]
pub fn external_ids(data: &Value) -> Vec<(String, String)> {
    ["/order/purchasingEntity/company", "/order/purchasingEntity/location"]
        .iter()
        .filter_map(|pointer| data.pointer(pointer))
        .map(|found| (text(found, "id").to_owned(), text(found, "externalId").to_owned()))
        .filter(|(gid, external_id)| !gid.is_empty() && !external_id.is_empty())
        .collect()
}
