//! Scenes of stock and shipments, and of orders that meet what no contract plays.

use super::contract::{Fitted, call, line};
use super::scene::{Shelf, cancelled, done, figures, next, refused, scenes, state, walk};
use connector::contract::Fixture as _;
use connector::port::{Fed, Stage, Wanted};
use http::Method;
use kernel::fault::FaultKind;
use kernel::key::{CallKey, ObjectKey};
use serde_json::{Value, json};

mod played {
    use super::scenes;

    scenes! {
        each_move_is_told_as_the_level_that_it_leaves, real_medusa_tells_each_move;
        what_the_hub_did_not_commit_is_told_again, real_medusa_is_asked_again;
        what_is_on_its_way_is_told_without_a_date, real_medusa_tells_what_is_on_its_way;
        the_whole_agrees_with_its_parts, real_medusa_whole_agrees_with_its_parts;
        a_split_shipment_is_two, real_medusa_tells_a_split_shipment_as_two;
        what_is_packed_is_told_and_taken_back, real_medusa_tells_what_is_packed_and_taken_back;
        an_order_is_edited_and_cancelled, real_medusa_edits_and_cancels;
        a_draft_left_between_two_calls_is_completed, real_medusa_completes_a_draft;
        what_cannot_be_reserved_is_refused_and_reserved_later, real_medusa_refuses_and_reserves_later;
        an_order_that_somebody_edits_is_left_alone, real_medusa_leaves_an_edited_order_alone;
        an_order_with_packed_goods_is_not_cancelled, real_medusa_does_not_cancel_what_is_packed;
        an_address_that_was_written_over_is_put_right, real_medusa_puts_an_address_right;
    }
}

pub(super) async fn each_move_is_told_as_the_level_that_it_leaves(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
    let wanted = shelf.order(1, 3);
    done(&shelf.medusa, &wanted).await;
    assert_eq!(shelf.level().await, ["10", "3", "3"]);
    // Another shop's order is reserved and not this shop's.
    let mut other = shelf.order(2, 2);
    other.subject.shop = kernel::id::ShopId::new("another").unwrap();
    other.object_key = ObjectKey(format!("another-{}", shelf.medusa.shop()));
    other.body["reference"] = json!(other.object_key.as_str());
    done(&shelf.medusa, &other).await;
    assert_eq!(shelf.level().await, ["10", "5", "3"]);
    let packed = shelf.pack(&wanted, 3).await;
    assert_eq!(shelf.level().await, ["7", "2", "0"]);
    shelf.ship(&packed, json!([])).await;
    shelf.holds(40).await;
    assert_eq!(shelf.level().await, ["40", "2", "0"]);
    shelf.holds(40).await;
    assert!(shelf.changes().await.is_empty(), "written again as it was, it has not moved");
}

pub(super) async fn what_is_on_its_way_is_told_without_a_date(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
    shelf.comes(40).await;
    let told = shelf.changes().await;
    let told = told.last().expect("what comes is a change");
    assert_eq!(figures(&told.payload), ["10", "0", "0"], "it is not there yet");
    let incoming = domains::inventory::read(&told.payload).unwrap().incoming;
    let due: Vec<_> = incoming.iter().map(|due| (due.at, due.quantity.to_string())).collect();
    assert_eq!(due, [(None, "40".to_owned())]);
    shelf.comes(0).await;
    let told = shelf.changes().await;
    let told = domains::inventory::read(&told.last().expect("that it comes no more is a change").payload);
    assert_eq!(told.unwrap().incoming, []);
}

