//! `FulfillmentOrder`, its lines and its holds.

use super::fulfilment::FulfilmentNode;
use super::line::LineNode;
use super::location::LocationNode;
use super::order::OrderNode;
use crate::shop::{Order, gid};
use crate::shopify::answer::{
    Arguments, Node, Record, Request, Resolved, leaf, list, null, object, unmodelled,
};
use crate::shopify::fulfil::holds::Hold;
use crate::shopify::fulfil::{FulfilmentOrder, OpenLine, Stop, find, of};
use crate::shopify::orders::visible;
use crate::shopify::page::{Shape, date, parts};
use std::sync::Arc;

const ORDERS: Shape = Shape { connection: "FulfillmentOrderConnection", edge: "FulfillmentOrderEdge" };
const LINES: Shape =
    Shape { connection: "FulfillmentOrderLineItemConnection", edge: "FulfillmentOrderLineItemEdge" };
const FULFILMENTS: Shape = Shape { connection: "FulfillmentConnection", edge: "FulfillmentEdge" };

pub(in crate::shopify) struct FulfilmentOrderNode {
    order: Arc<Order>,
    of: FulfilmentOrder,
}

impl FulfilmentOrderNode {
    /// Of an order that the app may see.
    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        let state = request.shop.state();
        let (order_id, of) = find(&state, id)?;
        let order = state.orders.get(&order_id)?.clone();
        visible(request, &order).then_some(Self { order, of })
    }
}

/// `Order.fulfillmentOrders`.
pub(super) fn fulfilment_orders(order: &Arc<Order>, args: &Arguments, request: &Arc<Request>) -> Resolved {
    let all = of(&request.shop.state(), order);
    let all = all.into_iter().map(|of| (of.id, of)).collect();
    parts(ORDERS, all, args, request, |of| FulfilmentOrderNode { order: order.clone(), of })
}

/// Whether all that is left of an order is on hold.
pub(super) fn is_held(order: &Order, request: &Request) -> bool {
    let all = of(&request.shop.state(), order);
    let mut left = all.iter().filter(|of| !matches!(of.status, "CLOSED" | "CANCELLED")).peekable();
    left.peek().is_some() && left.all(|of| of.status == "ON_HOLD")
}

impl Node for FulfilmentOrderNode {
    fn type_name(&self) -> &'static str {
        "FulfillmentOrder"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let (of, order) = (&self.of, &self.order);
        match name {
            "id" => leaf(gid("FulfillmentOrder", of.id)),
            "status" => leaf(of.status),
            "requestStatus" => leaf("UNSUBMITTED"),
            "createdAt" | "orderProcessedAt" => date(order.created_at),
            "updatedAt" => date(order.updated_at),
            "orderId" => leaf(order.gid()),
            "orderName" => leaf(order.name.clone()),
            "order" => object(OrderNode::new(order.clone())),
            "fulfillAt" => match &of.stop {
                Some(Stop::Scheduled { at }) => date(*at),
                _ => null(),
            },
            "fulfillBy" | "channelId" => null(),
            "assignedLocation" => object(
                Record::new("FulfillmentOrderAssignedLocation")
                    .leaf("name", of.warehouse.name)
                    .leaf("countryCode", "DE")
                    .node("location", LocationNode(of.warehouse)),
            ),
            "fulfillmentHolds" => {
                let by_person = match &of.stop {
                    Some(Stop::Hold { reason }) if of.status == "ON_HOLD" => Some(by_person(of.id, reason)),
                    _ => None,
                };
                // Of what is closed nothing is held any more.
                let by_app = of.holds.iter().filter(|_| of.status == "ON_HOLD").map(by_app);
                list(by_person.into_iter().chain(by_app))
            }
            "supportedActions" => {
                let actions: &[&str] = match of.status {
                    "ON_HOLD" => &["RELEASE_HOLD", "MOVE"],
                    "SCHEDULED" => &["MARK_AS_OPEN", "MOVE"],
                    "OPEN" | "IN_PROGRESS" => &["CREATE_FULFILLMENT", "HOLD", "MOVE"],
                    _ => &[],
                };
                list(
                    actions
                        .iter()
                        .map(|action| Record::new("FulfillmentOrderSupportedAction").leaf("action", *action)),
                )
            }
            "lineItems" => {
                let lines = of.lines.iter().map(|line| (line.id, *line)).collect();
                parts(LINES, lines, args, request, |line| LineOf { order: order.clone(), line })
            }
            "fulfillments" => {
                let here = |id: &u64| of.lines.iter().any(|line| order.lines[line.index].id == *id);
                let all = order.fulfilments.iter().enumerate();
                let all = all.filter(|(_, one)| one.lines.iter().any(|(id, _)| here(id)));
                let all = all.map(|(index, one)| (one.id, index)).collect();
                parts(FULFILMENTS, all, args, request, |index| FulfilmentNode { order: order.clone(), index })
            }
            other => Err(unmodelled("FulfillmentOrder", other)),
        }
    }
}

fn held(id: u64, reason: &str) -> Record {
    Record::new("FulfillmentHold")
        .leaf("id", gid("FulfillmentHold", id))
        .leaf("reason", reason)
        .leaf("displayReason", displayed(reason))
}

fn by_person(id: u64, reason: &str) -> Record {
    held(id, reason)
        .leaf("handle", serde_json::Value::Null)
        .leaf("reasonNotes", serde_json::Value::Null)
        .leaf("heldByRequestingApp", false)
}

/// As the one app of this shop sees it that placed it.
pub(in crate::shopify) fn by_app(hold: &Hold) -> Record {
    held(hold.id, &hold.reason)
        .leaf("handle", hold.handle.clone())
        .leaf("reasonNotes", hold.notes.clone())
        .leaf("heldByRequestingApp", true)
}

fn displayed(reason: &str) -> String {
    let words = reason.to_ascii_lowercase().replace('_', " ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

struct LineOf {
    order: Arc<Order>,
    line: OpenLine,
}

impl Node for LineOf {
    fn type_name(&self) -> &'static str {
        "FulfillmentOrderLineItem"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let line = &self.order.lines[self.line.index];
        match name {
            "id" => leaf(gid("FulfillmentOrderLineItem", self.line.id)),
            "sku" => leaf(line.sku.clone()),
            "remainingQuantity" => leaf(self.line.remaining),
            "totalQuantity" => leaf(self.line.total),
            "requiresShipping" => leaf(line.requires_shipping),
            "productTitle" => leaf(line.title.clone()),
            "variantTitle" => leaf(line.variant_title.clone()),
            "vendor" => leaf(line.vendor.clone()),
            "lineItem" => object(LineNode { order: self.order.clone(), index: self.line.index }),
            other => Err(unmodelled("FulfillmentOrderLineItem", other)),
        }
    }
}
