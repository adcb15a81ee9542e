//! Scenes of what came back: received once, by a return of its order, whatever comes between, and no reason for the order's own flow
//! to change anything. Played before the desk and before a real Medusa.

use super::contract::{Fitted, call};
use super::scene::{Shelf, cancelled, done, next, refused, scenes, state};
use super::scenes_of_refunds::{ALL, apply, held, is_there, ordered, refund_of};
use connector::port::{Step, Wanted};
use http::Method;
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use serde_json::{Value, json};

mod played {
    use super::scenes;

    scenes! {
        what_came_back_lies_on_the_shelf_once, real_medusa_receives_what_came_back;
        both_kinds_are_one_refund, real_medusa_takes_off_and_receives;
        each_return_is_received_once, real_medusa_receives_each_return_once;
        what_never_left_does_not_come_back, real_medusa_receives_nothing_that_never_left;
        a_return_that_somebody_ended_is_begun_again, real_medusa_returns_are_begun_again;
        a_return_and_other_changes_wait_for_each_other, real_medusa_returns_wait;
        a_return_that_somebody_changed_is_for_a_person, real_medusa_returns_changed_by_hand;
    }
}

const BEGUN: [&str; 3] = ["return", "return_lines", "return_confirm"];
const RECEIVED: [&str; 3] = ["receipt", "receipt_lines", "receipt_confirm"];

fn whole() -> Vec<&'static str> {
    [BEGUN, RECEIVED].concat()
}

/// Ten on the shelf, and an order of so many of which so many were sent.
async fn sent(medusa: Fitted, ordered: u32, units: u32) -> (Shelf, Wanted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, ordered);
    done(&shelf.medusa, &order).await;
    let packed = shelf.pack(&order, units).await;
    shelf.ship(&packed, json!([])).await;
    let left = i64::from(10 - units).to_string();
    assert_eq!(shelf.level().await[0], left);
    (shelf, order)
}

/// The returns that Medusa has of an order, by what it says of each itself.
async fn returns(shelf: &Shelf, order: &Wanted) -> Vec<Value> {
    let id = state(&shelf.medusa, order).await.id;
    let path = format!("/admin/returns?order_id={id}&fields=id,status,metadata,location_id,*items");
    shelf.medusa.ask(Method::GET, &path, None).await["returns"].as_array().unwrap().clone()
}

async fn by_hand(shelf: &Shelf, method: Method, of: &str, rest: &str, body: Value) -> Value {
    let body = (method != Method::DELETE).then_some(body);
    shelf.medusa.ask(method, &format!("/admin/returns/{of}{rest}"), body.as_ref()).await
}

async fn again(medusa: &Fitted, step: &Step) -> Fault {
    medusa.here().apply(&call(), &CallKey("tg-2".to_owned()), step).await.unwrap_err()
}

pub(super) async fn what_came_back_lies_on_the_shelf_once(medusa: Fitted) {
    let (mut shelf, order) = sent(medusa, 5, 3).await;
    let shipped = shelf.shipments().await;
    let first = refund_of(&order, 1, &[("1", 2, "return")]);
    let (steps, ended) = done(&shelf.medusa, &first).await;
    assert_eq!(steps, whole());
    assert_eq!(shelf.level().await, ["9", "2", "2"]);
    let (steps, again) = done(&shelf.medusa, &first).await;
    assert!(steps.is_empty() && again.external.id == ended.external.id && again.unchanged, "{again:?}");
    let [received] = returns(&shelf, &order).await.try_into().unwrap();
    assert_eq!(
        (
            received["status"].as_str(),
            &received["metadata"]["tidegate_key"],
            &received["id"],
            &received["location_id"]
        ),
        (Some("received"), &json!(first.object_key.as_str()), &json!(ended.external.id), &json!(shelf.place))
    );
    // It is the order that was sold, and what it was charged: nothing is to be done. What was sent, was sent.
    assert!(done(&shelf.medusa, &order).await.0.is_empty());
    assert_eq!(held(&shelf.medusa, &order).await, "20.00 EUR");
    assert_eq!(held(&shelf.medusa, &first).await, "8.00 EUR");
    let units =
        |told: &[(i64, Value)]| told.iter().map(|(_, body)| body["lines"].clone()).collect::<Vec<_>>();
    assert_eq!(units(&shelf.shipments().await), units(&shipped));
    // An edit of the order later on: what came back is neither sent nor reserved again.
    let more = ordered(&order, 6);
    assert_eq!(done(&shelf.medusa, &more).await.0, [&ALL[..], &["unreserve"]].concat());
    assert_eq!(shelf.level().await, ["9", "3", "3"]);
    assert_eq!(held(&shelf.medusa, &more).await, "24.00 EUR");
    // Medusa would take back what was received already.
    let too_many = refund_of(&order, 2, &[("1", 2, "return")]);
    let (steps, fault) = refused(&shelf.medusa, &too_many).await;
    assert_eq!(
        (steps.len(), fault.kind, fault.code.as_str()),
        (0, FaultKind::Rejected, "TG-3508"),
        "{fault}"
    );
    let last = refund_of(&order, 3, &[("1", 1, "return")]);
    assert_eq!(done(&shelf.medusa, &last).await.0, whole());
    assert_eq!(shelf.level().await, ["10", "3", "3"]);
    assert!(done(&shelf.medusa, &more).await.0.is_empty() && done(&shelf.medusa, &first).await.0.is_empty());
}

