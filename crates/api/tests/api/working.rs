//! Works that take their time: one JSON object a line, the last one the result or the error.

use crate::outside::eur;
use crate::world::{TOKEN, World, ago, at, due, order, unknown_item};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::Store as _;
use store::delivery::{DeliveryState, Outcome};
use tidegate_api::server::{ServerLimits, Serving, serve_tcp};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tower::ServiceExt as _;

const DAY: &str = "2026-11-24";

/// A day at noon, in the shop's zone.
fn noon() -> jiff::Timestamp {
    at("2026-11-24T11:00:00Z")
}

#[tokio::test]
async fn a_day_is_accounted_for_order_by_order() {
    let world = World::new().await;
    world.exported(1, noon()).await;
    world.order(2, noon(), due(noon()), None).await;
    world.order(3, noon(), DeliveryState::Dead, Some(unknown_item("SKU-1"))).await;
    let filtered = DeliveryState::Ended(Outcome::Filtered { rule: "test order".into() });
    world.order(4, noon(), filtered, None).await;
    for number in 1..=5 {
        world.shop.has(number, noon());
    }
    // The zone's day: 23:30 UTC of the day before is in it, 23:00 UTC of the day itself is not.
    world.shop.has(6, at("2026-11-23T23:30:00Z"));
    world.shop.has(7, at("2026-11-24T23:00:00Z"));
    world.erp.has.lock().unwrap().insert(order(1), 1);
    let asked = json!({ "flow": "orders_to_erp", "shop": "acme", "day": DAY });
    let proof = world.post("prove", asked).await.result();
    let counts = ["source", "exported", "waiting", "dead", "filtered", "unheard", "lost", "doubled"];
    let counted: Vec<u64> = counts.iter().map(|name| proof[name].as_u64().unwrap()).collect();
    assert_eq!(counted, [6, 1, 1, 1, 1, 2, 0, 0], "{proof}");
    assert_eq!(proof["day"], DAY);
    assert_eq!(proof["counts"], json!({ "source": 6, "at_target": 1, "not_asked": 0 }));
    assert_eq!(proof["holds"], false, "two orders that the log never heard of");
    let expected = json!({
        "subject": "acme/order:5001", "label": "#1001", "fate": { "fate": "exported", "number": "S0001" },
        "at_target": 1, "hands": false, "released": false, "swept": false,
    });
    assert_eq!(proof["accounts"][0], expected);
    assert_eq!(proof["accounts"][2]["fate"]["fate"], "dead");
    assert_eq!(proof["accounts"][3]["fate"], json!({ "fate": "filtered", "rule": "test order" }));
    assert_eq!(proof["spans"][0]["from"], "2026-11-23T23:00:00Z");
    assert_eq!(proof["spans"][0]["until"], "2026-11-24T23:00:00Z");
}

#[tokio::test]
async fn what_the_target_says_counts_against_the_hubs_word() {
    let world = World::new().await;
    for number in 1..=3 {
        world.exported(number, noon()).await;
        world.shop.has(number, noon());
    }
    world.erp.has.lock().unwrap().extend([(order(1), 1), (order(2), 2)]);
    let proof = world.post("prove", json!({ "day": DAY })).await.result();
    assert_eq!((&proof["lost"], &proof["doubled"]), (&json!(1), &json!(1)));
    assert_eq!(proof["holds"], false);
    world.erp.has.lock().unwrap().extend([(order(2), 1), (order(3), 1)]);
    let proof = world.post("prove", json!({ "day": DAY })).await.result();
    assert_eq!(proof["holds"], true, "{proof}");
}

/// An order by what the list says of it, what the target's books say, and what is found.
type Compared = (Option<&'static str>, &'static str, Value);

