//! Discounts: `DiscountApplication` with its kinds, and the share of each on a line.

use super::money::{bag_record, money_record};
use crate::shop::{DiscountAllocation, DiscountKind, DiscountTarget, DiscountValue, Order};
use crate::shopify::answer::{
    Arguments, Node, Record, Request, Resolved, leaf, list, null, object, unmodelled,
};
use rust_decimal::prelude::ToPrimitive as _;
use std::sync::Arc;

pub(super) struct ApplicationNode {
    pub(super) order: Arc<Order>,
    /// Of an application that is there.
    pub(super) index: usize,
}

/// For a connection: numbered by their place.
pub(super) fn application_items(order: &Order) -> Vec<(u64, usize)> {
    (0..order.discount_applications.len()).map(|index| (index as u64, index)).collect()
}

impl Node for ApplicationNode {
    fn type_name(&self) -> &'static str {
        match self.order.discount_applications[self.index].kind {
            DiscountKind::Code => "DiscountCodeApplication",
            DiscountKind::Manual => "ManualDiscountApplication",
            DiscountKind::Automatic => "AutomaticDiscountApplication",
        }
    }

    fn field(&self, name: &str, _: &Arguments, _: &Arc<Request>) -> Resolved {
        let application = &self.order.discount_applications[self.index];
        match name {
            "index" => leaf(self.index),
            "allocationMethod" => leaf("ACROSS"),
            "targetSelection" => leaf("ALL"),
            "targetType" => leaf(match application.target {
                DiscountTarget::Lines => "LINE_ITEM",
                DiscountTarget::Shipping => "SHIPPING_LINE",
            }),
            "code" | "title" => leaf(application.title.clone()),
            "description" => null(),
            "value" => match application.value {
                DiscountValue::Percentage(percent) => {
                    object(Record::new("PricingPercentageValue").leaf("percentage", percent.to_f64()))
                }
                DiscountValue::Fixed(amount) => object(money_record(self.order.money.shop, amount.shop)),
            },
            other => Err(unmodelled(self.type_name(), other)),
        }
    }
}

pub(super) fn allocations(order: &Arc<Order>, shares: &[DiscountAllocation]) -> Resolved {
    list(shares.iter().filter(|share| share.application < order.discount_applications.len()).map(|share| {
        Record::new("DiscountAllocation")
            .node("allocatedAmount", money_record(order.money.shop, share.amount.shop))
            .node("allocatedAmountSet", bag_record(order, share.amount))
            .node("discountApplication", ApplicationNode { order: order.clone(), index: share.application })
    }))
}
