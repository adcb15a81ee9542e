//! The reading side over one connection: rows put together into what the port speaks of. The writer and the readers
//! share it.

use crate::codec::{self, StateColumns};
use crate::error::{Done, bug};
use crate::names::Names;
use crate::roots::{Root, child, path, shop_id, subject};
use bytes::Bytes;
use kernel::envelope::{Envelope, TraceId};
use kernel::id::{AttemptId, DeliveryId, DomainName, FlowName, Position, ShopId, SystemName};
use kernel::key::{CallKey, ObjectKey};
use kernel::subject::{Lane, Subject};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use std::sync::Arc;
use store::delivery::{Delivery, OpenAttempt, Standing, StoredRef};
use store::seal::Sealed;
use store::seal::vault::{Vault, call_place, column_place, damaged, payload_place};

#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub connection: &'a Connection,
    pub names: &'a Names,
    pub vault: &'a Vault,
}

/// Columns of a delivery `d` with its root `r`, in the order of [`View::delivery_of`].
pub(crate) const DELIVERY: &str = "d.id, d.position, d.flow, d.system, d.shop, d.child, d.kind, d.phase, d.due_at, \
     d.wait, d.detail, d.secret, d.version, d.priority, d.spent, d.failures, d.calls, d.created_at, d.changed_at, \
     d.ended_at, r.kind, r.number, r.key, r.id, r.data_key";
pub(crate) const DELIVERY_FROM: &str = "FROM deliveries d JOIN roots r ON r.id = d.root";

/// Columns of an envelope `e` with its root `r`.
pub(crate) const ENVELOPE: &str = "e.position, e.shop, e.child, e.domain, e.source, e.topic, e.kind, e.via, \
     e.version, e.occurred_at, e.received_at, e.trace, e.raw_hash, e.raw_bytes, r.kind, r.number, r.key";

/// A payload as it lies in the table, with its wrapped key: opened wherever there is time.
#[derive(Debug)]
pub(crate) struct SealedPayload {
    sealed: Sealed,
    data_key: i64,
    master: i32,
    wrapped: Vec<u8>,
}

fn array<const N: usize>(bytes: Vec<u8>) -> Done<[u8; N]> {
    bytes.try_into().map_err(|_| bug("a column of another length"))
}

fn text(names: &Names, number: i64) -> Done<Arc<str>> {
    names.name(number)
}

pub(crate) fn flow_name(names: &Names, number: i64) -> Done<FlowName> {
    FlowName::new(&names.name(number)?).map_err(|error| bug(error.to_string()))
}
pub(crate) fn system_name(names: &Names, number: i64) -> Done<SystemName> {
    SystemName::new(&names.name(number)?).map_err(|error| bug(error.to_string()))
}

