//! The real systems that tests need: installs, starts, stops them through the scripts of `services/`
//! and hands on the settings that these print. How one system is installed belongs to its script.

use crate::process;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What `cargo xtask test` starts, and what `ensure` and `env` mean when no name is given.
pub(crate) const NEEDED_BY_TESTS: &[&str] = &["tryton", "postgres", "medusa"];

const EXAMPLES: &str = "\
Examples:
  cargo xtask services ensure                    what the tests need; some minutes the first time
  cargo xtask services env tryton                its KEY=VALUE lines again
  set -a; . <(cargo xtask services env); set +a  into a shell, for `cargo nextest run` by hand
  cargo xtask services status                    which run
  cargo xtask services reset tryton              an empty start: stops it, forgets its data, starts it
  cargo xtask services stop                      all of them

State lies in target/services/NAME, programs in $TIDEGATE_TOOLS_DIR (~/.cache/tidegate-tools). Everything
listens on 127.0.0.1 with test passwords. TIDEGATE_TRYTON_PORT=… fixes a port,
TIDEGATE_TRYTON_DATABASE=postgres puts Tryton on PostgreSQL.";

/// Installs, starts and stops the real systems that tests need
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    verb: Verb,
    /// Which ones: the scripts in services/, without their .sh
    names: Vec<String>,
    /// Where their state lies [default: target/services]
    #[arg(long, env = "TIDEGATE_TEST_DIR")]
    dir: Option<PathBuf>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    /// Installs what is missing, starts it, waits until it answers, prints KEY=VALUE lines
    Ensure,
    /// The same as ensure
    Start,
    /// Stops it; its data stays
    Stop,
    /// Stops it, deletes its data, starts it
    Reset,
    /// Says which run
    Status,
    /// Prints the KEY=VALUE lines of the last start
    Env,
}

pub(crate) fn run(root: &Path, args: &Args) -> Result<()> {
    let services = Services::new(root, args.dir.clone());
    let names = services.chosen(&args.names, args.verb)?;
    match args.verb {
        Verb::Ensure | Verb::Start => names.iter().try_for_each(|name| services.print(name, "start")),
        Verb::Env => names.iter().try_for_each(|name| services.print(name, "env")),
        Verb::Stop => names.iter().try_for_each(|name| services.stop(name)),
        Verb::Reset => names.iter().try_for_each(|name| services.reset(name)),
        Verb::Status => {
            for name in &names {
                println!("{name}: {}", services.status(name)?);
            }
            Ok(())
        }
    }
}

/// The scripts and the folder that holds their state.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    scripts: PathBuf,
    state: PathBuf,
}

impl Services {
    pub(crate) fn new(root: &Path, state: Option<PathBuf>) -> Self {
        let state = state.unwrap_or_else(|| process::target(root).join("services"));
        Self { scripts: root.join("services"), state }
    }

    /// Starts what does not run; its settings.
    pub(crate) fn ensure(&self, name: &str) -> Result<Vec<(String, String)>> {
        let lines = process::capture(self.script(name, "start").stderr(Stdio::inherit()))?;
        settings(&lines).with_context(|| format!("services/{name}.sh start"))
    }

    pub(crate) fn runs(&self, name: &str) -> Result<bool> {
        Ok(process::output(&mut self.script(name, "status"))?.status.success())
    }

    pub(crate) fn stop(&self, name: &str) -> Result<()> {
        process::succeed(&mut self.script(name, "stop"))
    }

    fn status(&self, name: &str) -> Result<String> {
        let output = process::output(&mut self.script(name, "status"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn reset(&self, name: &str) -> Result<()> {
        self.stop(name)?;
        let state = self.state.join(name);
        if state.exists() {
            std::fs::remove_dir_all(&state).with_context(|| format!("cannot delete {}", state.display()))?;
        }
        self.print(name, "start")
    }

    fn print(&self, name: &str, verb: &str) -> Result<()> {
        process::succeed(&mut self.script(name, verb))
    }

    fn script(&self, name: &str, verb: &str) -> Command {
        let mut command = Command::new("bash");
        command.arg(self.scripts.join(format!("{name}.sh"))).arg(verb).arg("--dir").arg(&self.state);
        command
    }

    fn chosen(&self, names: &[String], verb: Verb) -> Result<Vec<String>> {
        let known = self.known()?;
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            bail!("no service `{unknown}`; there are: {}", known.join(", "));
        }
        Ok(match verb {
            _ if !names.is_empty() => names.to_vec(),
            Verb::Stop | Verb::Status => known,
            _ => NEEDED_BY_TESTS.iter().map(|&name| name.to_owned()).collect(),
        })
    }

    fn known(&self) -> Result<Vec<String>> {
        let mut known = Vec::new();
        for entry in std::fs::read_dir(&self.scripts).context("the folder services/ is missing")? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_suffix(".sh").filter(|&name| name != "lib") {
                known.push(name.to_owned());
            }
        }
        known.sort();
        Ok(known)
    }
}

fn settings(lines: &str) -> Result<Vec<(String, String)>> {
    let setting = |line: &str| match line.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => bail!("expected KEY=VALUE, got `{line}`"),
    };
    lines.lines().map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Services {
        Services::new(&process::root(), None)
    }

    #[test]
    fn settings_are_key_and_value() {
        let parsed = settings("A=1\nURL=http://127.0.0.1:1/?x=y\nEMPTY=\n").unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(parsed, [pair("A", "1"), pair("URL", "http://127.0.0.1:1/?x=y"), pair("EMPTY", "")]);
        assert_eq!(settings("hello").unwrap_err().to_string(), "expected KEY=VALUE, got `hello`");
    }

    #[test]
    fn a_service_is_a_script() {
        let known = services().known().unwrap();
        for name in NEEDED_BY_TESTS {
            assert!(known.iter().any(|k| k == name), "{name} has no script");
        }
        assert!(!known.contains(&"lib".to_owned()));
    }

    #[test]
    fn without_a_name_only_stop_and_status_mean_all() {
        let services = services();
        assert_eq!(services.chosen(&[], Verb::Ensure).unwrap(), NEEDED_BY_TESTS);
        assert_eq!(services.chosen(&[], Verb::Stop).unwrap(), services.known().unwrap());
        let error = services.chosen(&["sap".to_owned()], Verb::Ensure).unwrap_err().to_string();
        assert!(error.starts_with("no service `sap`; there are: "), "{error}");
    }
}
