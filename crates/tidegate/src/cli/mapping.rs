//! `tidegate mapping`: tries mappings out: one order through one file, a folder of cases, or the check alone.

use super::{Common, Failure};
use crate::wiring::schemas;
use anyhow::Context as _;
use jiff::tz::TimeZone;
use kernel::clock::Clock as _;
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use mapping::{Context, Mapping, cases};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  tidegate mapping run mappings/orders_to_erp.toml < order.json              the body that would be sent
  tidegate mapping run mappings/orders_to_erp.toml --explain < order.json    where each field comes from
  tidegate mapping test mappings                                            each file against its folder of cases
  tidegate mapping check mappings/orders_to_erp.toml

`order.json` may be a webhook's body, the answer of a GraphQL read, or a canonical order.";

/// Tries a mapping out: one order, a folder of cases, or its check alone
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Maps what comes on standard input
    Run {
        file: PathBuf,
        /// For each target field where it came from, and through which steps
        #[arg(long)]
        explain: bool,
        /// The shop's name in the configuration, for the object key
        #[arg(long, default_value = "acme")]
        shop: String,
        /// The shop's IANA time zone, for dates
        #[arg(long, default_value = "UTC")]
        zone: String,
    },
    /// Runs `DIR/cases/NAME/*` for each mapping `DIR/NAME.toml`
    Test {
        #[arg(default_value = "mappings")]
        dir: PathBuf,
    },
    /// Loads a mapping and checks it against the schemas of its source and target
    Check { file: PathBuf },
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Run { file, explain, shop, zone } => map(common, file, *explain, shop, zone),
        What::Test { dir } => test(common, dir),
        What::Check { file } => {
            let mapping = load(file)?;
            let mut out = std::io::stdout().lock();
            if common.json {
                writeln!(out, "{}", json!({ "findings": [], "revision": mapping.revision_text() }))?;
            } else {
                let fields = mapping.fields().len();
                writeln!(
                    out,
                    "{} is well: {fields} fields, revision {}",
                    file.display(),
                    mapping.revision_text()
                )?;
            }
            Ok(())
        }
    }
}

/// Loaded, or all that is wrong with it said.
fn load(file: &Path) -> Result<Mapping, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::NotFound(format!("{} cannot be read: {error}", file.display())))?;
    let (facts, mapping) = check::load_mapping(&file.display().to_string(), &text, &schemas::all());
    mapping.ok_or_else(|| {
        eprint!("{}", config::render(&facts.findings));
        Failure::Found
    })
}

fn map(common: &Common, file: &Path, explain: bool, shop: &str, zone: &str) -> Result<(), Failure> {
    let mapping = load(file)?;
    let shop = ShopId::new(shop).map_err(|error| Failure::Usage(format!("--shop: {error}")))?;
    let zone = TimeZone::get(zone).map_err(|_| {
        Failure::Usage(format!("--zone: {zone:?} is no IANA time zone, as Europe/Amsterdam is"))
    })?;
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input)?;
    let source = read_source(&input)?;
    let subject = Subject::new(shop, "order", source["order_id"].as_str().unwrap_or("0"));
    let now = crate::wiring::clock::SystemClock::new().now().wall;
    let context = Context::new(now, zone, ObjectKey::of(&subject).as_str());
    let mut out = std::io::stdout().lock();
    if explain {
        let explanation = mapping.explain(&source, &context);
        match common.json {
            true => {
                writeln!(out, "{}", serde_json::to_string(&explanation).context("the explanation as JSON")?)?
            }
            false => writeln!(out, "{explanation}")?,
        }
        return if explanation.faults().next().is_none() { Ok(()) } else { Err(Failure::Found) };
    }
    match mapping.run(&source, &context) {
        Ok(mapped) => {
            let text = if common.json { mapped.body.to_string() } else { format!("{:#}", mapped.body) };
            writeln!(out, "{text}")?;
            Ok(())
        }
        Err(fault) => {
            eprintln!("error {}: {fault}", fault.code.as_str());
            Err(Failure::Found)
        }
    }
}

/// The canonical form of what came in; anything that is no order is taken as it is.
fn read_source(input: &[u8]) -> Result<Value, Failure> {
    let value: Value = serde_json::from_slice(input)
        .map_err(|error| Failure::Usage(format!("standard input is no JSON: {error}")))?;
    let order = if value.get("line_items").is_some() {
        domains::orders::from_rest(input)
    } else if value.get("data").is_some() || value.get("order").is_some() {
        domains::orders::from_graphql(input)
    } else {
        return Ok(value);
    };
    let order = order.map_err(|fault| {
        eprintln!("error {}: {fault}", fault.code.as_str());
        Failure::Found
    })?;
    Ok(serde_json::to_value(&order).context("the order as JSON")?)
}

fn test(common: &Common, dir: &Path) -> Result<(), Failure> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .map_err(|error| Failure::NotFound(format!("{} cannot be read: {error}", dir.display())))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let (mut all, mut good) = (Vec::new(), true);
    for file in files {
        let mapping = load(&file)?;
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = dir.join("cases").join(&name);
        if !folder.is_dir() {
            eprintln!("{name}: no cases; they would be folders in {}", folder.display());
            continue;
        }
        let cases =
            cases::read_folder(&folder).map_err(|error| Failure::Failed(anyhow::anyhow!("{error}")))?;
        let report = cases::run(&mapping, &cases);
        good &= report.is_good();
        if !common.json {
            print!("{report}");
        }
        all.push(json!({ "mapping": name, "cases": report.cases }));
    }
    if common.json {
        writeln!(std::io::stdout().lock(), "{}", json!({ "mappings": all, "holds": good }))?;
    }
    if all.is_empty() {
        return Err(Failure::NotFound(format!("{} holds no mapping with cases", dir.display())));
    }
    if good { Ok(()) } else { Err(Failure::Found) }
}
