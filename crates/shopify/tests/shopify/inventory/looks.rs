//! What Shopify's answers to a look mean, and what is planned from them.

use super::told::{HERE, found, id, item, level, shop, sku, variant};
use super::{call_key, known, next, wanted};
use crate::support::call;
use connector::port::{Connector, Observation, Observed, Plan, Wanted};
use kernel::fault::{Fault, FaultKind, Reference};
use serde_json::{Value, json};

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
