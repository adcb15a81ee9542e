//! `torture`, `simulate` and `bench`: builds in release mode and becomes the program that does it.
//! The work itself belongs to the binary (hidden subcommands) and to the crate `simulation`;
//! arguments after `--` go to it untouched.

use crate::process;
use anyhow::Result;
use std::path::Path;

/// SIGKILL at random instants under load, duplicates in flight, a target that applies late; the
/// ledger right after each kill
#[derive(clap::Args, Debug)]
pub(crate) struct Torture {
    /// How long to go on
    #[arg(long, default_value_t = 1)]
    minutes: u32,
    /// Where chance begins; printed, so that a run can be repeated
    #[arg(long)]
    seed: Option<u64>,
    /// Further arguments for `tidegate torture`
    #[arg(last = true)]
    rest: Vec<String>,
}

/// The engine's step function on one thread, against seeded faults of store and target
#[derive(clap::Args, Debug)]
pub(crate) struct Simulate {
    /// How many seeds
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// With a warehouse beside the orders: was a unit sold twice?
    #[arg(long)]
    stock: bool,
    /// Plants each known bug in turn and shows that it is caught, by what, after how many seeds
    #[arg(long)]
    mutants: bool,
    /// With --mutants: the table of docs/proof.md
    #[arg(long)]
    markdown: bool,
    /// One seed alone, with all that it breaks
    #[arg(long)]
    seed: Option<u64>,
    /// With --seed: every event and effect
    #[arg(long)]
    tell: bool,
    /// The fewest faults with which this seed still fails
    #[arg(long)]
    shrink: Option<u64>,
    /// Further arguments for the simulation: `-- --threads 1`
    #[arg(last = true)]
    rest: Vec<String>,
}

/// Durable intake, latency to the target, CPU and memory, each against a floor of the same run
#[derive(clap::Args, Debug)]
pub(crate) struct Bench {
    /// Short rounds: shows that it works, not what the machine can do
    #[arg(long)]
    quick: bool,
    /// Further arguments for `tidegate bench`
    #[arg(last = true)]
    rest: Vec<String>,
}

pub(crate) fn torture(root: &Path, args: &Torture) -> Result<()> {
    let rolls = args.rest.iter().any(|argument| argument == "--rolling");
    start(root, if rolls { REHEARSING } else { BINARY }, torture_arguments(args))
}

pub(crate) fn simulate(root: &Path, args: &Simulate) -> Result<()> {
    start(root, SIMULATION, simulate_arguments(args))
}

pub(crate) fn bench(root: &Path, args: &Bench) -> Result<()> {
    start(root, BINARY, bench_arguments(args))
}

const BINARY: &[&str] = &["--package", "tidegate"];
/// With a version to come, beside which this one runs.
const REHEARSING: &[&str] = &["--package", "tidegate", "--features", "rehearsal"];
const SIMULATION: &[&str] = &["--package", "tidegate-simulation", "--bin", "simulate"];

fn start(root: &Path, program: &[&str], arguments: Vec<String>) -> Result<()> {
    let cargo = ["run", "--release", "--quiet"].iter().chain(program).chain(&["--"]);
    process::become_program(process::cargo(root, cargo).args(arguments))
}

fn torture_arguments(args: &Torture) -> Vec<String> {
    let mut to_binary = vec!["torture".to_owned(), "--minutes".to_owned(), args.minutes.to_string()];
    if let Some(seed) = args.seed {
        to_binary.extend(["--seed".to_owned(), seed.to_string()]);
    }
    to_binary.extend(args.rest.iter().cloned());
    to_binary
}

fn simulate_arguments(args: &Simulate) -> Vec<String> {
    let mut to_simulation =
        vec!["--seeds".to_owned(), args.seeds.to_string(), "--from".to_owned(), args.from.to_string()];
    for (name, is_asked) in [
        ("--stock", args.stock),
        ("--mutants", args.mutants),
        ("--markdown", args.markdown),
        ("--tell", args.tell),
    ] {
        to_simulation.extend(is_asked.then(|| name.to_owned()));
    }
    for (name, seed) in [("--seed", args.seed), ("--shrink", args.shrink)] {
        to_simulation.extend(seed.into_iter().flat_map(|seed| [name.to_owned(), seed.to_string()]));
    }
    to_simulation.extend(args.rest.iter().cloned());
    to_simulation
}

fn bench_arguments(args: &Bench) -> Vec<String> {
    let mut to_binary = vec!["bench".to_owned()];
    if args.quick {
        to_binary.push("--quick".to_owned());
    }
    to_binary.extend(args.rest.iter().cloned());
    to_binary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_reach_the_programs_as_they_expect_them() {
        let rest = || vec!["--rate".to_owned(), "200".to_owned()];
        let simulate = |seed| Simulate {
            seeds: 100,
            from: 9,
            stock: false,
            mutants: false,
            markdown: false,
            seed,
            tell: false,
            shrink: None,
            rest: vec![],
        };
        assert_eq!(
            torture_arguments(&Torture { minutes: 5, seed: Some(7), rest: rest() }).join(" "),
            "torture --minutes 5 --seed 7 --rate 200"
        );
        assert_eq!(
            simulate_arguments(&Simulate { mutants: true, markdown: true, ..simulate(None) }).join(" "),
            "--seeds 100 --from 9 --mutants --markdown"
        );
        assert_eq!(
            simulate_arguments(&Simulate { stock: true, tell: true, ..simulate(Some(7)) }).join(" "),
            "--seeds 100 --from 9 --stock --tell --seed 7"
        );
        assert_eq!(
            bench_arguments(&Bench { quick: true, rest: rest() }).join(" "),
            "bench --quick --rate 200"
        );
    }
}
