//! `tidegate report`: what the configuration means for somebody who does not run it.

use super::operate::page;
use super::{Common, Failure, say};
use crate::wiring;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  tidegate report personal-data                       for each flow: which fields, from where to where, by which line
  tidegate report personal-data --markdown > personal-data.md    for the record of processing activities
  tidegate report personal-data --json | jq '.flows[] | {flow, fields: [.moves[].field]}'

It is derived from the mappings as they are, and asks nobody. Without a valid configuration it says what could be read.

Exit codes: 0 said; 3 something is wrong in the configuration.";

/// What the configuration means for somebody who does not run it
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Which personal data each flow moves, and how long it is kept
    #[command(after_help = EXAMPLES)]
    PersonalData {
        /// As a page for the data protection officer
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let What::PersonalData { markdown } = args.what;
    let loaded = wiring::load(&common.config, &common.overrides, false);
    let told = &loaded.personal;
    if common.json {
        page::json(&json!(told));
    } else if markdown {
        say::out(told.to_markdown());
    } else {
        say::out(told);
    }
    if loaded.is_good() {
        return Ok(());
    }
    say::note(config::render(&loaded.report.findings));
    say::note(format_args!("{} to mend in {}.", loaded.report.findings.len(), common.config.display()));
    Err(Failure::Found)
}
