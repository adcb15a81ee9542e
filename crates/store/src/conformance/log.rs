//! Cases of the log: what is appended is read back, taken once, and routed once.

use super::fixture::*;
use super::{AnyStore, Running, side_by_side};
use crate::delivery::{DeliveryState, NewDelivery, Outcome};
use crate::log::{Appended, Routed};
use bytes::Bytes;
use kernel::id::Position;

pub(super) async fn an_append_is_read_back_as_it_was(store: AnyStore) {
    let mut new = fact(&order("1"), 1);
    new.version = Some(sequence(4));
    let position = append(&store, new.clone()).await;
    let found = store.unrouted(10).await.unwrap().remove(0);
    let envelope = found.envelope;
    assert_eq!(found.payload, Some(new.payload));
    assert_eq!((envelope.position, envelope.subject), (position, new.subject));
    assert_eq!((envelope.topic, envelope.kind, envelope.via), (new.topic, new.kind, new.via));
    assert_eq!((envelope.shop, envelope.domain, envelope.source), (new.shop, new.domain, new.source));
    assert_eq!((envelope.version, envelope.trace), (new.version, new.trace));
    assert_eq!((envelope.occurred_at, envelope.received_at), (new.occurred_at, new.received_at));
    assert_eq!((envelope.raw_hash, envelope.raw_bytes), (new.raw_hash, new.raw_bytes));
}

pub(super) async fn payloads_of_any_size_come_back(store: AnyStore) {
    for (key, size) in [("0", 0), ("1", 1), ("100", 100), ("70000", 70_000), ("2000000", 2_000_000)] {
        let mut new = fact(&order(key), 1);
        new.payload = (0..size).map(|i| ((i * 7 + i / 251) % 256) as u8).collect::<Vec<u8>>().into();
        append(&store, new.clone()).await;
        let found = store.newest_payload(&new.subject).await.unwrap();
        assert!(found.is_some_and(|(_, payload)| payload == new.payload), "{size} bytes");
    }
}

pub(super) async fn a_duplicate_is_told_from_another_body(store: AnyStore) {
    let mut new = fact(&order("1"), 1);
    new.dedupe = Some(dedupe(1));
    append(&store, new.clone()).await;
    let again = store.append(vec![new.clone()]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate { same_body: true }]);
    new.raw_hash = [99; 32];
    new.payload = Bytes::from_static(b"other");
    let other = store.append(vec![new.clone()]).await.unwrap();
    assert_eq!(other, [Appended::Duplicate { same_body: false }]);
    new.dedupe = None;
    append(&store, new).await;
    assert_eq!(store.log_size().await.unwrap().envelopes, 2);
}

pub(super) async fn a_duplicate_within_one_batch(store: AnyStore) {
    let mut first = fact(&order("1"), 1);
    first.dedupe = Some(dedupe(1));
    let mut second = fact(&order("2"), 2);
    second.dedupe = Some(dedupe(2));
    let answers = store.append(vec![first.clone(), second, first]).await.unwrap();
    assert!(
        matches!(answers[..], [Appended::Stored(a), Appended::Stored(b), Appended::Duplicate { same_body: true }] if a < b)
    );
    assert_eq!(store.log_size().await.unwrap().unrouted, 2);
}

pub(super) async fn copies_that_race_are_stored_once(store: AnyStore) {
    for round in 0..8_u8 {
        let copies: Vec<Running<Appended>> = (0..16)
            .map(|_| {
                let store = store.clone();
                let mut new = fact(&order("1"), 1);
                new.dedupe = Some(dedupe(round));
                Box::pin(async move { store.append(vec![new]).await.unwrap()[0] }) as Running<Appended>
            })
            .collect();
        let answers = side_by_side(copies).await;
        let stored = answers.iter().filter(|answer| matches!(answer, Appended::Stored(_))).count();
        assert_eq!(stored, 1, "round {round}: {answers:?}");
    }
    assert_eq!(store.log_size().await.unwrap().envelopes, 8);
}

pub(super) async fn a_webhook_id_is_known_a_day_later(store: AnyStore) {
    let mut new = fact(&order("1"), 1);
    new.dedupe = Some(dedupe(1));
    append(&store, new.clone()).await;
    new.received_at = at(86_400);
    let again = store.append(vec![new]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate { same_body: true }]);
}

