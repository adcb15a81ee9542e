//! `tidegate stock read`: what a file of stock would say, without telling anybody: the same reading and the same rules as
//! where it is dropped into the folder of a stock feed.

use super::operate::page::{self, Page, many};
use super::{Common, Failure, say};
use crate::wiring::{self, Loaded, plan};
use anyhow::Context as _;
use config::Flow;
use domains::inventory::change::{By, Change};
use domains::inventory::drop::{
    Counted, Defaults, FileNames, Holds, Lines, Refused, Says, Takes, Told, check,
};
use domains::inventory::{Rules, Stock, sold};
use jiff::Timestamp;
use kernel::id::FlowName;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  tidegate stock read stock.csv                       what it would take, or each mistake with line and column
  tidegate stock read stock.csv --location WH-1       a file without a column for it
  tidegate stock read moves.csv --files changes       a file of changes: by how much each level changed
  tidegate stock read full.ndjson --snapshot          every level that there is, as the full check would read it
  tidegate stock read export.ndjson --json | jq .levels

NDJSON (a level or a change a line) or CSV (, or ; or a tab; in UTF-8 with or without its mark). Nothing is taken, nobody is told.

Exit codes: 0 it would be taken; 3 nothing of it would be; 4 there is no such file or flow.";

/// Files of stock
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Reads a file as the folder of a stock feed would, and takes nothing
    #[command(after_help = EXAMPLES)]
    Read {
        /// The file
        file: PathBuf,
        /// By the rules of this flow; without it, of the only flow of stock
        #[arg(long)]
        flow: Option<String>,
        /// The location of a file that has no such column
        #[arg(long)]
        location: Option<String>,
        /// What such a file may hold: levels, changes or both; without it, what the flow's source drops
        #[arg(long, value_name = "WHAT", value_parser = parse_takes)]
        files: Option<Takes>,
        /// As a file of every level that there is, for the full check; without it, where its name says so (`snapshot` of the
        /// flow's source)
        #[arg(long, conflicts_with = "files")]
        snapshot: bool,
    },
}

fn parse_takes(text: &str) -> Result<Takes, String> {
    Takes::parse(text).ok_or_else(|| "write levels, changes or both".to_owned())
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let What::Read { file, flow, location, files, snapshot } = &args.what;
    let loaded = wiring::load(&common.config, &common.overrides, false);
    let found = self::flow(&loaded, flow.as_deref())?;
    let rules = match found {
        Some((name, flow)) => plan::rules(&loaded, name, flow)?,
        None => Rules::default(),
    };
    let configured = |key: &str| configured(&loaded, found?.1, key);
    let location = location.clone().or_else(|| configured("location"));
    let is_called_so = || {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        configured("snapshot")
            .and_then(|names| FileNames::parse(&names).ok())
            .is_some_and(|names| names.fit(&name))
    };
    let whole = *snapshot || (files.is_none() && is_called_so());
    let takes = files.or_else(|| Takes::parse(&configured("files")?)).filter(|_| !whole).unwrap_or_default();
    let opened = || open(file);
    let written = opened()?.metadata().and_then(|about| about.modified()).context("the file has no time")?;
    let defaults = Defaults { location, changed_at: Timestamp::try_from(written).ok(), takes, whole };
    let reader = |file: File| BufReader::with_capacity(1 << 16, file);
    let counted = match check(reader(opened()?), &defaults) {
        Ok(counted) => counted,
        Err(refused) => return Err(told(common, file, &refused)),
    };
    let lines = Lines::new(reader(opened()?), &defaults).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let mut read = Read { counted, whole, unsellable: 0, shown: Vec::new(), rows: Vec::new() };
    for told in lines {
        let told = told.map_err(|fault| anyhow::anyhow!("{fault}"))?;
        read.add(&told, &rules, common.json);
    }
    let by = found.map(|(name, _)| name.to_string());
    if common.json {
        page::json(&json!({
            "holds": counted.holds.as_str(), counted.holds.as_str(): read.shown, "versioned": counted.versioned,
            "unsellable": read.unsellable, "flow": by, "snapshot": whole,
        }));
        return Ok(());
    }
    read.drawn(file, by.as_deref()).print();
    Ok(())
}

/// What is shown of a file.
struct Read {
    counted: Counted,
    /// It is all that there is.
    whole: bool,
    unsellable: u64,
    shown: Vec<Value>,
    rows: Vec<Vec<String>>,
}

impl Read {
    fn add(&mut self, told: &Told, rules: &Rules, json: bool) {
        let wants_row = !json && self.rows.len() < SHOWN;
        match &told.says {
            Says::Level(stock) => {
                let available = sold(stock, rules).map(|sold| sold.available).map_err(|fault| fault.message);
                self.unsellable += u64::from(available.is_err());
                if json {
                    self.shown.push(as_json(told, stock, &available));
                } else if wants_row {
                    self.rows.push(row(told, stock, &available));
                }
            }
            Says::Change(change) if json => self.shown.push(change_as_json(told, change)),
            Says::Change(change) if wants_row => self.rows.push(change_row(told, change)),
            Says::Change(_) => {}
        }
    }

