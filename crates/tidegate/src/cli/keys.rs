//! `tidegate keys`: the master key and what is wrapped by it. Works on the store itself: no hub may run.

use super::{Common, Failure, block_on, configuration, say};
use crate::wiring;
use anyhow::Context as _;
use kernel::clock::Clock;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use store::operate::AuditEntry;
use store::seal::MasterKey;
use store::{Store as _, StoreError};
use store_sqlite::{Options, SqliteStore};
use wiring::clock::{SystemClock, SystemRandom};

const EXAMPLES: &str = "\
How to rotate the master key:
  1. stop the hub
  2. write a new key (openssl rand -hex 32 > secrets/master.new.key; chmod 600 …)
  3. in [hub] set master_key to the new file and previous_master_key to the old one
  4. tidegate keys rotate
  5. take previous_master_key out again, start the hub, put the old key away for as long as backups need it";

/// The master key and what is wrapped by it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Wraps every data key under hub.master_key; they are under hub.previous_master_key until then
    Rotate,
}

pub fn run(common: &Common, args: &Args) -> Result<(), Failure> {
    let What::Rotate = args.what;
    let loaded = configuration(common)?;
    let hub = loaded.config.hub().context("the configuration has no [hub]")?;
    let Some(previous) = &hub.previous_master_key else {
        let text = "hub.previous_master_key is not set: name the key in force there, and the new one in hub.master_key";
        return Err(Failure::Usage(text.to_owned()));
    };
    let previous = wiring::shops::secret(&loaded, "hub.previous_master_key", previous)?;
    let previous = MasterKey::from_text(previous.expose_secret().trim())
        .map_err(|error| anyhow::anyhow!("hub.previous_master_key: {error}"))?;
    let new = wiring::open::master_key(&loaded)?;
    let path = wiring::open::database(&loaded.config).context("the configuration has no [hub]")?;
    if !path.exists() {
        return Err(Failure::NotFound(format!(
            "{} is not there: there is nothing to rotate",
            path.display()
        )));
    }
    let rotated = block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let store = match open(&path, previous, &clock).await {
            Ok(store) => store,
            Err(StoreError::WrongKey) => return already(&path, new, &clock).await,
            Err(error) => return Err(Failure::Failed(error.into())),
        };
        let rotated = store.rotate_master_key(&new).await.map_err(anyhow::Error::from)?;
        let entry = AuditEntry {
            at: clock.now().wall,
            who: super::operate::who(),
            action: "rotate".to_owned(),
            target: "master key".to_owned(),
            why: "tidegate keys rotate".to_owned(),
            count: rotated,
        };
        store.audit(entry).await.map_err(anyhow::Error::from)?;
        Ok(Some(rotated))
    })?;
    match rotated {
        _ if common.json => say::out(format_args!("{}\n", json!({ "rotated": rotated.unwrap_or(0) }))),
        Some(rotated) => say::out(format_args!(
            "{rotated} data keys are wrapped under hub.master_key now; take hub.previous_master_key out\n"
        )),
        None => say::out("hub.master_key is in force already; take hub.previous_master_key out\n"),
    }
    Ok(())
}

async fn open(path: &Path, master_key: MasterKey, clock: &Arc<dyn Clock>) -> Result<SqliteStore, StoreError> {
    let options =
        Options { path: path.to_owned(), master_key, random: Arc::new(SystemRandom), clock: clock.clone() };
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(options)).await;
    opened.map_err(|error| StoreError::Bug(error.to_string()))?
}

/// The former key does not fit: whoever rotates twice is told so, whoever has lost the key is told that.
async fn already(path: &Path, new: MasterKey, clock: &Arc<dyn Clock>) -> Result<Option<u64>, Failure> {
    match open(path, new, clock).await {
        Ok(_) => Ok(None),
        Err(StoreError::WrongKey) => Err(Failure::Failed(anyhow::anyhow!(
            "neither hub.previous_master_key nor hub.master_key is the key of {}: name the one in force in \
             hub.previous_master_key",
            path.display()
        ))),
        Err(error) => Err(Failure::Failed(error.into())),
    }
}
