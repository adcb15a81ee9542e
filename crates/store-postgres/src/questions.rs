//! Lists and counts: deliveries, dead letters, backlog, lags, topics, the size of the log. Asked by people and at a
//! pace of seconds; they look into every shop.

use crate::bind::args;
use crate::codec::{self, fault_kind, nanos};
use crate::desk::{Desk, Shared};
use crate::error::{Done, bug};
use crate::filter::Wanted;
use crate::letters::LETTER_FAULT;
use crate::view::{DELIVERY, DELIVERY_FROM, key_of, subject};
use jiff::Timestamp;
use kernel::fault::Fault;
use kernel::id::{DeliveryId, Position};
use std::collections::BTreeMap;
use store::delivery::Delivery;
use store::query::{
    Backlog, Closed, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, LogSize, TopicSeen,
};
use store::seal::vault::column_place;
use tokio_postgres::Row;

/// Columns of a dead letter `l` of the delivery `d`.
pub(crate) const LETTER: &str = "l.delivery, d.shop, d.system, d.flow, d.root, d.child, \
     coalesce(b.label, CASE d.child WHEN '' THEN r.label END), l.fingerprint, l.kind, l.code, l.field, l.fault, \
     l.dead_at, l.closed_at, l.closed_who, l.closed_why, k.id, k.master, k.wrapped";
pub(crate) const LETTER_FROM: &str = "FROM dead_letters l \
     JOIN deliveries d ON d.shop = l.shop AND d.id = l.delivery JOIN roots r ON r.shop = d.shop AND r.root = d.root \
     LEFT JOIN abouts b ON b.shop = d.shop AND b.root = d.root AND b.child = d.child \
     LEFT JOIN data_keys k ON k.shop = d.shop AND k.root = d.root";

impl Shared {
    /// A row of [`LETTER`].
    pub(crate) fn letter_of(&self, row: &Row) -> Done<DeadLetter> {
        let (delivery, root): (i64, String) = (row.try_get(0)?, row.try_get(4)?);
        let shop = self.names.shop(row.try_get(1)?)?;
        let column: Vec<u8> = row.try_get(11)?;
        let key = key_of(row, 16)?;
        let fault = self.fault(&shop, &root, key.as_ref(), &column_place(LETTER_FAULT, delivery), &column)?;
        let fault = match fault {
            Some(fault) => fault,
            // Its key was destroyed: the kind and code are left.
            None => redacted_fault(row)?,
        };
        let closed = match row.try_get::<_, Option<i64>>(13)? {
            Some(at) => Some(Closed { at: codec::time(at), who: row.try_get(14)?, why: row.try_get(15)? }),
            None => None,
        };
        Ok(DeadLetter {
            delivery: DeliveryId(delivery),
            system: self.names.system(row.try_get(2)?)?,
            flow: self.names.flow(row.try_get(3)?)?,
            subject: subject(shop.clone(), &root, row.try_get(5)?),
            shop,
            label: row.try_get(6)?,
            fingerprint: row.try_get(7)?,
            fault,
            dead_at: codec::time(row.try_get(12)?),
            closed,
        })
    }

    /// A fault from its sealed column; `None` where the key was destroyed.
    pub(crate) fn fault(
        &self,
        shop: &kernel::id::ShopId,
        root: &str,
        key: Option<&crate::view::WrappedKey>,
        place: &store::seal::Place,
        column: &[u8],
    ) -> Done<Option<Fault>> {
        let opened = self.open_column(shop, root, key, place, column)?;
        opened
            .map(|bytes| serde_json::from_slice(&bytes))
            .transpose()
            .map_err(|error| bug(format!("a fault that no program of this schema wrote: {error}")))
    }
}

impl Desk {
    pub(crate) async fn deliveries(&self, which: &DeliveryFilter) -> Done<Vec<Delivery>> {
        let Some(wanted) = Wanted::of(self.names(), which) else { return Ok(Vec::new()) };
        let page = which.page();
        let sql = format!("SELECT {DELIVERY} {DELIVERY_FROM} {} ORDER BY d.id DESC LIMIT {page}", wanted.sql);
        let rows = wanted.rows(self, &sql).await?;
        rows.iter().map(|row| self.shared.delivery_of(row)).collect()
    }

    pub(crate) async fn dead_letters(&self, which: &DeliveryFilter, closed: bool) -> Done<Vec<DeadLetter>> {
        let Some(wanted) = Wanted::of(self.names(), which) else { return Ok(Vec::new()) };
        let (page, state) = (which.page(), if closed { "l.closed_at IS NOT NULL" } else { "l.open" });
        let sql = format!(
            "SELECT {LETTER} {LETTER_FROM} {} AND {state} ORDER BY d.id DESC LIMIT {page}",
            wanted.sql
        );
        let rows = wanted.rows(self, &sql).await?;
        rows.iter().map(|row| self.shared.letter_of(row)).collect()
    }

