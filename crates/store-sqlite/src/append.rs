//! Appending: what is sealed on the caller's side, and the few rows that the writer adds for it.

use crate::codec::{fact_number, nanos, via_number};
use crate::desk::{Desk, Undo};
use crate::error::Done;
use crate::roots::{Root, child};
use jiff::Timestamp;
use kernel::envelope::Via;
use kernel::id::{Position, ShopId};
use rusqlite::params;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::StoreError;
use store::log::{Appended, NewEnvelope};
use store::seal::vault::{FreshKey, Vault, payload_place};
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

impl Prepared {
    pub(crate) fn brings_a_key(&self) -> bool {
        matches!(self.key, Offered::Fresh(_))
    }
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

/// What many appends of one transaction have in common, written once at its end.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    payload_bytes: i64,
    /// By shop and topic: last seen, and how many.
    topics: BTreeMap<(i64, i64), (i64, i64)>,
}

impl Tally {
    pub(crate) fn put_back(&mut self, topic: (i64, i64), before: Option<(i64, i64)>) {
        match before {
            Some(seen) => self.topics.insert(topic, seen),
            None => self.topics.remove(&topic),
        };
    }

    pub(crate) fn add_payload_bytes(&mut self, bytes: i64) {
        self.payload_bytes += bytes;
    }
}

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
    pub(crate) fn append(&mut self, batch: &[Prepared], keys: &mut Keys) -> Done<Vec<Appended>> {
        batch.iter().map(|fact| self.append_one(fact, keys)).collect()
    }

    pub(crate) fn add_payload_bytes(&mut self, bytes: i64) {
        self.undo.push(Undo::PayloadBytes(bytes));
        self.tally.add_payload_bytes(bytes);
    }

    /// Writes what the transaction tallied.
    pub(crate) fn flush_tally(&mut self) -> Done<()> {
        let Tally { payload_bytes, topics } = std::mem::take(&mut self.tally);
        if payload_bytes != 0 {
            let sql = "UPDATE counters SET value = value + ?1 WHERE name = 'payload_bytes'";
            self.execute(sql, [payload_bytes])?;
        }
        for ((shop, topic), (last, count)) in topics {
            let sql = "INSERT INTO topics (shop, topic, last, count) VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT DO UPDATE SET last = max(last, ?3), count = count + ?4";
            self.execute(sql, [shop, topic, last, count])?;
        }
        Ok(())
    }

    fn append_one(&mut self, fact: &Prepared, keys: &mut Keys) -> Done<Appended> {
        let Prepared { new, sealed, key } = fact;
        if let Some(id) = new.dedupe
            && let Some(same_body) = self.known_webhook(id.0, &new.raw_hash, day(new.received_at))?
        {
            return Ok(Appended::Duplicate { same_body });
        }
        let (root, number, anew) = self.root_and_key(new, key, keys)?;
        let sealed = anew.as_ref().unwrap_or(sealed);
        let position = self.insert_envelope(new, root)?;
        let sql = "INSERT INTO payloads (position, data_key, codec, body) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![position, number, sealed.codec, sealed.body])?;
        self.add_payload_bytes(i64::try_from(sealed.body.len()).unwrap_or(i64::MAX));
        if matches!(new.via, Via::Webhook | Via::Ingest) {
            self.saw_topic(root.shop, new)?;
        }
        Ok(Appended::Stored(Position(position)))
    }

    /// The root with the key in force. The payload sealed anew, where that is not the key that was offered.
    fn root_and_key(
        &mut self,
        new: &NewEnvelope,
        offered: &Offered,
        keys: &mut Keys,
    ) -> Done<(Root, i64, Option<Sealed>)> {
        let (shop, path) = (new.shop.as_str(), new.subject.root());
        let of_root = || (new.shop.clone(), path.to_owned());
        let learnt = |number, key| Learnt { shop: new.shop.clone(), root: path.to_owned(), number, key };
        let known = self.view().root(shop, path)?;
        let number = match (known, offered) {
            (None, Offered::Fresh(fresh)) => {
                let (root, number) = self.new_root_with_key(shop, path, fresh)?;
                keys.insert(of_root(), learnt(number, fresh.key.clone()));
                return Ok((root, number, None));
            }
            (Some(root), _) => root.data_key,
            (None, Offered::Cached(_)) => None,
        };
        let mut root = match known {
            Some(root) => root,
            None => self.root_or_new(shop, path)?,
        };
        match (offered, number) {
            (Offered::Cached(cached), Some(number)) if *cached == number => return Ok((root, number, None)),
            (Offered::Fresh(fresh), None) => {
                let number = self.put_in_force(&mut root, shop, path, fresh)?;
                keys.insert(of_root(), learnt(number, fresh.key.clone()));
                return Ok((root, number, None));
            }
            _ => {}
        }
        let known = keys.get(&of_root()).filter(|learnt| Some(learnt.number) == root.data_key);
        let (number, key) = match known {
            Some(learnt) => (learnt.number, learnt.key.clone()),
            None => self.key_in_force(&mut root, shop, path)?,
        };
        let place = payload_place(&new.subject, &new.topic, &new.raw_hash);
        let sealed = key.seal_plain(&*self.vault.random, &place, &new.payload)?;
        keys.insert(of_root(), learnt(number, key));
        Ok((root, number, Some(sealed)))
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
        let topic = (shop, self.number(&new.topic)?);
        let before = self.tally.topics.get(&topic).copied();
        self.undo.push(Undo::Topic(topic, before));
        let (last, count) = before.unwrap_or((i64::MIN, 0));
        self.tally.topics.insert(topic, (last.max(nanos(new.received_at)), count + 1));
        Ok(())
    }
}
