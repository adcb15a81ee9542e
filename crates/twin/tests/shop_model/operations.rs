//! What Shopify does to an order, operation by operation, and what it turns down.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use tidegate_twin::shop::{
    CancelReason, FinancialStatus, FulfilmentStatus, Mix, Order, RefundCause, RefundRequest, RestockType,
    What, Workload, webhook_body,
};

use crate::playing::{config, dec};

/// A paid order of the plain mix that suits the test.
fn paid(suits: impl Fn(&Order) -> bool) -> Order {
    Workload::new(config(31, 500, Mix::plain()))
        .find_map(|(_, change)| match change.what {
            What::Place(order) if order.financial_status() == FinancialStatus::Paid && suits(&order) => {
                Some(*order)
            }
            _ => None,
        })
        .expect("one of five hundred suits")
}

fn several(order: &Order) -> bool {
    order.lines.len() > 1
        && order.lines[0].quantity >= 3
        && !order.shipping_lines.is_empty()
        && !order.tax_exempt
}

fn later(order: &Order, seconds: i64) -> Timestamp {
    order.updated_at + SignedDuration::from_millis(seconds * 1000 + 400)
}

#[test]
fn an_edit_down_is_recorded_as_a_refund_without_money() {
    let mut order = paid(several);
    let (line, at, before) = (order.lines[0].clone(), later(&order, 10), order.totals());
    order.edit_quantity(line.id, line.quantity - 1, at).unwrap();
    assert_eq!(order.refunds[0].cause, RefundCause::Edit);
    assert!(order.refunds[0].transactions.is_empty());
    assert_eq!(order.updated_at.as_second(), at.as_second());
    assert_eq!(order.updated_at.subsec_nanosecond(), 0);
    let after = order.totals();
    assert_eq!(after.total, before.total, "as ordered stays");
    assert_eq!(after.current_subtotal, before.current_subtotal - line.price);
    assert!(after.outstanding.shop < Decimal::ZERO, "the shop owes the difference");
    assert_eq!(order.financial_status(), FinancialStatus::Paid);
}

#[test]
fn an_edit_up_grows_the_line_and_is_owed() {
    let mut order = paid(several);
    let (line, at, before) = (order.lines[0].clone(), later(&order, 10), order.totals());
    order.edit_quantity(line.id, line.quantity + 2, at).unwrap();
    assert_eq!(order.lines[0].quantity, line.quantity + 2);
    assert_eq!(order.totals().subtotal, before.subtotal + line.price * 2);
    assert_eq!(order.financial_status(), FinancialStatus::PartiallyPaid);
    order.pay("manual", later(&order, 1)).unwrap();
    assert_eq!(order.financial_status(), FinancialStatus::Paid);
}

#[test]
fn a_cancelled_paid_order_is_empty_and_given_back() {
    let mut order = paid(several);
    let total = order.totals().total;
    order.cancel(CancelReason::Customer, true, true, later(&order, 5)).unwrap();
    let body = webhook_body(&order);
    assert_eq!(body["current_total_price"], "0.00");
    assert_eq!(dec(&body["total_price"]), total.shop, "as ordered stays");
    assert_eq!(body["financial_status"], "refunded");
    assert_eq!(body["cancel_reason"], "customer");
    assert_eq!(body["cancelled_at"], body["updated_at"]);
    assert!(order.cancel(CancelReason::Customer, true, true, later(&order, 6)).is_err(), "twice");
    assert!(order.pay("manual", later(&order, 6)).is_err());
}

#[test]
fn a_cancelled_authorisation_is_voided() {
    let mut order = paid(several);
    order.transactions.clear();
    order.authorise("shopify_payments", later(&order, 1)).unwrap();
    assert_eq!(order.financial_status(), FinancialStatus::Authorized);
    order.cancel(CancelReason::Fraud, true, false, later(&order, 5)).unwrap();
    assert_eq!(order.financial_status(), FinancialStatus::Voided);
    assert_eq!(order.totals().refunded.shop, Decimal::ZERO);
}

