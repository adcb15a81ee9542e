//! Sequence numbers of a source that began to count anew. A level with a lower number than one that came before is an older
//! one, for ever: so a source that was restored or replaced would never be heard again. A person says that it began anew
//! (`tidegate ats reset-sequence`), and from then on each of its numbers is lifted above all that came before.

use kernel::id::{ShopId, SystemName};
use store::{Store, StoreError};

/// Each new beginning counts from here. No source that counts changes, or milliseconds, comes so far by itself.
pub const STEP: i64 = 1_000_000_000_000_000;

/// Under which name it is kept how often a source began anew.
pub fn name_of(system: &SystemName, shop: &ShopId) -> String {
    format!("sequence/{system}/{shop}")
}

/// By how much the numbers of a source are lifted, whatever they number.
pub async fn of(store: &dyn Store, system: &SystemName, shop: &ShopId) -> Result<i64, StoreError> {
    let beginnings = store.cursor(&name_of(system, shop)).await?;
    let beginnings: i64 = beginnings.and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(beginnings.saturating_mul(STEP))
}

/// A source's number as it counts here; what would be beyond all numbers is the last of them.
pub fn lifted(sequence: i64, lift: i64) -> i64 {
    sequence.saturating_add(lift)
}
