//! What Shopify's answers to a write mean, each for its own stock level.

use super::told::{HERE, Told, id, item, level, shop, sku};
use super::{call_key, connected, known, next, settings, wanted};
use crate::support::{call, config};
use connector::descriptor::Direction;
use connector::port::{Applied, Connector, Plan, Step, Wanted};
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use serde_json::{Value, json};
use std::time::Duration;
use tidegate_shopify::inventory::{SCHEMA, SCHEMA_NAME};
use tidegate_shopify::target::describe;

/// Pairs that were set before, looked at: each of them has 10 and one committed.
async fn seen(told: &Told, connector: &dyn Connector, count: usize, available: i64) -> Vec<(CallKey, Step)> {
    let wanted: Vec<Wanted> =
        (0..count).map(|number| known(wanted(&sku(number), "1", available, Some(1)), &id(number))).collect();
    let nodes: Vec<Value> = (0..count).map(|number| level(number, &sku(number), 10, 1)).collect();
    told.says(json!({ "nodes": nodes }));
    let observed = connector.observe_many(&call(), &wanted).await;
    told.asked();
    let steps = wanted.iter().zip(observed);
    steps
        .enumerate()
        .map(|(number, (wanted, observed))| (call_key(number), next(connector, wanted, &observed.unwrap())))
        .collect()
}

fn changes(numbers: impl Iterator<Item = usize>, after: i64) -> Value {
    let change = |number| {
        json!({
            "name": "available", "quantityAfterChange": after,
            "item": { "id": item(number) }, "location": { "id": HERE }
        })
    };
    let changes: Vec<Value> = numbers.map(change).collect();
    json!({ "inventorySetQuantities": { "inventoryAdjustmentGroup": { "changes": changes }, "userErrors": [] } })
}

fn refused(errors: Value) -> Value {
    json!({ "inventorySetQuantities": { "inventoryAdjustmentGroup": null, "userErrors": errors } })
}

fn error(place: usize, code: &str) -> Value {
    let field = ["input", "quantities", &place.to_string(), "changeFromQuantity"];
    json!({ "code": code, "field": field, "message": "so it is" })
}

fn kinds(answers: &[Result<Applied, Fault>]) -> Vec<Option<FaultKind>> {
    answers.iter().map(|answer| answer.as_ref().err().map(|fault| fault.kind)).collect()
}

#[tokio::test]
async fn what_was_set_before_is_looked_at_by_its_id_and_set_from_what_was_seen() {
    let (told, connector) = shop(json!({ "reason": "restock" })).await;
    let wanted = known(wanted("SKU-0001", "1", 12, Some(5)), &id(1));
    told.says(json!({ "nodes": [level(1, "SKU-0001", 4, 8)] }));
    let observation = connector.observe(&call(), &wanted).await.unwrap();
    assert_eq!(told.asked(), [("StockLevels".to_owned(), json!({ "ids": [id(1)] }))]);
    let step = next(&*connector, &wanted, &observation);
    assert!(step.name == "set" && step.idempotent && !step.creates);
    told.says(changes([1].into_iter(), 9));
    let applied = connector.apply(&call(), &call_key(0), &step).await.unwrap();
    let asked = told.asked();
    let (operation, sent) = &asked[0];
    assert_eq!(operation, "SetStock");
    // 8 are committed and 5 counted: 3 of the 12 are in flight.
    assert_eq!(
        sent["input"],
        json!({
            "name": "available", "reason": "restock",
            "referenceDocumentUri": "gid://tidegate/Call/tg-0000-7-1",
            "quantities": [{
                "inventoryItemId": item(1), "locationId": HERE, "quantity": 9, "changeFromQuantity": 4
            }]
        })
    );
    let Plan::Done(done) = connector.plan(&wanted, &applied.observation.unwrap()) else { panic!("done") };
    assert!(!done.unchanged && done.note.unwrap().starts_with("3 of 8 committed units are held back"));
    assert_eq!(
        (done.external.id, done.external.number.as_deref(), done.external.state.as_deref()),
        (id(1), Some("SKU-0001"), Some("9"))
    );
}

