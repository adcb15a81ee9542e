//! What comes on top of the lines and goes off them: shipping, discounts with their rounding, taxes.

use rust_decimal::Decimal;

use super::goods;
use super::mix::Mix;
use crate::shop::catalogue::{ITEMS, TaxClass};
use crate::shop::chance::Chance;
use crate::shop::line::{
    DiscountAllocation, DiscountApplication, DiscountKind, DiscountTarget, DiscountValue, ShippingLine,
    tax_lines,
};
use crate::shop::money::MoneyBag;
use crate::shop::order::Order;
use crate::shop::trap::Trap;

pub(super) fn shipping(order: &mut Order, chance: &mut Chance) {
    let (title, code, cents) = match chance.below(10) {
        0 => return,
        1 | 2 => ("Free shipping", "free", 0),
        3..=6 => ("Standard", "standard", 495),
        _ => ("Pallet freight", "freight", 8_950),
    };
    let id = order.part_id();
    order.shipping_lines.push(ShippingLine {
        id,
        title: title.to_owned(),
        code: Some(code.to_owned()),
        source: Some("shopify".to_owned()),
        carrier_identifier: None,
        price: goods::price(&order.money, cents),
        discount_allocations: Vec::new(),
        tax_lines: Vec::new(),
        refunded: MoneyBag::ZERO,
        refunded_tax: MoneyBag::ZERO,
    });
}

pub(super) fn discounts(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    if chance.per_mille(mix.free) {
        percentage(order, DiscountKind::Manual, "Goodwill", Decimal::ONE_HUNDRED);
        order.shipping_lines.clear();
        order.traps.push(Trap::FreeOrder);
        return;
    }
    if chance.per_mille(mix.discount) {
        match chance.below(3) {
            0 => percentage(order, DiscountKind::Code, "WELCOME10", Decimal::from(10)),
            1 => fixed(order, DiscountKind::Manual, "Agreed by phone", 1_000),
            _ => percentage(order, DiscountKind::Automatic, "Spring: 7.5 % off", Decimal::new(75, 1)),
        }
        if chance.per_mille(333) {
            fixed(order, DiscountKind::Code, "FIVER", 500);
            percentage(order, DiscountKind::Automatic, "Loyalty 3 %", Decimal::from(3));
            order.traps.push(Trap::SeveralDiscounts);
        }
    }
    if chance.per_mille(mix.shipping_discount) {
        shipping_discount(order);
    }
}

/// What of each line a further discount may still take; gift cards are left alone.
fn discountable(order: &Order) -> Vec<MoneyBag> {
    order.lines.iter().map(|line| if line.gift_card { MoneyBag::ZERO } else { line.net() }).collect()
}

fn percentage(order: &mut Order, kind: DiscountKind, title: &str, percent: Decimal) {
    let weights = discountable(order);
    let base: MoneyBag = weights.iter().sum();
    let share = percent / Decimal::ONE_HUNDRED;
    let total =
        order.money.round(MoneyBag { shop: base.shop * share, presentment: base.presentment * share });
    allocate(order, kind, title, DiscountValue::Percentage(percent), total, &weights);
}

fn fixed(order: &mut Order, kind: DiscountKind, title: &str, euro_cents: i64) {
    let weights = discountable(order);
    let base: MoneyBag = weights.iter().sum();
    let amount = goods::price(&order.money, euro_cents);
    if amount.shop >= base.shop || amount.presentment >= base.presentment {
        return;
    }
    allocate(order, kind, title, DiscountValue::Fixed(amount), amount, &weights);
}

fn allocate(
    order: &mut Order,
    kind: DiscountKind,
    title: &str,
    value: DiscountValue,
    total: MoneyBag,
    weights: &[MoneyBag],
) {
    let application = order.discount_applications.len();
    let shares = order.money.split(total, weights);
    for (line, amount) in order.lines.iter_mut().zip(shares) {
        if !amount.is_zero() {
            line.discount_allocations.push(DiscountAllocation { application, amount });
        }
    }
    let (target, title) = (DiscountTarget::Lines, title.to_owned());
    order.discount_applications.push(DiscountApplication { kind, target, value, title });
}

fn shipping_discount(order: &mut Order) {
    let application = order.discount_applications.len();
    let Some(line) = order.shipping_lines.first_mut() else { return };
    if line.price.is_zero() {
        return;
    }
    line.discount_allocations.push(DiscountAllocation { application, amount: line.price });
    order.discount_applications.push(DiscountApplication {
        kind: DiscountKind::Code,
        target: DiscountTarget::Shipping,
        value: DiscountValue::Percentage(Decimal::ONE_HUNDRED),
        title: "FREESHIP".to_owned(),
    });
    order.traps.push(Trap::DiscountedShipping);
}

pub(super) fn taxes(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    if order.taxes_included {
        order.traps.push(Trap::TaxIncluded);
    }
    if order.tax_exempt {
        return;
    }
    let stacked = chance.per_mille(mix.stacked_tax);
    let stack =
        [("State tax".to_owned(), Decimal::new(625, 4)), ("County tax".to_owned(), Decimal::new(175, 4))];
    let (money, included) = (order.money, order.taxes_included);
    for line in &mut order.lines {
        let class =
            ITEMS.iter().find(|item| item.title == line.title).map_or(TaxClass::Standard, |item| item.tax);
        let vat = [class.title_and_rate(mix.vat_percent)];
        line.tax_by(&money, if stacked { &stack } else { &vat }, included);
    }
    let vat = [TaxClass::Standard.title_and_rate(mix.vat_percent)];
    for line in &mut order.shipping_lines {
        let rates: &[_] = if stacked { &stack } else { &vat };
        line.tax_lines = tax_lines(&money, line.discounted(), rates, included);
    }
    if order.taxes().len() > 1 {
        order.traps.push(Trap::TwoTaxRates);
    }
}
