//! A parcel whose units Shopify has at two locations: a fulfilment at each, once, whatever is lost between the two.

use crate::fulfilment::{Shop, object};
use crate::support::call;
use connector::port::{Observed, Plan, Stage, Wanted};
use kernel::fault::FaultKind;
use kernel::key::CallKey;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use twin::shop::catalogue::Warehouse;
use twin::shop::{Change, Fulfilment, What};

const OUTLETS: [&str; 2] = ["Warehouse 1", "Warehouse 2"];

/// Three of `SKU-0001` at the one, two of `SKU-0002` at the other.
async fn divided() -> Shop {
    let stock =
        [("SKU-0001", "WH-1", 9), ("SKU-0001", "WH-2", 0), ("SKU-0002", "WH-1", 0), ("SKU-0002", "WH-2", 9)];
    Shop::stocked(&stock).await
}

/// One parcel of both, from a location that the shop shows at two of its own.
fn parcel(shop: &Shop, shipment: &str, lines: &[(&str, u32)]) -> Wanted {
    let mut wanted = shop.wanted(shipment, lines);
    wanted.body["locations"] = json!(OUTLETS);
    wanted.body["notify_customer"] = json!(true);
    wanted.body["tracking"] = json!({ "company": "DHL", "numbers": ["1"], "urls": [] });
    wanted
}

/// What stands in the shop: where, what, and by which number it can be followed.
fn standing(shop: &Shop) -> Vec<(&'static str, BTreeMap<String, u32>, Vec<String>)> {
    let order = shop.twin.order(shop.order).unwrap();
    let of = |one: &Fulfilment| {
        let mut lines = BTreeMap::new();
        for (line, units) in &one.lines {
            *lines.entry(order.line(*line).unwrap().sku.clone().unwrap()).or_default() += *units;
        }
        let place = Warehouse::find(&one.location_id.to_string()).unwrap().code;
        (place, lines, one.tracking.numbers.clone())
    };
    let mut all: Vec<_> = order.fulfilments.iter().filter(|one| one.cancelled_at.is_none()).map(of).collect();
    all.sort();
    all
}

fn at(
    place: &'static str,
    lines: &[(&str, u32)],
    number: &str,
) -> (&'static str, BTreeMap<String, u32>, Vec<String>) {
    let lines = lines.iter().map(|(sku, units)| ((*sku).to_owned(), *units)).collect();
    (place, lines, vec![number.to_owned()])
}