#[tokio::test]
async fn the_same_members_are_the_same_call_in_whatever_order_they_come() {
    let (told, connector) = shop(json!({})).await;
    let mut calls = seen(&told, &*connector, 5, 12).await;
    let mut sent = Vec::new();
    for _ in 0..2 {
        told.says(changes(0..5, 12));
        assert_eq!(kinds(&connector.apply_many(&call(), &calls).await), [None; 5]);
        sent.push(told.asked().remove(0).1);
        calls.reverse();
    }
    assert_eq!(sent[0].to_string(), sent[1].to_string());
    calls[0].0 = call_key(99);
    told.says(changes(0..5, 12));
    connector.apply_many(&call(), &calls).await;
    assert_ne!(told.asked().remove(0).1["key"], sent[0]["key"]);
}

#[tokio::test]
async fn a_refusal_is_that_of_whom_it_names_and_the_others_go_again_at_once() {
    let (told, connector) = shop(json!({})).await;
    let calls = seen(&told, &*connector, 4, 12).await;
    told.says(refused(json!([error(1, "CHANGE_FROM_QUANTITY_STALE"), error(3, "INVALID_INVENTORY_ITEM")])));
    let answers = connector.apply_many(&call(), &calls).await;
    use FaultKind::*;
    assert_eq!(kinds(&answers), [Some(Throttled), Some(Conflict), Some(Throttled), Some(Rejected)]);
    let fault = answers[0].as_ref().unwrap_err();
    assert_eq!((fault.code.as_str(), fault.retry_after), ("TG-6405", Some(Duration::ZERO)));
    let fault = answers[3].as_ref().unwrap_err();
    assert_eq!(fault.code, "INVALID_INVENTORY_ITEM");
    assert!(fault.message.contains("so it is") && fault.message.contains("SKU-0003"), "{fault}");
    assert_eq!(fault.field.as_deref(), Some("input.quantities.3.changeFromQuantity"));
}

#[tokio::test]
async fn what_concerns_the_call_concerns_all_of_it() {
    use FaultKind::*;
    let (told, connector) = shop(json!({})).await;
    let calls = seen(&told, &*connector, 3, 12).await;
    let unnamed = |code: &str| refused(json!([{ "code": code, "field": ["input"], "message": "no" }]));
    for (answer, kind) in [
        (unnamed("INVALID_REASON"), Rejected),
        (unnamed("IDEMPOTENCY_CONCURRENT_REQUEST"), Conflict),
        (unnamed("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"), Conflict),
        (unnamed("SERVICE_UNAVAILABLE"), Transient),
        (refused(json!([{ "code": null, "field": null, "message": "no" }])), Rejected),
        (json!({ "inventorySetQuantities": null }), Ambiguous),
    ] {
        told.says(answer.clone());
        assert_eq!(kinds(&connector.apply_many(&call(), &calls).await), [Some(kind); 3], "{answer}");
    }
    for (code, kind) in
        [("THROTTLED", Throttled), ("INTERNAL_SERVER_ERROR", Ambiguous), ("ACCESS_DENIED", Unauthorized)]
    {
        told.fails(code);
        assert_eq!(kinds(&connector.apply_many(&call(), &calls).await), [Some(kind); 3], "{code}");
    }
    // One who is named has his own.
    let both = json!([
        error(0, "CHANGE_FROM_QUANTITY_STALE"), { "code": "INVALID_REASON", "field": null, "message": "no" }
    ]);
    told.says(refused(both));
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(kinds(&answers), [Some(Conflict), Some(Rejected), Some(Rejected)]);
}

