//! `tidegate cadence`: the work that no event drives.

use super::client::Client;
use super::page::{self, Page, at, list, text};
use crate::cli::Failure;
use serde_json::Value;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  tidegate cadence
  tidegate cadence --json | jq '.cadences[] | select(.due)'";

/// What runs at a cadence: when next, when last, how long it took, what was missed, who holds it, and what it found
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
        let flows = all.iter().filter_map(|line| line["flow"].as_str());
        let known: std::collections::BTreeSet<String> = flows.map(str::to_owned).collect();
        all.retain(|line| line["flow"] == flow.as_str());
        if all.is_empty() {
            let what = format!(
                "nothing of flow {flow} runs at a cadence; of these something does: {}",
                known.into_iter().collect::<Vec<_>>().join(", ")
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
        page.line(
            "nothing runs at a cadence: no flow has a sweep or a full_check, and nothing else has a cadence",
        );
        return page;
    }
    let next = |line: &Value| match (&line["next"], line["due"] == true) {
        (Value::Null, _) if line["cadence"] == "on demand" => "on demand".to_owned(),
        (Value::Null, _) => "not known yet".to_owned(),
        (_, true) => "now".to_owned(),
        (next, false) => at(next),
    };
    let rows = cadences.iter().map(|line| {
        let last = if line["last"].is_null() { "never".to_owned() } else { at(&line["last"]) };
        vec![
            text(&line["work"]).replace('_', " "),
            [&line["flow"], &line["source"]]
                .into_iter()
                .find(|of| of.is_string())
                .map_or_else(String::new, text),
            if line["shop"].is_null() { String::new() } else { text(&line["shop"]) },
            cadence(line),
            next(line),
            last,
            took(&line["ran"]),
            missed(line),
            text(&line["held_by"]["node"]),
            found(line),
        ]
    });
    let heads = ["work", "of", "shop", "cadence", "next", "last", "took", "missed", "held by", "found"];
    page.table(&heads, rows.collect());
    page
}

/// As it is written, and by up to how much each is put off.
fn cadence(line: &Value) -> String {
    match line["jitter_ms"].as_u64() {
        None | Some(0) => text(&line["cadence"]),
        Some(ms) => {
            let most = kernel::flow::duration_text(Duration::from_millis(ms));
            format!("{} + up to {most}", text(&line["cadence"]))
        }
    }
}

/// Times that went by, for which it is made up once.
fn missed(line: &Value) -> String {
    match line["missed"].as_u64() {
        None | Some(0) => String::new(),
        Some(1_000) => "1000 or more".to_owned(),
        Some(missed) => missed.to_string(),
    }
}

fn took(ran: &Value) -> String {
    let Some(took_ms) = ran["took_ms"].as_u64() else { return String::new() };
    if took_ms < 1_000 { format!("{took_ms} ms") } else { format!("{:.1} s", took_ms as f64 / 1_000.0) }
}

/// Of the run and of the audit's entry, what is newer.
fn found(line: &Value) -> String {
    let (ran, found) = (&line["ran"], &line["found"]);
    // Both are instants of one form.
    let by_hand = found["at"].as_str() > ran["began"].as_str();
    match (by_hand, ran["failed"] == true) {
        (true, _) => text(&found["what"]),
        (false, true) => format!("FAILED: {}", text(&ran["what"])),
        (false, false) if ran.is_object() => text(&ran["what"]),
        _ => String::new(),
    }
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
                "last": null, "next": next, "due": due, "missed": 3, "held_by": { "node": "node-b" },
                "found": { "at": "2026-11-26T01:30:00Z", "what": "4040 pairs against 4040; no difference" },
            })
        };
        let page = drawn(&[
            line("full_check", json!("2026-11-27T01:30:00Z"), true),
            line("sweep", Value::Null, false),
        ]);
        let text = page.text();
        for told in [
            "full check",
            "now",
            "missed",
            "  3  ",
            "node-b",
            "not known yet",
            "never",
            "no difference",
            "30 2 * * * Europe/Berlin",
        ] {
            assert!(text.contains(told), "{told}: {text}");
        }
        let pull = json!({
            "work": "price_pull", "flow": null, "shop": null, "source": "tryton", "cadence": "10m", "last": null,
            "jitter_ms": 90_000,
            "next": null, "due": false, "found": null,
            "ran": { "began": "2026-11-27T01:30:00Z", "took_ms": 1_250, "failed": true, "what": "it did not answer" },
        });
        let page = drawn(&[pull]);
        let text = page.text();
        for told in ["price pull", "tryton", "10m + up to 90s", "1.2 s", "FAILED: it did not answer"] {
            assert!(text.contains(told), "{told}: {text}");
        }
        assert!(drawn(&[]).text().contains("nothing runs at a cadence"));
    }
}
