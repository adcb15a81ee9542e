//! The promises of the port, held by this store.

use crate::support;
use std::sync::Arc;
use store::conformance::{AnyStore, cases};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sqlite_store_conforms() {
    for (name, case) in cases() {
        println!("case {name}");
        let folder = tempfile::tempdir().unwrap();
        let store: AnyStore = Arc::new(support::open(&folder.path().join("tidegate.db")).unwrap());
        case(store).await;
    }
}
