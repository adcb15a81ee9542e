//! `LineItem`, `TaxLine`, `Duty`: the lines of an order.

use super::discount::allocations;
use super::money::{amount, bag, bag_record};
use super::order::attributes;
use super::product::{ProductNode, VariantNode};
use crate::shop::{Line, MoneyBag, Order, TaxLine, gid};
use crate::shopify::answer::{
    Answer, Arguments, Node, Record, Request, Resolved, leaf, list, null, object, optional, unmodelled,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use std::sync::Arc;

pub(super) struct LineNode {
    pub(super) order: Arc<Order>,
    /// Of a line that is there.
    pub(super) index: usize,
}

impl LineNode {
    /// A share of the whole line's amount.
    fn portion(&self, total: MoneyBag, units: u32) -> MoneyBag {
        self.order.money.portion(total, units, self.line().quantity)
    }

    fn line(&self) -> &Line {
        &self.order.lines[self.index]
    }

    fn unit(&self, total: MoneyBag) -> MoneyBag {
        let quantity = Decimal::from(self.line().quantity.max(1));
        self.order
            .money
            .round(MoneyBag { shop: total.shop / quantity, presentment: total.presentment / quantity })
    }

    /// By the name without `Set`. Discounts of this shop are on the order as a whole: those "on the line" are zero.
    fn bag_of(&self, name: &str) -> Option<MoneyBag> {
        let line = self.line();
        let unfulfilled = line.fulfillable();
        Some(match name {
            "originalUnitPrice" | "discountedUnitPrice" => line.price,
            "originalTotal" | "discountedTotal" => line.gross(),
            "unfulfilledOriginalTotal" | "unfulfilledDiscountedTotal" => {
                self.portion(line.gross(), unfulfilled)
            }
            "totalDiscount" => MoneyBag::ZERO,
            "discountedUnitPriceAfterAllDiscounts" => self.unit(line.net()),
            "priceAfterAllDiscountsBeforeTaxes" => {
                let tax = if self.order.taxes_included { line.tax() } else { MoneyBag::ZERO };
                line.current(&self.order.money, line.net() - tax)
            }
            _ => return None,
        })
    }
}

impl Node for LineNode {
    fn type_name(&self) -> &'static str {
        "LineItem"
    }

    fn field(&self, name: &str, args: &Arguments, _: &Arc<Request>) -> Resolved {
        let (order, line) = (&self.order, self.line());
        if let Some(known) = self.bag_of(name.strip_suffix("Set").unwrap_or(name)) {
            return if name.ends_with("Set") { bag(order, known) } else { amount(order, known) };
        }
        match name {
            "id" => leaf(gid("LineItem", line.id)),
            "title" => leaf(line.title.clone()),
            "name" => leaf(line.name()),
            "variantTitle" => leaf(line.variant_title.clone()),
            "vendor" => leaf(line.vendor.clone()),
            "sku" => leaf(line.sku.clone()),
            "quantity" => leaf(line.quantity),
            "currentQuantity" | "refundableQuantity" => leaf(line.current_quantity),
            "fulfillableQuantity" | "unfulfilledQuantity" => leaf(line.fulfillable()),
            "nonFulfillableQuantity" => {
                leaf(line.quantity - line.fulfillable() - line.fulfilled.min(line.quantity))
            }
            "fulfillmentStatus" => leaf(match (line.fulfilled, line.fulfillable()) {
                (0, _) => "unfulfilled",
                (_, 0) => "fulfilled",
                _ => "partial",
            }),
            "isGiftCard" => leaf(line.gift_card),
            "taxable" => leaf(line.taxable),
            "requiresShipping" => leaf(line.requires_shipping),
            "restockable" | "canRestock" => leaf(line.requires_shipping && line.current_quantity > 0),
            "merchantEditable" => leaf(!line.tip && order.cancelled_at.is_none()),
            "customAttributes" => attributes(&line.properties),
            "discountAllocations" => allocations(order, &line.discount_allocations),
            "taxLines" => list(args.cut(line.tax_lines.iter().map(|tax| tax_record(order, tax)).collect())),
            "duties" => list(line.duties.iter().map(|duty| duty_record(order, duty))),
            // What was deleted is gone here too.
            "variant" => optional(VariantNode::of(line).filter(|_| line.product_exists)),
            "product" => optional(ProductNode::of(line).filter(|_| line.product_exists)),
            "weight" => {
                object(Record::new("Weight").leaf("unit", "GRAMS").leaf("value", f64::from(line.grams)))
            }
            "lineItemGroup" | "sellingPlan" => null(),
            other => Err(unmodelled("LineItem", other)),
        }
    }
}

pub(super) fn tax_record(order: &Order, tax: &TaxLine) -> Record {
    Record::new("TaxLine")
        .leaf("title", tax.title.clone())
        .leaf("rate", tax.rate.to_f64())
        .leaf("ratePercentage", (tax.rate * Decimal::ONE_HUNDRED).to_f64())
        .leaf("source", "Shopify")
        .leaf("channelLiable", false)
        .leaf("price", order.money.shop.write(tax.price.shop))
        .node("priceSet", bag_record(order, tax.price))
}

pub(super) fn duty_record(order: &Order, duty: &crate::shop::Duty) -> Record {
    Record::new("Duty")
        .leaf("id", gid("Duty", duty.id))
        .leaf("harmonizedSystemCode", duty.harmonized_system_code.clone())
        .leaf("countryCodeOfOrigin", duty.country_code_of_origin.clone())
        .node("price", bag_record(order, duty.price))
        .answer("taxLines", Answer::List(Vec::new()))
}
