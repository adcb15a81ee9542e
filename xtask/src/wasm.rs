//! `cargo xtask wasm`: the rules of prices compile to WebAssembly and give there what the oracle gives, and so do the Shopify
//! Functions that are made of them, within Shopify's limits. Owns which targets are built and what runs them; the cases are
//! `crates/pricing/tests/oracle`'s.

mod count;
mod function;

use crate::process::{self, cargo};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;

const EXAMPLES: &str = "\
Examples:
  cargo xtask wasm                   builds rules and functions, runs the oracle's cases in both, counts instructions
  cargo xtask wasm --cases 1000000   more of them, optimised
  cargo xtask wasm --build           does not run anything: no Node.js is needed

The targets are added with rustup where they are missing. The cases are run by Node.js (Debian: apt-get install nodejs).";

/// The rules of prices and the Shopify Functions in WebAssembly, against the oracle and Shopify's limits
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How many random cases; optimised if it is said
    #[arg(long)]
    cases: Option<u64>,
    /// Only builds
    #[arg(long, conflicts_with = "cases")]
    build: bool,
}

/// The crate that has to run everywhere.
const PACKAGE: &str = "tidegate-pricing";
/// The crates that it is about.
pub(crate) const PACKAGES: [&str; 2] = [PACKAGE, function::PACKAGE];

/// Without any system around it, as a function or a page has it.
const BARE: &str = "wasm32-unknown-unknown";
/// With a command line, so that tests can be run.
const WASI: &str = "wasm32-wasip1";

/// How many cases are run where nobody says more: not optimised, a few seconds.
const USUAL_CASES: u64 = 5_000;

impl Args {
    /// What `cargo xtask test` wants of it.
    pub(crate) const TEST: Self = Self { cases: None, build: false };
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    ensure_target(root, BARE)?;
    process::succeed(cargo(root, ["build", "--quiet", "-p", PACKAGE, "--lib", "--target"]).arg(BARE))?;
    println!("    {PACKAGE} is built for {BARE}");
    function::build(root)?;
    if args.build {
        return Ok(());
    }
    needs_node()?;
    process::succeed(&mut oracle(root, args)?)?;
    function::run(root, args.cases)
}

fn needs_node() -> Result<()> {
    let node = Command::new("node").arg("--version").output();
    if !node.is_ok_and(|output| output.status.success()) {
        bail!(
            "there is no `node`, which runs WebAssembly here: install it (Debian: apt-get install nodejs), or look at \
             the build alone with `cargo xtask wasm --build`"
        );
    }
    Ok(())
}

/// The oracle's tests, compiled for WASI.
fn oracle(root: &Path, args: &Args) -> Result<Command> {
    let runner = root.join("xtask/wasi.mjs");
    let runner = runner.to_str().context("the project lies in a folder whose name is not UTF-8")?;
    let mut command = cargo(root, ["test", "--quiet", "-p", PACKAGE, "--test", "oracle", "--target", WASI]);
    command.env("CARGO_TARGET_WASM32_WASIP1_RUNNER", format!("node --no-warnings {runner}"));
    if args.cases.is_some() {
        command.arg("--release");
    }
    command.env("TIDEGATE_ORACLE_CASES", args.cases.unwrap_or(USUAL_CASES).to_string());
    command.args(["--", "the_library_gives", "the_oracle_gives", "--nocapture"]);
    Ok(command)
}

fn ensure_target(root: &Path, target: &str) -> Result<()> {
    let mut list = Command::new("rustup");
    list.current_dir(root).args(["target", "list", "--installed"]);
    let installed = process::capture(&mut list)
        .context("targets are added with rustup: install it, or the target by other means")?;
    if installed.lines().any(|line| line.trim() == target) {
        return Ok(());
    }
    process::succeed(Command::new("rustup").current_dir(root).args(["target", "add", target]))
}
