//! `Idempotency-Key` honoured for a while, or not at all; and a search that lags behind.

use serde_json::Value;
use tidegate_twin::erp::{Knobs, LateAnswer};

use crate::client::{Caller, office, said, sale};

async fn keyed(caller: &Caller, key: &str, reference: &str) -> reqwest::Response {
    caller.post("/sales", &sale(reference)).header("Idempotency-Key", key).send().await.unwrap()
}

#[tokio::test]
async fn the_same_key_and_request_is_answered_from_memory() {
    let caller = office(Knobs::default()).await;
    let first = keyed(&caller, "k-1", "a-1").await;
    assert!(first.headers().get("idempotent-replayed").is_none());
    let first: Value = first.json().await.unwrap();
    let again = keyed(&caller, "k-1", "a-1").await;
    assert_eq!(again.status(), 201);
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap(), first);
    let other = said(keyed(&caller, "k-1", "a-2").await).await;
    assert_eq!((other.status, other.code.as_str()), (409, "idempotency_conflict"));
    let ledger = caller.erp.ledger();
    assert_eq!((ledger.creates, ledger.replays), (1, 1));
}

#[tokio::test]
async fn a_key_is_forgotten_after_its_lifetime() {
    let caller = office(Knobs { idempotency_lifetime_ms: Some(60_000), ..Knobs::default() }).await;
    keyed(&caller, "k-1", "a-1").await;
    caller.erp.advance(59_000);
    keyed(&caller, "k-1", "a-1").await;
    assert_eq!(caller.erp.ledger().creates, 1);
    caller.erp.advance(2_000);
    keyed(&caller, "k-1", "a-1").await;
    let ledger = caller.erp.ledger();
    assert_eq!((ledger.creates, ledger.doubled), (2, 1));
    assert_eq!(ledger.doubled_references, ["a-1"]);
}

#[tokio::test]
async fn the_header_can_be_ignored() {
    let caller = office(Knobs { idempotency_lifetime_ms: None, ..Knobs::default() }).await;
    for _ in 0..3 {
        keyed(&caller, "k-1", "a-1").await;
    }
    assert_eq!(caller.erp.ledger().creates, 3);
    assert_eq!(caller.erp.sales_by_reference(), [("a-1".to_owned(), 3)]);
}

#[tokio::test]
async fn a_refused_request_does_not_use_up_its_key() {
    let caller = office(Knobs { refuse: ["a-1".to_owned()].into(), ..Knobs::default() }).await;
    assert_eq!(keyed(&caller, "k-1", "a-1").await.status(), 422);
    caller.erp.turn(|knobs| knobs.refuse.clear());
    assert_eq!(keyed(&caller, "k-1", "a-1").await.status(), 201);
}

#[tokio::test]
async fn a_key_is_taken_while_its_request_is_still_worked_on() {
    let late = Knobs {
        late_apply_per_mille: 1000,
        late_apply_ms: 200,
        late_apply_answer: LateAnswer::GatewayTimeout,
        ..Knobs::default()
    };
    let caller = office(late).await;
    assert_eq!(keyed(&caller, "k-1", "a-1").await.status(), 504);
    caller.erp.turn(|knobs| knobs.late_apply_per_mille = 0);
    let meanwhile = keyed(&caller, "k-1", "a-1").await;
    // On a machine that is slow enough the late one was faster: then it is a replay, and still one sale.
    if meanwhile.status() != 201 {
        assert_eq!(said(meanwhile).await.code, "idempotency_in_progress");
    }
    caller.erp.until(|ledger| ledger.late_applied == 1 && ledger.creates == 1).await;
    let after = keyed(&caller, "k-1", "a-1").await;
    assert_eq!(after.headers()["idempotent-replayed"], "true");
    assert_eq!(caller.erp.ledger().creates, 1);
}

#[tokio::test]
async fn a_look_up_sees_a_sale_only_after_the_lag() {
    let caller = office(Knobs { look_up_lag_ms: 30_000, ..Knobs::default() }).await;
    caller.created(&sale("a-1")).await;
    let found = async || -> Value { caller.get("/sales?reference=a-1").await.json().await.unwrap() };
    assert_eq!(found().await["total"], 0);
    assert_eq!(caller.get("/sales/1").await.status(), 200, "by id it is there at once");
    caller.erp.advance(29_000);
    assert_eq!(found().await["total"], 0);
    caller.erp.advance(2_000);
    assert_eq!(found().await["total"], 1);
}
