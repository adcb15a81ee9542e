//! Retention drops partitions whole, moves on what has a duty, and history goes when it was asked for.

use crate::support::{Database, at, fact, order, shop};
use kernel::id::Position;
use store::Store;
use store::log::{Appended, Routed};
use tidegate_store_postgres::PostgresStore;

const DAY: i64 = 86_400;

async fn append(store: &PostgresStore, key: &str, day: i64) -> Position {
    let new = store::log::NewEnvelope { received_at: at(day * DAY), ..fact(&order(key)) };
    match store.append(vec![new]).await.unwrap()[..] {
        [Appended::Stored(position)] => position,
        ref other => panic!("not stored: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_postgres_retention_is_a_drop_and_loses_no_duty() {
    let database = Database::new("retention").await;
    let mut options = database.options();
    options.history_days = Some(60);
    let store = PostgresStore::open(options).await.unwrap();
    let beside = crate::support::connect(&database.url).await;
    let partitions = async |table: &str| -> i64 {
        let sql = "SELECT count(*) FROM pg_inherits WHERE inhparent = $1::text::regclass";
        beside.query_one(sql, &[&table]).await.unwrap().get(0)
    };
    for day in 0..10 {
        let position = append(&store, &format!("done-{day}"), day).await;
        let decision = Routed::nothing(position);
        store.route(vec![decision], at(day * DAY)).await.unwrap();
    }
    append(&store, "waits", 1).await;
    assert_eq!(partitions("payloads").await, 11, "one a day, and the day before the first");
    let deleted = "SELECT sum(n_tup_del)::int8 FROM pg_stat_xact_user_tables WHERE relname LIKE 'payloads%'";
    let retained = store.retain(at(20 * DAY), 14).await.unwrap();
    assert_eq!((retained.payloads_dropped, retained.kept_for_duty), (6, 1));
    let none: Option<i64> = beside.query_one(deleted, &[]).await.unwrap().get(0);
    assert_eq!(none.unwrap_or(0), 0, "nothing was deleted row by row");
    assert!(store.newest_payload(&order("waits")).await.unwrap().is_some(), "its duty is open");
    assert!(store.newest_payload(&order("done-1")).await.unwrap().is_none());
    assert_eq!(
        store.life(&shop(), "order:done-1").await.unwrap().envelopes.len(),
        1,
        "the fact is still told"
    );
    let size = store.log_size().await.unwrap();
    assert_eq!((size.envelopes, size.unrouted), (11, 1));
    // Its duty ends: the next pass lets it go, and the history that was asked for goes with its partition.
    let waiting = store.unrouted(10).await.unwrap().remove(0);
    let done = Routed::nothing(waiting.envelope.position);
    store.route(vec![done], at(21 * DAY)).await.unwrap();
    let retained = store.retain(at(120 * DAY), 14).await.unwrap();
    assert_eq!((retained.payloads_dropped, retained.kept_for_duty), (5, 0));
    assert_eq!(store.log_size().await.unwrap().payload_bytes, 0);
    assert!(store.life(&shop(), "order:done-1").await.unwrap().envelopes.is_empty());
    database.drop().await;
}
