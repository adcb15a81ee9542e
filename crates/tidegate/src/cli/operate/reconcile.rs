//! `tidegate reconcile inventory`: all that the source has against all that the shop has, and what differs, by cause.
//! `reports` and `show`: what checks found, by cadence or by hand.

mod reports;

use super::client::Client;
use super::page::{self, Page, at, list, many, number, text};
use super::progress::Teller;
use super::{Place, who};
use crate::cli::Failure;
use engine::work::drift::{self, Checked, Report};
use engine::work::stock_now::why_words;
use serde::Deserialize as _;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  tidegate reconcile inventory --dry-run            tells, changes nothing
  tidegate reconcile reports                        what each check found, by cadence or by hand
  tidegate reconcile show 17                        one of them, pair by pair";

const CHECK_EXAMPLES: &str = "\
Examples:
  tidegate reconcile inventory --dry-run            tells, changes nothing
  tidegate reconcile inventory --why \"after the outage\"
  tidegate reconcile inventory --dry-run --csv > differences.csv
  tidegate reconcile inventory --accept-smaller \"Ada: the Leeds warehouse is closed\"

A check that was killed goes on with what it had read of the shop, and says so. The source has to be able to say all that it has (docs/connectors/stock_feed.md). What it found is kept: tidegate reconcile show.";

/// Compares all stock of a source with all of its shop, and takes up what differs; and shows what such checks found
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    which: Which,
}

#[derive(Debug, clap::Subcommand)]
enum Which {
    Inventory(Check),
    Reports(reports::List),
    Show(reports::Show),
}

/// Compares all stock of a source with all of its shop, and takes up what differs
#[derive(Debug, clap::Args)]
#[command(after_help = CHECK_EXAMPLES)]
struct Check {
    #[command(flatten)]
    place: Place,
    /// Tells, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// The differences as CSV
    #[arg(long)]
    csv: bool,
    /// Leaves what an interrupted check has read, and reads all again
    #[arg(long)]
    anew: bool,
    /// Approves a snapshot like the one that was refused because it was smaller than the last: who says so, and why
    #[arg(long, value_name = "NAME: REASON", value_parser = approval, conflicts_with_all = ["dry_run", "why"])]
    accept_smaller: Option<Approval>,
    /// The reason; it stands in the audit
    #[arg(long, visible_alias = "reason", value_name = "TEXT", default_value = "a full check")]
    why: String,
}

/// Who approves, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    who: String,
    why: String,
}

fn approval(text: &str) -> Result<Approval, String> {
    match text.split_once(':').map(|(who, why)| (who.trim(), why.trim())) {
        Some((who, why)) if !who.is_empty() && !why.is_empty() => {
            Ok(Approval { who: who.to_owned(), why: why.to_owned() })
        }
        _ => Err("write who approves and why, as in \"Ada: the Leeds warehouse is closed\"; both stand in the audit".to_owned()),
    }
}

pub async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    match &args.which {
        Which::Inventory(check) => made(client, check, json).await,
        Which::Reports(list) => reports::list(client, list, json).await,
        Which::Show(show) => reports::show(client, show, json).await,
    }
}

