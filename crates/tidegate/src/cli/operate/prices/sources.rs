//! `tidegate prices sources` and `pull`: where prices come from by themselves, and having one asked now.

use super::load;
use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, at, list, text};
use crate::cli::operate::progress::Teller;
use crate::cli::operate::who;
use serde_json::{Value, json};

/// Where prices come from by themselves: what came last, what is next, what waits for a person
#[derive(Debug, clap::Args)]
pub(super) struct Sources {}

/// Asks a source of prices now; 3 where a load of it is held or refused
#[derive(Debug, clap::Args)]
pub(super) struct Pull {
    /// Which source; the only one, unless said
    source: Option<String>,
    /// All of its prices, and not only what changed
    #[arg(long)]
    snapshot: bool,
    /// Asks for one answer, tells the difference, and what would hold it, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// Forgets the point from which it is asked: its system was brought back from a backup
    #[arg(long)]
    from_the_beginning: bool,
    /// A note; it stands in the journal beside each change
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    why: Option<String>,
}

pub(super) async fn sources(client: &Client, json: bool) -> Result<(), Failure> {
    let answer = client.get("/prices/sources").await?;
    if json {
        page::json(&answer);
        return Ok(());
    }
    let mut page = Page::new();
    let all = list(&answer["sources"]);
    if all.is_empty() {
        page.line(
            "prices have no source: they are loaded by hand (docs/prices.md, \"From the ERP by itself\")",
        );
    }
    for source in all {
        drawn(&mut page, source);
    }
    page.print();
    Ok(())
}

fn drawn(page: &mut Page, source: &Value) {
    page.line(format!("{}: {} of {}", text(&source["name"]), text(&source["mode"]), text(&source["asks"])));
    let mut rows = vec![
        ("lists", list(&source["lists"]).iter().map(text).collect::<Vec<_>>().join(", ")),
        ("every", text(&source["every"])),
        ("next", if source["due"] == true { "due".to_owned() } else { at(&source["next"]) }),
    ];
    if !source["snapshot"].is_null() {
        rows.push((
            "snapshot",
            format!("{}, next {}", text(&source["snapshot"]), at(&source["next_snapshot"])),
        ));
    }
    if !source["rows_under_way"].is_null() {
        rows.push(("under way", format!("{} rows", text(&source["rows_under_way"]))));
    }
    rows.push(("asked on from", text(&source["cursor"])));
    let last = &source["last"];
    if !last.is_null() {
        let what = match last["outcome"].as_str().unwrap_or_default() {
            "nothing_new" => "nothing new".to_owned(),
            outcome => format!("{} rows, load {} {outcome}", text(&last["rows"]), text(&last["load"])),
        };
        rows.push(("last", format!("{}: {what}", at(&last["at"]))));
    }
    for load in list(&source["held"]) {
        rows.push((
            "waits",
            format!("load {0} for a person: tidegate prices held, approve {0}, reject {0}", text(load)),
        ));
    }
    for (what, name) in [("refused", "refused"), ("fault", "fault")] {
        let fault = &source[name];
        if !fault.is_null() {
            rows.push((
                what,
                format!("{}: {}: {}", at(&fault["at"]), text(&fault["code"]), text(&fault["message"])),
            ));
        }
    }
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        page.line(format!("  {name:<13} {value}"));
    }
    page.blank();
}

pub(super) async fn pull(client: &Client, args: &Pull, json: bool) -> Result<(), Failure> {
    let asked = json!({
        "source": args.source,
        "snapshot": args.snapshot,
        "dry_run": args.dry_run,
        "from_the_beginning": args.from_the_beginning,
        "who": who(),
        "why": args.why,
    });
    let mut teller = Teller::new("prices", 0);
    let result = client.stream("/prices/pull", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    let answer = result?;
    let loads = list(&answer["loads"]);
    let waits = !answer["waits_for"].is_null();
    if json {
        page::json(&answer);
    } else {
        let mut page = Page::new();
        let source = text(&answer["source"]);
        if waits {
            let load = text(&answer["waits_for"]);
            page.line(format!(
                "{source} is not asked before somebody says something to load {load}: tidegate prices held, approve {load}, reject {load}"
            ));
        } else if loads.is_empty() {
            page.line(format!("{source} has nothing new"));
        }
        for load in loads {
            page.line(format!("{source} told {} rows", text(&load["rows"])));
            match load["refused"].as_str() {
                Some(why) => page.line(format!("they are refused, nothing of it counts: {why}")),
                None => load::draw(&mut page, load),
            }
            let changed = list(&load["terms"]).len();
            if changed > 0 {
                page.line(format!(
                    "and {changed} changes of the terms of its lists: tidegate prices terms shows them"
                ));
            }
        }
        page.print();
    }
    let for_a_person = |load: &Value| load["outcome"] == "held" || !load["refused"].is_null();
    if waits || loads.iter().any(for_a_person) { Err(Failure::Found) } else { Ok(()) }
}
