//! Money that Shopify took becomes a receipt at the ERP: each payment once, after its order, to the cent; by the connector `http`
//! and the configuration that docs/payments.md shows.

use crate::hub::Hub;
use crate::office::{Office, PATIENCE, now};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::shop::{FinancialStatus, Order, Transaction, TransactionKind, TransactionStatus, webhook_body};

const PAGE: &str = include_str!("../../../../docs/payments.md");
const MAPPING: &str = include_str!("../../../../mappings/payments_to_http_erp.toml");
const SWEPT: [&str; 3] =
    ["flows.orders_to_erp.intake=poll", "flows.orders_to_erp.sweep.every=1s", "systems.erp.settle_after=1s"];
/// No sweep comes in time: what is found is found by a webhook.
const BY_WEBHOOK: [&str; 2] = ["flows.orders_to_erp.sweep.every=1h", "systems.erp.settle_after=1s"];

/// An office whose payments are mirrored.
async fn office() -> Office {
    Office::with_follower(PAGE, "payments", ("payments_to_erp.toml", MAPPING)).await
}

/// Reserved on a card and not taken.
fn only_authorised(order: &mut Order) {
    let at = order.created_at;
    order.transactions.clear();
    order.authorise("shopify_payments", at).unwrap();
}

fn is_taken(transaction: &&Transaction) -> bool {
    matches!(transaction.kind, TransactionKind::Sale | TransactionKind::Capture)
        && transaction.status == TransactionStatus::Success
}

/// What each payment of the shop was, under the name that its receipt is to have: the sale that it is for, amount and gateway.
fn taken(office: &Office) -> BTreeMap<String, (String, Decimal, String)> {
    let mut all = BTreeMap::new();
    for order in office.shop.orders() {
        let sale = format!("acme-order-{}", order.id);
        for one in order.transactions.iter().filter(is_taken) {
            let name = format!("{sale}-payment-{}", one.id);
            all.insert(name, (sale.clone(), one.amount.shop, one.gateway.clone()));
        }
    }
    all
}

