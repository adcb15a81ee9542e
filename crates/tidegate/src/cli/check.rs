//! `tidegate check`: reads, judges and explains the configuration, without touching a network.

use super::{Common, Failure, say};
use crate::wiring;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  tidegate check                          what would flow, and all that is wrong
  tidegate check --without-secrets        in CI, where no secret is at hand
  tidegate check --json | jq .findings    {\"findings\": […], \"explanation\": {…}}

Exit codes: 0 it can run; 3 something is wrong.";

/// Reads, judges and explains the configuration, without touching a network
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Does not look whether secrets are there; `run` always does
    #[arg(long)]
    without_secrets: bool,
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = wiring::load(&common.config, &common.overrides, !args.without_secrets);
    let report = &loaded.report;
    let count = report.findings.len();
    if common.json {
        let answer = json!({ "findings": report.findings, "explanation": report.explanation });
        say::out(format_args!("{answer}\n"));
    } else if !loaded.config.flows.is_empty() {
        // A file that could not be read has nothing to explain.
        say::out(format_args!("{}\n", report.explanation));
    }
    if loaded.is_good() {
        if !common.json {
            say::out(format_args!("{} is well: it can run.\n", common.config.display()));
        }
        return Ok(());
    }
    say::note(config::render(&report.findings));
    say::note(format_args!("{count} to mend in {}.", common.config.display()));
    Err(Failure::Found)
}
