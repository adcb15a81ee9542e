//! What Shopify's answers mean, each for its own stock level.

use super::told::Told;
use super::{call_key, connected, known, next, settings, wanted};
use crate::support::{call, config};
use connector::descriptor::Direction;
use connector::port::{Applied, Connector, Observation, Observed, Plan, Step, Wanted};
use kernel::fault::{Fault, FaultKind, Reference};
use kernel::key::CallKey;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tidegate_shopify::inventory::{SCHEMA, SCHEMA_NAME};
use tidegate_shopify::target::describe;

const HERE: &str = "gid://shopify/Location/1";

async fn shop(with: Value) -> (Told, Arc<dyn Connector>) {
    let told = Told::start().await;
    let connector = connected(&told.url, &config().clock, with);
    (told, connector)
}

fn item(number: usize) -> String {
    format!("gid://shopify/InventoryItem/{number}")
}

fn id(number: usize) -> String {
    format!("gid://shopify/InventoryLevel/1?inventory_item_id={number}")
}

fn quantities(available: i64, committed: i64) -> Value {
    json!([{ "name": "available", "quantity": available }, { "name": "committed", "quantity": committed }])
}

fn level(number: usize, sku: &str, available: i64, committed: i64) -> Value {
    json!({
        "id": id(number), "isActive": true, "quantities": quantities(available, committed),
        "item": { "id": item(number), "sku": sku, "tracked": true }, "location": { "id": HERE }
    })
}

fn variant(number: usize, sku: &str, level: Value) -> Value {
    json!({
        "id": format!("gid://shopify/ProductVariant/{number}"), "sku": sku,
        "inventoryItem": { "id": item(number), "tracked": true, "inventoryLevel": level }
    })
}

fn found(variants: Value) -> Value {
    json!({ "productVariants": { "nodes": variants, "pageInfo": { "hasNextPage": false, "endCursor": null } } })
}

fn sku(number: usize) -> String {
    format!("SKU-{number:04}")
}

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

fn refusal(plan: Plan) -> Fault {
    match plan {
        Plan::NotAllowed(fault) => fault,
        other => panic!("not allowed, and not {other:?}"),
    }
}

async fn look(connector: &dyn Connector, wanted: &Wanted) -> Observation {
    connector.observe(&call(), wanted).await.unwrap()
}

#[tokio::test]
async fn a_sku_that_is_not_there_waits_for_the_fact_that_it_is() {
    let (told, connector) = shop(json!({})).await;
    for known_before in [false, true] {
        let mut wanted = wanted("SKU-0001", "1", 12, None);
        if known_before {
            wanted = known(wanted, &id(1));
            told.says(json!({ "nodes": [null] }));
        }
        told.says(found(json!([variant(1, "sku-0001 ", Value::Null)])));
        let observation = look(&*connector, &wanted).await;
        // What we set before is not called vanished: that would stop for a person.
        assert_eq!(observation.object == Observed::None, !known_before);
        let fault = refusal(connector.plan(&wanted, &observation));
        let missing = Reference { kind: "sku".into(), value: "SKU-0001".into() };
        assert_eq!((fault.kind, fault.missing), (FaultKind::Rejected, Some(missing)));
        assert!(fault.message.contains("\"sku-0001 \""), "{}", fault.message);
    }
    let reference = Reference { kind: "sku".into(), value: "SKU-0001".into() };
    for (spelled, exists) in [("sku-0001", false), ("SKU-0001", true)] {
        told.says(json!({ "productVariants": { "nodes": [{ "id": "v", "sku": spelled }] } }));
        assert_eq!(connector.exists(&call(), &reference).await.unwrap(), exists);
    }
    let other = Reference { kind: "party".into(), value: "X".into() };
    assert_eq!(connector.exists(&call(), &other).await.unwrap_err().kind, FaultKind::Rejected);
}

#[tokio::test]
async fn an_item_that_shopify_made_anew_is_found_by_its_sku() {
    let (told, connector) = shop(json!({})).await;
    let gone = json!({ "nodes": [null] });
    let other_sku = json!({ "nodes": [level(1, "SKU-0002", 4, 0)] });
    let mut elsewhere = level(1, "SKU-0001", 4, 0);
    elsewhere["location"]["id"] = json!("gid://shopify/Location/2");
    for first in [gone, other_sku, json!({ "nodes": [elsewhere] })] {
        let wanted = known(wanted("SKU-0001", "1", 12, None), &id(1));
        told.says(first);
        told.says(found(json!([variant(9, "SKU-0001", level(9, "SKU-0001", 3, 0))])));
        let observation = look(&*connector, &wanted).await;
        assert_eq!(told.operations(), ["StockLevels", "FindStock"]);
        let Observed::One(state) = &observation.object else { panic!("one") };
        assert_eq!(state.external.id, id(9));
        next(&*connector, &wanted, &observation);
    }
}

