//! A store of others as a process of its own (PostgreSQL, Redis): started by its script, killed, started again on the
//! same files. How one is installed belongs to the script (`services/README.md`).

use super::clock::{cpu_tree_s, resident_tree_mb};
use anyhow::{Context as _, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::process::Command;

/// A store in a folder of its own, that runs.
#[derive(Debug)]
pub struct Service {
    script: PathBuf,
    folder: PathBuf,
    /// What the script prints: where it is, and its process.
    pub settings: Vec<(String, String)>,
    stopped: AtomicBool,
}

impl Service {
    /// Returns when it answers. Its state lies under `folder`.
    pub async fn start(script: &Path, folder: &Path) -> anyhow::Result<Self> {
        let mut service = Self {
            script: script.to_owned(),
            folder: folder.to_owned(),
            settings: Vec::new(),
            stopped: AtomicBool::new(false),
        };
        service.start_again().await?;
        Ok(service)
    }

    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        let lines = self.script("start").await?;
        let setting =
            |line: &str| line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.settings = lines.lines().filter_map(setting).collect();
        Ok(())
    }

    /// SIGKILL of its first process; the others end when they see it gone.
    pub fn kill(&self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.with_context(|| format!("{} prints no process", self.script.display()))?;
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)
            .context("the store cannot be killed")
    }

    pub async fn stop(&self) -> anyhow::Result<()> {
        self.script("stop").await?;
        self.stopped.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The setting whose name ends so.
    pub fn setting(&self, suffix: &str) -> Option<&str> {
        self.settings.iter().find(|(key, _)| key.ends_with(suffix)).map(|(_, value)| value.as_str())
    }

    pub fn cpu_s(&self) -> f64 {
        cpu_tree_s(&[self.pid()])
    }

    pub fn resident_mb(&self) -> f64 {
        resident_tree_mb(&[self.pid()])
    }

    pub fn pid(&self) -> u32 {
        self.setting("_PID").and_then(|pid| pid.parse().ok()).unwrap_or(0)
    }

    async fn script(&self, verb: &str) -> anyhow::Result<String> {
        let output = Command::new("bash")
            .arg(&self.script)
            .args([verb, "--dir"])
            .arg(&self.folder)
            .stdin(Stdio::null())
            .output()
            .await
            .with_context(|| format!("{} cannot be run", self.script.display()))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} {verb}: {complaint}", self.script.display());
        String::from_utf8(output.stdout).context("the script prints text")
    }
}

/// A measurement that fails leaves no server behind.
impl Drop for Service {
    fn drop(&mut self) {
        if !self.stopped.load(Ordering::Relaxed) {
            // One that is gone already needs no end.
            let _ = self.kill();
        }
    }
}