    pub(crate) async fn dead_letter_groups(&self) -> Done<Vec<DeadLetterGroup>> {
        let sql = "SELECT count(*), min(dead_at), max(dead_at), max(delivery), shop FROM dead_letters \
                   WHERE open GROUP BY shop, fingerprint, system";
        let mut groups: BTreeMap<(String, String), DeadLetterGroup> = BTreeMap::new();
        for row in self.all(sql, &[]).await? {
            let (count, oldest, newest): (i64, i64, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let letter = self.letter(row.try_get(4)?, row.try_get(3)?).await?;
            let letter = letter.ok_or_else(|| bug("a group of no letter"))?;
            let key = (letter.fingerprint.clone(), letter.system.as_str().to_owned());
            let (oldest, newest) = (codec::time(oldest), codec::time(newest));
            let group = groups.entry(key).or_insert_with(|| DeadLetterGroup {
                fingerprint: letter.fingerprint.clone(),
                system: letter.system.clone(),
                flow: letter.flow.clone(),
                kind: letter.fault.kind,
                code: letter.fault.code.clone(),
                field: letter.fault.field.clone(),
                example: letter.fault.clone(),
                count: 0,
                oldest,
                newest,
            });
            group.count += count.unsigned_abs();
            group.oldest = group.oldest.min(oldest);
            if newest > group.newest {
                group.newest = newest;
                group.example = letter.fault;
            }
        }
        Ok(groups.into_values().collect())
    }

    pub(crate) async fn letter(&self, shop: i32, delivery: i64) -> Done<Option<DeadLetter>> {
        let sql =
            format!("SELECT {LETTER} {LETTER_FROM} WHERE l.shop = $1 AND d.shop = $1 AND l.delivery = $2");
        let row = self.one(&sql, args![shop, delivery]).await?;
        row.map(|row| self.shared.letter_of(&row)).transpose()
    }

    pub(crate) async fn backlog(&self, now: Timestamp) -> Done<Vec<Backlog>> {
        // A lane with one delivery is counted by its own row; in others each delivery is looked at.
        let sql = "SELECT system, sum(waiting)::int8, sum(unknown)::int8, sum(dead)::int8, min(oldest), min(due_at), \
                   sum(CASE WHEN unknown > 0 THEN 0 WHEN waiting = 1 THEN coalesce((due_at <= $1)::int4, 0) \
                   WHEN waiting > 1 THEN (SELECT count(*) FROM deliveries d WHERE d.shop = lanes.shop \
                   AND d.root = lanes.root AND d.phase < 3 AND d.phase = 0 AND d.system = lanes.system \
                   AND d.due_at <= $1) ELSE 0 END)::int8 \
                   FROM lanes WHERE waiting > 0 OR unknown > 0 OR dead > 0 GROUP BY system";
        let mut systems = Vec::new();
        for row in self.all(sql, args![nanos(now)]).await? {
            let number = |column: usize| -> Done<u64> { Ok(row.try_get::<_, i64>(column)?.unsigned_abs()) };
            let (oldest, next): (Option<i64>, Option<i64>) = (row.try_get(4)?, row.try_get(5)?);
            systems.push(Backlog {
                system: self.names().system(row.try_get(0)?)?,
                waiting: number(1)?,
                due: number(6)?,
                unknown: number(2)?,
                dead: number(3)?,
                oldest_changed_at: oldest.map(codec::time),
                next_due_at: next.map(codec::time),
            });
        }
        systems.sort_by(|a, b| a.system.cmp(&b.system));
        Ok(systems)
    }

    pub(crate) async fn lags(&self, since: Timestamp, limit: u32) -> Done<Vec<LagSample>> {
        let sql = "SELECT flow, ended_at, lag_ms FROM lags WHERE shop = ANY($1) AND ended_at >= $2 \
                   ORDER BY ended_at DESC LIMIT $3";
        let rows = self.all(sql, args![self.names().shops(), nanos(since), i64::from(limit)]).await?;
        let samples = rows.iter().map(|row| {
            Ok(LagSample {
                flow: self.names().flow(row.try_get(0)?)?,
                ended_at: codec::time(row.try_get(1)?),
                lag_ms: row.try_get::<_, i64>(2)?.unsigned_abs(),
            })
        });
        samples.collect()
    }

    pub(crate) async fn topics_seen(&self) -> Done<Vec<TopicSeen>> {
        let sql = "SELECT shop, topic, max(last), sum(count)::int8 FROM topics GROUP BY shop, topic";
        let mut seen = Vec::new();
        for row in self.all(sql, &[]).await? {
            seen.push(TopicSeen {
                shop: self.names().shop(row.try_get(0)?)?,
                topic: self.names().name(row.try_get(1)?)?.as_ref().to_owned(),
                last: codec::time(row.try_get(2)?),
                count: row.try_get::<_, i64>(3)?.unsigned_abs(),
            });
        }
        seen.sort_by(|a, b| (&a.shop, &a.topic).cmp(&(&b.shop, &b.topic)));
        Ok(seen)
    }

    pub(crate) async fn log_size(&self) -> Done<LogSize> {
        // Positions have gaps here: what is counted is counted as it is appended.
        let sql = "SELECT (SELECT coalesce(sum(envelopes), 0)::int8 FROM tallies), \
                   (SELECT coalesce(sum(payload_bytes), 0)::int8 FROM tallies), (SELECT count(*) FROM unrouted), \
                   (SELECT last_value FROM positions WHERE is_called)";
        let row = self.one(sql, &[]).await?.ok_or_else(|| bug("a SELECT without FROM gave no row"))?;
        let number = |column: usize| -> Done<u64> { Ok(row.try_get::<_, i64>(column)?.unsigned_abs()) };
        Ok(LogSize {
            envelopes: number(0)?,
            last: row.try_get::<_, Option<i64>>(3)?.map(Position),
            payload_bytes: number(1)?,
            unrouted: number(2)?,
        })
    }
}

fn redacted_fault(row: &Row) -> Done<Fault> {
    let field: Option<String> = row.try_get(10)?;
    let fault = Fault::new(fault_kind(row.try_get(8)?)?, row.try_get::<_, String>(9)?, "redacted");
    Ok(match field {
        Some(field) => fault.field(field),
        None => fault,
    })
}
