//! What only a server can break: connections that end in mid-append, another key, somebody else's database.

use crate::support::*;
use store::log::Appended;
use store::seal::MasterKey;
use store::{Store, StoreError};
use tidegate_store_postgres::PostgresStore;

/// Shopify sends again what was not answered well: so do these writers, under the same id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_in_mid_append_lose_nothing_acknowledged() {
    const WRITERS: u32 = 6;
    const EACH: u32 = 40;
    let database = Database::new().await;
    let schema = database.schema("cut").await;
    let store = schema.open().await;
    append(&store, fact(&order("warm"), "orders/updated")).await;
    let (told, mut done) = tokio::sync::mpsc::unbounded_channel();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (store, told) = (store.clone(), told.clone());
        writers.push(tokio::spawn(async move {
            let (mut cut, mut acknowledged) = (0_u32, Vec::new());
            for n in 0..EACH {
                let copy = copy_of(&order(&format!("{writer}-{n}")), writer * 1000 + n);
                loop {
                    match store.append(vec![copy.clone()]).await {
                        Ok(answers) => {
                            acknowledged.push((copy.subject.clone(), answers[0]));
                            told.send(()).unwrap();
                            break;
                        }
                        Err(StoreError::Unavailable(_)) => cut += 1,
                        Err(error) => panic!("a cut connection is no reason to give up: {error}"),
                    }
                }
            }
            (cut, acknowledged)
        }));
    }
    drop(told);
    let cutter = {
        let admin = connect(&schema.url).await;
        tokio::spawn(async move {
            // In mid-append: one that is at work, not one that rests.
            let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                       WHERE datname = current_database() AND application_name = 'tidegate' \
                       AND state <> 'idle' AND query NOT LIKE 'LISTEN%'";
            let (mut acknowledged, mut ended): (u32, i64) = (0, 0);
            while done.recv().await.is_some() {
                acknowledged += 1;
                if acknowledged.is_multiple_of(5) {
                    ended += admin.query_one(cut, &[]).await.unwrap().get::<_, i64>(0);
                }
            }
            ended
        })
    };
    let (mut cut, mut acknowledged) = (0, Vec::new());
    for writer in writers {
        let (of_writer, subjects) = writer.await.unwrap();
        cut += of_writer;
        acknowledged.extend(subjects);
    }
    let ended = cutter.await.unwrap();
    assert!(ended > 0, "no connection was ended");
    assert_eq!(acknowledged.len(), (WRITERS * EACH) as usize);
    for (subject, answer) in &acknowledged {
        let life = store.life(&shop(), subject.root()).await.unwrap();
        assert_eq!(life.envelopes.len(), 1, "{subject}: {answer:?}, {cut} appends were cut");
    }
    assert_eq!(store.unrouted(1000).await.unwrap().len(), acknowledged.len() + 1);
    assert!(acknowledged.iter().any(|(_, answer)| matches!(answer, Appended::Stored(_))));
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_opened_is_refused_untouched() {
    let database = Database::new().await;
    let ours = database.schema("ours").await;
    drop(ours.open().await);
    assert_eq!(PostgresStore::open(ours.options(2)).await.err(), Some(StoreError::WrongKey));
    drop(ours.open().await);
    ours.admin
        .batch_execute("INSERT INTO migrations VALUES (9999, 'of the future', '\\x00', 0)")
        .await
        .unwrap();
    let newer = PostgresStore::open(ours.options(1)).await.err();
    assert!(matches!(newer, Some(StoreError::TooNew { found: 9999, .. })), "{newer:?}");
    let foreign = database.schema("of_others").await;
    foreign.admin.batch_execute("CREATE TABLE customers (id integer)").await.unwrap();
    let refused = PostgresStore::open(foreign.options(1)).await.err();
    assert!(
        matches!(&refused, Some(StoreError::Unreadable(why)) if why.contains("customers")),
        "{refused:?}"
    );
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'of_others'";
    assert_eq!(foreign.count(tables).await, 1);
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_with_a_replaced_master_key_stores_nothing_that_nobody_could_open() {
    let database = Database::new().await;
    let schema = database.schema("rotation").await;
    let (rotating, behind) = (schema.open().await, schema.open().await);
    append(&behind, fact(&order("before"), "orders/updated")).await;
    assert_eq!(rotating.rotate_master_key(&MasterKey::from_bytes([2; 32])).await.unwrap(), 1);
    let refused = behind.append(vec![fact(&order("after"), "orders/updated")]).await.err();
    assert!(
        matches!(&refused, Some(StoreError::Unavailable(why)) if why.contains("master key")),
        "{refused:?}"
    );
    append(&rotating, fact(&order("after"), "orders/updated")).await;
    assert_eq!(schema.count("SELECT count(*) FROM data_keys WHERE master <> 2").await, 0);
    assert_eq!(PostgresStore::open(schema.options(1)).await.err(), Some(StoreError::WrongKey));
    let again = PostgresStore::open(schema.options(2)).await.unwrap();
    for key in ["before", "after"] {
        assert!(again.newest_payload(&order(key)).await.unwrap().is_some(), "{key}");
    }
    database.drop().await;
}