#[tokio::test]
async fn what_each_order_comes_to_is_compared_and_a_changed_one_is_named() {
    let world = World::new().await;
    let cases: [Compared; 5] = [
        (Some("10.00"), "10.00", Value::Null),
        (Some("20.00"), "20.05", json!({ "because": "accepted", "difference": "-0.05" })),
        (Some("30.00"), "29.00", json!({ "because": "unexplained", "difference": "1.00" })),
        // The list could not tell: the order was read, and is a euro.
        (None, "1.00", Value::Null),
        (None, "1.06", json!({ "because": "unexplained", "difference": "-0.06" })),
    ];
    for (number, (charged, books, _)) in (1..).zip(&cases) {
        world.exported(number, noon()).await;
        world.shop.charges(number, noon(), *charged);
        world.erp.has.lock().unwrap().insert(order(number), 1);
        world.erp.books.lock().unwrap().insert(order(number), eur(books));
    }
    // Rightly not there.
    let filtered = DeliveryState::Ended(Outcome::Filtered { rule: "test order".into() });
    world.order(6, noon(), filtered, None).await;
    world.shop.charges(6, noon(), Some("5.00"));
    let proof = world.post("prove", json!({ "day": DAY })).await.result();
    let differences = proof["amounts"]["differences"].as_array().unwrap();
    let mut found = differences.iter();
    for (number, (.., expected)) in (1..).zip(&cases).filter(|(_, case)| !case.2.is_null()) {
        let differing: &Value = found.next().unwrap();
        assert_eq!(differing["subject"], order(number).to_string(), "{proof}");
        assert_eq!(differing["because"], expected["because"]);
        assert_eq!(differing["difference"]["amount"], expected["difference"]);
    }
    assert!(found.next().is_none(), "{proof}");
    let amounts = &proof["amounts"];
    assert_eq!([&amounts["compared"], &amounts["wrong"], &amounts["untold"]], [5, 2, 0]);
    let sum = json!({
        "orders": 6, "source": money("67.00"), "not_at_target": money("5.00"), "at_target": money("61.11"),
        "difference": money("0.89"),
    });
    assert_eq!(amounts["sums"], json!([sum]));
    assert_eq!(proof["holds"], false, "two amounts that nothing explains");
    world.erp.books.lock().unwrap().extend([(order(3), eur("30.00")), (order(5), eur("1.00"))]);
    let proof = world.post("prove", json!({ "day": DAY })).await.result();
    assert_eq!((&proof["amounts"]["wrong"], &proof["holds"]), (&json!(0), &json!(true)), "{proof}");
}

fn money(amount: &str) -> Value {
    json!({ "amount": amount, "currency": "EUR" })
}

#[tokio::test]
async fn a_target_that_lists_no_totals_is_counted_and_it_is_said() {
    let mut world = World::new().await;
    let mut works = world.parts.works.clone();
    let erp = Arc::new(crate::outside::Erp::with(connector::descriptor::OrderAbilities::default()));
    erp.has.lock().unwrap().insert(order(1), 1);
    works[0].target = erp;
    world.exported(1, noon()).await;
    world.shop.charges(1, noon(), Some("10.00"));
    world = world.and(|parts| parts.works = works);
    let proof = world.post("prove", json!({ "day": DAY })).await.result();
    assert_eq!(proof["amounts"]["counts_only"], json!(["orders_to_erp"]));
    assert_eq!((&proof["amounts"]["sums"], &proof["holds"]), (&json!([]), &json!(true)));
}

#[tokio::test]
async fn a_long_day_is_asked_about_several_at_once() {
    let mut world = World::new().await;
    let mut works = world.parts.works.clone();
    let shop = Arc::new(crate::outside::Shop { page: 50, ..Default::default() });
    works[0].scope.source = shop.clone();
    world = world.and(|parts| parts.works = works);
    for number in 1..=40 {
        shop.has(number, noon());
    }
    let proof = world.post("prove", json!({ "day": DAY })).await.result();
    assert_eq!(proof["source"], 40);
    let order: Vec<&str> = proof["accounts"].as_array().unwrap().iter().map(label).collect();
    assert!(order.is_sorted(), "{order:?}");
    let at_once = world.erp.asked_at_once.load(Ordering::SeqCst);
    assert!((2..=8).contains(&at_once), "{at_once} at once");
}

