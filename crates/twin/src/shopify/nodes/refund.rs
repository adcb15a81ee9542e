//! `Refund` with its lines, shipping and duties. Shopify shows removals by an order edit or a cancellation here too.

use super::line::{LineNode, duty_record};
use super::money::{amount, bag, bag_record, shop_money};
use super::order::OrderNode;
use super::payment::TransactionNode;
use super::shipping::ShippingLineNode;
use crate::shop::{MoneyBag, Order, Refund, RestockType, gid};
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Refusal, Request, Resolved, leaf, list, null, object, optional,
    unmodelled,
};
use crate::shopify::orders::order_with;
use crate::shopify::page::{Shape, date, parts};
use std::sync::Arc;

pub(in crate::shopify) struct RefundNode {
    pub(super) order: Arc<Order>,
    /// Of a refund that is there.
    pub(super) index: usize,
}

const LINES: Shape = Shape { connection: "RefundLineItemConnection", edge: "RefundLineItemEdge" };
const SHIPPING: Shape = Shape { connection: "RefundShippingLineConnection", edge: "RefundShippingLineEdge" };
const TRANSACTIONS: Shape = Shape { connection: "OrderTransactionConnection", edge: "OrderTransactionEdge" };
const ADJUSTMENTS: Shape = Shape { connection: "OrderAdjustmentConnection", edge: "OrderAdjustmentEdge" };

impl RefundNode {
    /// Of an order that the app may see.
    pub(in crate::shopify) fn find(request: &Request, id: u64) -> Option<Self> {
        order_with(request, |order| order.refunds.iter().position(|refund| refund.id == id))
            .map(|(order, index)| Self { order, index })
    }

    fn refund(&self) -> &Refund {
        &self.order.refunds[self.index]
    }

    fn total(&self) -> MoneyBag {
        let ids = self.refund().transactions.iter();
        ids.filter_map(|id| self.order.transaction(*id)).map(|transaction| transaction.amount).sum()
    }
}

impl Node for RefundNode {
    fn type_name(&self) -> &'static str {
        "Refund"
    }

    fn field(&self, name: &str, args: &Arguments, request: &Arc<Request>) -> Resolved {
        let (order, refund) = (&self.order, self.refund());
        match name {
            "id" => leaf(gid("Refund", refund.id)),
            "legacyResourceId" => leaf(refund.id.to_string()),
            "createdAt" | "processedAt" | "updatedAt" => date(refund.created_at),
            "note" => leaf(refund.note.clone()),
            "order" => object(OrderNode::new(order.clone())),
            "totalRefunded" => shop_money(order, self.total()),
            "totalRefundedSet" => bag(order, self.total()),
            "duties" => list(refund.duties.iter().map(|(id, amount)| refund_duty(order, *id, *amount))),
            "refundLineItems" => {
                let items = refund.lines.iter().enumerate().map(|(index, line)| (line.id, index)).collect();
                parts(LINES, items, args, request, |line| RefundLineNode {
                    order: order.clone(),
                    refund: self.index,
                    line,
                })
            }
            "refundShippingLines" => {
                let items = refund.shipping.iter().map(|back| (back.id, back.clone())).collect();
                parts(SHIPPING, items, args, request, |back| {
                    let index = order.shipping_lines.iter().position(|line| line.id == back.shipping_line_id);
                    let line = ShippingLineNode { order: order.clone(), index: index.unwrap_or_default() };
                    Record::new("RefundShippingLine")
                        .leaf("id", gid("RefundShippingLine", back.id))
                        .node("shippingLine", line)
                        .node("subtotalAmountSet", bag_record(order, back.subtotal))
                        .node("taxAmountSet", bag_record(order, back.tax))
                })
            }
            "transactions" => {
                let items = refund.transactions.iter().map(|id| (*id, *id)).collect();
                parts(TRANSACTIONS, items, args, request, |id| TransactionNode { order: order.clone(), id })
            }
            "orderAdjustments" => {
                parts(ADJUSTMENTS, Vec::<(u64, Record)>::new(), args, request, |adjustment| adjustment)
            }
            other => Err(unmodelled("Refund", other)),
        }
    }
}

fn refund_duty(order: &Order, id: u64, amount: MoneyBag) -> Record {
    let original = order.lines.iter().flat_map(|line| &line.duties).find(|duty| duty.id == id);
    let original =
        original.map_or(Answer::Leaf(serde_json::Value::Null), |duty| Answer::node(duty_record(order, duty)));
    Record::new("RefundDuty").node("amountSet", bag_record(order, amount)).answer("originalDuty", original)
}

struct RefundLineNode {
    order: Arc<Order>,
    refund: usize,
    line: usize,
}

impl Node for RefundLineNode {
    fn type_name(&self) -> &'static str {
        "RefundLineItem"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let order = &self.order;
        let back = &order.refunds[self.refund].lines[self.line];
        let index = order.lines.iter().position(|line| line.id == back.line_id);
        let index =
            index.ok_or_else(|| Refusal::new("INTERNAL_SERVER_ERROR", "the refunded line is gone"))?;
        match name {
            "id" => leaf(gid("RefundLineItem", back.id)),
            "quantity" => leaf(back.quantity),
            "restockType" => leaf(back.restock.graphql()),
            "restocked" => leaf(back.restock != RestockType::NoRestock),
            "lineItem" => object(LineNode { order: order.clone(), index }),
            "price" => amount(order, order.lines[index].price),
            "priceSet" => bag(order, order.lines[index].price),
            "subtotal" => amount(order, back.subtotal),
            "subtotalSet" => bag(order, back.subtotal),
            "totalTax" => amount(order, back.total_tax),
            "totalTaxSet" => bag(order, back.total_tax),
            "location" => match back.location_id {
                Some(id) => optional(super::LocationNode::find(id)),
                None => null(),
            },
            other => Err(unmodelled("RefundLineItem", other)),
        }
    }
}