pub(super) async fn both_kinds_are_one_refund(medusa: Fitted) {
    let (mut shelf, order) = sent(medusa, 5, 2).await;
    let refund = refund_of(&order, 1, &[("1", 1, "cancel"), ("1", 2, "return"), ("1", 1, "no_restock")]);
    let (steps, ended) = done(&shelf.medusa, &refund).await;
    assert_eq!(steps, [&ALL[..], &["unreserve"], whole().as_slice()].concat());
    assert_eq!(shelf.level().await, ["10", "1", "1"]);
    assert!(ended.external.id.starts_with("ordch_"), "the edit stands for both: {ended:?}");
    assert!(
        done(&shelf.medusa, &refund).await.0.is_empty() && done(&shelf.medusa, &order).await.0.is_empty()
    );
    assert_eq!(held(&shelf.medusa, &refund).await, "16.00 EUR");
    assert_eq!(held(&shelf.medusa, &order).await, "20.00 EUR");
    // One half that cannot be: nothing of the other is done.
    let never = refund_of(&order, 2, &[("1", 1, "cancel"), ("1", 1, "return")]);
    let (steps, fault) = refused(&shelf.medusa, &never).await;
    assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3508"), "{fault}");
    let left = refund_of(&order, 3, &[("1", 2, "cancel"), ("1", 1, "return")]);
    assert_eq!(refused(&shelf.medusa, &left).await.1.code, "TG-3507");
    assert!(shelf.changes().await.is_empty());
}

pub(super) async fn each_return_is_received_once(medusa: Fitted) {
    let (mut shelf, order) = sent(medusa, 3, 3).await;
    // The hub is killed before each outcome is committed, and each call is made once more.
    let refund = refund_of(&order, 1, &[("1", 2, "return")]);
    let mut taken: Vec<Step> = Vec::new();
    for name in whole() {
        let step = next(&shelf.medusa, &refund).await;
        assert_eq!((step.name.as_str(), step.creates, step.idempotent), (name, name == "return", false));
        apply(&shelf.medusa, &step).await;
        // Asking for two of three once more is refused, because it is four: the order stands otherwise than it did.
        let late = again(&shelf.medusa, &step).await;
        assert_eq!((late.kind, late.code.as_str()), (FaultKind::Conflict, "TG-3502"), "{name}: {late}");
        taken.push(step);
    }
    assert!(
        done(&shelf.medusa, &refund).await.0.is_empty() && done(&shelf.medusa, &order).await.0.is_empty()
    );
    assert_eq!(shelf.level().await, ["9", "0", "0"]);
    // A receipt that was lost on its way, and comes when all is done: Medusa begins it, and we end it.
    let receipt = &taken[3];
    apply(&shelf.medusa, receipt).await;
    assert_eq!(refused(&shelf.medusa, &ordered(&order, 4)).await.1.code, "TG-3504");
    assert_eq!(done(&shelf.medusa, &refund).await.0, ["receipt_drop"]);
    // Asked for one twice, and Medusa took both: it is begun anew.
    let one = refund_of(&order, 2, &[("1", 1, "return")]);
    apply(&shelf.medusa, &next(&shelf.medusa, &one).await).await;
    let lines = next(&shelf.medusa, &one).await;
    apply(&shelf.medusa, &lines).await;
    apply(&shelf.medusa, &lines).await;
    assert_eq!(done(&shelf.medusa, &one).await.0, [&["return_drop"][..], whole().as_slice()].concat());
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
    // A begin that comes when all is done: two of one name, and nobody writes.
    apply(&shelf.medusa, &taken[0]).await;
    let (steps, fault) = refused(&shelf.medusa, &refund).await;
    assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3207"), "{fault}");
}

