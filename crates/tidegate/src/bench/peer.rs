//! A peer: what a team would write in Tidegate's place, from a folder under `bench/peers/` that says how it is started.
//! It takes the same webhooks at the same path and delivers to the same back office; its queue lies in a store of its own.

use super::service::Service;
use super::stage::{CLIENT_SECRET, CONCURRENCY, free_address};
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// Where a peer is looked for by its name.
const PEERS: &str = "bench/peers";

/// How a Redis is started.
pub fn redis_script() -> anyhow::Result<PathBuf> {
    let script = Path::new(PEERS).join("redis.sh");
    script
        .canonicalize()
        .with_context(|| format!("{} is missing: run it from the repository", script.display()))
}
const READY_WITHIN: Duration = Duration::from_secs(60);

/// `peer.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The script that starts its store.
    store: PathBuf,
    /// Program and arguments; a first part with a slash is relative to the folder.
    program: Vec<String>,
    /// One process for each, which finds its own in `ROLE`; the first takes the webhooks.
    roles: Vec<String>,
}

/// How a peer is started.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub name: String,
    folder: PathBuf,
    manifest: Manifest,
}

impl Recipe {
    /// By the name of a folder in `bench/peers`, or by any folder; what it needs from npm is installed.
    pub async fn of(name: &str) -> anyhow::Result<Self> {
        let folder = if name.contains('/') { PathBuf::from(name) } else { Path::new(PEERS).join(name) };
        let folder = folder.canonicalize().with_context(|| {
            format!("there is no peer at {}; run it from the repository", folder.display())
        })?;
        let path = folder.join("peer.toml");
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("{} is missing", path.display()))?;
        let manifest: Manifest = toml::from_str(&text).with_context(|| path.display().to_string())?;
        ensure!(
            !manifest.program.is_empty() && !manifest.roles.is_empty(),
            "{} names no process",
            path.display()
        );
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or(name).to_owned();
        let recipe = Self { name, folder, manifest };
        recipe.install().await?;
        Ok(recipe)
    }

    /// `npm ci` in the folder of the peers, where what is installed is not what the lock file says.
    async fn install(&self) -> anyhow::Result<()> {
        let peers = self.folder.parent().context("a peer's folder lies among the peers")?;
        let changed = |file: &str| std::fs::metadata(peers.join(file)).and_then(|file| file.modified()).ok();
        let Some(locked) = changed("package-lock.json") else { return Ok(()) };
        if changed("node_modules/.package-lock.json").is_some_and(|installed| installed >= locked) {
            return Ok(());
        }
        eprintln!("  … npm ci in {}", peers.display());
        // No script of any package is run: none is needed.
        let status = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(peers)
            .stdin(Stdio::null())
            .status()
            .await
            .context("npm cannot be run: a peer needs Node and npm")?;
        ensure!(status.success(), "npm ci in {}: {status}", peers.display());
        Ok(())
    }
}

/// A peer in a folder of its own, with a store of its own that runs.
#[derive(Debug)]
pub struct Peer {
    recipe: Recipe,
    folder: PathBuf,
    pub store: Service,
    pub address: SocketAddr,
    erp: String,
    processes: Vec<Child>,
}

/// What its queue says that it holds.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Counts {
    pub given_up: u64,
}

impl Peer {
    /// Everything but its processes' start.
    pub async fn set(parent: &Path, recipe: &Recipe, erp: &str) -> anyhow::Result<Self> {
        let folder = parent.join(&recipe.name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let store =
            Service::start(&recipe.folder.join(&recipe.manifest.store), &folder.join("store")).await?;
        let address = free_address().await?;
        Ok(Self {
            recipe: recipe.clone(),
            folder,
            store,
            address,
            erp: erp.to_owned(),
            processes: Vec::new(),
        })
    }

    /// All its processes; returns when it takes webhooks.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.start_roles(self.recipe.manifest.roles.len()).await
    }

    /// The one that takes webhooks, alone.
    pub async fn start_door(&mut self) -> anyhow::Result<()> {
        self.start_roles(1).await
    }

    async fn start_roles(&mut self, count: usize) -> anyhow::Result<()> {
        for role in self.recipe.manifest.roles.iter().take(count) {
            let log = File::options().create(true).append(true).open(self.folder.join("peer.log"))?;
            let program = &self.recipe.manifest.program;
            let first = if program[0].contains('/') {
                self.recipe.folder.join(&program[0])
            } else {
                PathBuf::from(&program[0])
            };
            let child = Command::new(&first)
                .args(&program[1..])
                .current_dir(&self.recipe.folder)
                .envs(self.store.settings.iter().map(|(key, value)| (key, value)))
                .env("NODE_ENV", "production")
                .env("ROLE", role)
                .env("PORT", self.address.port().to_string())
                .env("SHOPIFY_CLIENT_SECRET", CLIENT_SECRET)
                .env("ERP_URL", &self.erp)
                .env("CONCURRENCY", CONCURRENCY.to_string())
                .stdin(Stdio::null())
                .stdout(log.try_clone()?)
                .stderr(log)
                .kill_on_drop(true)
                .spawn()
                .with_context(|| format!("{} cannot be started", first.display()))?;
            self.processes.push(child);
        }
        let ready = tokio::time::timeout(READY_WITHIN, self.ready()).await;
        ready.with_context(|| format!("{} was not ready: see {}", self.recipe.name, self.folder.display()))?
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).build()?;
        loop {
            for process in &mut self.processes {
                if let Some(status) = process.try_wait()? {
                    bail!("{} ended at once ({status}): see {}", self.recipe.name, self.folder.display());
                }
            }
            let answer = client.get(format!("http://{}/readyz", self.address)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            crate::demo::pause(Duration::from_millis(20)).await;
        }
    }

    /// SIGKILL of all its processes; its store goes on.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        for mut process in self.processes.drain(..) {
            process.kill().await.context("a peer's process cannot be killed")?;
        }
        Ok(())
    }

    /// A process that has ended by itself is started again, as a supervisor would.
    pub async fn revive(&mut self) -> anyhow::Result<()> {
        let mut ended = false;
        for process in &mut self.processes {
            ended |= process.try_wait()?.is_some();
        }
        if ended {
            self.kill().await?;
            self.start().await?;
        }
        Ok(())
    }

    pub async fn counts(&self) -> anyhow::Result<Counts> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let answer = client.get(format!("http://{}/counts", self.address)).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    pub fn pids(&self) -> Vec<u32> {
        self.processes.iter().filter_map(Child::id).collect()
    }

    /// Ends all of it and removes its folder.
    pub async fn strike(mut self) -> anyhow::Result<()> {
        self.kill().await?;
        self.store.stop().await?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}
