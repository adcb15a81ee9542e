//! `tidegate cadence`: the work that no event drives.

use super::client::Client;
use super::page::{self, Page, at, list, text};
use crate::cli::Failure;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  tidegate cadence
  tidegate cadence --json | jq '.cadences[] | select(.due)'";

/// What runs at a cadence: when next, when last, and what it found
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// One flow; without it, all
    #[arg(long)]
    flow: Option<String>,
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let mut answer = client.get("/cadence").await?;
    if let (Some(flow), Some(all)) = (&args.flow, answer["cadences"].as_array_mut()) {
        let mut known: Vec<String> = all.iter().map(|line| text(&line["flow"])).collect();
        known.dedup();
        all.retain(|line| line["flow"] == flow.as_str());
        if all.is_empty() {
            let what = format!(
                "nothing of flow {flow} runs at a cadence; of these something does: {}",
                known.join(", ")
            );
            return Err(Failure::NotFound(what));
        }
    }
    if json {
        page::json(&answer);
    } else {
        drawn(list(&answer["cadences"])).print();
    }
    Ok(())
}

fn drawn(cadences: &[Value]) -> Page {
    let mut page = Page::new();
    if cadences.is_empty() {
        page.line("nothing runs at a cadence: no flow has a sweep or a full_check");
        return page;
    }
    let next = |line: &Value| match (&line["next"], line["due"] == true) {
        (Value::Null, _) => "not known yet".to_owned(),
        (_, true) => "now".to_owned(),
        (next, false) => at(next),
    };
    let rows = cadences.iter().map(|line| {
        let work = if line["work"] == "full_check" { "full check" } else { "sweep" };
        let last = if line["last"].is_null() { "never".to_owned() } else { at(&line["last"]) };
        let found = text(&line["found"]["what"]);
        vec![
            text(&line["flow"]),
            text(&line["shop"]),
            work.to_owned(),
            text(&line["cadence"]),
            next(line),
            last,
            found,
        ]
    });
    page.table(&["flow", "shop", "work", "cadence", "next", "last", "found"], rows.collect());
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_due_says_so() {
        let line = |work: &str, next: Value, due: bool| {
            json!({
                "flow": "stock_to_shopify", "shop": "acme", "work": work, "cadence": "30 2 * * * Europe/Berlin",
                "last": null, "next": next, "due": due, "found": { "what": "4040 pairs against 4040; no difference" },
            })
        };
        let page = drawn(&[
            line("full_check", json!("2026-11-27T01:30:00Z"), true),
            line("sweep", Value::Null, false),
        ]);
        let text = page.text();
        for told in
            ["full check", "now", "not known yet", "never", "no difference", "30 2 * * * Europe/Berlin"]
        {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(drawn(&[]).text().contains("nothing runs at a cadence"));
    }
}
