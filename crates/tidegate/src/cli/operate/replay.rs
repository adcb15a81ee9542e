//! `tidegate replay`: the newest state of one order goes through its flows once more.

use super::client::Client;
use super::orders::Named;
use super::page::{self, Page, many, number};
use super::{Why, who};
use crate::cli::Failure;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  tidegate replay '#1001' --why \"new mapping\"

Where the order is dead it is released. What the target has already ends as unchanged: nothing is doubled.";

/// Brings one order to its targets again
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    why: Why,
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let found = args.named.found(client).await?;
    let asked = json!({ "shop": found.shop, "order": found.order, "who": who(), "why": args.why.why });
    let answer = match client.post("/replay", &asked).await {
        Ok(answer) => answer,
        Err(failure) => return Err(args.named.told(client, failure).await),
    };
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(match number(&answer["released"]) {
        0 => format!("{}: its newest state goes through its flows once more", found.subject()),
        released => format!("{}: {} released", found.subject(), many(released, "dead letter")),
    });
    page.print();
    Ok(())
}
