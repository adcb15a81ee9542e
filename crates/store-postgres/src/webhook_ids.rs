//! Webhook ids: daily generations, dropped whole. An append asks those of its day and the days beside it.
//!
//! A key that is unique in one generation says nothing about another, and two copies that are on their way at the same
//! instant do not see each other's rows. So an id that comes within an hour of midnight is written to the generations
//! on both sides of it: copies on either side of midnight, on whatever nodes, meet at one unique key, and the second
//! waits for the commit of the first. Farther apart, the first has been committed or given up long before.

use crate::bind::args;
use crate::codec::day;
use crate::desk::Desk;
use crate::error::Done;
use futures_util::future::try_join;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Id = [u8; 16];
/// The first bytes of the body's hash: enough to tell another body under the same id.
pub(crate) type Body = [u8; 8];

/// No transaction lives so long, and no two clocks differ so much.
const NEAR_MIDNIGHT_S: i64 = 3600;

pub(crate) fn body_start(raw_hash: &[u8; 32]) -> Body {
    let mut start = [0; 8];
    start.copy_from_slice(&raw_hash[..8]);
    start
}

/// The days to which an id is written, in order.
pub(crate) fn generations(received_at: Timestamp) -> Vec<i32> {
    let today = day(received_at);
    match received_at.as_second().rem_euclid(86_400) {
        second if second < NEAR_MIDNIGHT_S => vec![today - 1, today],
        second if second >= 86_400 - NEAR_MIDNIGHT_S => vec![today, today + 1],
        _ => vec![today],
    }
}

/// Ids with the days to which each is written and its body.
pub(crate) type NewIds = BTreeMap<Id, (Vec<i32>, Body)>;

impl Desk {
    /// Takes down those that are new. Returns the others, with the body that came first; one whose first copy is on its
    /// way is waited for.
    pub(crate) async fn take_down(&self, shop: i32, ids: &NewIds) -> Done<BTreeMap<Id, Body>> {
        let (inserted, mut known) = try_join(self.insert_ids(shop, ids), self.known_ids(shop, ids)).await?;
        let unsettled = |(id, (days, _)): (&Id, &(Vec<i32>, Body))| {
            (!known.contains_key(id) && !days.iter().all(|day| inserted.contains(&(*day, *id))))
                .then_some(*id)
        };
        // Committed while we waited for it: seen only by a statement that begins now.
        let late: NewIds = ids.iter().filter_map(unsettled).map(|id| (id, ids[&id].clone())).collect();
        if !late.is_empty() {
            known.extend(self.bodies_of(shop, &late, |days| days.to_vec()).await?);
            for (id, (_, body)) in late {
                known.entry(id).or_insert(body);
            }
        }
        Ok(known)
    }

    async fn insert_ids(&self, shop: i32, ids: &NewIds) -> Done<BTreeSet<(i32, Id)>> {
        let mut rows: Vec<(i32, &Id, &Body)> = Vec::with_capacity(ids.len());
        for (id, (days, body)) in ids {
            rows.extend(days.iter().map(|day| (*day, id, body)));
        }
        // By key: two who insert the same ids meet in the same order, so that neither waits for the other in a ring.
        rows.sort_unstable();
        let days: Vec<i32> = rows.iter().map(|row| row.0).collect();
        let keys: Vec<&[u8]> = rows.iter().map(|row| &row.1[..]).collect();
        let bodies: Vec<&[u8]> = rows.iter().map(|row| &row.2[..]).collect();
        let inserted = self.all(INSERT_IDS, args![shop, days, keys, bodies]).await?;
        inserted.iter().map(|row| Ok((row.try_get(0)?, id_of(row.try_get(1)?)))).collect()
    }

    /// Those of the generations beside the ones that are written to.
    async fn known_ids(&self, shop: i32, ids: &NewIds) -> Done<BTreeMap<Id, Body>> {
        let beside = |days: &[i32]| {
            let (first, last) = (days.first().copied().unwrap_or(0), days.last().copied().unwrap_or(0));
            vec![first - 1, last + 1]
        };
        self.bodies_of(shop, ids, beside).await
    }

    async fn bodies_of(
        &self,
        shop: i32,
        ids: &NewIds,
        of: impl Fn(&[i32]) -> Vec<i32>,
    ) -> Done<BTreeMap<Id, Body>> {
        let days: BTreeSet<i32> = ids.values().flat_map(|(days, _)| of(days)).collect();
        let days: Vec<i32> = days.into_iter().collect();
        let keys: Vec<&[u8]> = ids.keys().map(|id| &id[..]).collect();
        let rows = self.all(KNOWN_IDS, args![shop, days, keys]).await?;
        rows.iter().map(|row| Ok((id_of(row.try_get(0)?), id_of(row.try_get(1)?)))).collect()
    }
}

pub(crate) const INSERT_IDS: &str = "INSERT INTO webhook_ids (shop, day, id, body) \
     SELECT $1, day, id, body FROM unnest($2::int4[], $3::bytea[], $4::bytea[]) AS new (day, id, body) \
     ON CONFLICT DO NOTHING RETURNING day, id";

pub(crate) const KNOWN_IDS: &str = "SELECT w.id, w.body FROM unnest($2::int4[]) AS d (day) \
     CROSS JOIN unnest($3::bytea[]) AS n (id) CROSS JOIN LATERAL (SELECT id, body FROM webhook_ids \
     WHERE shop = $1 AND day = d.day AND id = n.id OFFSET 0) w";

fn id_of<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut id = [0; N];
    let length = N.min(bytes.len());
    id[..length].copy_from_slice(&bytes[..length]);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_on_either_side_of_midnight_share_a_generation() {
        let at = |second: i64| generations(Timestamp::from_second(20_000 * 86_400 + second).unwrap());
        assert_eq!(at(43_200), [20_000]);
        assert_eq!(at(3_600), [20_000]);
        assert_eq!(at(82_799), [20_000]);
        assert_eq!(at(-1), [19_999, 20_000]);
        assert_eq!(at(0), [19_999, 20_000]);
        assert_eq!(at(3_599), [19_999, 20_000]);
        assert_eq!(at(82_800), [20_000, 20_001]);
    }
}
