//! Starts other programs: where the project is, cargo without the traces of the cargo that started
//! us, and errors that show the command to run by hand. Decides nothing about what is run.

use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let own = PathBuf::from(own);
    own.parent().map(Path::to_path_buf).unwrap_or(own)
}

/// Where cargo puts what it builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root.join(dir),
        None => root.join("target"),
    }
}

/// Cargo in the workspace. What `cargo run` sets for us is taken out again: some build scripts look
/// at it, and would be built anew for every command.
pub(crate) fn cargo<S: AsRef<OsStr>>(root: &Path, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_from_cargo_run) {
            command.env_remove(name);
        }
    }
    command
}

fn is_from_cargo_run(name: &str) -> bool {
    name == "OUT_DIR" || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|p| name.starts_with(p))
}

/// The command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words = vec![program.to_string_lossy().into_owned()];
    for arg in command.get_args() {
        let arg = arg.to_string_lossy();
        let plain = arg.chars().all(|c| c.is_ascii_alphanumeric() || "-_=./:,@".contains(c));
        words.push(if plain && !arg.is_empty() { arg.into_owned() } else { format!("'{arg}'") });
    }
    words.join(" ")
}

/// Runs it with our own input and output; anything but success is an error.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs it and takes what it prints on stdout; stderr is shown only when it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = output(command)?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        bail!("`{}` failed ({})", shown(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` printed what is not UTF-8", shown(command)))
}

/// Runs it and takes everything, success or not.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{}`", shown(command)))
}

/// Becomes the program: its signals and its exit code are ours. Returns only if it cannot start.
pub(crate) fn become_program(command: &mut Command) -> Result<()> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", shown(command)))
}

/// Seconds since `start`, for a person.
pub(crate) fn seconds_since(start: Instant) -> String {
    format!("{:.1} s", start.elapsed().as_secs_f64())
}

/// The only look at the wall clock: how long a step took.
#[expect(clippy::disallowed_methods, reason = "xtask measures real durations for a person")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::{capture, is_from_cargo_run, shown, succeed};
    use std::process::Command;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["nextest", "run", "-E", "not test(real_)", "--profile=ci"]);
        assert_eq!(shown(&command), "cargo nextest run -E 'not test(real_)' --profile=ci");
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = succeed(Command::new("sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert_eq!(error, "`sh -c 'exit 3'` failed (exit status: 3)");
        let error = succeed(&mut Command::new("no-such-program-anywhere")).unwrap_err().to_string();
        assert_eq!(error, "cannot start `no-such-program-anywhere`");
        assert_eq!(capture(Command::new("printf").arg("a b")).unwrap(), "a b");
    }

    #[test]
    fn only_the_traces_of_cargo_run_are_removed() {
        for (name, removed) in [
            ("CARGO_PKG_NAME", true),
            ("CARGO_MANIFEST_DIR", true),
            ("OUT_DIR", true),
            ("CARGO_HOME", false),
            ("CARGO_TARGET_DIR", false),
            ("CARGO_NET_OFFLINE", false),
            ("PATH", false),
        ] {
            assert_eq!(is_from_cargo_run(name), removed, "{name}");
        }
    }
}
