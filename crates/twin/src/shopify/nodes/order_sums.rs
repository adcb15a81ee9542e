//! Every amount of an `Order`, as ordered and as it is now, in both spellings (`…Set` and the deprecated scalar).

use super::line::tax_record;
use super::money::{amount, bag, bag_or_null, bag_record, shop_money};
use super::order::OrderNode;
use crate::shop::{FinancialStatus, MoneyBag, Order, TaxLine};
use crate::shopify::answer::{Record, Resolved, leaf, list, null, object, unmodelled};

impl OrderNode {
    pub(super) fn sum(&self, name: &str) -> Resolved {
        if let Some(known) = self.bag_of(name.strip_suffix("Set").unwrap_or(name)) {
            return match name {
                _ if name.ends_with("Set") => bag(&self.order, known),
                "totalTipReceived" => shop_money(&self.order, known),
                _ => amount(&self.order, known),
            };
        }
        let (order, totals) = (&self.order, self.totals());
        match name {
            "originalTotalDutiesSet" => bag_or_null(order, totals.duties),
            "currentTotalDutiesSet" => bag_or_null(order, totals.current_duties),
            "originalTotalAdditionalFeesSet" | "currentTotalAdditionalFeesSet" => null(),
            "totalCashRoundingAdjustment" => object(
                Record::new("CashRoundingAdjustment")
                    .node("paymentSet", bag_record(order, MoneyBag::ZERO))
                    .node("refundSet", bag_record(order, MoneyBag::ZERO)),
            ),
            "taxLines" => list(order.taxes().iter().map(|tax| tax_record(order, tax))),
            "currentTaxLines" => list(current_taxes(order).iter().map(|tax| tax_record(order, tax))),
            "subtotalLineItemsQuantity" => leaf(units(order, |line| line.quantity)),
            "currentSubtotalLineItemsQuantity" => leaf(units(order, |line| line.current_quantity)),
            "totalWeight" => leaf(weight(order, |line| line.quantity)),
            "currentTotalWeight" => leaf(weight(order, |line| line.current_quantity)),
            other => Err(unmodelled("Order", other)),
        }
    }

    /// By the name without `Set`.
    fn bag_of(&self, name: &str) -> Option<MoneyBag> {
        let totals = self.totals();
        Some(match name {
            "totalPrice" => totals.total,
            "originalTotalPrice" => self.order.original_total,
            "currentTotalPrice" => totals.current_total,
            "subtotalPrice" => totals.subtotal,
            "currentSubtotalPrice" => totals.current_subtotal,
            "totalTax" => totals.tax,
            "currentTotalTax" => totals.current_tax,
            "totalDiscounts" => totals.discounts,
            "currentTotalDiscounts" => totals.current_discounts,
            "totalShippingPrice" => totals.shipping,
            "currentShippingPrice" => totals.current_shipping,
            "totalTipReceived" => totals.tips,
            "totalReceived" => totals.received,
            "totalRefunded" => totals.refunded,
            "totalOutstanding" => totals.outstanding,
            "netPayment" => totals.received - totals.refunded,
            "totalRefundedShipping" => self.order.shipping_lines.iter().map(|line| line.refunded).sum(),
            "totalCapturable" if self.order.financial_status() == FinancialStatus::Authorized => {
                totals.outstanding
            }
            "totalCapturable" => MoneyBag::ZERO,
            // Every discount of this shop is one on the whole order.
            "cartDiscountAmount" => totals.discounts,
            "currentCartDiscountAmount" => totals.current_discounts,
            _ => return None,
        })
    }
}

/// Goods alone: tips and gift cards do not count.
fn units(order: &Order, quantity: impl Fn(&crate::shop::Line) -> u32) -> u32 {
    order.lines.iter().filter(|line| !line.tip && !line.gift_card).map(quantity).sum()
}

/// In grams, as a string: the scalar has 64 bits.
fn weight(order: &Order, quantity: impl Fn(&crate::shop::Line) -> u32) -> String {
    let grams: u64 = order.lines.iter().map(|line| u64::from(line.grams) * u64::from(quantity(line))).sum();
    grams.to_string()
}

fn current_taxes(order: &Order) -> Vec<TaxLine> {
    let lines = order.lines.iter().flat_map(|line| {
        line.tax_lines
            .iter()
            .map(|tax| TaxLine { price: line.current(&order.money, tax.price), ..tax.clone() })
    });
    let shipping = order.shipping_lines.iter().flat_map(|line| {
        let given_back = !line.refunded_tax.is_zero();
        line.tax_lines.iter().map(move |tax| TaxLine {
            price: if given_back { MoneyBag::ZERO } else { tax.price },
            ..tax.clone()
        })
    });
    let mut sums: Vec<TaxLine> = Vec::new();
    for tax in lines.chain(shipping) {
        match sums.iter_mut().find(|sum| sum.title == tax.title && sum.rate == tax.rate) {
            Some(sum) => sum.price += tax.price,
            None => sums.push(tax),
        }
    }
    sums
}
