//! What runs at a cadence: when it was made last, when it is due next, and what it found.

use crate::world::{World, shop};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use kernel::id::FlowName;
use serde_json::{Value, json};
use store::Store as _;
use store::operate::AuditEntry;
use tidegate_api::admin::{Cadenced, Work};

fn work(work: Work, cadence: &str, cursor: &str) -> Cadenced {
    Cadenced {
        work,
        flow: FlowName::new("stock_to_shopify").unwrap(),
        shop: shop("acme"),
        cadence: config::Cadence::parse(cadence).unwrap(),
        cursor: cursor.to_owned(),
    }
}

async fn asked(world: &World) -> Vec<Value> {
    let answer = world.ask(Method::GET, "/admin/v1/cadence", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["cadences"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_due_stands_first_with_what_its_last_one_found() {
    let world = World::new().await.and(|parts| {
        parts.cadences = vec![
            work(Work::Sweep, "10m", "swept"),
            work(Work::FullCheck, "24h", "checked"),
            work(Work::FullCheck, "30 2 * * * Europe/Berlin", "never"),
        ];
    });
    let now: Timestamp = world.parts.clock.now().wall;
    let ago = |hours: i64| now.checked_sub(SignedDuration::from_hours(hours)).unwrap();
    world.store.set_cursor("swept", &now.to_string()).await.unwrap();
    world.store.set_cursor("checked", &ago(30).to_string()).await.unwrap();
    let entry = |target: &str| AuditEntry {
        at: ago(30),
        who: "hub".to_owned(),
        action: "reconcile".to_owned(),
        target: target.to_owned(),
        why: "the cadence of its flow".to_owned(),
        count: 2,
    };
    let found = "4040 pairs against 4042; 2 differs";
    world.store.audit(entry("stock_to_shopify, shop beta: 1 pairs against 1; no difference")).await.unwrap();
    world.store.audit(entry(&format!("stock_to_shopify, shop acme: {found}"))).await.unwrap();
    let all = asked(&world).await;
    let shown: Vec<Value> =
        all.iter().map(|one| json!([one["cadence"], one["due"], one["found"]["what"]])).collect();
    assert_eq!(
        shown,
        [
            json!(["24h", true, found]),
            json!(["10m", false, null]),
            json!(["30 2 * * * Europe/Berlin", false, found]),
        ]
    );
    assert_eq!(all[0]["next"], json!(ago(6)));
    assert_eq!((&all[2]["last"], &all[2]["next"]), (&Value::Null, &Value::Null), "nothing is made up");
}
