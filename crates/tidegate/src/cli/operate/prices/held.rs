//! `tidegate prices held`, `approve`, `reject`: loads that a guard has stopped.

use super::{difference, load};
use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, at, number, text};
use crate::cli::operate::{Why, who};
use serde_json::json;

/// Loads that a guard has stopped, with what they would change
#[derive(Debug, clap::Args)]
pub(super) struct Held {}

/// Lets a held load go live, in your name
#[derive(Debug, clap::Args)]
pub(super) struct Approve {
    /// Its number, as `tidegate prices held` tells it
    load: u64,
    #[command(flatten)]
    why: Why,
}

/// Drops a held load, in your name
#[derive(Debug, clap::Args)]
pub(super) struct Reject {
    /// Its number, as `tidegate prices held` tells it
    load: u64,
    #[command(flatten)]
    why: Why,
}

pub(super) async fn list(client: &Client, json: bool) -> Result<(), Failure> {
    let answer = client.get("/prices/held").await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    let held = page::list(&answer["held"]);
    if held.is_empty() {
        page.line("no load waits for a person");
    }
    for load in held {
        page.line(format!(
            "load {} of {} ({}, by {}, {} rows), held because",
            number(&load["load"]),
            at(&load["at"]),
            text(&load["source"]),
            text(&load["by"]),
            number(&load["rows"])
        ));
        for reason in list_of(load) {
            page.line(format!("  - {reason}"));
        }
        difference(&mut page, &load["diff"]);
        page.blank();
    }
    page.print();
    Ok(())
}

fn list_of(load: &serde_json::Value) -> Vec<String> {
    page::list(&load["because"]).iter().map(text).collect()
}

pub(super) async fn approve(client: &Client, args: &Approve, json: bool) -> Result<(), Failure> {
    let asked = json!({ "who": who(), "why": args.why.why });
    let answer = client.post(&format!("/prices/held/{}/approve", args.load), &asked).await?;
    load::told(&answer, json)
}

pub(super) async fn reject(client: &Client, args: &Reject, json: bool) -> Result<(), Failure> {
    let asked = json!({ "who": who(), "why": args.why.why });
    let answer = client.post(&format!("/prices/held/{}/reject", args.load), &asked).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    page.line(format!("load {} is rejected: nothing of it counts", args.load));
    page.print();
    Ok(())
}
