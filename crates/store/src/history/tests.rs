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

/// Whether one answer that is another is named so, in one of several histories: not each that can be altered says what cannot be.
fn is_named(what: &str, alter: impl Fn(&mut What) -> bool) -> bool {
    (1..9).any(|seed| {
        let (mut entries, lives) = run(seed);
        (0..entries.len()).any(|at| {
            let before = entries[at].clone();
            let named = alter(&mut entries[at].what) && names(&judge(&entries, &lives), what);
            entries[at] = before;
            named
        })
    })
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

    // As if an owner that was not heard had been.
    let heard = is_named("was heard after", |what| match what {
        What::Moved { answer: answer @ Some(Moved::Lost), kind: Step::Ends, .. } => {
            *answer = Some(Moved::Done { begun: None });
            true
        }
        _ => false,
    });
    assert!(heard, "nobody that was heard too late is named");
    // As if the next owner had not been told of an attempt without an answer.
    let told = is_named("has no answer", |what| match what {
        What::Claimed { claim, .. } => claim.open_attempt.take().is_some(),
        _ => false,
    });
    assert!(told, "no attempt that was kept from the next owner is named");
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
