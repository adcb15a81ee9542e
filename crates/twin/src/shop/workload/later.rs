//! What happens to a generated order after its placing. Each step is tried on a copy; one that the shop would turn down
//! is left out.

use jiff::Timestamp;

use super::mix::Mix;
use super::{after, goods};
use crate::shop::catalogue::ITEMS;
use crate::shop::chance::Chance;
use crate::shop::change::{Change, What};
use crate::shop::order::{Address, CancelReason, Order};
use crate::shop::refund::RefundRequest;
use crate::shop::status::FinancialStatus;

/// Events in the order of their times, none before the order's placing.
pub(super) fn plan(
    order: &Order,
    placed_at: Timestamp,
    mix: &Mix,
    chance: &mut Chance,
) -> Vec<(Timestamp, What)> {
    let mut copy = order.clone();
    let mut at = placed_at;
    let mut planned = Vec::new();
    let mut steps = settling(order, mix, chance);
    if chance.per_mille(mix.changed) {
        let further = changes(order, chance);
        // Money may move before or after what else happens.
        let place = if chance.per_mille(500) { 0 } else { steps.len() };
        steps.splice(place..place, further);
    }
    for what in steps {
        let (low, high) = mix.change_delay_ms;
        let pause = if chance.per_mille(200) { chance.below(400) } else { chance.between(low, high) };
        let then = after(at, pause);
        let change = Change { order_id: order.id, what };
        if change.apply(&mut copy, then).is_ok() {
            planned.push((then, change.what));
            at = then;
        }
    }
    planned
}

/// Authorised orders are captured or given up; pending ones are paid, given up or forgotten.
fn settling(order: &Order, mix: &Mix, chance: &mut Chance) -> Vec<What> {
    let pay = What::Pay { gateway: "manual".to_owned() };
    let cancel = What::Cancel { reason: CancelReason::Declined, give_back: false, restock: true };
    if mix.changed == 0 {
        return Vec::new();
    }
    match (order.financial_status(), order.payment_terms.is_some(), chance.below(10)) {
        (FinancialStatus::Authorized, _, 0) => vec![cancel],
        (FinancialStatus::Authorized, _, 1..=7) => vec![pay],
        (FinancialStatus::Pending, true, 0..=2) => vec![pay],
        (FinancialStatus::Pending, false, 0) => vec![cancel],
        (FinancialStatus::Pending, false, 1..=6) => vec![pay],
        _ => Vec::new(),
    }
}

fn changes(order: &Order, chance: &mut Chance) -> Vec<What> {
    match chance.below(11) {
        0 => fewer(order),
        1 => more(order, chance),
        2 => another_line(order),
        3 => vec![move_house(order)],
        4 => vec![cancellation(chance)],
        5 => [fewer(order), vec![move_house(order)], vec![cancellation(chance)]].concat(),
        6 => vec![What::Fulfil { units: Vec::new() }],
        7 => part_by_part(order),
        8 => refund(order, false),
        9 => [vec![What::Fulfil { units: Vec::new() }], refund(order, true)].concat(),
        _ => [more(order, chance), another_line(order), vec![What::AddTag("edited".to_owned())]].concat(),
    }
}

fn fewer(order: &Order) -> Vec<What> {
    let line = order.lines.iter().find(|line| line.quantity > 1 && !line.tip);
    line.map(|line| What::EditQuantity { line_id: line.id, quantity: line.quantity / 2 })
        .into_iter()
        .collect()
}

fn more(order: &Order, chance: &mut Chance) -> Vec<What> {
    let extra = u32::try_from(chance.between(1, 5)).unwrap_or(1);
    let line = order.lines.iter().find(|line| line.variant_id.is_some() && !line.gift_card);
    line.map(|line| What::EditQuantity { line_id: line.id, quantity: line.quantity + extra })
        .into_iter()
        .collect()
}

fn another_line(order: &Order) -> Vec<What> {
    vec![What::AddLine(Box::new(goods::goods(order, &ITEMS[6], 2, 0)))]
}

fn move_house(order: &Order) -> What {
    let mut address = order.shipping_address.clone().unwrap_or_else(|| Address {
        country: Some("Germany".to_owned()),
        country_code: Some("DE".to_owned()),
        ..Address::default()
    });
    address.address1 = Some("Neue Strasse 1".to_owned());
    address.address2 = None;
    What::ChangeShippingAddress(Box::new(address))
}

fn cancellation(chance: &mut Chance) -> What {
    let reasons = [CancelReason::Customer, CancelReason::Inventory, CancelReason::Fraud, CancelReason::Other];
    let reason = chance.one_of(&reasons).copied().unwrap_or(CancelReason::Other);
    What::Cancel { reason, give_back: chance.per_mille(900), restock: chance.per_mille(800) }
}

fn part_by_part(order: &Order) -> Vec<What> {
    let Some(first) = order.lines.iter().find(|line| !line.tip) else { return Vec::new() };
    vec![What::Fulfil { units: vec![(first.id, first.quantity)] }, What::Fulfil { units: Vec::new() }]
}

/// One unit of the first line, then (if `all`) the rest of it with shipping.
fn refund(order: &Order, all: bool) -> Vec<What> {
    let Some(first) = order.lines.iter().find(|line| !line.tip) else { return Vec::new() };
    let part = |units, shipping| {
        What::Refund(RefundRequest {
            lines: vec![(first.id, units)],
            shipping,
            restock: true,
            note: Some("arrived damaged".to_owned()),
        })
    };
    let mut steps = vec![part(1, false)];
    if all && first.quantity > 1 {
        steps.push(part(first.quantity - 1, true));
    }
    steps
}
