//! What is done in a store that was put back to an earlier moment before a hub runs on it: every system is paused, sweeps
//! reach back behind that moment, redactions since are carried out again.
//!
//! Owns the report. That each object which a forgotten life may have made is looked for first is the engine's
//! (`engine::doubt`); the note in the store tells it.

use crate::wiring::Loaded;
use anyhow::Context as _;
use config::SHOPIFY;
use jiff::Timestamp;
use kernel::id::{ShopId, SystemName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;
use store::Store;
use store::moving::note::Restored;
use store::operate::{AuditEntry, By, Pause, PauseScope};

/// Sweeps begin so long before the moment of the backup.
const REACH_BACK: Duration = Duration::from_secs(3600);

/// A line of the list that is kept outside of every backup.
#[derive(Debug, Clone, Deserialize)]
pub struct Redaction {
    pub shop: ShopId,
    pub requested: String,
    #[serde(default)]
    pub roots: Vec<String>,
    #[serde(default)]
    pub customers: Vec<String>,
}

/// The list, and the numbers of lines that nobody can read.
#[derive(Debug, Default)]
pub struct Redactions {
    pub lines: Vec<Redaction>,
    pub unreadable: Vec<usize>,
}

impl Redactions {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
        };
        let mut list = Self::default();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(redaction) => list.lines.push(redaction),
                Err(_) => list.unreadable.push(number),
            }
        }
        Ok(list)
    }

    /// Those that the store has no certificate of, each once.
    pub fn missing(&self, certified: &[(String, String)]) -> Vec<&Redaction> {
        let of = |redaction: &Redaction| (redaction.shop.as_str().to_owned(), redaction.requested.clone());
        let mut known: BTreeSet<(String, String)> = certified.iter().cloned().collect();
        self.lines.iter().filter(|redaction| known.insert(of(redaction))).collect()
    }
}

/// What was done.
#[derive(Debug, Default, Serialize)]
pub struct Settled {
    pub paused: Vec<String>,
    pub sweeps_from: Option<Timestamp>,
    /// Flows and shops whose sweep reaches back now.
    pub sweeps: u64,
    pub redacted: u64,
    pub keys_destroyed: u64,
}

/// Every system that something may be sent to.
pub fn systems(loaded: &Loaded) -> BTreeSet<SystemName> {
    let targets = loaded.config.flows.values().map(|flow| flow.target.value.clone());
    loaded.config.systems.keys().cloned().chain(targets).collect()
}

pub fn sweeps_from(instant: Timestamp) -> Timestamp {
    instant.checked_sub(REACH_BACK).unwrap_or(Timestamp::MIN)
}

/// Makes a restored store fit to be started. Done twice, it does nothing more.
pub async fn settle(
    store: &dyn Store,
    loaded: &Loaded,
    restored: &Restored,
    redactions: &Redactions,
    by: &By,
) -> anyhow::Result<Settled> {
    let mut settled = Settled { sweeps_from: Some(sweeps_from(restored.instant)), ..Settled::default() };
    for name in systems(loaded) {
        let why = format!(
            "the store was put back to {}: read what `tidegate restore` said, then resume each system",
            restored.instant
        );
        let scope = PauseScope::System(name.clone());
        store.pause(Pause { scope, by: By { why, ..by.clone() }, until: None }).await?;
        settled.paused.push(name.to_string());
    }
    for (name, flow) in loaded.config.flows.iter().filter(|(_, flow)| flow.source.as_str() == SHOPIFY) {
        for (shop, _) in loaded.config.shops_of(flow) {
            let watermark = engine::work::sweep::watermark_of(shop, name);
            let known = store.cursor(&watermark).await?.and_then(|text| text.parse::<Timestamp>().ok());
            let back = sweeps_from(restored.instant);
            // Where no pass was ever made the first one begins at go-live.
            if known.is_some_and(|known| known > back) {
                store.set_cursor(&watermark, &back.to_string()).await?;
            }
            settled.sweeps += u64::from(known.is_some());
        }
    }
    let certified: Vec<(String, String)> = store
        .certificates()
        .await?
        .into_iter()
        .map(|certificate| (certificate.shop.as_str().to_owned(), certificate.requested))
        .collect();
    for Redaction { shop, requested, roots, customers } in redactions.missing(&certified) {
        let certificate = store.redact(shop, roots, customers, requested, by.at).await?;
        settled.redacted += 1;
        settled.keys_destroyed += certificate.keys_destroyed;
    }
    let entry = AuditEntry {
        at: by.at,
        who: by.who.clone(),
        action: "restore".to_owned(),
        target: format!("epoch {}", restored.epoch),
        why: by.why.clone(),
        count: 1,
    };
    store.audit(entry).await?;
    Ok(settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_past_a_line_that_was_torn() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redactions.ndjson");
        assert!(Redactions::read(&path).unwrap().lines.is_empty(), "there was never a redaction");
        let line = |requested: &str| {
            format!(
                r#"{{"at":"2026-11-24T10:00:00Z","shop":"acme","requested":"{requested}","roots":["order:1"],"customers":[]}}"#
            )
        };
        let text = format!("{}\n{}\n{}\n{{\"at\":", line("a"), line("b"), line("a"));
        std::fs::write(&path, text).unwrap();
        let list = Redactions::read(&path).unwrap();
        assert_eq!(list.unreadable, [4]);
        let missing = list.missing(&[("acme".to_owned(), "b".to_owned())]);
        assert_eq!(missing.iter().map(|redaction| redaction.requested.as_str()).collect::<Vec<_>>(), ["a"]);
    }
}
