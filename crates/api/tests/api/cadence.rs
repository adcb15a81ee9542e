//! What runs at a cadence: when it was made last, when it is due next, and what it found.

use crate::world::{World, shop};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use kernel::id::FlowName;
use serde_json::{Value, json};
use store::Store as _;
use store::operate::AuditEntry;
use tidegate_api::admin::{Cadenced, Ran, Work};

fn work(work: Work, cadence: &str, cursor: &str) -> Cadenced {
    let flow = FlowName::new("stock_to_shopify").unwrap();
    let cadence = config::Cadence::parse(cadence).unwrap();
    Cadenced::of_flow(work, &flow, &shop("acme"), cadence, cursor.to_owned())
}

async fn asked(world: &World) -> Vec<Value> {
    let answer = world.ask(Method::GET, "/admin/v1/cadence", None).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()["cadences"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_went_by_is_counted_and_who_has_the_lease_is_told() {
    let of = |cadence: &str, cursor: &str| {
        work(Work::FullCheck, cadence, cursor).under(format!("lease of {cursor}"))
    };
    let world = World::new().await.and(|parts| {
        parts.cadences = vec![
            of("24h", "nights"),
            of("30 2 * * * Europe/Berlin", "just"),
            of("1s", "long"),
            of("on demand", "asked"),
        ];
    });
    let now: Timestamp = world.parts.clock.now().wall;
    let ago = |seconds: i64| now.checked_sub(SignedDuration::from_secs(seconds)).unwrap();
    // 30 s late: it is looked for within a minute.
    for (cursor, seconds) in [("nights", 3 * 86_400 + 30), ("just", 60), ("long", 86_400), ("asked", 86_400)]
    {
        world.store.set_cursor(cursor, &ago(seconds).to_string()).await.unwrap();
    }
    let hour = std::time::Duration::from_secs(3_600);
    world.store.lease("lease of nights", "node-b", ago(60), hour).await.unwrap();
    world.store.lease("lease of just", "node-a", ago(7_200), hour).await.unwrap();
    let mut told: Vec<Value> = asked(&world).await;
    told.sort_by_key(|one| one["cadence"].to_string());
    let told: Vec<Value> =
        told.iter().map(|one| json!([one["cadence"], one["missed"], one["held_by"]["node"]])).collect();
    assert_eq!(
        told,
        [
            json!(["1s", 1_000, null]),
            json!(["24h", 2, "node-b"]),
            json!(["30 2 * * * Europe/Berlin", 0, null]),
            json!(["on demand", 0, null]),
        ]
    );
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

/// A work of no flow says what it asks, how its last run went, and when it set itself a time before its cadence's.
#[tokio::test]
async fn any_work_has_a_cadence_and_says_how_its_last_run_went() {
    let own = Cadenced {
        work: Work::PricePull,
        flow: None,
        shop: None,
        source: Some("tryton".to_owned()),
        cadence: config::Cadence::parse("24h").unwrap(),
        jitter: std::time::Duration::ZERO,
        cursor: "pulled".to_owned(),
        lease: None,
        due_at: Some("pulled/due".to_owned()),
    };
    let world = World::new().await.and(|parts| parts.cadences = vec![own]);
    let began = world.parts.clock.now();
    let in_hours = |hours: i64| began.wall.checked_add(SignedDuration::from_hours(hours)).unwrap();
    let (store, clock) = (&world.store, world.parts.clock.as_ref());
    store.set_cursor("pulled", &began.wall.to_string()).await.unwrap();
    let failed = Ran::since(began, clock, Err("it did not answer".to_owned()));
    failed.keep(store, "pulled").await.unwrap();
    let line = asked(&world).await.remove(0);
    assert_eq!(
        (&line["work"], &line["source"], &line["flow"]),
        (&json!("price_pull"), &json!("tryton"), &Value::Null)
    );
    assert_eq!(line["ran"], json!(failed));
    assert_eq!((&line["ran"]["failed"], &line["next"]), (&json!(true), &json!(in_hours(24))));
    for (set, next) in
        [(in_hours(2), in_hours(2)), (in_hours(-2), in_hours(24)), (in_hours(30), in_hours(24))]
    {
        store.set_cursor("pulled/due", &set.to_string()).await.unwrap();
        assert_eq!(asked(&world).await[0]["next"], json!(next), "{set}");
    }
}
