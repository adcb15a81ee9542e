//! Webhook ids: one table for each of eight days, emptied whole; an append asks today's and yesterday's.
//!
//! Owns the filter in memory (two bytes an id) that answers "certainly new" without the disk; its "maybe" asks the
//! table. New ids are written at the end of the transaction, in the order of their keys.

use crate::desk::{Desk, Undo};
use crate::error::Done;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// Days for which a table exists; one more than are kept.
const SLOTS: i64 = 8;
/// The first bytes of the body's hash: enough to tell another body under the same id.
const BODY_BYTES: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct WebhookIds {
    /// The newest day with an id.
    newest: i64,
    filters: BTreeMap<i64, Filter>,
    /// Of this transaction, with the day.
    pending: BTreeMap<[u8; 16], (i64, [u8; BODY_BYTES])>,
}

impl WebhookIds {
    pub(crate) fn load(connection: &Connection) -> Done<Self> {
        let mut statement = connection.prepare("SELECT day FROM webhook_days ORDER BY day DESC LIMIT 2")?;
        let days: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let newest = days.first().copied().unwrap_or(i64::MIN + 1);
        let mut filters = BTreeMap::new();
        for day in days.into_iter().filter(|day| *day >= newest - 1) {
            let mut filter = Filter::default();
            let mut ids = connection.prepare(&format!("SELECT id FROM webhook_ids_{}", slot(day)))?;
            let mut rows = ids.query([])?;
            while let Some(row) = rows.next()? {
                if let Ok(id) = row.get_ref(0)?.as_blob().unwrap_or_default().try_into() {
                    filter.insert(id);
                }
            }
            filters.insert(day, filter);
        }
        Ok(Self { newest, filters, pending: BTreeMap::new() })
    }

    pub(crate) fn forget(&mut self, id: &[u8; 16]) {
        self.pending.remove(id);
    }

    /// The day begun in a transaction that failed was not begun.
    pub(crate) fn back_to(&mut self, day: i64) {
        self.newest = day;
        self.filters.retain(|filtered, _| *filtered <= day);
    }
}

/// Which of the tables a day has.
pub(crate) fn slot(day: i64) -> i64 {
    day.rem_euclid(SLOTS)
}

fn body_start(raw_hash: &[u8; 32]) -> [u8; BODY_BYTES] {
    let mut start = [0; BODY_BYTES];
    start.copy_from_slice(&raw_hash[..BODY_BYTES]);
    start
}

impl Desk {
    /// `None`: the id is new and now taken down. `Some`: it is known, and whether with the same body.
    pub(crate) fn known_webhook(
        &mut self,
        id: [u8; 16],
        raw_hash: &[u8; 32],
        day: i64,
    ) -> Done<Option<bool>> {
        let body = body_start(raw_hash);
        if let Some((_, first)) = self.webhook_ids.pending.get(&id) {
            return Ok(Some(*first == body));
        }
        self.begin_day(day)?;
        let newest = self.webhook_ids.newest;
        for day in [newest, newest - 1] {
            if !self.webhook_ids.filters.get(&day).is_some_and(|filter| filter.may_hold(&id)) {
                continue;
            }
            let sql = format!("SELECT body FROM webhook_ids_{} WHERE id = ?1", slot(day));
            let first =
                self.prepared(&sql)?.query_row([&id[..]], |row| row.get::<_, Vec<u8>>(0)).optional()?;
            if let Some(first) = first {
                return Ok(Some(first == body));
            }
        }
        self.webhook_ids.pending.insert(id, (newest, body));
        self.undo.push(Undo::WebhookId(id));
        Ok(None)
    }

    fn begin_day(&mut self, day: i64) -> Done<()> {
        let newest = self.webhook_ids.newest;
        if day <= newest {
            return Ok(());
        }
        self.execute(&format!("DELETE FROM webhook_ids_{}", slot(day)), [])?;
        self.execute("INSERT OR REPLACE INTO webhook_days (slot, day) VALUES (?1, ?2)", [slot(day), day])?;
        self.undo.push(Undo::WebhookDay(newest));
        self.webhook_ids.newest = day;
        self.webhook_ids.filters.retain(|filtered, _| *filtered >= day - 1);
        Ok(())
    }

