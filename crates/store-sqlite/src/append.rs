//! Appending: what is sealed on the caller's side, and the few rows that the writer adds for it.

use crate::codec::{fact_number, nanos, via_number};
use crate::desk::Desk;
use crate::error::Done;
use crate::roots::{Root, child};
use crate::vault::{FreshKey, Vault, payload_place};
use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::id::{Position, ShopId};
use rusqlite::params;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::StoreError;
use store::log::{Appended, NewEnvelope};
use store::seal::{DataKey, Sealed};

/// A fact sealed under the key that is probably in force.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub new: NewEnvelope,
    sealed: Sealed,
    key: Offered,
}

#[derive(Debug)]
enum Offered {
    /// In force when it was last seen.
    Cached(i64),
    /// For a root that nobody remembers; put in force if it has none.
    Fresh(Arc<FreshKey>),
}

/// A key that is worth remembering once the transaction is committed.
#[derive(Debug)]
pub(crate) struct Learnt {
    pub shop: ShopId,
    pub root: String,
    pub number: i64,
    pub key: DataKey,
}

/// Keys put in force or looked up by one request.
pub(crate) type Keys = BTreeMap<(ShopId, String), Learnt>;

/// Days since 1970 in UTC: the generation of a webhook id.
pub(crate) fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

/// Compresses and seals, on the caller's side.
pub(crate) fn prepare(vault: &Vault, batch: Vec<NewEnvelope>) -> Result<Vec<Prepared>, StoreError> {
    let mut fresh: BTreeMap<(ShopId, String), Arc<FreshKey>> = BTreeMap::new();
    batch
        .into_iter()
        .map(|new| {
            let root = new.subject.root();
            let place = payload_place(&new.subject, &new.topic, &new.raw_hash);
            let (key, sealed) = match vault.cached(&new.shop, root) {
                Some((number, key)) => {
                    (Offered::Cached(number), key.seal_plain(&*vault.random, &place, &new.payload)?)
                }
                None => {
                    let of_root = (new.shop.clone(), root.to_owned());
                    let key = match fresh.get(&of_root) {
                        Some(key) => key.clone(),
                        None => {
                            let key = Arc::new(vault.fresh(new.shop.as_str(), root)?);
                            fresh.insert(of_root, key.clone());
                            key
                        }
                    };
                    let sealed = key.key.seal_plain(&*vault.random, &place, &new.payload)?;
                    (Offered::Fresh(key), sealed)
                }
            };
            Ok(Prepared { new, sealed, key })
        })
        .collect()
}

/// After the commit.
pub(crate) fn remember(vault: &Vault, keys: Keys) {
    for learnt in keys.into_values() {
        vault.remember(learnt.shop.as_str(), &learnt.root, learnt.number, &learnt.key);
    }
}

impl Desk {
    pub(crate) fn append(&mut self, batch: Vec<Prepared>, keys: &mut Keys) -> Done<Vec<Appended>> {
        let mut payload_bytes = 0;
        let mut answers = Vec::with_capacity(batch.len());
        for fact in batch {
            answers.push(self.append_one(fact, keys, &mut payload_bytes)?);
        }
        self.add_payload_bytes(payload_bytes)?;
        Ok(answers)
    }

    pub(crate) fn add_payload_bytes(&self, bytes: i64) -> Done<()> {
        if bytes != 0 {
            let sql = "UPDATE counters SET value = value + ?1 WHERE name = 'payload_bytes'";
            self.execute(sql, [bytes])?;
        }
        Ok(())
    }

    fn append_one(&mut self, fact: Prepared, keys: &mut Keys, payload_bytes: &mut i64) -> Done<Appended> {
        let Prepared { new, sealed, key } = fact;
        if let Some(id) = new.dedupe
            && let Some(same_body) = self.known_webhook(id.0, &new.raw_hash, day(new.received_at))?
        {
            return Ok(Appended::Duplicate { same_body });
        }
        let mut root = self.root_or_new(new.shop.as_str(), new.subject.root())?;
        let (number, sealed) = self.in_force(&mut root, &new, sealed, key, keys)?;
        let position = self.insert_envelope(&new, root)?;
        let sql = "INSERT INTO payloads (position, data_key, codec, body) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![position, number, sealed.codec, sealed.body])?;
        *payload_bytes += i64::try_from(sealed.body.len()).unwrap_or(i64::MAX);
        if matches!(new.via, Via::Webhook | Via::Ingest) {
            self.saw_topic(root.shop, &new)?;
        }
        Ok(Appended::Stored(Position(position)))
    }

    /// The payload under the key that is in force: as it was sealed where that key was offered, else sealed anew.
    fn in_force(
        &mut self,
        root: &mut Root,
        new: &NewEnvelope,
        sealed: Sealed,
        offered: Offered,
        keys: &mut Keys,
    ) -> Done<(i64, Sealed)> {
        let (shop, path) = (new.shop.as_str(), new.subject.root());
        let of_root = || (new.shop.clone(), path.to_owned());
        let learnt = |number, key| Learnt { shop: new.shop.clone(), root: path.to_owned(), number, key };
        match (&offered, root.data_key) {
            (Offered::Cached(cached), Some(number)) if *cached == number => return Ok((number, sealed)),
            (Offered::Fresh(fresh), None) => {
                let number = self.put_in_force(root, shop, path, fresh)?;
                keys.insert(of_root(), learnt(number, fresh.key.clone()));
                return Ok((number, sealed));
            }
            _ => {}
        }
        let known = keys.get(&of_root()).filter(|learnt| Some(learnt.number) == root.data_key);
        let (number, key) = match known {
            Some(learnt) => (learnt.number, learnt.key.clone()),
            None => self.key_in_force(root, shop, path)?,
        };
        let place = payload_place(&new.subject, &new.topic, &new.raw_hash);
        let sealed = key.seal_plain(&*self.vault.random, &place, &new.payload)?;
        keys.insert(of_root(), learnt(number, key));
        Ok((number, sealed))
    }

    fn insert_envelope(&mut self, new: &NewEnvelope, root: Root) -> Done<i64> {
        let domain = self.number(new.domain.as_str())?;
        let source = self.number(new.source.as_str())?;
        let topic = self.number(&new.topic)?;
        let version = new.version.as_ref().map(crate::codec::version_bytes);
        let sql = "INSERT INTO envelopes (shop, root, child, domain, source, topic, kind, via, version, occurred_at, \
                   received_at, trace, raw_hash, raw_bytes) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
        self.execute(
            sql,
            params![
                root.shop,
                root.id,
                child(&new.subject),
                domain,
                source,
                topic,
                fact_number(new.kind),
                via_number(new.via),
                version,
                nanos(new.occurred_at),
                nanos(new.received_at),
                &new.trace.0[..],
                &new.raw_hash[..],
                new.raw_bytes,
            ],
        )?;
        Ok(self.connection.last_insert_rowid())
    }

    fn saw_topic(&mut self, shop: i64, new: &NewEnvelope) -> Done<()> {
        let topic = self.number(&new.topic)?;
        let sql = "INSERT INTO topics (shop, topic, last, count) VALUES (?1, ?2, ?3, 1) \
                   ON CONFLICT DO UPDATE SET last = max(last, ?3), count = count + 1";
        self.execute(sql, params![shop, topic, nanos(new.received_at)])?;
        Ok(())
    }
}