pub(super) async fn routing_finds_by_state_not_by_position(store: AnyStore) {
    let mut positions = Vec::new();
    for key in ["1", "2", "3"] {
        positions.push(append(&store, fact(&order(key), 1)).await);
    }
    let unrouted = |store: AnyStore| async move {
        let found = store.unrouted(10).await.unwrap();
        found.into_iter().map(|unrouted| unrouted.envelope.position).collect::<Vec<_>>()
    };
    assert_eq!(unrouted(store.clone()).await, positions);
    assert_eq!(store.unrouted(2).await.unwrap().len(), 2);
    route(&store, positions[2], vec![]).await;
    route(&store, positions[0], vec![]).await;
    assert_eq!(unrouted(store.clone()).await, [positions[1]]);
    assert_eq!(store.log_size().await.unwrap().unrouted, 1);
}

pub(super) async fn a_decision_counts_once(store: AnyStore) {
    let subject = order("1");
    let position = append(&store, fact(&subject, 1)).await;
    for _ in 0..2 {
        route(&store, position, vec![state(&subject, 1, 1)]).await;
    }
    let unknown = Routed::nothing(Position(9_999));
    store.route(vec![unknown], at(1)).await.unwrap();
    assert_eq!(words(&store, &subject).await, ["waiting"]);
    let life = store.life(&shop(), "order:1").await.unwrap();
    assert_eq!(life.envelopes[0].0.version, Some(sequence(1)));
}

pub(super) async fn routing_sees_how_the_subject_stands(store: AnyStore) {
    let subject = order("1");
    append(&store, fact(&subject, 1)).await;
    assert_eq!(store.unrouted(1).await.unwrap()[0].standings, []);
    let position = store.unrouted(1).await.unwrap()[0].envelope.position;
    route(&store, position, vec![state(&subject, 3, 1)]).await;
    append(&store, fact(&subject, 2)).await;
    let found = store.unrouted(1).await.unwrap().remove(0);
    let [(name, standing)] = &found.standings[..] else { panic!("{:?}", found.standings) };
    assert_eq!(*name, flow());
    assert_eq!((&standing.routed, standing.routed_position), (&Some(sequence(3)), Some(position)));
    assert!(!standing.attempted && !standing.reading && standing.external.is_none());
    route(&store, found.envelope.position, vec![read(&subject, 5)]).await;
    append(&store, fact(&subject, 3)).await;
    assert!(store.unrouted(1).await.unwrap()[0].standings[0].1.reading);
}

pub(super) async fn an_older_version_does_not_become_the_routed_one(store: AnyStore) {
    let subject = order("1");
    let newest = put(&store, state(&subject, 5, 1)).await;
    let older = DeliveryState::Ended(Outcome::Superseded { by: newest });
    put(&store, NewDelivery { state: older, supersedes: false, ..state(&subject, 4, 1) }).await;
    append(&store, fact(&subject, 9)).await;
    let standings = store.unrouted(1).await.unwrap().remove(0).standings;
    assert_eq!(standings[0].1.routed, Some(sequence(5)));
    assert_eq!(words(&store, &subject).await, ["waiting", "superseded"]);
}

pub(super) async fn nothing_of_a_batch_is_lost_among_many(store: AnyStore) {
    let writers: Vec<Running<Vec<Appended>>> = (0..20)
        .map(|writer| {
            let store = store.clone();
            let batch = (0..10).map(|n| fact(&order(&format!("{writer}-{n}")), 1)).collect();
            Box::pin(async move { store.append(batch).await.unwrap() }) as Running<Vec<Appended>>
        })
        .collect();
    let answers = side_by_side(writers).await;
    for batch in &answers {
        let positions: Vec<Position> = batch
            .iter()
            .map(|answer| match answer {
                Appended::Stored(position) => *position,
                Appended::Duplicate { .. } => panic!("no duplicate was sent"),
            })
            .collect();
        assert!(positions.is_sorted(), "a batch keeps its order: {positions:?}");
    }
    let mut found: Vec<Position> =
        store.unrouted(1000).await.unwrap().into_iter().map(|found| found.envelope.position).collect();
    assert!(found.is_sorted());
    found.dedup();
    assert_eq!(found.len(), 200);
}