fn label(account: &Value) -> &str {
    account["label"].as_str().unwrap()
}

#[tokio::test]
async fn a_day_that_the_shop_does_not_show_is_refused_with_that_reason() {
    let world = World::new().await;
    let old = world.post("prove", json!({ "day": "2026-09-26" })).await;
    old.refused(
        StatusCode::UNPROCESSABLE_ENTITY,
        "TG-7026",
        "60 days of orders that acme shows without read_all_orders",
    );
    // 60 days before now lie within the 27th of September: its morning is not shown any more, the 28th is.
    assert_eq!(world.post("prove", json!({ "day": "2026-09-28" })).await.result()["source"], 0);
    let mut works = world.parts.works.clone();
    works[0].reads_all_orders = true;
    let world = world.and(|parts| parts.works = works);
    assert_eq!(world.post("prove", json!({ "day": "2024-02-29" })).await.result()["source"], 0);
    let bad = world.post("prove", json!({ "day": "2026-02-30" })).await;
    bad.refused(StatusCode::BAD_REQUEST, "TG-7021", "the body is not");
    let other = world.post("prove", json!({ "day": DAY, "shop": "other" })).await;
    other.refused(StatusCode::NOT_FOUND, "TG-7022", "orders_to_erp at acme");
}

#[tokio::test]
async fn a_sweep_appends_what_no_webhook_told_of() {
    let world = World::new().await;
    world.order(1, ago(900), due(ago(900)), None).await;
    world.shop.has(1, ago(900));
    world.shop.has(2, ago(800));
    // Younger than the grace: its webhook may be under way.
    world.shop.has(3, ago(10));
    let swept = world.post("sweep", json!({})).await.result();
    let pass =
        json!({ "flow": "orders_to_erp", "shop": "acme", "listed": 3, "missed": 1, "grace_ms": 60_000 });
    assert_eq!(swept, json!({ "listed": 3, "missed": 1, "passes": [pass] }));
    assert_eq!(world.metrics.missed(&crate::world::shop("acme")), 1);
    assert_eq!(world.hub.appended.load(Ordering::SeqCst), 1);
    assert_eq!(world.store.unrouted(9).await.unwrap()[0].envelope.subject, order(2));
}

#[tokio::test]
async fn a_backfill_is_counted_before_it_is_done() {
    let world = World::new().await;
    world.exported(1, noon()).await;
    for number in 1..=3 {
        world.shop.has(number, noon());
    }
    let asked = |dry_run| json!({ "since": DAY, "until": "2026-11-25T08:00:00Z", "dry_run": dry_run });
    let planned = world.post("backfill", asked(true)).await.result();
    let counts = |result: &Value| {
        ["listed", "exported", "under_way", "appended", "gone"].map(|name| result[name].as_u64().unwrap())
    };
    assert_eq!((planned["dry_run"].clone(), counts(&planned)), (json!(true), [3, 1, 0, 2, 0]));
    assert_eq!(world.store.unrouted(9).await.unwrap().len(), 0);
    assert_eq!(world.get("audit").await.json()["entries"], json!([]));
    let done = world.post("backfill", asked(false)).await.result();
    assert_eq!(counts(&done), [3, 1, 0, 2, 0]);
    assert_eq!(done["parts"][0]["since"], "2026-11-23T23:00:00Z", "the day begins in the shop's zone");
    assert_eq!(done["parts"][0]["go_live_at"], "2026-11-01T00:00:00Z");
    let unrouted = world.store.unrouted(9).await.unwrap();
    assert_eq!(unrouted.len(), 2);
    assert!(unrouted.iter().all(|row| row.envelope.via == kernel::envelope::Via::Backfill));
    assert!(world.hub.appended.load(Ordering::SeqCst) > 0);
    assert_eq!(world.get("audit").await.json()["entries"][0]["action"], "backfill");
    let nothing = json!({ "since": DAY, "until": DAY });
    world.post("backfill", nothing).await.refused(StatusCode::BAD_REQUEST, "TG-7021", "nothing lies between");
    let no_day = json!({ "since": "yesterday" });
    world.post("backfill", no_day).await.refused(StatusCode::BAD_REQUEST, "TG-7021", "neither a day");
}

