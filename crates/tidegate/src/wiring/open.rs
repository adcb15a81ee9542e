//! Opening the store: the one that is configured, with the right key, in the right place.

use super::Loaded;
use super::clock::SystemRandom;
use super::shops;
use anyhow::Context as _;
use config::{Config, Postgres};
use kernel::clock::Clock;
use kernel::id::SystemName;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use store::operate::{By, Pause, PauseScope};
use store::seal::MasterKey;
use store_postgres::PostgresStore;
use store_sqlite::SqliteStore;
use tokio::sync::watch;

/// A day, in which histories are dropped.
const SECONDS_A_DAY: u64 = 86_400;

/// An open store, whichever it is.
#[derive(Debug, Clone)]
pub struct Opened {
    pub store: Arc<dyn Store>,
    /// Where other nodes may work on it too: changes when one of them says that there is something to do.
    pub woken: Option<watch::Receiver<u64>>,
}

/// The database file within the data directory, where the store is embedded.
pub fn database(config: &Config) -> Option<PathBuf> {
    Some(data_dir(config)?.join("tidegate.db"))
}

/// The data directory. A relative one counts from the configuration's folder, which the reading has seen to.
pub fn data_dir(config: &Config) -> Option<PathBuf> {
    Some(config.hub()?.data_dir.value.clone())
}

/// The master key that the configuration refers to.
pub fn master_key(loaded: &Loaded) -> anyhow::Result<MasterKey> {
    let hub = loaded.config.hub().context("the configuration has no [hub]")?;
    let text = shops::secret(loaded, "hub.master_key", &hub.master_key)?;
    MasterKey::from_text(text.expose_secret().trim())
        .map_err(|error| anyhow::anyhow!("hub.master_key: {error}; it is 32 bytes in hexadecimal or base64"))
}

/// Opens the store that is configured, and makes its folder where it is missing.
pub async fn store(loaded: &Loaded, clock: &Arc<dyn Clock>) -> anyhow::Result<Opened> {
    with_key(loaded, clock, master_key(loaded)?).await
}

/// The same with a key that is not the one in `hub.master_key`.
pub async fn with_key(
    loaded: &Loaded,
    clock: &Arc<dyn Clock>,
    master_key: MasterKey,
) -> anyhow::Result<Opened> {
    if let Some(postgres) = &loaded.config.postgres {
        let options = store_postgres::Options { master_key, ..options(loaded, postgres, clock)? };
        let opened = PostgresStore::open(options).await?;
        let woken = Some(opened.woken());
        return Ok(Opened { store: Arc::new(opened), woken });
    }
    let path = database(&loaded.config).context("the configuration has no [hub]")?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let options =
        store_sqlite::Options { path, master_key, random: Arc::new(SystemRandom), clock: clock.clone() };
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(options)).await??;
    Ok(Opened { store: Arc::new(opened), woken: None })
}

/// What `[store]` says, with its secrets read.
pub fn options(
    loaded: &Loaded,
    postgres: &Postgres,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<store_postgres::Options> {
    let url = shops::secret(loaded, "store.url", &postgres.url)?;
    let listen_url = postgres.listen_url.as_ref();
    let days = |retention: std::time::Duration| {
        u32::try_from(retention.as_secs().div_ceil(SECONDS_A_DAY)).unwrap_or(u32::MAX)
    };
    Ok(store_postgres::Options {
        listen_url: listen_url.map(|url| shops::secret(loaded, "store.listen_url", url)).transpose()?,
        ca_file: postgres.ca_file.as_ref().map(|file| file.value.clone()),
        connections: postgres.connections.value as usize,
        statement_timeout: postgres.statement_timeout.value,
        prepared_statements: postgres.prepared_statements.value,
        migrations: super::rehearsal::migrations(),
        history_days: postgres.history_retention.as_ref().map(|retention| days(retention.value)),
        ..store_postgres::Options::new(url, master_key(loaded)?, Arc::new(SystemRandom), clock.clone())
    })
}

/// The newest schema that this program knows.
pub fn known_schema(options: &store_postgres::Options) -> u32 {
    options.migrations.last().map_or(0, |newest| newest.number)
}

/// What no hub has made yet, in words: the database file, or the tables in PostgreSQL.
pub async fn not_made_yet(loaded: &Loaded, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<String>> {
    let Some(postgres) = &loaded.config.postgres else {
        let database = database(&loaded.config).filter(|database| !database.exists());
        return Ok(database.map(|database| database.display().to_string()));
    };
    let pending = PostgresStore::pending_migrations(&options(loaded, postgres, clock)?).await?;
    let is_new = pending.first().is_some_and(|migration| migration.number == 1);
    Ok(is_new.then(|| "the store in PostgreSQL (store.url)".to_owned()))
}

/// What is put in force when a node begins to work: the revision that the store remembers, and its targets.
#[derive(Debug, Clone)]
pub struct InForce {
    pub revision: String,
    place: String,
    systems: Vec<SystemName>,
}

impl InForce {
    pub fn of(loaded: &Loaded) -> Self {
        Self {
            revision: loaded.revision.clone(),
            place: place(&loaded.config),
            systems: loaded.config.systems.keys().cloned().collect(),
        }
    }

    /// Holds a store that was made on another host or for other targets: nothing is delivered until a person says so.
    /// True: it starts paused.
    pub async fn put(&self, store: &Arc<dyn Store>, clock: &Arc<dyn Clock>) -> anyhow::Result<bool> {
        let installation = store.installation().await?;
        let moved = installation.place.as_ref().is_some_and(|known| *known != self.place);
        if moved {
            let now = clock.now().wall;
            for name in &self.systems {
                let why =
                    "the store was last used for other targets: look, then resume each system".to_owned();
                let scope = PauseScope::System(name.clone());
                store.pause(Pause { scope, by: By::hub(why, now), until: None }).await?;
            }
        }
        store.set_in_force(&self.revision, &self.place).await?;
        Ok(moved)
    }
}

/// What the store is used for: its targets. A copy that is started for others is held.
fn place(config: &Config) -> String {
    kernel::key::hex(&config::targets(config)[..8])
}
