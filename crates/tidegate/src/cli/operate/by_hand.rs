//! `tidegate ats by-hand`, `accept` and `revert`: what somebody typed in the shop, and what a person says of it.

use super::client::Client;
use super::page::{self, Page, at, list, text};
use super::{Place, Why, who};
use crate::cli::Failure;
use serde_json::{Value, json};

/// Which pair, and why.
#[derive(Debug, clap::Args)]
pub struct Decision {
    /// As the source spells it; capitals count
    sku: String,
    /// As the source calls it
    #[arg(long)]
    location: String,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    why: Why,
}

pub async fn all(client: &Client, json: bool) -> Result<(), Failure> {
    let answer = client.get("/ats/by-hand").await?;
    if json {
        page::json(&answer);
    } else {
        drawn(list(&answer["by_hand"])).print();
    }
    Ok(())
}

fn drawn(all: &[Value]) -> Page {
    let mut page = Page::new();
    if all.is_empty() {
        page.line("nothing that somebody typed in the shop is to be decided");
        return page;
    }
    let rows = all.iter().map(|one| {
        let decided = &one["decided"];
        let stands = match decided.is_null() {
            true => "to be decided".to_owned(),
            false => format!("stands, says {}: {}", text(&decided["who"]), text(&decided["why"])),
        };
        let changed = if one["changed_at"].is_null() { String::new() } else { at(&one["changed_at"]) };
        let names = ["sku", "location", "shop", "wanted", "has"].map(|name| text(&one[name]));
        names.into_iter().chain([changed, stands, text(&one["history_url"])]).collect()
    });
    let heads = ["sku", "location", "shop", "source says", "typed", "changed (UTC)", "stands", "by whom"];
    page.table(&heads, rows.collect());
    page
}

/// It stands, or what the source says is set again.
pub async fn decide(client: &Client, decision: &Decision, stands: bool, json: bool) -> Result<(), Failure> {
    let Decision { sku, location, place, why } = decision;
    let mut asked =
        json!({ "sku": sku, "location": location, "stands": stands, "who": who(), "why": why.why });
    place.named(&mut asked);
    let answer = client.post("/ats/by-hand", &asked).await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    let (has, wanted) = (text(&answer["has"]), text(&answer["wanted"]));
    page.line(match stands {
        true => format!("{has} of {sku} at {location} stands until the source changes it"),
        false => format!("{sku} at {location} is set back from {has} to what the source says: {wanted}"),
    });
    page.print();
    Ok(())
}
