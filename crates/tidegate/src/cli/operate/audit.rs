//! `tidegate audit`: who did what to what and why.

use super::client::Client;
use super::page::{self, Page, at, list, text};
use crate::cli::Failure;

/// Who did what, when and why; newest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// So many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let answer = client.get(&format!("/audit?limit={}", args.limit)).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    let rows: Vec<Vec<String>> = list(&answer["entries"])
        .iter()
        .map(|entry| {
            let of = |name: &str| text(&entry[name]);
            vec![at(&entry["at"]), of("who"), of("action"), of("target"), of("count"), of("why")]
        })
        .collect();
    if rows.is_empty() {
        page.line("nobody has done anything by hand yet");
    }
    page.table(&["at (UTC)", "who", "action", "to what", "count", "why"], rows);
    page.print();
    Ok(())
}