    fn drawn(self, file: &Path, by: Option<&str>) -> Page {
        let mut page = Page::new();
        let Counted { holds, told, versioned, with_id } = self.counted;
        let file = file.display();
        match holds {
            Holds::Levels => {
                let sequence =
                    if versioned > 0 { "numbered by its version" } else { "ordered by changed_at" };
                let by = by.map_or("no rule (no flow of stock in the configuration)".to_owned(), |name| {
                    format!("the rules of {name}")
                });
                let is = if self.whole { "a snapshot of " } else { "" };
                page.line(format!("{file}: {is}{}, each {sequence}; by {by}", many(told, "level")));
                page.table(
                    &["line", "sku", "location", "on hand", "may be sold", "version", "changed at"],
                    self.rows,
                );
            }
            Holds::Changes => {
                let named = match (versioned, with_id) {
                    (0, 0) => "known again by its line in this very file, whatever it is called",
                    (0, _) => "known again by its id",
                    _ => "known again by its version",
                };
                page.line(format!("{file}: {}, each {named}", many(told, "change")));
                let heads = [
                    "line",
                    "sku",
                    "location",
                    "on hand",
                    "reserved",
                    "counted",
                    "id",
                    "version",
                    "changed at",
                ];
                page.table(&heads, self.rows);
            }
        }
        let more = told.saturating_sub(SHOWN as u64);
        if more > 0 {
            page.line(format!("and {more} more: --json shows all"));
        }
        if self.unsellable > 0 {
            page.line(format!(
                "{} would be dead letters: see the column \"may be sold\"",
                many(self.unsellable, "level")
            ));
        }
        page.line("nothing was taken");
        page
    }
}

/// More than a person reads.
const SHOWN: usize = 20;

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::NotFound(format!("{} is not there", file.display())),
        _ => Failure::Failed(anyhow::anyhow!("{}: {error}", file.display())),
    })
}

/// The flow whose rules count: the one that is named, or the only one there is.
fn flow<'a>(loaded: &'a Loaded, named: Option<&str>) -> Result<Option<(&'a FlowName, &'a Flow)>, Failure> {
    let mut flows = loaded.config.flows.iter().filter(|(_, flow)| flow.domain.as_str() == plan::INVENTORY);
    if let Some(named) = named {
        let found = flows.find(|(name, _)| name.as_str() == named);
        return match found {
            Some(found) => Ok(Some(found)),
            None => Err(Failure::NotFound(format!("{named} is no flow of stock"))),
        };
    }
    match (flows.next(), flows.next()) {
        (Some((first, _)), Some((second, _))) => Err(Failure::Usage(format!(
            "there are several flows of stock: name one, as in --flow {first} or {second}"
        ))),
        (only, _) => Ok(only),
    }
}

/// What is written of the folder that the flow's source drops into.
fn configured(loaded: &Loaded, flow: &Flow, key: &str) -> Option<String> {
    let system = loaded.config.systems.get(&flow.source.value)?;
    system.connection.values().get(key)?.as_str().map(str::to_owned)
}

fn told(common: &Common, file: &Path, refused: &Refused) -> Failure {
    if common.json {
        let faults: Vec<Value> = refused
            .faults
            .iter()
            .map(|fault| {
                json!({ "line": fault.line, "column": fault.column, "field": fault.field, "problem": fault.problem })
            })
            .collect();
        page::json(&json!({ "refused": refused.count, "faults": faults }));
    } else {
        say::out(format_args!("{}: {refused}\n", file.display()));
    }
    Failure::Found
}

fn row(level: &Told, stock: &Stock, available: &Result<i64, String>) -> Vec<String> {
    let on_hand = match &stock.unit {
        Some(unit) => format!("{} {unit}", stock.on_hand),
        None => stock.on_hand.to_string(),
    };
    vec![
        level.line.to_string(),
        stock.sku.clone(),
        stock.location.clone(),
        on_hand,
        match available {
            Ok(available) => available.to_string(),
            Err(why) => why.clone(),
        },
        level.version.map(|version| version.to_string()).unwrap_or_default(),
        stock.changed_at.to_string(),
    ]
}

fn change_row(told: &Told, change: &Change) -> Vec<String> {
    let signed = |quantity: Decimal| if quantity.is_zero() { String::new() } else { format!("{quantity:+}") };
    vec![
        told.line.to_string(),
        change.sku.clone(),
        change.location.clone(),
        signed(change.by.on_hand),
        signed(change.by.reserved),
        signed(change.by.counted),
        told.id.clone().unwrap_or_default(),
        told.version.map(|version| version.to_string()).unwrap_or_default(),
        change.changed_at.to_string(),
    ]
}

fn change_as_json(told: &Told, change: &Change) -> Value {
    let By { on_hand, reserved, counted } = change.by;
    json!({
        "line": told.line, "sku": change.sku, "location": change.location,
        "change": { "on_hand": on_hand.to_string(), "reserved": reserved.to_string(), "counted": counted.to_string() },
        "id": told.id, "version": told.version, "changed_at": change.changed_at.to_string(),
    })
}

fn as_json(level: &Told, stock: &Stock, available: &Result<i64, String>) -> Value {
    json!({
        "line": level.line, "sku": stock.sku, "location": stock.location, "on_hand": stock.on_hand.to_string(),
        "available": available.as_ref().ok(), "problem": available.as_ref().err(),
        "version": level.version, "changed_at": stock.changed_at.to_string(),
    })
}
