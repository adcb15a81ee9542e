//! `InventoryItem`: the side of a variant that is counted.

use super::level::{LevelNode, levels};
use super::product::VariantNode;
use crate::shop::gid;
use crate::shopify::answer::{
    Arguments, Node, Record, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::nodes::id_of;
use crate::shopify::page::{Shape, count, date, parts};
use crate::shopify::stock::Good;
use std::sync::Arc;

pub(in crate::shopify) struct InventoryItemNode(pub(in crate::shopify) Good);

const VARIANTS: Shape = Shape { connection: "ProductVariantConnection", edge: "ProductVariantEdge" };

impl Node for InventoryItemNode {
    fn type_name(&self) -> &'static str {
        "InventoryItem"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let good = self.0;
        let id = good.inventory_item_id();
        match name {
            "id" => leaf(gid("InventoryItem", id)),
            "legacyResourceId" => leaf(id.to_string()),
            "sku" => leaf(good.sku()),
            "tracked" | "requiresShipping" => leaf(true),
            "createdAt" | "updatedAt" => date(request.shop.created_at),
            "duplicateSkuCount" => leaf(0),
            "harmonizedSystemCode" => leaf(good.harmonized_system_code()),
            "countryCodeOfOrigin" | "provinceCodeOfOrigin" | "unitCost" => null(),
            "inventoryHistoryUrl" => {
                let domain = &request.shop.config.profile.domain;
                leaf(format!("https://{domain}/admin/products/inventory/{id}/inventory_history"))
            }
            "inventoryLevel" => {
                let location = id_of("Location", args.text("locationId").unwrap_or_default())?;
                optional(LevelNode::of(request, good, location, args.flag("includeInactive")))
            }
            "inventoryLevels" => {
                let found: Vec<_> = request.shop.state().stock.levels_of(good).collect();
                levels(found, args, request)
            }
            "locationsCount" => {
                let state = request.shop.state();
                let stocked = state.stock.levels_of(good).filter(|(_, level)| level.is_active()).count();
                count(stocked, None)
            }
            "measurement" => {
                let weight =
                    Record::new("Weight").leaf("unit", "GRAMS").leaf("value", f64::from(good.grams()));
                object(
                    Record::new("InventoryItemMeasurement")
                        .leaf("id", gid("InventoryItemMeasurement", id))
                        .node("weight", weight),
                )
            }
            "variant" => object(VariantNode::Sold(good)),
            "variants" => parts(VARIANTS, vec![(good.variant_id(), good)], args, request, VariantNode::Sold),
            other => Err(unmodelled("InventoryItem", other)),
        }
    }
}
