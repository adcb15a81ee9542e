//! Shopify as a source, against the look-alike: whole orders, pages, days, and what is refused.

use crate::support::{Hand, acme, call, config, connection, noon, start};
use async_trait::async_trait;
use connector::port::{ListBy, ListQuery, Listed, Source};
use domains::orders::{canonical_bytes, from_graphql, from_rest};
use jiff::{SignedDuration, Timestamp};
use kernel::fault::{Fault, FaultKind};
use kernel::subject::Subject;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tidegate_shopify::graphql::{Claim, LIST_ORDERS, Pause, Ports, ShopClient, ShopConnection, Shops};
use tidegate_shopify::source::{Compared, OrderSource, READ_TOPIC, compare, fingerprint_of};
use twin::shop::{Mix, TransactionKind, What, Workload, WorkloadConfig, webhook_body};
use twin::shopify::{Plan, ShopConfig, ShopifyTwin};

/// Everything that happens to so many orders, or their placing alone.
fn play(twin: &ShopifyTwin, config: &ShopConfig, orders: u64, mix: Mix, placing_only: bool) {
    let workload = Workload::new(WorkloadConfig {
        seed: 11,
        orders,
        first_number: 1,
        start: noon().checked_sub(SignedDuration::from_hours(2)).unwrap(),
        interval_ms: 1000,
        shop: Arc::new(config.profile.clone()),
        mix,
    });
    for (at, change) in workload {
        if !placing_only || matches!(change.what, What::Place(_)) {
            twin.apply_at(&change, at).unwrap();
        }
    }
}

fn order(id: u64) -> Subject {
    Subject::new(acme(), "order", &id.to_string())
}

fn source(client: ShopClient) -> OrderSource {
    OrderSource::new(Shops::new([client]))
}

fn query(from: Timestamp, cursor: Option<String>) -> ListQuery {
    ListQuery { by: ListBy::UpdatedAt, from, until: None, cursor, budget_percent: 50, totals: false }
}

async fn all(source: &OrderSource, query: &ListQuery) -> (Vec<Listed>, usize) {
    let (mut query, mut items, mut pages) = (query.clone(), Vec::new(), 0);
    loop {
        let page = source.list(&call(), "orders", &query).await.unwrap();
        items.extend(page.items);
        pages += 1;
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return (items, pages),
        }
    }
}

/// Read whole, each order is what its webhook's body says, to the byte.
#[tokio::test]
async fn an_order_that_is_read_is_the_order_that_was_sent() {
    both_forms_agree(120, Mix::demo()).await;
    // Consumers' orders with a tip, half of them as a line: beyond the subtotal that Shopify states.
    both_forms_agree(80, Mix { tip: 1000, b2b: 0, changed: 500, ..Mix::demo() }).await;
}

async fn both_forms_agree(orders: u64, mix: Mix) {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, orders, mix, false);
    let source = source(client);
    let mut compared = 0;
    for kept in twin.orders() {
        let read = source.read(&call(), &order(kept.id)).await.unwrap().unwrap();
        assert_eq!((read.topic.as_str(), read.updated_at), (READ_TOPIC, kept.updated_at));
        let body = serde_json::to_vec(&webhook_body(&kept)).unwrap();
        let (graphql, rest) = (from_graphql(&read.payload), from_rest(&body));
        match (graphql, rest) {
            (Ok(graphql), Ok(rest)) => {
                let text = |order| String::from_utf8(canonical_bytes(order).unwrap()).unwrap();
                assert_eq!(text(&graphql), text(&rest), "{}", kept.name);
                compared += 1;
            }
            (graphql, rest) => panic!("{}: {:?} {:?}", kept.name, graphql.err(), rest.err()),
        }
    }
    assert_eq!(compared, orders);
}