/// Both pieces of all that was ordered.
fn both(number: &str) -> [(&'static str, BTreeMap<String, u32>, Vec<String>); 2] {
    [at("WH-1", &[("SKU-0001", 3)], number), at("WH-2", &[("SKU-0002", 2)], number)]
}

const ALL: [(&str, u32); 2] = [("SKU-0001", 3), ("SKU-0002", 2)];

#[tokio::test]
async fn a_parcel_of_two_locations_is_a_fulfilment_at_each_tracked_and_taken_back_together() {
    let shop = divided().await;
    let mut wanted = parcel(&shop, "SH-1", &ALL);
    let (steps, external) = shop.converge(&wanted).await;
    assert_eq!(steps, ["note", "create_1", "create_2"]);
    assert_eq!(standing(&shop), both("1"));
    let names: Vec<String> =
        shop.twin.order(shop.order).unwrap().fulfilments.iter().map(|one| one.name.clone()).collect();
    assert_eq!(external.number.as_deref(), Some(names.join(" + ").as_str()));
    // The customer is written to once: with the last, which is the larger.
    let large = shop.twin.order(shop.order).unwrap().fulfilments[1].clone();
    assert_eq!((shop.twin.mails(), large.lines[0].1), (vec![large.id], 3));
    // There already, known or not; and it is said what it is.
    assert_eq!(shop.converge(&wanted).await, (Vec::new(), external.clone()));
    wanted.known = Some(external.clone());
    assert_eq!(shop.converge(&wanted).await, (Vec::new(), external.clone()));
    let Plan::Done(done) = shop.connector.plan(&wanted, &shop.observe(&wanted).await) else { panic!() };
    assert!(done.note.as_ref().unwrap().contains(&format!("{} (Warehouse 2)", names[0])), "{done:?}");
    // Another number reaches both, and one mail tells of it.
    wanted.body["tracking"]["numbers"] = json!(["2"]);
    assert_eq!(shop.converge(&wanted).await.0, ["track_1", "track_2"]);
    assert_eq!((standing(&shop), shop.twin.mails().len()), (both("2").to_vec(), 2));
    // Taken back, both are: also where the source no longer says what it held.
    wanted.stage = Stage::Cancelled;
    wanted.body["lines"] = json!([]);
    assert_eq!(shop.converge(&wanted).await.0, ["cancel_1", "cancel_2"]);
    let (steps, gone) = shop.converge(&wanted).await;
    assert_eq!((steps.len(), gone.id, gone.state.as_deref()), (0, external.id, Some("cancelled")));
    assert_eq!(standing(&shop), []);
    // Under another number it is sent again.
    let again = parcel(&shop, "SH-2", &ALL);
    assert_eq!(shop.converge(&again).await.0, ["note", "create_1", "create_2"]);
    assert_eq!(standing(&shop), both("1"));
    assert_eq!(shop.twin.stats().api["fulfillmentCreate"], 4);
}

#[tokio::test]
async fn what_was_made_is_seen_of_each_whatever_was_lost_between_the_two() {
    let shop = divided().await;
    let wanted = parcel(&shop, "SH-1", &ALL);
    let note = shop.next(&wanted).await;
    shop.apply(&note).await;
    let first = shop.next(&wanted).await;
    let shows = async |step| shop.connector.shows(step, &shop.observe(&wanted).await);
    assert_eq!((first.name.as_str(), shows(&first).await), ("create_1", None));
    // Its answer is lost, and nobody knows the link.
    shop.apply(&first).await;
    assert_eq!(shows(&first).await, Some(true));
    let second = shop.next(&wanted).await;
    assert_eq!(
        (second.name.as_str(), second.creates, shows(&second).await),
        ("create_2", false, Some(false))
    );
    assert!(!first.idempotent && !second.idempotent, "what is sent twice is made twice");
    // So is that of the second.
    shop.apply(&second).await;
    assert_eq!(shows(&second).await, Some(true));
    assert_eq!(shop.converge(&wanted).await.0, Vec::<String>::new());
    assert_eq!(standing(&shop), both("1"));
    assert_eq!(shop.made(), 2);
    // Of a call that changes one of them as well.
    let mut other = wanted.clone();
    other.body["tracking"]["numbers"] = json!(["2"]);
    let track = shop.next(&other).await;
    assert_eq!(shows(&track).await, Some(false));
    shop.apply(&track).await;
    assert_eq!(shows(&track).await, Some(true));
    let mut cancelled = wanted.clone();
    cancelled.stage = Stage::Cancelled;
    let cancel = shop.next(&cancelled).await;
    assert_eq!(shows(&cancel).await, Some(false));
    shop.apply(&cancel).await;
    assert_eq!(shows(&cancel).await, Some(true));
    assert_eq!(shop.next(&cancelled).await.name, "cancel_2");
}

#[tokio::test]
async fn parcels_that_hold_parts_of_each_are_told_apart_also_of_the_same_goods() {
    // Both lines are of one SKU: three of it at the one, two at the other.
    let shop = Shop::stocked(&[("SKU-0001", "WH-1", 3), ("SKU-0001", "WH-2", 2)]).await;
    let template = (*shop.twin.order(shop.order).unwrap()).clone();
    let mut order = template.clone();
    (order.id, order.name) = (order.id + 1, "#9".to_owned());
    (order.lines[1].sku, order.lines[1].variant_id) = (order.lines[0].sku.clone(), order.lines[0].variant_id);
    let id = order.id;
    for (place, available) in [("WH-1", 3), ("WH-2", 2)] {
        shop.twin.set_by_hand("SKU-0001", place, available).unwrap();
    }
    shop.twin.place(order).unwrap();
    let shop = Shop { order: id, ..shop };
    // One of each, then what is left: two of the one, one of the other.
    let four = parcel(&shop, "SH-1", &[("SKU-0001", 4)]);
    let one = parcel(&shop, "SH-2", &[("SKU-0001", 1)]);
    assert_eq!(shop.converge(&four).await.0, ["note", "create_1", "create_2"]);
    let parts = [at("WH-1", &[("SKU-0001", 3)], "1"), at("WH-2", &[("SKU-0001", 1)], "1")];
    assert_eq!(standing(&shop), parts);
    // It holds what a piece of the other holds, at the same location, and has the same number.
    assert_eq!(shop.converge(&one).await.0, ["note", "create"]);
    assert_eq!(shop.converge(&four).await.0, Vec::<String>::new());
    assert_eq!(shop.converge(&one).await.0, Vec::<String>::new());
    assert_eq!(shop.made(), 3);
    let too_many = parcel(&shop, "SH-3", &[("SKU-0001", 1)]);
    assert_eq!(shop.refused(&too_many).await.1, "TG-6505");
}

#[tokio::test]
async fn what_is_held_between_the_two_waits_and_another_parcel_goes_by() {
    let shop = divided().await;
    let mut wanted = parcel(&shop, "SH-1", &[("SKU-0001", 1), ("SKU-0002", 1)]);
    // Before anything is made, nothing is made of what is open alone.
    shop.twin.hold(shop.order, "HIGH_RISK_OF_FRAUD");
    assert_eq!(shop.refused(&wanted).await.1, "TG-6503");
    shop.twin.release(shop.order);
    for name in ["note", "create_1"] {
        let step = shop.next(&wanted).await;
        assert_eq!(step.name, name);
        wanted.known = shop.apply(&step).await.or(wanted.known);
    }
    let second = shop.next(&wanted).await;
    shop.twin.hold(shop.order, "HIGH_RISK_OF_FRAUD");
    let fault = shop.connector.apply(&call(), &CallKey("tg-1-1-1".to_owned()), &second).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Conflict, "TG-6510"), "{fault}");
    let (kind, code, message) = shop.refused(&wanted).await;
    assert_eq!((kind, code.as_str()), (FaultKind::Conflict, "TG-6503"));
    assert!(
        message.contains("High risk of fraud") && message.contains("of this parcel is recorded"),
        "{message}"
    );
    assert!(shop.twin.mails().is_empty(), "the customer hears of it when all of it is there");
    shop.twin.release(shop.order);
    // Meanwhile another one of the order goes by, and holds what is left to be made of the first.
    let other = parcel(&shop, "SH-2", &[("SKU-0001", 1)]);
    shop.converge(&other).await;
    assert_eq!(shop.converge(&wanted).await.0, ["note", "create_2"]);
    // Each is told from the other, by whoever knows nothing of either.
    wanted.known = None;
    assert_eq!(shop.converge(&wanted).await.0, Vec::<String>::new());
    assert_eq!(shop.converge(&other).await.0, Vec::<String>::new());
    assert_eq!((shop.made(), shop.twin.mails().len()), (3, 2));
    // One that was begun and is called off is taken back as far as it was made.
    let third = parcel(&shop, "SH-3", &[("SKU-0001", 1), ("SKU-0002", 1)]);
    for _ in 0..2 {
        let step = shop.next(&third).await;
        shop.apply(&step).await;
    }
    let mut off = third.clone();
    off.stage = Stage::Cancelled;
    assert_eq!(shop.converge(&off).await.0, ["cancel_1"]);
    assert_eq!(shop.converge(&off).await.0, Vec::<String>::new());
}

