//! The promises of DESIGN section 3 under seeded faults: CI's short version of `cargo xtask simulate`.

use engine::mutant::Mutant;
use simulation::mix::{Mix, Setup};
use simulation::run::run;

fn seed(seed: u64) -> Setup {
    Setup { seed, mutant: None, mix: None, tell: false }
}

/// In shards, so that the runner spreads them over the cores.
fn shard(from: u64, seeds: u64) {
    let broken: Vec<String> = (from..from + seeds)
        .filter_map(|number| {
            let report = run(&seed(number));
            report.violations.first().map(|violation| format!("seed {number}: {violation}"))
        })
        .collect();
    assert!(broken.is_empty(), "{} of {seeds} seeds: {:?}", broken.len(), &broken[..broken.len().min(5)]);
}

#[test]
fn seeds_1_to_2500_keep_every_promise() {
    shard(1, 2500);
}

#[test]
fn seeds_2501_to_5000_keep_every_promise() {
    shard(2501, 2500);
}

#[test]
fn seeds_5001_to_7500_keep_every_promise() {
    shard(5001, 2500);
}

#[test]
fn seeds_7501_to_10000_keep_every_promise() {
    shard(7501, 2500);
}

#[test]
fn one_seed_gives_one_run_to_the_byte() {
    for number in 1..=100 {
        let (one, two) = (run(&seed(number)), run(&seed(number)));
        assert_eq!((&one.trace, one.events), (&two.trace, two.events), "seed {number}");
    }
}

#[test]
fn a_run_without_faults_writes_each_change_once() {
    let report = run(&Setup { mix: Some(Mix::calm()), ..seed(1) });
    assert_eq!(report.violations, []);
    assert_eq!(report.lives, 1);
    // A create and a confirm for each order, and at most one amend and one cancel for each further change.
    assert!(report.writes >= 2 * report.orders as u64, "{report:?}");
}

/// A checker that cannot fail proves nothing: each planted bug is caught, and soon.
#[test]
fn every_planted_bug_is_caught() {
    for mutant in Mutant::ALL {
        let caught = (1..=300)
            .any(|number| !run(&Setup { mutant: Some(mutant), ..seed(number) }).violations.is_empty());
        assert!(caught, "{mutant:?} survived 300 seeds");
    }
}
