//! What one node commits wakes the others; what nobody told of is found by asking.

use crate::support::{Database, fact, order};
use std::time::Duration;
use store::Store;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_postgres_nodes_wake_each_other() {
    let database = Database::new("waking").await;
    let (a, b) = (database.open().await, database.open().await);
    let mut woken = b.woken();
    // It listens once it has said so for the first time.
    woken.changed().await.unwrap();
    woken.mark_unchanged();
    a.append(vec![fact(&order("1"))]).await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(5), woken.changed());
    heard.await.expect("the other node was told").unwrap();
    // Its own word wakes nobody at home.
    let mut own = a.woken();
    own.mark_unchanged();
    a.append(vec![fact(&order("2"))]).await.unwrap();
    woken.changed().await.unwrap();
    assert!(!own.has_changed().unwrap());
    database.drop().await;
}
