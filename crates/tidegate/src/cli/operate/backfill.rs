//! `tidegate backfill orders`: brings what was created in a time and is not at its target. It counts first, says what it
//! will do, and does it; killed, the same command goes on where it was. That of stock is `backfill_stock`'s.

use super::client::Client;
use super::page::{self, Page, at, list, many, number, text};
use super::progress::Teller;
use super::{Place, backfill_stock, who};
use crate::cli::{Failure, say};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate backfill orders --since 2026-10-01 --until 2026-11-01 --dry-run     counts, changes nothing
  tidegate backfill orders --since 2026-10-01 --until 2026-11-01
  tidegate backfill inventory --sku SKU-0001
  tidegate backfill inventory --location WH-1 --since 2026-11-26T08:00:00Z --dry-run
  tidegate backfill inventory all --why \"the shop was restored\"

It goes behind live facts. Orders: what the target has already, also under a former reference, is adopted and not written to.
Stock: only what the shop has not as its source says is brought. A day begins in the shop's time zone.";

/// Brings what a target lacks: older orders of a shop, or stock that the shop has not as its source says
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What of
    domain: Domain,
    /// Stock: everything, where no SKU, location or time is named
    #[arg(value_name = "all")]
    which: Option<Which>,
    /// Orders created, or stock changed, at or after this day (2026-10-01) or instant (2026-10-01T08:00:00Z)
    #[arg(long, value_name = "WHEN", value_parser = when)]
    pub(super) since: Option<String>,
    /// Orders created before this day or instant; without it, until now
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<String>,
    /// Stock of one SKU, as its source spells it
    #[arg(long)]
    pub(super) sku: Option<String>,
    /// Stock of one location, as its source calls it
    #[arg(long)]
    pub(super) location: Option<String>,
    #[command(flatten)]
    pub(super) place: Place,
    /// Counts, and changes nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "a backfill")]
    pub(super) why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Domain {
    Orders,
    Inventory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    All,
}

/// What does not fit what is backfilled; each says what does.
fn fits(args: &Args) -> Result<(), Failure> {
    let of_stock = args.which.is_some() || args.sku.is_some() || args.location.is_some();
    let names_any = args.sku.is_some() || args.location.is_some() || args.since.is_some();
    let what = match args.domain {
        Domain::Orders if of_stock => {
            "--sku, --location and `all` are of stock: orders are named by --since and --until"
        }
        Domain::Orders if args.since.is_none() => {
            "orders are named by the time of their creation: write --since WHEN"
        }
        Domain::Inventory if args.until.is_some() => "--until is of orders: stock is brought as it is now",
        Domain::Inventory if args.which.is_some() && names_any => {
            "`all` is everything: leave it out, or leave out --sku, --location and --since"
        }
        Domain::Inventory if args.which.is_none() && !names_any => {
            "nothing says which stock is meant: write --sku, --location or --since, or `all` for everything"
        }
        _ => return Ok(()),
    };
    Err(Failure::Usage(what.to_owned()))
}

fn when(text: &str) -> Result<String, String> {
    let known = text.parse::<Timestamp>().is_ok() || text.parse::<Date>().is_ok();
    known
        .then(|| text.to_owned())
        .ok_or_else(|| "neither a day (2026-11-24) nor an instant (2026-11-24T08:00:00Z)".to_owned())
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    fits(args)?;
    if args.domain == Domain::Inventory {
        return backfill_stock::run(client, args, json).await;
    }
    let plan = asked(client, args, true, 0).await?;
    let doing = asked(client, args, false, number(&plan["listed"]));
    carried_out(plan, (args.dry_run, json), planned, drawn, doing).await
}

/// Of what was counted, either shown and no more, or said and then done: `doing` begins only then.
pub(super) async fn carried_out(
    plan: Value,
    (dry_run, json): (bool, bool),
    planned: impl FnOnce(&Value) -> String,
    drawn: impl Fn(&Value) -> Page,
    doing: impl Future<Output = Result<Value, Failure>>,
) -> Result<(), Failure> {
    let tell = |answer: &Value| {
        if json {
            page::json(answer);
        } else {
            drawn(answer).print();
        }
    };
    if dry_run {
        tell(&plan);
        return Ok(());
    }
    say::note(planned(&plan));
    let mut done = doing.await?;
    if json {
        done["plan"] = plan;
    }
    tell(&done);
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn what_is_meant_has_to_be_named_and_to_fit() {
        let told = |line: &str| {
            let words = std::iter::once("backfill").chain(line.split(' '));
            match fits(&Line::try_parse_from(words).unwrap().args) {
                Ok(()) => String::new(),
                Err(failure) => format!("{failure:?}"),
            }
        };
        for (line, says) in [
            ("orders", "write --since"),
            ("orders --since 2026-10-01 --sku SKU-0001", "are of stock"),
            ("orders all --since 2026-10-01", "are of stock"),
            ("inventory", "nothing says which"),
            ("inventory all --sku SKU-0001", "leave it out"),
            ("inventory all --until 2026-10-01", "is of orders"),
        ] {
            assert!(told(line).contains(says), "{line}: {}", told(line));
        }
        for line in ["orders --since 2026-10-01", "inventory all", "inventory --sku A --location B"] {
            assert_eq!(told(line), "", "{line}");
        }
    }
}
