//! `tidegate store reopen`: lifts what keeps hubs off a store that was moved.

use crate::cli::operate::page::{self, Page};
use crate::cli::operate::who;
use crate::cli::{Common, Failure, configuration};
use crate::moving::blocking;
use crate::wiring;
use anyhow::Context as _;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  tidegate store reopen --why 'the move was called off before anything ran there'

What was done at the new place since is not in the former store. If a hub ran there, stop it, and treat the former store as
one that was restored: `tidegate restore` puts a backup of it in place with all the care that this takes.";

/// Lets a hub run again on a store that was moved, or whose move was given up
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The store; without it, the configured one
    #[arg(long, value_name = "sqlite:PATH", value_parser = super::copy::sqlite)]
    from: Option<PathBuf>,
    #[command(flatten)]
    why: crate::cli::operate::Why,
}

pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    let path = match &args.from {
        Some(path) => path.clone(),
        None => wiring::open::database(&loaded.config).context("the configuration has no [hub]")?,
    };
    let key = wiring::open::master_key(&loaded)?;
    let place = path.display().to_string();
    let by = store::operate::By {
        who: who(),
        why: args.why.why.clone(),
        at: kernel::clock::Clock::now(&wiring::clock::SystemClock::new()).wall,
    };
    let lifted =
        blocking(move || store_sqlite::reopen(&path, &key, &by)).await.map_err(anyhow::Error::from)?;
    let Some((note, ended)) = lifted else {
        return Err(Failure::NotFound(format!(
            "{place} is neither moved nor being moved: nothing keeps hubs off it"
        )));
    };
    if common.json {
        page::json(&json!({ "reopened": place, "was_moved_to": note.to, "at": note.at, "ended": ended }));
        return Ok(());
    }
    let mut page = Page::new();
    page.line(format!(
        "{place} is open to a hub again; it was {} to {}",
        if ended { "moved" } else { "on its way" },
        note.to
    ));
    if ended {
        page.line("Let no hub run there any more: two stores for one shop make every order twice.");
    }
    page.print();
    Ok(())
}
