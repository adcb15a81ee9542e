//! Rows put together into what the port speaks of, and sealed columns opened. No statement stands here but the lists of
//! columns.

use crate::codec::{self, StateColumns};
use crate::desk::Shared;
use crate::error::{Done, bug};
use bytes::Bytes;
use kernel::envelope::{Envelope, TraceId};
use kernel::id::{DeliveryId, DomainName, Position, ShopId};
use kernel::key::ObjectKey;
use kernel::subject::{Lane, Subject};
use store::delivery::{Delivery, StoredRef};
use store::seal::vault::{column_place, damaged, payload_place};
use store::seal::{DataKey, Place, Sealed};
use tokio_postgres::Row;

/// Columns of a delivery `d` with the key `k` of its root, in the order of [`Shared::delivery_of`].
pub(crate) const DELIVERY: &str = "d.id, d.position, d.flow, d.system, d.shop, d.root, d.child, d.kind, d.phase, \
     d.due_at, d.wait, d.detail, d.secret, d.version, d.priority, d.spent, d.failures, d.calls, d.created_at, \
     d.changed_at, d.ended_at, k.id, k.master, k.wrapped";
pub(crate) const DELIVERY_FROM: &str =
    "FROM deliveries d LEFT JOIN data_keys k ON k.shop = d.shop AND k.root = d.root";
const DELIVERY_KEY: usize = 21;
pub(crate) const DELIVERY_COLUMNS: usize = 24;

/// Columns of an envelope `e`.
pub(crate) const ENVELOPE: &str = "e.position, e.shop, e.root, e.child, e.domain, e.source, e.topic, e.kind, e.via, \
     e.version, e.occurred_at, e.received_at, e.trace, e.raw_hash, e.raw_bytes";
pub(crate) const ENVELOPE_COLUMNS: usize = 15;

/// Columns of a payload `p`, or of one that was moved on, `q`, with the key `y` of its root.
pub(crate) const PAYLOAD: &str = "coalesce(p.data_key, q.data_key), coalesce(p.codec, q.codec), \
     coalesce(p.body, q.body), y.id, y.master, y.wrapped";
/// After an envelope `e`.
pub(crate) const PAYLOAD_FROM: &str = "LEFT JOIN LATERAL (SELECT * FROM payloads WHERE shop = e.shop \
     AND day = e.day AND position = e.position OFFSET 0) p ON true \
     LEFT JOIN LATERAL (SELECT * FROM payloads_kept WHERE shop = e.shop \
     AND day = e.day AND position = e.position OFFSET 0) q ON true \
     LEFT JOIN LATERAL (SELECT * FROM data_keys WHERE shop = e.shop AND root = e.root OFFSET 0) y ON true";

/// A data key as its row has it.
#[derive(Debug, Clone)]
pub(crate) struct WrappedKey {
    pub id: i64,
    pub master: i32,
    pub wrapped: Vec<u8>,
}

pub(crate) fn key_of(row: &Row, first: usize) -> Done<Option<WrappedKey>> {
    let Some(id) = row.try_get::<_, Option<i64>>(first)? else { return Ok(None) };
    Ok(Some(WrappedKey { id, master: row.try_get(first + 1)?, wrapped: row.try_get(first + 2)? }))
}

fn array<const N: usize>(bytes: Vec<u8>) -> Done<[u8; N]> {
    bytes.try_into().map_err(|_| bug("a column of another length"))
}

pub(crate) fn unsigned(number: i32) -> u32 {
    number.unsigned_abs()
}

/// What follows the root in a subject's path, without the `/`.
pub(crate) fn child(subject: &Subject) -> &str {
    subject.path.split_once('/').map_or("", |(_, child)| child)
}

/// A subject from its columns.
pub(crate) fn subject(shop: ShopId, root: &str, child: &str) -> Subject {
    let path = if child.is_empty() { root.to_owned() } else { format!("{root}/{child}") };
    Subject { shop, path }
}

/// A link from six columns.
pub(crate) fn external_of(row: &Row, first: usize) -> Done<StoredRef> {
    Ok(StoredRef {
        object_key: ObjectKey(row.try_get(first)?),
        id: row.try_get(first + 1)?,
        number: row.try_get(first + 2)?,
        state: row.try_get(first + 3)?,
        created_at: codec::time(row.try_get(first + 4)?),
        adopted: row.try_get(first + 5)?,
    })
}

impl Shared {
    /// The key of a root, from memory where it is there: what is opened now is sealed for soon.
    pub(crate) fn unwrapped(&self, shop: &ShopId, root: &str, wrapped: &WrappedKey) -> Done<DataKey> {
        if let Some((number, key)) = self.vault.cached(shop, root)
            && number == wrapped.id
        {
            return Ok(key);
        }
        let key = self.vault.unwrap(wrapped.master, shop.as_str(), root, &wrapped.wrapped)?;
        self.vault.remember(shop.as_str(), root, wrapped.id, &key);
        Ok(key)
    }

