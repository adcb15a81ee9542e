//! Connections: cursors that point behind a value and an id, pages of at most 250, and no further than 25,000.
//!
//! A cursor is a place in the order, not an offset: what changes between two pages moves, as it does at Shopify.

use super::answer::{Answer, Arguments, Node, Record, Refusal, Request, Resolved, leaf, object, unmodelled};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::rc::Rc;
use std::sync::Arc;

const PAGE_MAX: i64 = 250;
const DEPTH_MAX: usize = 25_000;

/// Where an item stands: by value, ties by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) value: i128,
    pub(super) id: u64,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    last_id: u64,
    last_value: String,
}

impl Key {
    fn cursor(self) -> String {
        let cursor = Cursor { last_id: self.id, last_value: self.value.to_string() };
        STANDARD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let malformed = || Refusal::bad_request("Malformed cursor");
        let bytes = STANDARD.decode(text).map_err(|_| malformed())?;
        let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|_| malformed())?;
        Ok(Self { value: cursor.last_value.parse().map_err(|_| malformed())?, id: cursor.last_id })
    }
}

/// Names of a connection and its edge.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) connection: &'static str,
    pub(super) edge: &'static str,
}

/// A page over items that are sorted by key; only the items of the page become nodes.
pub(super) fn connection<T, N: Node + 'static>(
    shape: Shape,
    mut items: Vec<(Key, T)>,
    args: &Arguments,
    request: &Request,
    node: impl Fn(T) -> N,
) -> Resolved {
    let reverse = args.flag("reverse");
    if reverse {
        items.reverse();
    }
    let (range, more_before, more_after) = window(&items, args, reverse, request.bulk)?;
    let page = items.drain(range).map(|(key, item)| (key, Rc::new(node(item)) as Rc<dyn Node>)).collect();
    object(Connection { shape, page, more_before, more_after })
}

/// The same for parts of one object, in their own order.
pub(super) fn parts<T, N: Node + 'static>(
    shape: Shape,
    items: Vec<(u64, T)>,
    args: &Arguments,
    request: &Request,
    node: impl Fn(T) -> N,
) -> Resolved {
    let keyed = items.into_iter().enumerate();
    let keyed = keyed.map(|(index, (id, item))| (Key { value: index as i128, id }, item)).collect();
    connection(shape, keyed, args, request, node)
}

/// Which items are on the page, and whether there are others before and after it.
fn window<T>(
    items: &[(Key, T)],
    args: &Arguments,
    reverse: bool,
    whole: bool,
) -> Result<(std::ops::Range<usize>, bool, bool), Refusal> {
    if whole {
        return Ok((0..items.len(), false, false));
    }
    let behind = |key: Key, cursor: Key| if reverse { key < cursor } else { key > cursor };
    let mut start = match args.text("after") {
        Some(cursor) => {
            let cursor = Key::parse(cursor)?;
            items.partition_point(|(key, _)| !behind(*key, cursor))
        }
        None => 0,
    };
    let mut end = match args.text("before") {
        Some(cursor) => {
            let cursor = Key::parse(cursor)?;
            items.partition_point(|(key, _)| *key != cursor && !behind(*key, cursor)).max(start)
        }
        None => items.len(),
    };
    match (args.number("first"), args.number("last")) {
        (None, None) => return Err(Refusal::bad_request("you must provide one of first or last")),
        (Some(_), Some(_)) => {
            return Err(Refusal::bad_request("providing both first and last is not supported"));
        }
        (Some(first), None) => end = end.min(start.saturating_add(size("first", first)?)),
        (None, Some(last)) => start = start.max(end.saturating_sub(size("last", last)?)),
    }
    if end > DEPTH_MAX {
        return Err(Refusal::bad_request(
            "Pagination is limited to 25,000 objects: narrow the query with a filter, or use a bulk operation.",
        ));
    }
    Ok((start..end, start > 0, end < items.len()))
}

fn size(name: &str, value: i64) -> Result<usize, Refusal> {
    match usize::try_from(value) {
        Ok(size) if value <= PAGE_MAX => Ok(size),
        Ok(_) => Err(Refusal::bad_request(format!("{name} cannot exceed {PAGE_MAX}"))),
        Err(_) => Err(Refusal::bad_request(format!("{name} must not be negative"))),
    }
}

