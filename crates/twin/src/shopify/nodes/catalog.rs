//! `CompanyLocationCatalog`, `MarketCatalog` and `AppCatalog`.

use super::price_list::PriceListNode;
use super::{CompanyLocationNode, PlainLocationNode};
use crate::shop::gid;
use crate::shopify::answer::{Arguments, Node, Refusal, Request, Resolved, leaf, null, optional, unmodelled};
use crate::shopify::page::{Key, Shape, connection, count};
use crate::shopify::prices::{Catalog, Kind};
use crate::shopify::search::{Found, Query, Searchable};
use std::sync::Arc;

pub(in crate::shopify) struct CatalogNode(pub(in crate::shopify) Catalog);

const CATALOGS: Shape = Shape { connection: "CatalogConnection", edge: "CatalogEdge" };
const LOCATIONS: Shape = Shape { connection: "CompanyLocationConnection", edge: "CompanyLocationEdge" };
const FIELDS: [&str; 4] = ["id", "title", "status", "company_location_id"];

impl CatalogNode {
    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        request.shop.state().prices.catalogs.get(&id).cloned().map(Self)
    }
}

/// Those that a query finds, of one kind where one is named.
fn found(path: &str, args: &Arguments, request: &Request) -> Result<Vec<Catalog>, Refusal> {
    let text = args.text("query").unwrap_or_default();
    let query =
        Query::parse(text).map_err(|error| Refusal::bad_request(format!("Invalid search query: {error}")))?;
    request.warn_of_unknown(path, text, &query, &FIELDS);
    let kind = args.text("type");
    let zone = &request.shop.config.profile.time_zone;
    let state = request.shop.state();
    let holds = |catalog: &&Catalog| {
        let values = |field: Option<&str>| {
            Found::Values(match field {
                Some("id") => vec![Searchable::Number(catalog.id.into())],
                Some("title") | None => vec![Searchable::text(catalog.title.clone())],
                Some("status") => vec![Searchable::text(catalog.status.to_lowercase())],
                Some("company_location_id") => {
                    catalog.locations.iter().map(|id| Searchable::Number((*id).into())).collect()
                }
                Some(_) => return Found::Unknown,
            })
        };
        kind.is_none_or(|kind| catalog.kind.name() == kind) && query.holds(&values, zone)
    };
    Ok(state.prices.catalogs.values().filter(holds).cloned().collect())
}

pub(in crate::shopify) fn catalogs(args: &Arguments, request: &Request) -> Resolved {
    if !matches!(args.text("sortKey").unwrap_or("ID"), "ID" | "RELEVANCE") {
        return Err(Refusal::not_modelled("catalogs in another order than by id"));
    }
    of_catalogs(found("catalogs", args, request)?, args, request)
}

pub(in crate::shopify) fn catalogs_count(args: &Arguments, request: &Request) -> Resolved {
    count(found("catalogsCount", args, request)?.len(), args.number("limit"))
}

pub(super) fn of_location(location: u64, args: &Arguments, request: &Request) -> Resolved {
    let of = request
        .shop
        .state()
        .prices
        .catalogs
        .values()
        .filter(|one| one.locations.contains(&location))
        .cloned()
        .collect();
    of_catalogs(of, args, request)
}

fn of_catalogs(of: Vec<Catalog>, args: &Arguments, request: &Request) -> Resolved {
    let items = of.into_iter().map(|one| (Key { value: i128::from(one.id), id: one.id }, one)).collect();
    connection(CATALOGS, items, args, request, CatalogNode)
}

impl Node for CatalogNode {
    fn type_name(&self) -> &'static str {
        self.0.kind.type_name()
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let catalog = &self.0;
        match name {
            "id" => leaf(gid(self.type_name(), catalog.id)),
            "title" => leaf(catalog.title.clone()),
            "status" => leaf(catalog.status.clone()),
            "priceList" => optional(catalog.list.and_then(|list| PriceListNode::find(request, list))),
            "publication" => null(),
            "companyLocations" if catalog.kind == Kind::CompanyLocation => {
                let items = catalog.locations.iter().map(|id| (Key { value: i128::from(*id), id: *id }, *id));
                connection(LOCATIONS, items.collect(), args, request, |id| Located::of(request, id))
            }
            "companyLocationsCount" if catalog.kind == Kind::CompanyLocation => {
                count(catalog.locations.len(), None)
            }
            other => Err(unmodelled(self.type_name(), other)),
        }
    }
}

/// As orders have shown it, or as it was made beforehand.
enum Located {
    Ordered(CompanyLocationNode),
    Made(PlainLocationNode),
}

impl Located {
    fn of(request: &Request, id: u64) -> Self {
        CompanyLocationNode::find(request, id).map_or(Self::Made(PlainLocationNode(id)), Self::Ordered)
    }
}

impl Node for Located {
    fn type_name(&self) -> &'static str {
        "CompanyLocation"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match self {
            Self::Ordered(node) => node.field(name, args, request),
            Self::Made(node) => node.field(name, args, request),
        }
    }
}