impl<'a> View<'a> {
    /// All rows of a query, each by `read`.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> Done<T>,
    ) -> Done<Vec<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
        Ok(found)
    }

    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Done<T>,
    ) -> Done<Option<T>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(read).transpose()
    }

    /// One whole number; 0 where there is no row.
    pub(crate) fn count(&self, sql: &str, params: impl Params) -> Done<u64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let number: Option<i64> = statement.query_row(params, |row| row.get(0)).optional()?.flatten();
        Ok(number.unwrap_or(0).unsigned_abs())
    }

    fn root_path(&self, row: &Row<'_>, first: usize) -> Done<String> {
        let kind = text(self.names, row.get(first)?)?;
        Ok(path(&kind, row.get(first + 1)?, &row.get::<_, String>(first + 2)?))
    }

    /// Shop and root of a lane, by name.
    pub(crate) fn lane_of(&self, shop: i64, root: i64) -> Done<(ShopId, String)> {
        let sql = "SELECT kind, number, key FROM roots WHERE id = ?1";
        let path = self.one(sql, [root], |row| self.root_path(row, 0))?;
        let path = path.ok_or_else(|| bug("a lane of a root that is not there"))?;
        Ok((shop_id(self.names, shop)?, path))
    }

    /// A row of [`DELIVERY`], with the number of its root.
    pub(crate) fn delivery_of(&self, row: &Row<'_>) -> Done<(Delivery, Root)> {
        let shop_number = row.get(4)?;
        let shop = shop_id(self.names, shop_number)?;
        let root_path = self.root_path(row, 20)?;
        let root = Root { id: row.get(23)?, shop: shop_number, data_key: row.get(24)? };
        let id: i64 = row.get(0)?;
        let secret: Option<Vec<u8>> = row.get(11)?;
        let secret = match secret {
            Some(column) => {
                let place = column_place("deliveries.secret", id);
                let opened = self.open_column(shop.as_str(), &root_path, &place, &column)?;
                opened.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            }
            None => None,
        };
        let state = codec::state(StateColumns {
            phase: row.get(7)?,
            due_at: row.get(8)?,
            wait: row.get(9)?,
            detail: row.get(10)?,
            secret,
        })?;
        let system = system_name(self.names, row.get(3)?)?;
        let ended_at: Option<i64> = row.get(19)?;
        let delivery = Delivery {
            id: DeliveryId(id),
            position: Position(row.get(1)?),
            flow: flow_name(self.names, row.get(2)?)?,
            subject: subject(shop.clone(), &root_path, &row.get::<_, String>(5)?),
            lane: Lane { shop, system, root: root_path },
            kind: codec::delivery_kind(row.get(6)?)?,
            state,
            version: codec::version(row.get(12)?)?,
            priority: codec::priority(row.get(13)?),
            spent: row.get(14)?,
            failures: row.get(15)?,
            calls: row.get(16)?,
            created_at: codec::time(row.get(17)?),
            changed_at: codec::time(row.get(18)?),
            ended_at: ended_at.map(codec::time),
        };
        Ok((delivery, root))
    }

    pub(crate) fn delivery(&self, id: i64) -> Done<Option<(Delivery, Root)>> {
        let sql = const_format(DELIVERY, DELIVERY_FROM, "WHERE d.id = ?1");
        self.one(&sql, [id], |row| self.delivery_of(row))
    }

    /// A row of [`ENVELOPE`].
    pub(crate) fn envelope_of(&self, row: &Row<'_>) -> Done<Envelope> {
        let shop = shop_id(self.names, row.get(1)?)?;
        let root_path = self.root_path(row, 14)?;
        Ok(Envelope {
            position: Position(row.get(0)?),
            domain: DomainName::new(&text(self.names, row.get(3)?)?)
                .map_err(|error| bug(error.to_string()))?,
            source: system_name(self.names, row.get(4)?)?,
            topic: text(self.names, row.get(5)?)?.as_ref().to_owned(),
            kind: codec::fact_kind(row.get(6)?)?,
            via: codec::via(row.get(7)?)?,
            subject: subject(shop.clone(), &root_path, &row.get::<_, String>(2)?),
            shop,
            version: codec::version(row.get(8)?)?,
            occurred_at: codec::time(row.get(9)?),
            received_at: codec::time(row.get(10)?),
            trace: TraceId(array(row.get(11)?)?),
            raw_hash: array(row.get(12)?)?,
            raw_bytes: row.get(13)?,
        })
    }

    pub(crate) fn envelope(&self, position: i64) -> Done<Option<Envelope>> {
        let sql =
            const_format(ENVELOPE, "FROM envelopes e JOIN roots r ON r.id = e.root", "WHERE e.position = ?1");
        self.one(&sql, [position], |row| self.envelope_of(row))
    }

    /// The payload with its key; `None` where either is gone.
    pub(crate) fn sealed_payload(&self, position: i64) -> Done<Option<SealedPayload>> {
        let sql = "SELECT p.codec, p.body, p.data_key, k.master, k.wrapped FROM payloads p \
                   JOIN data_keys k ON k.id = p.data_key WHERE p.position = ?1";
        self.one(sql, [position], |row| {
            let codec: i64 = row.get(0)?;
            let codec = u8::try_from(codec).map_err(|_| bug("a codec beyond a byte"))?;
            Ok(SealedPayload {
                sealed: Sealed { codec, body: row.get(1)? },
                data_key: row.get(2)?,
                master: row.get(3)?,
                wrapped: row.get(4)?,
            })
        })
    }

    /// What is known of a subject at a flow, with what waits for it.
    pub(crate) fn standing(&self, root: Root, of: &Subject, flow: i64, system: i64) -> Done<Standing> {
        let child = child(of);
        let sql = "SELECT routed, routed_position, delivered, digest, attempted, target FROM standings \
                   WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4";
        let key = params![root.shop, root.id, child, flow];
        let row = self.one(sql, key, |row| {
            let digest: Option<Vec<u8>> = row.get(3)?;
            let routed_position: Option<i64> = row.get(1)?;
            let standing = Standing {
                routed: codec::version(row.get(0)?)?,
                routed_position: routed_position.map(Position),
                delivered: codec::version(row.get(2)?)?,
                delivered_digest: digest.and_then(|bytes| codec::digest(&bytes)),
                attempted: row.get(4)?,
                ..Standing::default()
            };
            Ok((standing, row.get::<_, Option<i64>>(5)?))
        })?;
        let (mut standing, target) = row.unwrap_or_default();
        if let Some(target) = target.or((system != 0).then_some(system)) {
            standing.external = self.external(root, child, target)?;
        }
        let sql = "SELECT max(kind = 2 AND phase < 2), max(phase = 0 AND wait = ?5) FROM deliveries \
                   WHERE shop = ?1 AND root = ?2 AND phase < 2 AND flow = ?4 AND child = ?3";
        let key = params![root.shop, root.id, child, flow, codec::WAIT_CONDITION];
        let open =
            self.one(sql, key, |row| Ok((row.get::<_, Option<bool>>(0)?, row.get::<_, Option<bool>>(1)?)))?;
        let (reading, condition) = open.unwrap_or_default();
        standing.reading = reading == Some(true);
        standing.waiting_condition = condition == Some(true);
        Ok(standing)
    }

    pub(crate) fn external(&self, root: Root, child: &str, system: i64) -> Done<Option<StoredRef>> {
        let sql = "SELECT object_key, id, number, state, created_at, adopted FROM external_refs \
                   WHERE shop = ?1 AND root = ?2 AND child = ?3 AND system = ?4";
        self.one(sql, params![root.shop, root.id, child, system], |row| external_of(row, 0))
    }

    /// The newest attempt of a delivery, if it has no answer yet.
    pub(crate) fn open_attempt(&self, delivery: &Delivery) -> Done<Option<OpenAttempt>> {
        let sql = "SELECT a.id, a.step, a.call_key, a.started_at, a.ended_at, f.call FROM attempts a \
                   LEFT JOIN frozen_calls f ON f.attempt = a.id WHERE a.delivery = ?1 ORDER BY a.id DESC LIMIT 1";
        let found = self.one(sql, [delivery.id.0], |row| {
            if row.get::<_, Option<i64>>(4)?.is_some() {
                return Ok(None);
            }
            let call_key: String = row.get(2)?;
            let call: Option<Vec<u8>> = row.get(5)?;
            let frozen = match call {
                Some(column) => {
                    let (shop, root) = (delivery.lane.shop.as_str(), &delivery.lane.root);
                    self.open_column(shop, root, &call_place(&call_key), &column)?.unwrap_or_default()
                }
                None => Vec::new(),
            };
            Ok(Some(OpenAttempt {
                id: AttemptId(row.get(0)?),
                step: text(self.names, row.get(1)?)?.as_ref().to_owned(),
                call_key: CallKey(call_key),
                frozen: frozen.into(),
                started_at: codec::time(row.get(3)?),
            }))
        })?;
        Ok(found.flatten())
    }
}