#[tokio::test]
async fn several_variants_with_one_sku_are_named() {
    let (told, connector) = shop(json!({})).await;
    let wanted = wanted("SKU-0001", "1", 12, None);
    told.says(found(json!([variant(1, "SKU-0001", Value::Null), variant(2, "SKU-0001", Value::Null)])));
    let observation = look(&*connector, &wanted).await;
    let ids = ["gid://shopify/ProductVariant/1", "gid://shopify/ProductVariant/2"].map(str::to_owned);
    assert_eq!(observation.object, Observed::Many(ids.to_vec()));
    assert_eq!(refusal(connector.plan(&wanted, &observation)).code, "TG-6408");
}

#[tokio::test]
async fn an_item_is_stocked_first_where_that_may_be() {
    let mut inactive = level(1, "SKU-0001", 0, 0);
    inactive["isActive"] = json!(false);
    for there in [Value::Null, inactive] {
        let (told, connector) = shop(json!({})).await;
        let wanted = wanted("SKU-0001", "1", 12, None);
        told.says(found(json!([variant(1, "SKU-0001", there.clone())])));
        let observation = look(&*connector, &wanted).await;
        let step = next(&*connector, &wanted, &observation);
        assert_eq!(step.name, "activate");
        told.says(json!({
            "inventoryActivate": { "inventoryLevel": level(1, "SKU-0001", 0, 0), "userErrors": [] }
        }));
        told.asked();
        let applied = connector.apply(&call(), &call_key(1), &step).await.unwrap();
        let (operation, sent) = told.asked().remove(0);
        assert_eq!(
            (operation.as_str(), &sent["item"], &sent["location"]),
            ("ActivateStock", &json!(item(1)), &json!(HERE))
        );
        assert_eq!(applied.external.as_ref().unwrap().id, id(1));
        assert_eq!(next(&*connector, &wanted, &applied.observation.unwrap()).name, "set");

        let (told, connector) = shop(json!({ "activate": false })).await;
        told.says(found(json!([variant(1, "SKU-0001", there)])));
        let fault = refusal(connector.plan(&wanted, &look(&*connector, &wanted).await));
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-6403"));
    }
}

#[tokio::test]
async fn what_shopify_does_not_track_is_not_set() {
    let (told, connector) = shop(json!({})).await;
    let mut variant = variant(1, "SKU-0001", level(1, "SKU-0001", 4, 0));
    variant["inventoryItem"]["tracked"] = json!(false);
    let wanted = wanted("SKU-0001", "1", 12, None);
    told.says(found(json!([variant])));
    assert_eq!(refusal(connector.plan(&wanted, &look(&*connector, &wanted).await)).code, "TG-6404");
}

#[tokio::test]
async fn locations_are_asked_for_once_and_again_for_a_name_that_is_new() {
    let (told, connector) = shop(json!({})).await;
    let locations = |names: &[&str]| {
        let node = |(number, name): (usize, &&str)| json!({ "id": format!("gid://shopify/Location/{}", number + 1), "name": name });
        let nodes: Vec<Value> = names.iter().enumerate().map(node).collect();
        json!({ "locations": { "nodes": nodes, "pageInfo": { "hasNextPage": false } } })
    };
    let none = || found(json!([variant(1, "SKU-0001", Value::Null)]));
    told.says(locations(&["Hamburg"]));
    told.says(none());
    told.says(none());
    for _ in 0..2 {
        look(&*connector, &wanted("SKU-0001", "Hamburg", 1, None)).await;
    }
    assert_eq!(told.operations(), ["Locations", "FindStock", "FindStock"]);
    told.says(locations(&["Hamburg"]));
    let bremen = wanted("SKU-0001", "hamburg", 1, None);
    let fault = refusal(connector.plan(&bremen, &look(&*connector, &bremen).await));
    assert_eq!(fault.missing, Some(Reference { kind: "location".into(), value: "hamburg".into() }));
    assert!(fault.message.contains("\"Hamburg\""), "{}", fault.message);
    told.says(locations(&["Hamburg", "Bremen"]));
    told.says(none());
    look(&*connector, &wanted("SKU-0001", "Bremen", 1, None)).await;
    let asked = told.asked();
    assert_eq!(asked.last().unwrap().1["location"], "gid://shopify/Location/2");
    let reference = Reference { kind: "location".into(), value: "Bremen".into() };
    assert!(connector.exists(&call(), &reference).await.unwrap());
}

