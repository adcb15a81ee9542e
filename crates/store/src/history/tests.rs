//! The memory store under several owners, and a judge that is shown what cannot be.

use super::judge::{Verdict, judge, lives};
use super::record::{Entry, Step, What};
use super::{Party, Plan, play, settle};
use crate::delivery::Moved;
use crate::log::Appended;
use crate::memory::MemoryStore;
use crate::port::Store;
use crate::query::Life;
use std::sync::Arc;

fn run(seed: u64) -> (Vec<Entry>, Vec<Life>) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let plan = Plan { seed, turns: 400, subjects: 6, all_route: false };
    let party = Arc::new(Party::default());
    let owners: Vec<_> = (0..3)
        .map(|owner| {
            let (store, party) = (store.clone(), party.clone());
            std::thread::spawn(move || ready(play(plan, owner, store, party)))
        })
        .collect();
    for owner in owners {
        owner.join().unwrap();
    }
    ready(settle(plan, 9, store.clone(), party.clone()));
    let entries = party.record.entries();
    let lives = ready(lives(&*store, &entries)).unwrap();
    (entries, lives)
}

/// The memory store never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn the_memory_store_keeps_the_contract_under_several_owners() {
    for seed in 0..20 {
        let (entries, lives) = run(seed);
        let Verdict { violations, facts, duplicates, taken_over, handed_on, refused, .. } =
            judge(&entries, &lives);
        assert_eq!(violations, Vec::<String>::new(), "seed {seed}");
        let looked_at = [facts, duplicates, taken_over, handed_on, refused];
        assert!(looked_at.iter().all(|count| *count > 0), "seed {seed} shows too little: {looked_at:?}");
    }
}

fn names(verdict: &Verdict, what: &str) -> bool {
    verdict.violations.iter().any(|violation| violation.contains(what))
}

/// A history in which one answer is another.
fn altered(mut alter: impl FnMut(&mut Entry) -> bool) -> Verdict {
    let (mut entries, lives) = run(1);
    assert!(entries.iter_mut().any(&mut alter), "nothing in the history could be altered");
    judge(&entries, &lives)
}

#[test]
fn what_cannot_be_is_named() {
    let (mut entries, mut lives) = run(1);
    lives.iter_mut().find(|life| !life.envelopes.is_empty()).unwrap().envelopes.remove(0);
    assert!(names(&judge(&entries, &lives), "was acknowledged and is not there"));

    let stored =
        |entry: &&mut Entry| matches!(entry.what, What::Appended { answer: Some(Appended::Stored(_)), .. });
    let mut two = entries.iter_mut().filter(stored);
    let (first, second) = (two.next().unwrap(), two.next().unwrap());
    if let (What::Appended { key: of_first, .. }, What::Appended { key: of_second, .. }) =
        (&first.what, &mut second.what)
    {
        *of_second = *of_first;
    }
    assert!(names(&judge(&entries, &lives), "was stored 2 times"));

    let verdict = altered(|entry| match &mut entry.what {
        What::Moved { answer: answer @ Some(Moved::Lost), kind: Step::Ends, .. } => {
            *answer = Some(Moved::Done { begun: None });
            true
        }
        _ => false,
    });
    assert!(names(&verdict, "was heard after"), "{verdict:?}");

    let verdict = altered(|entry| match &mut entry.what {
        What::Claimed { claim, .. } if claim.open_attempt.is_some() => {
            claim.open_attempt = None;
            true
        }
        _ => false,
    });
    assert!(names(&verdict, "has no answer"), "{verdict:?}");
}

#[test]
fn a_lane_that_two_hold_is_named() {
    let (mut entries, lives) = run(2);
    // As if each claim had been for a day.
    for entry in &mut entries {
        if let What::Claimed { until, .. } = &mut entry.what {
            *until = kernel::clock::after(*until, std::time::Duration::from_secs(86_400));
        }
    }
    assert!(names(&judge(&entries, &lives), "held it"));
}
