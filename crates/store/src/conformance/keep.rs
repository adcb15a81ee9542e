//! Cases of housekeeping: cursors, leases, redaction, retention.

use super::AnyStore;
use super::fixture::*;
use crate::delivery::Move;
use crate::log::{About, Appended, Routed};
use crate::operate::{Beat, EVERY_ROOT};
use crate::query::DeliveryFilter;
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::time::Duration;

pub(super) async fn cursors_and_leases(store: AnyStore) {
    assert_eq!(store.cursor("sweep acme").await.unwrap(), None);
    for value in ["1", "2"] {
        store.set_cursor("sweep acme", value).await.unwrap();
        assert_eq!(store.cursor("sweep acme").await.unwrap().as_deref(), Some(value));
    }
    let lease =
        async |owner, second| store.lease("sweep", owner, at(second), Duration::from_secs(10)).await.unwrap();
    assert!(lease("a", 0).await);
    assert!(!lease("b", 9).await);
    assert!(lease("a", 9).await, "renewed until 19");
    assert!(!lease("b", 18).await);
    assert!(lease("b", 19).await);
    assert!(!lease("a", 20).await);
    let held = async |name, second| store.leased(name, at(second)).await.unwrap();
    assert_eq!(held("sweep", 28).await, Some(("b".to_owned(), at(29))));
    assert_eq!(held("sweep", 29).await, None, "it has ended");
    assert_eq!(held("another", 20).await, None);
}

pub(super) async fn nodes_know_of_each_other(store: AnyStore) {
    let beat = async |node: &str, says: &str, second, length| {
        let beat = Beat { node: node.into(), says: says.into() };
        let live = store.beat(beat, at(second), Duration::from_secs(length)).await.unwrap();
        live.into_iter().map(|beat| format!("{}: {}", beat.node, beat.says)).collect::<Vec<_>>()
    };
    assert_eq!(beat("b", "one", 0, 10).await, ["b: one"]);
    assert_eq!(beat("a", "two", 5, 10).await, ["a: two", "b: one"]);
    assert_eq!(beat("b", "three", 9, 10).await, ["a: two", "b: three"], "in place of what it said before");
    assert_eq!(beat("b", "three", 15, 10).await, ["b: three"], "the other is silent for longer than it said");
    assert_eq!(beat("b", "", 16, 0).await, Vec::<String>::new(), "it goes");
    assert_eq!(beat("a", "four", 17, 10).await, ["a: four"]);
    // A lease of the same name is another thing.
    assert!(store.lease("a", "x", at(17), Duration::from_secs(9)).await.unwrap());
    assert_eq!(beat("a", "five", 18, 10).await, ["a: five"]);
}

pub(super) async fn a_redaction_destroys_and_ends_duties(store: AnyStore) {
    let (named, other) = (order("1"), order("2"));
    for subject in [&named, &other] {
        put(&store, state(subject, 1, 1)).await;
    }
    let claims = claim(&store, 2).await;
    let attempt = begun(&store, &claims[0], 2).await;
    put(&store, dead(&named.child("refund", "1"), 1, fault("bad").missing("item", "SKU-1"))).await;
    append(&store, fact(&named, 3)).await;
    let roots = ["order:1".to_owned()];
    let certificate = store.redact(&shop(), &roots, &[], "request 7", at(9)).await.unwrap();
    assert_eq!((certificate.roots.clone(), certificate.keys_destroyed), (roots.to_vec(), 1));
    assert_eq!((certificate.duties_ended, certificate.at), (2, at(9)));
    assert_eq!(store.certificates().await.unwrap(), [certificate]);
    assert_eq!(words(&store, &named).await, ["redacted", "redacted"]);
    assert_eq!(store.newest_payload(&named).await.unwrap(), None);
    assert_eq!(store.unrouted(10).await.unwrap()[0].payload, None, "routing ends it as redacted");
    let letters = store.dead_letters(DeliveryFilter::default(), true).await.unwrap();
    assert!(!letters[0].fault.message.contains("the target says"), "derived texts are gone");
    assert_eq!(store.awaited(None, 10).await.unwrap(), []);
    // The answer of the call that was under way is still taken down.
    let late = Move {
        ended: answered(attempt, 10, None),
        external: Some(link(&named, "17")),
        ..to(&claims[0], 10, delivered())
    };
    done(&store, late).await;
    assert_eq!(words(&store, &named).await, ["redacted", "redacted"]);
    let life = store.life(&shop(), "order:1").await.unwrap();
    assert_eq!((life.attempts[0].ended_at, life.external.len()), (Some(at(10)), 1));
    assert!(store.newest_payload(&other).await.unwrap().is_some());
    assert_eq!(words(&store, &other).await, ["waiting"]);
}

