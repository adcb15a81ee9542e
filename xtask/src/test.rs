//! `cargo xtask test`: every check and test of the project, in the order in which they are cheap.
//!
//! The real systems are installed and started beside the compiler. The test runner comes last, so that
//! its summary closes the output. What a check looks for belongs to the check.

use crate::process::{self, cargo};
use crate::runner::{self, Choice, Scope};
use crate::services::{NEEDED_BY_TESTS, Services};
use crate::tidy;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                           everything; starts Tryton first, stops it again at the end
  cargo xtask test --fast                    without the real systems and the tests whose name has `real_`
  cargo xtask test -p kernel -p store        format, tidy, clippy and tests of two crates
  cargo xtask test -p engine -- -E 'test(breaker)'   arguments for the test runner

A service that ran before is left running. Where cargo-nextest is missing it is installed; where that is
not possible, `cargo test` takes its place.";

/// Format, clippy, tidy, doc tests and tests: what the CI runs
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Without the real systems, and without the tests that need them
    #[arg(long)]
    fast: bool,
    /// Only these crates, by their own or their folder's name
    #[arg(short, long = "package", value_name = "CRATE")]
    packages: Vec<String>,
    /// Runs the tests even if a check before them failed
    #[arg(long)]
    keep_going: bool,
    /// Leaves the real systems running
    #[arg(long)]
    keep_services: bool,
    /// Arguments for the test runner
    #[arg(last = true)]
    runner: Vec<String>,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let scope = Scope::new(root, &args.packages)?;
    let services = (!args.fast).then(|| Ensuring::start(Services::new(root, None)));

    let mut steps = Steps::default();
    steps.step("format", || process::succeed(&mut format(root, &scope)));
    steps.step("tidy", || tidy::run(root, &tidy::Args::default()));
    steps.step("clippy", || process::succeed(&mut clippy(root, &scope)));
    steps.stop_unless(args.keep_going)?;
    steps.step("doc tests", || doc_tests(root, &scope));
    let mut running = None;
    if let Some(services) = services {
        steps.step("services", || services.wait().map(|up| running = Some(up)));
    }
    let runner = steps.step("test runner", || runner::find(root));
    steps.stop_unless(args.keep_going && running.is_some() != args.fast)?;

    steps.table();
    let running = running.unwrap_or_default();
    let choice =
        Choice { scope: &scope, fast: args.fast, arguments: &args.runner, settings: &running.settings };
    let tested = runner.unwrap_or(runner::Runner::CargoTest).run(root, &choice);
    if !args.keep_services {
        running.stop_what_we_started()?;
    }
    tested?;
    steps.stop_unless(false)
}

/// The steps that were taken, how long each took and which failed.
#[derive(Default)]
struct Steps {
    taken: Vec<(&'static str, String, bool)>,
}

impl Steps {
    fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("==> {name}");
        let start = process::now();
        let result = work();
        let duration = process::seconds_since(start);
        self.taken.push((name, duration, result.is_ok()));
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                println!("error: {name}: {error:#}");
                None
            }
        }
    }

    /// An error that names the failed steps, if there are any.
    fn stop_unless(&self, go_on: bool) -> Result<()> {
        let failed: Vec<_> = self.taken.iter().filter(|(_, _, ok)| !ok).map(|&(name, ..)| name).collect();
        if failed.is_empty() || go_on {
            return Ok(());
        }
        self.table();
        bail!("failed: {}", failed.join(", "));
    }

    fn table(&self) {
        for (name, duration, ok) in &self.taken {
            println!("    {name:<12} {duration:>8}  {}", if *ok { "ok" } else { "FAILED" });
        }
    }
}

fn format(root: &Path, scope: &Scope) -> Command {
    let which = if scope.is_whole() { vec!["--all".to_owned()] } else { scope.arguments() };
    let mut command = cargo(root, ["fmt"]);
    command.args(which).args(["--", "--check"]);
    command
}

fn clippy(root: &Path, scope: &Scope) -> Command {
    let mut command = cargo(root, ["clippy", "--quiet"]);
    command.args(scope.arguments()).args(["--all-targets", "--", "-D", "warnings"]);
    command
}

/// Their many "running 0 tests" are shown only when something is wrong.
fn doc_tests(root: &Path, scope: &Scope) -> Result<()> {
    let Some(libraries) = scope.libraries() else {
        return Ok(());
    };
    let mut command = cargo(root, ["test", "--doc"]);
    command.args(libraries);
    let output = process::output(&mut command)?;
    if !output.status.success() {
        print!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("`{}` failed", process::shown(&command));
    }
    Ok(())
}

/// The real systems on their way up, beside the compiler.
struct Ensuring {
    thread: JoinHandle<Result<Running>>,
}

impl Ensuring {
    fn start(services: Services) -> Self {
        let ensure = move || {
            let mut running = Running::default();
            for &name in NEEDED_BY_TESTS {
                if !services.runs(name)? {
                    running.started.push((services.clone(), name));
                }
                running.settings.extend(services.ensure(name)?);
            }
            running.settings.push(("TIDEGATE_TEST_SERVICES".to_owned(), NEEDED_BY_TESTS.join(",")));
            Ok(running)
        };
        Self { thread: std::thread::spawn(ensure) }
    }

    fn wait(self) -> Result<Running> {
        let joined = self.thread.join();
        joined.ok().context("the thread that starts the services died")?
    }
}

/// What the tests are told about the real systems, and which of these we started.
#[derive(Default)]
struct Running {
    settings: Vec<(String, String)>,
    started: Vec<(Services, &'static str)>,
}

impl Running {
    fn stop_what_we_started(&self) -> Result<()> {
        self.started.iter().try_for_each(|(services, name)| services.stop(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named_and_stops_the_rest() {
        let mut steps = Steps::default();
        assert_eq!(steps.step("format", || Ok(1)), Some(1));
        assert!(steps.stop_unless(false).is_ok());
        assert_eq!(steps.step::<()>("clippy", || bail!("no")), None);
        assert_eq!(steps.stop_unless(false).unwrap_err().to_string(), "failed: clippy");
        assert!(steps.stop_unless(true).is_ok());
    }
}