async fn made(client: &Client, args: &Check, json: bool) -> Result<(), Failure> {
    let mut asked = json!({ "dry_run": args.dry_run, "anew": args.anew, "who": who(), "why": args.why });
    if let Some(Approval { who, why }) = &args.accept_smaller {
        asked["accept_smaller"] = true.into();
        asked["who"] = who.as_str().into();
        asked["why"] = why.as_str().into();
    }
    args.place.named(&mut asked);
    let mut teller = Teller::new("pairs", 0);
    let result = client.stream("/reconcile", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    let answer = args.place.judged(client, result).await?;
    if json {
        page::json(&answer);
    } else if args.csv {
        crate::cli::say::out(csv(list(&answer["parts"]))?);
    } else {
        drawn(&answer).print();
    }
    Ok(())
}

/// Of checks as the hub tells them, of which the pairs alone stand in the table.
fn csv(parts: &[Value]) -> Result<String, Failure> {
    let report = |part: &Value| {
        let checked = Checked { flow: text(&part["flow"]), shop: text(&part["shop"]), ..Checked::default() };
        Ok(Report { checked, differences: Vec::deserialize(&part["differences"])? })
    };
    let reports: Result<Vec<Report>, serde_json::Error> = parts.iter().map(report).collect();
    let reports =
        reports.map_err(|error| anyhow::anyhow!("the hub tells a check in another form: {error}"))?;
    Ok(drift::csv(&reports))
}

/// More than a person reads; `--json` and `--csv` have all.
const SHOWN: usize = 40;

fn drawn(answer: &Value) -> Page {
    let mut page = Page::new();
    let dry_run = answer["dry_run"] == true;
    for part in list(&answer["parts"]) {
        figures(&mut page, part);
        if number(&part["whys"]["changed_in_shop"]) > 0 {
            by_hand(&mut page, part);
        }
        if number(&part["whys"]["sequence_back"]) > 0 {
            page.line("  to be heard again it needs a person's word: tidegate ats reset-sequence --help");
        }
        pairs(&mut page, list(&part["differences"]));
        let appended = number(&part["appended"]);
        page.line(if dry_run {
            "nothing was changed".to_owned()
        } else if appended == 0 {
            "nothing had to be taken up again".to_owned()
        } else {
            format!("{} taken up again, behind live ones", many(appended, "pair"))
        });
    }
    page
}

/// What was compared, and what came of it, by cause.
fn figures(page: &mut Page, part: &Value) {
    page.line(format!(
        "{} at {}: {} of the source, {} of the shop; {} agree",
        text(&part["flow"]),
        text(&part["shop"]),
        many(number(&part["source"]), "pair"),
        many(number(&part["shop_has"]), "pair"),
        number(&part["same"]),
    ));
    for note in list(&part["notes"]) {
        page.line(format!("  {}", text(note)));
    }
    for (name, what) in [("unreadable", "could not be read"), ("without_sku", "levels have no SKU")] {
        if number(&part[name]) > 0 {
            page.line(format!("  {} {what}", number(&part[name])));
        }
    }
    for (name, count) in part["causes"].as_object().into_iter().flatten() {
        page.line(format!("  {} {}", number(count), cause(name)));
    }
    for (name, count) in part["whys"].as_object().into_iter().flatten() {
        page.line(format!("    of what was looked at once more, {} {}", number(count), why_words(name)));
    }
}

/// What differs.
fn pairs(page: &mut Page, differences: &[Value]) {
    let rows = differences.iter().take(SHOWN).map(row);
    page.table(&["sku", "location", "should have", "has", "what", "why"], rows.collect());
    if differences.len() > SHOWN {
        page.line(format!("and {} more: --json or --csv shows all that are kept", differences.len() - SHOWN));
    }
}

/// What becomes of what somebody typed; where it is set back the last line says so.
fn by_hand(page: &mut Page, part: &Value) {
    match part["by_hand"].as_str() {
        Some("report") => page.line("  what was typed in the shop is told and left, by the policy report"),
        Some("accept") => {
            page.line("  what was typed in the shop stands until the source changes it, by the policy accept");
        }
        Some("ask") => page.line(format!(
            "  what was typed in the shop stands until somebody decides ({} to be decided): tidegate ats by-hand",
            number(&part["asked"])
        )),
        _ => {}
    }
}

fn row(one: &Value) -> Vec<String> {
    let spelt = text(&one["spelt"]);
    let mut what = cause(&text(&one["cause"])).to_owned();
    if !spelt.is_empty() {
        what.push_str(&format!(": the other side spells it {spelt:?}"));
    }
    let elsewhere = text(&one["elsewhere"]);
    if !elsewhere.is_empty() {
        what.push_str(&format!(
            ": {} at {elsewhere}, of which the source does not tell",
            text(&one["elsewhere_has"])
        ));
    }
    let mut why = why_words(&text(&one["why"])).to_owned();
    if !one["changed_at"].is_null() {
        why.push_str(&format!(" at {} UTC", at(&one["changed_at"])));
    }
    vec![text(&one["sku"]), text(&one["location"]), text(&one["wanted"]), text(&one["has"]), what, why]
}

/// The hub's words, said at length.
fn cause(word: &str) -> &str {
    match word {
        "differs" => "differ",
        "missing_in_shopify" => "not in the shop, or not stocked there",
        "unknown_sku" => "not in the shop",
        "not_stocked" => "not stocked there",
        "wrong_location" => "not stocked there, and sold at another location",
        "unknown_in_source" => "only in the shop",
        "twice_in_source" => "twice at the source",
        "twice_in_shopify" => "twice in the shop: two variants have one SKU",
        other => other,
    }
}
