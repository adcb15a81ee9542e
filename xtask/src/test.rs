//! `cargo xtask test`: every check and test of the project, in the order in which they are cheap.
//!
//! The real systems are installed and started beside the compiler. The test runner comes last, so that
//! its summary closes the output. What a check looks for belongs to the check.

use crate::process::{self, cargo};
use crate::runner::{self, Choice, Scope};
use crate::services::{NEEDED_BY_TESTS, Services};
use crate::tidy;
use crate::wasm;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::thread::JoinHandle;

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                           everything; starts Tryton, PostgreSQL and Medusa first, stops them at the end
  cargo xtask test --fast                    without them and the tests whose name has `real_` and theirs
  cargo xtask test -p kernel -p store        format, tidy, clippy and tests of two crates
  cargo xtask test -p engine -- -E 'test(breaker)'   arguments for the test runner

A service that ran before is left running. Where cargo-nextest is missing it is installed; where that is
not possible, `cargo test` takes its place.";

/// Format, clippy, tidy, doc tests, WebAssembly and tests: what the CI runs
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
    checks(root, args, &scope, &mut steps);
    let checked = steps.failed();
    // Waited for in any case: what was started has to be stopped.
    let running = match services {
        Some(services) => steps.step("services", || services.wait()),
        None => None,
    };
    let result = match checked {
        Err(error) if !args.keep_going => {
            steps.table();
            Err(error)
        }
        _ => tests(root, args, &scope, steps, running.as_ref()),
    };
    if !args.keep_services {
        running.unwrap_or_default().stop_what_we_started()?;
    }
    result
}

fn checks(root: &Path, args: &Args, scope: &Scope, steps: &mut Steps) {
    steps.step("format", || process::succeed(&mut format(root, scope)));
    steps.step("tidy", || tidy::run(root, &tidy::Args::under(scope.folders())));
    steps.step("clippy", || process::succeed(&mut clippy(root, scope)));
    if args.keep_going || steps.failed().is_ok() {
        steps.step("doc tests", || doc_tests(root, scope));
        if wasm::PACKAGES.iter().any(|package| scope.has(package)) {
            steps.step("wasm", || wasm::run(root, &wasm::Args::TEST));
        }
    }
}

/// The runner's summary is the last line if all is well. Without the real systems, wanted so or because they could not
/// be had, all other tests are run; what could not be had is an error all the same.
fn tests(root: &Path, args: &Args, scope: &Scope, mut steps: Steps, running: Option<&Running>) -> Result<()> {
    let runner = steps.step("test runner", || runner::find(root)).unwrap_or(runner::Runner::CargoTest);
    steps.table();
    println!("==> tests");
    let settings = running.map_or(&[][..], |running| &running.settings);
    let choice = Choice { scope, fast: running.is_none(), arguments: &args.runner, settings };
    runner.run(root, &choice)?;
    steps.failed()
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
    fn failed(&self) -> Result<()> {
        let failed: Vec<_> = self.taken.iter().filter(|(_, _, ok)| !ok).map(|&(name, ..)| name).collect();
        if failed.is_empty() {
            return Ok(());
        }
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
            match NEEDED_BY_TESTS.iter().try_for_each(|name| running.add(&services, name)) {
                Ok(()) => Ok(running),
                // Why it did not start is worth more than that it cannot be stopped either.
                Err(error) => {
                    running.stop_what_we_started().unwrap_or_else(|stop| println!("{stop:#}"));
                    Err(error)
                }
            }
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
    fn add(&mut self, services: &Services, name: &'static str) -> Result<()> {
        if !services.runs(name)? {
            self.started.push((services.clone(), name));
        }
        self.settings.extend(services.ensure(name)?);
        Ok(())
    }

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
        assert!(steps.failed().is_ok());
        assert_eq!(steps.step::<()>("clippy", || bail!("no")), None);
        assert_eq!(steps.failed().unwrap_err().to_string(), "failed: clippy");
    }
}
