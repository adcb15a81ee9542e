//! Who stands under the load: Tidegate on a store of either kind, or a peer. All are started, killed, looked at and ended
//! in the same words, so that a measurement cannot treat one better than another.

use super::Bench;
use super::clock::{cpu_tree_s, resident_tree_mb};
use super::peer::{Peer, Recipe};
use super::service::Service;
use super::stage::{Stage, Targets};
use anyhow::Context as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Relative to the repository.
const POSTGRES: &str = "services/postgres.sh";

/// Who is to be measured.
#[derive(Debug, Clone)]
pub enum Who {
    Tidegate,
    TidegateOnPostgres,
    Peer(Recipe),
}

impl Who {
    pub fn name(&self) -> String {
        match self {
            Self::Tidegate => "tidegate, SQLite".to_owned(),
            Self::TidegateOnPostgres => "tidegate, PostgreSQL".to_owned(),
            Self::Peer(recipe) => recipe.name.clone(),
        }
    }

    /// Everything but the start.
    pub async fn set(&self, bench: &Bench, erp: &str) -> anyhow::Result<Side> {
        let targets = Targets { erp, beside: None };
        let stage_in = |folder: &'static str| Stage::set(&bench.folder, folder, targets);
        match self {
            Self::Tidegate => Ok(Side::Hub { stage: Box::new(stage_in("hub").await?), store: None }),
            Self::TidegateOnPostgres => {
                let folder = bench.folder.join("postgres");
                let _ = std::fs::remove_dir_all(&folder);
                let store = Service::start(&postgres_script()?, &folder).await?;
                let stage = stage_in("hub-on-postgres").await?;
                let url = store.setting("_URL").context("the script prints no URL")?;
                stage.keep_in(url)?;
                Ok(Side::Hub { stage: Box::new(stage), store: Some((store, folder)) })
            }
            Self::Peer(recipe) => Ok(Side::Peer(Box::new(Peer::set(&bench.folder, recipe, erp).await?))),
        }
    }
}

/// Starts a PostgreSQL of its own.
pub fn postgres_script() -> anyhow::Result<PathBuf> {
    Path::new(POSTGRES)
        .canonicalize()
        .with_context(|| format!("{POSTGRES} is missing: run it from the repository"))
}

/// One of them, set up.
#[derive(Debug)]
pub enum Side {
    Hub { stage: Box<Stage>, store: Option<(Service, PathBuf)> },
    Peer(Box<Peer>),
}

impl Side {
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Hub { stage, .. } => stage.address,
            Self::Peer(peer) => peer.address,
        }
    }

    /// Returns when it takes webhooks.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Hub { stage, .. } => stage.hub.start().await,
            Self::Peer(peer) => peer.start().await,
        }
    }

    /// For a measurement of the intake alone: a peer's worker, that could only fail, is left out.
    pub async fn start_door(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Hub { stage, .. } => stage.hub.start().await,
            Self::Peer(peer) => peer.start_door().await,
        }
    }

    /// SIGKILL of the service; a store of its own goes on.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Hub { stage, .. } => stage.hub.kill().await,
            Self::Peer(peer) => peer.kill().await,
        }
    }

    /// SIGKILL of the store where it is a process of its own, and its start on the same files; false where it is not.
    pub async fn kill_store(&mut self, away: Duration) -> anyhow::Result<bool> {
        let Some(store) = self.store_mut() else { return Ok(false) };
        store.kill()?;
        crate::demo::pause(away).await;
        store.start_again().await?;
        if let Self::Peer(peer) = self {
            peer.revive().await?;
        }
        Ok(true)
    }

    /// Orders that it does not try any more.
    pub async fn given_up(&self) -> anyhow::Result<u64> {
        match self {
            Self::Hub { stage, .. } => stage.dead_letters().await,
            Self::Peer(peer) => Ok(peer.counts().await?.given_up),
        }
    }

    /// Of the service alone.
    pub fn cpu_s(&self) -> f64 {
        cpu_tree_s(&self.service_pids())
    }

    pub fn resident_mb(&self) -> f64 {
        resident_tree_mb(&self.service_pids())
    }

    /// First processes of service and store.
    pub fn pids(&self) -> Vec<u32> {
        let mut pids = self.service_pids();
        pids.extend(self.store().map(Service::pid));
        pids
    }

    fn service_pids(&self) -> Vec<u32> {
        match self {
            Self::Hub { stage, .. } => vec![stage.pid()],
            Self::Peer(peer) => peer.pids(),
        }
    }

    /// The store, where it is a process of its own.
    pub fn store(&self) -> Option<&Service> {
        match self {
            Self::Hub { store, .. } => store.as_ref().map(|(store, _)| store),
            Self::Peer(peer) => Some(&peer.store),
        }
    }

    fn store_mut(&mut self) -> Option<&mut Service> {
        match self {
            Self::Hub { store, .. } => store.as_mut().map(|(store, _)| store),
            Self::Peer(peer) => Some(&mut peer.store),
        }
    }

    /// Ends all of it and removes its files.
    pub async fn strike(self) -> anyhow::Result<()> {
        match self {
            Self::Hub { stage, store } => {
                stage.strike().await?;
                if let Some((store, folder)) = store {
                    store.stop().await?;
                    std::fs::remove_dir_all(folder)?;
                }
                Ok(())
            }
            Self::Peer(peer) => peer.strike().await,
        }
    }
}
