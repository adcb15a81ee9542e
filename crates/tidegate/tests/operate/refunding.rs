//! What Shopify gave back becomes a credit note at the ERP: each once, after its order, to the cent; by the connector `http`
//! and the configuration that docs/refunds.md shows.

use crate::hub::Hub;
use crate::office::{Office, PATIENCE};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;
use twin::shop::{Order, RefundRequest};

const PAGE: &str = include_str!("../../../../docs/refunds.md");
const MAPPING: &str = include_str!("../../../../mappings/refunds_to_http_erp.toml");
const SETTINGS: [&str; 3] =
    ["flows.orders_to_erp.intake=poll", "flows.orders_to_erp.sweep.every=1s", "systems.erp.settle_after=1s"];

/// An office whose refunds are mirrored.
async fn office() -> Office {
    Office::with_follower(PAGE, "refunds", ("refunds_to_erp.toml", MAPPING)).await
}

/// One unit of the first line that has any left goes back, with shipping where it is asked for.
fn gives_back(office: &Office, order: &Order, shipping: bool) -> u64 {
    let line = order.lines.iter().find(|line| line.current_quantity > 0).unwrap();
    let request = RefundRequest {
        lines: vec![(line.id, 1)],
        shipping,
        restock: true,
        note: Some("it broke".to_owned()),
    };
    let order = office.shop.refund(order.id, request).unwrap();
    order.refunds.last().unwrap().id
}

/// What a refund's credit note is to be called.
fn name_of(order: &Order, refund: u64) -> String {
    format!("acme-order-{}-refund-{refund}", order.id)
}

/// What each refund of the shop was worth, under the name that its credit note is to have.
fn given_back(office: &Office) -> BTreeMap<String, Decimal> {
    let mut all = BTreeMap::new();
    for order in office.shop.orders() {
        for refund in &order.refunds {
            let paid = refund.transactions.iter().filter_map(|id| order.transaction(*id));
            let paid: Decimal = paid.map(|transaction| transaction.amount.shop).sum();
            all.insert(name_of(&order, refund.id), paid);
        }
    }
    all
}

/// Until the books have each refund, and each once. One whose answers are lost again and again waits longer each time.
async fn is_mirrored(office: &Office) {
    let wanted = given_back(office);
    let all = office.erp.until(|ledger| ledger.credit_notes >= wanted.len() as u64);
    // What is missing then is told below.
    let _ = tokio::time::timeout(PATIENCE, all).await;
    let posted = office.erp.credit_notes();
    let booked: BTreeMap<String, Decimal> =
        posted.iter().map(|note| (note.reference.clone(), note.total)).collect();
    // Of what is missing, how it stands.
    let missing = || {
        let is_missing = |order: &&Arc<Order>| {
            order.refunds.iter().any(|refund| !booked.contains_key(&name_of(order, refund.id)))
        };
        let orders = office.shop.orders();
        office.told_of(orders.iter().filter(is_missing).map(|order| order.name.as_str()))
    };
    assert_eq!(booked, wanted, "{}", missing());
    assert_eq!(posted.len(), wanted.len(), "a credit note stands twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_back_is_credited_once_after_its_order_and_to_the_cent() {
    let office = office().await;
    let orders: Vec<Arc<Order>> = office.orders(1001, 12);
    // Before the hub has ever heard of the order, and after it.
    gives_back(&office, &orders[0], false);
    let _hub = Hub::start_with(&office.folder, &SETTINGS);
    is_mirrored(&office).await;
    for order in &orders[1..6] {
        gives_back(&office, order, true);
    }
    // Two of one order, within a second.
    let twice = office.shop.order(orders[6].id).unwrap();
    gives_back(&office, &twice, false);
    let twice = office.shop.order(orders[6].id).unwrap();
    if twice.lines.iter().any(|line| line.current_quantity > 0) {
        gives_back(&office, &twice, false);
    }
    is_mirrored(&office).await;
    let notes = office.erp.credit_notes();
    let names: Vec<String> = orders.iter().map(|order| format!("acme-order-{}", order.id)).collect();
    assert!(notes.iter().all(|note| names.contains(&note.sale) && note.state == "posted"));
    assert!(notes.iter().any(|note| note.lines.iter().any(|line| line.restock)));
    // The sales are as they were: what is given back is carried by the refund alone.
    let sales = office.erp.sales();
    for order in office.shop.orders() {
        let sale =
            sales.iter().find(|sale| sale.content.reference == format!("acme-order-{}", order.id)).unwrap();
        let units: Decimal =
            sale.content.lines.iter().filter(|line| line.sku != "SHIPPING").map(|line| line.quantity).sum();
        let ordered: u32 = order.lines.iter().map(|line| line.quantity).sum();
        assert_eq!(units, Decimal::from(ordered), "{}: a refund was booked as an edit as well", order.name);
        let of_a_refund = order.metafields.iter().find(|field| field.value.starts_with("CN-"));
        assert_eq!(of_a_refund, None, "{}: the number of a credit note is none of its order's", order.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_a_killed_hub_credit_nothing_twice() {
    let office = office().await;
    let hub = Hub::start_with(&office.folder, &SETTINGS);
    let orders = office.orders(1001, 30);
    office.made(30).await;
    office.erp.turn(|knobs| {
        knobs.throttled_per_mille = 100;
        knobs.unanswered_per_mille = 300;
    });
    for order in &orders[..12] {
        gives_back(&office, order, false);
    }
    let credited = office.erp.until(|ledger| ledger.credit_notes >= 3);
    let in_time = tokio::time::timeout(std::time::Duration::from_secs(50), credited).await;
    let status = || office.folder.tidegate(&["status"]).out;
    assert!(in_time.is_ok(), "three refunds were never credited: {:?}\n{}", office.erp.ledger(), status());
    hub.kill();
    for order in &orders[12..20] {
        gives_back(&office, order, true);
    }
    let _hub = Hub::start_with(&office.folder, &SETTINGS);
    is_mirrored(&office).await;
    assert!(office.erp.ledger().faults.values().sum::<u64>() > 0, "nothing went wrong");
}

#[test]
fn what_follows_nothing_is_refused_with_what_it_could_follow() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let office = runtime.block_on(office());
    let check = |from: &str, to: &str| {
        let path = office.folder.path("tidegate.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        std::fs::write(&path, text.replace(from, to)).unwrap();
        let said = office.folder.tidegate(&["check"]);
        std::fs::write(&path, text).unwrap();
        (said.code, said.out + &said.err)
    };
    let follows = "follows = \"orders_to_erp\"";
    for (to, told) in [
        ("follows = \"orders\"", "name one that does: orders_to_erp"),
        ("follows = \"erp_number_back\"", "name one that does: orders_to_erp"),
        ("follows = \"orders_to_erp\"\nintake = \"poll\"", "leave intake out"),
        ("", "follows = \"orders_to_erp\""),
    ] {
        let (code, said) = check(follows, to);
        assert!(code == Some(3) && said.contains(told), "{to}: {code:?} {said}");
    }
    let (code, said) = check("mappings/refunds_to_erp.toml", "mappings/orders_to_erp.toml");
    assert!(code == Some(3) && said.contains("source = \"refund/1\""), "{said}");
}
