//! `CompanyContactRoleAssignment` with its role; and contacts, customers and companies that no order shows.

use super::company::{CompanyContactNode, CompanyNode};
use super::customer::CustomerNode;
use crate::shop::gid;
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Refusal, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::page::{Key, Shape, connection, date, parts};
use crate::shopify::query::company_location;
use crate::shopify::roles::{Assignment, Contact, Role};
use std::collections::BTreeSet;
use std::sync::Arc;

const ASSIGNMENTS: Shape =
    Shape { connection: "CompanyContactRoleAssignmentConnection", edge: "CompanyContactRoleAssignmentEdge" };
const LOCATIONS: Shape = Shape { connection: "CompanyLocationConnection", edge: "CompanyLocationEdge" };

/// `roleAssignments` of a contact or a location.
pub(super) fn assignments(args: &Arguments, request: &Request, of: impl Fn(&Assignment) -> bool) -> Resolved {
    if args.text("query").is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::not_modelled("roleAssignments by query"));
    }
    if !matches!(args.text("sortKey").unwrap_or("ID"), "ID" | "CREATED_AT") {
        return Err(Refusal::not_modelled("roleAssignments in another order than by age"));
    }
    let found: Vec<Assignment> =
        request.shop.state().roles.assignments().filter(|one| of(one)).copied().collect();
    let items = found.into_iter().map(|one| (Key { value: i128::from(one.id), id: one.id }, one)).collect();
    connection(ASSIGNMENTS, items, args, request, AssignmentNode)
}

/// A contact by its number: as an order shows it, else as it was given a role.
pub(in crate::shopify) fn contact(request: &Request, id: u64) -> Resolved {
    if let Some(shown) = CompanyContactNode::find(request, id) {
        return object(shown);
    }
    let made = request.shop.state().roles.contact(id);
    optional(made.map(PlainContactNode))
}

/// `Customer.companyContactProfiles`.
pub(super) fn profiles(request: &Request, customer: u64) -> Resolved {
    let ids: BTreeSet<u64> = {
        let state = request.shop.state();
        let theirs =
            state.orders.values().filter(|order| order.customer.as_ref().is_some_and(|c| c.id == customer));
        let shown = theirs.filter_map(|order| order.company.as_ref()?.contact_id);
        shown.chain(state.roles.of_customer(customer).map(|contact| contact.id)).collect()
    };
    Ok(Answer::List(ids.into_iter().map(|id| contact(request, id)).collect::<Result<_, _>>()?))
}

/// A customer by its number: as its orders show it, else by its roles alone.
pub(in crate::shopify) fn customer(request: &Request, id: u64) -> Resolved {
    if let Some(shown) = CustomerNode::find(request, id) {
        return object(shown);
    }
    let known = request.shop.state().roles.knows_customer(id);
    optional(known.then_some(PlainCustomerNode(id)))
}

/// A company by its number: as its orders show it, else as it was made.
pub(in crate::shopify) fn company(request: &Request, id: u64) -> Resolved {
    if let Some(shown) = CompanyNode::find(request, id) {
        return object(shown);
    }
    let name = request.shop.state().roles.companies.get(&id).cloned();
    optional(name.map(|name| PlainCompanyNode { id, name }))
}

struct AssignmentNode(Assignment);

impl Node for AssignmentNode {
    fn type_name(&self) -> &'static str {
        "CompanyContactRoleAssignment"
    }

    fn field(&self, name: &str, _: &Arguments, request: &Arc<Request>) -> Resolved {
        let one = &self.0;
        match name {
            "id" => leaf(gid("CompanyContactRoleAssignment", one.id)),
            "companyLocation" => company_location(request, one.location),
            "companyContact" => contact(request, one.contact.id),
            "company" => company(request, one.contact.company),
            "role" => object(role(one.contact.company, one.role)),
            "createdAt" | "updatedAt" => date(one.created_at),
            other => Err(unmodelled("CompanyContactRoleAssignment", other)),
        }
    }
}

/// Each company has its own two, numbered after it.
fn role(company: u64, role: Role) -> Record {
    let id = company.saturating_mul(2).saturating_add(u64::from(role == Role::OrderingOnly));
    Record::new("CompanyContactRole")
        .leaf("id", gid("CompanyContactRole", id))
        .leaf("name", role.name())
        .leaf("note", serde_json::Value::Null)
}

struct PlainContactNode(Contact);

impl Node for PlainContactNode {
    fn type_name(&self) -> &'static str {
        "CompanyContact"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let Contact { id, company: of, customer: who, created_at } = self.0;
        match name {
            "id" => leaf(gid("CompanyContact", id)),
            "company" => company(request, of),
            "customer" => customer(request, who),
            "createdAt" | "updatedAt" => date(created_at),
            "isMainContact" => leaf(false),
            "roleAssignments" => assignments(args, request, |one| one.contact.id == id),
            "locale" | "title" => null(),
            other => Err(unmodelled("CompanyContact", other)),
        }
    }
}

struct PlainCustomerNode(u64);

impl Node for PlainCustomerNode {
    fn type_name(&self) -> &'static str {
        "Customer"
    }

    fn field(&self, name: &str, _: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("Customer", self.0)),
            "legacyResourceId" => leaf(self.0.to_string()),
            "companyContactProfiles" => profiles(request, self.0),
            "numberOfOrders" => leaf("0"),
            "lastOrder" => null(),
            other => Err(unmodelled("Customer", other)),
        }
    }
}

struct PlainCompanyNode {
    id: u64,
    name: String,
}

impl Node for PlainCompanyNode {
    fn type_name(&self) -> &'static str {
        "Company"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("Company", self.id)),
            "name" => leaf(self.name.clone()),
            "createdAt" | "updatedAt" | "customerSince" => date(request.shop.created_at),
            "locations" => {
                let of = |(location, company): (&u64, &u64)| {
                    (*company == self.id).then_some((*location, *location))
                };
                let made: Vec<_> = request.shop.state().roles.company_of.iter().filter_map(of).collect();
                parts(LOCATIONS, made, args, request, super::PlainLocationNode)
            }
            "externalId" | "mainContact" | "note" => null(),
            other => Err(unmodelled("Company", other)),
        }
    }
}
