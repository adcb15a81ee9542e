//! `tidegate mapping`: tries mappings out: one order through one file, a folder of cases, or the check alone.

use super::operate::page;
use super::{Common, Failure, say};
use crate::wiring::schemas;
use anyhow::Context as _;
use config::Finding;
use domains::orders;
use jiff::tz::TimeZone;
use kernel::clock::Clock as _;
use kernel::id::ShopId;
use kernel::key::ObjectKey;
use kernel::subject::Subject;
use mapping::{Context, Mapping, cases};
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  tidegate mapping run mappings/orders_to_erp.toml < order.json              the body that would be sent
  tidegate mapping run mappings/orders_to_erp.toml --explain < order.json    where each field comes from
  tidegate mapping test mappings                                            each file against its folder of cases
  tidegate mapping check mappings/orders_to_erp.toml

`order.json` may be a webhook's body, the answer of a REST or GraphQL read, or a canonical order.

Exit codes: 0 it maps, all cases hold; 3 it does not; 4 there is no such file.";

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
        /// The mapping
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
        /// The folder of the mappings
        #[arg(default_value = "mappings")]
        dir: PathBuf,
    },
    /// Loads a mapping and checks it against the schemas of its source and target
    Check {
        /// The mapping
        file: PathBuf,
    },
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Run { file, explain, shop, zone } => map(common, file, *explain, shop, zone),
        What::Test { dir } => test(common, dir),
        What::Check { file } => {
            let mapping = load(common, file)?;
            let (fields, revision) = (mapping.fields().len(), mapping.revision_text());
            if common.json {
                page::json(&json!({ "findings": [], "fields": fields, "revision": revision }));
            } else {
                say::out(format_args!("{} is well: {fields} fields, revision {revision}\n", file.display()));
            }
            Ok(())
        }
    }
}

/// Loaded, or all that is wrong with it.
fn read(file: &Path) -> Result<Result<Mapping, Vec<Finding>>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::NotFound(format!("{} cannot be read: {error}", file.display())))?;
    let (facts, mapping) = check::load_mapping(&file.display().to_string(), &text, &schemas::all());
    Ok(mapping.ok_or(facts.findings))
}

fn load(common: &Common, file: &Path) -> Result<Mapping, Failure> {
    read(file)?.map_err(|findings| {
        say::note(config::render(&findings));
        say::note(format_args!("{} to mend in {}.", findings.len(), file.display()));
        if common.json {
            page::json(&json!({ "findings": findings }));
        }
        Failure::Found
    })
}

fn map(common: &Common, file: &Path, explain: bool, shop: &str, zone: &str) -> Result<(), Failure> {
    let shop = ShopId::new(shop).map_err(|error| Failure::Usage(format!("--shop: {error}")))?;
    let zone = TimeZone::get(zone).map_err(|_| {
        Failure::Usage(format!("--zone: {zone:?} is no IANA time zone, as Europe/Amsterdam is"))
    })?;
    let mapping = load(common, file)?;
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        say::note("paste what is to be mapped, then press Ctrl-D; or give it a file: … < order.json");
    }
    let mut input = Vec::new();
    stdin.read_to_end(&mut input)?;
    let source = source(common, &input, mapping.header().source == schemas::ORDER)?;
    let subject = Subject::new(shop, "order", source["order_id"].as_str().unwrap_or("0"));
    let now = crate::wiring::clock::SystemClock::new().now().wall;
    let context = Context::new(now, zone, ObjectKey::of(&subject).as_str());
    if explain {
        let explanation = mapping.explain(&source, &context);
        if common.json {
            page::json(&serde_json::to_value(&explanation).context("the explanation as JSON")?);
        } else {
            say::out(format_args!("{explanation}\n"));
        }
        return if explanation.faults().next().is_none() { Ok(()) } else { Err(Failure::Found) };
    }
    match mapping.run(&source, &context) {
        Ok(mapped) if common.json => page::json(&mapped.body),
        Ok(mapped) => say::out(format_args!("{:#}\n", mapped.body)),
        Err(fault) => {
            say::note(format_args!("error {fault}"));
            if let Some(value) = &fault.value {
                say::note(format_args!("  from {} = {value}", fault.source_path));
            }
            if common.json {
                page::json(&json!({ "fault": fault }));
            }
            return Err(Failure::Found);
        }
    }
    Ok(())
}

/// What is mapped: the canonical form of an order, however it came; for other mappings the input as it is.
fn source(common: &Common, input: &[u8], of_order: bool) -> Result<Value, Failure> {
    let value: Value = serde_json::from_slice(input)
        .map_err(|error| Failure::Usage(format!("standard input is no JSON: {error}")))?;
    if !of_order || value.get("order_id").is_some() {
        return Ok(value);
    }
    let order = if value.get("line_items").is_some() {
        orders::from_rest(input)
    } else if let Some(order) = value.get("order").filter(|order| order.get("line_items").is_some()) {
        orders::from_rest_value(order)
    } else if ["data", "order", "lineItems"].iter().any(|name| value.get(name).is_some()) {
        orders::from_graphql(input)
    } else {
        let text = "standard input is no order: neither a webhook's body (line_items), nor the answer of a GraphQL read \
                    (data.order), nor a canonical order (order_id)";
        return Err(Failure::Usage(text.to_owned()));
    };
    let order = order.map_err(|fault| {
        say::note(format_args!("error {}: {fault}", fault.code.as_str()));
        if common.json {
            let (code, path) = (fault.code.as_str(), &fault.path);
            page::json(&json!({ "fault": { "code": code, "source_path": path, "message": fault.message } }));
        }
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
        let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let mapping = match read(&file)? {
            Ok(mapping) => mapping,
            Err(findings) => {
                good = false;
                say::note(config::render(&findings));
                all.push(json!({ "mapping": name, "findings": findings, "cases": [] }));
                continue;
            }
        };
        let folder = dir.join("cases").join(&name);
        if !folder.is_dir() {
            say::note(format_args!("{name}: no cases; they would be folders in {}", folder.display()));
            continue;
        }
        let cases = cases::read_folder(&folder).map_err(anyhow::Error::from)?;
        let report = cases::run(&mapping, &cases);
        good &= report.is_good();
        if !common.json {
            say::out(&report);
        }
        all.push(json!({ "mapping": name, "findings": [], "cases": report.cases }));
    }
    if common.json {
        page::json(&json!({ "mappings": all, "holds": good && !all.is_empty() }));
    }
    if all.is_empty() {
        return Err(Failure::NotFound(format!("{} holds no mapping with cases", dir.display())));
    }
    if good { Ok(()) } else { Err(Failure::Found) }
}
