//! `Location`: a warehouse of the shop.

use super::level::{LevelNode, levels};
use crate::shop::catalogue::{WAREHOUSES, Warehouse};
use crate::shop::gid;
use crate::shopify::answer::{
    Arguments, Node, Record, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::nodes::id_of;
use crate::shopify::page::date;
use serde_json::Value;
use std::sync::Arc;

pub(in crate::shopify) struct LocationNode(pub(in crate::shopify) &'static Warehouse);

impl LocationNode {
    pub(in crate::shopify) fn find(id: u64) -> Option<Self> {
        WAREHOUSES.iter().find(|one| one.id == id).map(Self)
    }
}

impl Node for LocationNode {
    fn type_name(&self) -> &'static str {
        "Location"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let warehouse = self.0;
        match name {
            "id" => leaf(gid("Location", warehouse.id)),
            "legacyResourceId" => leaf(warehouse.id.to_string()),
            "name" => leaf(warehouse.name),
            "isActive"
            | "shipsInventory"
            | "fulfillsOnlineOrders"
            | "addressVerified"
            | "hasActiveInventory" => leaf(true),
            "isPrimary" => leaf(warehouse.id == request.shop.config.profile.location_id),
            "isFulfillmentService" | "activatable" | "deletable" => leaf(false),
            "deactivatable" => leaf(true),
            "deactivatedAt" => null(),
            "hasUnfulfilledOrders" => {
                let state = request.shop.state();
                leaf(state.orders.values().any(|order| order.lines.iter().any(|line| line.fulfillable() > 0)))
            }
            "createdAt" | "updatedAt" => date(request.shop.created_at),
            "address" => object(address()),
            "inventoryLevel" => {
                let item = id_of("InventoryItem", args.text("inventoryItemId").unwrap_or_default())?;
                let good = request.shop.state().stock.goods().by_inventory_item(item);
                let with_inactive = args.flag("includeInactive");
                optional(good.and_then(|good| LevelNode::of(request, good, warehouse.id, with_inactive)))
            }
            "inventoryLevels" => {
                let found = {
                    let state = request.shop.state();
                    let goods = state.stock.goods().all();
                    let pairs = goods.filter_map(|good| state.stock.pair(good, warehouse.id));
                    pairs.filter_map(|pair| Some((pair, state.stock.level(pair)?))).collect()
                };
                levels(found, args, request)
            }
            other => Err(unmodelled("Location", other)),
        }
    }
}

fn address() -> Record {
    let lines: Vec<Value> = ["Hafenstrasse 1", "20457 Hamburg", "Germany"].map(Value::from).into();
    let absent = ["address2", "latitude", "longitude", "phone", "province", "provinceCode"];
    let known = Record::new("LocationAddress")
        .leaf("address1", "Hafenstrasse 1")
        .leaf("city", "Hamburg")
        .leaf("zip", "20457")
        .leaf("country", "Germany")
        .leaf("countryCode", "DE")
        .leaf("formatted", lines);
    absent.iter().fold(known, |record, name| record.leaf(name, Value::Null))
}
