//! `Metafield`, wherever it hangs.

use super::company::{CompanyLocationNode, CompanyNode};
use super::customer::CustomerNode;
use super::order::OrderNode;
use super::shop::ShopNode;
use super::{global_id, number_of};
use crate::shop::{Metafield, gid};
use crate::shopify::answer::{
    Arguments, Node, Refusal, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::page::{Shape, date, parts};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(in crate::shopify) struct MetafieldNode {
    pub(in crate::shopify) owner: String,
    pub(in crate::shopify) field: Metafield,
}

const METAFIELDS: Shape = Shape { connection: "MetafieldConnection", edge: "MetafieldEdge" };

/// What may own metafields, by global id.
pub(in crate::shopify) enum OwnerNode {
    Order(u64),
    Customer,
    Company,
    Location,
    Shop,
}

impl OwnerNode {
    /// None: nothing of that id, or of a kind that has no metafields here.
    pub(in crate::shopify) fn find(request: &Request, id: &str) -> Result<Option<Self>, Refusal> {
        let (kind, number) = global_id(id)?;
        Ok(match kind {
            "Order" => request.shop.state().orders.contains_key(&number).then_some(Self::Order(number)),
            "Customer" => CustomerNode::find(request, number).map(|_| Self::Customer),
            "Company" => CompanyNode::find(request, number).map(|_| Self::Company),
            "CompanyLocation" => CompanyLocationNode::find(request, number).map(|_| Self::Location),
            "Shop" => (number == request.shop.config.profile.id).then_some(Self::Shop),
            _ => None,
        })
    }

    /// What may write to it, and how the refusal says so.
    pub(in crate::shopify) fn write_scopes(&self) -> &'static [&'static str] {
        match self {
            Self::Order(_) => &["write_orders"],
            Self::Customer => &["write_customers"],
            Self::Company | Self::Location => &["write_companies", "write_customers"],
            Self::Shop => &[],
        }
    }
}

/// The digest that `compareDigest` must match.
pub(in crate::shopify) fn digest(field: &Metafield) -> String {
    let digest = Sha256::digest(format!("{}\u{0}{}", field.kind, field.value));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fields `metafield` and `metafields` of an order.
pub(super) fn metafields(
    owner: &str,
    name: &str,
    args: &Arguments,
    request: &Request,
    all: &[Metafield],
) -> Resolved {
    let node = |field: Metafield| MetafieldNode { owner: owner.to_owned(), field };
    let namespace = args.text("namespace");
    if name == "metafield" {
        let (namespace, key) = (namespace.unwrap_or("custom"), args.text("key").unwrap_or_default());
        let (namespace, key) = key.split_once('.').unwrap_or((namespace, key));
        let found = all.iter().find(|field| field.namespace == namespace && field.key == key);
        return optional(found.cloned().map(node));
    }
    let keys = args.texts("keys");
    let wanted = |field: &&Metafield| {
        namespace.is_none_or(|namespace| field.namespace == namespace)
            && keys.as_ref().is_none_or(|keys| keys.contains(&format!("{}.{}", field.namespace, field.key)))
    };
    let items = all.iter().filter(wanted).map(|field| (field.id, field.clone())).collect();
    parts(METAFIELDS, items, args, request, node)
}

/// The same of what is no order.
pub(super) fn metafields_of(owner: &str, name: &str, args: &Arguments, request: &Request) -> Resolved {
    let all = request.shop.state().metafields.get(owner).cloned().unwrap_or_default();
    metafields(owner, name, args, request, &all)
}

impl MetafieldNode {
    fn owner_type(&self) -> &'static str {
        match global_id(&self.owner).map(|(kind, _)| kind) {
            Ok("Customer") => "CUSTOMER",
            Ok("Company") => "COMPANY",
            Ok("CompanyLocation") => "COMPANY_LOCATION",
            Ok("Shop") => "SHOP",
            _ => "ORDER",
        }
    }

    fn owner_node(&self, request: &Arc<Request>) -> Resolved {
        let number = |kind| number_of(kind, &self.owner);
        if let Some(id) = number("Order") {
            let order = request.shop.state().orders.get(&id).cloned();
            return optional(order.map(OrderNode::new));
        }
        if let Some(id) = number("Customer") {
            return optional(CustomerNode::find(request, id));
        }
        if let Some(id) = number("CompanyLocation") {
            return optional(CompanyLocationNode::find(request, id));
        }
        match number("Company") {
            Some(id) => optional(CompanyNode::find(request, id)),
            None => object(ShopNode),
        }
    }
}

impl Node for MetafieldNode {
    fn type_name(&self) -> &'static str {
        "Metafield"
    }

    fn field(&self, name: &str, _: &Arguments, request: &Arc<Request>) -> Resolved {
        let field = &self.field;
        match name {
            "id" => leaf(gid("Metafield", field.id)),
            "legacyResourceId" => leaf(field.id.to_string()),
            "namespace" => leaf(field.namespace.clone()),
            "key" => leaf(field.key.clone()),
            "type" => leaf(field.kind.clone()),
            "value" => leaf(field.value.clone()),
            "jsonValue" => {
                let text = || Value::String(field.value.clone());
                let structured = !field.kind.contains("text_field") && field.kind != "id";
                leaf(if structured {
                    serde_json::from_str(&field.value).unwrap_or_else(|_| text())
                } else {
                    text()
                })
            }
            "compareDigest" => leaf(digest(field)),
            "sizeInBytes" => leaf(field.value.len()),
            "createdAt" => date(field.created_at),
            "updatedAt" => date(field.updated_at),
            "owner" => self.owner_node(request),
            "ownerType" => leaf(self.owner_type()),
            "description" => null(),
            other => Err(unmodelled("Metafield", other)),
        }
    }
}