#[tokio::test]
async fn three_hundred_lines_come_in_pages_and_as_one() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 1, Mix { many_lines: 1000, ..Mix::plain() }, true);
    let kept = twin.orders().remove(0);
    assert!(kept.lines.len() > 250, "{}", kept.lines.len());
    let read = source(client).read(&call(), &order(kept.id)).await.unwrap().unwrap();
    let canonical = from_graphql(&read.payload).unwrap();
    assert_eq!(canonical.lines.len(), kept.lines.len());
    let pages = 1 + (kept.lines.len() - 20).div_ceil(35);
    // And one more question: whether it is still the same order.
    assert_eq!(twin.stats().api["queries"], pages as u64 + 1);
}

/// Changes the order when it is waited for the first time: between two pages.
#[derive(Debug)]
struct Meddler {
    twin: Arc<ShopifyTwin>,
    hand: Hand,
    times: u32,
    done: AtomicU32,
}

#[async_trait]
impl Pause for Meddler {
    async fn pause(&self, wait: Duration) {
        self.hand.pause(wait).await;
        if self.done.fetch_add(1, Ordering::Relaxed) < self.times {
            let id = self.twin.orders()[0].id;
            self.twin.update(id, |order| order.note = Some("changed".into())).unwrap();
        }
    }
}

#[tokio::test]
async fn pages_of_two_states_are_not_put_together() {
    for (times, expected) in [(1, Some("changed")), (50, None)] {
        let config = ShopConfig { plan: Plan::Standard, ..config() };
        let clock = config.clock.clone();
        let twin = Arc::new(ShopifyTwin::start(config.clone()).await.unwrap());
        play(&twin, &config, 1, Mix { many_lines: 1000, ..Mix::plain() }, true);
        let hand = Hand(clock.clone());
        let meddler = Meddler { twin: twin.clone(), hand: hand.clone(), times, done: AtomicU32::new(0) };
        let connection = ShopConnection { restore_rate: 100, ..connection(twin.url()) };
        let ports = Ports { clock: Arc::new(hand), pause: Arc::new(meddler) };
        let client = ShopClient::connect(connection, ports).unwrap();
        // Live calls leave 400 points: not enough for all pages.
        let taken: Vec<_> = (0..16).map(|_| client.bucket().take(Claim::LIVE, 100).unwrap()).collect();
        let source = source(client);
        let mut call = call();
        call.time_out = Duration::from_secs(120);
        let read = source.read(&call, &order(twin.orders()[0].id)).await;
        drop(taken);
        match expected {
            Some(note) => {
                let order = from_graphql(&read.unwrap().unwrap().payload).unwrap();
                assert_eq!(order.note.as_deref(), Some(note));
                assert_eq!(order.updated_at, twin.orders()[0].updated_at);
            }
            None => {
                let fault = read.unwrap_err();
                assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-6203"), "{fault}");
            }
        }
        assert_eq!(twin.stats().api.get("throttled"), None);
    }
}

#[tokio::test]
async fn a_read_waits_within_its_time_and_no_longer() {
    let config = ShopConfig { plan: Plan::Standard, ..config() };
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 1, Mix::plain(), true);
    let id = twin.orders()[0].id;
    let taken = client.bucket().take(Claim::LIVE, 2000).unwrap();
    let source = source(client);
    let mut short = call();
    short.time_out = Duration::from_millis(1500);
    let fault = source.read(&short, &order(id)).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Throttled, Some(Duration::from_secs(1))));
    assert!(source.read(&call(), &order(id)).await.unwrap().is_some());
    drop(taken);
}

