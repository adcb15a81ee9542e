//! The record of a pair at its source: the level that it was begun with, and the changes since. Owns its form, as it is kept, and what
//! level it is now.

use crate::inventory::change::By;
use crate::inventory::drop::payload;
use crate::inventory::fault::{StockCode, StockFault};
use crate::inventory::level::{self, Stock};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is kept of a pair. Small: of the changes only the last are kept apart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Record {
    /// Absent: no level was told yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// Those that are not in the base, in the order of the log.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Kept>,
    /// How often the source was asked in a row because its level may be older than a change; the next answer counts.
    #[serde(default, skip_serializing_if = "is_none")]
    pub asked: u8,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde asks")]
fn is_none(number: &u8) -> bool {
    *number == 0
}

/// The level that the source told, with the changes that are not kept apart any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Base {
    level: Value,
    /// All up to it are in it. Absent: it has none.
    pub sequence: Option<i64>,
    /// When the source's own level came, and the number that it had.
    pub told_at: Timestamp,
    pub told_sequence: Option<i64>,
    /// The sum of the changes that were added to it since, and how many they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    added: Vec<Kept>,
    pub changes: u64,
    /// How many numbers never came and are not waited for any more.
    #[serde(default)]
    pub given_up: u64,
}

/// A change that is kept apart: a level that comes may have it already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    on_hand: Decimal,
    reserved: Decimal,
    counted: Decimal,
    pub changed_at: Timestamp,
}

impl Kept {
    pub(super) fn new(by: By, sequence: Option<i64>, changed_at: Timestamp) -> Self {
        let By { on_hand, reserved, counted } = by;
        Self { sequence, on_hand, reserved, counted, changed_at }
    }

    /// Both together.
    fn and(&self, other: &Self) -> Result<Self, StockFault> {
        Ok(Self {
            sequence: None,
            on_hand: add(self.on_hand, other.on_hand, "$.change.on_hand")?,
            reserved: add(self.reserved, other.reserved, "$.change.reserved")?,
            counted: add(self.counted, other.counted, "$.change.counted")?,
            changed_at: self.changed_at.max(other.changed_at),
        })
    }
}

fn add(to: Decimal, by: Decimal, path: &str) -> Result<Decimal, StockFault> {
    let beyond = "with this change it is more than can be counted; send a level";
    let sum = to.checked_add(by).ok_or_else(|| StockFault::new(StockCode::NotQuantity, path, beyond))?;
    Ok(sum.normalize())
}

impl Base {
    pub(super) fn new(level: &Stock, sequence: Option<i64>, told_at: Timestamp) -> Result<Self, StockFault> {
        let told = serde_json::from_slice(&payload(level)).map_err(|error| unreadable(&error))?;
        Ok(Self {
            level: told,
            sequence,
            told_at,
            told_sequence: sequence,
            added: Vec::new(),
            changes: 0,
            given_up: 0,
        })
    }

    /// With a change in it that is not kept apart any more.
    pub(super) fn add(&mut self, kept: &Kept) -> Result<(), StockFault> {
        let sum = match self.added.pop() {
            Some(sum) => sum.and(kept)?,
            None => Kept { sequence: None, ..kept.clone() },
        };
        self.added.push(sum);
        self.changes += 1;
        self.sequence = self.sequence.max(kept.sequence);
        Ok(())
    }
}

impl Record {
    /// As it was kept.
    pub(super) fn read(body: Option<&[u8]>) -> Result<Self, StockFault> {
        body.map_or_else(
            || Ok(Self::default()),
            |body| serde_json::from_slice(body).map_err(|error| unreadable(&error)),
        )
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, StockFault> {
        serde_json::to_vec(self).map_err(|error| unreadable(&error))
    }

    /// The numbers of the changes that are kept apart, ascending.
    pub(super) fn sequences(&self) -> Vec<i64> {
        let mut sequences: Vec<i64> = self.changes.iter().filter_map(|kept| kept.sequence).collect();
        sequences.sort_unstable();
        sequences
    }

    /// The numbers between what is known that did not come: first and last of each stretch.
    pub(super) fn missing(&self) -> Vec<(i64, i64)> {
        let from = self.base.as_ref().and_then(|base| base.sequence);
        let known: Vec<i64> = from.into_iter().chain(self.sequences()).collect();
        let gap = |pair: &[i64]| (pair[1].abs_diff(pair[0]) > 1).then(|| (pair[0] + 1, pair[1] - 1));
        known.windows(2).filter_map(gap).collect()
    }

    /// The level as it is now, as its source would have told it, and how it came about. `None`: there is no base.
    pub(super) fn level(&self) -> Result<Option<Vec<u8>>, StockFault> {
        let Some(base) = &self.base else { return Ok(None) };
        let mut level = level::read(base.level.to_string().as_bytes())?;
        for change in base.added.iter().chain(&self.changes) {
            level.on_hand = add(level.on_hand, change.on_hand, "$.change.on_hand")?;
            level.reserved = add(level.reserved, change.reserved, "$.change.reserved")?;
            // What never said how much it counted does not begin to by a change.
            let counted = level.counted.map(|counted| add(counted, change.counted, "$.change.counted"));
            level.counted = counted.transpose()?;
            level.changed_at = level.changed_at.max(change.changed_at);
        }
        // A change that came before the one that it follows from; the sum itself is kept as it is.
        level.reserved = level.reserved.max(Decimal::ZERO);
        level.counted = level.counted.map(|counted| counted.max(Decimal::ZERO));
        let mut body: Value = serde_json::from_slice(&payload(&level)).map_err(|error| unreadable(&error))?;
        let folded = json!({
            "told_at": base.told_at.to_string(),
            "version": base.told_sequence,
            "changes": base.changes + self.changes.len() as u64,
            "missing": self.missing(),
            "given_up": base.given_up,
        });
        body["folded"] = folded;
        Ok(Some(body.to_string().into_bytes()))
    }
}

fn unreadable(error: &serde_json::Error) -> StockFault {
    StockFault::new(
        StockCode::NotJson,
        "$",
        format!("the record of this level cannot be read or written: {error}"),
    )
}
