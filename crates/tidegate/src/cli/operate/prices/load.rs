//! `tidegate prices load`: a file of prices, compared with what counts before it goes live.

use super::difference;
use crate::cli::Failure;
use crate::cli::operate::client::Client;
use crate::cli::operate::page::{self, Page, list, text};
use crate::cli::operate::progress::Teller;
use crate::cli::operate::who;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Loads a file of prices, all of it or nothing; 3 where a guard holds it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// CSV (`list,sku,price` and where used `min,unit,valid_from,valid_until`) or a JSON object a line
    file: PathBuf,
    /// What is not in the file: stays (`changes`), is gone from the lists that are in it (`lists`), or from all (`all`)
    #[arg(long, value_enum, default_value_t = Mode::Changes)]
    mode: Mode,
    /// With `--mode lists`: this one too; without a row it becomes empty. May be repeated
    #[arg(long = "list", value_name = "ID")]
    lists: Vec<String>,
    /// Where its ending does not say it
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Where the prices are from; the file's name unless said
    #[arg(long)]
    source: Option<String>,
    /// Tells the difference, and what would hold it, and changes nothing
    #[arg(long)]
    dry_run: bool,
    /// A note; it stands in the journal beside each change
    #[arg(long, visible_alias = "reason", value_name = "TEXT")]
    why: Option<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Mode {
    Changes,
    Lists,
    All,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Csv,
    Ndjson,
}

pub(super) async fn run(client: &Client, args: &Args, json: bool) -> Result<(), Failure> {
    // The hub has a folder of its own to be relative to.
    let mut asked = json!({
        "file": std::path::absolute(&args.file)?,
        "mode": match args.mode { Mode::Changes => "changes", Mode::Lists => "lists", Mode::All => "all" },
        "lists": args.lists,
        "dry_run": args.dry_run,
        "who": who(),
        "why": args.why,
    });
    if let Some(format) = args.format {
        asked["format"] = match format {
            Format::Csv => "csv",
            Format::Ndjson => "ndjson",
        }
        .into();
    }
    if let Some(source) = &args.source {
        asked["source"] = source.as_str().into();
    }
    let mut teller = Teller::new("prices", 0);
    let result = client.stream("/prices/loads", &asked, &mut |progress| teller.tell(progress)).await;
    teller.done();
    let answer = result?;
    told(&answer, json)
}

/// What became of a load; a held one is for a person.
pub(super) fn told(answer: &Value, json: bool) -> Result<(), Failure> {
    let is_held = answer["outcome"] == "held";
    if json {
        page::json(answer);
    } else {
        drawn(answer).print();
    }
    if is_held { Err(Failure::Found) } else { Ok(()) }
}

fn drawn(answer: &Value) -> Page {
    let mut page = Page::new();
    draw(&mut page, answer);
    page
}

pub(super) fn draw(page: &mut Page, answer: &Value) {
    let (load, version) = (text(&answer["load"]), text(&answer["version"]));
    let because = list(&answer["because"]);
    page.line(match answer["outcome"].as_str().unwrap_or_default() {
        "live" => format!("load {load} is live as of version {version}"),
        "unchanged" => format!("load {load}: nothing is another than in version {version}"),
        "held" => format!("load {load} is held and changes nothing until somebody says so, because"),
        _ if because.is_empty() => "nothing was changed; it would go live".to_owned(),
        _ => "nothing was changed; it would be held, because".to_owned(),
    });
    for reason in because {
        page.line(format!("  - {}", text(reason)));
    }
    page.blank();
    difference(page, &answer["difference"]);
    if answer["outcome"] == "held" {
        page.line(format!("tidegate prices approve {load} --why …, or reject {load} --why …"));
    }
}
