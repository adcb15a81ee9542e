//! Cases of dead letters and interventions: a reason, an owner, an end; never by age.

use super::AnyStore;
use super::fixture::*;
use crate::operate::{By, Pause, PauseScope};
use crate::query::{DeliveryFilter, Phase};
use kernel::envelope::Priority;
use kernel::fault::Reference;
use std::time::Duration;

pub(super) async fn a_dead_letter_opens_and_closes_on_proof(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    let claim = take(&store, 2).await;
    done(&store, to_dead(&claim, 3, fault("bad_tax").field("lines[2].tax"))).await;
    let open = store.dead_letters(DeliveryFilter::default(), false).await.unwrap();
    assert_eq!((open.len(), open[0].dead_at, &open[0].closed), (1, at(3), &None));
    assert_eq!(open[0].fingerprint, "orders_to_erp/rejected/bad_tax/lines[].tax");
    assert_eq!(open[0].fault.message, "the target says bad_tax");
    assert_eq!(open[0].label.as_deref(), Some("#1"));
    let by = By::hub("it was mended", at(4));
    assert_eq!(store.release(only(claim.delivery.id), by, at(5), Duration::ZERO).await.unwrap(), 1);
    let again = take(&store, 5).await;
    done(&store, to(&again, 6, delivered())).await;
    assert_eq!(store.dead_letters(DeliveryFilter::default(), false).await.unwrap(), []);
    let closed = store.dead_letters(DeliveryFilter::default(), true).await.unwrap();
    let closed = closed[0].closed.clone().unwrap();
    assert_eq!((closed.who.as_str(), closed.why.as_str(), closed.at), ("tidegate", "delivered", at(6)));
    let status = store.status(&flow(), &[subject]).await.unwrap().remove(0);
    assert!(status.released && !status.hands);
}

pub(super) async fn release_makes_them_wait_again_with_a_ramp(store: AnyStore) {
    for key in ["1", "2", "3"] {
        put(&store, state(&order(key), 1, 1)).await;
    }
    for claim in claim(&store, 2).await {
        let spent = crate::delivery::Move { spent: 5, failures: 7, ..to_dead(&claim, 3, fault("bad")) };
        done(&store, spent).await;
    }
    put(&store, dead(&order("4"), 1, fault("other"))).await;
    let fingerprint = Some("orders_to_erp/rejected/bad".to_owned());
    let which = DeliveryFilter { fingerprint, ..DeliveryFilter::default() };
    assert_eq!(store.release(which, person(), at(10), Duration::from_secs(5)).await.unwrap(), 3);
    for (second, key) in [(10, "1"), (15, "2"), (20, "3")] {
        let claim = take(&store, second).await;
        assert_eq!(claim.delivery.subject, order(key));
        assert_eq!((claim.delivery.spent, claim.delivery.failures), (0, 0));
    }
    assert_eq!(words(&store, &order("4")).await, ["dead"]);
    let status = store.status(&flow(), &[order("1"), order("4")]).await.unwrap();
    assert_eq!((status[0].hands, status[1].hands), (true, false));
}

pub(super) async fn skip_ends_with_who_and_why_but_never_an_unknown_one(store: AnyStore) {
    put(&store, state(&order("unknown"), 1, 1)).await;
    let claim = take(&store, 2).await;
    begun(&store, &claim, 2).await;
    put(&store, state(&order("waiting"), 1, 1)).await;
    put(&store, dead(&order("dead"), 1, fault("bad"))).await;
    assert_eq!(store.skip(DeliveryFilter::default(), person()).await.unwrap(), 2);
    for (key, word) in [("unknown", "unknown"), ("waiting", "skipped"), ("dead", "skipped")] {
        assert_eq!(words(&store, &order(key)).await, [word]);
    }
    let closed = store.dead_letters(DeliveryFilter::default(), true).await.unwrap().remove(0);
    let closed = closed.closed.unwrap();
    assert_eq!((closed.who.as_str(), closed.why.as_str(), closed.at), ("ada", "because", at(500)));
}

pub(super) async fn dead_letters_are_grouped_by_fingerprint(store: AnyStore) {
    put(&store, dead(&order("1"), 1, fault("unknown_item").field("lines[0].sku"))).await;
    put(&store, dead(&order("2"), 1, fault("unknown_item").field("lines[7].sku"))).await;
    put(&store, dead(&order("3"), 1, fault("closed_period"))).await;
    let groups = store.dead_letter_groups().await.unwrap();
    let mut counts: Vec<_> = groups.iter().map(|group| (group.code.as_str(), group.count)).collect();
    counts.sort_unstable();
    assert_eq!(counts, [("closed_period", 1), ("unknown_item", 2)]);
    let items = groups.iter().find(|group| group.code == "unknown_item").unwrap();
    assert_eq!(items.example.field.as_deref(), Some("lines[7].sku"), "the newest is the example");
    assert_eq!((items.system.clone(), items.flow.clone()), (erp(), flow()));
    assert_eq!((items.oldest, items.newest), (at(1), at(1)));
}