#[tokio::test]
async fn what_is_gone_is_none_and_what_is_no_order_is_refused() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 1, Mix::plain(), true);
    let source = source(client);
    let id = twin.orders()[0].id;
    let transaction = order(id).child("transaction", "1");
    assert!(source.read(&call(), &transaction).await.unwrap().is_some(), "of a payment its order is read");
    twin.delete(id).unwrap();
    assert_eq!(source.read(&call(), &order(id)).await.unwrap(), None);
    for path in ["product:1", "order:", "order:1x", ""] {
        let subject = Subject { shop: acme(), path: path.into() };
        assert_eq!(source.read(&call(), &subject).await.unwrap_err().kind, FaultKind::Rejected, "{path}");
    }
    let fault = source.list(&call(), "products", &query(noon(), None)).await.unwrap_err();
    assert_eq!(fault.code, "TG-6201");
    let fault = source.list(&call(), "orders", &query(noon(), Some("x".into()))).await.unwrap_err();
    assert_eq!(fault.code, "TG-6201");
}

#[tokio::test]
async fn a_list_holds_every_order_once_oldest_change_first() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 600, Mix::plain(), false);
    let source = source(client);
    let (items, pages) = all(&source, &query(Timestamp::UNIX_EPOCH, None)).await;
    assert_eq!((items.len(), pages), (600, 3));
    assert!(items.is_sorted_by_key(|item| item.updated_at));
    let found: BTreeSet<&Subject> = items.iter().map(|item| &item.subject).collect();
    assert_eq!(found.len(), 600);
    for kept in twin.orders() {
        let item = items.iter().find(|item| item.subject == order(kept.id)).unwrap();
        assert_eq!(
            (&item.label, item.created_at, item.updated_at),
            (&kept.name, twin::shop::whole_second(kept.created_at), kept.updated_at)
        );
    }
    // From a date on: inclusive; until: exclusive.
    let middle = items[300].updated_at;
    let expected = items.iter().filter(|item| item.updated_at >= middle).count();
    assert_eq!(all(&source, &query(middle, None)).await.0.len(), expected);
    let before = ListQuery { until: Some(middle), ..query(Timestamp::UNIX_EPOCH, None) };
    assert_eq!(all(&source, &before).await.0.len(), 600 - expected);
    let created = ListQuery { by: ListBy::CreatedAt, ..query(Timestamp::UNIX_EPOCH, None) };
    assert!(all(&source, &created).await.0.is_sorted_by_key(|item| item.created_at));
}

#[tokio::test]
async fn a_list_takes_its_share_and_leaves_the_rest_to_live_orders() {
    let config = ShopConfig { plan: Plan::Standard, ..config() };
    let clock = config.clock.clone();
    let (_twin, client) = start(config.clone()).await;
    let shops = Shops::new([client]);
    let client = shops.get(&acme()).unwrap().clone();
    let source = OrderSource::new(shops).under(Claim::backfill(1));
    // An empty list costs 2 points in truth; 13 are taken before, of 20 that are its share.
    let mut refused = 0;
    for _ in 0..30 {
        let query = ListQuery { budget_percent: 1, ..query(noon(), None) };
        if let Err(fault) = source.list(&call(), "orders", &query).await {
            assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Throttled, "TG-6101"));
            refused += 1;
            clock.advance(Duration::from_secs(1));
        }
    }
    assert!(refused > 20, "{refused}");
    assert!(client.bucket().status().available > 1900);
    assert!(
        client
            .ask(&call(), Claim::LIVE, &LIST_ORDERS, &json!({ "query": "", "sortKey": "ID" }))
            .await
            .is_ok()
    );
}

