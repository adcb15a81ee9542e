//! `tidegate prices terms`: which lists there are and for whom, units, surcharges, promotions.

use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, list, number, text};
use crate::cli::operate::who;
use crate::cli::{Failure, say};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The terms: shown, or others put in their place as a whole
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A document in TOML or JSON; without it the one that counts is shown
    file: Option<PathBuf>,
    /// Tells every fault and every difference, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// The reason; it stands in the journal
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "terms of prices")]
    why: String,
}

pub(super) async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let Some(file) = &args.file else { return show(client, json).await };
    let document = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", file.display())))?;
    let asked = json!({ "document": document, "dry_run": args.dry_run, "who": who(), "why": args.why });
    let answer = client.post("/prices/terms", &asked).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(match (number(&answer["version"]), args.dry_run) {
        (0, true) => "the terms are right; nothing was changed".to_owned(),
        (0, false) => "these terms counted already".to_owned(),
        (version, _) => format!("these terms count as of version {version}"),
    });
    let short = |value: &Value| match value {
        Value::Object(_) => "there".to_owned(),
        other => text(other),
    };
    let rows = list(&answer["difference"]).iter().map(|change| {
        vec![
            text(&change["section"]),
            text(&change["id"]),
            text(&change["field"]),
            short(&change["before"]),
            short(&change["after"]),
        ]
    });
    page.table(&["what", "id", "field", "before", "after"], rows.collect());
    for (name, told) in [
        ("lists_without_terms", "has prices, and these terms do not know it: nobody sees them"),
        ("lists_without_prices", "has neither prices nor a base yet"),
    ] {
        for id in list(&answer[name]) {
            page.line(format!("{} {told}", text(id)));
        }
    }
    page.print();
    Ok(())
}

async fn show(client: &Client, json: bool) -> Result<(), Failure> {
    let answer = client.get("/prices/terms").await?;
    if json {
        page::json(&answer);
    } else {
        say::out(answer["document"].as_str().unwrap_or_default());
    }
    Ok(())
}
