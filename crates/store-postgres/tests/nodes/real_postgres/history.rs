//! Several nodes at one database, all of them appending, routing and delivering at once: what they were answered
//! keeps the port's contract.

use crate::support::Database;
use std::sync::Arc;
use store::Store;
use store::history::judge::{judge, lives};
use store::history::{Party, Plan, play, settle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_at_one_database_keep_the_contract() {
    let database = Database::new().await;
    for seed in 1..=2 {
        let schema = database.schema(&format!("history_{seed}")).await;
        let party = Arc::new(Party::default());
        let plan = Plan { seed, turns: 120, subjects: 8, all_route: true };
        let mut nodes = Vec::new();
        for owner in 0..3 {
            let node: Arc<dyn Store> = Arc::new(schema.open().await);
            nodes.push(tokio::spawn(play(plan, owner, node, party.clone())));
        }
        for node in nodes {
            node.await.unwrap();
        }
        let store: Arc<dyn Store> = Arc::new(schema.open().await);
        settle(plan, 9, store.clone(), party.clone()).await;
        let entries = party.record.entries();
        let verdict = judge(&entries, &lives(&*store, &entries).await.unwrap());
        println!("seed {seed}: {verdict:?}");
        assert_eq!(verdict.violations, Vec::<String>::new(), "seed {seed}");
        assert!(verdict.duplicates > 0 && verdict.refused > 0, "it shows too little: {verdict:?}");
        assert!(verdict.taken_over > 0 && verdict.handed_on > 0, "it shows too little: {verdict:?}");
    }
    database.drop().await;
}
