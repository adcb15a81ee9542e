//! `tidegate sweep`: one full pass now, without waiting for the next one.

use super::Place;
use super::client::Client;
use super::page::{self, Page, list, many, number, text};
use super::progress::Teller;
use crate::cli::Failure;
use crate::wiring::sweeps;
use serde_json::{Value, json};
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  tidegate sweep
  tidegate sweep --shop acme";

/// Compares the shops with the log now, and takes what was missed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    place: Place,
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let mut asked = json!({});
    args.place.named(&mut asked);
    let mut teller = Teller::new("orders found", 0);
    let result = client.stream("/sweep", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    let swept = args.place.judged(client, result).await?;
    if json {
        page::json(&swept);
    } else {
        drawn(&swept, young(client, &swept)).print();
    }
    Ok(())
}

/// What a pass leaves to webhooks, the longest of all that were made.
fn young(client: &Client, swept: &Value) -> Duration {
    let flows = &client.config().flows;
    let passed = |name: &str| list(&swept["passes"]).iter().any(|pass| pass["flow"] == name);
    let passed = flows.iter().filter(|(name, _)| passed(name.as_str()));
    passed.map(|(_, flow)| sweeps::grace(flow)).max().unwrap_or_default()
}

fn drawn(swept: &Value, young: Duration) -> Page {
    let mut page = Page::new();
    let rows = list(&swept["passes"]).iter().map(|pass| {
        vec![text(&pass["flow"]), text(&pass["shop"]), text(&pass["listed"]), text(&pass["missed"])]
    });
    page.table(&["flow", "shop", "listed", "missed"], rows.collect());
    page.line(match number(&swept["missed"]) {
        0 => "nothing was missed".to_owned(),
        missed => format!("{} of which no webhook told; they are in the log now", many(missed, "change")),
    });
    if !young.is_zero() {
        page.line(format!("what changed in the last {} s was left to its webhook", young.as_secs()));
    }
    page
}
