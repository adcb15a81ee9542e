//! A PostgreSQL of the torture's own, so that the server itself can be killed and nobody else's is. Knows the verbs of the
//! script that starts one, and no PostgreSQL.

use crate::demo::new_folder;
use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A server in a folder of its own; both are gone with this.
#[derive(Debug)]
pub(super) struct Server {
    script: PathBuf,
    folder: PathBuf,
    url: String,
    pid: Pid,
}

/// A server that was killed leaves processes behind that see it a moment later, and none starts beside them.
const TRIES_MAX: u32 = 20;

impl Server {
    pub async fn start(script: &Path) -> anyhow::Result<Self> {
        let script = script
            .canonicalize()
            .with_context(|| format!("{}: name services/postgres.sh", script.display()))?;
        let folder = new_folder(None)?;
        let (of_script, of_folder) = (script.clone(), folder.clone());
        let (url, pid) = tokio::task::spawn_blocking(move || started(&of_script, &of_folder)).await??;
        Ok(Self { script, folder, url, pid })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// SIGKILL: nothing is flushed, no client is told.
    pub fn kill(&self) -> anyhow::Result<()> {
        rustix::process::kill_process(self.pid, Signal::KILL).context("PostgreSQL cannot be killed")
    }

    /// At the same address, with what was on disk.
    pub async fn again(&mut self) -> anyhow::Result<()> {
        let (script, folder) = (self.script.clone(), self.folder.clone());
        let (url, pid) = tokio::task::spawn_blocking(move || started(&script, &folder)).await??;
        anyhow::ensure!(url == self.url, "PostgreSQL came back at another address");
        self.pid = pid;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that cannot be stopped is in its folder's log; the play is over.
        let _ = script(&self.script, "stop", &self.folder).output();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn script(script: &Path, verb: &str, folder: &Path) -> Command {
    let mut command = Command::new("bash");
    command.arg(script).arg(verb).arg("--dir").arg(folder);
    command
}

/// Its address and the number of its first process.
fn started(path: &Path, folder: &Path) -> anyhow::Result<(String, Pid)> {
    let mut told = String::new();
    for _ in 0..TRIES_MAX {
        let output = script(path, "start", folder).output().context("bash cannot be started")?;
        if output.status.success() {
            let lines = String::from_utf8_lossy(&output.stdout);
            let value =
                |name: &str| lines.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            let url = value("POSTGRES_URL").context("the script prints no POSTGRES_URL")?;
            let pid = value("POSTGRES_PID").and_then(|pid| Pid::from_raw(pid.parse().ok()?));
            return Ok((url.to_owned(), pid.context("the script prints no POSTGRES_PID")?));
        }
        told = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    bail!("PostgreSQL does not start: {told}")
}
