//! `tidegate backup FILE`: a whole, verified copy of the store, also while the hub runs.

use super::client::Client;
use super::page::{self, Page, number, text};
use super::progress::Teller;
use super::who;
use crate::cli::Failure;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  tidegate backup /backup/tidegate-2026-11-24.db

The hub may run meanwhile. The copy is opened and checked before it gets its name. It is of no use without the master
key: keep a copy of that, in another place.";

/// Copies the store, whole and checked
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Must not be there yet
    file: PathBuf,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "a backup")]
    why: String,
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    // The hub has a folder of its own to be relative to.
    let file = std::path::absolute(&args.file)?;
    let asked = json!({ "file": file, "who": who(), "why": args.why });
    let mut teller = Teller::new("backup", 0);
    let result = client.stream("/backup", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    let answer = result?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(format!("{}: {} bytes, opened and checked", text(&answer["file"]), number(&answer["bytes"])));
    page.print();
    Ok(())
}
