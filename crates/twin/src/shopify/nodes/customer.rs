//! `Customer`: who bought, as the newest order of theirs shows it.

use super::address::AddressNode;
use super::metafield::metafields_of;
use super::money::money_record;
use super::order::OrderNode;
use crate::shop::{Customer, MoneyBag, Order, gid};
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Request, Resolved, leaf, list, null, object, optional, unmodelled,
};
use crate::shopify::orders::orders_where;
use crate::shopify::page::date;
use serde_json::Value;
use std::sync::Arc;

pub(in crate::shopify) struct CustomerNode {
    customer: Customer,
    order: Arc<Order>,
}

impl CustomerNode {
    pub(in crate::shopify) fn of(order: &Arc<Order>) -> Option<Self> {
        Some(Self { customer: order.customer.clone()?, order: order.clone() })
    }

    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        let state = request.shop.state();
        let of = |order: &&Arc<Order>| order.customer.as_ref().is_some_and(|customer| customer.id == id);
        state.orders.values().filter(of).max_by_key(|order| order.created_at).and_then(Self::of)
    }

    fn orders(&self, request: &Request) -> Vec<Arc<Order>> {
        let state = request.shop.state();
        let of = |order: &&Arc<Order>| order.customer.as_ref().is_some_and(|one| one.id == self.customer.id);
        state.orders.values().filter(of).cloned().collect()
    }

    fn home(&self) -> Option<AddressNode> {
        let address = self.customer.default_address.clone()?;
        Some(AddressNode { id: self.customer.id + 1, address })
    }

    fn email(&self) -> Option<Record> {
        let email = self.customer.email.clone()?;
        Some(
            Record::new("CustomerEmailAddress")
                .leaf("emailAddress", email)
                .leaf("marketingState", "NOT_SUBSCRIBED")
                .leaf("marketingOptInLevel", Value::Null)
                .leaf("marketingUpdatedAt", Value::Null)
                .leaf("openTrackingLevel", "UNKNOWN")
                .leaf("validFormat", true),
        )
    }

    fn phone(&self) -> Option<Record> {
        let phone = self.customer.phone.clone()?;
        Some(
            Record::new("CustomerPhoneNumber")
                .leaf("phoneNumber", phone)
                .leaf("marketingState", "NOT_SUBSCRIBED")
                .leaf("marketingUpdatedAt", Value::Null),
        )
    }
}

impl Node for CustomerNode {
    fn type_name(&self) -> &'static str {
        "Customer"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let customer = &self.customer;
        match name {
            "id" => leaf(gid("Customer", customer.id)),
            "legacyResourceId" => leaf(customer.id.to_string()),
            "firstName" => leaf(customer.first_name.clone()),
            "lastName" => leaf(customer.last_name.clone()),
            "displayName" => {
                let names: Vec<_> =
                    [&customer.first_name, &customer.last_name].into_iter().flatten().cloned().collect();
                leaf(if names.is_empty() {
                    customer.email.clone().unwrap_or_default()
                } else {
                    names.join(" ")
                })
            }
            "email" => leaf(customer.email.clone()),
            "phone" => leaf(customer.phone.clone()),
            "defaultEmailAddress" => optional(self.email()),
            "defaultPhoneNumber" => optional(self.phone()),
            "defaultAddress" => optional(self.home()),
            "addresses" => list(self.home()),
            "taxExempt" => leaf(customer.tax_exempt),
            "companyContactProfiles" => super::role::profiles(request, customer.id),
            "taxExemptions" | "tags" => Ok(Answer::List(Vec::new())),
            "createdAt" | "updatedAt" => date(customer.created_at),
            "state" => leaf("ENABLED"),
            "verifiedEmail" | "validEmailAddress" => leaf(customer.email.is_some()),
            "canDelete" | "dataSaleOptOut" | "hasTimelineComment" => leaf(false),
            "productSubscriberStatus" => leaf("NEVER_SUBSCRIBED"),
            "locale" => leaf(self.order.locale.clone().unwrap_or_else(|| "en".to_owned())),
            "numberOfOrders" => leaf(self.orders(request).len().to_string()),
            "lastOrder" => optional(
                self.orders(request).into_iter().max_by_key(|order| order.created_at).map(OrderNode::new),
            ),
            "amountSpent" => {
                let spent: MoneyBag = self.orders(request).iter().map(|order| order.totals().received).sum();
                object(money_record(self.order.money.shop, spent.shop))
            }
            "orders" => {
                let id = customer.id;
                orders_where(args, request, |order| order.customer.as_ref().is_some_and(|one| one.id == id))
            }
            "metafield" | "metafields" => metafields_of(&gid("Customer", customer.id), name, args, request),
            "multipassIdentifier" | "note" => null(),
            other => Err(unmodelled("Customer", other)),
        }
    }
}
