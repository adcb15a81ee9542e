//! The objects of the schema over the shop's orders: what each field answers, as Shopify computes it.
//!
//! A node holds the order as it was when the request found it. Fields of features that this shop has never used
//! (a return, a subscription, a point of sale) answer as an unused one does; what is not modelled is refused.

mod address;
mod catalog;
mod company;
mod customer;
mod discount;
mod fulfilment;
mod fulfilment_order;
mod inventory_item;
mod level;
mod line;
mod location;
mod metafield;
mod money;
mod order;
mod order_sums;
mod payment;
mod price_list;
mod product;
mod refund;
mod role;
mod shipping;
mod shop;
mod subscription;

pub(super) use catalog::{CatalogNode, catalogs, catalogs_count};
pub(super) use company::{CompanyLocationNode, PlainLocationNode};
pub(super) use fulfilment::FulfilmentNode;
pub(super) use fulfilment_order::{FulfilmentOrderNode, by_app};
pub(super) use inventory_item::InventoryItemNode;
pub(super) use level::{AdjustmentNode, LevelNode};
pub(super) use location::LocationNode;
pub(super) use metafield::{MetafieldNode, OwnerNode, digest};
pub(super) use order::OrderNode;
pub(super) use price_list::{PriceListNode, PricedNode, price_lists};
pub(super) use product::VariantNode;
pub(super) use refund::RefundNode;
pub(super) use role::{company, contact, customer};
pub(super) use shop::{InstallationNode, ShopNode};
pub(super) use subscription::{SubscriptionNode, api_version};

use super::answer::{Answer, Record, Refusal};

/// The number of `gid://shopify/{kind}/{number}`.
pub(super) fn number_of(kind: &str, id: &str) -> Option<u64> {
    id.strip_prefix("gid://shopify/")?.strip_prefix(kind)?.strip_prefix('/')?.parse().ok()
}

/// Kind and number of a global id; anything else is refused as Shopify does it.
pub(super) fn global_id(id: &str) -> Result<(&str, u64), Refusal> {
    let parts = id.strip_prefix("gid://shopify/").and_then(|rest| rest.split_once('/'));
    let known = parts.and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
    known.ok_or_else(|| Refusal::new("argumentLiteralsIncompatible", format!("Invalid global id '{id}'")))
}

/// An id that must be of this kind.
pub(super) fn id_of(kind: &str, id: &str) -> Result<u64, Refusal> {
    match global_id(id)? {
        (found, number) if found == kind => Ok(number),
        _ => Err(Refusal::new("RESOURCE_NOT_FOUND", format!("Invalid id: {id}"))),
    }
}

/// `UserError` and its kin.
pub(super) fn user_error(
    type_name: &'static str,
    code: Option<&str>,
    field: Option<Vec<String>>,
    text: &str,
) -> Answer {
    let mut error = Record::new(type_name).leaf("field", field).leaf("message", text);
    if type_name != "UserError" {
        error = error.leaf("code", code);
    }
    Answer::node(error)
}
