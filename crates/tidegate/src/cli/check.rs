//! `tidegate check`: reads, judges and explains the configuration, without touching a network.

use super::{Common, Failure};
use crate::wiring;
use serde_json::json;
use std::io::Write as _;

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
    let mut out = std::io::stdout().lock();
    if common.json {
        writeln!(out, "{}", json!({ "findings": report.findings, "explanation": report.explanation }))?;
    } else {
        // A file that could not be read has nothing to explain.
        if !loaded.config.flows.is_empty() {
            write!(out, "{}", report.explanation)?;
        }
        eprint!("{}", config::render(&report.findings));
        let count = report.findings.len();
        match count {
            0 => writeln!(out, "\n{} is well: it can run.", common.config.display())?,
            _ => eprintln!("\n{count} to mend in {}.", common.config.display()),
        }
    }
    if loaded.is_good() { Ok(()) } else { Err(Failure::Found) }
}
