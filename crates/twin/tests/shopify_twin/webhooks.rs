//! Webhooks: who gets what, signed how, retried when, and the mischief that is made on request.

use crate::sink::Sink;
use crate::{ask, config, noon, placed, shop_with};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tidegate_twin::shop::{CancelReason, Mix, RefundRequest};
use tidegate_twin::shopify::{Mischief, ShopConfig, ShopifyTwin, signature};

async fn plain_shop(config: ShopConfig, topics: &[&str], url: &str, orders: u64) -> ShopifyTwin {
    let changes = placed(&config, orders, noon(), Mix::plain());
    let twin = ShopifyTwin::start(config).await.unwrap();
    for topic in topics {
        twin.subscribe(topic, url);
    }
    for change in changes {
        twin.apply(&change).unwrap();
    }
    twin
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_bytes_and_says_what_it_is() {
    let (sink, url) = Sink::start().await;
    let twin = plain_shop(config(), &["orders/create"], &url, 1).await;
    twin.settled().await;
    let taken = &sink.taken()[0];
    assert_eq!(taken.header("x-shopify-hmac-sha256"), signature("hush", &taken.body));
    assert_ne!(taken.header("x-shopify-hmac-sha256"), signature("hush2", &taken.body));
    assert_eq!(taken.header("x-shopify-topic"), "orders/create");
    assert_eq!(taken.header("x-shopify-shop-domain"), "acme.myshopify.com");
    assert_eq!(taken.header("x-shopify-api-version"), "2026-10");
    assert!(taken.header("x-shopify-triggered-at").starts_with("2026-11-24T12:00:00"));
    assert_eq!(taken.json()["id"], twin.orders()[0].id);
    let (webhook, event) = (taken.header("x-shopify-webhook-id"), taken.header("x-shopify-event-id"));
    assert!(webhook.len() == 36 && event.len() == 36 && webhook != event);
}

#[tokio::test]
async fn each_change_raises_the_topics_that_shopify_raises() {
    let (sink, url) = Sink::start().await;
    let topics = [
        "orders/create",
        "orders/paid",
        "orders/updated",
        "orders/edited",
        "orders/cancelled",
        "refunds/create",
        "order_transactions/create",
    ];
    let twin = plain_shop(config(), &topics, &url, 3).await;
    twin.settled().await;
    let orders = twin.orders();
    let raised = |since: usize| {
        let taken = sink.taken();
        taken[since..].iter().map(|one| one.header("x-shopify-topic").to_owned()).collect::<BTreeSet<_>>()
    };
    let placed = sink.taken().len();
    assert!(raised(0).is_superset(&["orders/create".to_owned(), "orders/paid".to_owned()].into()));
    let line = orders[0].lines[0].clone();
    twin.edit(orders[0].id, line.id, line.quantity + 1).unwrap();
    twin.settled().await;
    assert_eq!(raised(placed), ["orders/edited", "orders/updated"].map(str::to_owned).into());
    let before = sink.taken().len();
    let request = RefundRequest { lines: vec![(orders[1].lines[0].id, 1)], ..RefundRequest::default() };
    twin.refund(orders[1].id, request).unwrap();
    twin.settled().await;
    assert_eq!(raised(before), ["orders/updated", "refunds/create"].map(str::to_owned).into());
    let before = sink.taken().len();
    twin.cancel(orders[2].id, CancelReason::Customer).unwrap();
    twin.settled().await;
    assert!(raised(before).is_superset(&["orders/cancelled", "orders/updated"].map(str::to_owned).into()));
    let before = sink.taken().len();
    let set = format!(
        "mutation {{ metafieldsSet(metafields: [{{ ownerId: \"{}\", namespace: \"tidegate\", key: \"erp\", type: \"json\", value: \"1\" }}]) {{ userErrors {{ message }} }} }}",
        orders[0].gid()
    );
    ask(&twin, &set, json!({})).await;
    twin.settled().await;
    assert_eq!(raised(before), ["orders/updated".to_owned()].into(), "our own write-back comes home");
}

#[tokio::test]
async fn a_subscription_narrows_its_payload_and_carries_its_name() {
    let (sink, url) = Sink::start().await;
    let twin = shop_with(config(), 1).await;
    let order = twin.orders()[0].clone();
    let create = "mutation ($wanted: WebhookSubscriptionInput!) { webhookSubscriptionCreate(topic: ORDERS_UPDATED, webhookSubscription: $wanted) { webhookSubscription { id } userErrors { message } } }";
    let wanted = json!({ "uri": url, "includeFields": ["id", "line_items.sku"], "metafieldNamespaces": ["tidegate"], "name": "narrow", "filter": "test:false" });
    ask(&twin, create, json!({ "wanted": wanted })).await;
    let set = format!(
        "mutation {{ metafieldsSet(metafields: [{{ ownerId: \"{}\", namespace: \"tidegate\", key: \"erp\", type: \"json\", value: \"1\" }}, {{ ownerId: \"{}\", namespace: \"other\", key: \"erp\", type: \"json\", value: \"1\" }}]) {{ userErrors {{ message }} }} }}",
        order.gid(),
        order.gid()
    );
    ask(&twin, &set, json!({})).await;
    twin.settled().await;
    let taken = sink.taken();
    let last = taken.last().unwrap();
    assert_eq!(last.header("x-shopify-name"), "narrow");
    let body = last.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["id", "line_items", "metafields"]);
    assert_eq!(body["metafields"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failed_webhook_comes_again_by_the_schedule_with_the_payload_as_it_was() {
    let (sink, url) = Sink::start().await;
    let config = config();
    let clock = config.clock.clone();
    sink.answer(&[500, 503, 302, 404]);
    let twin = plain_shop(config, &["orders/create"], &url, 1).await;
    let mut counts = twin.webhook_counts();
    for (attempt, wait_s) in [(1, 56), (2, 112), (3, 224), (4, 448)] {
        counts.wait_for(|counts| counts.attempts == attempt).await.unwrap();
        twin.update(twin.orders()[0].id, |order| order.note = Some(format!("change {attempt}"))).unwrap();
        clock.advance(Duration::from_secs(wait_s - 1));
        tokio::task::yield_now().await;
        assert_eq!(sink.taken().len() as u64, attempt, "a second too early");
        clock.advance(Duration::from_secs(1));
    }
    twin.settled().await;
    let taken = sink.taken();
    assert_eq!(taken.len(), 5);
    assert!(taken.iter().all(|one| one.body == taken[0].body), "the payload is that of the event");
    assert!(
        taken.iter().all(|one| one.header("x-shopify-webhook-id") == taken[0].header("x-shopify-webhook-id"))
    );
    assert_eq!((twin.stats().webhooks.failed, twin.stats().webhooks.succeeded), (4, 1));
}

#[tokio::test]
async fn eight_failures_in_a_row_delete_the_subscription() {
    let (sink, url) = Sink::start().await;
    let config = config();
    let clock = config.clock.clone();
    sink.answer(&[500; 20]);
    let twin = plain_shop(config, &["orders/create", "orders/updated"], &url, 1).await;
    let mut counts = twin.webhook_counts();
    for attempt in 1..=8 {
        counts.wait_for(|counts| counts.attempts == attempt).await.unwrap();
        clock.advance(Duration::from_secs(4 * 3600));
    }
    twin.settled().await;
    let stats = twin.stats();
    assert_eq!(
        (stats.webhooks.attempts, stats.webhooks.subscriptions_deleted, stats.webhooks.given_up),
        (8, 1, 1)
    );
    assert_eq!(stats.subscriptions, 1, "the other topic's is still there");
    let list = ask(&twin, "{ webhookSubscriptions(first: 5) { nodes { topic } } }", json!({})).await;
    assert_eq!(list["data"]["webhookSubscriptions"]["nodes"], json!([{ "topic": "ORDERS_UPDATED" }]));
}

#[tokio::test]
async fn a_success_in_between_keeps_the_subscription() {
    let (sink, url) = Sink::start().await;
    let config = config();
    let clock = config.clock.clone();
    sink.answer(&[500, 500, 500, 500, 500, 500, 500, 200]);
    let twin = plain_shop(config, &["orders/create"], &url, 1).await;
    for attempt in 1..=7 {
        twin.webhook_counts().wait_for(|counts| counts.attempts == attempt).await.unwrap();
        clock.advance(Duration::from_secs(4 * 3600));
    }
    twin.settled().await;
    assert_eq!((twin.stats().webhooks.attempts, twin.stats().subscriptions), (8, 1));
}

#[tokio::test]
async fn nobody_listening_is_a_failure_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let twin = plain_shop(config(), &["orders/create"], &url, 1).await;
    twin.webhook_counts().wait_for(|counts| counts.failed == 1).await.unwrap();
    assert_eq!(twin.webhooks_sent()[0].status, None);
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_a_failure() {
    let defaults = config();
    assert_eq!((defaults.connect_timeout.as_secs(), defaults.answer_timeout.as_secs()), (1, 5));
    // Takes connections and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let config = ShopConfig { answer_timeout: Duration::from_millis(50), ..defaults };
    let twin = plain_shop(config, &["orders/create"], &url, 1).await;
    twin.webhook_counts().wait_for(|counts| counts.failed == 1).await.unwrap();
    assert_eq!(twin.webhooks_sent()[0].status, None);
}

#[tokio::test]
async fn mischief_is_counted_repeats_ids_only_where_it_says_and_loses_only_what_it_says() {
    let (sink, url) = Sink::start().await;
    let mischief = Mischief {
        seed: 3,
        duplicate_per_mille: 100,
        copies_per_mille: 50,
        copies: 3,
        delay_per_mille: 300,
        delay_max: Duration::from_secs(60),
        never_sent_per_mille: 50,
        swap_per_mille: 50,
        stale_per_mille: 50,
        stale_after: Duration::from_secs(3 * 3600),
    };
    let config = ShopConfig { mischief, ..config() };
    let clock = config.clock.clone();
    let twin = plain_shop(config, &["orders/create", "orders/updated"], &url, 200).await;
    for order in twin.orders() {
        twin.update(order.id, |order| order.note = Some("changed".to_owned())).unwrap();
    }
    clock.advance(Duration::from_secs(24 * 3600));
    twin.settled().await;
    let counts = twin.stats().webhooks;
    assert_eq!((counts.due, counts.failed, counts.open), (400, 0, 0));
    for (what, count) in [
        ("duplicates", counts.duplicates),
        ("copies", counts.copies),
        ("delayed", counts.delayed),
        ("swapped", counts.swapped),
        ("stale", counts.stale),
        ("never sent", counts.never_sent),
    ] {
        assert!(count > 5, "{what}: {count}");
    }
    let taken = sink.taken();
    assert_eq!(
        taken.len() as u64,
        counts.due - counts.never_sent + counts.duplicates + counts.copies + counts.stale
    );
    let mut by_id: BTreeMap<String, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for one in &taken {
        by_id.entry(one.header("x-shopify-webhook-id").to_owned()).or_default().insert(one.body.to_vec());
    }
    assert_eq!(by_id.len() as u64, counts.due - counts.never_sent + counts.stale);
    assert!(by_id.values().all(|bodies| bodies.len() == 1), "one id, one body");
}

#[tokio::test]
async fn a_swapped_webhook_comes_after_the_later_change_of_its_order() {
    let (sink, url) = Sink::start().await;
    let mischief =
        Mischief { swap_per_mille: 1000, delay_max: Duration::from_secs(600), ..Mischief::default() };
    let config = ShopConfig { mischief, ..config() };
    let twin = plain_shop(config, &["orders/updated"], &url, 1).await;
    let order = twin.orders()[0].id;
    twin.update(order, |order| order.note = Some("first".to_owned())).unwrap();
    twin.update(order, |order| order.note = Some("second".to_owned())).unwrap();
    twin.webhook_counts().wait_for(|counts| counts.succeeded == 2).await.unwrap();
    let notes: Vec<_> = sink.taken().iter().map(|one| one.json()["note"].clone()).collect();
    assert_eq!(notes, [json!("second"), json!("first")]);
    let dates: BTreeSet<_> = sink.taken().iter().map(|one| one.json()["updated_at"].to_string()).collect();
    assert_eq!(dates.len(), 1, "within one second");
}
