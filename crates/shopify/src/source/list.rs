//! A page of orders by date: 250 at a time, fewer with their totals, oldest first. Owns the search text and a cursor
//! that goes on where Shopify's own pages end, at 25,000 objects.

use super::{code, connection, day, fingerprint, need, need_instant, shape, subject};
use crate::graphql::{Claim, LIST_ORDERS, ShopClient};
use connector::port::{CallContext, ListBy, ListPage, ListQuery, Listed};
use jiff::Timestamp;
use kernel::fault::{Fault, FaultKind};
use kernel::id::ShopId;
use serde_json::{Value, json};

/// Shopify gives no further pages of one search (shopify.dev: pagination).
const PAGED_MAX: u32 = 25_000;
/// The longest page.
const PAGE: u32 = 250;

/// Where a list stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cursor {
    /// The search begins here: the query's own start, or the last date of the search before.
    from: Timestamp,
    /// Items of this search so far.
    seen: u32,
    after: Option<String>,
}

impl Cursor {
    fn text(&self) -> String {
        format!("{} {} {}", self.from, self.seen, self.after.as_deref().unwrap_or_default())
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let (from, seen, after) = (parts.next()?, parts.next()?, parts.next()?);
        let after = Some(after.to_owned()).filter(|after| !after.is_empty());
        Some(Self { from: from.parse().ok()?, seen: seen.parse().ok()?, after })
    }
}

pub(super) async fn page(
    client: &ShopClient,
    call: &CallContext,
    claim: Claim,
    query: &ListQuery,
) -> Result<ListPage, Fault> {
    let cursor = match &query.cursor {
        None => Cursor { from: query.from, seen: 0, after: None },
        Some(text) => Cursor::parse(text).ok_or_else(|| {
            let what = format!("{text:?} is no cursor of a list of orders: begin without one");
            Fault::new(FaultKind::Rejected, code::NOT_SERVED, what)
        })?,
    };
    let (field, sort_key) = match query.by {
        ListBy::UpdatedAt => ("updated_at", "UPDATED_AT"),
        ListBy::CreatedAt => ("created_at", "CREATED_AT"),
    };
    let search = search(field, cursor.from, query.until);
    let variables = json!({ "query": search, "after": cursor.after, "sortKey": sort_key });
    let reply = if query.totals {
        if query.cursor.is_none() {
            day::refuse_too_old(client, call, claim, query.from).await?;
        }
        day::page(client, call, claim, &variables).await?
    } else {
        client.ask(call, claim, &LIST_ORDERS, &variables).await?
    };
    let (nodes, next) = connection(&reply.data, "orders")?;
    let read = |node: &Value| listed(client.id(), node, query.totals);
    let items = nodes.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let date = |item: &Listed| match query.by {
        ListBy::UpdatedAt => item.updated_at,
        ListBy::CreatedAt => item.created_at,
    };
    let next = match next {
        None => None,
        Some(after) => Some(following(&cursor, after, &items, items.last().map(date))?.text()),
    };
    Ok(ListPage { items, next })
}

/// The next page of this search, or a new search from where it stands.
fn following(
    cursor: &Cursor,
    after: String,
    items: &[Listed],
    last: Option<Timestamp>,
) -> Result<Cursor, Fault> {
    let seen = cursor.seen.saturating_add(u32::try_from(items.len()).unwrap_or(PAGE));
    if seen + PAGE <= PAGED_MAX {
        return Ok(Cursor { seen, after: Some(after), from: cursor.from });
    }
    match last {
        // The last second once more: what it holds is known, or compared again.
        Some(last) if last > cursor.from => Ok(Cursor { from: last, seen: 0, after: None }),
        _ => {
            let what = format!("more than {PAGED_MAX} orders have the date {}", cursor.from);
            Err(Fault::new(FaultKind::Rejected, code::NOT_SERVED, what))
        }
    }
}

/// Dates of orders are whole seconds: a fraction is rounded so that nothing falls between two searches.
fn search(field: &str, from: Timestamp, until: Option<Timestamp>) -> String {
    let second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    let up = |at: Timestamp| match at.subsec_nanosecond() {
        0 => at,
        _ => kernel::clock::after(second(at), std::time::Duration::from_secs(1)),
    };
    let from = format!("{field}:>='{}'", up(from));
    match until {
        None => from,
        Some(until) => format!("{from} AND {field}:<'{}'", up(until)),
    }
}

fn listed(shop: &ShopId, node: &Value, totals: bool) -> Result<Listed, Fault> {
    Ok(Listed {
        subject: subject(shop, need(node, "id")?).ok_or_else(|| shape("id"))?,
        label: need(node, "name")?.to_owned(),
        created_at: need_instant(node, "createdAt")?,
        updated_at: need_instant(node, "updatedAt")?,
        fingerprint: if totals { String::new() } else { fingerprint::of_listed(node) },
        charged: if totals { day::charged(node)? } else { None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_search_holds_what_begins_in_it_and_nothing_twice() {
        let table = [
            ("2026-11-24T00:00:00Z", None, "updated_at:>='2026-11-24T00:00:00Z'"),
            ("2026-11-24T00:00:00.5Z", None, "updated_at:>='2026-11-24T00:00:01Z'"),
            (
                "2026-11-24T00:00:00Z",
                Some("2026-11-25T00:00:00.1Z"),
                "updated_at:>='2026-11-24T00:00:00Z' AND updated_at:<'2026-11-25T00:00:01Z'",
            ),
        ];
        for (from, until, expected) in table {
            assert_eq!(search("updated_at", at(from), until.map(at)), expected);
        }
    }

    #[test]
    fn a_cursor_is_read_back() {
        for after in [None, Some("eyJsYXN0X2lkIjoxLCJ4IjoiIn0=".to_owned())] {
            let cursor = Cursor { from: at("2026-11-24T00:00:00Z"), seen: 500, after };
            assert_eq!(Cursor::parse(&cursor.text()), Some(cursor));
        }
        for bad in ["", "x", "2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z x y"] {
            assert_eq!(Cursor::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn where_pages_end_a_new_search_goes_on() {
        let from = at("2026-11-24T00:00:00Z");
        let cursor = |seen| Cursor { from, seen, after: Some("a".into()) };
        let item = Listed {
            subject: Subject::new(ShopId::new("acme").unwrap(), "order", "1"),
            label: "#1".into(),
            created_at: from,
            updated_at: from,
            fingerprint: String::new(),
            charged: None,
        };
        let page = vec![item; 250];
        let last = at("2026-11-24T10:00:00Z");
        let next = following(&cursor(24_500), "b".into(), &page, Some(last)).unwrap();
        assert_eq!(next, Cursor { from, seen: 24_750, after: Some("b".into()) });
        let next = following(&cursor(24_750), "b".into(), &page, Some(last)).unwrap();
        assert_eq!(next, Cursor { from: last, seen: 0, after: None });
        let fault = following(&cursor(24_750), "b".into(), &page, Some(from)).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Rejected);
    }

    use kernel::subject::Subject;
}