#[tokio::test]
async fn a_backfill_that_broke_off_goes_on_from_there() {
    let world = World::new().await;
    for number in 1..=5 {
        world.shop.has(number, noon());
    }
    *world.shop.fails_at.lock().unwrap() = Some(1);
    let asked = json!({ "since": DAY });
    let answer = world.post("backfill", asked.clone()).await;
    let error = answer.lines().pop().unwrap();
    assert_eq!(error["error"]["code"], "TG-7025", "{error}");
    assert!(error["error"]["message"].as_str().unwrap().contains("ask again to go on"));
    assert_eq!(world.store.unrouted(9).await.unwrap().len(), 2);
    let done = world.post("backfill", asked).await.result();
    assert_eq!((&done["listed"], &done["appended"]), (&json!(3), &json!(3)), "the first page was read again");
    assert_eq!(world.store.unrouted(9).await.unwrap().len(), 5);
}

#[tokio::test]
async fn progress_is_told_a_few_times_a_second_with_its_rate() {
    let world = World::new().await;
    let mut works = world.parts.works.clone();
    works[0].scope.source = Arc::new(Slow(world.shop.clone(), world.clock.clone()));
    let world = world.and(|parts| parts.works = works);
    for number in 1..=8 {
        world.shop.has(number, noon());
    }
    let answer = world.post("prove", json!({ "day": DAY })).await;
    let progress: Vec<Value> =
        answer.lines().iter().filter_map(|line| line.get("progress").cloned()).collect();
    // Four pages of two, a fifth of a second each: every second one is told.
    let expected = [
        json!({ "done": 4, "total": 0, "rate_per_s": 10 }),
        json!({ "done": 8, "total": 0, "rate_per_s": 10 }),
    ];
    assert_eq!(progress, expected);
    assert!(answer.lines().pop().unwrap().get("result").is_some());
}

/// A shop that takes a fifth of a second for a page.
#[derive(Debug)]
struct Slow(Arc<crate::outside::Shop>, Arc<crate::world::Standing>);

#[async_trait::async_trait]
impl connector::port::Source for Slow {
    async fn read(
        &self,
        call: &connector::port::CallContext,
        subject: &kernel::subject::Subject,
    ) -> Result<Option<connector::port::Read>, kernel::fault::Fault> {
        self.0.read(call, subject).await
    }
    async fn list(
        &self,
        call: &connector::port::CallContext,
        domain: &str,
        query: &connector::port::ListQuery,
    ) -> Result<connector::port::ListPage, kernel::fault::Fault> {
        self.1.forward(std::time::Duration::from_millis(200));
        self.0.list(call, domain, query).await
    }
}

/// A shop that never answers, and says when it was given up.
#[derive(Debug)]
struct Silent(Arc<Notify>, Arc<Notify>);

struct GivenUp(Arc<Notify>);
impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[async_trait::async_trait]
impl connector::port::Source for Silent {
    async fn read(
        &self,
        _: &connector::port::CallContext,
        _: &kernel::subject::Subject,
    ) -> Result<Option<connector::port::Read>, kernel::fault::Fault> {
        Ok(None)
    }
    async fn list(
        &self,
        _: &connector::port::CallContext,
        _: &str,
        _: &connector::port::ListQuery,
    ) -> Result<connector::port::ListPage, kernel::fault::Fault> {
        let _given_up = GivenUp(self.1.clone());
        self.0.notify_one();
        std::future::pending().await
    }
}