    /// Opens a sealed column; `None` where its key was destroyed.
    pub(crate) fn open_column(
        &self,
        shop: &ShopId,
        root: &str,
        key: Option<&WrappedKey>,
        place: &Place,
        column: &[u8],
    ) -> Done<Option<Vec<u8>>> {
        let (number, sealed) = Sealed::from_column(column).map_err(damaged("a column"))?;
        let Some(wrapped) = key.filter(|key| key.id == number) else { return Ok(None) };
        let key = self.unwrapped(shop, root, wrapped)?;
        Ok(Some(key.open(place, &sealed).map_err(damaged(format!("a column of {shop}/{root}")))?))
    }

    /// A row of [`DELIVERY`].
    pub(crate) fn delivery_of(&self, row: &Row) -> Done<Delivery> {
        let shop = self.names.shop(row.try_get(4)?)?;
        let (root, id): (String, i64) = (row.try_get(5)?, row.try_get(0)?);
        let secret = match row.try_get::<_, Option<Vec<u8>>>(12)? {
            Some(column) => {
                let place = column_place("deliveries.secret", id);
                let key = key_of(row, DELIVERY_KEY)?;
                let opened = self.open_column(&shop, &root, key.as_ref(), &place, &column)?;
                opened.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            }
            None => None,
        };
        let state = codec::state(StateColumns {
            phase: row.try_get(8)?,
            due_at: row.try_get(9)?,
            wait: row.try_get(10)?,
            detail: row.try_get(11)?,
            secret,
        })?;
        let ended_at: Option<i64> = row.try_get(20)?;
        Ok(Delivery {
            id: DeliveryId(id),
            position: Position(row.try_get(1)?),
            flow: self.names.flow(row.try_get(2)?)?,
            subject: subject(shop.clone(), &root, row.try_get(6)?),
            lane: Lane { shop, system: self.names.system(row.try_get(3)?)?, root },
            kind: codec::delivery_kind(row.try_get(7)?)?,
            state,
            version: codec::version(row.try_get(13)?)?,
            priority: codec::priority(row.try_get(14)?),
            spent: unsigned(row.try_get(15)?),
            failures: unsigned(row.try_get(16)?),
            calls: unsigned(row.try_get(17)?),
            created_at: codec::time(row.try_get(18)?),
            changed_at: codec::time(row.try_get(19)?),
            ended_at: ended_at.map(codec::time),
        })
    }

    /// A row with [`ENVELOPE`] from a column on.
    pub(crate) fn envelope_of(&self, row: &Row, first: usize) -> Done<Envelope> {
        let shop = self.names.shop(row.try_get(first + 1)?)?;
        let name = |column| -> Done<_> { self.names.name(row.try_get(first + column)?) };
        Ok(Envelope {
            position: Position(row.try_get(first)?),
            subject: subject(shop.clone(), row.try_get(first + 2)?, row.try_get(first + 3)?),
            shop,
            domain: DomainName::new(&name(4)?).map_err(|error| bug(error.to_string()))?,
            source: self.names.system(row.try_get(first + 5)?)?,
            topic: name(6)?.as_ref().to_owned(),
            kind: codec::fact_kind(row.try_get(first + 7)?)?,
            via: codec::via(row.try_get(first + 8)?)?,
            version: codec::version(row.try_get(first + 9)?)?,
            occurred_at: codec::time(row.try_get(first + 10)?),
            received_at: codec::time(row.try_get(first + 11)?),
            trace: TraceId(array(row.try_get(first + 12)?)?),
            raw_hash: array(row.try_get(first + 13)?)?,
            raw_bytes: u32::try_from(row.try_get::<_, i64>(first + 14)?).unwrap_or(u32::MAX),
        })
    }

    /// A row with [`PAYLOAD`] from a column on: opened, or `None` where it or its key is gone.
    pub(crate) fn payload_of(&self, row: &Row, first: usize, envelope: &Envelope) -> Done<Option<Bytes>> {
        let number: Option<i64> = row.try_get(first)?;
        let key = key_of(row, first + 3)?;
        let (Some(number), Some(wrapped)) = (number, key) else { return Ok(None) };
        if wrapped.id != number {
            return Ok(None);
        }
        let codec: i32 = row.try_get(first + 1)?;
        let codec = u8::try_from(codec).map_err(|_| bug("a codec beyond a byte"))?;
        let sealed = Sealed { codec, body: row.try_get(first + 2)? };
        let key = self.unwrapped(&envelope.shop, envelope.subject.root(), &wrapped)?;
        let place = payload_place(&envelope.subject, &envelope.topic, &envelope.raw_hash);
        let what = format!("the payload at position {}", envelope.position);
        Ok(Some(Bytes::from(key.open(&place, &sealed).map_err(damaged(what))?)))
    }
}