#[test]
fn partial_refunds_add_up_to_all_that_was_paid() {
    let mut order = paid(several);
    let units: Vec<_> =
        order.lines.iter().flat_map(|line| vec![(line.id, 1); line.quantity.min(400) as usize]).collect();
    let rest: Vec<_> = order
        .lines
        .iter()
        .filter(|line| line.quantity > 400)
        .map(|line| (line.id, line.quantity - 400))
        .collect();
    for unit in units.into_iter().chain(rest) {
        let request = RefundRequest { lines: vec![unit], restock: true, ..RefundRequest::default() };
        order.refund(&request, later(&order, 1)).unwrap();
    }
    assert_eq!(order.financial_status(), FinancialStatus::PartiallyRefunded, "shipping is still to come");
    let request = RefundRequest { shipping: true, ..RefundRequest::default() };
    order.refund(&request, later(&order, 1)).unwrap();
    assert_eq!(order.financial_status(), FinancialStatus::Refunded);
    let totals = order.totals();
    assert_eq!(totals.refunded, totals.received);
    assert_eq!(totals.current_total.shop, Decimal::ZERO);
    let one_more = RefundRequest { lines: vec![(order.lines[0].id, 1)], ..RefundRequest::default() };
    assert!(order.refund(&one_more, later(&order, 1)).is_err());
}

#[test]
fn units_that_were_shipped_come_back_as_returns() {
    let mut order = paid(several);
    let first = order.lines[0].clone();
    order.fulfil(&[(first.id, 1)], later(&order, 1)).unwrap();
    assert_eq!(order.fulfilment_status(), FulfilmentStatus::Partial);
    assert!(order.fulfil(&[(first.id, first.quantity)], later(&order, 1)).is_err(), "more than is open");
    assert!(order.cancel(CancelReason::Other, true, true, later(&order, 1)).is_err(), "partly shipped");
    order.fulfil(&[], later(&order, 2)).unwrap();
    assert_eq!(order.fulfilment_status(), FulfilmentStatus::Fulfilled);
    let request = RefundRequest { lines: vec![(first.id, 1)], restock: true, ..RefundRequest::default() };
    let id = order.refund(&request, later(&order, 3)).unwrap();
    assert_eq!(order.refund_of(id).unwrap().lines[0].restock, RestockType::Return);
    assert!(
        order.edit_quantity(first.id, 0, later(&order, 4)).is_err(),
        "shipped units cannot be edited away"
    );
}

/// True when the order refused it.
type Attempt = Box<dyn Fn(&mut Order) -> bool>;

#[test]
fn what_is_refused_changes_nothing() {
    let order = paid(several);
    let at = later(&order, 9);
    let line = order.lines[0].id;
    let refused: [(&str, Attempt); 5] = [
        ("paid already", Box::new(move |order| order.pay("manual", at).is_err())),
        ("no such line", Box::new(move |order| order.edit_quantity(1, 1, at).is_err())),
        (
            "too many units",
            Box::new(move |order| {
                let request = RefundRequest { lines: vec![(line, 9_999_999)], ..RefundRequest::default() };
                order.refund(&request, at).is_err()
            }),
        ),
        ("nothing of it is open", Box::new(move |order| order.fulfil(&[(1, 1)], at).is_err())),
        ("authorised though paid", Box::new(move |order| order.authorise("bogus", at).is_err())),
    ];
    for (name, attempt) in refused {
        let mut copy = order.clone();
        assert!(attempt(&mut copy), "{name}");
        assert_eq!(webhook_body(&copy), webhook_body(&order), "{name}");
    }
}

#[test]
fn metafields_and_tags_bump_the_version_and_are_kept_once() {
    let mut order = paid(several);
    let first =
        order.set_metafield("tidegate", "erp_number", "single_line_text_field", "S-1", later(&order, 1));
    let version = order.updated_at;
    let second =
        order.set_metafield("tidegate", "erp_number", "single_line_text_field", "S-2", later(&order, 1));
    assert_eq!(first, second);
    assert!(order.updated_at > version);
    assert_eq!(order.metafield("tidegate", "erp_number").unwrap().value, "S-2");
    assert!(order.metafield("tidegate", "other").is_none());
    order.add_tag(" exported ", later(&order, 1));
    order.add_tag("Exported", later(&order, 1));
    assert_eq!(order.tags.iter().filter(|tag| tag.eq_ignore_ascii_case("exported")).count(), 1);
}

#[test]
fn an_added_line_is_taxed_as_the_others_and_an_address_is_replaced() {
    let mut order = paid(several);
    let mut line = order.lines[0].clone();
    (line.quantity, line.current_quantity) = (2, 2);
    let before = order.totals();
    let id = order.add_line(line, later(&order, 1)).unwrap();
    let added = order.line(id).unwrap();
    assert!(added.added_by_edit && !added.tax().is_zero());
    assert_eq!(order.totals().total, before.total + added.net() + added.tax());
    assert_eq!(order.original_total, before.total, "what it was placed with stays");
    let mut address = order.billing_address.clone().unwrap();
    address.city = Some("Kiel".to_owned());
    order.change_shipping_address(address, later(&order, 1)).unwrap();
    assert_eq!(webhook_body(&order)["shipping_address"]["city"], "Kiel");
}
