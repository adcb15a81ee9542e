//! Two nodes fold into one record at once: each change counts once, and the last state says all of them.

use crate::support::*;
use bytes::Bytes;
use kernel::envelope::{FactKind, Via};
use kernel::version::EffectiveVersion;
use store::Store;
use store::log::{NewEnvelope, NewRecord, Routed, Unrouted};
use tidegate_store_postgres::PostgresStore;

const CHANGES: i64 = 120;

fn number(bytes: &[u8]) -> i64 {
    std::str::from_utf8(bytes).unwrap().parse().unwrap()
}

/// The record is the sum of what came; a state is only taken down.
fn decided(batch: &[Unrouted]) -> Vec<Routed> {
    let mut known: Option<(i64, i64)> = None;
    let mut decisions = Vec::new();
    for one in batch {
        let position = one.envelope.position;
        if one.envelope.kind != FactKind::Change {
            decisions.push(Routed::nothing(position));
            continue;
        }
        let record = one.record.as_ref();
        let read = || record.map_or((0, 0), |record| (record.revision, number(&record.body)));
        let (upon, before) = known.unwrap_or_else(read);
        let sum = before + number(one.payload.as_deref().unwrap());
        known = Some((upon + 1, sum));
        let body = Bytes::from(sum.to_string());
        let (subject, source) = (one.envelope.subject.clone(), one.envelope.source.clone());
        let state = NewEnvelope {
            via: Via::Fold,
            version: Some(EffectiveVersion::Folded { revision: upon + 1 }),
            payload: body.clone(),
            ..fact(&subject, "orders/updated")
        };
        decisions.push(Routed {
            record: Some(NewRecord { subject, source, upon, body }),
            follow_ups: vec![state],
            ..Routed::nothing(position)
        });
    }
    decisions
}

/// Folds whatever it is handed out until nothing waits anywhere. What was decided upon an older record is handed out anew.
async fn node(store: PostgresStore) {
    while store.log_size().await.unwrap().unrouted > 0 {
        let batch = store.unrouted(7).await.unwrap();
        // The other one is as far by now.
        tokio::task::yield_now().await;
        store.route(decided(&batch), at(2)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_fold_each_change_once() {
    let database = Database::new().await;
    let schema = database.schema("records").await;
    let (a, b) = (schema.open().await, schema.open().await);
    let subject = order("1");
    for delta in 1..=CHANGES {
        let change = NewEnvelope {
            kind: FactKind::Change,
            payload: Bytes::from(delta.to_string()),
            ..fact(&subject, "orders/change")
        };
        append(if delta % 2 == 0 { &a } else { &b }, change).await;
    }
    let nodes = [a.clone(), b.clone()].map(|store| tokio::spawn(node(store)));
    for one in nodes {
        one.await.unwrap();
    }
    let sum = CHANGES * (CHANGES + 1) / 2;
    let (envelope, newest) = a.newest_payload(&subject).await.unwrap().unwrap();
    assert_eq!(
        (number(&newest), envelope.version),
        (sum, Some(EffectiveVersion::Folded { revision: CHANGES }))
    );
    let life = a.life(&shop(), "order:1").await.unwrap();
    let states = life.envelopes.iter().filter(|(envelope, _)| envelope.kind == FactKind::State).count();
    assert_eq!(i64::try_from(states).unwrap(), CHANGES, "what follows from a change is there once");
    database.drop().await;
}
