//! Builds one order at the moment of its placing: who, what, at which price, less which discounts, with which tax, paid
//! how.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::goods;
use super::mix::Mix;
use super::{WorkloadConfig, after};
use crate::shop::catalogue::{ITEMS, PARTIES, Party, TaxClass};
use crate::shop::chance::{Chance, mix as mixed};
use crate::shop::line::{
    DiscountAllocation, DiscountApplication, DiscountKind, DiscountTarget, DiscountValue, ShippingLine,
    tax_lines,
};
use crate::shop::money::{Currencies, Currency, MoneyBag};
use crate::shop::operations::whole_second;
use crate::shop::order::{Address, App, Customer, Order, PurchasingCompany};
use crate::shop::payment::{PaymentSchedule, PaymentTerms, PaymentTermsKind};
use crate::shop::trap::Trap;

pub(super) fn order(config: &WorkloadConfig, chance: &mut Chance, number: u64, at: Timestamp) -> Order {
    let mix = &config.mix;
    let mut order = blank(config, chance, number, at);
    buyer(&mut order, mix, chance);
    goods::fill(&mut order, mix, chance);
    shipping(&mut order, chance);
    discounts(&mut order, mix, chance);
    taxes(&mut order, mix, chance);
    if chance.per_mille(mix.duties) {
        goods::duties(&mut order);
    }
    if order.company.is_none() && chance.per_mille(mix.tip) {
        goods::tip(&mut order, chance);
    }
    decoration(&mut order, mix, chance);
    order.original_total = order.totals().current_total;
    payment(&mut order, mix, chance, at);
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

fn buyer(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    if chance.per_mille(mix.b2b) {
        if let Some(party) = chance.one_of(&PARTIES) {
            business(order, party);
            order.po_number = Some(format!("PO-{}-{:05}", order.number, chance.below(100_000)));
        }
        return;
    }
    consumer(order, mix, chance);
}

fn business(order: &mut Order, party: &Party) {
    let address = Address {
        first_name: Some(party.contact.0.to_owned()),
        last_name: Some(party.contact.1.to_owned()),
        company: Some(party.company.to_owned()),
        address1: Some(party.street.to_owned()),
        city: Some(party.city.to_owned()),
        country: Some(party.country.0.to_owned()),
        country_code: Some(party.country.1.to_owned()),
        zip: Some(party.zip.to_owned()),
        ..Address::default()
    };
    let email = format!("{}@example.com", party.code.to_lowercase());
    order.customer = Some(Customer {
        id: party.customer_id,
        first_name: address.first_name.clone(),
        last_name: address.last_name.clone(),
        email: Some(email.clone()),
        phone: None,
        tax_exempt: party.tax_exempt,
        created_at: order.created_at,
        default_address: Some(address.clone()),
    });
    order.email = Some(email);
    order.tax_exempt = party.tax_exempt;
    order.billing_address = Some(address.clone());
    order.shipping_address = Some(address);
    order.company = Some(PurchasingCompany {
        company_id: party.company_id,
        company_name: party.company.to_owned(),
        company_external_id: Some(party.code.to_owned()),
        location_id: party.location_id,
        location_name: party.location.to_owned(),
        location_external_id: Some(party.code.to_owned()),
        contact_id: Some(party.contact_id),
    });
    if party.tax_exempt {
        order.traps.push(Trap::TaxExempt);
    }
}

const FIRST_NAMES: [&str; 6] = ["Mia", "Noah", "Aïcha", "Søren", "Chloë", "李"];
const LAST_NAMES: [&str; 6] = ["Keller", "O'Neill", "Müller-Lüdenscheidt", "Ødegård", "Nguyễn", "伟"];

fn consumer(order: &mut Order, mix: &Mix, chance: &mut Chance) {
    let first_name = chance.one_of(&FIRST_NAMES).map(|name| (*name).to_owned());
    let last_name = chance.one_of(&LAST_NAMES).map(|name| (*name).to_owned());
    let address = Address {
        first_name: first_name.clone(),
        last_name: last_name.clone(),
        address1: Some(format!("Lindenweg {}", chance.between(1, 140))),
        address2: chance.per_mille(200).then(|| "c/o Empfang, 3. OG".to_owned()),
        city: Some("Köln".to_owned()),
        country: Some("Germany".to_owned()),
        country_code: Some("DE".to_owned()),
        zip: Some("50667".to_owned()),
        phone: chance.per_mille(300).then(|| "+49 221 000000".to_owned()),
        latitude: chance.per_mille(300).then(|| Decimal::new(509_364, 4)),
        longitude: None,
        ..Address::default()
    };
    if chance.per_mille(mix.null_address) {
        order.traps.push(Trap::NullAddress);
    } else {
        order.billing_address = Some(address.clone());
        order.shipping_address = Some(address.clone());
    }
    if chance.per_mille(mix.null_customer) {
        order.traps.push(Trap::NullCustomer);
        order.source_name = "pos".to_owned();
        return;
    }
    let id = 7_700_000_000_000 + chance.below(400);
    let email = format!("buyer-{}@example.com", id % 1000);
    order.email = Some(email.clone());
    order.customer = Some(Customer {
        id,
        first_name,
        last_name,
        email: Some(email),
        phone: None,
        tax_exempt: false,
        created_at: order.created_at,
        default_address: Some(address),
    });
}

fn shipping(order: &mut Order, chance: &mut Chance) {
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

fn discounts(order: &mut Order, mix: &Mix, chance: &mut Chance) {
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

fn taxes(order: &mut Order, mix: &Mix, chance: &mut Chance) {
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
        let vat = [class.title_and_rate()];
        line.tax_by(&money, if stacked { &stack } else { &vat }, included);
    }
    let vat = [TaxClass::Standard.title_and_rate()];
    for line in &mut order.shipping_lines {
        let rates: &[_] = if stacked { &stack } else { &vat };
        line.tax_lines = tax_lines(&money, line.discounted(), rates, included);
    }
    if order.taxes().len() > 1 {
        order.traps.push(Trap::TwoTaxRates);
    }
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

/// Businesses buy on terms or pay; consumers pay, reserve, or promise.
fn payment(order: &mut Order, mix: &Mix, chance: &mut Chance, at: Timestamp) {
    let total = order.totals().current_total;
    if total.shop.is_zero() {
        return;
    }
    if order.company.is_some() && chance.per_mille(700) {
        on_terms(order, total, at, chance);
        return;
    }
    let gateway = if order.test { "bogus" } else { "shopify_payments" };
    // None of these can be refused: the order owes its total and nothing has happened to it.
    let paid = if chance.per_mille(mix.authorised) {
        order.traps.push(Trap::Authorised);
        order.authorise(gateway, at)
    } else if chance.per_mille(mix.pending) {
        order.traps.push(Trap::Pending);
        return;
    } else if chance.per_mille(mix.gift_card_paid) {
        order.traps.push(Trap::GiftCardPaid);
        let part = order.money.portion(total, 1, 3);
        if !part.shop.is_zero() {
            let _first_of_two = order.pay_part("gift_card", part, at);
        }
        order.pay(gateway, at)
    } else {
        order.pay(gateway, at)
    };
    debug_assert!(paid.is_ok(), "{paid:?}");
}

fn on_terms(order: &mut Order, total: MoneyBag, at: Timestamp, chance: &mut Chance) {
    let (name, kind, days) = match chance.below(4) {
        0 => ("Due on receipt", PaymentTermsKind::Receipt, None),
        1 => ("Net 7", PaymentTermsKind::Net, Some(7)),
        2 => ("Net 60", PaymentTermsKind::Net, Some(60)),
        _ => ("Net 30", PaymentTermsKind::Net, Some(30)),
    };
    let at = whole_second(at);
    let due_at = days.map(|days: u32| after(at, u64::from(days) * 86_400_000));
    let (id, schedule_id) = (order.part_id(), order.part_id());
    order.payment_terms = Some(PaymentTerms {
        id,
        name: name.to_owned(),
        kind,
        due_in_days: days,
        created_at: at,
        updated_at: at,
        schedules: vec![PaymentSchedule {
            id: schedule_id,
            amount: total,
            issued_at: Some(at),
            due_at,
            completed_at: None,
        }],
    });
    order.traps.push(Trap::PaymentTerms);
}
