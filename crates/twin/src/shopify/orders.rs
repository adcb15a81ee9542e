//! Finding orders: which ones the app may see, what a search query means for them, how they are sorted.

use super::answer::{Arguments, Refusal, Request, Resolved};
use super::nodes::OrderNode;
use super::page::{Key, Shape, connection, count};
use super::search::{Found, Query, Searchable};
use crate::shop::{FulfilmentStatus, Order};
use std::sync::Arc;

const ORDERS: Shape = Shape { connection: "OrderConnection", edge: "OrderEdge" };

/// Older orders need `read_all_orders`.
const VISIBLE_DAYS: i64 = 60;

/// A count says this many at most.
const COUNT_MAX: i64 = 25_000;

pub(super) fn visible(request: &Request, order: &Order) -> bool {
    let oldest = request.shop.now().as_second() - VISIBLE_DAYS * 86_400;
    order.created_at.as_second() >= oldest || request.access.holds("read_all_orders")
}

/// The order that has a part of that kind, with the part's place.
pub(super) fn order_with(
    request: &Request,
    place: impl Fn(&Order) -> Option<usize>,
) -> Option<(Arc<Order>, usize)> {
    let state = request.shop.state();
    state
        .orders
        .values()
        .filter(|order| visible(request, order))
        .find_map(|order| Some((order.clone(), place(order)?)))
}

/// `orders` of anything: those that hold, match the query and may be seen.
pub(super) fn orders_where(
    args: &Arguments,
    request: &Arc<Request>,
    holds: impl Fn(&Order) -> bool,
) -> Resolved {
    refuse_saved_search(args)?;
    let sort_key = args.text("sortKey").unwrap_or("ID");
    let mut keyed = Vec::new();
    for order in found(args, request, holds)? {
        keyed.push((key(sort_key, &order)?, order));
    }
    keyed.sort_by_key(|(key, _)| *key);
    connection(ORDERS, keyed, args, request, OrderNode::new)
}

pub(super) fn orders_count(args: &Arguments, request: &Request) -> Resolved {
    refuse_saved_search(args)?;
    let limit = args.number("limit").map_or(COUNT_MAX, |limit| limit.min(COUNT_MAX));
    count(found(args, request, |_| true)?.len(), Some(limit))
}

fn refuse_saved_search(args: &Arguments) -> Result<(), Refusal> {
    match args.get("savedSearchId") {
        Some(_) => Err(Refusal::not_modelled("saved searches")),
        None => Ok(()),
    }
}

fn found(
    args: &Arguments,
    request: &Request,
    holds: impl Fn(&Order) -> bool,
) -> Result<Vec<Arc<Order>>, Refusal> {
    let text = args.text("query").unwrap_or_default();
    let query =
        Query::parse(text).map_err(|error| Refusal::bad_request(format!("Invalid search query: {error}")))?;
    request.warn_of_unknown("orders", text, &query, &SEARCH_FIELDS);
    let zone = &request.shop.config.profile.time_zone;
    let matches = |order: &Order| {
        holds(order) && visible(request, order) && query.holds(&|field| searchable(order, field), zone)
    };
    Ok(request.shop.state().orders.values().filter(|order| matches(order)).cloned().collect())
}

const SEARCH_FIELDS: [&str; 17] = [
    "id",
    "name",
    "created_at",
    "updated_at",
    "processed_at",
    "status",
    "financial_status",
    "fulfillment_status",
    "tag",
    "test",
    "email",
    "po_number",
    "customer_id",
    "source_name",
    "sku",
    "confirmation_number",
    "gateway",
];

fn searchable(order: &Order, field: Option<&str>) -> Found {
    let text = |text: &str| vec![Searchable::text(text)];
    let number = |number: u64| vec![Searchable::Number(number.into())];
    Found::Values(match field {
        Some("id") => number(order.id),
        Some("name") => {
            vec![Searchable::text(&order.name), Searchable::text(order.name.trim_start_matches('#'))]
        }
        Some("created_at") => vec![Searchable::Time(order.created_at)],
        Some("updated_at") => vec![Searchable::Time(order.updated_at)],
        Some("processed_at") => vec![Searchable::Time(order.processed_at)],
        Some("status") => status(order).into_iter().map(Searchable::text).collect(),
        Some("financial_status") => {
            vec![Searchable::text(order.financial_status().rest()), Searchable::text("any")]
        }
        Some("fulfillment_status") => fulfilment(order).into_iter().map(Searchable::text).collect(),
        Some("tag") => order.tags.iter().map(Searchable::text).collect(),
        Some("test") => text(if order.test { "true" } else { "false" }),
        Some("email") => order.email.iter().map(Searchable::text).collect(),
        Some("po_number") => order.po_number.iter().map(Searchable::text).collect(),
        Some("customer_id") => {
            order.customer.iter().map(|customer| Searchable::Number(customer.id.into())).collect()
        }
        Some("source_name") => text(&order.source_name),
        Some("sku") => {
            order.lines.iter().filter_map(|line| line.sku.as_ref()).map(Searchable::text).collect()
        }
        Some("confirmation_number") => text(&order.confirmation_number),
        Some("gateway") => order.transactions.iter().map(|one| Searchable::text(&one.gateway)).collect(),
        Some(_) => return Found::Unknown,
        None => {
            let mut words =
                vec![Searchable::text(&order.name), Searchable::text(order.name.trim_start_matches('#'))];
            words.extend(order.email.iter().chain(&order.tags).map(Searchable::text));
            words
        }
    })
}

fn status(order: &Order) -> Vec<&'static str> {
    match (order.cancelled_at, order.closed_at) {
        (Some(_), _) => vec!["cancelled", "closed", "any"],
        (None, Some(_)) => vec!["closed", "any"],
        (None, None) => vec!["open", "not_closed", "any"],
    }
}

fn fulfilment(order: &Order) -> Vec<&'static str> {
    match order.fulfilment_status() {
        FulfilmentStatus::Unfulfilled => vec!["unfulfilled", "unshipped", "any"],
        FulfilmentStatus::Partial => vec!["partial", "unfulfilled", "any"],
        FulfilmentStatus::Fulfilled => vec!["fulfilled", "shipped", "any"],
    }
}

fn key(sort_key: &str, order: &Order) -> Result<Key, Refusal> {
    let second = |at: jiff::Timestamp| i128::from(at.as_second());
    let value = match sort_key {
        "ID" | "RELEVANCE" => i128::from(order.id),
        "CREATED_AT" => second(order.created_at),
        "UPDATED_AT" => second(order.updated_at),
        "PROCESSED_AT" => second(order.processed_at),
        "ORDER_NUMBER" => i128::from(order.number),
        other => return Err(Refusal::not_modelled(format_args!("orders sorted by {other}"))),
    };
    Ok(Key { value, id: order.id })
}
