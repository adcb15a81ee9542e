//! Every knob does what it says: what the caller sees, and what is in the books afterwards.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tidegate_twin::erp::{ErpConfig, FaultsOn, Knobs, LateAnswer, Outage};

use crate::client::{Caller, client, office, said, sale, with};

#[expect(clippy::disallowed_methods, reason = "that an answer is late is what is measured")]
fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

async fn try_create(caller: &Caller, reference: &str) -> reqwest::Result<reqwest::Response> {
    caller.post("/sales", &sale(reference)).send().await
}

#[tokio::test]
async fn an_error_is_carried_out_or_not_as_told() {
    let caller = office(Knobs { error_per_mille: 1000, ..Knobs::default() }).await;
    assert_eq!(said(caller.create(&sale("a-1")).await).await.status, 500);
    assert_eq!(caller.erp.ledger().creates, 0);
    caller.erp.turn(|knobs| (knobs.error_status, knobs.error_applied_per_mille) = (502, 1000));
    assert_eq!(caller.create(&sale("a-1")).await.status(), 502);
    let ledger = caller.erp.ledger();
    assert_eq!(ledger.creates, 1, "a 502 on a create that was carried out");
    assert_eq!((ledger.faults["error"], ledger.faults["error_applied"]), (1, 1));
}

#[tokio::test]
async fn a_throttled_request_says_when_to_come_back() {
    let caller = office(Knobs { throttled_per_mille: 1000, retry_after_s: 7, ..Knobs::default() }).await;
    let response = caller.create(&sale("a-1")).await;
    assert_eq!(response.headers()["retry-after"], "7");
    assert_eq!(said(response).await.code, "throttled");
    assert_eq!(caller.erp.ledger().creates, 0);
}

#[tokio::test]
async fn an_unanswered_request_was_carried_out() {
    let caller = office(Knobs { unanswered_per_mille: 1000, ..Knobs::default() }).await;
    let error = try_create(&caller, "a-1").await.unwrap_err();
    assert!(!error.is_connect(), "{error:?}");
    assert_eq!(caller.erp.ledger().creates, 1);
}

#[tokio::test]
async fn a_late_apply_answers_first_and_commits_later() {
    for answer in [LateAnswer::Reset, LateAnswer::GatewayTimeout] {
        let caller = office(Knobs {
            late_apply_per_mille: 1000,
            late_apply_ms: 150,
            late_apply_answer: answer,
            ..Knobs::default()
        })
        .await;
        let answered = try_create(&caller, "a-1").await;
        match answer {
            LateAnswer::GatewayTimeout => assert_eq!(answered.unwrap().status(), StatusCode::GATEWAY_TIMEOUT),
            _ => assert!(answered.is_err()),
        }
        let ledger = caller.erp.ledger();
        assert_eq!(ledger.creates + ledger.late_pending, 1, "in the books or on the way there");
        caller.erp.until(|ledger| ledger.creates == 1 && ledger.late_pending == 0).await;
    }
}

#[tokio::test]
async fn a_late_apply_may_leave_the_caller_hanging() {
    let knobs = Knobs {
        late_apply_per_mille: 1000,
        late_apply_ms: 20,
        late_apply_answer: LateAnswer::Hang,
        ..Knobs::default()
    };
    let caller = office(knobs).await;
    tokio::select! {
        answered = try_create(&caller, "a-1") => panic!("{answered:?}"),
        () = caller.erp.until(|ledger| ledger.creates == 1) => {}
    }
}

#[tokio::test]
async fn a_hanging_request_is_neither_carried_out_nor_answered() {
    let caller = office(Knobs { hang_per_mille: 1000, ..Knobs::default() }).await;
    tokio::select! {
        answered = try_create(&caller, "a-1") => panic!("{answered:?}"),
        () = caller.erp.until(|ledger| ledger.faults.contains_key("hang")) => {}
    }
    assert_eq!(caller.erp.ledger().creates, 0);
}

#[tokio::test]
async fn half_an_answer_is_cut_in_its_body() {
    let caller = office(Knobs { half_answer_per_mille: 1000, ..Knobs::default() }).await;
    let mut response = caller.create(&sale("a-1")).await;
    assert_eq!(response.status(), 201);
    let promised = response.content_length().unwrap();
    let mut came = 0;
    let cut = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => came += chunk.len() as u64,
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(cut && came > 0 && came < promised, "{came} of {promised}");
    assert_eq!(caller.erp.ledger().creates, 1);
}

#[tokio::test]
async fn a_slow_answer_and_latency_take_their_time() {
    let slow = Knobs { slow_answer_per_mille: 1000, slow_answer_ms: 160, ..Knobs::default() };
    let fixed = Knobs { latency_ms: 150, ..Knobs::default() };
    let tail = Knobs { latency_tail_ms: 150, latency_tail_per_mille: 1000, ..Knobs::default() };
    for knobs in [slow, fixed, tail] {
        let caller = office(knobs).await;
        let begun = stopwatch();
        let body: Value = caller.created(&sale("a-1")).await;
        assert!(begun.elapsed() >= Duration::from_millis(150), "{:?}", begun.elapsed());
        assert_eq!(body["reference"], "a-1", "late, but whole");
    }
}

#[tokio::test]
async fn a_redirect_points_at_another_host() {
    let caller = office(Knobs { redirect_per_mille: 1000, ..Knobs::default() }).await;
    let response = caller.create(&sale("a-1")).await;
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()["location"], "http://192.0.2.1/");
    assert_eq!(caller.erp.ledger().creates, 0);
}