/// What the list says of an order and what its canonical form says agree, or nothing is claimed; and a change within
/// the same second is seen.
#[tokio::test]
async fn fingerprints_of_list_and_canonical_order_agree() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    // Tips are money that the list's quantity may or may not count; what is not known is not compared.
    play(&twin, &config, 300, Mix { tip: 0, ..Mix::demo() }, false);
    let source = source(client);
    let (items, _) = all(&source, &query(Timestamp::UNIX_EPOCH, None)).await;
    let known = |id: u64| {
        let body = serde_json::to_vec(&webhook_body(&twin.order(id).unwrap())).unwrap();
        let value: Value =
            serde_json::from_slice(&canonical_bytes(&from_rest(&body).unwrap()).unwrap()).unwrap();
        fingerprint_of(&value)
    };
    let mut same = 0;
    for item in &items {
        let known = known(item.subject.key().parse().unwrap());
        match compare(&item.fingerprint, &known) {
            Compared::Same => same += 1,
            Compared::Unknowable => {}
            Compared::Differs => panic!("{}: {} {known}", item.label, item.fingerprint),
        }
    }
    assert!(same * 100 > items.len() * 80, "{same} of {} need no reading", items.len());
    let open = twin
        .orders()
        .into_iter()
        .find(|order| {
            order.refunds.is_empty() && order.cancelled_at.is_none() && order.transactions.is_empty()
        })
        .unwrap();
    let before = known(open.id);
    twin.cancel(open.id, twin::shop::CancelReason::Customer).unwrap();
    let (items, _) = all(&source, &query(Timestamp::UNIX_EPOCH, None)).await;
    let item = items.iter().find(|item| item.subject == order(open.id)).unwrap();
    assert_eq!(compare(&item.fingerprint, &before), Compared::Differs);
}

/// As `prove` asks: the orders of a span by creation, each with what it comes to.
async fn with_totals(source: &OrderSource, from: &str, until: &str) -> Result<Vec<Listed>, Fault> {
    let query = ListQuery {
        by: ListBy::CreatedAt,
        until: Some(until.parse().unwrap()),
        totals: true,
        ..query(from.parse().unwrap(), None)
    };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = source.list(&call(), "orders", &ListQuery { cursor, ..query.clone() }).await?;
        all.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

#[tokio::test]
async fn a_day_is_listed_with_what_each_order_comes_to_and_says_where_only_reading_can_tell() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 300, Mix::demo(), false);
    let source = source(client);
    let found = with_totals(&source, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await.unwrap();
    assert_eq!(found.len(), 300);
    let mut read = 0;
    for listed in &found {
        let kept = twin.order(listed.subject.key().parse().unwrap()).unwrap();
        assert_eq!(listed.label, kept.name);
        let Some(told) = listed.charged else {
            read += 1;
            continue;
        };
        let told = told.shop.money().amount();
        if kept.cancelled_at.is_some() {
            assert!(told.is_zero(), "{}", kept.name);
            continue;
        }
        assert!(kept.refunds.is_empty(), "{} was refunded: only reading it can tell", kept.name);
        let read = source.read(&call(), &listed.subject).await.unwrap().unwrap();
        let order = domains::orders::from_graphql(&read.payload).unwrap();
        assert_eq!(told, order.totals.current.total.shop.money().amount(), "{}", kept.name);
    }
    assert!((1..150).contains(&read), "{read} of 300 have to be read");
}

#[tokio::test]
async fn a_day_that_shopify_does_not_show_is_refused_with_the_reason() {
    let config = config();
    let (twin, client) = start(config).await;
    let source = source(client);
    let old = ("2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z");
    assert_eq!(with_totals(&source, old.0, old.1).await.unwrap(), []);
    twin.grant(&["read_orders".to_owned()].into());
    let fault = with_totals(&source, old.0, old.1).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6202"));
    assert!(
        fault.message.contains("beyond the 60 days that Shopify shows without read_all_orders"),
        "{fault}"
    );
    assert_eq!(with_totals(&source, "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z").await.unwrap(), []);
}

/// A missing scope stops the source; it never yields half an order.
#[tokio::test]
async fn a_missing_scope_is_no_order_without_its_customer() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 20, Mix::demo(), true);
    twin.grant(&["read_orders".to_owned(), "read_all_orders".to_owned()].into());
    let source = source(client);
    let kept = twin.orders().into_iter().find(|order| order.customer.is_some()).unwrap();
    let fault = source.read(&call(), &order(kept.id)).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Unauthorized, "ACCESS_DENIED"), "{fault}");
}

