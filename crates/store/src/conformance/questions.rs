//! Cases of questions: what people see of the store.

use super::AnyStore;
use super::fixture::*;
use crate::delivery::{DeliveryState, Move, NewDelivery, Outcome, Wait};
use crate::query::{DeliveryFilter, Phase};
use kernel::envelope::{FactKind, Via};
use kernel::id::{DeliveryId, FlowName};

pub(super) async fn the_status_of_subjects_in_the_order_asked(store: AnyStore) {
    let (gone, open, failed) = (order("exported"), order("waiting"), order("dead"));
    put(&store, state(&gone, 1, 1)).await;
    let claim = take(&store, 2).await;
    let attempt = begun(&store, &claim, 2).await;
    let found = Move { external: Some(link(&gone, "17")), ..to(&claim, 3, delivered()) };
    done(&store, Move { ended: answered(attempt, 3, None), ..found }).await;
    let position = append(&store, crate::log::NewEnvelope { via: Via::Sweep, ..fact(&open, 1) }).await;
    route(&store, position, vec![state(&open, 1, 1)]).await;
    let claim = take(&store, 4).await;
    let attempt = begun(&store, &claim, 4).await;
    let again = Move { ended: answered(attempt, 5, Some(fault("http_502"))), ..to(&claim, 5, due(60)) };
    done(&store, again).await;
    put(&store, dead(&failed, 1, fault("bad"))).await;
    let asked = [failed.clone(), order("never seen"), gone.clone(), open.clone()];
    let status = store.status(&flow(), &asked).await.unwrap();
    assert_eq!(status.iter().map(|s| s.subject.clone()).collect::<Vec<_>>(), asked);
    let fault_of = |row: usize| status[row].fault.as_ref().map(|fault| fault.code.as_str());
    assert_eq!(
        [fault_of(0), fault_of(1), fault_of(2), fault_of(3)],
        [Some("bad"), None, None, Some("http_502")]
    );
    assert_eq!(status[0].delivery.as_ref().unwrap().state, DeliveryState::Dead);
    assert!(status[1].delivery.is_none() && status[1].about.is_none());
    assert_eq!(status[2].outcome, Some(Outcome::Delivered { note: None }));
    assert_eq!(status[2].external, Some(link(&gone, "17")));
    assert_eq!(status[2].about.as_ref().unwrap().label, "#exported");
    assert_eq!(status.iter().map(|s| s.swept).collect::<Vec<_>>(), [false, false, false, true]);
    put(&store, NewDelivery { state: DeliveryState::Ended(Outcome::Unchanged), ..state(&gone, 2, 9) }).await;
    let (first, second) = (state(&gone, 1, 1).version, state(&gone, 2, 9).version);
    assert_eq!((&status[1].routed, &status[2].routed), (&None, &first));
    // An older one that is heard of later is not what was routed last.
    put(&store, NewDelivery { supersedes: false, ..state(&gone, 1, 10) }).await;
    let newest = store.status(&flow(), std::slice::from_ref(&gone)).await.unwrap().remove(0);
    assert_eq!(newest.routed, second);
    let by = state(&gone, 2, 9);
    put(&store, NewDelivery { state: DeliveryState::Ended(Outcome::Unchanged), ..by }).await;
    let newest = store.status(&flow(), &[gone]).await.unwrap().remove(0);
    assert_eq!(newest.outcome, Some(Outcome::Delivered { note: None }), "a copy hides nothing");
    let copy = NewDelivery { supersedes: false, ..state(&failed, 1, 9) };
    put(&store, NewDelivery { state: DeliveryState::Ended(Outcome::Unchanged), ..copy }).await;
    let still = store.status(&flow(), &[failed]).await.unwrap().remove(0);
    assert_eq!(
        still.delivery.unwrap().state,
        DeliveryState::Dead,
        "a copy of a dead state does not revive it"
    );
    let elsewhere = store.status(&FlowName::new("other").unwrap(), &[open]).await.unwrap();
    assert!(elsewhere[0].delivery.is_none() && elsewhere[0].about.is_some());
}

