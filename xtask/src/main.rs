//! Every check and chore of the project: `cargo xtask help`.
//!
//! Owns the command line and nothing else; each subcommand has a module. It knows the project from
//! outside (files, cargo, git, processes) and uses none of its crates, so that it builds first and
//! fast, and works when they do not compile.

mod fuzz;
mod process;
mod programs;
mod runner;
mod schema;
mod services;
mod test;
mod tidy;
mod wasm;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                        every check and test; what the CI runs
  cargo xtask test --fast -p kernel       one crate, without the real systems
  cargo xtask tidy                        what the compiler does not see: layers, licences, links, …
  cargo xtask services ensure tryton      a real ERP on 127.0.0.1, for the tests
  cargo xtask schema --check              the look-alike's extract of Shopify's published Admin schema
  cargo xtask simulate --seeds 10000      the engine's step function against seeded faults
  cargo xtask torture --minutes 5         SIGKILL under load, then the ledger
  cargo xtask bench --quick               throughput and latency, each against a floor of the same run
  cargo xtask fuzz mapping --seconds 60   one parser, coverage guided
  cargo xtask wasm                        the rules of prices in WebAssembly, against the oracle";

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Every check and chore of the project")]
#[command(after_help = EXAMPLES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Test(test::Args),
    Tidy(tidy::Args),
    Services(services::Args),
    Schema(schema::Args),
    Torture(programs::Torture),
    Simulate(programs::Simulate),
    Bench(programs::Bench),
    Fuzz(fuzz::Args),
    Wasm(wasm::Args),
}

fn main() -> ExitCode {
    let root = process::root();
    let result = match Cli::parse().command {
        Command::Test(args) => test::run(&root, &args),
        Command::Tidy(args) => tidy::run(&root, &args),
        Command::Services(args) => services::run(&root, &args),
        Command::Schema(args) => schema::run(&root, &args),
        Command::Torture(args) => programs::torture(&root, &args),
        Command::Simulate(args) => programs::simulate(&root, &args),
        Command::Bench(args) => programs::bench(&root, &args),
        Command::Fuzz(args) => fuzz::run(&root, &args),
        Command::Wasm(args) => wasm::run(&root, &args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_of_the_help_is_understood() {
        let examples = super::EXAMPLES.lines().filter_map(|line| line.trim().strip_prefix("cargo xtask "));
        let mut seen = 0;
        for example in examples {
            let words = example.split("   ").next().unwrap().split_whitespace();
            let parsed = Cli::try_parse_from(std::iter::once("xtask").chain(words));
            assert!(parsed.is_ok(), "{example}: {}", parsed.err().unwrap());
            seen += 1;
        }
        assert_eq!(seen, 10);
    }
}