pub(super) async fn what_the_hub_did_not_commit_is_told_again(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    shelf.changes().await;
    shelf.holds(11).await;
    let before = shelf.point.clone();
    let told = |items: &[Fed], path: &str| {
        items.iter().find(|fed| fed.path == path).map(|fed| (fed.sequence, figures(&fed.payload)[0].clone()))
    };
    let path = shelf.path();
    let lost = shelf.page("inventory", before.as_deref()).await;
    let again = shelf.page("inventory", before.as_deref()).await;
    let (lost, again) = (told(&lost.items, &path).unwrap(), told(&again.items, &path).unwrap());
    assert!(lost.1 == "11" && again.1 == "11" && again.0 > lost.0, "{lost:?} {again:?}");
    // What was read by itself is the hub's, whatever was told before: the next reading is told.
    shelf.changes().await;
    shelf.holds(9).await;
    let (call, subject) = (shelf.call(), shelf.subject());
    let read = shelf.source.read(&call, &subject).await.unwrap().unwrap();
    assert_eq!(figures(&read.payload)[0], "9");
    shelf.holds(11).await;
    let after = shelf.changes().await;
    assert_eq!(
        figures(&after[0].payload)[0],
        "11",
        "back to what was told before, which the hub has no more"
    );
    assert!(Some(after[0].sequence) > read.sequence);
    // Another node takes over, with a point that is older.
    shelf.anew();
    shelf.point = before;
    let anew = shelf.changes().await;
    assert_eq!(figures(&anew[0].payload)[0], "11");
    assert!(anew[0].sequence > after[0].sequence, "a later read has the greater number");
}

pub(super) async fn the_whole_agrees_with_its_parts(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    done(&shelf.medusa, &shelf.order(1, 4)).await;
    let call = shelf.call();
    let mut whole = shelf.source.whole(&call, "inventory").await.unwrap();
    let all = crate::whole::by_path(whole.as_mut()).await.unwrap();
    assert!(all.len() > 4, "{}", all.len());
    assert_eq!(figures(&all[&shelf.path()].payload), ["10", "4", "4"]);
    let (call, subject) = (shelf.call(), shelf.subject());
    let read = shelf.source.read(&call, &subject).await.unwrap().unwrap();
    assert_eq!(figures(&read.payload), ["10", "4", "4"]);
    assert!(read.sequence > Some(all[&shelf.path()].sequence));
    let none = kernel::subject::Subject { path: "ats:NO-SUCH@ROT".to_owned(), ..subject };
    assert_eq!(shelf.source.read(&call, &none).await.unwrap(), None);
    assert_eq!(shelf.level().await, ["10", "4", "4"], "from the beginning, all is told as well");
    for domain in ["pricing", "products"] {
        let fault = shelf.source.changes(&call, domain, None).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Rejected, "TG-3506"));
    }
}

fn units(shipment: &Value) -> Vec<(&str, &str)> {
    let lines = shipment["lines"].as_array().unwrap();
    lines.iter().map(|line| (line["sku"].as_str().unwrap(), line["quantity"].as_str().unwrap())).collect()
}

pub(super) async fn a_split_shipment_is_two(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let wanted = shelf.order(1, 5);
    done(&shelf.medusa, &wanted).await;
    let packed = shelf.pack(&wanted, 2).await;
    assert!(shelf.shipments().await.is_empty(), "what is packed was not shipped");
    let label =
        json!([{"tracking_number": "TN1", "tracking_url": "https://dhl.example/TN1", "label_url": "#"}]);
    shelf.ship(&packed, label).await;
    let first = shelf.shipments().await;
    assert_eq!((first.len(), units(&first[0].1)), (1, vec![(shelf.sku.as_str(), "2")]));
    assert_eq!((&first[0].1["location"], &first[0].1["order"]), (&json!("ROT"), &json!("1")));
    assert_eq!(first[0].1["tracking"], json!({"numbers": ["TN1"], "urls": ["https://dhl.example/TN1"]}));
    let packed = shelf.pack(&wanted, 3).await;
    shelf.ship(&packed, json!([])).await;
    let both = shelf.shipments().await;
    assert_eq!(both.iter().filter(|one| **one == first[0]).count(), 1, "told again it is the same fact");
    let second = both.iter().find(|one| one.1["shipment"] != first[0].1["shipment"]).unwrap();
    assert_eq!((both.len(), units(&second.1)), (2, vec![(shelf.sku.as_str(), "3")]));
    assert!(second.1.get("tracking").is_none());
}

pub(super) async fn what_is_packed_is_told_and_taken_back(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa.with("ships_when", json!("packed")), 10).await;
    let wanted = shelf.order(1, 4);
    done(&shelf.medusa, &wanted).await;
    let packed = shelf.pack(&wanted, 4).await;
    let told = shelf.shipments().await;
    assert_eq!((told.len(), units(&told[0].1)), (1, vec![(shelf.sku.as_str(), "4")]));
    shelf.unpack(&packed).await;
    let back = shelf.shipments().await;
    assert!(back[0].0 > told[0].0 && back[0].1["cancelled_at"].is_string(), "{back:?}");
    assert_eq!(back[0].1["shipment"], told[0].1["shipment"]);
}

