//! The command line: what can be asked, how it is answered, and with which exit code. Each command has a file with its
//! arguments, its help and its work; what they share is here and in [`exit`].

mod check;
mod completion;
mod config;
mod doctor;
mod exit;
mod init;
mod keys;
mod mapping;
mod operate;
#[cfg(test)]
mod reference;
mod report;
mod restore;
mod say;
mod shopify;
mod stock;
mod store;
mod twin;

use crate::wiring::{self, Loaded};
use clap::{Parser, Subcommand};
pub use exit::Failure;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  tidegate demo                                 the whole of it in a minute, with real failures, and the ledger
  tidegate init my-hub --shop acme.myshopify.com --erp http
  tidegate check                                what would flow, and all that is wrong, without a network
  tidegate run                                  the hub, until it is told to stop
  tidegate status                               what is late, why, and what happens next
  tidegate orders show '#1001'                  one order's whole life

Exit codes: 0 well; 1 it failed; 2 the command line is wrong; 3 something was found (check, doctor, prove);
4 there is no such thing; 5 the hub cannot be reached.";

#[derive(Debug, Parser)]
#[command(
    name = "tidegate",
    version,
    about = "The integration hub between Shopify and the systems behind it"
)]
#[command(after_help = EXAMPLES, max_term_width = 110, propagate_version = false)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The configuration
    #[arg(
        long,
        short,
        global = true,
        env = "TIDEGATE_CONFIG",
        hide_env_values = true,
        default_value = "tidegate.toml",
        value_name = "FILE"
    )]
    pub config: PathBuf,
    /// Sets one key over file and environment; may be given several times
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = override_of)]
    pub overrides: Vec<(String, String)>,
    /// One JSON object on standard output, nothing else there
    #[arg(long, global = true)]
    pub json: bool,
}

fn override_of(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE, as in hub.listen=127.0.0.1:8080")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Run(crate::run::Args),
    Demo(crate::demo::Args),
    Twin(twin::Args),
    Mapping(mapping::Args),
    Shopify(shopify::Args),
    Keys(keys::Args),
    Report(report::Args),
    Completion(completion::Args),
    Stock(stock::Args),
    Store(store::Args),
    Restore(restore::Args),
    #[command(flatten)]
    Operate(operate::Command),
    #[command(hide = true)]
    Bench(crate::bench::Args),
    #[command(hide = true)]
    Torture(crate::torture::Args),
    #[command(hide = true)]
    ProveMedusa(crate::medusa_proof::Args),
    #[command(hide = true)]
    ProveTryton(crate::tryton_proof::Args),
}

/// Runs one command. What it says about a failure is one text on standard error.
pub fn dispatch(cli: Cli) -> ExitCode {
    let Cli { common, command } = cli;
    let result = match command {
        Command::Init(args) => init::run(&common, &args),
        Command::Check(args) => check::run(&common, &args),
        Command::Doctor(args) => doctor::run(&common, &args),
        Command::Config(args) => config::run(&common, &args),
        Command::Mapping(args) => mapping::run(&common, &args),
        Command::Shopify(args) => shopify::run(&common, &args),
        Command::Keys(args) => keys::run(&common, &args),
        Command::Report(args) => report::run(&common, &args),
        Command::Completion(args) => completion::run(&args),
        Command::Stock(args) => stock::run(&common, &args),
        Command::Store(args) => store::run(&common, &args),
        Command::Restore(args) => restore::run(&common, &args),
        Command::Run(args) => crate::run::run(&common, &args),
        Command::Demo(args) => crate::demo::run(&common, &args),
        Command::Twin(args) => twin::run(&args),
        Command::Operate(command) => operate::run(&common, &command),
        Command::Bench(args) => crate::bench::run(&common, &args),
        Command::Torture(args) => crate::torture::run(&common, &args),
        Command::ProveMedusa(args) => crate::medusa_proof::run(&common, &args),
        Command::ProveTryton(args) => crate::tryton_proof::run(&common, &args),
    };
    exit::told(result)
}

/// A configuration that is right; else all that is wrong with it is said, and nothing is done.
fn configuration(common: &Common) -> Result<Loaded, Failure> {
    let loaded = wiring::load(&common.config, &common.overrides, true);
    if loaded.is_good() {
        return Ok(loaded);
    }
    let findings = &loaded.report.findings;
    say::note(::config::render(findings));
    say::note(format_args!("Nothing was done: {} to mend in {}.", findings.len(), common.config.display()));
    if common.json {
        say::out(format_args!("{}\n", json!({ "findings": findings })));
    }
    Err(Failure::Found)
}

/// The runtime of a command.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::from(anyhow::anyhow!("the runtime cannot be started: {error}")))?;
    runtime.block_on(work)
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::{CommandFactory as _, Parser as _};

    const PAGES: [(&str, &str); 5] = [
        ("README.md", include_str!("../../../../README.md")),
        ("docs/operator.md", include_str!("../../../../docs/operator.md")),
        ("docs/backup.md", include_str!("../../../../docs/backup.md")),
        ("docs/mapping.md", include_str!("../../../../docs/mapping.md")),
        ("docs/shopify.md", include_str!("../../../../docs/shopify.md")),
    ];

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// What stands in a block of code as a command is one.
    #[test]
    fn every_command_of_the_pages_is_understood() {
        let mut seen = 0;
        for (page, text) in PAGES {
            let mut in_code = false;
            for line in text.lines() {
                if line.trim_start().starts_with("```") {
                    in_code = !in_code;
                }
                let Some(command) = line.trim_start().strip_prefix("tidegate ").filter(|_| in_code) else {
                    continue;
                };
                let words = words(command);
                let parsed = Cli::try_parse_from(std::iter::once("tidegate".to_owned()).chain(words));
                assert!(parsed.is_ok(), "{page}: tidegate {command}\n{}", parsed.err().unwrap());
                seen += 1;
            }
        }
        assert!(seen >= 20, "{seen}");
    }

    /// As a shell splits: quotes hold together, a comment, a pipe and a redirection end it.
    fn words(command: &str) -> Vec<String> {
        let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
        for c in command.chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '#' | '|' | '<' | '>' | ';' | '&') if word.is_empty() => break,
                (None, ' ') if !word.is_empty() => words.push(std::mem::take(&mut word)),
                (None, ' ') => {}
                (_, c) => word.push(c),
            }
        }
        if !word.is_empty() {
            words.push(word);
        }
        words
    }
}
