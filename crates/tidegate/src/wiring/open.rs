//! Opening the store: the right key, the right place, the last life ended.

use super::Loaded;
use super::clock::SystemRandom;
use super::shops;
use anyhow::Context as _;
use config::Config;
use kernel::clock::Clock;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use store::operate::{By, Pause, PauseScope};
use store::seal::MasterKey;
use store_sqlite::{Options, SqliteStore};

/// The database file within the data directory.
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

/// Opens the store, makes its folder where it is missing.
pub async fn store(loaded: &Loaded, clock: &Arc<dyn Clock>) -> anyhow::Result<SqliteStore> {
    let path = database(&loaded.config).context("the configuration has no [hub]")?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let options = Options {
        path,
        master_key: master_key(loaded)?,
        random: Arc::new(SystemRandom),
        clock: clock.clone(),
    };
    Ok(tokio::task::spawn_blocking(move || SqliteStore::open(options)).await??)
}

/// Holds a store that was made on another host or for other targets: nothing is delivered until a person says so.
/// True: it starts paused.
pub async fn settle_in(
    loaded: &Loaded,
    store: &Arc<dyn Store>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<bool> {
    let place = place(&loaded.config);
    let installation = store.installation().await?;
    let moved = installation.place.as_ref().is_some_and(|known| *known != place);
    if moved {
        let now = clock.now().wall;
        for name in loaded.config.systems.keys() {
            let why = "the store was last used for other targets: look, then resume each system".to_owned();
            store
                .pause(Pause { scope: PauseScope::System(name.clone()), by: By::hub(why, now), until: None })
                .await?;
        }
    }
    store.set_in_force(&loaded.revision, &place).await?;
    Ok(moved)
}

/// What the store is used for: its targets. A copy that is started for others is held.
fn place(config: &Config) -> String {
    kernel::key::hex(&config::targets(config)[..8])
}