pub(super) async fn the_life_of_one_root(store: AnyStore) {
    let subject = order("1");
    put(&store, state(&subject, 1, 1)).await;
    put(&store, event(&subject.child("refund", "9"), 2)).await;
    put(&store, state(&order("2"), 1, 1)).await;
    append(&store, fact(&subject, 5)).await;
    let claims = claim(&store, 3).await;
    begun(&store, &claims[0], 3).await;
    let life = store.life(&shop(), "order:1").await.unwrap();
    assert_eq!(life.about.unwrap().label, "#1");
    let routed: Vec<bool> = life.envelopes.iter().map(|(_, routed)| *routed).collect();
    assert_eq!(routed, [true, true, false]);
    let subjects: Vec<_> = life.deliveries.iter().map(|delivery| delivery.subject.path.clone()).collect();
    assert_eq!(subjects, ["order:1", "order:1/refund:9"]);
    assert_eq!(life.attempts.len(), 1);
    let attempt = &life.attempts[0];
    assert_eq!((attempt.step.as_str(), attempt.revision.as_str()), ("create", "r1"));
    assert_eq!((attempt.started_at, attempt.ended_at), (at(3), None));
    assert!(attempt.call_key.ends_with("-1"), "{}", attempt.call_key);
    let nothing = store.life(&shop(), "order:none").await.unwrap();
    assert!(nothing.envelopes.is_empty() && nothing.about.is_none());
}

pub(super) async fn subjects_are_found_by_label_and_key(store: AnyStore) {
    put(&store, state(&order("1001"), 1, 1)).await;
    append(&store, fact(&order("1002"), 1)).await;
    assert_eq!(store.find("#1001").await.unwrap(), [order("1001")]);
    assert_eq!(store.find("1001").await.unwrap(), [order("1001")]);
    assert_eq!(store.find("1002").await.unwrap(), [order("1002")], "also before it is routed");
    assert_eq!(store.find("#1002").await.unwrap(), []);
}

pub(super) async fn what_a_rule_filtered_is_found_again(store: AnyStore) {
    let ended = |subject, rule: &str| {
        let outcome = Outcome::Filtered { rule: rule.into() };
        NewDelivery { state: DeliveryState::Ended(outcome), ..state(&subject, 1, 1) }
    };
    put(&store, ended(order("1"), "before go-live")).await;
    put(&store, ended(order("2"), "test order")).await;
    put(&store, ended(order("3"), "before go-live")).await;
    put(&store, state(&order("3"), 2, 1)).await;
    let shadowed = DeliveryState::Ended(Outcome::Shadowed { would: "{}".into() });
    put(&store, NewDelivery { state: shadowed, ..state(&order("4"), 1, 1) }).await;
    assert_eq!(store.filtered_by(&flow(), "before go-live", 10).await.unwrap(), [order("1")]);
    assert_eq!(store.filtered_by(&flow(), "shadow", 10).await.unwrap(), [order("4")]);
}

pub(super) async fn backlog_and_lag(store: AnyStore) {
    put(&store, state(&order("done"), 1, 1)).await;
    let claim_ = take(&store, 2).await;
    done(&store, to(&claim_, 31, delivered())).await;
    put(&store, state(&order("unknown"), 1, 5)).await;
    let claim_ = take(&store, 40).await;
    begun(&store, &claim_, 40).await;
    put(&store, state(&order("due"), 1, 7)).await;
    put(&store, state(&order("later"), 1, 200)).await;
    let waits = DeliveryState::Waiting { due_at: None, wait: Wait::Condition { text: "paid".into() } };
    put(&store, NewDelivery { state: waits, ..state(&order("condition"), 1, 4) }).await;
    put(&store, dead(&order("dead"), 1, fault("bad"))).await;
    let backlog = store.backlog(at(100)).await.unwrap();
    assert_eq!(backlog.len(), 1);
    let erp_ = &backlog[0];
    assert_eq!((erp_.waiting, erp_.due, erp_.unknown, erp_.dead), (3, 1, 1, 1));
    assert_eq!((erp_.oldest_changed_at, erp_.next_due_at), (Some(at(4)), Some(at(7))));
    let lags = store.lags(at(31), 10).await.unwrap();
    assert_eq!(lags.iter().map(|lag| (lag.ended_at, lag.lag_ms)).collect::<Vec<_>>(), [(at(31), 30_000)]);
    assert_eq!(store.lags(at(32), 10).await.unwrap(), []);
}

