//! Tidegate on PostgreSQL: how fast it takes webhooks beside the same server's own inserts, how late orders are while
//! they come for minutes on end, at one node and at two, and how soon others take over what a dead node had in work.
//! The server is one of its own, durable as in production (`services/postgres.sh`).

mod floor;
pub mod intake;
mod nodes;
mod port;
pub mod steady;
pub mod takeover;

use super::Bench;
use super::service::Service;
use super::side::postgres_script;
use anyhow::Context as _;
use std::path::PathBuf;
use tokio_postgres::{Client, NoTls};

/// A PostgreSQL for one measurement.
#[derive(Debug)]
pub(super) struct Server {
    service: Service,
    folder: PathBuf,
    client: Client,
}

impl Server {
    pub(super) async fn start(bench: &Bench) -> anyhow::Result<Self> {
        Self::start_in(bench, "postgres").await
    }

    /// In a folder of this name.
    pub(super) async fn start_in(bench: &Bench, name: &str) -> anyhow::Result<Self> {
        let folder = bench.folder.join(name);
        let _ = std::fs::remove_dir_all(&folder);
        let service = Service::start(&postgres_script()?, &folder).await?;
        let client = connect(url_of(&service)?).await?;
        Ok(Self { service, folder, client })
    }

    /// Empty, and made anew where there was one of this name.
    pub(super) async fn database(&self, name: &str) -> anyhow::Result<String> {
        self.drop_database(name).await?;
        self.client.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let url = url_of(&self.service)?;
        let (before, _) = url.rsplit_once('/').context("the script's address ends with a database")?;
        Ok(format!("{before}/{name}"))
    }

    /// A client of an empty one of this name.
    pub(super) async fn open(&self, name: &str) -> anyhow::Result<Client> {
        connect(&self.database(name).await?).await
    }

    async fn drop_database(&self, name: &str) -> anyhow::Result<()> {
        Ok(self.client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?)
    }

    /// No round pays for what the one before it left to be written.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        Ok(self.client.batch_execute("CHECKPOINT").await?)
    }

    pub(super) fn pid(&self) -> u32 {
        self.service.pid()
    }

    fn cpu_s(&self) -> f64 {
        self.service.cpu_s()
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.service.stop().await?;
        std::fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

fn url_of(service: &Service) -> anyhow::Result<&str> {
    service.setting("POSTGRES_URL").context("the script of PostgreSQL prints no URL")
}

/// On this machine: without TLS.
async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with its client; what goes wrong on it, the client is told.
    tokio::spawn(connection);
    Ok(client)
}
