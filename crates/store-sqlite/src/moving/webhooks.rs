//! Webhook ids on their way out. They stand here without their shop, which the other store keys them by: it is found
//! through the body, whose hash the envelope keeps.

use super::key_of;
use super::rows::Batches;
use crate::error::{Done, bug};
use crate::names::Names;
use crate::webhook_ids::slot;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::moving::Value;

/// The start of a body's hash, as a number.
type Body = u64;

/// Which shops an id can belong to.
struct Shops {
    all: Vec<Arc<str>>,
    /// By body, where there are several; in order.
    by_body: Vec<(Body, u32)>,
}

impl Shops {
    fn load(connection: &Connection, names: &Names, oldest: i64) -> Done<Self> {
        let mut statement = connection.prepare("SELECT DISTINCT shop FROM roots ORDER BY shop")?;
        let numbers: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let all: Vec<Arc<str>> = numbers.iter().map(|number| names.name(*number)).collect::<Done<_>>()?;
        let mut by_body = Vec::new();
        if all.len() > 1 {
            // Facts are received in order, but for what clocks differ: what is a day older is of no use here.
            let sql = "SELECT raw_hash, shop FROM envelopes WHERE received_at >= ?1";
            let mut statement = connection.prepare(sql)?;
            let mut rows = statement.query([(oldest - 1).saturating_mul(86_400_000_000_000)])?;
            while let Some(row) = rows.next()? {
                let (hash, shop): (Vec<u8>, i64) = (row.get(0)?, row.get(1)?);
                let shop = numbers.binary_search(&shop).map_err(|_| bug("an envelope of no shop"))?;
                by_body.push((body(&hash), u32::try_from(shop).unwrap_or(u32::MAX)));
            }
            by_body.sort_unstable();
            by_body.dedup();
        }
        Ok(Self { all, by_body })
    }

    /// One; several where the same body came from several, or all where the body is unknown: an id too many says only
    /// that a copy that never comes was seen.
    fn of(&self, body: Body) -> impl Iterator<Item = &Arc<str>> {
        let from = self.by_body.partition_point(|(known, _)| *known < body);
        let these: BTreeSet<u32> = self.by_body[from..]
            .iter()
            .take_while(|(known, _)| *known == body)
            .map(|(_, shop)| *shop)
            .collect();
        let all = these.is_empty();
        (0_u32..).zip(&self.all).filter(move |(index, _)| all || these.contains(index)).map(|(_, shop)| shop)
    }
}

fn body(hash: &[u8]) -> Body {
    hash.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default()
}

fn days(connection: &Connection) -> Done<Vec<i64>> {
    let mut statement = connection.prepare("SELECT day FROM webhook_days ORDER BY day")?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

pub(super) fn rows(
    connection: &Connection,
    names: &Names,
    after: Option<&str>,
    batches: &mut Batches<'_>,
) -> Done<()> {
    let after = after.map(key_of).transpose()?;
    let after = match after.as_deref() {
        None => None,
        Some([Sql::Integer(day), Sql::Blob(id)]) => Some((*day, id.clone())),
        Some(_) => return Err(bug("the place to go on from is none of webhook ids")),
    };
    let days = days(connection)?;
    let shops = Shops::load(connection, names, days.first().copied().unwrap_or_default())?;
    for day in days {
        let behind = match &after {
            Some((last, _)) if day < *last => continue,
            Some((last, id)) if day == *last => id.clone(),
            _ => Vec::new(),
        };
        let sql = format!("SELECT id, body FROM webhook_ids_{} WHERE id > ?1 ORDER BY id", slot(day));
        let mut statement = connection.prepare(&sql)?;
        let mut found = statement.query(params![behind])?;
        while let Some(row) = found.next()? {
            let (id, hash): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            // All shops of an id in one batch: the place to go on from is behind all of them.
            let of_shop = |shop: &Arc<str>| {
                vec![
                    Value::Name(shop.clone()),
                    Value::Int(day),
                    Value::Bytes(id.clone()),
                    Value::Bytes(hash.clone()),
                ]
            };
            let rows = shops.of(body(&hash)).map(of_shop).collect();
            batches.push_all([Sql::Integer(day), Sql::Blob(id.clone())], rows)?;
        }
    }
    Ok(())
}

pub(super) fn count(connection: &Connection) -> Done<u64> {
    let mut all = 0;
    for day in days(connection)? {
        all += super::count(connection, &format!("SELECT count(*) FROM webhook_ids_{}", slot(day)), [])?;
    }
    Ok(all)
}
