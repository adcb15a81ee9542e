//! `InventoryLevel`, its quantities, and what an adjustment did to it.

use super::{InventoryItemNode, LocationNode, number_of};
use crate::shop::{gid, whole_second};
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Refusal, Request, Resolved, leaf, null, object, optional, unmodelled,
};
use crate::shopify::page::{Key, Shape, connection, date};
use crate::shopify::stock::{Adjustment, Good, Level, NAMES, Pair};
use serde_json::Value;
use std::sync::Arc;

pub(in crate::shopify) struct LevelNode {
    pair: Pair,
    level: Level,
}

const LEVELS: Shape = Shape { connection: "InventoryLevelConnection", edge: "InventoryLevelEdge" };

/// `gid://shopify/InventoryLevel/{location}?inventory_item_id={item}`.
fn level_gid(pair: Pair) -> String {
    let (location, item) = (pair.warehouse().id, pair.good.inventory_item_id());
    format!("{}?inventory_item_id={item}", gid("InventoryLevel", location))
}

/// Those that are stocked; the others where they are asked for.
pub(super) fn levels(found: Vec<(Pair, Level)>, args: &Arguments, request: &Request) -> Resolved {
    if args.text("query").is_some_and(|query| !query.is_empty()) {
        return Err(Refusal::not_modelled("inventoryLevels by query"));
    }
    let with_inactive = args.flag("includeInactive");
    let items = found.into_iter().filter(|(_, level)| with_inactive || level.is_active());
    let key = |pair: Pair| Key { value: i128::from(pair.good.inventory_item_id()), id: pair.warehouse().id };
    let items = items.map(|(pair, level)| (key(pair), LevelNode { pair, level })).collect();
    connection(LEVELS, items, args, request, |level| level)
}

impl LevelNode {
    /// By its global id; one that is not stocked any more is found too.
    pub(in crate::shopify) fn find(request: &Request, id: &str) -> Result<Option<Self>, Refusal> {
        let parts = id.split_once("?inventory_item_id=");
        let parts =
            parts.and_then(|(level, item)| Some((number_of("InventoryLevel", level)?, item.parse().ok()?)));
        let Some((location, item)) = parts else {
            return Err(Refusal::new("argumentLiteralsIncompatible", format!("Invalid global id '{id}'")));
        };
        let good = request.shop.state().stock.goods().by_inventory_item(item);
        Ok(good.and_then(|good| Self::of(request, good, location, true)))
    }

    pub(in crate::shopify) fn of(
        request: &Request,
        good: Good,
        location: u64,
        with_inactive: bool,
    ) -> Option<Self> {
        let state = request.shop.state();
        let pair = state.stock.pair(good, location)?;
        let level = state.stock.level(pair).filter(|level| with_inactive || level.is_active())?;
        Some(Self { pair, level })
    }

    fn quantities(&self, names: &[String]) -> Resolved {
        let quantity = |name: &String| {
            let quantity = self.level.quantity(name).ok_or_else(|| {
                let text =
                    format!("The quantity name {name:?} is invalid. Valid names are: {}.", NAMES.join(", "));
                Refusal::bad_request(text)
            })?;
            let (location, item) = (self.pair.warehouse().id, self.pair.good.inventory_item_id());
            let id = format!("{}?inventory_item_id={item}&name={name}", gid("InventoryQuantity", location));
            let record = Record::new("InventoryQuantity").leaf("id", id).leaf("name", name.clone());
            let record = record.leaf("quantity", quantity);
            let at = whole_second(self.level.updated_at()).to_string();
            Ok(Answer::node(record.leaf("updatedAt", at)))
        };
        Ok(Answer::List(names.iter().map(quantity).collect::<Result<_, Refusal>>()?))
    }
}

impl Node for LevelNode {
    fn type_name(&self) -> &'static str {
        "InventoryLevel"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        match name {
            "id" => leaf(level_gid(self.pair)),
            "isActive" => leaf(self.level.is_active()),
            "canDeactivate" => leaf(self.level.is_active() && self.level.quantity("committed") == Some(0)),
            "deactivationAlert" => null(),
            "createdAt" => date(request.shop.created_at),
            "updatedAt" => date(self.level.updated_at()),
            "item" => object(InventoryItemNode(self.pair.good)),
            "location" => optional(LocationNode::find(self.pair.warehouse().id)),
            "quantities" => self.quantities(&args.texts("names").unwrap_or_default()),
            other => Err(unmodelled("InventoryLevel", other)),
        }
    }
}

/// `InventoryAdjustmentGroup`.
pub(in crate::shopify) struct AdjustmentNode(pub(in crate::shopify) Arc<Adjustment>);

impl Node for AdjustmentNode {
    fn type_name(&self) -> &'static str {
        "InventoryAdjustmentGroup"
    }

    fn field(&self, name: &str, args: &Arguments, _: &Arc<Request>) -> Resolved {
        let group = &self.0;
        match name {
            "id" => leaf(gid("InventoryAdjustmentGroup", group.id)),
            "createdAt" => date(group.at),
            // As the documentation's example answers it.
            "reason" if group.reason == "correction" => leaf("Inventory correction"),
            "reason" => leaf(group.reason.clone()),
            "referenceDocumentUri" => leaf(group.reference.clone()),
            "changes" => Ok(Answer::List(self.changes(args))),
            other => Err(unmodelled("InventoryAdjustmentGroup", other)),
        }
    }
}

impl AdjustmentNode {
    /// A change of what can be sold is one of what is on hand. What is there afterwards is null in a mutation's own
    /// answer, as in the documentation's examples: who wants to know reads the level.
    fn changes(&self, args: &Arguments) -> Vec<Answer> {
        let wanted =
            |list: &str, value: &str| args.texts(list).is_none_or(|list| list.iter().any(|one| one == value));
        let named = |name: &'static str| {
            self.0.deltas.iter().map(move |(pair, delta)| (name, *pair, *delta)).collect::<Vec<_>>()
        };
        let all = [named("available"), named("on_hand")].concat();
        let kept = all.into_iter().filter(|(name, pair, _)| {
            wanted("quantityNames", name)
                && wanted("inventoryItemIds", &gid("InventoryItem", pair.good.inventory_item_id()))
                && wanted("locationIds", &gid("Location", pair.warehouse().id))
        });
        kept.map(|(name, pair, delta)| {
            let location = LocationNode::find(pair.warehouse().id);
            Answer::node(
                Record::new("InventoryChange")
                    .leaf("name", name)
                    .leaf("delta", delta)
                    .leaf("quantityAfterChange", Value::Null)
                    .leaf("ledgerDocumentUri", Value::Null)
                    .node("item", InventoryItemNode(pair.good))
                    .answer("location", location.map_or(Answer::Leaf(Value::Null), Answer::node)),
            )
        })
        .collect()
    }
}
