//! `tidegate prices`: what is loaded, what waits for a person, which price counts and why, who changed it.

mod changes;
mod explain;
mod function;
mod held;
mod hydrate;
mod hydrations;
mod load;
mod sources;
mod status;
mod terms;

use super::client::Client;
use super::page::{Page, list, number, text};
use crate::cli::Failure;
use price_store::PriceForm;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate prices status
  tidegate prices terms terms.toml --dry-run
  tidegate prices load prices.csv --dry-run
  tidegate prices load acme.ndjson --mode lists --why \"contract of 2027\"
  tidegate prices sources
  tidegate prices pull erp --dry-run
  tidegate prices held
  tidegate prices approve 41 --why \"agreed with Ms Petersen, mail of 26 November\"
  tidegate prices explain PUMP-10 --quantity 12 --currency EUR --company-location gid://shopify/CompanyLocation/4711
  tidegate prices explain --variant 44392954490001 --currency EUR
  tidegate prices explain PUMP-10 --currency EUR --at 2026-03-01T12:00:00Z
  tidegate prices changes --sku PUMP-10
  tidegate prices verify
  tidegate prices plan
  tidegate prices plan --against-shop
  tidegate prices hydrate --why \"the lists of December\"
  tidegate prices hydrations
  tidegate prices function --company-location gid://shopify/CompanyLocation/4711 --zone Europe/Berlin

The rules by which a price is found are in docs/pricing.md, files and interfaces in docs/prices.md.";

/// Prices: loaded, explained, and who changed which
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    Status(status::Args),
    Terms(terms::Args),
    Load(load::Args),
    Sources(sources::Sources),
    Pull(sources::Pull),
    Held(held::Held),
    Approve(held::Approve),
    Reject(held::Reject),
    Explain(explain::Args),
    Function(function::Args),
    Changes(changes::Args),
    Journal(changes::Journal),
    Verify(status::Verify),
    Plan(hydrate::Plan),
    Hydrate(hydrate::Hydrate),
    Hydrations(hydrations::Args),
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    match &args.which {
        Which::Status(_) => status::run(client, json).await,
        Which::Terms(args) => terms::run(client, args, json).await,
        Which::Load(args) => load::run(client, args, json).await,
        Which::Sources(_) => sources::sources(client, json).await,
        Which::Pull(args) => sources::pull(client, args, json).await,
        Which::Held(_) => held::list(client, json).await,
        Which::Approve(args) => held::approve(client, args, json).await,
        Which::Reject(args) => held::reject(client, args, json).await,
        Which::Explain(args) => explain::run(client, args, json).await,
        Which::Function(args) => function::run(client, args, json).await,
        Which::Changes(args) => changes::run(client, args, json).await,
        Which::Journal(args) => changes::journal(client, args, json).await,
        Which::Verify(_) => status::verify(client, json).await,
        Which::Plan(args) => hydrate::plan(client, args, json).await,
        Which::Hydrate(args) => hydrate::hydrate(client, args, json).await,
        Which::Hydrations(args) => hydrations::run(client, args, json).await,
    }
}

/// What a load changes.
fn difference(page: &mut Page, difference: &Value) {
    let counts = |of: &Value| -> Vec<String> {
        ["up", "down", "new", "gone", "other", "same"]
            .iter()
            .map(|name| number(&of[*name]).to_string())
            .collect()
    };
    let mut rows: Vec<Vec<String>> = list(&difference["lists"])
        .iter()
        .map(|of_list| {
            let name = text(&of_list["list"]);
            let name = if of_list["in_terms"] == false { format!("{name} (not in the terms)") } else { name };
            [vec![name], counts(of_list)].concat()
        })
        .collect();
    if rows.len() > 1 {
        rows.push([vec!["all".to_owned()], counts(&difference["total"])].concat());
    }
    page.table(&["list", "up", "down", "new", "gone", "other", "same"], rows);
    for (what, name) in [("falls most", "largest_falls"), ("rises most", "largest_rises")] {
        let rows = list(&difference[name]).iter().map(|change| {
            vec![
                text(&change["list"]),
                text(&change["sku"]),
                price(&change["before"]),
                price(&change["after"]),
                format!("{} %", text(&change["percent"])),
            ]
        });
        page.table(&[what, "sku", "before", "after", "by"], rows.collect());
    }
}

/// A price in a few words; nothing where there is none.
fn price(price: &Value) -> String {
    serde_json::from_value::<PriceForm>(price.clone()).map_or_else(|_| text(price), |price| price.to_string())
}
