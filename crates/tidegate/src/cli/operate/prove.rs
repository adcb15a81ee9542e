//! `tidegate prove orders`: accounts for every order of a day, counted again from the source and from the target.

use super::client::Client;
use super::page::{self, Page, at, list, many, number, text};
use super::progress::Teller;
use super::{Domain, Place};
use crate::cli::Failure;
use jiff::civil::Date;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate prove orders --day 2026-11-24
  tidegate prove orders --day 2026-11-24 --shop acme --json | jq .counts

Exit code 3: something does not add up. Shopify shows 60 days without the scope read_all_orders.";

/// Accounts for every order of a day
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What of
    domain: Domain,
    /// Of the shop's calendar, by when an order was created: 2026-11-24
    #[arg(long, value_parser = day)]
    day: Date,
    #[command(flatten)]
    place: Place,
    /// Lists every order, not only those that a person should look at
    #[arg(long)]
    all: bool,
}

fn day(text: &str) -> Result<Date, String> {
    text.parse().map_err(|_| "no day of the calendar: write it as 2026-11-24".to_owned())
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let Domain::Orders = args.domain;
    let mut asked = json!({ "day": args.day.to_string() });
    args.place.named(&mut asked);
    let mut teller = Teller::new("orders proved", 0);
    let result = client.stream("/prove", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    let proof = args.place.judged(client, result).await?;
    if json {
        page::json(&proof);
    } else {
        drawn(&proof, args.all).print();
    }
    if proof["holds"] == true { Ok(()) } else { Err(Failure::Found) }
}

fn drawn(proof: &Value, all: bool) -> Page {
    let mut page = Page::new();
    let count = |name: &str| number(&proof[name]);
    for span in list(&proof["spans"]) {
        page.line(format!(
            "{} at {}, {} to {} UTC",
            text(&span["flow"]),
            text(&span["shop"]),
            at(&span["from"]),
            at(&span["until"])
        ));
    }
    page.line(format!(
        "{} at the source, {} at the target{}",
        many(count("source"), "order"),
        number(&proof["counts"]["at_target"]),
        match number(&proof["counts"]["not_asked"]) {
            0 => String::new(),
            none => format!(" (which gave no answer about {none})"),
        }
    ));
    page.blank();
    let fates = ["exported", "waiting", "dead", "filtered", "closed", "unheard"];
    let wrong = ["lost", "doubled", "unclaimed"];
    page.table(&fates, vec![fates.iter().map(|fate| count(fate).to_string()).collect()]);
    page.table(&wrong, vec![wrong.iter().map(|fate| count(fate).to_string()).collect()]);
    page.line(format!(
        "touched by hand {}, released by triage {}, found by the sweep {}",
        count("hands"),
        count("released"),
        count("swept")
    ));
    accounts(&mut page, proof, all);
    page.blank();
    page.line(if proof["holds"] == true {
        format!("{}: every order is accounted for", text(&proof["day"]))
    } else {
        format!("{}: IT DOES NOT ADD UP: see lost, doubled, unclaimed and unheard above", text(&proof["day"]))
    });
    page
}

fn accounts(page: &mut Page, proof: &Value, all: bool) {
    let rows: Vec<Vec<String>> = list(&proof["accounts"])
        .iter()
        .filter(|account| all || !is_plain(account))
        .map(|account| {
            let at_target =
                account["at_target"].as_u64().map_or_else(|| "?".to_owned(), |count| count.to_string());
            vec![text(&account["label"]), text(&account["subject"]), fate(account), at_target]
        })
        .collect();
    if !rows.is_empty() {
        page.blank();
        page.table(&["order", "subject", "fate", "at the target"], rows);
    }
}

/// The target has it once, or has it not and by a rule.
fn is_plain(account: &Value) -> bool {
    let fate = account["fate"]["fate"].as_str().unwrap_or_default();
    let at_target = account["at_target"].as_u64();
    (fate == "exported" && at_target == Some(1)) || (fate == "filtered" && at_target != Some(1))
}

fn fate(account: &Value) -> String {
    let fate = &account["fate"];
    let word = text(&fate["fate"]);
    let because = ["number", "reason", "rule", "message", "why"].iter().find_map(|name| fate[name].as_str());
    match because {
        Some(because) => format!("{word}: {}", because.trim_start_matches("waits ")),
        None => word,
    }
}