#[tokio::test]
async fn what_changed_between_the_two_is_divided_anew_and_what_cannot_be_is_told() {
    let shop = divided().await;
    let wanted = parcel(&shop, "SH-1", &ALL);
    for _ in 0..2 {
        let step = shop.next(&wanted).await;
        shop.apply(&step).await;
    }
    // Somebody ships by hand a unit of what is to be made yet.
    let line = shop.twin.order(shop.order).unwrap().lines[0].id;
    shop.twin.apply(&Change { order_id: shop.order, what: What::Fulfil { units: vec![(line, 1)] } }).unwrap();
    let (kind, code, message) = shop.refused(&wanted).await;
    assert_eq!((kind, code.as_str()), (FaultKind::Rejected, "TG-6505"));
    assert!(message.contains("of this parcel is recorded"), "{message}");
    // The source corrects it: what is left of it is what is made.
    let corrected = parcel(&shop, "SH-1", &[("SKU-0001", 2), ("SKU-0002", 2)]);
    assert_eq!(shop.converge(&corrected).await.0, ["note", "create_2"]);
    assert_eq!(shop.made(), 3);

    // A piece that was cancelled in Shopify is a person's.
    let piece = shop.twin.order(shop.order).unwrap().fulfilments[0].id;
    shop.twin
        .update(shop.order, |order| order.cancel_fulfilment(piece, crate::support::noon()).unwrap())
        .unwrap();
    assert_eq!(shop.refused(&corrected).await.1, "TG-6507");
    let mut off = corrected.clone();
    off.stage = Stage::Cancelled;
    assert_eq!(shop.converge(&off).await.0, ["cancel_2"]);
}

