//! Scenes of what was given back before it left: taken off its order once, whatever comes between, and never put back by the
//! order's own flow. Played before the desk and before a real Medusa.

use super::contract::{Fitted, call};
use super::scene::{Shelf, cancelled, done, next, refused, scenes, state};
use connector::port::{Plan, Step, Wanted};
use http::Method;
use kernel::fault::{FaultKind, Reference};
use kernel::key::{CallKey, ObjectKey};
use kernel::subject::Subject;
use serde_json::{Value, json};

mod played {
    use super::scenes;

    scenes! {
        what_was_given_back_is_free_and_stays_so, real_medusa_frees_what_was_given_back;
        a_refund_waits_for_its_order, real_medusa_refund_waits_for_its_order;
        what_left_is_not_taken_off, real_medusa_takes_off_nothing_that_left;
        an_order_is_changed_by_one_at_a_time, real_medusa_is_changed_by_one_at_a_time;
        each_refund_is_taken_off_once, real_medusa_takes_each_refund_off_once;
        what_is_packed_between_two_steps_is_for_a_person, real_medusa_tells_what_was_packed_between;
        an_edit_of_what_was_sent_in_part_reserves_no_more_than_is_open, real_medusa_reserves_what_is_open;
    }
}

/// So many units of lines, each with what becomes of them.
pub(super) fn refund_of(order: &Wanted, number: u32, lines: &[(&str, u32, &str)]) -> Wanted {
    let path = format!("{}/refund:{number}", order.subject.path);
    let subject = Subject { path, ..order.subject.clone() };
    let object_key = ObjectKey::of(&subject);
    let line = |(line, quantity, restock): &(&str, u32, &str)| json!({"line": line, "quantity": quantity.to_string(), "restock": restock});
    Wanted {
        body: json!({"reference": object_key.as_str(), "order": order.object_key.as_str(),
                     "lines": lines.iter().map(line).collect::<Vec<_>>()}),
        subject,
        object_key,
        known: None,
        ..order.clone()
    }
}

pub(super) fn ordered(order: &Wanted, quantity: u32) -> Wanted {
    let mut order = order.clone();
    order.body["lines"][0]["quantity"] = json!(quantity.to_string());
    order.body["gross"] = json!(format!("{}.00", quantity * 4));
    order
}

pub(super) async fn held(medusa: &Fitted, wanted: &Wanted) -> String {
    let connector = medusa.here();
    let asked = Wanted { body: Value::Null, ..wanted.clone() };
    let observed = connector.observe(&call(), &asked).await.unwrap();
    connector.held(&observed).unwrap().gross.to_string()
}

pub(super) async fn apply(medusa: &Fitted, step: &Step) {
    medusa.here().apply(&call(), &CallKey("tg-1".to_owned()), step).await.unwrap();
}

pub(super) async fn is_there(medusa: &Fitted, kind: &str, order: &Wanted) -> bool {
    let reference = Reference { kind: kind.to_owned(), value: order.object_key.as_str().to_owned() };
    medusa.here().exists(&call(), &reference).await.unwrap()
}

pub(super) const ALL: [&str; 3] = ["edit", "edit_line", "edit_confirm"];

pub(super) async fn what_was_given_back_is_free_and_stays_so(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 3);
    done(&shelf.medusa, &order).await;
    let first = refund_of(&order, 1, &[("1", 2, "cancel"), ("of another document", 1, "cancel")]);
    let (steps, ended) = done(&shelf.medusa, &first).await;
    assert_eq!(steps, ALL);
    assert_eq!(shelf.level().await, ["10", "1", "1"]);
    let (steps, again) = done(&shelf.medusa, &first).await;
    assert!(steps.is_empty() && again.external.id == ended.external.id && again.unchanged, "{again:?}");
    // The order's own flow puts nothing back, and misses no money.
    assert!(done(&shelf.medusa, &order).await.0.is_empty());
    assert_eq!(held(&shelf.medusa, &order).await, "12.00 EUR");
    assert_eq!(held(&shelf.medusa, &first).await, "8.00 EUR");
    // An edit of the order later on: one more, and the two are still given back.
    let more = ordered(&order, 4);
    assert_eq!(done(&shelf.medusa, &more).await.0, ALL);
    assert_eq!(shelf.level().await, ["10", "2", "2"]);
    // As many as there are by chance, and not what is wanted.
    let fewer = ordered(&order, 2);
    assert_eq!(done(&shelf.medusa, &fewer).await.0, ALL);
    assert!(state(&shelf.medusa, &fewer).await.items.is_empty());
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
    assert_eq!(held(&shelf.medusa, &fewer).await, "8.00 EUR");
    let raised = ordered(&order, 5);
    assert_eq!(done(&shelf.medusa, &raised).await.0, ["edit", "edit_add", "edit_confirm"]);
    let rest = refund_of(&order, 2, &[("1", 3, "no_restock")]);
    assert_eq!(done(&shelf.medusa, &rest).await.0, ALL);
    assert!(
        done(&shelf.medusa, &raised).await.0.is_empty() && done(&shelf.medusa, &first).await.0.is_empty()
    );
    assert_eq!(held(&shelf.medusa, &raised).await, "20.00 EUR");
    assert_eq!(done(&shelf.medusa, &cancelled(&raised)).await.0, ["cancel"]);
    let late = refund_of(&order, 3, &[("1", 1, "cancel")]);
    let (steps, ended) = done(&shelf.medusa, &late).await;
    assert!(steps.is_empty() && ended.note.unwrap().contains("cancelled"));
    assert!(done(&shelf.medusa, &rest).await.0.is_empty());
}