/// Shopify counts a query before it runs it: at its dearest no look is refused.
#[tokio::test]
async fn no_look_asks_for_more_than_shopify_gives_in_one() {
    let (told, connector) = shop(json!({})).await;
    let most = connector.together("ats").unwrap();
    // The list itself 1, and of each level itself, its quantities, its item and its location.
    let dearest = 1 + most.most * 4;
    assert!(dearest <= 1000 && most.most <= 250, "{most:?}");
    assert!(connector.together("order").is_none());
    let pairs = |count: usize| -> Vec<Wanted> {
        (0..count).map(|number| known(wanted(&sku(number), "1", 1, None), &id(number))).collect()
    };
    let levels = |range: std::ops::Range<usize>| -> Value {
        json!({ "nodes": range.map(|number| level(number, &sku(number), 1, 0)).collect::<Vec<_>>() })
    };
    told.says(levels(0..most.most));
    told.says(levels(most.most..most.most + 5));
    let observed = connector.observe_many(&call(), &pairs(most.most + 5)).await;
    assert!(observed.iter().all(Result::is_ok));
    let sizes: Vec<usize> =
        told.asked().iter().map(|(_, sent)| sent["ids"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [most.most, 5]);
    // By SKU: pages are followed to their end, and of the searches none is too long.
    let unknown: Vec<Wanted> = (0..150).map(|number| wanted(&sku(number), "1", 1, None)).collect();
    let variants = |range: std::ops::Range<usize>, next: Value| {
        let nodes: Vec<Value> =
            range.map(|number| variant(number, &sku(number), level(number, &sku(number), 1, 0))).collect();
        json!({ "productVariants": { "nodes": nodes, "pageInfo": { "hasNextPage": next != Value::Null, "endCursor": next } } })
    };
    told.says(variants(0..60, json!("c")));
    told.says(variants(60..100, Value::Null));
    told.fails("INTERNAL_SERVER_ERROR");
    let observed = connector.observe_many(&call(), &unknown).await;
    assert!(
        observed[..100].iter().all(|one| matches!(one, Ok(Observation { object: Observed::One(_), .. })))
    );
    // A search that fails is the fault of those that it was for.
    assert!(
        observed[100..].iter().all(|one| one.as_ref().is_err_and(|fault| fault.kind == FaultKind::Transient))
    );
    assert_eq!(told.asked()[1].1["after"], "c");
}

#[tokio::test]
async fn an_answer_that_lacks_a_quantity_is_not_taken_for_0() {
    let (told, connector) = shop(json!({})).await;
    let wanted = known(wanted("SKU-0001", "1", 12, None), &id(1));
    for spoil in [json!([]), json!([{ "name": "available", "quantity": null }]), json!(null)] {
        let mut level = level(1, "SKU-0001", 4, 0);
        level["quantities"] = spoil;
        told.says(json!({ "nodes": [level] }));
        let fault = connector.observe(&call(), &wanted).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "TG-6407"));
    }
}

#[tokio::test]
async fn a_body_that_names_no_pair_is_refused_and_its_neighbours_are_looked_at() {
    let (told, connector) = shop(json!({})).await;
    let bad = Wanted { body: json!({ "sku": "SKU-0001" }), ..wanted("SKU-0001", "1", 1, None) };
    let good = known(wanted("SKU-0002", "1", 4, None), &id(2));
    told.says(json!({ "nodes": [level(2, "SKU-0002", 4, 0)] }));
    let observed = connector.observe_many(&call(), &[bad.clone(), good.clone()]).await;
    let fault = refusal(connector.plan(&bad, observed[0].as_ref().unwrap()));
    assert_eq!((fault.code.as_str(), fault.field.as_deref()), ("TG-6401", Some("location")));
    let Plan::Done(done) = connector.plan(&good, observed[1].as_ref().unwrap()) else { panic!("done") };
    assert!(done.unchanged && done.note.is_none());
    // What was not looked at is not guessed.
    assert_eq!(refusal(connector.plan(&good, &Observation::unasked())).code, "TG-6409");
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
fn settings_are_judged_in_one_go_and_both_schemas_are_declared() {
    let descriptor = describe(&settings(json!({ "state_tag": "tidegate:", "activate": false }))).unwrap();
    let targets = descriptor.services.iter().filter(|service| service.direction == Direction::Target);
    let targets: Vec<_> = targets.map(|one| (one.domain.as_str(), one.schema.as_str())).collect();
    assert_eq!(targets, [("orders", "shopify.order_write_back/1"), ("inventory", SCHEMA_NAME)]);
    assert!(descriptor.resolves_references);
    assert!(descriptor.settings.iter().any(|setting| setting.name == "activate"));
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(schema["title"], SCHEMA_NAME);
    let wrong = json!({ "namespace": "a", "activate": "yes", "reason": "because", "url": "https://x" });
    let problems = describe(&settings(wrong)).unwrap_err();
    let keys: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
    assert_eq!(keys, ["namespace", "reason", "activate", "url"], "{problems:?}");
}