#[tokio::test]
async fn a_piece_that_was_made_twice_is_touched_by_nobody() {
    let shop = divided().await;
    let mut wanted = parcel(&shop, "SH-1", &[("SKU-0001", 1), ("SKU-0002", 1)]);
    let note = shop.next(&wanted).await;
    shop.apply(&note).await;
    let first = shop.next(&wanted).await;
    wanted.known = shop.apply(&first).await;
    // It comes late a second time, after its absence was proved.
    shop.apply(&first).await;
    let observation = shop.observe(&wanted).await;
    assert!(matches!(observation.object, Observed::Many(ref ids) if ids.len() == 2), "{observation:?}");
}

#[tokio::test]
async fn a_piece_that_left_another_location_than_was_noted_is_a_piece_all_the_same() {
    let shop = divided().await;
    let mut wanted = parcel(&shop, "SH-1", &ALL);
    for _ in 0..2 {
        let step = shop.next(&wanted).await;
        wanted.known = shop.apply(&step).await;
    }
    // Its fulfilment order was moved between our look and our call.
    let id = Warehouse::find("Warehouse 1").unwrap().id;
    shop.twin.update(shop.order, |order| order.fulfilments[0].location_id = id).unwrap();
    assert_eq!(shop.next(&wanted).await.name, "create_2");
    assert_eq!(shop.next(&Wanted { known: None, ..wanted.clone() }).await.name, "create_2");
    // Where the parcel does not name that location, what we made is still known by its id.
    wanted.body["locations"] = json!(["Warehouse 2"]);
    let (_, code, message) = shop.refused(&wanted).await;
    assert!(code == "TG-6506" && message.contains("of this parcel is recorded"), "{message}");
}

#[tokio::test]
async fn a_location_that_the_parcel_does_not_name_is_left_alone() {
    let shop = divided().await;
    let mut wanted = parcel(&shop, "SH-1", &ALL);
    wanted.body["locations"] = json!(["Warehouse 1", "Warehouse 3"]);
    let (kind, code, message) = shop.refused(&wanted).await;
    assert_eq!((kind, code.as_str()), (FaultKind::Rejected, "TG-6506"));
    assert!(message.contains("\"SKU-0002\" is open at Warehouse 2"), "{message}");
    // One that names none may have left from anywhere.
    wanted.body["locations"] = Value::Null;
    assert_eq!(shop.converge(&wanted).await.0, ["note", "create_1", "create_2"]);
    assert!(object(&shop.observe(&wanted).await).is_some());
}