/// Until the books have each payment, and each once.
async fn is_mirrored(office: &Office) {
    let wanted = taken(office);
    let all = office.erp.until(|ledger| ledger.payments >= wanted.len() as u64);
    // What is missing then is told below.
    let _ = tokio::time::timeout(PATIENCE, all).await;
    let booked = office.erp.payments();
    let receipts: BTreeMap<String, (String, Decimal, String)> = booked
        .iter()
        .map(|one| {
            let method = one.method.clone().unwrap_or_default();
            (one.reference.clone(), (one.sale.clone(), one.amount, method))
        })
        .collect();
    let missing = || {
        let orders = office.shop.orders();
        let is_missing = |order: &&Arc<Order>| {
            let sale = format!("acme-order-{}", order.id);
            wanted.iter().any(|(name, (of, ..))| *of == sale && !receipts.contains_key(name))
        };
        office.told_of(orders.iter().filter(is_missing).map(|order| order.name.as_str()))
    };
    assert_eq!(receipts, wanted, "{}", missing());
    assert_eq!(booked.len(), wanted.len(), "a receipt stands twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_is_booked_once_after_its_order_and_to_the_cent() {
    let office = office().await;
    // Before the hub has ever heard of them: paid, and only authorised.
    let paid = office.orders(1001, 6).len();
    let orders = office.orders_that(2001, 6, only_authorised);
    let _hub = Hub::start_with(&office.folder, &SWEPT);
    office.made(orders.len() as u64).await;
    is_mirrored(&office).await;
    assert_eq!(office.erp.payments().len(), paid, "what is only authorised is no payment");
    let authorised: Vec<Arc<Order>> =
        orders.into_iter().filter(|order| order.financial_status() == FinancialStatus::Authorized).collect();
    assert_eq!(authorised.len(), 6);
    // Captured; a part first and then the rest; captured, and some of it given back at once.
    office.shop.pay(authorised[0].id, "shopify_payments").unwrap();
    let half = authorised[1].totals().outstanding;
    let half = twin::shop::MoneyBag { shop: Decimal::ONE, presentment: Decimal::ONE.min(half.presentment) };
    office.shop.update(authorised[1].id, |order| drop(order.pay_part("gift_card", half, now()))).unwrap();
    is_mirrored(&office).await;
    office.shop.pay(authorised[1].id, "shopify_payments").unwrap();
    let refunded = office.shop.pay(authorised[2].id, "shopify_payments").unwrap();
    let line = refunded.lines.iter().find(|line| line.current_quantity > 0).unwrap().id;
    let back =
        twin::shop::RefundRequest { lines: vec![(line, 1)], shipping: false, restock: true, note: None };
    office.shop.refund(refunded.id, back).unwrap();
    is_mirrored(&office).await;
    assert_eq!(office.erp.payments().len(), paid + 4);
    // A receipt's number is none of its order's, and its sale is as it was.
    for order in office.shop.orders() {
        let of_a_receipt = order.metafields.iter().find(|field| field.value.starts_with("PAY-"));
        assert_eq!(of_a_receipt, None, "{}", order.name);
    }
    assert_eq!(office.erp.ledger().doubled, 0);
    // Each is told in the life of its order, by its own number.
    let shown = office.folder.tidegate(&["orders", "show", &authorised[1].name]).out;
    let sale = format!("acme-order-{}", authorised[1].id);
    let of_it = office.erp.payments().into_iter().filter(|one| one.sale == sale);
    let numbers: Vec<String> = of_it
        .map(|one| {
            let id = one.reference.rsplit('-').next().unwrap().to_owned();
            format!("erp_receipts has payment {id} as {}", one.number)
        })
        .collect();
    assert_eq!(numbers.len(), 2);
    assert!(numbers.iter().all(|number| shown.contains(number)), "{shown}");
}

/// A webhook's body says that money came, and not which.
#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_names_no_payment_brings_all_of_them_once() {
    let office = office().await;
    let order = office.orders_that(1001, 1, only_authorised).remove(0);
    let hub = Hub::start_with(&office.folder, &BY_WEBHOOK);
    let sends = |topic: &str, order: &Order| {
        let body = webhook_body(order);
        assert!(body.get("transactions").is_none(), "the look-alike's body names its payments");
        assert_eq!(office.sends(&hub.address, topic, &body.to_string()), 200);
    };
    sends("orders/create", &order);
    office.made(1).await;
    assert_eq!(office.erp.payments(), Vec::new());
    let paid = office.shop.pay(order.id, "shopify_payments").unwrap();
    sends("orders/paid", &paid);
    is_mirrored(&office).await;
    // Told again, and once more when something else changed: it stands once, and nothing was sent for it.
    let noted = office.shop.update(order.id, |order| order.note = Some("ring twice".to_owned())).unwrap();
    sends("orders/updated", &noted);
    let read = || {
        office.folder.tidegate(&["orders", "show", &order.name]).out.matches("the source was read").count()
    };
    let in_time = tokio::time::timeout(PATIENCE, async {
        while read() < 2 {
            tokio::task::yield_now().await;
        }
    });
    assert!(in_time.await.is_ok(), "the payments were not read again");
    is_mirrored(&office).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_a_killed_hub_book_nothing_twice() {
    let office = office().await;
    let hub = Hub::start_with(&office.folder, &SWEPT);
    let orders = office.orders_that(1001, 20, only_authorised);
    office.made(20).await;
    office.erp.turn(|knobs| {
        knobs.throttled_per_mille = 100;
        knobs.unanswered_per_mille = 300;
    });
    for order in &orders[..12] {
        office.shop.pay(order.id, "shopify_payments").unwrap();
    }
    let booked = office.erp.until(|ledger| ledger.payments >= 3);
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(50), booked).await;
    assert!(in_time.is_ok(), "three payments were never booked: {:?}", office.erp.ledger());
    hub.kill();
    for order in &orders[12..] {
        office.shop.pay(order.id, "shopify_payments").unwrap();
    }
    let _hub = Hub::start_with(&office.folder, &SWEPT);
    is_mirrored(&office).await;
    assert!(office.erp.ledger().faults.values().sum::<u64>() > 0, "nothing went wrong");
}
