//! Who this process is among the nodes of one store. The name lies in the data directory, so that a node which was killed
//! and comes back ends its own earlier leases at once; a lock beside it keeps a second process from the same name.

use super::Loaded;
use super::clock::SystemRandom;
use super::open::data_dir;
use anyhow::{Context as _, bail};
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;
use store::StoreError;
use store::seal::Random as _;
use tokio::sync::watch;

/// Of the one process that works on an embedded store, whose own lock keeps others out.
const EMBEDDED: &str = "hub";
/// Within the data directory.
const FILE: &str = "node";

/// This process's name to the store, for as long as it lives.
#[derive(Debug)]
pub struct Node {
    pub name: String,
    _lock: Option<File>,
}

impl Node {
    /// The name that the data directory has, or a new one.
    ///
    /// # Errors
    /// The data directory cannot be written, or another process of the same name runs.
    pub fn of(loaded: &Loaded) -> anyhow::Result<Self> {
        if loaded.config.postgres.is_none() {
            return Ok(Self { name: EMBEDDED.to_owned(), _lock: None });
        }
        let folder = data_dir(&loaded.config).context("the configuration has no [hub]")?;
        std::fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Self::at(&folder.join(FILE))
    }

    fn at(path: &Path) -> anyhow::Result<Self> {
        let of_file = || format!("{}: the name of this node cannot be kept", path.display());
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(of_file)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let folder = path.parent().unwrap_or(path);
                return Err(StoreError::InUse(folder.display().to_string()).into());
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(of_file),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(of_file)?;
        let mut name = text.trim().to_owned();
        if name.is_empty() {
            name = new()?;
            file.rewind()
                .and_then(|()| writeln!(file, "{name}"))
                .and_then(|()| file.sync_all())
                .with_context(of_file)?;
        }
        if name.len() > 100 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("{}: not a node's name; remove the file, and the node takes another", path.display());
        }
        Ok(Self { name, _lock: Some(file) })
    }
}

/// What one node does for all, it does while it is this node's turn.
#[derive(Debug, Clone)]
pub struct Turn {
    pub first: watch::Receiver<bool>,
    pub stop: watch::Receiver<bool>,
}

impl Turn {
    /// Waits until it is this node's turn; false: the hub stops.
    pub async fn comes(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.stop.wait_for(|stop| *stop) => false,
            first = self.first.wait_for(|first| *first) => first.is_ok(),
        }
    }

    /// Until the hub stops.
    pub async fn over(&mut self) {
        // A sender that is gone has stopped too.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Lets time pass; true: the hub stops.
    pub async fn stopped(&mut self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.stop.wait_for(|stop| *stop)).await.is_ok()
    }
}

/// The host, for people, where the system tells it; and some chance, because hosts are copied.
fn new() -> anyhow::Result<String> {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String =
        host.chars().filter(|c| c.is_ascii_alphanumeric() || ['-', '.'].contains(c)).take(48).collect();
    let mut chance = [0; 4];
    SystemRandom.fill(&mut chance)?;
    let host = if host.is_empty() { "node" } else { &host };
    Ok(format!("{host}-{}", kernel::key::hex(&chance)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_keeps_its_name_and_shares_it_with_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let first = Node::at(&path).unwrap();
        let refused = Node::at(&path).unwrap_err();
        assert!(refused.to_string().contains("in use by another process"), "{refused}");
        let name = first.name.clone();
        drop(first);
        assert_eq!(Node::at(&path).unwrap().name, name);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(Node::at(&other.path().join(FILE)).unwrap().name, name);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        std::fs::write(&path, "a b\n").unwrap();
        assert!(Node::at(&path).unwrap_err().to_string().contains("remove the file"));
    }
}