pub(super) async fn an_order_is_edited_and_cancelled(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let mut wanted = shelf.order(1, 3);
    wanted.body["lines"].as_array_mut().unwrap().push(line("2", "SKU-0001", "1", "0.3333"));
    wanted.body["gross"] = json!("12.33");
    let (steps, ended) = done(&shelf.medusa, &wanted).await;
    assert_eq!(steps, ["create", "convert"]);
    wanted.known = Some(ended.external);
    // Two of the first line, none of the second any more, and one of another.
    wanted.body["lines"] =
        json!([line("1", &shelf.sku, "2", "3.999999"), line("3", "SKU-0002", "1", "1.00")]);
    wanted.body["gross"] = json!("9.00");
    let (steps, ended) = done(&shelf.medusa, &wanted).await;
    assert_eq!(steps, ["edit", "edit_line", "edit_add", "edit_line", "edit_confirm"], "{ended:?}");
    let sale = state(&shelf.medusa, &wanted).await;
    assert_eq!((sale.items.len(), sale.total.unwrap().to_string().as_str()), (2, "8.999998"));
    assert_eq!(shelf.level().await, ["10", "2", "2"], "what is reserved follows");
    assert!(done(&shelf.medusa, &wanted).await.0.is_empty(), "and then it is done");
    let (steps, _) = done(&shelf.medusa, &cancelled(&wanted)).await;
    assert_eq!(steps, ["cancel"]);
    assert_eq!(shelf.level().await, ["10", "0", "0"], "what it had reserved is free");
    assert!(done(&shelf.medusa, &cancelled(&wanted)).await.0.is_empty());
    assert_eq!(refused(&shelf.medusa, &wanted).await.1.code, "TG-3202");
}

pub(super) async fn a_draft_left_between_two_calls_is_completed(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let wanted = shelf.order(1, 2);
    let create = next(&shelf.medusa, &wanted).await;
    shelf.medusa.here().apply(&call(), &CallKey("tg-1".to_owned()), &create).await.unwrap();
    assert_eq!(shelf.level().await, ["10", "0", "0"], "a draft reserves nothing");
    let convert = next(&shelf.medusa, &wanted).await;
    assert!(convert.name == "convert" && !convert.creates && !convert.idempotent, "{convert:?}");
    let (steps, _) = done(&shelf.medusa, &wanted).await;
    assert_eq!(steps, ["convert"]);
    assert_eq!(shelf.level().await, ["10", "2", "2"]);
    // The same call once more, as after an answer that never came.
    let again = shelf.medusa.here().apply(&call(), &CallKey("tg-2".to_owned()), &convert).await.unwrap_err();
    assert_eq!((again.kind, again.code.as_str()), (FaultKind::Conflict, "TG-3502"), "{again}");
    assert_eq!(shelf.medusa.count(&wanted).await, 1);
    assert!(shelf.changes().await.is_empty(), "nothing was reserved twice");
}

pub(super) async fn what_cannot_be_reserved_is_refused_and_reserved_later(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 1).await;
    let wanted = shelf.order(1, 2);
    let (steps, fault) = refused(&shelf.medusa, &wanted).await;
    assert_eq!((steps, fault.code.as_str()), (vec!["create".to_owned()], "TG-3501"));
    assert_eq!((fault.kind, shelf.medusa.count(&wanted).await), (FaultKind::Rejected, 0), "{fault}");
    // Enough for the draft, and no longer when it is to be reserved.
    shelf.holds(2).await;
    let create = next(&shelf.medusa, &wanted).await;
    shelf.medusa.here().apply(&call(), &CallKey("tg-1".to_owned()), &create).await.unwrap();
    shelf.holds(1).await;
    let (steps, fault) = refused(&shelf.medusa, &wanted).await;
    assert_eq!((steps, fault.code.as_str()), (vec!["convert".to_owned()], "TG-3501"), "{fault}");
    assert_eq!(shelf.level().await, ["1", "0", "0"]);
    shelf.holds(2).await;
    let (steps, _) = done(&shelf.medusa, &wanted).await;
    assert_eq!(steps, ["convert"], "its draft goes on");
    assert_eq!(shelf.level().await, ["2", "2", "2"]);
}

