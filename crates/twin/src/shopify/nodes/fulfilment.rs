//! `Fulfillment` and its lines.

use super::line::LineNode;
use super::location::LocationNode;
use super::money::{amount, bag};
use super::order::OrderNode;
use crate::shop::{MoneyBag, Order, Tracking, gid};
use crate::shopify::answer::{
    Arguments, Node, Record, Request, Resolved, leaf, list, null, object, optional, unmodelled,
};
use crate::shopify::orders::order_with;
use crate::shopify::page::{Shape, date, parts};
use std::sync::Arc;

pub(in crate::shopify) struct FulfilmentNode {
    pub(in crate::shopify) order: Arc<Order>,
    /// Of a fulfilment that is there.
    pub(in crate::shopify) index: usize,
}

const LINES: Shape = Shape { connection: "FulfillmentLineItemConnection", edge: "FulfillmentLineItemEdge" };

impl FulfilmentNode {
    /// Of an order that the app may see.
    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        order_with(request, |order| order.fulfilments.iter().position(|fulfilment| fulfilment.id == id))
            .map(|(order, index)| Self { order, index })
    }
}

impl Node for FulfilmentNode {
    fn type_name(&self) -> &'static str {
        "Fulfillment"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let order = &self.order;
        let fulfilment = &order.fulfilments[self.index];
        let is_cancelled = fulfilment.cancelled_at.is_some();
        match name {
            "id" => leaf(gid("Fulfillment", fulfilment.id)),
            "legacyResourceId" => leaf(fulfilment.id.to_string()),
            "name" => leaf(fulfilment.name.clone()),
            "status" => leaf(if is_cancelled { "CANCELLED" } else { "SUCCESS" }),
            "displayStatus" => leaf(if is_cancelled { "CANCELED" } else { "FULFILLED" }),
            "createdAt" => date(fulfilment.created_at),
            "updatedAt" => date(fulfilment.updated_at),
            "totalQuantity" => leaf(fulfilment.lines.iter().map(|(_, quantity)| *quantity).sum::<u32>()),
            "requiresShipping" => {
                let ships = |id: u64| order.line(id).is_some_and(|line| line.requires_shipping);
                leaf(fulfilment.lines.iter().any(|(id, _)| ships(*id)))
            }
            "location" => optional(LocationNode::find(fulfilment.location_id)),
            "order" => object(OrderNode::new(order.clone())),
            "trackingInfo" => list(args.cut(tracking(&fulfilment.tracking))),
            "fulfillmentLineItems" => {
                let known = |(id, quantity): &(u64, u32)| {
                    let index = order.lines.iter().position(|line| line.id == *id)?;
                    Some((
                        *id,
                        FulfilledLine {
                            order: order.clone(),
                            fulfilment: fulfilment.id,
                            index,
                            quantity: *quantity,
                        },
                    ))
                };
                parts(LINES, fulfilment.lines.iter().filter_map(known).collect(), args, request, |line| line)
            }
            "deliveredAt" | "estimatedDeliveryAt" | "inTransitAt" => null(),
            other => Err(unmodelled("Fulfillment", other)),
        }
    }
}

/// A number and the address beside it; what has neither, and a company, is one of its own.
fn tracking(of: &Tracking) -> Vec<Record> {
    let count = of.numbers.len().max(of.urls.len()).max(usize::from(of.company.is_some()));
    let one = |index: usize| {
        Record::new("FulfillmentTrackingInfo")
            .leaf("company", of.company.clone())
            .leaf("number", of.numbers.get(index).cloned())
            .leaf("url", of.urls.get(index).cloned())
    };
    (0..count).map(one).collect()
}

struct FulfilledLine {
    order: Arc<Order>,
    fulfilment: u64,
    index: usize,
    quantity: u32,
}

impl Node for FulfilledLine {
    fn type_name(&self) -> &'static str {
        "FulfillmentLineItem"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let line = &self.order.lines[self.index];
        let share = |total: MoneyBag| self.order.money.portion(total, self.quantity, line.quantity);
        match name {
            "id" => leaf(gid("FulfillmentLineItem", self.fulfilment ^ line.id)),
            "quantity" => leaf(self.quantity),
            "lineItem" => object(LineNode { order: self.order.clone(), index: self.index }),
            "originalTotal" | "discountedTotal" => amount(&self.order, share(line.gross())),
            "originalTotalSet" | "discountedTotalSet" => bag(&self.order, share(line.gross())),
            other => Err(unmodelled("FulfillmentLineItem", other)),
        }
    }
}
