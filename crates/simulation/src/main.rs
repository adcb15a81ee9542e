//! `simulate`: runs seeds, says what broke, and shows that each planted bug is caught.

use clap::Parser;
use simulation::judge::Violation;
use simulation::mix::{Setup, Story};
use simulation::planted;
use simulation::run::{BROKEN, Report, run};
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
    /// Switch off one kind of fault after another while the seed still fails; print what is left, and the end of it.
    #[arg(long)]
    shrink: Option<u64>,
    /// With a warehouse beside the orders: what the shop sells, what is reserved, shipped and set.
    #[arg(long)]
    stock: bool,
    /// With --mutants: those whose description has this in it.
    #[arg(long)]
    only: Option<String>,
    /// With --mutants: the table of docs/proof.md.
    #[arg(long)]
    markdown: bool,
}

impl Arguments {
    fn story(&self) -> Story {
        if self.stock { Story::Stock } else { Story::Orders }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.mutants {
        return mutants(&arguments);
    }
    if let Some(seed) = arguments.shrink {
        return shrink(seed, arguments.story());
    }
    if let Some(seed) = arguments.seed {
        let setup = Setup { seed, story: arguments.story(), bug: None, mix: None, tell: arguments.tell };
        let report = run(&setup);
        for line in &report.said {
            println!("{line}");
        }
        println!("{:#?}", Report { said: Vec::new(), ..report.clone() });
        return if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    seeds(&arguments)
}

/// What a shrunk seed shows of its end.
const LAST_LINES: usize = 120;

fn shrink(seed: u64, story: Story) -> ExitCode {
    let Some(shrunk) = simulation::shrink::shrink(seed, story) else {
        println!("seed {seed} keeps every promise: there is nothing to shrink");
        return ExitCode::SUCCESS;
    };
    let said = &shrunk.report.said;
    // Up to where the first promise broke, if it was on the way.
    let end = said.iter().position(|line| line.contains(BROKEN)).map_or(said.len(), |line| line + 1);
    let said = &said[..end];
    for line in &said[said.len().saturating_sub(LAST_LINES)..] {
        println!("{line}");
    }
    for violation in &shrunk.report.violations {
        println!("{violation}");
    }
    println!("seed {seed} still fails with: {}", shrunk.needed.join(", "));
    println!("  and without: {}", shrunk.without.join(", "));
    ExitCode::FAILURE
}

#[derive(Debug, Default)]
struct Sum {
    failed: Vec<Report>,
    simulated_s: u64,
    events: u64,
    lives: u64,
    writes: u64,
}

#[expect(clippy::disallowed_methods, reason = "the command says how fast it is; no run depends on it")]
fn seeds(arguments: &Arguments) -> ExitCode {
    let began = std::time::Instant::now();
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let mut sum = Sum::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..threads(arguments)).map(|_| scope.spawn(|| work(&next, end, arguments.story()))).collect();
        for of in workers.into_iter().filter_map(|worker| worker.join().ok()) {
            sum.failed.extend(of.failed);
            sum.simulated_s += of.simulated_s;
            sum.events += of.events;
            sum.lives += of.lives;
            sum.writes += of.writes;
        }
    });
    sum.failed.sort_by_key(|report| report.seed);
    let took = began.elapsed().max(Duration::from_millis(1)).as_secs_f64();
    for report in sum.failed.iter().take(60) {
        let first = report.violations.first().map_or(String::new(), ToString::to_string);
        println!("seed {}: {first}", report.seed);
        println!(
            "  again: cargo xtask simulate{1} --seed {0} --tell   fewest faults: --shrink {0}",
            report.seed,
            if arguments.stock { " --stock" } else { "" },
        );
    }
    println!(
        "{} seeds from {}, {} failed, {:.0} seeds/s, {:.0} simulated hours a minute",
        arguments.seeds,
        arguments.from,
        sum.failed.len(),
        arguments.seeds as f64 / took,
        sum.simulated_s as f64 / 60.0 / took,
    );
    println!("{} lives of nodes, {} writes, {} events", sum.lives, sum.writes, sum.events);
    if sum.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn threads(arguments: &Arguments) -> usize {
    match arguments.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

fn work(next: &AtomicU64, end: u64, story: Story) -> Sum {
    let mut sum = Sum::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return sum;
        }
        let report = run(&Setup { seed, story, bug: None, mix: None, tell: false });
        sum.simulated_s += report.simulated_s;
        sum.events += report.events;
        sum.lives += u64::from(report.lives);
        sum.writes += report.writes;
        if !report.violations.is_empty() {
            sum.failed.push(report);
        }
    }
}

fn mutants(arguments: &Arguments) -> ExitCode {
    let mut survived = 0;
    if arguments.markdown {
        println!("| promise | bug | caught by | after seeds |\n| --- | --- | --- | --- |");
    }
    let asked = |what: &str| arguments.only.as_ref().is_none_or(|only| what.contains(only));
    let all = planted::ALL.iter().chain(planted::STOCK);
    for (promise, bug, what) in all.filter(|(_, _, what)| asked(what)) {
        let by_test = planted::BY_TEST.contains(bug);
        let caught = if by_test { None } else { caught(arguments, *bug) };
        survived += usize::from(caught.is_none() && !by_test);
        let (after, by) = caught.map_or_else(
            || match by_test {
                true => ("–".to_owned(), "a test alone".to_owned()),
                false => (format!("survived {}", arguments.seeds), "nothing: not proved".to_owned()),
            },
            |(seed, violation)| ((seed - arguments.from + 1).to_string(), violation.to_string()),
        );
        if arguments.markdown {
            println!("| {promise} | {what} | {by} | {after} |");
        } else {
            println!("promise {promise}, {what}: {by}, after {after}");
        }
    }
    if survived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The first seed that catches it; seeds are spread over the threads.
fn caught(arguments: &Arguments, bug: planted::Bug) -> Option<(u64, Violation)> {
    let end = arguments.from + arguments.seeds;
    let (next, found) = (AtomicU64::new(arguments.from), AtomicU64::new(u64::MAX));
    let look = || {
        let mut first = None;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end || seed > found.load(Ordering::Relaxed) {
                return first;
            }
            let (story, mix) = (planted::story(bug), planted::mix(bug));
            let report = run(&Setup { seed, story, bug: Some(bug), mix, tell: false });
            if let Some(violation) = report.violations.first() {
                found.fetch_min(seed, Ordering::Relaxed);
                first.get_or_insert((seed, violation.clone()));
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads(arguments)).map(|_| scope.spawn(look)).collect();
        let all = workers.into_iter().filter_map(|worker| worker.join().ok().flatten());
        all.min_by_key(|(seed, _)| *seed)
    })
}
