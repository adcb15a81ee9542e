//! `tidegate prove orders`: accounts for every order of a day, counted and added up again from the source and from the
//! target.

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
  tidegate prove orders --day 2026-11-24 --json | jq .amounts.differences

Exit code 3: something does not add up, be it a count or an amount that nothing explains. Shopify shows 60 days without the scope read_all_orders.";

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
    amounts(&mut page, &proof["amounts"], all);
    page.blank();
    page.line(verdict(proof));
    page
}

fn verdict(proof: &Value) -> String {
    let (day, wrong) = (text(&proof["day"]), number(&proof["amounts"]["wrong"]));
    if proof["holds"] == true {
        return format!("{day}: every order is accounted for");
    }
    let counts = ["lost", "doubled", "unclaimed", "unheard"].iter().any(|name| number(&proof[name]) > 0);
    let amounts = format!("{} that nothing explains", many(wrong, "amount"));
    let what = match (counts, wrong > 0) {
        (true, true) => format!("see lost, doubled, unclaimed and unheard above, and {amounts}"),
        (true, false) => "see lost, doubled, unclaimed and unheard above".to_owned(),
        (false, _) => amounts,
    };
    format!("{day}: IT DOES NOT ADD UP: {what}")
}

/// The sums of both sides, and each order of which they say something else.
fn amounts(page: &mut Page, amounts: &Value, all: bool) {
    page.blank();
    for flow in list(&amounts["counts_only"]) {
        page.line(format!("counts only: the target of {} lists no totals", text(flow)));
    }
    let money = |value: &Value| format!("{} {}", text(&value["amount"]), text(&value["currency"]));
    let row = |sum: &Value| {
        let names = ["source", "not_at_target", "at_target", "difference"];
        names.iter().map(|name| money(&sum[name])).collect()
    };
    let sums: Vec<Vec<String>> = list(&amounts["sums"]).iter().map(row).collect();
    if !sums.is_empty() {
        page.table(
            &["charged at the source", "rightly not at the target", "at the target", "difference"],
            sums,
        );
    }
    if number(&amounts["untold"]) > 0 {
        page.line(format!(
            "{} in no sum: one side did not tell what they come to, or the target has several",
            many(number(&amounts["untold"]), "order")
        ));
    }
    let differs = |differing: &&Value| all || differing["because"] != "accepted";
    let rows: Vec<Vec<String>> = list(&amounts["differences"])
        .iter()
        .filter(differs)
        .map(|differing| {
            let because = match differing["because"].as_str() {
                Some("accepted") => "accepted by the flow's difference".to_owned(),
                Some("open" | "skipped") => text(&differing["reason"]),
                _ => "NOTHING EXPLAINS IT".to_owned(),
            };
            vec![
                text(&differing["label"]),
                text(&differing["subject"]),
                money(&differing["source"]),
                money(&differing["at_target"]),
                because,
            ]
        })
        .collect();
    let accepted =
        list(&amounts["differences"]).iter().filter(|differing| differing["because"] == "accepted");
    let accepted = accepted.count() as u64;
    if accepted > 0 && !all {
        page.line(format!(
            "{} accepted by the flow's difference: --all lists them",
            many(accepted, "difference")
        ));
    }
    if !rows.is_empty() {
        page.table(&["order", "subject", "at the source", "at the target", "because"], rows);
    }
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