struct Connection {
    shape: Shape,
    page: Vec<(Key, Rc<dyn Node>)>,
    more_before: bool,
    more_after: bool,
}

impl Node for Connection {
    fn type_name(&self) -> &'static str {
        self.shape.connection
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        match name {
            "nodes" => {
                Ok(Answer::List(self.page.iter().map(|(_, node)| Answer::Object(node.clone())).collect()))
            }
            "edges" => Ok(Answer::List(self.page.iter().map(|item| self.edge(item)).collect())),
            "pageInfo" => object(self.page_info()),
            other => Err(unmodelled(self.shape.connection, other)),
        }
    }
}

impl Connection {
    fn edge(&self, (key, node): &(Key, Rc<dyn Node>)) -> Answer {
        let edge = Record::new(self.shape.edge);
        Answer::node(edge.leaf("cursor", key.cursor()).answer("node", Answer::Object(node.clone())))
    }

    fn page_info(&self) -> Record {
        let cursor =
            |item: Option<&(Key, Rc<dyn Node>)>| item.map_or(Value::Null, |(key, _)| key.cursor().into());
        Record::new("PageInfo")
            .leaf("startCursor", cursor(self.page.first()))
            .leaf("endCursor", cursor(self.page.last()))
            .leaf("hasNextPage", self.more_after)
            .leaf("hasPreviousPage", self.more_before)
    }
}

/// `Count`: exact up to the limit, `AT_LEAST` beyond.
pub(super) fn count(found: usize, limit: Option<i64>) -> Resolved {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let (count, precision) = if found > limit { (limit, "AT_LEAST") } else { (found, "EXACT") };
    object(Record::new("Count").leaf("count", count).leaf("precision", precision))
}

/// A leaf for dates: UTC, whole seconds.
pub(super) fn date(at: jiff::Timestamp) -> Resolved {
    leaf(crate::shop::whole_second(at).to_string())
}

/// The same, or null.
pub(super) fn date_or_null(at: Option<jiff::Timestamp>) -> Resolved {
    at.map_or_else(super::answer::null, date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(count: u64) -> Vec<(Key, ())> {
        (0..count).map(|id| (Key { value: i128::from(id / 3), id }, ())).collect()
    }

    fn window_of(count: u64, arguments: Value) -> Result<(usize, usize, bool, bool), String> {
        let found = window(&items(count), &Arguments::given(arguments), false, false);
        found
            .map(|(range, before, after)| (range.start, range.end, before, after))
            .map_err(|refusal| refusal.message)
    }

    #[test]
    fn a_page_starts_behind_its_cursor_and_says_what_lies_around_it() {
        let cursor = |id: u64| Key { value: i128::from(id / 3), id }.cursor();
        let cases = [
            (json!({ "first": 4 }), (0, 4, false, true)),
            (json!({ "first": 4, "after": cursor(3) }), (4, 8, true, true)),
            (json!({ "first": 250, "after": cursor(3) }), (4, 10, true, false)),
            (json!({ "last": 4 }), (6, 10, true, false)),
            (json!({ "last": 4, "before": cursor(6) }), (2, 6, true, true)),
            (json!({ "first": 4, "after": cursor(9) }), (10, 10, true, false)),
        ];
        for (arguments, expected) in cases {
            assert_eq!(window_of(10, arguments.clone()), Ok(expected), "{arguments}");
        }
    }

    #[test]
    fn a_page_ends_at_twenty_five_thousand() {
        let behind =
            |id: u64| json!({ "first": 250, "after": Key { value: i128::from(id / 3), id }.cursor() });
        assert_eq!(window_of(30_000, behind(24_749)), Ok((24_750, 25_000, true, true)));
        assert!(window_of(30_000, behind(24_750)).unwrap_err().contains("25,000"));
        assert!(window_of(24_999, behind(24_750)).is_ok());
    }

    #[test]
    fn sizes_and_cursors_that_are_wrong_are_refused() {
        for arguments in [
            json!({}),
            json!({ "first": 1, "last": 1 }),
            json!({ "first": 251 }),
            json!({ "first": -1 }),
            json!({ "first": 1, "after": "?" }),
        ] {
            assert!(window_of(10, arguments.clone()).is_err(), "{arguments}");
        }
    }
}
