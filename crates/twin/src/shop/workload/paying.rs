//! How an order is paid at its placing: at once, in two parts, reserved, promised, or on terms.

use jiff::Timestamp;

use super::after;
use super::mix::Mix;
use crate::shop::chance::Chance;
use crate::shop::money::MoneyBag;
use crate::shop::operations::whole_second;
use crate::shop::order::Order;
use crate::shop::payment::{PaymentSchedule, PaymentTerms, PaymentTermsKind};
use crate::shop::trap::Trap;

/// Businesses buy on terms or pay; consumers pay, reserve, or promise.
pub(super) fn payment(order: &mut Order, mix: &Mix, chance: &mut Chance, at: Timestamp) {
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