pub(super) async fn a_missing_reference_is_one_row_and_releases_all(store: AnyStore) {
    let sku = Reference { kind: "item".into(), value: "SKU-1".into() };
    let missing = |value: &str| fault("unknown_item").missing("item", value);
    put(&store, dead(&order("1"), 1, missing("SKU-1"))).await;
    put(&store, dead(&order("2"), 1, missing("SKU-1"))).await;
    put(&store, dead(&order("3"), 1, missing("SKU-2"))).await;
    let rows = store.awaited(None, 10).await.unwrap();
    assert_eq!(rows.len(), 2);
    let row = rows.iter().find(|row| row.reference == sku).unwrap();
    assert_eq!((row.waiting, row.looks, row.system.clone()), (2, 0, erp()));
    store.awaited_again(&shop(), &erp(), &sku, at(600)).await.unwrap();
    let due = store.awaited(Some(at(599)), 10).await.unwrap();
    assert_eq!(due.iter().map(|row| row.reference.value.as_str()).collect::<Vec<_>>(), ["SKU-2"]);
    let row = store.awaited(Some(at(600)), 10).await.unwrap().pop().unwrap();
    assert_eq!((row.looks, row.next_look_at), (1, at(600)));
    let by = By::hub("the item exists now", at(601));
    assert_eq!(store.awaited_found(&shop(), &erp(), &sku, by.clone()).await.unwrap(), 2);
    assert_eq!(store.awaited_found(&shop(), &erp(), &sku, by).await.unwrap(), 0);
    assert_eq!(keys(&claim(&store, 601).await), ["1", "2"]);
    assert_eq!(store.awaited(None, 10).await.unwrap().len(), 1);
}

pub(super) async fn pauses_end_or_are_resumed(store: AnyStore) {
    let pause = |scope: PauseScope, until: Option<i64>| Pause { scope, by: person(), until: until.map(at) };
    let scopes = [PauseScope::System(erp()), PauseScope::Flow(flow()), PauseScope::Subject(order("1"))];
    store.pause(pause(scopes[0].clone(), Some(100))).await.unwrap();
    store.pause(pause(scopes[1].clone(), None)).await.unwrap();
    store.pause(pause(scopes[2].clone(), None)).await.unwrap();
    store.pause(pause(scopes[2].clone(), Some(700))).await.unwrap();
    assert_eq!(store.pauses(at(99)).await.unwrap().len(), 3);
    let left = store.pauses(at(100)).await.unwrap();
    assert_eq!(left.len(), 2);
    assert_eq!(left[1], pause(scopes[2].clone(), Some(700)));
    assert!(store.resume(&scopes[1], person()).await.unwrap());
    assert!(!store.resume(&scopes[1], person()).await.unwrap());
    assert_eq!(store.pauses(at(100)).await.unwrap().len(), 1);
}

pub(super) async fn every_intervention_is_in_the_audit(store: AnyStore) {
    put(&store, dead(&order("1"), 1, fault("bad"))).await;
    put(&store, dead(&order("2"), 1, fault("bad"))).await;
    let flow_only = DeliveryFilter { flow: Some(flow()), ..DeliveryFilter::default() };
    store.release(flow_only, person(), at(500), Duration::ZERO).await.unwrap();
    store
        .skip(DeliveryFilter { root: Some("order:1".into()), ..DeliveryFilter::default() }, person())
        .await
        .unwrap();
    store.pause(Pause { scope: PauseScope::System(erp()), by: person(), until: None }).await.unwrap();
    store.resume(&PauseScope::System(erp()), person()).await.unwrap();
    store.redact(&shop(), &["order:2".into()], &[], "request 7", at(600)).await.unwrap();
    let own = crate::operate::AuditEntry {
        at: at(700),
        who: "ada".into(),
        action: "replay".into(),
        target: "acme/order:1".into(),
        why: "asked".into(),
        count: 1,
    };
    store.audit(own.clone()).await.unwrap();
    let entries = store.audit_entries(10).await.unwrap();
    assert_eq!(entries[0], own);
    let rows: Vec<_> =
        entries.iter().rev().map(|e| (e.action.as_str(), e.target.as_str(), e.count)).collect();
    assert_eq!(
        rows,
        [
            ("release", "flow orders_to_erp", 2),
            ("skip", "root order:1", 1),
            ("pause", "system erp", 1),
            ("resume", "system erp", 1),
            ("redact", "acme: 1 roots", 1),
            ("replay", "acme/order:1", 1),
        ]
    );
    assert!(entries[1..].iter().all(|entry| entry.who == "ada" || entry.who == "request 7"));
    assert_eq!(store.audit_entries(2).await.unwrap().len(), 2);
    let open = DeliveryFilter { phase: Some(Phase::Open), ..DeliveryFilter::default() };
    assert_eq!(store.deliveries(open).await.unwrap(), []);
    assert_eq!(Priority::from_number(0), Priority::Live);
}
