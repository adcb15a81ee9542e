//! `tidegate prices changes` and `journal`: who changed which price, when, from what to what.

use super::price;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, at, list, text};
use crate::cli::operate::query;
use crate::cli::{Failure, say};
use serde_json::Value;

/// Who changed which price, from what to what, by which load; newest first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One SKU, in any spelling
    #[arg(long)]
    sku: Option<String>,
    /// One list
    #[arg(long)]
    list: Option<String>,
    /// The lists that are for this company or its locations
    #[arg(long, conflicts_with = "list")]
    company: Option<String>,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    export: Export,
}

/// Loads, approvals and changes of the terms; newest first
#[derive(Debug, clap::Args)]
pub(super) struct Journal {
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    export: Export,
}

/// For other programs.
#[derive(Debug, clap::Args)]
struct Export {
    /// As CSV, for a spreadsheet
    #[arg(long)]
    csv: bool,
    /// As NDJSON: each with all that is known of it, in a line
    #[arg(long, conflicts_with = "csv")]
    ndjson: bool,
}

impl Export {
    /// False: nobody asked for it.
    fn is_done(&self, all: &[Value], heads: &[&str], rows: &[Vec<String>]) -> bool {
        if self.ndjson {
            say::out(all.iter().map(|one| format!("{one}\n")).collect::<String>());
        } else if self.csv {
            say::out(csv(heads, rows));
        }
        self.ndjson || self.csv
    }
}

#[derive(Debug, clap::Args)]
struct When {
    /// Who loaded or approved it
    #[arg(long)]
    by: Option<String>,
    /// One load
    #[arg(long)]
    load: Option<u64>,
    /// From this instant on
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// So many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Passes over so many of the newest
    #[arg(long, default_value_t = 0)]
    skip: u32,
}

impl When {
    fn query(&self, further: &[(&str, Option<&str>)]) -> String {
        let (load, limit, skip) =
            (self.load.map(|load| load.to_string()), self.limit.to_string(), self.skip.to_string());
        let mut parts = vec![
            ("by", self.by.as_deref()),
            ("load", load.as_deref()),
            ("from", self.from.as_deref()),
            ("until", self.until.as_deref()),
            ("limit", Some(limit.as_str())),
            ("skip", Some(skip.as_str())),
        ];
        parts.extend_from_slice(further);
        query(&parts)
    }
}

const HEADS: [&str; 9] =
    ["at (UTC)", "list", "sku", "before", "after", "load", "source", "by", "approved because"];

pub(super) async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let asked = args.when.query(&[
        ("sku", args.sku.as_deref()),
        ("list", args.list.as_deref()),
        ("company", args.company.as_deref()),
    ]);
    let answer = client.get(&format!("/prices/changes?{asked}")).await?;
    let rows: Vec<Vec<String>> = list(&answer["changes"]).iter().map(row).collect();
    if json {
        page::json(&answer);
    } else if !args.export.is_done(list(&answer["changes"]), &HEADS, &rows) {
        let mut page = Page::new();
        if rows.is_empty() {
            page.line("no change of a price is like that");
        }
        page.table(&HEADS, rows);
        page.print();
    }
    Ok(())
}

fn row(change: &Value) -> Vec<String> {
    vec![
        at(&change["at"]),
        text(&change["list"]),
        text(&change["sku"]),
        price(&change["before"]),
        price(&change["after"]),
        text(&change["load"]),
        text(&change["source"]),
        text(&change["by"]),
        text(&change["approved_because"]),
    ]
}

/// RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
pub(super) fn csv(heads: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |text: &str| {
        let is_formula = text.starts_with(['=', '+', '-', '@', '\t']) && text.parse::<f64>().is_err();
        let text = if is_formula { format!("'{text}") } else { text.to_owned() };
        if text.contains(['"', ',', '\n', '\r']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    let line = |cells: Vec<String>| format!("{}\r\n", cells.join(","));
    let heads = line(heads.iter().map(|head| (*head).to_owned()).collect());
    let lines = rows.iter().map(|row| line(row.iter().map(|text| cell(text)).collect()));
    heads + &lines.collect::<String>()
}

pub(super) async fn journal(client: &Client, args: &Journal, json: bool) -> Result<(), Failure> {
    let answer = client.get(&format!("/prices/journal?{}", args.when.query(&[]))).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = list(&answer["entries"])
        .iter()
        .map(|entry| {
            vec![
                at(&entry["at"]),
                text(&entry["number"]),
                text(&entry["what"]),
                text(&entry["load"]),
                text(&entry["version"]),
                text(&entry["by"]),
                text(&entry["source"]),
                about(entry),
            ]
        })
        .collect();
    let heads = ["at (UTC)", "entry", "what", "load", "version", "by", "source", "about"];
    if !args.export.is_done(list(&answer["entries"]), &heads, &rows) {
        let mut page = Page::new();
        if rows.is_empty() {
            page.line("nothing has happened to prices yet");
        }
        page.table(&heads, rows);
        page.print();
    }
    Ok(())
}

fn about(entry: &Value) -> String {
    let counts = &entry["counts"];
    match entry["what"].as_str().unwrap_or_default() {
        "loaded" => {
            let told = ["up", "down", "new", "gone"].map(|name| format!("{} {name}", text(&counts[name])));
            let approved = entry["approval"]["reason"].as_str();
            let approved = approved.map(|reason| format!("; approved: {reason}")).unwrap_or_default();
            told.join(", ") + &approved
        }
        "rejected" => text(&entry["reason"]),
        "held" => page::many(list(&entry["reasons"]).len() as u64, "reason"),
        "terms" => page::many(list(&entry["difference"]).len() as u64, "difference"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_gets_texts_and_no_formulas() {
        let row = |text: &str| vec![text.to_owned()];
        let rows = [row("a,b"), row("say \"x\""), row("=1+1"), row("-5"), row("@x")];
        let csv = csv(&HEADS, &rows);
        let told: Vec<&str> = csv.lines().skip(1).collect();
        assert_eq!(told, ["\"a,b\"", "\"say \"\"x\"\"\"", "'=1+1", "-5", "'@x"]);
    }
}
