//! The lines of a generated order: goods in plausible quantities, and the odd ones that real orders hold.

use rust_decimal::Decimal;

use super::mix::Mix;
use crate::shop::catalogue::{ITEMS, Item};
use crate::shop::chance::Chance;
use crate::shop::line::{Duty, Line};
use crate::shop::money::{Currencies, MoneyBag};
use crate::shop::order::Order;
use crate::shop::trap::Trap;

/// How many units of a shop's currency a euro is worth, to give prices a plausible size.
fn units_per_euro(code: &str) -> Decimal {
    match code {
        "JPY" => Decimal::from(160),
        "BHD" => Decimal::new(41, 2),
        "KWD" => Decimal::new(33, 2),
        "USD" => Decimal::new(108, 2),
        _ => Decimal::ONE,
    }
}

/// A price given in euro cents, in the order's money.
pub(super) fn price(money: &Currencies, euro_cents: i64) -> MoneyBag {
    money.bag(Decimal::new(euro_cents, 2) * units_per_euro(money.shop.code()))
}

pub(super) fn goods(order: &Order, item: &Item, quantity: u32, id: u64) -> Line {
    Line {
        id,
        variant_id: Some(item.variant_id()),
        product_id: Some(item.product_id()),
        product_exists: true,
        sku: Some(item.sku.to_owned()),
        title: item.title.to_owned(),
        variant_title: None,
        vendor: Some("Tidal Supply".to_owned()),
        quantity,
        current_quantity: quantity,
        fulfilled: 0,
        returned: 0,
        price: price(&order.money, item.price_cents),
        gift_card: false,
        tip: false,
        taxable: true,
        requires_shipping: true,
        grams: item.grams,
        properties: Vec::new(),
        discount_allocations: Vec::new(),
        tax_lines: Vec::new(),
        duties: Vec::new(),
        added_by_edit: false,
    }
}

/// A line that stands for no variant.
fn bare(order: &mut Order, title: &str, euro_cents: i64) -> Line {
    let id = order.part_id();
    let mut line = goods(order, &ITEMS[0], 1, id);
    line.variant_id = None;
    line.product_id = None;
    line.product_exists = false;
    line.sku = None;
    line.title = title.to_owned();
    line.vendor = None;
    line.price = price(&order.money, euro_cents);
    line.grams = 0;
    line.requires_shipping = false;
    line
}

pub(super) fn fill(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    let many = chance.per_mille(mix.many_lines);
    let count = if many {
        chance.between(251, 320)
    } else {
        [1, 1, 2, 2, 3, 3, 4, 5, 8, 12][chance.below(10) as usize]
    };
    for _ in 0..count {
        let Some(item) = chance.one_of(&ITEMS) else { continue };
        let quantity = quantity(order.company.is_some(), chance);
        let id = order.part_id();
        let mut line = goods(order, item, quantity, id);
        if chance.per_mille(30) {
            line.properties = vec![("Engraving".to_owned(), "für Ada \u{1f527}".to_owned())];
            order.traps.push(Trap::Properties);
        }
        order.lines.push(line);
    }
    if many {
        order.traps.push(Trap::ManyLines);
    }
    odd_skus(order, mix, chance);
    odd_lines(order, mix, chance);
}

fn quantity(business: bool, chance: &mut Chance) -> u32 {
    let quantity = match (business, chance.below(100)) {
        (true, 0) => 7000,
        (true, 1..=20) => chance.between(50, 500),
        (true, _) => chance.between(1, 48),
        (false, _) => chance.between(1, 3),
    };
    u32::try_from(quantity).unwrap_or(1)
}

/// Spoils the SKU of the first line in one of the ways that are seen.
fn odd_skus(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    let unknown = format!("SKU-{}", 9001 + chance.below(3));
    let (trap, sku) = if chance.per_mille(mix.unknown_sku) {
        (Trap::UnknownSku, Some(unknown))
    } else if chance.per_mille(mix.miscased_sku) {
        (Trap::MiscasedSku, order.lines[0].sku.as_deref().map(str::to_lowercase))
    } else if chance.per_mille(mix.padded_sku) {
        let padding = ["\r\n", " "][chance.below(2) as usize];
        (Trap::PaddedSku, order.lines[0].sku.as_ref().map(|sku| format!("{sku}{padding}")))
    } else if chance.per_mille(mix.empty_sku) {
        (Trap::EmptySku, Some(String::new()))
    } else {
        return;
    };
    order.lines[0].sku = sku;
    order.traps.push(trap);
}

fn odd_lines(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    if chance.per_mille(mix.null_variant) {
        let line = &mut order.lines[0];
        (line.variant_id, line.product_id, line.product_exists, line.vendor) = (None, None, false, None);
        order.traps.push(Trap::NullVariant);
    }
    if chance.per_mille(mix.custom_line) {
        let line = bare(order, "Setting up on site", 12_500);
        order.lines.push(line);
        order.traps.push(Trap::CustomLine);
    }
    if chance.per_mille(mix.gift_card_bought) {
        let mut card = bare(order, "Gift card", 5000);
        card.gift_card = true;
        card.taxable = false;
        card.product_id = Some(8_137_104_789_999);
        card.variant_id = Some(44_392_954_499_999);
        card.product_exists = true;
        order.lines.push(card);
        order.traps.push(Trap::GiftCardBought);
    }
}

/// A tip, in one of the two ways in which bodies show it.
pub(super) fn tip(order: &mut Order, chance: &mut Chance) {
    let cents = i64::try_from(chance.between(100, 900)).unwrap_or(100);
    if chance.per_mille(500) {
        let mut line = bare(order, "Tip", cents);
        line.tip = true;
        line.taxable = false;
        order.lines.push(line);
        order.traps.push(Trap::TipAsLine);
    } else {
        order.tip_without_line = price(&order.money, cents);
        order.traps.push(Trap::TipWithoutLine);
    }
}

/// 4 % on each line of goods.
pub(super) fn duties(order: &mut Order) {
    for index in 0..order.lines.len() {
        let id = order.part_id();
        let money = order.money;
        let line = &mut order.lines[index];
        if line.variant_id.is_none() || line.gift_card {
            continue;
        }
        let (net, percent) = (line.net(), Decimal::new(4, 2));
        line.duties.push(Duty {
            id,
            harmonized_system_code: "731815".to_owned(),
            country_code_of_origin: "CN".to_owned(),
            price: money.round(MoneyBag { shop: net.shop * percent, presentment: net.presentment * percent }),
        });
        order.traps.push(Trap::Duties);
    }
    order.traps.dedup();
}
