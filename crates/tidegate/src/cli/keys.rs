//! `tidegate keys`: the master key and what is wrapped by it. Works on the store itself: no hub may run, on any node.

use super::{Common, Failure, block_on, configuration, say};
use crate::wiring::{self, Loaded};
use anyhow::Context as _;
use kernel::clock::Clock;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::sync::Arc;
use store::operate::AuditEntry;
use store::seal::MasterKey;
use store::{Store, StoreError};
use wiring::clock::SystemClock;

const EXAMPLES: &str = "\
How to rotate the master key:
  1. stop the hub, on every node
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
    let opening = Opening { loaded: &loaded, clock: Arc::new(SystemClock::new()) };
    let rotated = block_on(async {
        if let Some(missing) = wiring::open::not_made_yet(&loaded, &opening.clock).await? {
            return Err(Failure::NotFound(format!("{missing} is not there: there is nothing to rotate")));
        }
        let clock = &opening.clock;
        let store = match opening.open(previous).await {
            Ok(store) => store,
            Err(StoreError::WrongKey) => return opening.already(new).await,
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

struct Opening<'a> {
    loaded: &'a Loaded,
    clock: Arc<dyn Clock>,
}

impl Opening<'_> {
    async fn open(&self, master_key: MasterKey) -> Result<Arc<dyn Store>, StoreError> {
        let opened = wiring::open::with_key(self.loaded, &self.clock, master_key).await;
        match opened {
            Ok(opened) => Ok(opened.store),
            Err(error) => Err(match error.downcast() {
                Ok(error) => error,
                Err(error) => StoreError::Unavailable(format!("{error:#}")),
            }),
        }
    }

    /// The former key does not fit: whoever rotates twice is told so, whoever has lost the key is told that.
    async fn already(&self, new: MasterKey) -> Result<Option<u64>, Failure> {
        match self.open(new).await {
            Ok(_) => Ok(None),
            Err(StoreError::WrongKey) => Err(Failure::Failed(anyhow::anyhow!(
                "neither hub.previous_master_key nor hub.master_key is the key of the store: name the one in force in \
                 hub.previous_master_key"
            ))),
            Err(error) => Err(Failure::Failed(error.into())),
        }
    }
}
