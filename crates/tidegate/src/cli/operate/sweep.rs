//! `tidegate sweep`: one full pass now, without waiting for the next one.

use super::Place;
use super::client::Client;
use super::page::{self, Page, list, many, number, text};
use super::progress::Teller;
use crate::cli::Failure;
use serde_json::{Value, json};

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
        drawn(&swept).print();
    }
    Ok(())
}

fn drawn(swept: &Value) -> Page {
    let mut page = Page::new();
    let rows = list(&swept["passes"]).iter().map(|pass| {
        vec![text(&pass["flow"]), text(&pass["shop"]), text(&pass["listed"]), text(&pass["missed"])]
    });
    page.table(&["flow", "shop", "listed", "missed"], rows.collect());
    page.line(match number(&swept["missed"]) {
        0 => "nothing was missed".to_owned(),
        missed => format!("{} of which no webhook told; they are in the log now", many(missed, "change")),
    });
    let young = list(&swept["passes"]).iter().map(|pass| number(&pass["grace_ms"])).max().unwrap_or_default();
    if young > 0 {
        page.line(format!("what changed in the last {} was left to its webhook", engine::waits::span(young)));
    }
    page
}
