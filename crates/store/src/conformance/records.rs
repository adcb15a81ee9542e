//! Cases of records: a change is folded once, whoever decides, and what was folded is as durable as what is never dropped.

use super::AnyStore;
use super::fixture::*;
use crate::log::{NewEnvelope, NewRecord, Record, Routed, Unrouted};
use bytes::Bytes;
use kernel::envelope::{FactKind, Via};
use kernel::id::Position;
use kernel::subject::Subject;
use kernel::version::EffectiveVersion;

fn change(subject: &Subject, second: i64) -> NewEnvelope {
    NewEnvelope { kind: FactKind::Change, topic: "orders/change".into(), ..fact(subject, second) }
}

fn record(subject: &Subject, upon: i64, body: &str) -> NewRecord {
    NewRecord {
        subject: subject.clone(),
        source: system("shopify"),
        upon,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// The record as it is after the decision, and the state that it is then.
fn folded(position: Position, subject: &Subject, upon: i64, body: &str) -> Routed {
    let version = Some(EffectiveVersion::Folded { revision: upon + 1 });
    let payload = Bytes::copy_from_slice(body.as_bytes());
    let state = NewEnvelope { via: Via::Fold, version, payload, ..fact(subject, 50) };
    let record = Some(record(subject, upon, body));
    Routed { record, follow_ups: vec![state], ..Routed::nothing(position) }
}

async fn waiting(store: &AnyStore) -> Vec<Unrouted> {
    store.unrouted(20).await.unwrap()
}

fn kept(revision: i64, body: &str) -> Option<Record> {
    Some(Record { revision, body: Bytes::copy_from_slice(body.as_bytes()) })
}

/// Routes what waits to nothing, so that the next question is about what comes.
async fn clear(store: &AnyStore) {
    let all = waiting(store).await.into_iter().map(|one| Routed::nothing(one.envelope.position));
    store.route(all.collect(), at(2)).await.unwrap();
}

pub(super) async fn a_change_is_folded_once_whoever_decides(store: AnyStore) {
    let subject = order("1");
    let first = append(&store, change(&subject, 1)).await;
    assert_eq!(
        (waiting(&store).await[0].record.clone(), waiting(&store).await[0].base.clone()),
        (None, None)
    );
    // Twice the same decision, as of two nodes: the second is passed over, whatever it says.
    for body in ["7", "8"] {
        store.route(vec![folded(first, &subject, 0, body)], at(2)).await.unwrap();
    }
    let found = waiting(&store).await;
    assert_eq!(found.len(), 1, "the change is routed, and what follows from it waits once");
    assert_eq!((found[0].envelope.via, found[0].envelope.kind), (Via::Fold, FactKind::State));
    assert_eq!(found[0].envelope.version, Some(EffectiveVersion::Folded { revision: 1 }));
    assert_eq!((found[0].payload.clone(), found[0].record.clone()), (Some("7".into()), kept(1, "7")));
    clear(&store).await;
    // Decided upon the record as it was: handed out anew, with the record as it is.
    let second = append(&store, change(&subject, 3)).await;
    store.route(vec![folded(second, &subject, 0, "9")], at(4)).await.unwrap();
    let found = waiting(&store).await;
    assert_eq!((found.len(), found[0].envelope.position), (1, second));
    assert_eq!(found[0].record, kept(1, "7"));
    store.route(vec![folded(second, &subject, 1, "9")], at(4)).await.unwrap();
    assert_eq!(waiting(&store).await[0].record, kept(2, "9"));
    // Of another source, and of what is no state, there is none.
    clear(&store).await;
    append(&store, NewEnvelope { source: system("wms"), ..change(&subject, 5) }).await;
    append(&store, NewEnvelope { kind: FactKind::Hint, ..change(&subject, 6) }).await;
    append(&store, change(&subject.child("refund", "1"), 7)).await;
    assert!(waiting(&store).await.iter().all(|one| one.record.is_none()));
}

pub(super) async fn changes_of_one_batch_stand_upon_each_other(store: AnyStore) {
    let subject = order("1");
    let mut positions = Vec::new();
    for second in 1..=3 {
        positions.push(append(&store, change(&subject, second)).await);
    }
    let last = folded(positions[2], &subject, 2, "c");
    let before =
        |at: usize, upon, body| Routed { follow_ups: vec![], ..folded(positions[at], &subject, upon, body) };
    let decisions = vec![before(0, 0, "a"), before(1, 1, "b"), last];
    store.route(decisions, at(4)).await.unwrap();
    let found = waiting(&store).await;
    assert_eq!((found.len(), found[0].record.clone()), (1, kept(3, "c")));
}

pub(super) async fn a_record_is_begun_with_the_newest_state_of_its_source(store: AnyStore) {
    let subject = order("1");
    let base = async |store: &AnyStore| {
        let found = waiting(store).await;
        let change = found.into_iter().find(|one| one.envelope.kind == FactKind::Change);
        change.unwrap().base.map(|(envelope, payload)| (envelope.position, payload))
    };
    append(&store, change(&subject, 1)).await;
    let newer = append(&store, fact(&subject, 2)).await;
    assert_eq!(base(&store).await, None, "it is not routed yet");
    route(&store, newer, vec![state(&subject, 5, 2)]).await;
    let older = append(&store, fact(&subject, 3)).await;
    route(&store, older, vec![state(&subject, 4, 3)]).await;
    assert_eq!(base(&store).await, Some((newer, fact(&subject, 2).payload)), "the newest by its version");
    clear(&store).await;
    append(&store, NewEnvelope { source: system("wms"), ..change(&subject, 4) }).await;
    assert_eq!(base(&store).await, None, "it is of another source");
}

pub(super) async fn a_record_outlives_the_log_and_not_a_redaction(store: AnyStore) {
    let subject = order("1");
    let first = append(&store, change(&subject, 1)).await;
    store.route(vec![folded(first, &subject, 0, "7")], at(2)).await.unwrap();
    clear(&store).await;
    let later = at(90 * 86_400);
    store.retain(later, 30).await.unwrap();
    let second = append(&store, NewEnvelope { received_at: later, ..change(&subject, 3) }).await;
    let found = waiting(&store).await.remove(0);
    assert_eq!((found.record, found.base), (kept(1, "7"), None));
    store.redact(&shop(), &["order:1".to_owned()], &[], "request 9", later).await.unwrap();
    let found = waiting(&store).await.remove(0);
    assert_eq!(
        (found.payload, found.record),
        (None, kept(1, "")),
        "what it held is gone, its revisions go on"
    );
    store.route(vec![Routed::nothing(second)], later).await.unwrap();
    // It may come again.
    let third = append(&store, NewEnvelope { received_at: later, ..change(&subject, 5) }).await;
    assert_eq!(waiting(&store).await[0].record, kept(1, ""));
    store.route(vec![folded(third, &subject, 1, "1")], later).await.unwrap();
    assert_eq!(waiting(&store).await[0].record, kept(2, "1"));
}

pub(super) async fn what_follows_from_a_decision_is_lost_with_it(store: AnyStore) {
    let (one, other) = (order("1"), order("2"));
    let first = append(&store, change(&one, 1)).await;
    let plain = append(&store, fact(&other, 2)).await;
    let stale = Routed { deliveries: vec![state(&one, 1, 1)], ..folded(first, &one, 4, "7") };
    let decisions = vec![stale, Routed { deliveries: vec![state(&other, 1, 2)], ..Routed::nothing(plain) }];
    let claimed = store.route_and_claim(decisions, at(3), vec![request(5)], "hub").await.unwrap();
    assert_eq!(keys(&claimed[0].1), ["2"], "the other decision counts");
    let found = waiting(&store).await;
    assert_eq!((found.len(), found[0].envelope.position, found[0].record.clone()), (1, first, None));
}