pub(super) async fn a_refund_waits_for_its_order(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 3);
    let refund = refund_of(&order, 1, &[("1", 1, "cancel")]);
    for _ in 0..2 {
        let (steps, fault) = refused(&shelf.medusa, &refund).await;
        let missing = fault.missing.expect("what it waits for");
        assert_eq!(
            (steps.len(), missing.kind.as_str(), missing.value.as_str()),
            (0, "order", order.object_key.as_str())
        );
        assert!(!is_there(&shelf.medusa, "order", &order).await);
        // A draft reserves nothing, and is no order yet.
        let step = next(&shelf.medusa, &order).await;
        apply(&shelf.medusa, &step).await;
    }
    assert!(is_there(&shelf.medusa, "order", &order).await);
    assert_eq!(done(&shelf.medusa, &refund).await.0, ALL);
    assert_eq!(shelf.level().await, ["10", "2", "2"]);
}

pub(super) async fn what_left_is_not_taken_off(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 5);
    done(&shelf.medusa, &order).await;
    let packed = shelf.pack(&order, 2).await;
    // Whether the buyer keeps them or they never left is not said: what is open goes.
    let kept = refund_of(&order, 1, &[("1", 4, "no_restock")]);
    let (steps, _) = done(&shelf.medusa, &kept).await;
    assert_eq!(steps, ["edit", "edit_line", "edit_confirm", "unreserve"]);
    assert_eq!(shelf.level().await, ["8", "0", "0"], "Medusa reserves what left once more, and we free it");
    assert!(done(&shelf.medusa, &order).await.0.is_empty());
    let never_left = refund_of(&order, 2, &[("1", 1, "cancel")]);
    let (steps, fault) = refused(&shelf.medusa, &never_left).await;
    assert_eq!(
        (steps.len(), fault.kind, fault.code.as_str()),
        (0, FaultKind::Rejected, "TG-3507"),
        "{fault}"
    );
    let all_left = refund_of(&order, 3, &[("1", 1, "no_restock")]);
    let (steps, ended) = done(&shelf.medusa, &all_left).await;
    assert!(steps.is_empty() && ended.external.id.is_empty(), "{ended:?}");
    // Its fulfilment is cancelled there, as the fault says.
    shelf.unpack(&packed).await;
    assert_eq!(done(&shelf.medusa, &never_left).await.0, ALL);
    assert_eq!(shelf.level().await, ["10", "1", "1"]);
}

pub(super) async fn an_order_is_changed_by_one_at_a_time(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 3);
    done(&shelf.medusa, &order).await;
    let (more, refund) = (ordered(&order, 4), refund_of(&order, 1, &[("1", 1, "cancel")]));
    let other = refund_of(&order, 2, &[("1", 1, "cancel")]);
    // Begun for the order, for the refund, by somebody: all others wait, and go on by themselves when it is ended.
    for (begun, waiting) in
        [(Some(&more), [&refund, &other]), (Some(&refund), [&more, &other]), (None, [&more, &other])]
    {
        match begun {
            Some(begun) => apply(&shelf.medusa, &next(&shelf.medusa, begun).await).await,
            None => {
                let id = state(&shelf.medusa, &order).await.id;
                shelf.medusa.ask(Method::POST, "/admin/order-edits", Some(&json!({"order_id": id}))).await;
            }
        }
        for waiting in waiting {
            let (steps, fault) = refused(&shelf.medusa, waiting).await;
            assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3504"), "{fault}");
            assert_eq!(fault.missing.unwrap().kind, "order_at_rest");
        }
        assert!(!is_there(&shelf.medusa, "order_at_rest", &order).await);
        match begun {
            Some(begun) => assert_eq!(done(&shelf.medusa, begun).await.0, ["edit_line", "edit_confirm"]),
            None => {
                let path = format!("/admin/order-edits/{}", state(&shelf.medusa, &order).await.id);
                shelf.medusa.ask(Method::DELETE, &path, None).await;
            }
        }
        assert!(is_there(&shelf.medusa, "order_at_rest", &order).await);
    }
    assert_eq!(done(&shelf.medusa, &other).await.0, ALL);
    assert!(done(&shelf.medusa, &more).await.0.is_empty());
    assert_eq!(shelf.level().await, ["10", "2", "2"], "four, less two refunds");
}

