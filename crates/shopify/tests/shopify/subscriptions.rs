//! Subscriptions made, healed and left alone at the look-alike.

use crate::support::{call, config, start};
use connector::port::CallContext;
use kernel::fault::FaultKind;
use std::collections::BTreeSet;
use tidegate_shopify::graphql::ShopClient;
use tidegate_shopify::subscriptions::{
    APP_TOPICS, Action, Change, Need, Wanted, apply, enum_name, list, order_topics, plan,
};
use twin::shopify::{Plan, ShopConfig, judge};

const URL: &str = "https://hub.example.com/webhooks/shopify";

fn wanted() -> Wanted {
    let with_fields = Need {
        include_fields: ["id", "updated_at"].map(str::to_owned).into(),
        metafield_namespaces: ["custom".to_owned()].into(),
        ..Need::whole("orders/edited")
    };
    Wanted::new(URL, "2026-10", [Need::whole("orders/create"), Need::whole("orders/updated"), with_fields])
}

async fn due(client: &ShopClient) -> Vec<Change> {
    let changes = plan(&wanted(), &list(client, &call()).await.unwrap());
    changes.into_iter().filter(Change::is_due).collect()
}

async fn heal(client: &ShopClient, call: &CallContext) -> usize {
    let changes = plan(&wanted(), &list(client, call).await.unwrap());
    let applied = apply(client, call, &changes).await;
    for one in &applied {
        assert_eq!(one.result, Ok(()), "{:?}", one.change);
    }
    applied.len()
}

#[tokio::test]
async fn what_is_missing_is_made_and_what_was_dropped_is_made_again() {
    let (_twin, client) = start(config()).await;
    assert_eq!(heal(&client, &call()).await, 5);
    assert_eq!(due(&client).await, []);
    let live = list(&client, &call()).await.unwrap();
    let edited = live.iter().find(|one| one.topic == "ORDERS_EDITED").unwrap();
    assert_eq!(edited.include_fields, ["id", "updated_at"].map(str::to_owned).into());
    assert_eq!(edited.metafield_namespaces, ["custom".to_owned()].into());
    // One is dropped, one is narrowed, one more is there.
    let other = Wanted::new(
        URL,
        "2026-10",
        [
            Need { include_fields: ["id".to_owned()].into(), ..Need::whole("orders/create") },
            Need::whole("orders/edited"),
            Need::whole("orders/paid"),
        ],
    );
    let changes = plan(&other, &live);
    assert_eq!(changes.iter().filter(|change| change.is_due()).count(), 4);
    assert!(apply(&client, &call(), &changes).await.iter().all(|one| one.result.is_ok()));
    let mut topics: Vec<String> = due(&client).await.into_iter().map(|change| change.topic).collect();
    topics.sort();
    assert_eq!(topics, ["ORDERS_PAID", "orders/create", "orders/edited", "orders/updated"]);
    assert_eq!(heal(&client, &call()).await, 4);
    assert_eq!(due(&client).await, []);
}

#[tokio::test]
async fn other_peoples_subscriptions_are_listed_to_the_last_page_and_left() {
    let config = ShopConfig { plan: Plan::Standard, ..config() };
    let (twin, client) = start(config).await;
    for number in 0..230 {
        twin.subscribe("orders/create", &format!("https://other.example.com/{number}"));
    }
    // Three pages with little in the bucket: it waits.
    let taken = client.bucket().take(tidegate_shopify::graphql::Claim::LIVE, 1990).unwrap();
    assert_eq!(heal(&client, &call()).await, 5);
    drop(taken);
    let live = list(&client, &call()).await.unwrap();
    assert_eq!(live.len(), 235);
    let kept = plan(&wanted(), &live);
    assert_eq!(kept.iter().filter(|change| matches!(change.action, Action::Keep { .. })).count(), 235);
}

#[tokio::test]
async fn a_topic_without_its_scope_is_a_rejection_and_the_others_are_made() {
    let (twin, client) = start(config()).await;
    twin.grant(&BTreeSet::from(["read_customers".to_owned()]));
    let changes = plan(&wanted(), &[]);
    let applied = apply(&client, &call(), &changes).await;
    for one in &applied {
        let is_of_app = APP_TOPICS.contains(&one.change.topic.as_str());
        match &one.result {
            Ok(()) => assert!(is_of_app, "{:?}", one.change),
            Err(fault) => assert!(!is_of_app && fault.kind == FaultKind::Rejected, "{fault}"),
        }
    }
    assert_eq!(applied.len(), 5);
}

/// Each topic that a flow may name is one of Shopify's schema.
#[test]
fn topics_are_those_of_the_schema() {
    let known = |topic: &str| {
        let text = format!(
            "mutation {{ webhookSubscriptionCreate(topic: {}, webhookSubscription: {{}}) {{ userErrors {{ field }} }} }}",
            enum_name(topic)
        );
        judge(&text, None, &serde_json::json!({})).is_ok()
    };
    let topics: Vec<&str> = order_topics().map(|topic| topic.name).collect();
    assert!(topics.len() >= 13 && topics.contains(&"orders/create"), "{topics:?}");
    for topic in topics.into_iter().chain(APP_TOPICS) {
        assert!(known(topic), "{topic}");
    }
    for topic in tidegate_shopify::subscriptions::COMPLIANCE_TOPICS {
        assert!(!known(topic), "{topic} can be subscribed to by now");
    }
}
