//! `tidegate prices function`: what a Shopify Function carries of a company location's prices.

use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, list, number, text};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The metafield by which a Shopify Function prices the carts of a company location; 3 where something does not fit
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// As the terms spell it
    #[arg(long, value_name = "ID")]
    company_location: String,
    /// Of these SKUs, as many as fit, in this order; all that its lists have, unless said
    #[arg(long = "sku", value_name = "SKU")]
    skus: Vec<String>,
    /// A file with more of them, one in a line
    #[arg(long, value_name = "FILE")]
    skus_from: Option<PathBuf>,
    /// The shop's time zone; that of the terms, unless said
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
}

pub(super) async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let mut skus = args.skus.clone();
    if let Some(file) = &args.skus_from {
        let lines = std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", file.display())))?;
        skus.extend(lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let are_named = args.skus_from.is_some() || !skus.is_empty();
    let asked = json!({
        "company_location": args.company_location,
        "skus": are_named.then_some(skus),
        "zone": args.zone,
    });
    let answer = client.post("/prices/function", &asked).await?;
    if json {
        page::json(&answer);
    } else {
        drawn(&answer).print();
    }
    if list(&answer["left_out"]).is_empty() { Ok(()) } else { Err(Failure::Found) }
}

fn drawn(answer: &Value) -> Page {
    let mut page = Page::new();
    let metafield = &answer["metafield"];
    page.line(format!(
        "the metafield {}.{} of {}, by version {}: {} SKUs, {} of {} bytes",
        text(&metafield["namespace"]),
        text(&metafield["key"]),
        text(&metafield["ownerId"]),
        text(&answer["version"]),
        number(&answer["skus"]),
        number(&answer["bytes"]),
        number(&answer["bytes_max"])
    ));
    page.line(match answer["last_day"].as_str() {
        Some(day) => format!(
            "it counts up to {day}, with that day; write it anew by then, and when one of its prices changes"
        ),
        None => "it counts until one of its prices changes".to_owned(),
    });
    let names = |of: &Value| list(of).iter().map(text).collect::<Vec<_>>().join(", ");
    if !list(&answer["left_out"]).is_empty() {
        let more = if answer["left_out_more"] == true { ", and more" } else { "" };
        page.line(format!("does not fit, and stays as Shopify has it: {}{more}", names(&answer["left_out"])));
    }
    if !list(&answer["without_price"]).is_empty() {
        page.line(format!("without a price here: {}", names(&answer["without_price"])));
    }
    page.blank();
    page.line(text(&metafield["value"]));
    page
}
