//! `tidegate systems`: what orders go to and come from, how each runs, and holding one back.

use super::Why;
use super::client::Client;
use super::page::{self, Page, at, list, number, span, text};
use super::pauses::{self, Hold};
use crate::cli::Failure;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate systems list
  tidegate systems pause erp --why \"their upgrade\" --for 2h
  tidegate systems resume erp --why \"the upgrade is done\"";

/// Systems: how each runs, and holding one back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Each system, its breaker, and what waits for it
    List,
    /// Sends a system nothing; what is for it waits
    Pause {
        /// As in the configuration
        name: String,
        #[command(flatten)]
        hold: Hold,
    },
    /// Lets a system go on
    Resume {
        /// As in the configuration
        name: String,
        #[command(flatten)]
        why: Why,
    },
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    match &args.which {
        Which::List => {
            let answer = client.get("/systems").await?;
            if json {
                page::json(&answer);
                return Ok(());
            }
            let mut page = Page::new();
            table(&mut page, list(&answer["systems"]), client.hub_runs());
            page.print();
            Ok(())
        }
        Which::Pause { name, hold } => pauses::pause(client, "system", name, hold, json).await,
        Which::Resume { name, why } => pauses::resume(client, "system", name, why, json).await,
    }
}

/// Also a part of the status.
pub fn table(page: &mut Page, systems: &[Value], hub_runs: bool) {
    let rows = systems.iter().map(|system| {
        vec![
            text(&system["name"]),
            how(system, hub_runs),
            number(&system["waiting"]).to_string(),
            number(&system["due"]).to_string(),
            number(&system["unknown"]).to_string(),
            number(&system["dead"]).to_string(),
            span(&system["oldest_ms"]),
            at(&system["next_due_at"]),
        ]
    });
    let heads = ["system", "runs", "waiting", "due", "unknown", "dead", "oldest", "next due (UTC)"];
    page.table(&heads, rows.collect());
}

fn how(system: &Value, hub_runs: bool) -> String {
    let running = &system["running"];
    if running.is_null() {
        return if hub_runs { "not looked at yet" } else { "no hub runs" }.to_owned();
    }
    let mut said = Vec::new();
    if running["paused"] == true {
        said.push("paused".to_owned());
    }
    if system["stalled"] == true {
        said.push("stands still".to_owned());
    }
    if running["credentials_refused"] == true {
        said.push("refuses the credentials".to_owned());
    }
    match running["breaker"].as_str() {
        Some("open") => {
            said.push(format!("breaker open, asked again in {}", span(&running["breaker_opens_in_ms"])))
        }
        Some("probing") => said.push("breaker probing".to_owned()),
        _ => {}
    }
    if !running["throttled_for_ms"].is_null() {
        said.push(format!("throttled for {}", span(&running["throttled_for_ms"])));
    }
    if !running["trouble"].is_null() {
        said.push(text(&running["trouble"]));
    }
    if said.is_empty() { "well".to_owned() } else { said.join("; ") }
}
