//! Finding what the shop sells and where it keeps it: `productVariants`, `inventoryItems`, `locations`. SKUs that a query
//! names are looked up, not searched for: a shop may have half a million.

use super::answer::{Arguments, Refusal, Request, Resolved};
use super::nodes::{InventoryItemNode, LocationNode, VariantNode};
use super::page::{Key, Shape, connection, count};
use super::search::{Found, Query, Searchable};
use super::stock::Good;
use crate::shop::catalogue::WAREHOUSES;
use crate::shop::gid;

const VARIANTS: Shape = Shape { connection: "ProductVariantConnection", edge: "ProductVariantEdge" };
const ITEMS: Shape = Shape { connection: "InventoryItemConnection", edge: "InventoryItemEdge" };
const LOCATIONS: Shape = Shape { connection: "LocationConnection", edge: "LocationEdge" };

/// Roots of a bulk operation that can be read in pieces, and how many of their objects at a time.
pub(super) fn piece_of(root: &str) -> Option<usize> {
    match root {
        "inventoryItems" | "productVariants" => Some(1000),
        // One of them may hold as much as a thousand items.
        "priceLists" => Some(1),
        _ => None,
    }
}

const VARIANT_FIELDS: [&str; 5] = ["id", "sku", "title", "product_id", "inventory_quantity"];
const ITEM_FIELDS: [&str; 2] = ["id", "sku"];
const LOCATION_FIELDS: [&str; 4] = ["id", "location_id", "name", "active"];

pub(super) fn variant(request: &Request, id: u64) -> Option<VariantNode> {
    request.shop.state().stock.goods().by_variant(id).map(VariantNode::Sold)
}

pub(super) fn item(request: &Request, id: u64) -> Option<InventoryItemNode> {
    request.shop.state().stock.goods().by_inventory_item(id).map(InventoryItemNode)
}

pub(super) fn variants(args: &Arguments, request: &Request) -> Resolved {
    match args.text("sortKey").unwrap_or("ID") {
        "ID" | "SKU" | "RELEVANCE" => {}
        other => return Err(Refusal::not_modelled(format_args!("productVariants sorted by {other}"))),
    }
    let found = found("productVariants", args, request, &VARIANT_FIELDS, Good::variant_id)?;
    let key = |good: &Good| Key { value: i128::from(good.variant_id()), id: good.variant_id() };
    let items = found.into_iter().map(|good| (key(&good), good)).collect();
    connection(VARIANTS, items, args, request, VariantNode::Sold)
}

pub(super) fn variants_count(args: &Arguments, request: &Request) -> Resolved {
    let found = found("productVariantsCount", args, request, &VARIANT_FIELDS, Good::variant_id)?;
    count(found.len(), args.number("limit"))
}

pub(super) fn inventory_items(args: &Arguments, request: &Request) -> Resolved {
    let found = found("inventoryItems", args, request, &ITEM_FIELDS, Good::inventory_item_id)?;
    let key = |good: &Good| Key { value: i128::from(good.inventory_item_id()), id: good.inventory_item_id() };
    let items = found.into_iter().map(|good| (key(&good), good)).collect();
    connection(ITEMS, items, args, request, InventoryItemNode)
}

/// In the order of their ids; of a bulk operation that is read in pieces, this piece.
fn found(
    path: &str,
    args: &Arguments,
    request: &Request,
    known: &[&str],
    id: fn(Good) -> u64,
) -> Result<Vec<Good>, Refusal> {
    if args.get("savedSearchId").is_some() {
        return Err(Refusal::not_modelled("saved searches"));
    }
    let text = args.text("query").unwrap_or_default();
    let query = parsed(path, text, request, known)?;
    let state = request.shop.state();
    let goods = state.stock.goods();
    let (skip, take) = request.piece.unwrap_or((0, usize::MAX));
    let candidates: Vec<Good> = match query.values_of("sku") {
        Some(skus) => {
            let mut named: Vec<_> = skus.into_iter().filter_map(|sku| goods.by_sku(sku)).collect();
            named.sort_unstable();
            named.dedup();
            named
        }
        // Without a query, no more than what is wanted is touched.
        None if text.trim().is_empty() => return Ok(goods.all().skip(skip).take(take).collect()),
        None => goods.all().collect(),
    };
    let values = |good: Good, field: Option<&str>| {
        Found::Values(match field {
            Some("sku") => vec![Searchable::text(good.sku())],
            Some("id") => vec![Searchable::Number(id(good).into())],
            Some("title") if known.contains(&"title") => vec![Searchable::text(good.title())],
            Some("product_id") if known.contains(&"product_id") => {
                vec![Searchable::Number(good.product_id().into())]
            }
            Some("inventory_quantity") if known.contains(&"inventory_quantity") => {
                vec![Searchable::Number(state.stock.available(good).into())]
            }
            Some(_) => return Found::Unknown,
            None => vec![Searchable::text(good.sku()), Searchable::text(good.title())],
        })
    };
    let zone = &request.shop.config.profile.time_zone;
    let holds = |good: &Good| query.holds(&|field| values(*good, field), zone);
    Ok(candidates.into_iter().filter(holds).skip(skip).take(take).collect())
}

fn parsed(path: &str, text: &str, request: &Request, known: &[&str]) -> Result<Query, Refusal> {
    let query =
        Query::parse(text).map_err(|error| Refusal::bad_request(format!("Invalid search query: {error}")))?;
    request.warn_of_unknown(path, text, &query, known);
    Ok(query)
}

pub(super) fn locations(args: &Arguments, request: &Request) -> Resolved {
    let query = parsed("locations", args.text("query").unwrap_or_default(), request, &LOCATION_FIELDS)?;
    let zone = &request.shop.config.profile.time_zone;
    let found = WAREHOUSES.iter().enumerate().filter(|(_, one)| {
        let values = |field: Option<&str>| {
            Found::Values(match field {
                Some("id" | "location_id") => {
                    vec![Searchable::Number(one.id.into()), Searchable::text(gid("Location", one.id))]
                }
                Some("active") => vec![Searchable::text("true")],
                Some("name") | None => vec![Searchable::text(one.name)],
                Some(_) => return Found::Unknown,
            })
        };
        query.holds(&values, zone)
    });
    // By name and by id it is the same order.
    let items = found.map(|(place, one)| (Key { value: place as i128, id: one.id }, one)).collect();
    connection(LOCATIONS, items, args, request, LocationNode)
}

pub(super) fn locations_count(args: &Arguments) -> Resolved {
    if args.text("query").is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::not_modelled("locationsCount by query"));
    }
    count(WAREHOUSES.len(), args.number("limit"))
}
