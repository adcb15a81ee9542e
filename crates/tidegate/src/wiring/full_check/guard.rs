//! Whether the source's snapshot is believed. Owns the memory of the last one that was whole, one for each flow and shop, and
//! the approval of a smaller one: what a person approves is a snapshot like the one that was refused, and none beyond it.

use super::FullCheck;
use api::admin::{CheckError, Checking, StockChecked};
use domains::inventory::snapshot::{guard, mixed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::operate::AuditEntry;

/// What is remembered, under a name of its own among the store's cursors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    /// Of the last whole one.
    pairs: u64,
    at: Option<Timestamp>,
    /// Of one that was refused since.
    refused: Option<u64>,
}

impl FullCheck {
    /// Refuses what cannot be the whole; what is believed is remembered, by a check that only tells too. Whether there was an
    /// earlier one to measure it by.
    pub(super) async fn believe(
        &self,
        named: u64,
        twice: u64,
        asked: &Checking,
        told: &mut StockChecked,
    ) -> Result<bool, CheckError> {
        mixed(named, twice).map_err(|mixed| CheckError::Doubted(mixed.to_string()))?;
        let (scope, cursor) = (&self.scope, format!("snapshot/{}/{}", self.scope.flow, self.scope.shop));
        let last: Last = match scope.store.cursor(&cursor).await? {
            Some(text) => serde_json::from_str(&text).unwrap_or_default(),
            None => Last::default(),
        };
        let now = scope.clock.now().wall;
        if let Err(shrunk) = guard(last.pairs, named, self.floor_percent) {
            let approved = asked.accepts.as_ref().zip(last.refused).filter(|(_, refused)| {
                // Of what was approved as much has to be there as of a whole one.
                guard(*refused, named, self.floor_percent).is_ok()
            });
            let Some((by, _)) = approved else {
                // An approval of what nobody was shown is of nothing.
                let said_so = asked.accepts.is_some() && last.refused.is_some();
                self.remember(&cursor, &Last { refused: Some(named), ..last }).await?;
                return Err(CheckError::Doubted(self.refused(&shrunk.to_string(), said_so)));
            };
            let target = format!(
                "{}, shop {}: {named} pairs are all that there are, where the last snapshot had {}",
                scope.flow, scope.shop, last.pairs
            );
            told.notes.push(format!("a smaller snapshot was approved by {}: {}", by.who, by.why));
            let entry = AuditEntry {
                at: now,
                who: by.who.clone(),
                action: "accept_smaller".to_owned(),
                target,
                why: by.why.clone(),
                count: last.pairs - named,
            };
            scope.store.audit(entry).await?;
        }
        self.remember(&cursor, &Last { pairs: named, at: Some(now), refused: None }).await?;
        Ok(last.pairs > 0)
    }

    async fn remember(&self, cursor: &str, last: &Last) -> Result<(), CheckError> {
        let text = serde_json::to_string(last).map_err(|_| super::bug("a number cannot be written"))?;
        Ok(self.scope.store.set_cursor(cursor, &text).await?)
    }

    fn refused(&self, why: &str, said_so: bool) -> String {
        let (flow, shop) = (&self.scope.flow, &self.scope.shop);
        let how = format!(
            "tidegate reconcile inventory --flow {flow} --shop {shop} --accept-smaller \"YOUR NAME: why so many are gone\""
        );
        if said_so {
            format!(
                "{why}. The approval was of a snapshot with more pairs than this one; for this one, approve again: {how}"
            )
        } else {
            format!("{why}: {how}")
        }
    }
}
