//! What a form does: to the store, to the audit, and what the next page says of it.

use crate::desk::{Desk, Seen};
use crate::world::night::night;
use crate::world::{acme, flow, subject, system};
use axum::http::StatusCode;
use jiff::Timestamp;
use std::sync::atomic::Ordering;
use store::Store;
use store::delivery::{Delivery, DeliveryState, Outcome};
use store::operate::{AuditEntry, Pause, PauseScope};

async fn by_night() -> Desk {
    let desk = Desk::signed_in().await;
    night(&desk.scribe(), &desk.stage).await;
    desk
}

fn path(number: u32) -> String {
    format!("/orders/acme/order%3A{}", subject(number).key())
}

/// The only delivery of an order.
async fn delivery(desk: &Desk, number: u32) -> Delivery {
    let life = desk.store.life(&acme(), subject(number).root()).await.unwrap();
    life.deliveries[0].clone()
}

async fn newest_audit(desk: &Desk) -> AuditEntry {
    desk.store.audit_entries(1).await.unwrap().remove(0)
}

fn now() -> Timestamp {
    "2026-11-24T01:13:05Z".parse().unwrap()
}

async fn pause_of(desk: &Desk, scope: PauseScope) -> Option<Pause> {
    desk.store.pauses(now()).await.unwrap().into_iter().find(|pause| pause.scope == scope)
}

#[track_caller]
fn done(seen: &Seen, leads_to: &str) {
    assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, leads_to), "{}", seen.body);
}

