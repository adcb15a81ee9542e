//! Lists and counts: deliveries, dead letters, backlog, lags, topics, the size of the log.

use crate::codec::{self, fault_kind, nanos};
use crate::error::{Done, bug};
use crate::filter::Wanted;
use crate::letters::LETTER_FAULT;
use crate::roots::{shop_id, subject};
use crate::view::{DELIVERY, DELIVERY_FROM, View, const_format, flow_name, system_name};
use jiff::Timestamp;
use kernel::fault::Fault;
use kernel::id::{DeliveryId, Position};
use rusqlite::{Row, params, params_from_iter};
use store::delivery::Delivery;
use store::query::{
    Backlog, Closed, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, LogSize, TopicSeen,
};

/// Columns of a dead letter `l` of the delivery `d` with its root `r`.
pub(crate) const LETTER: &str = "l.delivery, d.shop, d.system, d.flow, d.child, r.kind, r.number, r.key, \
     coalesce(b.label, CASE d.child WHEN '' THEN r.label END), l.fingerprint, l.kind, l.code, l.field, l.fault, \
     l.dead_at, l.closed_at, l.closed_who, l.closed_why";
pub(crate) const LETTER_FROM: &str = "FROM dead_letters l JOIN deliveries d ON d.id = l.delivery \
     JOIN roots r ON r.id = d.root \
     LEFT JOIN abouts b ON b.shop = d.shop AND b.root = d.root AND b.child = d.child";