pub(super) async fn what_never_left_does_not_come_back(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 3);
    let refund = refund_of(&order, 1, &[("1", 2, "return")]);
    assert_eq!(refused(&shelf.medusa, &refund).await.1.missing.unwrap().kind, "order");
    done(&shelf.medusa, &order).await;
    shelf.pack(&order, 1).await;
    for (lines, left) in [(&[("1", 2, "return")][..], "1 of it"), (&[("9", 1, "return")][..], "0 of it")] {
        let (steps, fault) = refused(&shelf.medusa, &refund_of(&order, 1, lines)).await;
        assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3508"), "{fault}");
        assert!(fault.message.contains(left), "{fault}");
    }
    assert!(returns(&shelf, &order).await.is_empty());
    // It is sent there, as the fault says.
    shelf.pack(&order, 1).await;
    assert_eq!(done(&shelf.medusa, &refund).await.0, whole());
    assert_eq!(shelf.level().await, ["10", "1", "1"]);
    // Between two steps its fulfilment is cancelled: nothing is left open, and nothing is received twice.
    let other = shelf.order(2, 1);
    done(&shelf.medusa, &other).await;
    let sent = shelf.pack(&other, 1).await;
    let late = refund_of(&other, 1, &[("1", 1, "return")]);
    let begin = next(&shelf.medusa, &late).await;
    shelf.unpack(&sent).await;
    apply(&shelf.medusa, &begin).await;
    let (steps, fault) = refused(&shelf.medusa, &late).await;
    assert_eq!((steps, fault.code.as_str()), (vec!["return_drop".to_owned()], "TG-3508"), "{fault}");
    assert_eq!(done(&shelf.medusa, &cancelled(&other)).await.0, ["cancel"]);
    let (steps, ended) = done(&shelf.medusa, &late).await;
    assert!(steps.is_empty() && ended.note.unwrap().contains("cancelled"));
    assert!(shelf.changes().await.is_empty());
}

pub(super) async fn a_return_that_somebody_ended_is_begun_again(medusa: Fitted) {
    let (mut shelf, order) = sent(medusa, 3, 3).await;
    let refund = refund_of(&order, 1, &[("1", 1, "return")]);
    // Dropped before it was confirmed, cancelled after it was, and its receipt dropped.
    apply(&shelf.medusa, &next(&shelf.medusa, &refund).await).await;
    let id = returns(&shelf, &order).await[0]["id"].as_str().unwrap().to_owned();
    by_hand(&shelf, Method::DELETE, &id, "/request", Value::Null).await;
    for _ in 0..3 {
        apply(&shelf.medusa, &next(&shelf.medusa, &refund).await).await;
    }
    let id = returns(&shelf, &order).await[0]["id"].as_str().unwrap().to_owned();
    by_hand(&shelf, Method::POST, &id, "/cancel", json!({})).await;
    assert_eq!(next(&shelf.medusa, &refund).await.name, "return");
    for _ in 0..4 {
        apply(&shelf.medusa, &next(&shelf.medusa, &refund).await).await;
    }
    assert_eq!(next(&shelf.medusa, &refund).await.name, "receipt_lines");
    let is_open = |one: &Value| one["status"] == "requested";
    let id = returns(&shelf, &order).await.iter().find(|one| is_open(one)).unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    by_hand(&shelf, Method::DELETE, &id, "/receive", Value::Null).await;
    assert_eq!(done(&shelf.medusa, &refund).await.0, RECEIVED);
    assert_eq!(shelf.level().await, ["8", "0", "0"]);
    assert_eq!(held(&shelf.medusa, &refund).await, "4.00 EUR");
    // A receipt that fails there leaves the return received, and it is not: it is gone on with.
    let strange = refund_of(&order, 2, &[("1", 1, "return")]);
    for _ in 0..5 {
        apply(&shelf.medusa, &next(&shelf.medusa, &strange).await).await;
    }
    let confirm = next(&shelf.medusa, &strange).await;
    let open = returns(&shelf, &order).await.into_iter().find(|one| one["status"] == "requested").unwrap();
    let (id, place) = (open["id"].as_str().unwrap().to_owned(), shelf.place.clone());
    by_hand(&shelf, Method::POST, &id, "", json!({"location_id": "sloc_nowhere"})).await;
    assert_eq!(again(&shelf.medusa, &confirm).await.kind, FaultKind::Ambiguous);
    by_hand(&shelf, Method::POST, &id, "", json!({"location_id": place})).await;
    assert_eq!(done(&shelf.medusa, &strange).await.0, ["receipt_confirm"]);
    assert_eq!(shelf.level().await, ["9", "0", "0"]);
}

