//! The Shopify Functions as they are deployed: built, weighed, run over the oracle's cases and over large carts, their instructions
//! counted. Owns Shopify's limits; the cases and what has to come out are `functions/prices/tests/functions`'s.

use super::{WASI, count, ensure_target};
use crate::process::{self, cargo};
use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) const PACKAGE: &str = "tidegate-function";

/// Each function, and the field of a row that has what it is to answer.
const FUNCTIONS: &[(&str, &str)] =
    &[("tidegate-cart-transform", "cart_transform"), ("tidegate-discounts", "discounts")];

/// "The size of the Wasm binary file for Function is too large. It must be less than 256 KB"; taken as the smaller of the two kB.
const BYTES_MAX: u64 = 256_000;
/// The three of Shopify's own runner (Shopify/function-runner, src/function_run_result.rs), for carts of up to 200 lines.
const INSTRUCTIONS_MAX: u64 = 11_000_000;
const INPUT_MAX: u64 = 128_000;
const OUTPUT_MAX: u64 = 20_000;

/// How many cases where nobody says more.
const USUAL_CASES: u64 = 3_000;

pub(super) fn build(root: &Path) -> Result<()> {
    ensure_target(root, WASI)?;
    let mut build =
        cargo(root, ["build", "--quiet", "--profile", "function", "-p", PACKAGE, "--bins", "--target", WASI]);
    process::succeed(&mut build)?;
    for (name, _) in FUNCTIONS {
        let path = built(root, name);
        let bytes = std::fs::metadata(&path).with_context(|| path.display().to_string())?.len();
        println!("    {name} has {bytes} bytes of the {BYTES_MAX} that Shopify takes");
        ensure!(
            bytes <= BYTES_MAX,
            "{name} is too large for Shopify: look at what it uses with `cargo tree -e normal -p {PACKAGE}`"
        );
    }
    Ok(())
}

fn built(root: &Path, name: &str) -> PathBuf {
    process::target(root).join(WASI).join("function").join(format!("{name}.wasm"))
}

pub(super) fn run(root: &Path, cases: Option<u64>) -> Result<()> {
    let folder = process::target(root).join("function");
    std::fs::create_dir_all(&folder)?;
    let (rows, carts) = (folder.join("rows.ndjson"), folder.join("carts.ndjson"));
    let mut write = cargo(root, ["test", "--quiet", "-p", PACKAGE, "--test", "functions", "--"]);
    write.args(["the_functions_give", "large_carts", "--nocapture"]);
    write.env("TIDEGATE_FUNCTION_CASES", cases.unwrap_or(USUAL_CASES).to_string());
    write.env("TIDEGATE_FUNCTION_ROWS", &rows).env("TIDEGATE_FUNCTION_CARTS", &carts);
    process::succeed(&mut write)?;
    for (name, field) in FUNCTIONS {
        let module = built(root, name);
        let told = node(root, &module, &rows, field, None)?;
        let all = told.last().context("the runner says nothing")?;
        ensure!(figure(all, "rows")? > 0, "no case was run");
        println!("    {name}: {} cases give what the oracle gives", figure(all, "rows")?);
        let counting = folder.join(format!("{name}.counting.wasm"));
        std::fs::write(
            &counting,
            count::counting(&std::fs::read(&module)?).with_context(|| name.to_string())?,
        )?;
        let told = node(root, &counting, &carts, field, Some(count::EXPORT))?;
        for cart in told.iter().filter(|row| row["cart"].is_string()) {
            weigh(name, cart)?;
        }
    }
    Ok(())
}

/// A cart against the limits.
fn weigh(name: &str, cart: &serde_json::Value) -> Result<()> {
    let figures = ["instructions", "input", "output"].map(|field| figure(cart, field));
    let [instructions, input, output] = figures;
    let (instructions, input, output) = (instructions?, input?, output?);
    println!(
        "    {name}, {}: {instructions} instructions of {INSTRUCTIONS_MAX}, {input} bytes in of {INPUT_MAX}, {output} out of {OUTPUT_MAX}",
        cart["cart"].as_str().unwrap_or_default()
    );
    ensure!(instructions > 0, "its instructions were not counted");
    let limits = [(instructions, INSTRUCTIONS_MAX), (input, INPUT_MAX), (output, OUTPUT_MAX)];
    if limits.iter().any(|(is, most)| is > most) {
        bail!("that is more than Shopify allows for a cart of up to 200 lines");
    }
    Ok(())
}

fn figure(row: &serde_json::Value, field: &str) -> Result<u64> {
    row[field].as_u64().with_context(|| format!("the runner says no `{field}`"))
}

fn node(
    root: &Path,
    module: &Path,
    rows: &Path,
    field: &str,
    count: Option<&str>,
) -> Result<Vec<serde_json::Value>> {
    let mut node = Command::new("node");
    node.arg("--no-warnings")
        .arg(root.join("xtask/function.mjs"))
        .arg(module)
        .arg(rows)
        .arg(field)
        .args(count);
    let told = process::capture(&mut node)?;
    told.lines().map(|line| serde_json::from_str(line).context("the runner says what is no JSON")).collect()
}
