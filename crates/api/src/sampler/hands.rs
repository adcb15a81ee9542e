//! What people did since the last look, read from the audit: every door writes it (the pages, the command line, the
//! admin API), so that none can be forgotten in the count.

use jiff::Timestamp;
use std::collections::BTreeMap;
use store::operate::{AuditEntry, By};
use store::{Store, StoreError};

/// More acts between two looks would be a person of uncommon speed.
const ENTRIES: u32 = 500;
/// The acts that touch orders.
const ACTIONS: [&str; 3] = ["release", "skip", "replay"];

#[derive(Debug)]
pub(super) struct Hands {
    /// Older entries are from before this process, and another's to count.
    since: Timestamp,
    /// Newest first.
    seen: Vec<AuditEntry>,
}

impl Hands {
    pub(super) fn new(since: Timestamp) -> Self {
        Self { since, seen: Vec::new() }
    }

    /// How many orders each act touched since the last look.
    pub(super) async fn look(
        &mut self,
        store: &dyn Store,
    ) -> Result<BTreeMap<&'static str, u64>, StoreError> {
        let entries = store.audit_entries(ENTRIES).await?;
        let mut touched = BTreeMap::new();
        for entry in entries[..new(&entries, &self.seen)].iter().filter(|entry| entry.at >= self.since) {
            let by = By { who: entry.who.clone(), why: String::new(), at: entry.at };
            let action = ACTIONS.into_iter().find(|action| *action == entry.action);
            if let Some(action) = action.filter(|_| by.is_person()) {
                *touched.entry(action).or_default() += entry.count;
            }
        }
        self.seen = entries;
        Ok(touched)
    }
}

/// How many entries came before those that were seen: the audit only grows at its newest end.
fn new(entries: &[AuditEntry], seen: &[AuditEntry]) -> usize {
    let same = |from: &usize| entries[*from..].iter().zip(seen).all(|(entry, seen)| entry == seen);
    (0..entries.len()).find(|from| !seen.is_empty() && same(from)).unwrap_or(entries.len())
}
