//! B2B: `PurchasingCompany`, `Company`, `CompanyLocation`, `CompanyContact`, as the orders of the company show them.

use super::customer::CustomerNode;
use super::metafield::metafields_of;
use super::role::assignments;
use crate::shop::{Order, PurchasingCompany, gid};
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Refusal, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::orders::orders_where;
use crate::shopify::page::{Shape, count, date, parts};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of a B2B order; none of any other.
pub(super) fn purchasing_company(order: &Arc<Order>) -> Option<Record> {
    let company = CompanyNode::of(order)?;
    let contact = CompanyContactNode::of(order);
    let contact = contact.map_or(Answer::Leaf(serde_json::Value::Null), Answer::node);
    Some(
        Record::new("PurchasingCompany")
            .node("company", company)
            .node("location", CompanyLocationNode::of(order)?)
            .answer("contact", contact),
    )
}

/// The oldest order of a company: it is as old as that.
fn first_where(request: &Request, of: impl Fn(&PurchasingCompany) -> bool) -> Option<Arc<Order>> {
    let state = request.shop.state();
    let found = state.orders.values().filter(|order| order.company.as_ref().is_some_and(&of));
    found.min_by_key(|order| order.created_at).cloned()
}

fn purchaser(order: &Order) -> Result<&PurchasingCompany, Refusal> {
    order.company.as_ref().ok_or_else(|| Refusal::new("INTERNAL_SERVER_ERROR", "the order has no company"))
}

fn is_company(order: &Order, id: u64) -> bool {
    order.company.as_ref().is_some_and(|company| company.company_id == id)
}

fn is_location(order: &Order, id: u64) -> bool {
    order.company.as_ref().is_some_and(|company| company.location_id == id)
}

const LOCATIONS: Shape = Shape { connection: "CompanyLocationConnection", edge: "CompanyLocationEdge" };

pub(in crate::shopify) struct CompanyNode {
    order: Arc<Order>,
}

impl CompanyNode {
    fn of(order: &Arc<Order>) -> Option<Self> {
        order.company.as_ref().map(|_| Self { order: order.clone() })
    }

    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        first_where(request, |company| company.company_id == id).map(|order| Self { order })
    }
}

impl Node for CompanyNode {
    fn type_name(&self) -> &'static str {
        "Company"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let company = purchaser(&self.order)?;
        let id = company.company_id;
        match name {
            "id" => leaf(gid("Company", id)),
            "name" => leaf(company.company_name.clone()),
            "externalId" => leaf(company.company_external_id.clone()),
            "createdAt" | "updatedAt" | "customerSince" => date(self.order.created_at),
            "hasTimelineComment" => leaf(false),
            "mainContact" => optional(CompanyContactNode::of(&self.order)),
            "ordersCount" => count(orders(request, |order| is_company(order, id)).len(), None),
            "orders" => orders_where(args, request, |order| is_company(order, id)),
            "locations" => {
                let mut locations = BTreeMap::new();
                for order in orders(request, |order| is_company(order, id)) {
                    let location_id =
                        order.company.as_ref().map(|company| company.location_id).unwrap_or_default();
                    locations.entry(location_id).or_insert(order);
                }
                parts(LOCATIONS, locations.into_iter().collect(), args, request, |order| {
                    CompanyLocationNode { order }
                })
            }
            "metafield" | "metafields" => metafields_of(&gid("Company", id), name, args, request),
            "note" => null(),
            other => Err(unmodelled("Company", other)),
        }
    }
}

fn orders(request: &Request, of: impl Fn(&Order) -> bool) -> Vec<Arc<Order>> {
    request.shop.state().orders.values().filter(|order| of(order)).cloned().collect()
}

pub(in crate::shopify) struct CompanyLocationNode {
    order: Arc<Order>,
}

impl CompanyLocationNode {
    fn of(order: &Arc<Order>) -> Option<Self> {
        order.company.as_ref().map(|_| Self { order: order.clone() })
    }

    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        first_where(request, |company| company.location_id == id).map(|order| Self { order })
    }
}

impl Node for CompanyLocationNode {
    fn type_name(&self) -> &'static str {
        "CompanyLocation"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let company = purchaser(&self.order)?;
        let id = company.location_id;
        match name {
            "id" => leaf(gid("CompanyLocation", id)),
            "name" => leaf(company.location_name.clone()),
            "externalId" => leaf(company.location_external_id.clone()),
            "company" => object(CompanyNode { order: self.order.clone() }),
            "createdAt" | "updatedAt" => date(self.order.created_at),
            "currency" => leaf(self.order.money.presentment.code()),
            "locale" => leaf(self.order.locale.clone()),
            "hasTimelineComment" => leaf(false),
            "ordersCount" => count(orders(request, |order| is_location(order, id)).len(), None),
            "orders" => orders_where(args, request, |order| is_location(order, id)),
            "catalogs" => super::catalog::of_location(id, args, request),
            "roleAssignments" => assignments(args, request, |one| one.location == id),
            "taxExemptions" => Ok(Answer::List(Vec::new())),
            "metafield" | "metafields" => metafields_of(&gid("CompanyLocation", id), name, args, request),
            "note" | "phone" | "taxRegistrationId" => null(),
            other => Err(unmodelled("CompanyLocation", other)),
        }
    }
}

/// A location that was made beforehand and has no order yet.
pub(in crate::shopify) struct PlainLocationNode(pub(in crate::shopify) u64);

impl PlainLocationNode {
    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        request.shop.state().prices.locations.contains_key(&id).then_some(Self(id))
    }
}

impl Node for PlainLocationNode {
    fn type_name(&self) -> &'static str {
        "CompanyLocation"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("CompanyLocation", self.0)),
            "name" => leaf(request.shop.state().prices.locations.get(&self.0).cloned()),
            "externalId" | "note" | "phone" | "taxRegistrationId" => null(),
            "currency" => leaf(request.shop.config.currency.code()),
            "createdAt" | "updatedAt" => date(request.shop.created_at),
            "catalogs" => super::catalog::of_location(self.0, args, request),
            "company" => {
                let of = request.shop.state().roles.company_of.get(&self.0).copied();
                super::role::company(request, of.ok_or_else(|| unmodelled("CompanyLocation", name))?)
            }
            "roleAssignments" => assignments(args, request, |one| one.location == self.0),
            other => Err(unmodelled("CompanyLocation", other)),
        }
    }
}

/// Of an order whose buyer is a contact and a customer.
pub(in crate::shopify) struct CompanyContactNode {
    order: Arc<Order>,
    id: u64,
}

impl CompanyContactNode {
    fn of(order: &Arc<Order>) -> Option<Self> {
        let id = order.company.as_ref()?.contact_id?;
        Some(Self { order: order.clone(), id })
    }

    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        first_where(request, |company| company.contact_id == Some(id)).map(|order| Self { order, id })
    }
}

impl Node for CompanyContactNode {
    fn type_name(&self) -> &'static str {
        "CompanyContact"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("CompanyContact", self.id)),
            "company" => object(CompanyNode { order: self.order.clone() }),
            "customer" => optional(CustomerNode::of(&self.order)),
            "createdAt" | "updatedAt" => date(self.order.created_at),
            "isMainContact" => leaf(true),
            "roleAssignments" => assignments(args, request, |one| one.contact.id == self.id),
            "locale" => leaf(self.order.locale.clone()),
            "orders" => {
                let id = self.id;
                orders_where(args, request, |order| {
                    order.company.as_ref().is_some_and(|company| company.contact_id == Some(id))
                })
            }
            "title" => null(),
            other => Err(unmodelled("CompanyContact", other)),
        }
    }
}
