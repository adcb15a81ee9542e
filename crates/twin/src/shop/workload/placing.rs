//! Builds one order at the moment of its placing: who, what, at which price, less which discounts, with which tax, paid
//! how.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::WorkloadConfig;
use super::mix::Mix;
use super::{buyers, goods, paying, pricing};
use crate::shop::chance::{Chance, mix as mixed};
use crate::shop::money::{Currencies, Currency, MoneyBag};
use crate::shop::operations::whole_second;
use crate::shop::order::{App, Order};
use crate::shop::trap::Trap;

pub(super) fn order(config: &WorkloadConfig, chance: &mut Chance, number: u64, at: Timestamp) -> Order {
    let mix = &config.mix;
    let mut order = blank(config, chance, number, at);
    buyers::buyer(&mut order, mix, chance);
    goods::fill(&mut order, mix, chance);
    pricing::shipping(&mut order, chance);
    pricing::discounts(&mut order, mix, chance);
    pricing::taxes(&mut order, mix, chance);
    if chance.per_mille(mix.duties) {
        goods::duties(&mut order);
    }
    if order.company.is_none() && chance.per_mille(mix.tip) {
        goods::tip(&mut order, chance);
    }
    decoration(&mut order, mix, chance);
    order.original_total = order.totals().current_total;
    paying::payment(&mut order, mix, chance, at);
    order.updated_at = order.created_at;
    order
}

fn blank(config: &WorkloadConfig, chance: &mut Chance, number: u64, at: Timestamp) -> Order {
    let mix = &config.mix;
    let small = chance.per_mille(200);
    let seed_part = mixed(config.seed) % 1_000_000_007;
    let id = if small {
        5_361_237_000_000 + seed_part * 1000 + number
    } else {
        820_982_911_946_154_508 + seed_part * 1_000_000_007 + number * 1009
    };
    let money = currencies(mix, chance);
    let token = format!("{:016x}{:016x}", mixed(id), mixed(id + 1));
    let mut traps = Vec::new();
    let facts = [
        (small, Trap::SmallId),
        (money.shop.minor_units() == 0, Trap::ZeroDecimals),
        (money.shop.minor_units() == 3, Trap::ThreeDecimals),
        (money.shop != money.presentment, Trap::Presentment),
    ];
    traps.extend(facts.into_iter().filter(|(holds, _)| *holds).map(|(_, trap)| trap));
    Order {
        shop: config.shop.clone(),
        id,
        name: format!("#{}", number + 1000),
        number,
        confirmation_number: format!("{:09X}", mixed(id ^ number) % 0xF_FFFF_FFFF),
        token,
        created_at: whole_second(at),
        processed_at: whole_second(at),
        updated_at: whole_second(at),
        cancelled_at: None,
        closed_at: None,
        cancel_reason: None,
        money,
        taxes_included: chance.per_mille(mix.tax_included),
        duties_included: false,
        tax_exempt: false,
        test: chance.per_mille(mix.test),
        source_name: "web".to_owned(),
        source_identifier: None,
        app: Some(App { id: 580_111, name: "Online Store".to_owned() }),
        email: None,
        phone: None,
        locale: Some("en".to_owned()),
        note: None,
        note_attributes: Vec::new(),
        tags: Vec::new(),
        po_number: None,
        customer: None,
        billing_address: None,
        shipping_address: None,
        company: None,
        lines: Vec::new(),
        shipping_lines: Vec::new(),
        discount_applications: Vec::new(),
        tip_without_line: MoneyBag::ZERO,
        original_total: MoneyBag::ZERO,
        transactions: Vec::new(),
        refunds: Vec::new(),
        fulfilments: Vec::new(),
        payment_terms: None,
        metafields: Vec::new(),
        traps,
        parts_numbered: 0,
    }
}

fn currencies(mix: &Mix, chance: &mut Chance) -> Currencies {
    let weights: u64 = mix.currencies.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut drawn = chance.below(weights);
    let mut shop = Currency::EUR;
    for (currency, weight) in &mix.currencies {
        shop = *currency;
        match drawn.checked_sub(u64::from(*weight)) {
            Some(left) => drawn = left,
            None => break,
        }
    }
    if !chance.per_mille(mix.presentment) {
        return Currencies::single(shop);
    }
    let (presentment, rate) = match shop.code() {
        "EUR" if chance.per_mille(500) => (Currency::JPY, Decimal::new(16_137, 2)),
        "EUR" => (Currency::USD, Decimal::new(10_843, 4)),
        "JPY" => (Currency::USD, Decimal::new(6_671, 6)),
        "USD" => (Currency::KWD, Decimal::new(30_715, 5)),
        _ => (Currency::EUR, Decimal::new(241, 2)),
    };
    Currencies::two(shop, presentment, rate)
}

fn decoration(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    if order.test {
        order.traps.push(Trap::TestOrder);
    }
    if chance.per_mille(mix.poison) {
        order.po_number =
            Some("PLEASE DELIVER TO THE BACK GATE AND CALL MRS WINTER FIRST, THANK YOU".to_owned());
        order.traps.push(Trap::LongPoNumber);
    }
    if chance.per_mille(100) {
        order.note = Some("Bitte klingeln.\r\nDanke \u{1f64f}".to_owned());
    }
    if chance.per_mille(80) {
        order.note_attributes =
            vec![("cost centre".to_owned(), "4711".to_owned()), ("__proto__".to_owned(), String::new())];
        order.traps.push(Trap::NoteAttributes);
    }
    if chance.per_mille(100) {
        order.tags = vec!["b2b-portal".to_owned(), "priority".to_owned()];
    }
}