pub(super) async fn a_redaction_of_a_customer_finds_the_roots(store: AnyStore) {
    for (key, customer) in [("1", Some("77")), ("2", Some("88")), ("3", None), ("4", Some("77"))] {
        let subject = order(key);
        let position = append(&store, fact(&subject, 1)).await;
        let about = About { customer: customer.map(Into::into), ..about(&subject, 1) };
        let decision = Routed { about: Some(about), deliveries: vec![], ..Routed::nothing(position) };
        store.route(vec![decision], at(1)).await.unwrap();
    }
    let customers = ["77".to_owned()];
    assert_eq!(store.held(&shop(), &customers).await.unwrap(), [order("1"), order("4")]);
    let certificate = store.redact(&shop(), &[], &customers, "request 8", at(9)).await.unwrap();
    assert_eq!(certificate.roots, ["order:1", "order:4"]);
    assert_eq!(certificate.keys_destroyed, 2);
    for (key, left) in [("1", false), ("2", true), ("3", true), ("4", false)] {
        assert_eq!(store.newest_payload(&order(key)).await.unwrap().is_some(), left, "{key}");
    }
}

pub(super) async fn a_redaction_of_a_shop_finds_every_root_of_it_alone(store: AnyStore) {
    let other = Subject { shop: ShopId::new("other").unwrap(), ..order("1") };
    for subject in [order("1"), order("2"), other.clone()] {
        append(&store, fact(&subject, 1)).await;
    }
    let certificate = store.redact(&shop(), &[EVERY_ROOT.into()], &[], "request 10", at(9)).await.unwrap();
    assert_eq!(certificate.roots, ["order:1", "order:2"]);
    assert_eq!(certificate.keys_destroyed, 2);
    assert_eq!(store.newest_payload(&order("2")).await.unwrap(), None);
    assert!(store.newest_payload(&other).await.unwrap().is_some());
}

pub(super) async fn a_redacted_root_may_come_again(store: AnyStore) {
    let subject = order("1");
    append(&store, fact(&subject, 1)).await;
    store.redact(&shop(), &["order:1".into()], &[], "request 9", at(2)).await.unwrap();
    assert_eq!(store.newest_payload(&subject).await.unwrap(), None);
    append(&store, fact(&subject, 3)).await;
    let (_, payload) = store.newest_payload(&subject).await.unwrap().unwrap();
    assert_eq!(payload, fact(&subject, 3).payload);
}

pub(super) async fn retention_keeps_what_has_a_duty(store: AnyStore) {
    const DAY: i64 = 86_400;
    put(&store, state(&order("ended"), 1, 1)).await;
    let claim_ = take(&store, 2).await;
    done(&store, to(&claim_, 3, delivered())).await;
    put(&store, state(&order("waiting"), 1, 1)).await;
    put(&store, dead(&order("dead"), 1, fault("bad"))).await;
    append(&store, fact(&order("unrouted"), 1)).await;
    let young = append(&store, fact(&order("young"), 20 * DAY)).await;
    route(&store, young, vec![]).await;
    let retained = store.retain(at(30 * DAY), 14).await.unwrap();
    assert_eq!((retained.payloads_dropped, retained.kept_for_duty), (1, 3));
    for (key, left) in
        [("ended", false), ("waiting", true), ("dead", true), ("unrouted", true), ("young", true)]
    {
        assert_eq!(store.newest_payload(&order(key)).await.unwrap().is_some(), left, "{key}");
    }
    assert_eq!(words(&store, &order("ended")).await, ["delivered"], "the small rows stay");
    assert_eq!(store.retain(at(30 * DAY), 14).await.unwrap().payloads_dropped, 0);
}

pub(super) async fn webhook_ids_are_dropped_after_a_week(store: AnyStore) {
    const DAY: i64 = 86_400;
    for (key, day) in [(1, 0), (2, 0), (3, 6)] {
        let mut new = fact(&order("1"), 1);
        new.dedupe = Some(dedupe(key));
        new.received_at = at(day * DAY);
        append(&store, new).await;
    }
    assert_eq!(store.retain(at(6 * DAY), 60).await.unwrap().webhook_ids_dropped, 0);
    assert_eq!(store.retain(at(7 * DAY), 60).await.unwrap().webhook_ids_dropped, 2);
    let mut young = fact(&order("1"), 1);
    young.dedupe = Some(dedupe(3));
    young.received_at = at(7 * DAY);
    assert_eq!(store.append(vec![young]).await.unwrap(), [Appended::Duplicate { same_body: true }]);
}

pub(super) async fn what_is_in_force_is_remembered(store: AnyStore) {
    let before = store.installation().await.unwrap();
    assert_eq!((before.revision, before.place), (None, None));
    store.set_in_force("r7", "host-a").await.unwrap();
    let after = store.installation().await.unwrap();
    assert_eq!((after.revision.as_deref(), after.place.as_deref()), (Some("r7"), Some("host-a")));
    assert_eq!((after.id, after.epoch), (before.id, before.epoch));
}
