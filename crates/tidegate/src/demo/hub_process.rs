//! The hub as a process that can be killed: started, waited for, ended by SIGKILL in the middle of whatever it does.

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// One hub, through all its lives.
#[derive(Debug)]
pub struct HubProcess {
    program: PathBuf,
    config: PathBuf,
    /// Keys that this process alone has otherwise than the file.
    set: Vec<String>,
    /// A variable that this process alone has, from the next start on.
    variable: Option<(&'static str, &'static str)>,
    /// Writing beyond a limit is an error to it, not its end.
    survives_limits: bool,
    log: PathBuf,
    url: String,
    client: reqwest::Client,
    child: Option<Child>,
    pub kills: u32,
}

/// A hub that is not ready by then does not start.
const READY_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Lines of the log of one that did not start.
const LAST_WORDS: usize = 5;

impl HubProcess {
    /// Of this very program.
    pub fn new(config: &Path, log: &Path, url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            program: std::env::current_exe().context("this program cannot be found")?,
            config: config.to_owned(),
            set: Vec::new(),
            variable: None,
            survives_limits: false,
            log: log.to_owned(),
            url: url.to_owned(),
            client: reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?,
            child: None,
            kills: 0,
        })
    }

    /// One key over the file, from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.set.push(format!("{key}={value}"));
    }

    /// One variable of its environment, or none, from the next start on.
    pub fn with_variable(&mut self, variable: Option<(&'static str, &'static str)>) {
        self.variable = variable;
    }

    /// From the next start on a limit on what it may write makes its writes fail, and does not kill it.
    pub fn survive_limits(&mut self) {
        self.survives_limits = true;
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process's number, while it lives.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Returns when it is ready to take webhooks.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let child = self
            .command()
            .args(["run", "--config"])
            .arg(&self.config)
            .args(self.set.iter().flat_map(|set| ["--set", set]))
            .envs(self.variable)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", self.program.display()))?;
        self.child = Some(child);
        let ready = tokio::time::timeout(READY_WITHIN, self.ready()).await;
        ready.with_context(|| {
            format!("the hub was not ready within {READY_WITHIN:?}: {}", self.last_words())
        })?
    }

    /// The program; by a shell where a signal has to be ignored, which is inherited.
    fn command(&self) -> Command {
        if !self.survives_limits {
            return Command::new(&self.program);
        }
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(&self.program);
        command
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        loop {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                bail!("the hub ended at once ({status}): {}", self.last_words());
            }
            let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            super::pause(LOOK_EVERY).await;
        }
    }

    /// The end of its log, and where the rest is.
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_else(|error| format!("no log: {error}"));
        let lines: Vec<&str> = log.lines().rev().take(LAST_WORDS).collect();
        let last: Vec<&str> = lines.into_iter().rev().collect();
        format!("see {}, which ends with\n{}", self.log.display(), last.join("\n"))
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("the hub cannot be killed")?;
            self.kills += 1;
        }
        Ok(())
    }

    /// SIGSTOP: it does nothing, keeps its connections and knows of no time that passes; until it is thawed.
    pub fn freeze(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: it goes on in the middle of what it did.
    pub fn thaw(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        if let Some(pid) = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            rustix::process::kill_process(pid, signal)?;
        }
        Ok(())
    }

    /// SIGTERM, and its end; looks what `/readyz` says meanwhile.
    pub async fn stop_watched(&mut self) -> anyhow::Result<Stopped> {
        let asked = super::stage::now();
        self.signal(Signal::TERM)?;
        let mut child = self.child.take().context("the hub does not run")?;
        let (mut red, mut requests) = (None, self.client.get(format!("{}/readyz", self.url)).send().await);
        // It answers for as long as its port is open.
        while let Ok(answer) = requests {
            if answer.status().as_u16() == 503 && red.is_none() {
                red = Some(super::stage::now());
            }
            super::pause(LOOK_EVERY).await;
            requests = self.client.get(format!("{}/readyz", self.url)).send().await;
        }
        let closed = super::stage::now();
        let status =
            tokio::time::timeout(READY_WITHIN, child.wait()).await.context("the hub does not stop")??;
        let span = |from: jiff::Timestamp, until: jiff::Timestamp| {
            Duration::try_from(until.duration_since(from)).unwrap_or_default()
        };
        Ok(Stopped {
            red_for: red.map(|red| span(red, closed)),
            took: span(asked, super::stage::now()),
            well: status.success(),
        })
    }

    /// SIGTERM, and its end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)?;
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let ended = tokio::time::timeout(READY_WITHIN, child.wait()).await;
        ended.context("the hub does not stop")??;
        Ok(())
    }
}

/// How a hub stopped that was asked to.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    /// How long `/readyz` was red before the port closed. Absent: it never was.
    pub red_for: Option<Duration>,
    pub took: Duration,
    /// It ended by itself and found nothing wrong.
    pub well: bool,
}