#[tokio::test]
async fn a_huge_answer_is_as_long_as_told() {
    let caller = office(Knobs { huge_answer_per_mille: 1000, ..Knobs::default() }).await;
    let mut response = caller.create(&sale("a-1")).await;
    assert_eq!(response.content_length(), Some(100_000_000));
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b"{\"junk\":\"xxx"));
    drop(response);
    caller.erp.turn(|knobs| knobs.huge_answer_bytes = 300_001);
    assert_eq!(caller.create(&sale("a-1")).await.bytes().await.unwrap().len(), 300_001);
    assert_eq!(caller.erp.ledger().creates, 2);
}

#[tokio::test]
async fn garbage_says_200_and_is_no_json() {
    let caller = office(Knobs { garbage_per_mille: 1000, ..Knobs::default() }).await;
    let response = caller.create(&sale("a-1")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(response.json::<Value>().await.is_err());
}

#[tokio::test]
async fn an_outage_of_either_kind_ends_when_told() {
    let caller = office(Knobs::default()).await;
    caller.created(&sale("a-1")).await;
    caller.erp.set_outage(Outage::Unavailable).await;
    let response = caller.get("/health").await;
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!(said(response).await.code, "unavailable");
    caller.erp.set_outage(Outage::Refused).await;
    assert!(try_create(&caller, "a-2").await.is_err(), "the kept connection is gone as well");
    let refused = client().get(caller.erp.url()).send().await.unwrap_err();
    assert!(refused.is_connect(), "{refused:?}");
    let ledger = client().get(format!("{}/twin/ledger", caller.erp.control_url())).send().await.unwrap();
    assert_eq!(ledger.json::<Value>().await.unwrap()["creates"], 1, "the judge may ask all the while");
    caller.erp.set_outage(Outage::None).await;
    caller.created(&sale("a-2")).await;
}

#[tokio::test]
async fn an_outage_may_end_by_itself() {
    let caller = office(Knobs::default()).await;
    caller.erp.turn(|knobs| (knobs.outage, knobs.outage_for_ms) = (Outage::Refused, Some(100)));
    // Connections are refused for a while; each attempt waits for its refusal.
    while try_create(&caller, "a-1").await.is_err() {}
    assert_eq!(caller.erp.knobs().outage, Outage::None);
}

#[tokio::test]
async fn an_office_may_start_in_an_outage() {
    let caller =
        office(Knobs { outage: Outage::Unavailable, outage_for_ms: Some(50), ..Knobs::default() }).await;
    assert_eq!(caller.get("/health").await.status(), 503);
    while caller.get("/health").await.status() != 200 {}
    assert!(caller.erp.ledger().faults["outage"] >= 1);
}

#[tokio::test]
async fn one_reference_fails_for_ever_and_no_other() {
    let caller =
        office(Knobs { fail: ["a-1".to_owned(), "#b-1".to_owned()].into(), ..Knobs::default() }).await;
    for reference in ["a-1", "b-1", "a-1"] {
        assert_eq!(said(caller.create(&sale(reference)).await).await.status, 500);
    }
    caller.created(&sale("c-1")).await;
    caller.erp.turn(|knobs| knobs.fail = ["c-1".to_owned()].into());
    let confirm = caller.post("/sales/1/confirm", &json!({})).send().await.unwrap();
    assert_eq!(confirm.status(), 500);
    assert_eq!(caller.erp.ledger().confirms, 0);
}

#[tokio::test]
async fn faults_can_be_kept_off_reads() {
    let caller =
        office(Knobs { error_per_mille: 1000, faults_on: FaultsOn::Writes, ..Knobs::default() }).await;
    assert_eq!(caller.get("/health").await.status(), 200);
    assert_eq!(caller.create(&sale("a-1")).await.status(), 500);
}

#[tokio::test]
async fn the_same_seed_meets_the_same_faults() {
    let run = async |seed| {
        let knobs = Knobs { error_per_mille: 300, throttled_per_mille: 300, ..Knobs::default() };
        let caller = with(ErpConfig { seed, knobs, ..ErpConfig::default() }).await;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(caller.create(&sale("a-1")).await.status().as_u16());
        }
        statuses
    };
    let first = run(5).await;
    assert_eq!(first, run(5).await);
    assert_ne!(first, run(6).await);
    assert!([201, 429, 500].iter().all(|status| first.contains(status)), "{first:?}");
}

#[tokio::test]
async fn knobs_are_turned_over_http() {
    let caller = office(Knobs::default()).await;
    let knobs = format!("{}/twin/knobs", caller.erp.url());
    let turned =
        client().post(&knobs).json(&json!({ "latency_ms": 3, "refuse": ["a-1"] })).send().await.unwrap();
    assert_eq!(turned.json::<Value>().await.unwrap()["latency_ms"], 3);
    assert_eq!(caller.erp.knobs().latency_ms, 3);
    assert_eq!(caller.create(&sale("a-1")).await.status(), 422);
    for wrong in [json!({ "latency_sm": 3 }), json!({ "latency_ms": "soon" }), json!({ "outage": "big" })] {
        let response = client().post(&knobs).json(&wrong).send().await.unwrap();
        assert_eq!(said(response).await.code, "bad_request", "{wrong}");
    }
    let read: Value = client().get(&knobs).send().await.unwrap().json().await.unwrap();
    assert_eq!(read["refuse"], json!(["a-1"]));
}