/// Each refund that an order's state names is read whole, and comes to what was paid back, to the cent.
#[tokio::test]
async fn a_refund_that_is_read_is_what_was_given_back() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 150, Mix { changed: 1000, ..Mix::demo() }, false);
    let source = source(client);
    let mut read = 0;
    for kept in twin.orders() {
        for refund in &kept.refunds {
            let subject = order(kept.id).child("refund", &refund.id.to_string());
            let found = source.read(&call(), &subject).await.unwrap().unwrap();
            let whole = domains::refunds::from_graphql(&found.payload).unwrap();
            assert_eq!(found.topic, domains::refunds::TOPIC);
            assert_eq!(found.updated_at.as_second(), refund.created_at.as_second(), "whole seconds");
            let paid: twin::shop::MoneyBag = refund
                .transactions
                .iter()
                .filter_map(|id| kept.transaction(*id))
                .map(|transaction| transaction.amount)
                .sum();
            assert_eq!(whole.total.shop.money().amount(), paid.shop, "{subject}");
            assert_eq!(whole.lines.len(), refund.lines.len());
            assert_eq!(
                whole.difference.shop.money().amount(),
                paid.shop - refund.worth(&kept).shop,
                "{subject}"
            );
            read += 1;
            // By the number of another order it is nobody's.
            let other = order(kept.id + 1).child("refund", &refund.id.to_string());
            let fault = source.read(&call(), &other).await.unwrap_err();
            assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6201"));
        }
    }
    assert!(read > 10, "{read} refunds were read");
    let none = order(1).child("refund", "1");
    assert_eq!(source.read(&call(), &none).await.unwrap(), None);
}

/// The payments of an order are each a part of its own, as many as there are; also of one with more than a first look shows.
#[tokio::test]
async fn the_payments_of_an_order_are_read_each_by_itself() {
    let config = config();
    let (twin, client) = start(config.clone()).await;
    play(&twin, &config, 60, Mix { changed: 1000, ..Mix::demo() }, false);
    let long = twin.orders().into_iter().find(|kept| kept.totals().outstanding.shop > Decimal::from(20));
    let long = long.expect("an order that owes something").id;
    let one = twin::shop::MoneyBag { shop: Decimal::ONE, presentment: Decimal::ONE };
    let pays = |kept: &mut twin::shop::Order| {
        for _ in 0..12 {
            kept.pay_part("gift_card", one, kept.updated_at).unwrap();
        }
    };
    twin.update(long, pays).unwrap();
    let source = source(client);
    let mut read = 0;
    for kept in twin.orders() {
        let list = order(kept.id).child("payments", "all");
        let parts = source.parts(&call(), &list).await.unwrap().expect("what stands for parts");
        let taken: Vec<_> = kept
            .transactions
            .iter()
            .filter(|one| matches!(one.kind, TransactionKind::Sale | TransactionKind::Capture))
            .collect();
        assert_eq!(parts.len(), taken.len(), "{}", kept.name);
        for (part, taken) in parts.iter().zip(taken) {
            assert_eq!(part.path, order(kept.id).child("payment", &taken.id.to_string()).path);
            let payment = domains::payments::from_graphql(&part.read.payload).unwrap();
            assert_eq!(payment.amount.shop.money().amount(), taken.amount.shop, "{}", part.path);
            assert_eq!(payment.amount.presentment.money().amount(), taken.amount.presentment);
            assert_eq!(
                (payment.order_name.as_str(), payment.parent_id),
                (kept.name.as_str(), taken.parent_id.map(|id| id.to_string()))
            );
            read += 1;
        }
    }
    assert!(read > 30, "{read} payments were read");
    // Nothing else stands for parts, and an order that is gone has none.
    assert_eq!(source.parts(&call(), &order(long)).await.unwrap(), None);
    assert_eq!(source.parts(&call(), &order(1).child("payments", "all")).await.unwrap(), Some(Vec::new()));
}
