//! `Product` and `ProductVariant`: what the shop sells, and what an order line remembers of it. A line shows its own SKU
//! and title, which may be those of another day.

use super::inventory_item::InventoryItemNode;
use crate::shop::{Line, gid, graphql_amount};
use crate::shopify::answer::{Arguments, Node, Refusal, Request, Resolved, leaf, null, object, unmodelled};
use crate::shopify::page::date;
use crate::shopify::stock::Good;
use rust_decimal::Decimal;
use std::sync::Arc;

pub(super) struct ProductNode {
    id: u64,
    title: String,
    vendor: String,
}

impl ProductNode {
    pub(super) fn of(line: &Line) -> Option<Self> {
        let vendor = line.vendor.clone().unwrap_or_default();
        Some(Self { id: line.product_id?, title: line.title.clone(), vendor })
    }

    fn of_good(good: Good) -> Self {
        Self { id: good.product_id(), title: good.title(), vendor: "Tidal Supply".to_owned() }
    }
}

impl Node for ProductNode {
    fn type_name(&self) -> &'static str {
        "Product"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(gid("Product", self.id)),
            "legacyResourceId" => leaf(self.id.to_string()),
            "title" => leaf(self.title.clone()),
            "vendor" => leaf(self.vendor.clone()),
            other => Err(unmodelled("Product", other)),
        }
    }
}

pub(in crate::shopify) enum VariantNode {
    /// As the shop sells it.
    Sold(Good),
    /// As a line remembers it, with its id.
    Ordered(Box<Line>, u64),
}

impl VariantNode {
    pub(super) fn of(line: &Line) -> Option<Self> {
        Some(Self::Ordered(Box::new(line.clone()), line.variant_id?))
    }

    fn id(&self) -> u64 {
        match self {
            Self::Sold(good) => good.variant_id(),
            Self::Ordered(_, id) => *id,
        }
    }

    /// None of a line whose variant is not among what the shop keeps: a gift card.
    fn good(&self, request: &Request) -> Option<Good> {
        match self {
            Self::Sold(good) => Some(*good),
            Self::Ordered(_, id) => request.shop.state().stock.goods().by_variant(*id),
        }
    }

    /// What only the shop knows of it.
    fn kept(&self, name: &str, request: &Request) -> Resolved {
        let Some(good) = self.good(request) else {
            return Err(Refusal::not_modelled(format_args!("ProductVariant.{name} of what has no stock")));
        };
        let state = request.shop.state();
        let (available, may_oversell) = (state.stock.available(good), state.stock.may_oversell());
        drop(state);
        match name {
            "inventoryItem" => object(InventoryItemNode(good)),
            "inventoryPolicy" => leaf(if may_oversell { "CONTINUE" } else { "DENY" }),
            "inventoryQuantity" | "sellableOnlineQuantity" => leaf(available),
            "availableForSale" => leaf(may_oversell || available > 0),
            "price" => {
                let price = Decimal::new(good.price_cents(), 2);
                leaf(graphql_amount(request.shop.config.currency, price))
            }
            "position" => leaf(1),
            "barcode" | "compareAtPrice" => null(),
            "requiresComponents" | "showUnitPrice" => leaf(false),
            "createdAt" | "updatedAt" => date(request.shop.created_at),
            other => Err(unmodelled("ProductVariant", other)),
        }
    }
}

impl Node for VariantNode {
    fn type_name(&self) -> &'static str {
        "ProductVariant"
    }

    fn field(&self, name: &str, _: &Arguments, request: &Arc<Request>) -> Resolved {
        match (name, self) {
            ("id", _) => leaf(gid("ProductVariant", self.id())),
            ("legacyResourceId", _) => leaf(self.id().to_string()),
            ("sku", Self::Sold(good)) => leaf(good.sku()),
            ("sku", Self::Ordered(line, _)) => leaf(line.sku.clone()),
            ("title", Self::Ordered(line, _)) if line.variant_title.is_some() => {
                leaf(line.variant_title.clone())
            }
            ("title", _) => leaf("Default Title"),
            ("displayName", Self::Sold(good)) => leaf(good.title()),
            ("displayName", Self::Ordered(line, _)) => leaf(line.name()),
            ("taxable", Self::Sold(_)) => leaf(true),
            ("taxable", Self::Ordered(line, _)) => leaf(line.taxable),
            ("product", Self::Sold(good)) => object(ProductNode::of_good(*good)),
            ("product", Self::Ordered(line, _)) => match ProductNode::of(line) {
                Some(product) => object(product),
                None => Err(unmodelled("ProductVariant", "product of a line without one")),
            },
            (other, _) => self.kept(other, request),
        }
    }
}