pub(super) async fn each_refund_is_taken_off_once(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 6);
    done(&shelf.medusa, &order).await;
    // The hub is killed before each outcome is committed, and once after a call that is made again.
    let refund = refund_of(&order, 1, &[("1", 1, "cancel"), ("1", 1, "no_restock")]);
    let begin = next(&shelf.medusa, &refund).await;
    assert!(begin.creates && !begin.idempotent, "{begin:?}");
    apply(&shelf.medusa, &begin).await;
    let again = shelf.medusa.here().apply(&call(), &CallKey("tg-2".to_owned()), &begin).await.unwrap_err();
    assert_eq!((again.kind, again.code.as_str()), (FaultKind::Conflict, "TG-3502"), "{again}");
    let line = next(&shelf.medusa, &refund).await;
    assert!(line.name == "edit_line" && line.idempotent, "{line:?}");
    apply(&shelf.medusa, &line).await;
    apply(&shelf.medusa, &line).await;
    let confirm = next(&shelf.medusa, &refund).await;
    assert_eq!(confirm.name, "edit_confirm");
    apply(&shelf.medusa, &confirm).await;
    let late = shelf.medusa.here().apply(&call(), &CallKey("tg-3".to_owned()), &confirm).await.unwrap_err();
    assert_eq!((late.kind, late.code.as_str()), (FaultKind::Conflict, "TG-3502"), "{late}");
    assert!(done(&shelf.medusa, &refund).await.0.is_empty());
    assert!(done(&shelf.medusa, &order).await.0.is_empty());
    assert_eq!(shelf.level().await, ["10", "4", "4"]);
    // A begin that was lost on its way, and comes when all is done: two of one name, and nobody writes.
    apply(&shelf.medusa, &begin).await;
    let (steps, fault) = refused(&shelf.medusa, &refund).await;
    assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3207"), "{fault}");
    assert_eq!(refused(&shelf.medusa, &ordered(&order, 7)).await.1.code, "TG-3504");
}

pub(super) async fn what_is_packed_between_two_steps_is_for_a_person(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 3);
    done(&shelf.medusa, &order).await;
    let refund = refund_of(&order, 1, &[("1", 2, "cancel")]);
    let begin = next(&shelf.medusa, &refund).await;
    let packed = shelf.pack(&order, 2).await;
    apply(&shelf.medusa, &begin).await;
    let (steps, fault) = refused(&shelf.medusa, &refund).await;
    assert_eq!((steps, fault.code.as_str()), (vec!["edit_cancel".to_owned()], "TG-3507"), "{fault}");
    // It does not keep the order from being sent.
    shelf.ship(&packed, json!([])).await;
    assert_eq!(shelf.level().await, ["8", "1", "1"]);
    assert!(done(&shelf.medusa, &order).await.0.is_empty());
    let one = refund_of(&order, 2, &[("1", 1, "cancel")]);
    assert_eq!(done(&shelf.medusa, &one).await.0, ["edit", "edit_line", "edit_confirm", "unreserve"]);
    assert_eq!(shelf.level().await, ["8", "0", "0"]);
}

/// Of an order's own edits the same: what left is not reserved again.
pub(super) async fn an_edit_of_what_was_sent_in_part_reserves_no_more_than_is_open(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let order = shelf.order(1, 5);
    done(&shelf.medusa, &order).await;
    shelf.pack(&order, 2).await;
    let (fewer, few) = (ordered(&order, 4), ordered(&order, 2));
    let steps = ["edit", "edit_line", "edit_confirm", "unreserve"];
    assert_eq!(done(&shelf.medusa, &fewer).await.0, steps);
    assert_eq!(shelf.level().await, ["8", "2", "2"]);
    assert_eq!(done(&shelf.medusa, &few).await.0, steps);
    assert_eq!(shelf.level().await, ["8", "0", "0"]);
    let observed = shelf.medusa.here().observe(&call(), &few).await.unwrap();
    assert!(matches!(shelf.medusa.here().plan(&few, &observed), Plan::Done(done) if done.unchanged));
}
