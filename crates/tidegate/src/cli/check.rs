//! `tidegate check`: reads, judges and explains the configuration, without touching a network.

use super::{Common, Failure, say};
use crate::wiring;
use anyhow::Context as _;
use check::Width;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  tidegate check                          what would flow, and all that is wrong
  tidegate check --without-secrets        in CI, where no secret is at hand
  tidegate check --diagram svg --output flow-of-truth.svg    systems, owners and flows as a picture
  tidegate check --diagram mermaid        the same for a page that draws Mermaid by itself
  tidegate check --json | jq .findings    {\"findings\": […], \"explanation\": {…}}

Exit codes: 0 it can run; 3 something is wrong.";

/// Reads, judges and explains the configuration, without touching a network
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Does not look whether secrets are there; `run` always does
    #[arg(long)]
    without_secrets: bool,
    /// The flow of truth as a picture, on standard output, even where something is wrong with it
    #[arg(long, value_name = "AS", conflicts_with = "json")]
    diagram: Option<Diagram>,
    /// Where the picture goes instead
    #[arg(long, value_name = "FILE", requires = "diagram")]
    output: Option<PathBuf>,
}

/// What a picture is drawn as.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Diagram {
    /// For a page; light and dark, needs nothing beside it
    Svg,
    /// The same for a phone's width
    SvgNarrow,
    /// Text that GitHub and many wikis draw
    Mermaid,
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = wiring::load(&common.config, &common.overrides, !args.without_secrets);
    let report = &loaded.report;
    let count = report.findings.len();
    if common.json {
        let answer = json!({ "findings": report.findings, "explanation": report.explanation });
        say::out(format_args!("{answer}\n"));
    } else if let Some(diagram) = args.diagram {
        picture(&report.explanation, diagram, args)?;
    } else if !loaded.config.flows.is_empty() {
        // A file that could not be read has nothing to explain.
        say::out(format_args!("{}\n", report.explanation));
    }
    if loaded.is_good() {
        if !common.json && args.diagram.is_none() {
            say::out(format_args!("{} is well: it can run.\n", common.config.display()));
        }
        return Ok(());
    }
    say::note(config::render(&report.findings));
    say::note(format_args!("{count} to mend in {}.", common.config.display()));
    Err(Failure::Found)
}

fn picture(truth: &check::Explanation, diagram: Diagram, args: &Args) -> Result<(), Failure> {
    let drawn = match diagram {
        Diagram::Svg => truth.to_svg(Width::Wide),
        Diagram::SvgNarrow => truth.to_svg(Width::Narrow),
        Diagram::Mermaid => truth.to_mermaid(),
    };
    let Some(file) = &args.output else {
        say::out(drawn);
        return Ok(());
    };
    std::fs::write(file, drawn).with_context(|| format!("{} cannot be written", file.display()))?;
    say::note(format_args!("The flow of truth is drawn in {}.", file.display()));
    Ok(())
}
