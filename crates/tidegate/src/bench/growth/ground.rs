//! Where the stores of a measurement lie: in files, or in databases of a PostgreSQL of its own. Opens them empty, counts
//! their rows by the store's own inspection, beside the port.

use crate::bench::Bench;
use crate::bench::clock::scheduled_s;
use crate::bench::pg::Server;
use crate::wiring::clock::{SystemClock, SystemRandom};
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use store::moving::Table;
use store::seal::MasterKey;

#[derive(Debug)]
pub(super) enum Ground {
    Files(PathBuf),
    Server(Box<Server>),
}

/// A store on it.
#[derive(Debug)]
pub(super) struct Place {
    pub store: Arc<dyn Store>,
    lies: Lies,
}

#[derive(Debug)]
enum Lies {
    File(PathBuf),
    Database(String),
}

/// Which of the two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// A ground of its own: what one store leaves to be done does not lie on the other's.
    pub(super) async fn ground(self, bench: &Bench, name: &str) -> anyhow::Result<Ground> {
        Ok(match self {
            Self::Sqlite => Ground::Files(bench.folder.clone()),
            Self::Postgres => {
                Ground::Server(Box::new(Server::start_in(bench, &format!("postgres-{name}")).await?))
            }
        })
    }
}

impl Ground {
    /// Empty, and made anew where there was one of this name.
    pub(super) async fn fresh(&self, name: &str) -> anyhow::Result<Place> {
        match self {
            Self::Files(folder) => {
                let path = folder.join(format!("{name}.db"));
                remove(&path)?;
                Ok(Place { store: Arc::new(embedded(path.clone())?), lies: Lies::File(path) })
            }
            Self::Server(server) => {
                let url = server.database(name).await?;
                Ok(Place { store: opened(&url).await?, lies: Lies::Database(url) })
            }
        }
    }

    /// What is left of a growth is written before anything is timed.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        match self {
            Self::Files(_) => Ok(()),
            Self::Server(server) => server.settle().await,
        }
    }

    /// Processor time of this process and of the server so far, to the nanosecond.
    pub(super) fn cpu_s(&self) -> f64 {
        let own = std::process::id();
        match self {
            Self::Files(_) => scheduled_s(&[own]),
            // It is below this process.
            Self::Server(server) => scheduled_s(&[own, server.pid()]),
        }
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        match self {
            Self::Files(_) => Ok(()),
            Self::Server(server) => server.stop().await,
        }
    }
}

impl Place {
    /// All rows of all tables that are state, counted.
    pub(super) async fn rows(&self) -> anyhow::Result<u64> {
        Ok(self.counts().await?.into_iter().map(|(_, rows)| rows).sum())
    }

    async fn counts(&self) -> anyhow::Result<Vec<(Table, u64)>> {
        // What rides is committed before the store is asked beside itself.
        self.store.log_size().await?;
        match &self.lies {
            Lies::File(path) => {
                let path = path.clone();
                Ok(tokio::task::spawn_blocking(move || store_sqlite::inspect::counts(&path)).await??)
            }
            Lies::Database(url) => Ok(store_postgres::inspect::counts(&options(url)).await?),
        }
    }

    /// Closes it; a file of it is removed.
    pub(super) fn drop_it(self) -> anyhow::Result<()> {
        drop(self.store);
        match self.lies {
            Lies::File(path) => remove(&path),
            Lies::Database(_) => Ok(()),
        }
    }
}

pub(super) fn embedded(path: PathBuf) -> anyhow::Result<store_sqlite::SqliteStore> {
    let options = store_sqlite::Options {
        path,
        master_key: MasterKey::from_bytes([1; 32]),
        random: Arc::new(SystemRandom),
        clock: Arc::new(SystemClock::new()),
    };
    Ok(store_sqlite::SqliteStore::open(options)?)
}

fn remove(path: &std::path::Path) -> anyhow::Result<()> {
    for (file, _) in store_sqlite::inspect::files(path) {
        std::fs::remove_file(file)?;
    }
    Ok(())
}

fn options(url: &str) -> store_postgres::Options {
    let (key, random) = (MasterKey::from_bytes([1; 32]), Arc::new(SystemRandom));
    store_postgres::Options::new(url, key, random, Arc::new(SystemClock::new()))
}

/// Opened in this very process.
pub(in crate::bench) async fn opened(url: &str) -> anyhow::Result<Arc<dyn Store>> {
    Ok(Arc::new(store_postgres::PostgresStore::open(options(url)).await?))
}
