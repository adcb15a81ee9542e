//! `QueryRoot`: where a query begins.

use super::answer::{
    Answer, Arguments, Node, Refusal, Request, Resolved, list, null, object, optional, unmodelled,
};
use super::bulk::{BulkNode, bulk_operations, current};
use super::nodes::{
    CatalogNode, CompanyLocationNode, FulfilmentNode, FulfilmentOrderNode, InstallationNode, OrderNode,
    PlainLocationNode, PriceListNode, RefundNode, ShopNode, SubscriptionNode, api_version, catalogs,
    catalogs_count, company, contact, customer, global_id, id_of, price_lists,
};
use super::nodes::{LevelNode, LocationNode};
use super::orders::{orders_count, orders_where, visible};
use super::page::{Key, Shape, connection, count};
use super::stock_query::{
    inventory_items, item, locations, locations_count, variant, variants, variants_count,
};
use super::webhooks::Subscription;
use std::sync::Arc;

pub(super) struct QueryRoot;

const SUBSCRIPTIONS: Shape =
    Shape { connection: "WebhookSubscriptionConnection", edge: "WebhookSubscriptionEdge" };

impl Node for QueryRoot {
    fn type_name(&self) -> &'static str {
        "QueryRoot"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let id = || args.text("id").unwrap_or_default();
        match name {
            "order" => optional(order(request, id_of("Order", id())?)),
            "orderByIdentifier" => order_by_identifier(args, request),
            "refund" => optional(RefundNode::find(request, id_of("Refund", id())?)),
            "fulfillment" => optional(FulfilmentNode::find(request, id_of("Fulfillment", id())?)),
            "fulfillmentOrder" => {
                optional(FulfilmentOrderNode::find(request, id_of("FulfillmentOrder", id())?))
            }
            "orders" => orders_where(args, request, |_| true),
            "ordersCount" => orders_count(args, request),
            "node" => node(request, id()),
            "nodes" => {
                let ids = args.texts("ids").unwrap_or_default();
                Ok(Answer::List(ids.iter().map(|id| node(request, id)).collect::<Result<_, _>>()?))
            }
            "shop" => object(ShopNode),
            "currentAppInstallation" => object(InstallationNode),
            "customer" => customer(request, id_of("Customer", id())?),
            "company" => company(request, id_of("Company", id())?),
            "companyContact" => contact(request, id_of("CompanyContact", id())?),
            "companyLocation" => company_location(request, id_of("CompanyLocation", id())?),
            "catalog" => match global_id(id())? {
                ("Catalog" | "CompanyLocationCatalog" | "MarketCatalog" | "AppCatalog", number) => {
                    optional(CatalogNode::find(request, number))
                }
                _ => Err(Refusal::new("RESOURCE_NOT_FOUND", format!("Invalid id: {}", id()))),
            },
            "catalogs" => catalogs(args, request),
            "catalogsCount" => catalogs_count(args, request),
            "priceList" => optional(PriceListNode::find(request, id_of("PriceList", id())?)),
            "priceLists" => price_lists(args, request),
            "publicApiVersions" => list([api_version()]),
            "webhookSubscription" => optional(subscription(request, id_of("WebhookSubscription", id())?)),
            "webhookSubscriptions" => subscriptions(args, request),
            "webhookSubscriptionsCount" => count(live(request).len(), args.number("limit")),
            "bulkOperation" => optional(BulkNode::find(request, id_of("BulkOperation", id())?)),
            "bulkOperations" => bulk_operations(args, request),
            "currentBulkOperation" => optional(current(request, args.text("type").unwrap_or("QUERY"))),
            "productVariant" => optional(variant(request, id_of("ProductVariant", id())?)),
            "productVariants" => variants(args, request),
            "productVariantsCount" => variants_count(args, request),
            "inventoryItem" => optional(item(request, id_of("InventoryItem", id())?)),
            "inventoryItems" => inventory_items(args, request),
            "inventoryLevel" => optional(LevelNode::find(request, id())?),
            "location" => match args.text("id") {
                Some(id) => optional(LocationNode::find(id_of("Location", id)?)),
                None => optional(LocationNode::find(request.shop.config.profile.location_id)),
            },
            "locations" => locations(args, request),
            "locationsCount" => locations_count(args),
            other => Err(unmodelled("QueryRoot", other)),
        }
    }
}

