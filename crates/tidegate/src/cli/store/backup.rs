//! `tidegate store backup`: `tidegate backup` with its progress, for whoever looks for it here.

use crate::cli::operate::client::{Client, Progress};
use crate::cli::operate::page::{self, Page, number, text};
use crate::cli::operate::progress::Teller;
use crate::cli::operate::who;
use crate::cli::{Common, Failure, configuration};
use crate::wiring;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  tidegate store backup --to /backup/tidegate-2026-11-24.db

The hub may run meanwhile, and keeps working. The copy is opened and checked before it gets its name; only its owner can
read it. The master key is not in it, and it is of no use without: keep a copy of the key, in another place. A store in
PostgreSQL is backed up by its own means (docs/backup.md).";

/// Copies the embedded store, whole and checked, while the hub runs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Must not be there yet
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "a backup")]
    why: String,
}

/// How often the copy is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub async fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let loaded = configuration(common)?;
    if loaded.config.postgres.is_some() {
        return Err(Failure::Usage(
            "the store is in PostgreSQL: back it up as any other, with a base backup and its WAL, and keep the master key \
             elsewhere (docs/backup.md#postgresql)"
                .to_owned(),
        ));
    }
    let total = wiring::open::database(&loaded.config).map_or(0, |database| bytes(&database));
    // The hub has a folder of its own to be relative to.
    let file = std::path::absolute(&args.to)?;
    let asked = json!({ "file": file, "who": who(), "why": args.why });
    let client = Client::open(common, false).await?;
    let mut teller = Teller::new("bytes copied", 0);
    let answer = {
        let mut nothing = |_: Progress| ();
        let mut copying = std::pin::pin!(client.stream("/backup", &asked, &mut nothing));
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                answer = &mut copying => break answer,
                _ = look.tick() => {
                    let done = bytes(&partial(&file));
                    if done > 0 {
                        teller.tell(Progress { done, total: total.max(done), rate_per_s: 0 });
                    }
                }
            }
        }
    };
    teller.done();
    let answer = answer?;
    if common.json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(format!("{}: {} bytes, opened and checked", text(&answer["file"]), number(&answer["bytes"])));
    page.line("The master key is not in it: keep a copy of that, in another place.");
    page.print();
    Ok(())
}

/// Where the copy lies until it was checked.
fn partial(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

fn bytes(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}
