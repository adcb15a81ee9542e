//! The promises of the port, held by this store.

use crate::support::Database;
use std::sync::Arc;
use store::conformance::{AnyStore, cases};

/// All on one server, each on a database of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_postgres_conforms() {
    for (name, case) in cases() {
        println!("case {name}");
        let database = Database::new(name).await;
        let store: AnyStore = Arc::new(database.open().await);
        case(store).await;
        database.drop().await;
    }
}