fn order(request: &Request, id: u64) -> Option<OrderNode> {
    let order = request.shop.state().orders.get(&id).cloned()?;
    visible(request, &order).then(|| OrderNode::new(order))
}

fn order_by_identifier(args: &Arguments, request: &Request) -> Resolved {
    let given = args.get("identifier").and_then(|identifier| identifier.as_object());
    let given: Vec<_> = given.into_iter().flatten().filter(|(_, value)| !value.is_null()).collect();
    match given.as_slice() {
        [(key, value)] if *key == "id" => {
            optional(order(request, id_of("Order", value.as_str().unwrap_or_default())?))
        }
        [_] => Err(Refusal::not_modelled("custom ids")),
        _ => Err(Refusal::new(
            "invalidOneOfInputObject",
            "OneOf Input Object 'OrderIdentifierInput' must specify exactly one key.",
        )),
    }
}

/// Any object by its global id; null where there is none.
fn node(request: &Request, id: &str) -> Resolved {
    if id.starts_with("gid://shopify/InventoryLevel/") {
        return optional(LevelNode::find(request, id)?);
    }
    let (kind, number) = global_id(id)?;
    match kind {
        "Order" => optional(order(request, number)),
        "Refund" => optional(RefundNode::find(request, number)),
        "Fulfillment" => optional(FulfilmentNode::find(request, number)),
        "FulfillmentOrder" => optional(FulfilmentOrderNode::find(request, number)),
        "Customer" => customer(request, number),
        "Company" => company(request, number),
        "CompanyLocation" => company_location(request, number),
        "CompanyLocationCatalog" | "MarketCatalog" | "AppCatalog" => {
            optional(CatalogNode::find(request, number))
        }
        "PriceList" => optional(PriceListNode::find(request, number)),
        "CompanyContact" => contact(request, number),
        "WebhookSubscription" => optional(subscription(request, number)),
        "BulkOperation" => optional(BulkNode::find(request, number)),
        "ProductVariant" => optional(variant(request, number)),
        "InventoryItem" => optional(item(request, number)),
        "Location" => optional(LocationNode::find(number)),
        "Shop" if number == request.shop.config.profile.id => object(ShopNode),
        "Shop" => null(),
        other => Err(Refusal::not_modelled(format_args!("node of type {other}"))),
    }
}

/// As orders have shown it, or as it was made beforehand.
pub(super) fn company_location(request: &Request, id: u64) -> Resolved {
    match CompanyLocationNode::find(request, id) {
        Some(node) => object(node),
        None => optional(PlainLocationNode::find(request, id)),
    }
}

/// Those that were not deleted for failing.
fn live(request: &Request) -> Vec<Subscription> {
    let mut state = request.shop.state();
    state.prune();
    state.subscriptions.values().cloned().collect()
}

fn subscription(request: &Request, id: u64) -> Option<SubscriptionNode> {
    live(request).into_iter().find(|subscription| subscription.id == id).map(SubscriptionNode)
}

fn subscriptions(args: &Arguments, request: &Request) -> Resolved {
    if args.text("query").is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::not_modelled("webhookSubscriptions by query"));
    }
    let topics = args.texts("topics");
    let uri = args.text("uri").or_else(|| args.text("callbackUrl"));
    let wanted = |one: &Subscription| {
        topics.as_ref().is_none_or(|topics| topics.contains(&one.topic))
            && uri.is_none_or(|uri| one.wanted.uri == uri)
            && args.text("format").is_none_or(|format| format == "JSON")
    };
    let by_age = args.text("sortKey") != Some("ID");
    let key = |one: &Subscription| {
        let value = if by_age { i128::from(one.created_at.as_second()) } else { i128::from(one.id) };
        Key { value, id: one.id }
    };
    let mut items: Vec<_> = live(request).into_iter().filter(wanted).map(|one| (key(&one), one)).collect();
    items.sort_by_key(|(key, _)| *key);
    connection(SUBSCRIPTIONS, items, args, request, SubscriptionNode)
}
