//! Several hubs of one configuration on one PostgreSQL, each a process of its own.

use crate::bench::stage::{Stage, Targets, free_address};
use crate::demo::HubProcess;
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

#[derive(Debug)]
pub struct Nodes {
    stage: Stage,
    /// All but the stage's own.
    others: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    hub: HubProcess,
    address: SocketAddr,
    data: PathBuf,
}

impl Nodes {
    /// Everything but their start. `settings` are over the file, the same for all.
    pub async fn set(
        parent: &Path,
        count: usize,
        erp: &str,
        url: &str,
        settings: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let mut stage = Stage::set(parent, "nodes", Targets { erp, beside: None }).await?;
        stage.keep_in(url)?;
        for (key, value) in settings {
            stage.hub.set(key, value);
        }
        let mut others = Vec::new();
        for number in 2..=count {
            let address = free_address().await?;
            let data = stage.folder.join(format!("node-{number}"));
            let (config, log) =
                (stage.folder.join("tidegate.toml"), stage.folder.join(format!("hub-{number}.log")));
            let mut hub = HubProcess::new(&config, &log, &format!("http://{address}"))?;
            hub.set("hub.listen", &address.to_string());
            hub.set("hub.data_dir", &data.display().to_string());
            for (key, value) in settings {
                hub.set(key, value);
            }
            others.push(Node { hub, address, data });
        }
        Ok(Self { stage, others })
    }

    /// One after the other: the first makes the store.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        for hub in self.hubs().filter(|hub| hub.pid().is_none()) {
            hub.start().await?;
        }
        Ok(())
    }

    fn hubs(&mut self) -> impl Iterator<Item = &mut HubProcess> {
        std::iter::once(&mut self.stage.hub).chain(self.others.iter_mut().map(|node| &mut node.hub))
    }

    pub fn addresses(&self) -> Vec<SocketAddr> {
        std::iter::once(self.stage.address).chain(self.others.iter().map(|node| node.address)).collect()
    }

    pub fn pids(&self) -> Vec<u32> {
        let others = self.others.iter().filter_map(|node| node.hub.pid());
        self.stage.hub.pid().into_iter().chain(others).collect()
    }

    /// SIGKILL.
    pub async fn kill(&mut self, index: usize) -> anyhow::Result<()> {
        self.hubs().nth(index).context("there are fewer nodes")?.kill().await
    }

    /// What a node is called in the store's rows.
    pub fn name(&self, index: usize) -> anyhow::Result<String> {
        let own = self.stage.folder.join("data");
        let folder = match index {
            0 => &own,
            _ => &self.others.get(index - 1).context("there are fewer nodes")?.data,
        };
        let name = std::fs::read_to_string(folder.join("node"))
            .with_context(|| format!("{} has no name of a node", folder.display()))?;
        Ok(name.trim().to_owned())
    }

    pub async fn dead_letters(&self) -> anyhow::Result<u64> {
        self.stage.dead_letters().await
    }

    pub fn folder(&self) -> &Path {
        &self.stage.folder
    }

    /// Ends them without waiting for what they have in work.
    pub async fn kill_all(&mut self) -> anyhow::Result<()> {
        for hub in self.hubs() {
            hub.kill().await?;
        }
        Ok(())
    }

    /// Ends them and removes their files.
    pub async fn strike(mut self) -> anyhow::Result<()> {
        for node in &mut self.others {
            node.hub.stop().await?;
        }
        self.stage.strike().await
    }
}