#[tokio::test]
async fn a_dead_letter_is_released_with_a_reason() {
    let desk = by_night().await;
    let id = delivery(&desk, 1601).await.id.to_string();
    let act = format!("{}/release", path(1601));
    let refused = desk.act(&act, &[("delivery", &id), ("why", "  ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.says("a reason is missing");
    assert_eq!(delivery(&desk, 1601).await.state, DeliveryState::Dead);

    done(&desk.act(&act, &[("delivery", &id), ("why", "item made")]).await, &path(1601));
    assert!(matches!(delivery(&desk, 1601).await.state, DeliveryState::Waiting { .. }));
    let audit = newest_audit(&desk).await;
    let wanted = ("ada", "release", "item made", 1, now());
    assert_eq!(
        (audit.who.as_str(), audit.action.as_str(), audit.why.as_str(), audit.count, audit.at),
        wanted
    );
    assert_eq!(desk.stage.told.load(Ordering::SeqCst), 1, "the hub is told that there is work");
    let page = desk.get(&path(1601)).await;
    page.says("Released: 1 dead letter will be tried again now.");
    page.says("ada released it item made");
    assert!(!desk.get(&path(1601)).await.text().contains("Released: 1"), "said once");
    // The others of its group are as they were.
    assert_eq!(delivery(&desk, 1602).await.state, DeliveryState::Dead);
}

#[tokio::test]
async fn a_delivery_is_skipped_by_somebody_who_is_sure() {
    let desk = by_night().await;
    let id = delivery(&desk, 1501).await.id.to_string();
    let act = format!("{}/skip", path(1501));
    let unsure = desk.act(&act, &[("delivery", &id), ("why", "made by hand")]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    unsure.says("tick the box");
    done(&desk.act(&act, &[("delivery", &id), ("why", "made by hand"), ("sure", "yes")]).await, &path(1501));
    let skipped = Outcome::Skipped { who: "ada".into(), why: "made by hand".into() };
    assert_eq!(delivery(&desk, 1501).await.state, DeliveryState::Ended(skipped));
    assert_eq!(newest_audit(&desk).await.action, "skip");
    desk.get(&path(1501)).await.says("By ada: made by hand.");
}

#[tokio::test]
async fn what_is_without_an_answer_is_not_skipped_and_no_form_reaches_another_order() {
    let desk = by_night().await;
    let id = delivery(&desk, 1500).await.id.to_string();
    let fields = [("delivery", id.as_str()), ("why", "x"), ("sure", "yes")];
    done(&desk.act(&format!("{}/skip", path(1500)), &fields).await, &path(1500));
    desk.get(&path(1500)).await.says("was not skipped: it has ended, or an answer about it is awaited");
    assert!(matches!(delivery(&desk, 1500).await.state, DeliveryState::Unknown { .. }));

    let other = delivery(&desk, 1502).await;
    let id = other.id.to_string();
    let fields = [("delivery", id.as_str()), ("why", "x"), ("sure", "yes")];
    desk.act(&format!("{}/skip", path(1503)), &fields).await;
    assert_eq!(delivery(&desk, 1502).await.state, other.state);

    let unknown = desk.act("/orders/acme/order%3A999/skip", &fields).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_order_is_paused_and_resumed() {
    let desk = by_night().await;
    let scope = PauseScope::Subject(subject(1504));
    let act = |verb: &str| format!("{}/{verb}", path(1504));
    done(&desk.act(&act("pause"), &[("why", "address in doubt"), ("minutes", "60")]).await, &path(1504));
    let pause = pause_of(&desk, scope.clone()).await.unwrap();
    assert_eq!((pause.by.who.as_str(), pause.by.why.as_str()), ("ada", "address in doubt"));
    assert_eq!(pause.until, Some("2026-11-24T02:13:05Z".parse().unwrap()));
    let page = desk.get(&path(1504)).await;
    page.says("The order waits for the pause of acme/order:5600000001504 to end (in 1 h).");
    page.says("Goes on by itself at 03:13:05");
    desk.get("/").await.says("acme/order:5600000001504");

    done(&desk.act(&act("resume"), &[("why", "address is right")]).await, &path(1504));
    assert_eq!(pause_of(&desk, scope).await, None);
    assert_eq!(newest_audit(&desk).await.action, "resume");
    desk.get(&path(1504)).await.says("ada resumed it address is right");
    for minutes in ["0", "-5", "43201", "soon"] {
        let seen = desk.act(&act("pause"), &[("why", "x"), ("minutes", minutes)]).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{minutes}");
    }
}

#[tokio::test]
async fn a_group_is_released_or_skipped_as_it_was_seen() {
    let desk = by_night().await;
    let fingerprint = "orders_to_erp/rejected/missing_item/lines[].sku";
    let fields = |count: &'static str| {
        [("system", "erp"), ("fingerprint", fingerprint), ("count", count), ("why", "made")]
    };
    let grown = desk.act("/dead-letters/release", &fields("2")).await;
    assert_eq!(grown.status, StatusCode::UNPROCESSABLE_ENTITY);
    grown.says("the group has grown from 2 to 3 meanwhile");
    done(&desk.act("/dead-letters/release", &fields("3")).await, "/dead-letters");
    desk.get("/dead-letters")
        .await
        .says("Released: 3 dead letters will be tried again, one after the other.");
    let mut due = Vec::new();
    for number in [1601, 1602, 1603] {
        match delivery(&desk, number).await.state {
            DeliveryState::Waiting { due_at: Some(at), .. } => due.push(at),
            other => panic!("{other:?}"),
        }
    }
    due.sort();
    due.dedup();
    assert_eq!(due.len(), 3, "a system that has just come back is not flooded");
    assert_eq!(newest_audit(&desk).await.count, 3);

    let fields = [
        ("system", "erp"),
        ("fingerprint", "orders_to_erp/rejected/closed_period/invoice_date"),
        ("count", "1"),
        ("why", "booked by hand"),
    ];
    let unsure = desk.act("/dead-letters/skip", &fields).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    let sure: Vec<(&str, &str)> = fields.into_iter().chain([("sure", "yes")]).collect();
    done(&desk.act("/dead-letters/skip", &sure).await, "/dead-letters");
    let page = desk.get("/dead-letters").await;
    page.says("Skipped: 1 dead letter will not be sent to erp.");
    page.says("closed by ada: booked by hand");
    let gone = desk.act("/dead-letters/release", &fields).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn systems_and_flows_are_paused_and_resumed() {
    let desk = by_night().await;
    let erp = PauseScope::System(system("erp"));
    let fields = [("kind", "system"), ("name", "erp"), ("why", "maintenance"), ("minutes", "until-resumed")];
    done(&desk.act("/systems/pause", &fields).await, "/systems");
    assert_eq!(pause_of(&desk, erp.clone()).await.unwrap().until, None);
    let page = desk.get("/systems").await;
    page.says("Paused: system erp. What arrives is kept and waits.");
    page.says("Paused by ada since");
    page.says("Stands until somebody resumes it.");
    done(
        &desk.act("/systems/resume", &[("kind", "system"), ("name", "erp"), ("why", "done")]).await,
        "/systems",
    );
    assert_eq!(pause_of(&desk, erp).await, None);

    let fields = [("kind", "flow"), ("name", "orders_to_erp"), ("why", "new mapping"), ("minutes", "15")];
    done(&desk.act("/systems/pause", &fields).await, "/systems");
    assert!(pause_of(&desk, PauseScope::Flow(flow("orders_to_erp"))).await.is_some());
    desk.get("/systems").await.says("orders_to_erp ▲ paused");

    for (kind, name) in
        [("system", "nowhere"), ("flow", "nothing"), ("planet", "erp"), ("subject", "acme/order:1"), ("", "")]
    {
        let seen = desk.act("/systems/pause", &[("kind", kind), ("name", name), ("why", "x")]).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{kind} {name}");
    }
}
