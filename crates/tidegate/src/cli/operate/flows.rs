//! `tidegate flows`: what goes from where to where, and holding one back.

use super::Why;
use super::client::Client;
use super::page::{self, Page, at, list, text};
use super::pauses::{self, Hold};
use crate::cli::Failure;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate flows list
  tidegate flows pause orders_to_erp --why \"new price list\" --for 15m
  tidegate flows resume orders_to_erp --why \"prices are in\"";

/// Flows: each as it is configured, and holding one back
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    /// Each flow, with the pauses that hold it
    List,
    /// Sends nothing for a flow; what is for it waits
    Pause {
        /// As in the configuration
        name: String,
        #[command(flatten)]
        hold: Hold,
    },
    /// Lets a flow go on
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
            let answer = client.get("/flows").await?;
            if json {
                page::json(&answer);
            } else {
                drawn(list(&answer["flows"])).print();
            }
            Ok(())
        }
        Which::Pause { name, hold } => pauses::pause(client, "flow", name, hold, json).await,
        Which::Resume { name, why } => pauses::resume(client, "flow", name, why, json).await,
    }
}

fn drawn(flows: &[Value]) -> Page {
    let mut page = Page::new();
    let rows = flows.iter().map(|flow| {
        let shops: Vec<String> = list(&flow["shops"]).iter().map(text).collect();
        let pauses: Vec<String> = list(&flow["pauses"]).iter().map(paused).collect();
        vec![
            text(&flow["name"]),
            text(&flow["domain"]),
            format!("{} → {}", text(&flow["source"]), text(&flow["target"])),
            text(&flow["mode"]),
            shops.join(", "),
            pauses.join("; "),
        ]
    });
    page.table(&["flow", "domain", "way", "mode", "shops", "paused"], rows.collect());
    page
}

fn paused(pause: &Value) -> String {
    let until = if pause["until"].is_null() {
        "until it is resumed".to_owned()
    } else {
        format!("until {} UTC", at(&pause["until"]))
    };
    let name = format!("{} {}", text(&pause["scope"]), text(&pause["name"]));
    format!("{name} {until}, by {}: {}", text(&pause["who"]), text(&pause["why"]))
}
