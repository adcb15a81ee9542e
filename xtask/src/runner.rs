//! Which tests are run and by what: the crates of a run, and the test runner, which is installed where it
//! is missing and replaced by `cargo test` where that fails. Which checks come before it belongs to `test`.

use crate::process::{self, cargo};
use crate::services::NEEDED_BY_TESTS;
use crate::tidy;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// The version that is installed where there is none.
const NEXTEST_VERSION: &str = "0.9.143";

/// Tests against a real system have this and its name in theirs, so that `--fast` can leave them out.
const REAL_SYSTEM: &str = "real_";

/// The whole workspace or some of its crates.
#[derive(Debug)]
pub(crate) struct Scope {
    packages: Vec<String>,
    with_library: Vec<String>,
    folders: Vec<String>,
}

impl Scope {
    pub(crate) fn new(root: &Path, wanted: &[String]) -> Result<Self> {
        if wanted.is_empty() {
            return Ok(Self { packages: vec![], with_library: vec![], folders: vec![] });
        }
        let members = tidy::members(root)?;
        let mut scope = Self { packages: vec![], with_library: vec![], folders: vec![] };
        for name in wanted {
            let member = members.iter().find(|m| m.name == *name || m.name == format!("tidegate-{name}"));
            let Some(member) = member else {
                let names: Vec<_> = members.iter().map(|m| m.name.as_str()).collect();
                bail!("no crate `{name}`; there are: {}", names.join(", "));
            };
            scope.packages.push(member.name.clone());
            scope.folders.push(member.manifest.trim_end_matches("Cargo.toml").to_owned());
            if member.has_library {
                scope.with_library.push(member.name.clone());
            }
        }
        Ok(scope)
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.packages.is_empty()
    }

    pub(crate) fn has(&self, package: &str) -> bool {
        self.is_whole() || self.packages.iter().any(|name| name == package)
    }

    /// Where the crates lie; nothing for the whole workspace.
    pub(crate) fn folders(&self) -> Vec<String> {
        self.folders.clone()
    }

    /// For a command that takes `--workspace` or `-p`.
    pub(crate) fn arguments(&self) -> Vec<String> {
        Self::of(&self.packages)
    }

    /// The same for doc tests, which only libraries have; nothing if there are none.
    pub(crate) fn libraries(&self) -> Option<Vec<String>> {
        (self.is_whole() || !self.with_library.is_empty()).then(|| Self::of(&self.with_library))
    }

    fn of(packages: &[String]) -> Vec<String> {
        if packages.is_empty() {
            return vec!["--workspace".to_owned()];
        }
        packages.iter().flat_map(|name| ["-p".to_owned(), name.clone()]).collect()
    }
}

/// What a run of the tests is about.
#[derive(Debug)]
pub(crate) struct Choice<'a> {
    pub(crate) scope: &'a Scope,
    /// Without the tests that need real systems.
    pub(crate) fast: bool,
    /// For the runner itself.
    pub(crate) arguments: &'a [String],
    /// What the tests are told about the real systems.
    pub(crate) settings: &'a [(String, String)],
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    pub(crate) fn run(self, root: &Path, choice: &Choice<'_>) -> Result<()> {
        match self {
            Self::Nextest => process::succeed(&mut nextest(root, choice)),
            Self::CargoTest => cargo_test(root, choice),
        }
    }
}

/// The test runner that is here, or that can be installed.
pub(crate) fn find(root: &Path) -> Result<Runner> {
    let there =
        || process::output(&mut cargo(root, ["nextest", "--version"])).is_ok_and(|o| o.status.success());
    if there() {
        return Ok(Runner::Nextest);
    }
    println!("cargo-nextest is missing: installing {NEXTEST_VERSION}");
    // Without optimisation and self-update: a third of the time to build, and it only starts processes.
    let mut install = cargo(root, ["install", "--quiet", "--locked", "--debug", "--no-default-features"]);
    install.args(["--features", "default-no-update", "--version", NEXTEST_VERSION, "cargo-nextest"]);
    match process::succeed(&mut install) {
        Ok(()) if there() => Ok(Runner::Nextest),
        Ok(()) => {
            println!("cargo-nextest is installed but cargo does not find it: using cargo test");
            Ok(Runner::CargoTest)
        }
        Err(error) => {
            println!("{error:#}: using cargo test");
            Ok(Runner::CargoTest)
        }
    }
}

/// What it prints, on stdout like everything else here, ends with its summary.
fn nextest(root: &Path, choice: &Choice<'_>) -> Command {
    let mut command = cargo(root, ["nextest", "run", "--cargo-quiet", "--profile", "ci"]);
    command.args(choice.scope.arguments());
    if !choice.scope.is_whole() {
        command.arg("--no-tests=pass");
    }
    command.args(choice.arguments).env("INSTA_UPDATE", "no").envs(choice.settings.iter().cloned());
    if choice.fast {
        command.arg("--").args(skip_real_systems());
    }
    command.stderr(Stdio::from(std::io::stdout()));
    command
}

fn cargo_test(root: &Path, choice: &Choice<'_>) -> Result<()> {
    let mut command = cargo(root, ["test", "--no-fail-fast", "--quiet", "--all-targets"]);
    command.args(choice.scope.arguments()).arg("--").args(choice.arguments);
    if choice.fast {
        command.args(skip_real_systems());
    }
    command.env("INSTA_UPDATE", "no").envs(choice.settings.iter().cloned());
    let output = process::output(command.stderr(Stdio::inherit()))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    print!("{printed}");
    println!("{}", summary(&printed));
    if !output.status.success() {
        bail!("`{}` failed", process::shown(&command));
    }
    Ok(())
}

fn skip_real_systems() -> impl Iterator<Item = String> {
    NEEDED_BY_TESTS.iter().flat_map(|name| ["--skip".to_owned(), format!("{REAL_SYSTEM}{name}")])
}

/// One line for the many that `cargo test` prints.
fn summary(printed: &str) -> String {
    let results = printed.lines().filter(|line| line.starts_with("test result:"));
    let count = |what: &str| -> u64 {
        let number = |line: &str| {
            let part = line.split([';', '.']).find(|part| part.trim().ends_with(what))?;
            part.split_whitespace().next()?.parse::<u64>().ok()
        };
        results.clone().filter_map(number).sum()
    };
    let (passed, failed, ignored) = (count(" passed"), count(" failed"), count(" ignored"));
    format!("Summary {} tests run: {passed} passed, {failed} failed, {ignored} skipped", passed + failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_cargo_test_are_added_up() {
        let printed = "\
running 2 tests
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.10s
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s
";
        assert_eq!(summary(printed), "Summary 17 tests run: 15 passed, 2 failed, 1 skipped");
        assert_eq!(summary(""), "Summary 0 tests run: 0 passed, 0 failed, 0 skipped");
    }

    #[test]
    fn the_runner_comes_with_the_ci_profile_and_without_real_systems_when_fast() {
        let root = process::root();
        let scope = Scope { packages: vec![], with_library: vec![], folders: vec![] };
        let arguments = ["--retries=0".to_owned()];
        let choice = Choice { scope: &scope, fast: true, arguments: &arguments, settings: &[] };
        assert_eq!(
            process::shown(&nextest(&root, &choice)),
            "cargo nextest run --cargo-quiet --profile ci --workspace --retries=0 -- --skip real_tryton --skip real_postgres --skip real_medusa"
        );
    }
}
