//! `tidegate prices hydrations`: what was brought into the shops' catalogs, and what somebody else had changed there.

use super::changes::csv;
use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, at, list, number, span, text};
use crate::cli::operate::query;
use crate::cli::say;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate prices hydrations
  tidegate prices hydrations --shop acme --limit 1000 --csv > hydrations.csv
  tidegate prices hydrations --json | jq '.hydrations[] | select(.against_shop and .drift > 0)'

\"by others\" is known only where all that the shop has was read (against_shop); the largest difference stands beside it.";

/// What was brought into the shops' catalogs: when, why, what it changed and cost, and what somebody else had changed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// One shop; without it, all
    #[arg(long)]
    shop: Option<String>,
    /// The newest of them
    #[arg(long, default_value_t = 30)]
    limit: usize,
    /// As CSV, with every figure
    #[arg(long)]
    csv: bool,
}

pub(super) async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let limit = args.limit.to_string();
    let asked = query(&[("shop", args.shop.as_deref()), ("limit", Some(limit.as_str()))]);
    let answer = client.get(&format!("/prices/hydrations?{asked}")).await?;
    let runs = list(&answer["hydrations"]);
    if json {
        page::json(&answer);
    } else if args.csv {
        let rows: Vec<Vec<String>> =
            runs.iter().map(|run| FIGURES.iter().map(|name| cell(run, name)).collect()).collect();
        say::out(csv(&FIGURES, &rows));
    } else {
        drawn(runs).print();
    }
    Ok(())
}

/// As the answer names them.
const FIGURES: [&str; 25] = [
    "began",
    "shop",
    "took_ms",
    "who",
    "why",
    "against_shop",
    "failed",
    "version",
    "lists",
    "prices",
    "new",
    "up",
    "down",
    "gone",
    "quantities",
    "calls",
    "lines",
    "operations",
    "points",
    "refused",
    "unsettled",
    "drift",
    "largest_drift",
    "at_the_cart",
    "lists_at_the_cart",
];

fn cell(run: &Value, name: &str) -> String {
    if run[name].is_null() { String::new() } else { text(&run[name]) }
}

fn drawn(runs: &[Value]) -> Page {
    let mut page = Page::new();
    if runs.is_empty() {
        page.line("no price list has been brought into a shop's catalogs yet: tidegate prices plan tells what would be");
        return page;
    }
    page.table(
        &[
            "at",
            "shop",
            "took",
            "new",
            "up",
            "down",
            "gone",
            "calls",
            "points",
            "by others",
            "at the cart",
            "who",
            "why",
        ],
        runs.iter().map(row).collect(),
    );
    page
}

fn row(run: &Value) -> Vec<String> {
    let drift = match (run["against_shop"] == true, run["largest_drift"].as_str()) {
        (_, Some(largest)) => format!("{} ({largest})", number(&run["drift"])),
        (true, None) => "0".to_owned(),
        (false, None) => String::new(),
    };
    let why = match run["failed"].as_str() {
        Some(failed) => format!("{}; FAILED: {failed}", text(&run["why"])),
        None => text(&run["why"]),
    };
    let calls = number(&run["calls"]) + number(&run["lines"]);
    let mut row = vec![at(&run["began"]), text(&run["shop"]), span(&run["took_ms"])];
    row.extend(["new", "up", "down", "gone"].map(|name| number(&run[name]).to_string()));
    row.extend([calls.to_string(), number(&run["points"]).to_string(), drift]);
    row.extend([number(&run["at_the_cart"]).to_string(), text(&run["who"]), why]);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_stands_in_a_line_and_one_that_failed_says_why() {
        let run = |against, largest: Value, failed: Value| {
            json!({
                "began": "2026-11-26T01:30:00Z", "shop": "acme", "took_ms": 14_900, "new": 1, "up": 2, "down": 3, "gone": 4,
                "calls": 5, "lines": 6, "points": 700, "drift": 8, "largest_drift": largest, "against_shop": against,
                "at_the_cart": 9, "who": "tidegate", "why": "its cadence", "failed": failed,
            })
        };
        let page = drawn(&[
            run(true, json!("SKU-0001 880 → 100"), Value::Null),
            run(false, Value::Null, json!("locked")),
        ]);
        let text = page.text();
        for told in ["8 (SKU-0001 880 → 100)", "FAILED: locked", " 11 ", "700"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(drawn(&[]).text().contains("tidegate prices plan"));
    }
}