impl View<'_> {
    pub(crate) fn deliveries(&self, which: &DeliveryFilter) -> Done<Vec<Delivery>> {
        let Some(wanted) = Wanted::of(self.names, which) else { return Ok(Vec::new()) };
        let rest = format!("{} ORDER BY d.id DESC LIMIT {}", wanted.sql, which.page());
        let sql = const_format(DELIVERY, DELIVERY_FROM, &rest);
        self.all(&sql, params_from_iter(&wanted.values), |row| Ok(self.delivery_of(row)?.0))
    }

    pub(crate) fn dead_letters(&self, which: &DeliveryFilter, closed: bool) -> Done<Vec<DeadLetter>> {
        let Some(wanted) = Wanted::of(self.names, which) else { return Ok(Vec::new()) };
        let state = if closed { "l.closed_at IS NOT NULL" } else { "l.open = 1" };
        let rest = format!("{} AND {state} ORDER BY d.id DESC LIMIT {}", wanted.sql, which.page());
        let sql = const_format(LETTER, LETTER_FROM, &rest);
        self.all(&sql, params_from_iter(&wanted.values), |row| self.letter_of(row))
    }

    /// A row of [`LETTER`].
    pub(crate) fn letter_of(&self, row: &Row<'_>) -> Done<DeadLetter> {
        let delivery: i64 = row.get(0)?;
        let shop = shop_id(self.names, row.get(1)?)?;
        let kind = self.names.name(row.get(5)?)?;
        let root = crate::roots::path(&kind, row.get(6)?, &row.get::<_, String>(7)?);
        let fault = self.fault(shop.as_str(), &root, LETTER_FAULT, delivery, &row.get::<_, Vec<u8>>(13)?)?;
        let fault = match fault {
            Some(fault) => fault,
            // Its key was destroyed: the kind and code are left.
            None => redacted_fault(row)?,
        };
        let closed_at: Option<i64> = row.get(15)?;
        let closed = match closed_at {
            Some(at) => Some(Closed { at: codec::time(at), who: row.get(16)?, why: row.get(17)? }),
            None => None,
        };
        Ok(DeadLetter {
            delivery: DeliveryId(delivery),
            system: system_name(self.names, row.get(2)?)?,
            flow: flow_name(self.names, row.get(3)?)?,
            subject: subject(shop.clone(), &root, &row.get::<_, String>(4)?),
            shop,
            label: row.get(8)?,
            fingerprint: self.names.name(row.get(9)?)?.as_ref().to_owned(),
            fault,
            dead_at: codec::time(row.get(14)?),
            closed,
        })
    }

    pub(crate) fn dead_letter_groups(&self) -> Done<Vec<DeadLetterGroup>> {
        let sql = "SELECT l.fingerprint, d.system, count(*), min(l.dead_at), max(l.dead_at), max(l.delivery) \
                   FROM dead_letters l JOIN deliveries d ON d.id = l.delivery \
                   WHERE l.open = 1 GROUP BY l.fingerprint, d.system";
        let rows = self.all(sql, [], |row| {
            Ok((row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?, row.get::<_, i64>(5)?))
        })?;
        let mut groups = Vec::with_capacity(rows.len());
        for (count, oldest, newest, example) in rows {
            let sql = const_format(LETTER, LETTER_FROM, "WHERE l.delivery = ?1");
            let letter = self.one(&sql, [example], |row| self.letter_of(row))?;
            let letter = letter.ok_or_else(|| bug("a group of no letter"))?;
            groups.push(DeadLetterGroup {
                fingerprint: letter.fingerprint,
                system: letter.system,
                flow: letter.flow,
                kind: letter.fault.kind,
                code: letter.fault.code.clone(),
                field: letter.fault.field.clone(),
                example: letter.fault,
                count: count.unsigned_abs(),
                oldest: codec::time(oldest),
                newest: codec::time(newest),
            });
        }
        groups.sort_by(|a, b| (&a.fingerprint, &a.system).cmp(&(&b.fingerprint, &b.system)));
        Ok(groups)
    }

    pub(crate) fn backlog(&self, now: Timestamp) -> Done<Vec<Backlog>> {
        // A lane with one delivery is counted by its own row; in others each delivery is looked at.
        let sql = "SELECT system, sum(waiting), sum(unknown), sum(dead), min(oldest), min(due_at), \
                   sum(CASE WHEN unknown > 0 THEN 0 WHEN waiting = 1 THEN coalesce(due_at <= ?1, 0) \
                   WHEN waiting > 1 THEN (SELECT count(*) FROM deliveries d WHERE d.shop = lanes.shop \
                   AND d.root = lanes.root AND d.phase = 0 AND d.system = lanes.system AND d.due_at <= ?1) \
                   ELSE 0 END) FROM lanes GROUP BY system";
        let mut systems = self.all(sql, [nanos(now)], |row| {
            let number = |column| -> Done<u64> { Ok(row.get::<_, i64>(column)?.unsigned_abs()) };
            let oldest: Option<i64> = row.get(4)?;
            let next_due_at: Option<i64> = row.get(5)?;
            Ok(Backlog {
                system: system_name(self.names, row.get(0)?)?,
                waiting: number(1)?,
                due: number(6)?,
                unknown: number(2)?,
                dead: number(3)?,
                oldest_changed_at: oldest.map(codec::time),
                next_due_at: next_due_at.map(codec::time),
            })
        })?;
        systems.sort_by(|a, b| a.system.cmp(&b.system));
        Ok(systems)
    }

    pub(crate) fn lags(&self, since: Timestamp, limit: u32) -> Done<Vec<LagSample>> {
        let sql = "SELECT flow, ended_at, lag_ms FROM lags WHERE id > coalesce((SELECT id FROM lags \
                   WHERE ended_at < ?1 ORDER BY id DESC LIMIT 1), 0) ORDER BY id DESC LIMIT ?2";
        self.all(sql, params![nanos(since), limit], |row| {
            Ok(LagSample {
                flow: flow_name(self.names, row.get(0)?)?,
                ended_at: codec::time(row.get(1)?),
                lag_ms: row.get::<_, i64>(2)?.unsigned_abs(),
            })
        })
    }

    pub(crate) fn topics_seen(&self) -> Done<Vec<TopicSeen>> {
        let sql = "SELECT shop, topic, last, count FROM topics";
        let mut seen = self.all(sql, [], |row| {
            Ok(TopicSeen {
                shop: shop_id(self.names, row.get(0)?)?,
                topic: self.names.name(row.get(1)?)?.as_ref().to_owned(),
                last: codec::time(row.get(2)?),
                count: row.get::<_, i64>(3)?.unsigned_abs(),
            })
        })?;
        seen.sort_by(|a, b| (&a.shop, &a.topic).cmp(&(&b.shop, &b.topic)));
        Ok(seen)
    }

    pub(crate) fn log_size(&self) -> Done<LogSize> {
        // Envelopes are never dropped and their positions have no gaps.
        let last = self.count("SELECT max(position) FROM envelopes", [])?;
        let unrouted = "SELECT count(*) FROM envelopes INDEXED BY envelopes_unrouted WHERE routed_at IS NULL";
        Ok(LogSize {
            envelopes: last,
            last: (last > 0).then_some(Position(last.cast_signed())),
            payload_bytes: self.count("SELECT value FROM counters WHERE name = 'payload_bytes'", [])?,
            unrouted: self.count(unrouted, [])?,
        })
    }
}

fn redacted_fault(row: &Row<'_>) -> Done<Fault> {
    let field: Option<String> = row.get(12)?;
    let fault = Fault::new(fault_kind(row.get(10)?)?, row.get::<_, String>(11)?, "redacted");
    Ok(match field {
        Some(field) => fault.field(field),
        None => fault,
    })
}
