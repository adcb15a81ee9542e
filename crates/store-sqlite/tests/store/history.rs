//! Several owners at one file, at once: what they were answered keeps the port's contract, also over a reopening.

use crate::support;
use std::sync::Arc;
use store::Store;
use store::history::judge::{judge, lives};
use store::history::{Party, Plan, play, settle};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn owners_at_one_file_keep_the_contract() {
    for seed in 1..=3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tidegate.db");
        let party = Arc::new(Party::default());
        // The hub is one process with one engine: one owner routes.
        let plan = Plan { seed, turns: 250, subjects: 8, all_route: false };
        let mut store: Arc<dyn Store> = Arc::new(support::open(&path).unwrap());
        for part in 0..2 {
            let plan = Plan { seed: seed * 10 + part, ..plan };
            let owners: Vec<_> =
                (0..4).map(|owner| tokio::spawn(play(plan, owner, store.clone(), party.clone()))).collect();
            for owner in owners {
                owner.await.unwrap();
            }
            // The process ends, and with it all leases; another one goes on.
            drop(store);
            party.record.reopened();
            store = Arc::new(support::open(&path).unwrap());
        }
        settle(plan, 9, store.clone(), party.clone()).await;
        let entries = party.record.entries();
        let verdict = judge(&entries, &lives(&*store, &entries).await.unwrap());
        println!("seed {seed}: {verdict:?}");
        assert_eq!(verdict.violations, Vec::<String>::new(), "seed {seed}");
        assert!(verdict.duplicates > 0 && verdict.refused > 0, "it shows too little: {verdict:?}");
        assert!(verdict.taken_over > 0 && verdict.handed_on > 0, "it shows too little: {verdict:?}");
    }
}
