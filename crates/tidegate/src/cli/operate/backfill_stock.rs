//! `tidegate backfill inventory`: brings the stock that the shop has not as its source says, of one SKU, a location, since a
//! time, or all. It counts first, says what it will do, and does it; killed, the same command goes on.

use super::backfill::{Args, carried_out};
use super::client::Client;
use super::page::{Page, list, many, number, text};
use super::progress::Teller;
use super::who;
use crate::cli::Failure;
use serde_json::{Value, json};

/// More than a person reads; `--json` has all.
const SHOWN: usize = 40;

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    let plan = asked(client, args, true, 0).await?;
    if number(&plan["meant"]) == 0 && (args.sku.is_some() || args.location.is_some()) {
        let what =
            "the source has no stock under that name: is it spelled as its source spells it? Capitals count";
        return Err(Failure::NotFound(what.to_owned()));
    }
    let total = list(&plan["parts"]).iter().map(|part| number(&part["source"])).sum();
    let doing = asked(client, args, false, total);
    carried_out(plan, (args.dry_run, json), planned, drawn, doing).await
}

async fn asked(client: &Client, args: &Args, dry_run: bool, total: u64) -> Result<Value, Failure> {
    let mut asked = json!({ "dry_run": dry_run, "who": who(), "why": args.why });
    for (name, value) in [("sku", &args.sku), ("location", &args.location), ("since", &args.since)] {
        if let Some(value) = value {
            asked[name] = value.as_str().into();
        }
    }
    if args.sku.is_none() && args.location.is_none() && args.since.is_none() {
        asked["all"] = true.into();
    }
    args.place.named(&mut asked);
    let mut teller = Teller::new(if dry_run { "pairs counted" } else { "pairs" }, total);
    let result = client.stream("/backfill/inventory", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    args.place.judged(client, result).await
}

fn planned(plan: &Value) -> String {
    let sum = |name: &str| list(&plan["parts"]).iter().map(|part| number(&part[name])).sum::<u64>();
    format!(
        "plan: {} of the source meant; {} agree, {} under way, {} to be brought",
        many(number(&plan["meant"]), "pair"),
        sum("agree"),
        sum("under_way"),
        number(&plan["appended"]),
    )
}

fn drawn(answer: &Value) -> Page {
    let dry_run = answer["dry_run"] == true;
    let mut page = Page::new();
    let brought = if dry_run { "to be brought" } else { "brought" };
    let parts = list(&answer["parts"]);
    let rows = parts.iter().map(|part| {
        let count = |name: &str| number(&part[name]).to_string();
        let names = [text(&part["flow"]), text(&part["shop"])];
        let counts = ["meant", "agree", "under_way", "appended"].map(count);
        names.into_iter().chain(counts).collect()
    });
    page.table(&["flow", "shop", "pairs", "agree", "under way", brought], rows.collect());
    for part in parts {
        for note in list(&part["notes"]) {
            page.line(text(note));
        }
        for (name, what) in [
            ("dead_letter", "dead: see `tidegate dead-letters`"),
            (
                "sequence_back",
                "not taken, because the source counts anew: tidegate ats reset-sequence --help",
            ),
            (
                "twice",
                "twice at the source or in the shop: `tidegate reconcile inventory --dry-run` says where",
            ),
            ("by_hand", "written by hand in the shop and left, by the policy of [ownership.inventory]"),
            ("unreadable", "could not be read"),
            ("gone", "gone from the source"),
        ] {
            if number(&part[name]) > 0 {
                page.line(format!("{} {what}", number(&part[name])));
            }
        }
        let pairs = list(&part["pairs"]);
        let rows = pairs.iter().take(SHOWN).map(|pair| {
            let outcome = match pair["outcome"].as_str() {
                Some("brought") => brought.to_owned(),
                _ => text(&pair["outcome"]).replace('_', " "),
            };
            let why = text(&pair["why"]).replace('_', " ");
            vec![text(&pair["sku"]), text(&pair["location"]), text(&pair["available"]), outcome, why]
        });
        page.table(&["sku", "location", "available", "outcome", "why"], rows.collect());
        if pairs.len() > SHOWN {
            page.line(format!("and {} more: --json shows all that are kept", pairs.len() - SHOWN));
        }
    }
    let appended = many(number(&answer["appended"]), "pair");
    page.line(if dry_run {
        format!("{appended} would be brought; nothing was changed")
    } else {
        format!("{appended} on the way, behind live ones: `tidegate deliveries list --phase open` shows them")
    });
    page
}