    /// Writes the ids of the transaction.
    pub(crate) fn flush_webhook_ids(&mut self) -> Done<()> {
        let pending = std::mem::take(&mut self.webhook_ids.pending);
        if pending.is_empty() {
            return Ok(());
        }
        for (id, (day, body)) in &pending {
            let sql = format!("INSERT INTO webhook_ids_{} (id, body) VALUES (?1, ?2)", slot(*day));
            self.execute(&sql, params![&id[..], &body[..]])?;
            // An id of a commit that fails stays in the filter: a "maybe" more.
            self.webhook_ids.filters.entry(*day).or_default().insert(id);
        }
        Ok(())
    }

    /// Empties the tables of days before this one. Returns how many ids they had.
    pub(crate) fn drop_webhook_days(&mut self, before: i64) -> Done<u64> {
        let mut dropped = 0;
        let days: Vec<(i64, i64)> = self
            .prepared("SELECT slot, day FROM webhook_days WHERE day < ?1")?
            .query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (slot, day) in days {
            let table = format!("webhook_ids_{slot}");
            dropped += self
                .prepared(&format!("SELECT count(*) FROM {table}"))?
                .query_row([], |row| row.get::<_, i64>(0))?
                .unsigned_abs();
            self.execute(&format!("DELETE FROM {table}"), [])?;
            self.execute("DELETE FROM webhook_days WHERE day = ?1", [day])?;
        }
        Ok(dropped)
    }
}

/// Ids of a day: blocked Bloom filters of 32,768 ids each, at 16 bits an id. About one in five hundred that was
/// never seen is a "maybe" of one of them.
#[derive(Debug, Default)]
struct Filter {
    parts: Vec<Box<[[u64; 8]]>>,
    ids: usize,
}

const IDS_IN_A_PART: usize = 32_768;
const BLOCKS: usize = IDS_IN_A_PART * 16 / 512;

impl Filter {
    fn insert(&mut self, id: &[u8; 16]) {
        if self.ids.is_multiple_of(IDS_IN_A_PART) {
            self.parts.push(vec![[0; 8]; BLOCKS].into_boxed_slice());
        }
        self.ids += 1;
        if let Some(part) = self.parts.last_mut() {
            let (block, bits) = probes(id);
            for bit in bits {
                part[block][bit / 64] |= 1 << (bit % 64);
            }
        }
    }

    fn may_hold(&self, id: &[u8; 16]) -> bool {
        let (block, bits) = probes(id);
        self.parts.iter().any(|part| bits.iter().all(|bit| part[block][bit / 64] & (1 << (bit % 64)) != 0))
    }
}

/// The id is a hash already: ten bits choose the block, six times nine bits within it.
fn probes(id: &[u8; 16]) -> (usize, [usize; 6]) {
    let bits = u128::from_be_bytes(*id);
    let block = (bits >> 118) as usize % BLOCKS;
    (block, std::array::from_fn(|n| (bits >> (9 * n)) as usize % 512))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::rng::{Rng, Seeded};

    #[test]
    fn the_filter_forgets_nothing_and_seldom_says_maybe() {
        let mut rng = Seeded::new(7);
        let mut id = || ((u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64())).to_be_bytes();
        let mut filter = Filter::default();
        let known: Vec<[u8; 16]> = (0..100_000).map(|_| id()).collect();
        known.iter().for_each(|id| filter.insert(id));
        assert!(known.iter().all(|id| filter.may_hold(id)));
        let maybe = (0..100_000).filter(|_| filter.may_hold(&id())).count();
        assert!(maybe < 1_000, "{maybe} of 100000");
        let bytes = filter.parts.len() * BLOCKS * 64;
        assert!(bytes <= 2 * (known.len() + IDS_IN_A_PART), "{bytes} bytes for {} ids", known.len());
    }
}