/// A world whose shop never answers; when it was asked, and when it was given up.
async fn silent() -> (World, Arc<Notify>, Arc<Notify>) {
    let world = World::new().await;
    let (asked, given_up) = (Arc::default(), Arc::default());
    let mut works = world.parts.works.clone();
    works[0].scope.source = Arc::new(Silent(Arc::clone(&asked), Arc::clone(&given_up)));
    (world.and(|parts| parts.works = works), asked, given_up)
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_work() {
    let (world, asked, given_up) = silent().await;
    let request = Request::post("/admin/v1/prove").header("authorization", format!("Bearer {TOKEN}"));
    let request = request.body(Body::from(json!({ "day": DAY }).to_string())).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    asked.notified().await;
    drop(response);
    given_up.notified().await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_noticed_though_nothing_is_written() {
    let (world, asked, given_up) = silent().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let second = std::time::Duration::from_secs(1);
    let limits = ServerLimits {
        connections_max: 4,
        header_deadline: 10 * second,
        body_deadline: second,
        drain_deadline: second,
    };
    let (router, metrics) = (world.router.clone(), world.metrics.clone());
    tokio::spawn(serve_tcp(listener, Serving { router, limits, metrics, name: "public", stop: stopped }));
    let mut client = TcpStream::connect(address).await.unwrap();
    let body = json!({ "day": DAY }).to_string();
    let request = format!(
        "POST /admin/v1/prove HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.write_all(request.as_bytes()).await.unwrap();
    asked.notified().await;
    drop(client);
    given_up.notified().await;
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_says_why_it_failed() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.db");
    std::fs::write(&there, "precious").unwrap();
    let ask = |file: &Path| world.post("backup", json!({ "file": file, "who": "ada" }));
    ask(&there).await.refused(StatusCode::CONFLICT, "TG-7028", "not overwritten");
    ask(Path::new("a.db")).await.refused(StatusCode::BAD_REQUEST, "TG-7021", "absolute");
    let nowhere = folder.path().join("no/such/folder/a.db");
    ask(&nowhere).await.refused(StatusCode::CONFLICT, "TG-7028", "make it first");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");
    // The store in memory has nothing to copy.
    let answer = ask(&folder.path().join("new.db")).await;
    assert_eq!(answer.lines().pop().unwrap()["error"]["code"], "TG-7028");
}

#[tokio::test]
async fn a_backup_tells_where_it_is_and_how_large() {
    let store = crate::gated::Gated::new();
    let given: Arc<dyn store::Store> = store.clone();
    let world = World::with(|parts| parts.store = given).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.db");
    store.backs_up.store(true, Ordering::SeqCst);
    let done = world.post("backup", json!({ "file": file, "who": "ada" })).await.result();
    assert_eq!(done, json!({ "file": file, "bytes": 6 }));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "backup");
    let entry = world.get("audit").await.json()["entries"][0].clone();
    assert_eq!((&entry["who"], &entry["action"]), (&json!("ada"), &json!("backup")));
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_said_so_and_asked_again_later() {
    let store = crate::gated::Gated::new();
    let given: Arc<dyn store::Store> = store.clone();
    let world = World::with(|parts| parts.store = given).await;
    store.fails.store(true, Ordering::SeqCst);
    let answer = world.get("status").await;
    answer.refused(StatusCode::SERVICE_UNAVAILABLE, "TG-7024", "the store cannot commit now");
    assert_eq!(answer.header("retry-after"), "5");
    let body = json!({ "all": true, "why": "x" });
    let answer = world.post("dead-letters/release", body).await;
    answer.refused(StatusCode::SERVICE_UNAVAILABLE, "TG-7024", "the store cannot commit now");
    assert_eq!(world.hub.changed.load(Ordering::SeqCst), 0);
}