#[tokio::test]
async fn a_level_that_the_answer_does_not_show_as_it_was_set_is_looked_up() {
    use FaultKind::*;
    let (told, connector) = shop(json!({})).await;
    let calls = seen(&told, &*connector, 3, 12).await;
    told.says(changes(0..2, 12));
    assert_eq!(kinds(&connector.apply_many(&call(), &calls).await), [None, None, Some(Ambiguous)]);
    told.says(changes(0..3, 11));
    assert_eq!(kinds(&connector.apply_many(&call(), &calls).await), [Some(Ambiguous); 3]);
    // The field may be absent: then that it is named is all that is said.
    let mut answer = changes(0..3, 0);
    let changes = answer["inventorySetQuantities"]["inventoryAdjustmentGroup"]["changes"].as_array_mut();
    changes.unwrap().iter_mut().for_each(|change| change["quantityAfterChange"] = Value::Null);
    told.says(answer);
    assert_eq!(kinds(&connector.apply_many(&call(), &calls).await), [None; 3]);
    assert!(told.asked().len() == 3);
}

#[tokio::test]
async fn one_pair_stands_in_a_call_once() {
    let (told, connector) = shop(json!({})).await;
    let mut calls = seen(&told, &*connector, 2, 12).await;
    calls.push((call_key(9), calls[0].1.clone()));
    told.says(changes(0..2, 12));
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(kinds(&answers), [None, None, Some(FaultKind::Throttled)]);
    assert_eq!(told.asked()[0].1["input"]["quantities"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_call_that_cannot_be_read_back_holds_up_nobody() {
    let (told, connector) = shop(json!({})).await;
    let mut calls = seen(&told, &*connector, 2, 12).await;
    calls[0].1.request = b"{}".to_vec();
    told.says(changes(1..2, 12));
    let answers = connector.apply_many(&call(), &calls).await;
    assert_eq!(kinds(&answers), [Some(FaultKind::Bug), None]);
    assert_eq!(answers[0].as_ref().unwrap_err().code, "TG-6402");
}

#[tokio::test]
async fn where_the_bucket_is_too_low_nothing_is_sent_and_orders_have_their_part() {
    let told = Told::start().await;
    let clock = config().clock;
    let connector = connected(&told.url, &clock, json!({}));
    let calls = seen(&told, &*connector, 2, 12).await;
    // 20,000 points are there, of which stock has four fifths.
    let mut made = 0;
    let fault = loop {
        told.says(changes(0..2, 12));
        match connector.apply_many(&call(), &calls).await.remove(0) {
            Err(fault) if fault.kind == FaultKind::Throttled => break fault,
            _ => made += 1,
        }
        assert!(made < 1300);
    };
    assert_eq!((fault.code.as_str(), made), ("TG-6101", (16_000 - 4) / 13));
    let order = connector.health(&call()).await;
    assert_ne!(order.err().map(|fault| fault.kind), Some(FaultKind::Throttled));
}

#[test]
fn settings_are_judged_in_one_go_and_all_schemas_are_declared() {
    let descriptor = describe(&settings(json!({ "state_tag": "tidegate:", "activate": false }))).unwrap();
    let targets = descriptor.services.iter().filter(|service| service.direction == Direction::Target);
    let targets: Vec<_> = targets.map(|one| (one.domain.as_str(), one.schema.as_str())).collect();
    let [shipments, holds] = [tidegate_shopify::fulfilment::SCHEMA_NAME, tidegate_shopify::hold::SCHEMA_NAME];
    let all = [
        ("orders", "shopify.order_write_back/1"),
        ("inventory", SCHEMA_NAME),
        ("orders", shipments),
        ("orders", holds),
    ];
    assert_eq!(targets, all);
    assert!(descriptor.resolves_references);
    assert!(descriptor.settings.iter().any(|setting| setting.name == "activate"));
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["title"], SCHEMA_NAME);
    let wrong = json!({ "namespace": "a", "activate": "yes", "reason": "because", "url": "https://x" });
    let problems = describe(&settings(wrong)).unwrap_err();
    let keys: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
    assert_eq!(keys, ["namespace", "reason", "activate", "url"], "{problems:?}");
}
