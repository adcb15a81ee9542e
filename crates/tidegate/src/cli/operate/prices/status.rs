//! `tidegate prices status` and `verify`.

use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, at, list, number, text};
use serde_json::{Value, json};

/// Which version counts, its lists, and what waits
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Holds all that is kept against the chain of the journal; 3 where a byte was changed
#[derive(Debug, clap::Args)]
pub(super) struct Verify {}

pub(super) async fn run(client: &Client, json: bool) -> Result<(), Failure> {
    let answer = client.get("/prices").await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let stats = &answer["stats"];
    let mut page = Page::new();
    page.line(format!(
        "version {} since {}: {} prices of {} SKUs in {} lists, {} of memory",
        text(&answer["version"]),
        at(&answer["from"]),
        number(&stats["prices"]),
        number(&stats["skus"]),
        number(&stats["lists"]),
        megabytes(&stats["resident_bytes"])
    ));
    match answer["terms_sha256"].as_str() {
        None => page.line("no terms were loaded yet, so nobody sees a price: tidegate prices terms FILE"),
        Some(_) => page.line(format!(
            "terms: {} company locations, {} promotions, {} surcharges",
            number(&answer["locations"]),
            number(&answer["promotions"]),
            number(&answer["surcharges"])
        )),
    }
    let held = number(&answer["held"]);
    if held > 0 {
        page.line(format!("{held} loads wait for a person: tidegate prices held"));
    }
    live(&mut page, &answer["live"]);
    nodes(&mut page, &answer);
    for finding in list(&answer["damage"]) {
        page.line(format!("damaged: {}", text(finding)));
    }
    let damaged = list(&answer["damaged_lists"]);
    if !damaged.is_empty() {
        let names: Vec<String> = damaged.iter().map(text).collect();
        page.line(format!("these lists answer nothing until they are loaded anew: {}", names.join(", ")));
    }
    page.blank();
    let rows = list(&answer["lists"]).iter().map(|of| {
        let audience: Vec<String> = list(&of["for"]).iter().map(text).collect();
        let state = match (of["kind"].is_null(), of["approved"] == true) {
            (true, _) => "not in the terms",
            (_, true) => "approved",
            _ => "draft",
        };
        vec![
            text(&of["list"]),
            text(&of["kind"]),
            text(&of["currency"]),
            number(&of["prices"]).to_string(),
            audience.join(", "),
            text(&of["base"]),
            state.to_owned(),
        ]
    });
    page.table(&["list", "kind", "currency", "prices", "for", "base", "state"], rows.collect());
    page.print();
    Ok(())
}

fn live(page: &mut Page, live: &Value) {
    if live.is_null() {
        return;
    }
    let of = |name: &str| number(&live[name]);
    page.line(format!(
        "{}{}: {} lines told, {} by what it said a while ago, {} fell back; {} questions, {} failed",
        text(&live["system"]),
        if live["left_alone"] == true { " is left alone for a moment" } else { "" },
        of("told"),
        of("stale"),
        of("fallback"),
        of("questions"),
        of("failures")
    ));
}

/// All nodes that share the prices, where there are several.
fn nodes(page: &mut Page, answer: &Value) {
    for node in list(&answer["nodes"]) {
        let behind = match number(&node["behind"]) {
            0 => "has all changes".to_owned(),
            behind => format!("has {behind} changes not yet"),
        };
        page.line(format!(
            "node {}: version {}, {behind}, said at {}",
            text(&node["node"]),
            text(&node["version"]),
            at(&node["at"])
        ));
    }
}

fn megabytes(bytes: &Value) -> String {
    let tenths = number(bytes) / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

pub(super) async fn verify(client: &Client, json: bool) -> Result<(), Failure> {
    let answer = client.post("/prices/verify", &json!({})).await?;
    let findings = list(&answer["findings"]);
    if json {
        page::json(&answer);
    } else {
        let mut page = Page::new();
        page.line(format!(
            "{} entries of the journal and {} files were read; the last entry is {}",
            number(&answer["entries"]),
            number(&answer["files"]),
            text(&answer["head_sha256"])
        ));
        for finding in findings {
            page.line(format!("changed: {}", text(finding)));
        }
        if findings.is_empty() {
            page.line("all of it is what was written");
        }
        page.print();
    }
    if findings.is_empty() { Ok(()) } else { Err(Failure::Found) }
}