/// A link from six columns.
pub(crate) fn external_of(row: &Row<'_>, first: usize) -> Done<StoredRef> {
    Ok(StoredRef {
        object_key: ObjectKey(row.get(first)?),
        id: row.get(first + 1)?,
        number: row.get(first + 2)?,
        state: row.get(first + 3)?,
        created_at: codec::time(row.get(first + 4)?),
        adopted: row.get(first + 5)?,
    })
}

/// `SELECT columns from rest`.
pub(crate) fn const_format(columns: &str, from: &str, rest: &str) -> String {
    ["SELECT ", columns, " ", from, " ", rest].concat()
}

impl SealedPayload {
    /// Opens it, and remembers its key: what is opened now is sealed for soon.
    pub(crate) fn open(&self, vault: &Vault, envelope: &Envelope) -> Done<Bytes> {
        let (shop, root) = (&envelope.shop, envelope.subject.root());
        let key = match vault.cached(shop, root) {
            Some((number, key)) if number == self.data_key => key,
            _ => {
                let key = vault.unwrap(self.master, shop.as_str(), root, &self.wrapped)?;
                vault.remember(shop.as_str(), root, self.data_key, &key);
                key
            }
        };
        let place = payload_place(&envelope.subject, &envelope.topic, &envelope.raw_hash);
        let what = format!("the payload at position {}", envelope.position);
        Ok(Bytes::from(key.open(&place, &self.sealed).map_err(damaged(what))?))
    }
}
