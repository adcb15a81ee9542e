//! `tidegate stock read`: what a file of stock would say, without telling anybody: the same reading and the same rules as
//! where it is dropped into the folder of a stock feed.

use super::operate::page::{self, Page, many};
use super::{Common, Failure, say};
use crate::wiring::{self, Loaded, plan};
use anyhow::Context as _;
use config::Flow;
use domains::inventory::drop::{Defaults, Levels, Refused, Told, check};
use domains::inventory::{Rules, sold};
use jiff::Timestamp;
use kernel::id::FlowName;
use serde_json::{Value, json};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  tidegate stock read stock.csv                       what it would take, or each mistake with line and column
  tidegate stock read stock.csv --location WH-1       a file without a column for it
  tidegate stock read export.ndjson --json | jq .levels

NDJSON (a level a line) or CSV (, or ; or a tab; in UTF-8 with or without its mark). Nothing is taken, nobody is told.

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
    },
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let What::Read { file, flow, location } = &args.what;
    let loaded = wiring::load(&common.config, &common.overrides, false);
    let found = self::flow(&loaded, flow.as_deref())?;
    let rules = match found {
        Some((name, flow)) => plan::rules(&loaded, name, flow)?,
        None => Rules::default(),
    };
    let location = location.clone().or_else(|| configured_location(&loaded, found?.1));
    let opened = || open(file);
    let written = opened()?.metadata().and_then(|about| about.modified()).context("the file has no time")?;
    let defaults = Defaults { location, changed_at: Timestamp::try_from(written).ok() };
    let reader = |file: File| BufReader::with_capacity(1 << 16, file);
    let counted = match check(reader(opened()?), &defaults) {
        Ok(counted) => counted,
        Err(refused) => return Err(told(common, file, &refused)),
    };
    let levels = Levels::new(reader(opened()?), &defaults).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let mut rows = Vec::new();
    let (mut unsellable, mut shown) = (0u64, Vec::new());
    for level in levels {
        let level = level.map_err(|fault| anyhow::anyhow!("{fault}"))?;
        let available = sold(&level.stock, &rules).map(|sold| sold.available);
        unsellable += u64::from(available.is_err());
        let available = available.map_err(|fault| fault.message);
        if common.json {
            shown.push(as_json(&level, &available));
        } else if rows.len() < SHOWN {
            rows.push(row(&level, &available));
        }
    }
    let by = found.map_or("no rule (no flow of stock in the configuration)".to_owned(), |(name, _)| {
        format!("the rules of {name}")
    });
    if common.json {
        page::json(&json!({
            "levels": shown, "versioned": counted.versioned, "unsellable": unsellable,
            "flow": found.map(|(name, _)| name.to_string()),
        }));
        return Ok(());
    }
    let mut page = Page::new();
    let sequence = if counted.versioned > 0 { "numbered by its version" } else { "ordered by changed_at" };
    page.line(format!("{}: {}, each {sequence}; by {by}", file.display(), many(counted.levels, "level")));
    page.table(&["line", "sku", "location", "on hand", "may be sold", "version", "changed at"], rows);
    let more = counted.levels.saturating_sub(SHOWN as u64);
    if more > 0 {
        page.line(format!("and {more} more: --json shows all"));
    }
    if unsellable > 0 {
        page.line(format!(
            "{} would be dead letters: see the column \"may be sold\"",
            many(unsellable, "level")
        ));
    }
    page.line("nothing was taken");
    page.print();
    Ok(())
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

/// Of the folder that the flow's source drops into.
fn configured_location(loaded: &Loaded, flow: &Flow) -> Option<String> {
    let system = loaded.config.systems.get(&flow.source.value)?;
    system.connection.values().get("location")?.as_str().map(str::to_owned)
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

fn row(level: &Told, available: &Result<i64, String>) -> Vec<String> {
    let stock = &level.stock;
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

fn as_json(level: &Told, available: &Result<i64, String>) -> Value {
    let stock = &level.stock;
    json!({
        "line": level.line, "sku": stock.sku, "location": stock.location, "on_hand": stock.on_hand.to_string(),
        "available": available.as_ref().ok(), "problem": available.as_ref().err(),
        "version": level.version, "changed_at": stock.changed_at.to_string(),
    })
}