pub(super) async fn an_order_that_somebody_edits_is_left_alone(medusa: Fitted) {
    let shelf = Shelf::new(medusa, 10).await;
    let mut wanted = shelf.order(1, 2);
    let (_, ended) = done(&shelf.medusa, &wanted).await;
    let begin = json!({"order_id": ended.external.id});
    shelf.medusa.ask(Method::POST, "/admin/order-edits", Some(&begin)).await;
    wanted.body["lines"][0]["quantity"] = json!("3");
    wanted.body["gross"] = json!("12.00");
    let (steps, fault) = refused(&shelf.medusa, &wanted).await;
    assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3504"), "{fault}");
    // One that we began ourselves is gone on with.
    let other = shelf.order(2, 2);
    done(&shelf.medusa, &other).await;
    let mut other = Wanted { known: None, ..other };
    other.body["lines"][0]["quantity"] = json!("1");
    other.body["gross"] = json!("4.00");
    let begun = next(&shelf.medusa, &other).await;
    shelf.medusa.here().apply(&call(), &CallKey("tg-1".to_owned()), &begun).await.unwrap();
    let (steps, _) = done(&shelf.medusa, &other).await;
    assert_eq!(steps, ["edit_line", "edit_confirm"]);
}

pub(super) async fn an_order_with_packed_goods_is_not_cancelled(medusa: Fitted) {
    let mut shelf = Shelf::new(medusa, 10).await;
    let wanted = shelf.order(1, 2);
    done(&shelf.medusa, &wanted).await;
    let cancel = next(&shelf.medusa, &cancelled(&wanted)).await;
    let packed = shelf.pack(&wanted, 2).await;
    // Planned before it was packed: looked at again.
    let late = shelf.medusa.here().apply(&call(), &CallKey("tg-1".to_owned()), &cancel).await.unwrap_err();
    assert_eq!((late.kind, late.code.as_str()), (FaultKind::Conflict, "TG-3502"), "{late}");
    let (steps, fault) = refused(&shelf.medusa, &cancelled(&wanted)).await;
    assert_eq!((steps.len(), fault.code.as_str()), (0, "TG-3202"), "{fault}");
    shelf.unpack(&packed).await;
    let (steps, _) = done(&shelf.medusa, &cancelled(&wanted)).await;
    assert_eq!(steps, ["cancel"]);
    assert_eq!(shelf.level().await, ["10", "0", "0"]);
}

/// The mark that it is found by stands in the address.
pub(super) async fn an_address_that_was_written_over_is_put_right(medusa: Fitted) {
    let shelf = Shelf::new(medusa, 10).await;
    let mut wanted = shelf.order(1, 2);
    wanted.body["billing_address"] =
        json!({"first_name": "Ann", "address_1": "Kade 1", "address_2": "Floor 3", "country_code": "NL"});
    let (_, ended) = done(&shelf.medusa, &wanted).await;
    wanted.known = Some(ended.external.clone());
    let sale = state(&shelf.medusa, &wanted).await;
    let billing = sale.billing_address.unwrap();
    assert_eq!(billing.address_1.as_deref(), Some("Kade 1, Floor 3"));
    assert_eq!(billing.address_2.unwrap(), format!("[{}]", wanted.object_key.as_str()));
    let over = json!({"billing_address": {"address_2": "by hand"}});
    let path = format!("/admin/orders/{}", ended.external.id);
    shelf.medusa.ask(Method::POST, &path, Some(&over)).await;
    let (steps, again) = walk(&*shelf.medusa.here(), &wanted).await;
    assert_eq!((steps, again.unwrap().external.id), (vec!["amend".to_owned()], ended.external.id));
    wanted.known = None;
    assert!(done(&shelf.medusa, &wanted).await.0.is_empty(), "found by its mark again");
    wanted.stage = Stage::Present;
    assert!(done(&shelf.medusa, &wanted).await.0.is_empty());
}
