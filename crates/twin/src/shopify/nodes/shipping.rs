//! `ShippingLine`.

use super::discount::allocations;
use super::line::tax_record;
use super::money::{amount, bag, shop_money};
use crate::shop::{Order, gid};
use crate::shopify::answer::{Arguments, Node, Request, Resolved, leaf, list, null, unmodelled};
use std::sync::Arc;

pub(super) struct ShippingLineNode {
    pub(super) order: Arc<Order>,
    /// Of a line that is there.
    pub(super) index: usize,
}

impl Node for ShippingLineNode {
    fn type_name(&self) -> &'static str {
        "ShippingLine"
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let order = &self.order;
        let line = &order.shipping_lines[self.index];
        match name {
            "id" => leaf(gid("ShippingLine", line.id)),
            "title" => leaf(line.title.clone()),
            "code" => leaf(line.code.clone()),
            "source" => leaf(line.source.clone()),
            "carrierIdentifier" => leaf(line.carrier_identifier.clone()),
            "custom" => leaf(line.source.is_none()),
            "isRemoved" => leaf(false),
            "price" => amount(order, line.price),
            "originalPrice" => shop_money(order, line.price),
            "originalPriceSet" => bag(order, line.price),
            "discountedPrice" => shop_money(order, line.discounted()),
            "discountedPriceSet" => bag(order, line.discounted()),
            "currentDiscountedPriceSet" => bag(order, line.discounted() - line.refunded),
            "taxLines" => list(line.tax_lines.iter().map(|tax| tax_record(order, tax))),
            "discountAllocations" => allocations(order, &line.discount_allocations),
            "deliveryCategory" | "phone" | "shippingRateHandle" => null(),
            other => Err(unmodelled("ShippingLine", other)),
        }
    }
}
