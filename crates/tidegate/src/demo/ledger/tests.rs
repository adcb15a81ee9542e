//! The judge can fail: each way in which a run can be wrong is shown to it.

use super::*;
use crate::demo::play::{Played, reference};
use std::sync::Arc;
use twin::shop::{Mix, What, Workload, WorkloadConfig};

#[test]
fn a_pair_that_differs_a_unit_that_nobody_has_and_an_order_that_did_not_reserve_are_told() {
    let (orders, sales, played, reasons) = run();
    let right = StockLedger { pairs: 40, reserved: 10, ..StockLedger::default() };
    let holds = |stock: StockLedger, unreserved| {
        let mut ledger = Ledger::of(&orders, &sales, &played, &reasons);
        ledger.proved.compared = ledger.counts.exported;
        ledger.stock(stock, &orders, unreserved);
        ledger.holds()
    };
    assert!(holds(right.clone(), 0));
    assert!(!holds(StockLedger { differing: 1, ..right.clone() }, 0));
    assert!(!holds(StockLedger { oversold: 1, ..right.clone() }, 0));
    assert!(!holds(right, 1), "no order has an item that the warehouse does not know");
    assert!(!holds(StockLedger::default(), 0), "nothing was compared");
}

/// Ten plain orders, and a sale for each as an ERP would hold it.
fn run() -> (Vec<Arc<Order>>, Vec<Sale>, Played, Reasons) {
    let start: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let workload = Workload::new(WorkloadConfig {
        seed: 3,
        orders: 10,
        first_number: 1,
        start,
        interval_ms: 100,
        shop: Arc::new(twin::shopify::ShopConfig::new("acme.myshopify.com").profile),
        mix: Mix::plain(),
    });
    let mut played = Played::default();
    let mut orders = Vec::new();
    for (at, change) in workload {
        let What::Place(order) = change.what else { continue };
        played.note(&order, at);
        orders.push(Arc::from(order));
    }
    let sales =
        orders.iter().enumerate().map(|(index, order)| sale(index as u64 + 1, order, start)).collect();
    (orders, sales, played, Reasons::new())
}

fn sale(id: u64, order: &Order, at: Timestamp) -> Sale {
    let gross = order.totals().current_total.shop;
    serde_json::from_value(json!({
        "id": id, "number": format!("SO-{id:06}"), "version": 1, "state": "draft",
        "reference": reference(order.id), "party": "CUST-001", "currency": "EUR", "tax_included": false,
        "metadata": {}, "lines": [],
        "totals": { "net": gross, "tax": "0", "gross": gross },
        "created_at": at.checked_add(std::time::Duration::from_secs(30)).unwrap().to_string(),
        "updated_at": at.to_string(),
    }))
    .unwrap()
}

/// The hub's own proof agrees.
fn proved(mut ledger: Ledger) -> Ledger {
    ledger.proved(&[json!({ "amounts": { "compared": 10, "wrong": 0, "untold": 0 } })]);
    ledger
}

#[test]
fn a_good_run_holds() {
    let (orders, sales, played, reasons) = run();
    let ledger = proved(Ledger::of(&orders, &sales, &played, &reasons));
    assert!(ledger.holds(), "{:?}", ledger.wrong);
    assert_eq!((ledger.counts.sent, ledger.counts.exported, ledger.amounts.compared), (10, 10, 10));
    assert!(ledger.lag_p99_ms > 0 && ledger.within_objective_per_mille == 1000);
}

#[test]
fn an_order_without_a_sale_is_lost_whatever_the_hub_says_of_it() {
    for fate in ["exported", "dead", "filtered", "waiting", "unheard"] {
        let (orders, mut sales, played, mut reasons) = run();
        sales.remove(4);
        reasons.insert(orders[4].id, json!({ "fate": { "fate": fate, "code": "x", "rule": "x" } }));
        let ledger = Ledger::of(&orders, &sales, &played, &reasons);
        assert_eq!(ledger.counts.lost, 1, "{fate}: a plain paid order has no business outside the books");
        assert!(!ledger.holds());
    }
}

#[test]
fn a_second_sale_of_an_order_and_a_sale_of_no_order_are_doubles() {
    let (orders, mut sales, played, reasons) = run();
    sales.push(Sale { id: 11, ..sales[2].clone() });
    let ledger = Ledger::of(&orders, &sales, &played, &reasons);
    assert_eq!((ledger.counts.doubled, ledger.counts.exported), (1, 10));
    assert!(!ledger.holds());

    let (mut orders, sales, played, reasons) = run();
    orders.pop();
    let ledger = Ledger::of(&orders, &sales, &played, &reasons);
    assert_eq!(ledger.counts.doubled, 1);
    assert!(!ledger.holds());
}

#[test]
fn a_cent_more_or_less_and_a_cancellation_that_did_not_arrive_are_seen() {
    let (orders, mut sales, played, reasons) = run();
    sales[0].totals.gross += rust_decimal::Decimal::new(1, 2);
    let ledger = Ledger::of(&orders, &sales, &played, &reasons);
    assert_eq!(ledger.amounts.wrong, 1);
    assert!(!ledger.holds());

    let (mut orders, sales, played, reasons) = run();
    let mut cancelled = (*orders[0]).clone();
    cancelled.cancelled_at = Some(cancelled.created_at);
    orders[0] = Arc::new(cancelled);
    let ledger = Ledger::of(&orders, &sales, &played, &reasons);
    assert_eq!(ledger.amounts.not_cancelled, 1);
    assert!(!ledger.holds());
}

#[test]
fn a_dead_letter_that_no_missing_order_explains_is_seen() {
    let (orders, sales, played, reasons) = run();
    let mut ledger = proved(Ledger::of(&orders, &sales, &played, &reasons));
    ledger.stray(0);
    assert!(ledger.holds());
    ledger.stray(1);
    assert!(!ledger.holds());
}

#[test]
fn a_proof_that_compared_less_or_explains_less_does_not_hold() {
    let (orders, sales, played, reasons) = run();
    let unexplained = json!([{ "label": "#1001", "because": "unexplained" }]);
    for (amounts, named) in [
        (json!({ "compared": 9, "wrong": 0 }), "9 orders, and 10 are in the books"),
        (json!({ "compared": 10, "wrong": 1, "differences": unexplained }), "#1001"),
    ] {
        let mut ledger = Ledger::of(&orders, &sales, &played, &reasons);
        ledger.proved(&[json!({ "amounts": amounts })]);
        assert!(!ledger.holds());
        assert!(ledger.wrong[0].contains(named), "{:?}", ledger.wrong);
    }
}

#[test]
fn a_play_is_not_over_while_a_sale_that_may_still_change_says_something_else_than_the_shop() {
    let (orders, sales, ..) = run();
    assert_eq!(Played::behind(&orders, &sales), 0);
    let mut cancelled = orders.clone();
    Arc::make_mut(&mut cancelled[3]).cancelled_at = Some(sales[3].created_at);
    assert_eq!(Played::behind(&cancelled, &sales), 1);
    let mut there = sales.clone();
    there[3].state = SaleState::Cancelled;
    assert_eq!(Played::behind(&cancelled, &there), 0);
    let mut edited = sales.clone();
    edited[5].totals.gross += Decimal::ONE;
    assert_eq!(Played::behind(&orders, &edited), 1);
    // What comes after a confirmation is a person's, by the flow's policy.
    edited[5].state = SaleState::Confirmed;
    assert_eq!(Played::behind(&orders, &edited), 0);
}
