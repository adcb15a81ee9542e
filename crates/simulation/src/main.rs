//! `simulate`: runs seeds, says what broke, and shows that each planted bug is caught.

use clap::Parser;
use engine::mutant::Mutant;
use simulation::mix::Setup;
use simulation::run::{Report, run};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Runs the engine's step function under seeded faults. One seed gives one run, to the byte.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Plant each bug in turn and say after how many seeds it is caught.
    #[arg(long)]
    mutants: bool,
    /// Threads; 0 means one for each core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Show the violations of one seed in full.
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: print every event and effect.
    #[arg(long)]
    tell: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.mutants {
        return mutants(&arguments);
    }
    if let Some(seed) = arguments.seed {
        let report = run(&Setup { seed, mutant: None, mix: None, tell: arguments.tell });
        println!("{report:#?}");
        return if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    seeds(&arguments)
}

#[expect(clippy::disallowed_methods, reason = "the command says how fast it is; no run depends on it")]
fn seeds(arguments: &Arguments) -> ExitCode {
    let began = std::time::Instant::now();
    let threads = if arguments.threads > 0 {
        arguments.threads
    } else {
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    };
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let failed: Vec<Report> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&next, end))).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let took = began.elapsed().max(Duration::from_millis(1));
    for report in failed.iter().take(10) {
        println!(
            "seed {}: {}",
            report.seed,
            report.violations.first().map_or(String::new(), ToString::to_string)
        );
        println!("  again: cargo xtask simulate --seed {}", report.seed);
    }
    println!(
        "{} seeds from {}, {} failed, {:.0} seeds/s",
        arguments.seeds,
        arguments.from,
        failed.len(),
        arguments.seeds as f64 / took.as_secs_f64()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work(next: &AtomicU64, end: u64) -> Vec<Report> {
    let mut failed = Vec::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return failed;
        }
        let report = run(&Setup { seed, mutant: None, mix: None, tell: false });
        if !report.violations.is_empty() {
            failed.push(report);
        }
    }
}

fn mutants(arguments: &Arguments) -> ExitCode {
    let mut survived = 0;
    for mutant in Mutant::ALL {
        let caught = (arguments.from..arguments.from + arguments.seeds).find_map(|seed| {
            let report = run(&Setup { seed, mutant: Some(mutant), mix: None, tell: false });
            report.violations.first().cloned().map(|violation| (seed, violation))
        });
        match caught {
            Some((seed, violation)) => {
                println!("{mutant:?}: caught after {} seeds by {violation}", seed - arguments.from + 1);
            }
            None => {
                survived += 1;
                println!("{mutant:?}: SURVIVED {} seeds", arguments.seeds);
            }
        }
    }
    if survived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
