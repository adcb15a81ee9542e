//! Which configuration is in force, as a hash: a node with another revision takes no work, and a hub whose targets
//! changed starts paused. Owns what counts for it: every setting but those in which two nodes may differ.

use crate::load::Config;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// SHA-256 over all settings in force, defaults among them, whatever layer or spelling they came from.
pub fn revision(config: &Config) -> [u8; 32] {
    revision_with_mappings(config, &BTreeMap::new())
}

/// The same with the content of the mapping files, by the flow that uses each.
pub fn revision_with_mappings(config: &Config, mappings: &BTreeMap<String, Vec<u8>>) -> [u8; 32] {
    let mut hash = Sha256::new();
    for setting in config.in_force.iter().filter(|setting| !setting.local) {
        part(&mut hash, setting.key.as_bytes());
        part(&mut hash, setting.value.as_bytes());
    }
    for (flow, content) in mappings {
        part(&mut hash, flow.as_bytes());
        part(&mut hash, content);
    }
    hash.finalize().into()
}

/// SHA-256 over what the hub writes to: the systems with their connections, and the shops. If it changes under one
/// database (a copy that was taken for a test, say), delivery starts paused.
pub fn targets(config: &Config) -> [u8; 32] {
    let mut hash = Sha256::new();
    for setting in &config.in_force {
        let parts: Vec<&str> = setting.key.split('.').collect();
        let counts = matches!(
            parts.as_slice(),
            ["systems", _, "connector"]
                | ["systems", _, "connection", ..]
                | ["shops", _, "domain" | "admin_url"]
        );
        if counts {
            part(&mut hash, setting.key.as_bytes());
            part(&mut hash, setting.value.as_bytes());
        }
    }
    hash.finalize().into()
}

/// With its length before it, so that no two lists of parts read the same.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}