pub(super) async fn a_return_and_other_changes_wait_for_each_other(medusa: Fitted) {
    let (mut shelf, order) = sent(medusa, 4, 2).await;
    let (more, back) = (ordered(&order, 5), refund_of(&order, 1, &[("1", 1, "return")]));
    let off = refund_of(&order, 2, &[("1", 1, "cancel")]);
    let other = refund_of(&order, 3, &[("1", 1, "return")]);
    let waits = async |shelf: &Shelf, waiting: &[&Wanted]| {
        for waiting in waiting {
            let (steps, fault) = refused(&shelf.medusa, waiting).await;
            assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3504"), "{fault}");
            assert_eq!(fault.missing.unwrap().kind, "order_at_rest");
        }
        assert!(!is_there(&shelf.medusa, "order_at_rest", &order).await);
    };
    apply(&shelf.medusa, &next(&shelf.medusa, &back).await).await;
    waits(&shelf, &[&more, &off, &other]).await;
    apply(&shelf.medusa, &next(&shelf.medusa, &back).await).await;
    apply(&shelf.medusa, &next(&shelf.medusa, &back).await).await;
    // Asked for and not received: the order is at rest.
    assert!(is_there(&shelf.medusa, "order_at_rest", &order).await);
    assert_eq!(done(&shelf.medusa, &off).await.0, [&ALL[..], &["unreserve"]].concat());
    apply(&shelf.medusa, &next(&shelf.medusa, &more).await).await;
    waits(&shelf, &[&back, &other]).await;
    assert_eq!(done(&shelf.medusa, &more).await.0, ["edit_line", "edit_confirm", "unreserve"]);
    apply(&shelf.medusa, &next(&shelf.medusa, &back).await).await;
    waits(&shelf, &[&more, &other]).await;
    assert_eq!(done(&shelf.medusa, &back).await.0, RECEIVED[1..]);
    assert_eq!(done(&shelf.medusa, &other).await.0, whole());
    assert!(done(&shelf.medusa, &more).await.0.is_empty());
    assert_eq!(shelf.level().await, ["10", "2", "2"], "five, less one that never left and two that left");
}

pub(super) async fn a_return_that_somebody_changed_is_for_a_person(medusa: Fitted) {
    let (mut shelf, order) = sent(medusa, 4, 4).await;
    let refund = refund_of(&order, 1, &[("1", 2, "return")]);
    let item = state(&shelf.medusa, &order).await.items[0].id.clone();
    let units = |units: u32| json!({"items": [{"id": item, "quantity": units}]});
    for _ in 0..3 {
        apply(&shelf.medusa, &next(&shelf.medusa, &refund).await).await;
    }
    // Of two, somebody receives one: the other one is received by us.
    let id = returns(&shelf, &order).await[0]["id"].as_str().unwrap().to_owned();
    by_hand(&shelf, Method::POST, &id, "/receive", json!({})).await;
    by_hand(&shelf, Method::POST, &id, "/receive-items", units(1)).await;
    by_hand(&shelf, Method::POST, &id, "/receive/confirm", json!({})).await;
    assert_eq!(shelf.level().await, ["7", "0", "0"]);
    assert_eq!(done(&shelf.medusa, &refund).await.0, RECEIVED);
    assert_eq!(shelf.level().await, ["8", "0", "0"]);
    assert!(
        done(&shelf.medusa, &order).await.0.is_empty() && done(&shelf.medusa, &refund).await.0.is_empty()
    );
    // Somebody asks for one more in it and receives that: whatever it is now, it is not what came back.
    let other = refund_of(&order, 2, &[("1", 1, "return")]);
    for _ in 0..2 {
        apply(&shelf.medusa, &next(&shelf.medusa, &other).await).await;
    }
    let open = returns(&shelf, &order).await.into_iter().find(|one| one["status"] == "open").unwrap();
    let id = open["id"].as_str().unwrap().to_owned();
    by_hand(&shelf, Method::POST, &id, "/request-items", units(1)).await;
    by_hand(&shelf, Method::POST, &id, "/request", json!({})).await;
    assert_eq!(next(&shelf.medusa, &other).await.name, "return_cancel");
    by_hand(&shelf, Method::POST, &id, "/receive", json!({})).await;
    assert_eq!(next(&shelf.medusa, &other).await.name, "receipt_drop");
    by_hand(&shelf, Method::POST, &id, "/receive-items", units(1)).await;
    by_hand(&shelf, Method::POST, &id, "/receive/confirm", json!({})).await;
    let (steps, fault) = refused(&shelf.medusa, &other).await;
    assert_eq!(
        (steps.len(), fault.kind, fault.code.as_str()),
        (0, FaultKind::Rejected, "TG-3511"),
        "{fault}"
    );
}
