//! `tidegate backfill orders`: brings what was created in a time and is not at its target. It counts first, says what it
//! will do, and does it; killed, the same command goes on where it was.

use super::client::Client;
use super::page::{self, Page, at, list, many, number, text};
use super::progress::Teller;
use super::{Domain, Place, who};
use crate::cli::{Failure, say};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate backfill orders --since 2026-10-01 --until 2026-11-01 --dry-run     counts, changes nothing
  tidegate backfill orders --since 2026-10-01 --until 2026-11-01

It goes behind live orders. What the target has already, also under a former reference, is adopted and not written to.
A day begins in the shop's time zone.";

/// Reads older orders from their shop, and exports what the target lacks
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What of
    domain: Domain,
    /// Created at or after this day (2026-10-01) or instant (2026-10-01T08:00:00Z)
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: String,
    /// Created before this day or instant; without it, until now
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Counts, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "a backfill")]
    why: String,
}

fn when(text: &str) -> Result<String, String> {
    let known = text.parse::<Timestamp>().is_ok() || text.parse::<Date>().is_ok();
    known
        .then(|| text.to_owned())
        .ok_or_else(|| "neither a day (2026-11-24) nor an instant (2026-11-24T08:00:00Z)".to_owned())
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let Domain::Orders = args.domain;
    let plan = asked(client, args, true, 0).await?;
    if args.dry_run {
        if json {
            page::json(&plan);
        } else {
            drawn(&plan).print();
        }
        return Ok(());
    }
    say::note(planned(&plan));
    let mut done = asked(client, args, false, number(&plan["listed"])).await?;
    if json {
        done["plan"] = plan;
        page::json(&done);
    } else {
        drawn(&done).print();
    }
    Ok(())
}

async fn asked(client: &Client, args: &Args, dry_run: bool, total: u64) -> Result<Value, Failure> {
    let mut asked = json!({ "since": args.since, "dry_run": dry_run, "who": who(), "why": args.why });
    if let Some(until) = &args.until {
        asked["until"] = until.as_str().into();
    }
    args.place.named(&mut asked);
    let mut teller = Teller::new(if dry_run { "orders counted" } else { "orders" }, total);
    let result = client.stream("/backfill", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    args.place.judged(client, result).await
}

fn planned(plan: &Value) -> String {
    format!(
        "plan: {} at the source; {} at the target already, {} under way, {} to be brought",
        many(number(&plan["listed"]), "order"),
        number(&plan["exported"]),
        number(&plan["under_way"]),
        number(&plan["appended"]),
    )
}

fn drawn(answer: &Value) -> Page {
    let dry_run = answer["dry_run"] == true;
    let mut page = Page::new();
    let rows = list(&answer["parts"]).iter().map(|part| {
        let count = |name: &str| number(&part[name]).to_string();
        let until = if part["until"].is_null() { "now".to_owned() } else { at(&part["until"]) };
        vec![
            text(&part["flow"]),
            text(&part["shop"]),
            format!("{} to {until}", at(&part["since"])),
            count("listed"),
            count("exported"),
            count("under_way"),
            count("appended"),
            count("gone"),
        ]
    });
    let brought = if dry_run { "to be brought" } else { "brought" };
    let heads = ["flow", "shop", "created (UTC)", "listed", "at the target", "under way", brought, "gone"];
    page.table(&heads, rows.collect());
    let appended = many(number(&answer["appended"]), "order");
    page.line(if dry_run {
        format!("{appended} would be brought; nothing was changed")
    } else {
        format!(
            "{appended} on the way: `tidegate deliveries list --phase open` shows them, live orders go first"
        )
    });
    page
}