pub(super) async fn topics_are_seen_when_they_are_pushed(store: AnyStore) {
    for (topic, via, second) in [
        ("orders/updated", Via::Webhook, 5),
        ("orders/updated", Via::Webhook, 3),
        ("orders/updated", Via::Sweep, 9),
        ("orders/create", Via::Webhook, 1),
    ] {
        append(&store, crate::log::NewEnvelope { topic: topic.into(), via, ..fact(&order("1"), second) })
            .await;
    }
    let seen = store.topics_seen().await.unwrap();
    let rows: Vec<_> = seen.iter().map(|row| (row.topic.as_str(), row.last, row.count)).collect();
    assert_eq!(rows, [("orders/create", at(1), 1), ("orders/updated", at(5), 2)]);
}

pub(super) async fn lists_are_filtered_and_paged(store: AnyStore) {
    for n in 1..=5 {
        put(&store, state(&order(&n.to_string()), 1, 1)).await;
    }
    put(&store, dead(&order("6"), 1, fault("bad"))).await;
    let keys_of = async |filter: DeliveryFilter| {
        let found = store.deliveries(filter).await.unwrap();
        found.into_iter().map(|delivery| delivery.subject.key().to_owned()).collect::<Vec<_>>()
    };
    let all = DeliveryFilter::default;
    assert_eq!(keys_of(DeliveryFilter { limit: 2, ..all() }).await, ["6", "5"]);
    let last = store.deliveries(DeliveryFilter { limit: 2, ..all() }).await.unwrap()[1].id;
    assert_eq!(keys_of(DeliveryFilter { before: Some(last), limit: 2, ..all() }).await, ["4", "3"]);
    assert_eq!(keys_of(DeliveryFilter { phase: Some(Phase::Dead), ..all() }).await, ["6"]);
    assert_eq!(keys_of(DeliveryFilter { phase: Some(Phase::Waiting), ..all() }).await.len(), 5);
    assert_eq!(keys_of(DeliveryFilter { root: Some("order:2".into()), ..all() }).await, ["2"]);
    assert_eq!(keys_of(DeliveryFilter { system: Some(system("oms")), ..all() }).await.len(), 0);
    assert_eq!(keys_of(DeliveryFilter { shop: Some(shop()), flow: Some(flow()), ..all() }).await.len(), 6);
    let fingerprint = Some("orders_to_erp/rejected/bad".to_owned());
    assert_eq!(keys_of(DeliveryFilter { fingerprint, ..all() }).await, ["6"]);
    assert_eq!(keys_of(only(DeliveryId(999_999))).await.len(), 0);
}

pub(super) async fn the_newest_payload_is_opened(store: AnyStore) {
    let subject = order("1");
    assert_eq!(store.newest_payload(&subject).await.unwrap(), None);
    append(&store, fact(&subject, 1)).await;
    let position = put(&store, state(&subject, 1, 1)).await;
    append(&store, crate::log::NewEnvelope { kind: FactKind::Hint, ..fact(&subject, 3) }).await;
    let (envelope, payload) = store.newest_payload(&subject).await.unwrap().unwrap();
    assert_eq!((envelope.position, payload), (position, fact(&subject, 1).payload));
    let claim = take(&store, 2).await;
    assert_eq!(claim.payload, Some(fact(&subject, 1).payload));
    assert_eq!(store.delivery_payload(claim.delivery.id).await.unwrap(), claim.payload);
    assert_eq!(store.delivery_payload(DeliveryId(999_999)).await.unwrap(), None);
}
