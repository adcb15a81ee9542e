//! Appending: what is sealed on the caller's side, and the few statements by which a whole group gets its rows.
//!
//! Each statement is of one shop. Order of locks: shop, then webhook ids, roots, keys, sums, each by key; so that
//! groups that meet wait for each other and never in a ring.

use crate::bind::args;
use crate::claims::Here;
use crate::codec::{day, fact_number, nanos, version_bytes, via_number};
use crate::desk::{Desk, Shared, later, transact};
use crate::error::{Done, Fail, bug, unavailable};
use crate::partitions::{Table, is_missing};
use crate::view::{WrappedKey, child, key_of};
use crate::webhook_ids::{Body, Id, NewIds, body_start, generations};
use crate::writer::Grouped;
use futures_util::future::try_join;
use kernel::envelope::Via;
use kernel::id::{Position, ShopId};
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

/// Compresses and seals, on the caller's side.
pub(crate) fn prepare(vault: &Vault, batch: Vec<NewEnvelope>) -> Result<Vec<Prepared>, StoreError> {
    let mut fresh: BTreeMap<(ShopId, String), Arc<FreshKey>> = BTreeMap::new();
    batch
        .into_iter()
        .map(|new| {
            let root = new.subject.root();
            let place = payload_place(&new.subject, &new.topic, &new.raw_hash);
            if let Some((number, key)) = vault.cached(&new.shop, root) {
                let sealed = key.seal_plain(&*vault.random, &place, &new.payload)?;
                return Ok(Prepared { new, sealed, key: Offered::Cached(number) });
            }
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
            Ok(Prepared { new, sealed, key: Offered::Fresh(key) })
        })
        .collect()
}

impl Grouped for Prepared {
    type Answer = Appended;
    const MAX: usize = 1024;

    /// With all that it needs before it begins.
    async fn commit(shared: &Arc<Shared>, facts: &[&Self]) -> Done<Vec<Appended>> {
        for second_try in [false, true] {
            let wanted = names(facts.iter().copied());
            shared.ensure(wanted.iter().map(String::as_str)).await?;
            shared.partitions.ensure(&shared.pool, &places(facts.iter().copied())).await?;
            let here = Here { shared: shared.clone() };
            let answers: Done<Vec<Appended>> = transact!(here, Write, desk => desk.append(facts).await);
            match answers {
                // Another node dropped a partition that we knew.
                Err(fail) if !second_try && is_missing(&fail) => shared.partitions.forget(),
                Err(fail) => return Err(fail),
                Ok(answers) => {
                    let stored = facts
                        .iter()
                        .zip(&answers)
                        .filter(|(_, answer)| matches!(answer, Appended::Stored(_)));
                    let shops = stored.filter_map(|(fact, _)| shared.names.shop_number(&fact.new.shop));
                    shared.committed(shops);
                    return Ok(answers);
                }
            }
        }
        Err(Fail::Store(StoreError::Bug("a partition is missing again and again".into())))
    }
}

/// Names that the rows of these facts need.
pub(crate) fn names<'a>(facts: impl IntoIterator<Item = &'a Prepared>) -> Vec<String> {
    let mut names = Vec::new();
    for Prepared { new, .. } in facts {
        names.extend(crate::desk::names_of(&new.subject));
        names.extend([new.domain.as_str(), new.source.as_str(), &new.topic].map(str::to_owned));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Partitions that the rows of these facts need.
pub(crate) fn places<'a>(facts: impl IntoIterator<Item = &'a Prepared>) -> Vec<(Table, i32)> {
    let mut places = Vec::new();
    for Prepared { new, .. } in facts {
        let day = day(new.received_at);
        places.extend([(Table::Envelopes, day), (Table::Payloads, day)]);
        if new.dedupe.is_some() {
            places.extend(generations(new.received_at).into_iter().map(|day| (Table::WebhookIds, day)));
        }
    }
    places.sort_unstable();
    places.dedup();
    places
}

/// The key in force of a root, in hand.
struct InForce {
    number: i64,
    key: DataKey,
    /// No two keys are wrapped to the same bytes.
    wrapped: Vec<u8>,
}

impl Desk {
    /// In the order of the facts; the last that is done at this desk.
    pub(crate) async fn append(&self, facts: &[&Prepared]) -> Done<Vec<Appended>> {
        self.append_and(facts, true).await
    }

    /// `last`: nothing else is done at this desk.
    pub(crate) async fn append_and(&self, facts: &[&Prepared], last: bool) -> Done<Vec<Appended>> {
        let mut shops: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for (index, fact) in facts.iter().enumerate() {
            shops.entry(self.names().given_shop(&fact.new.shop)?).or_default().push(index);
        }
        let mut answers = vec![Appended::Duplicate { same_body: true }; facts.len()];
        let last = shops.keys().next_back().copied().filter(|_| last);
        for (shop, of_shop) in shops {
            let facts: Vec<&Prepared> = of_shop.iter().map(|index| facts[*index]).collect();
            let of_them = self.append_of_shop(shop, &facts, last == Some(shop)).await?;
            for (index, answer) in of_shop.into_iter().zip(of_them) {
                answers[index] = answer;
            }
        }
        Ok(answers)
    }

    async fn append_of_shop(&self, shop: i32, facts: &[&Prepared], last: bool) -> Done<Vec<Appended>> {
        let mut ids = NewIds::new();
        for fact in facts {
            if let Some(id) = fact.new.dedupe {
                let first = || (generations(fact.new.received_at), body_start(&fact.new.raw_hash));
                ids.entry(id.0).or_insert_with(first);
            }
        }
        let known =
            async { if ids.is_empty() { Ok(BTreeMap::new()) } else { self.take_down(shop, &ids).await } };
        // Side by side on one connection means one after the other, without waiting for answers in between.
        let (known, keys) = try_join(known, self.keys(shop, facts)).await?;
        let (stored, mut answers) = judge(facts, &ids, &known);
        if stored.is_empty() {
            return Ok(answers);
        }
        let positions = self.insert_facts(shop, facts, &stored, &keys, last).await?;
        for (index, position) in stored.into_iter().zip(positions) {
            answers[index] = Appended::Stored(Position(position));
        }
        Ok(answers)
    }

    /// The keys in force of the facts' roots, put in force now where there is none. A key that is read here is not
    /// destroyed before this transaction ends.
    async fn keys(&self, shop: i32, facts: &[&Prepared]) -> Done<BTreeMap<String, InForce>> {
        let mut fresh: BTreeMap<&str, Arc<FreshKey>> = BTreeMap::new();
        let mut roots: BTreeMap<&str, &ShopId> = BTreeMap::new();
        for fact in facts {
            let root = fact.new.subject.root();
            roots.insert(root, &fact.new.shop);
            if let Offered::Fresh(key) = &fact.key {
                fresh.entry(root).or_insert_with(|| key.clone());
            }
        }
        let wanted: Vec<&str> = roots.keys().copied().collect();
        let mut found = self.keys_of(shop, &wanted, &fresh).await?;
        let mut lost = BTreeMap::new();
        for (root, of_shop) in &roots {
            if !found.contains_key(*root) {
                // Cached here and destroyed meanwhile.
                lost.insert(*root, Arc::new(self.vault().fresh(of_shop.as_str(), root)?));
            }
        }
        if !lost.is_empty() {
            let wanted: Vec<&str> = lost.keys().copied().collect();
            found.extend(self.keys_of(shop, &wanted, &lost).await?);
        }
        let mut keys = BTreeMap::new();
        for (root, of_shop) in roots {
            let row = found.remove(root).ok_or_else(|| no_key(of_shop, root))?;
            let key = match fresh.get(root).filter(|fresh| fresh.wrapped == row.wrapped) {
                Some(ours) => ours.key.clone(),
                None => self.shared.unwrapped(of_shop, root, &row)?,
            };
            keys.insert(root.to_owned(), InForce { number: row.id, key, wrapped: row.wrapped });
        }
        Ok(keys)
    }

    /// Makes roots and keys that are missing, and reads the keys of all. One that is made here needs no lock: nobody else
    /// sees it yet.
    pub(crate) async fn keys_of(
        &self,
        shop: i32,
        roots: &[&str],
        fresh: &BTreeMap<&str, Arc<FreshKey>>,
    ) -> Done<BTreeMap<String, WrappedKey>> {
        let known: Vec<&str> = roots.iter().copied().filter(|root| !fresh.contains_key(root)).collect();
        let made = async {
            if fresh.is_empty() {
                return Ok(Vec::new());
            }
            let new: Vec<&str> = fresh.keys().copied().collect();
            let masters: Vec<i32> = fresh.values().map(|key| key.master).collect();
            let wrapped: Vec<&[u8]> = fresh.values().map(|key| &key.wrapped[..]).collect();
            let roots = async { self.execute(NEW_ROOTS, args![shop, new]).await };
            let keys = async { self.all(NEW_KEYS, args![shop, new, masters, wrapped]).await };
            try_join(roots, keys).await.map(|(_, rows)| rows)
        };
        let read = async {
            if known.is_empty() { Ok(Vec::new()) } else { self.all(KEYS, args![shop, known]).await }
        };
        let (made, read) = try_join(made, read).await?;
        let mut keys = BTreeMap::new();
        put_keys(&mut keys, made.iter().chain(&read))?;
        // Another had made one; a statement that begins now sees it.
        let theirs: Vec<&str> = fresh.keys().copied().filter(|root| !keys.contains_key(*root)).collect();
        if !theirs.is_empty() {
            put_keys(&mut keys, &self.all(KEYS, args![shop, theirs]).await?)?;
        }
        Ok(keys)
    }

    async fn insert_facts(
        &self,
        shop: i32,
        facts: &[&Prepared],
        stored: &[usize],
        keys: &BTreeMap<String, InForce>,
        last: bool,
    ) -> Done<Vec<i64>> {
        let mut again: Vec<Option<(i64, Sealed)>> = Vec::with_capacity(stored.len());
        for index in stored {
            again.push(self.sealed_anew(facts[*index], keys)?);
        }
        let (mut days, mut roots, mut children) = (Vec::new(), Vec::new(), Vec::new());
        let (mut domains, mut sources, mut topics) = (Vec::new(), Vec::new(), Vec::new());
        let (mut kinds, mut vias, mut versions) = (Vec::new(), Vec::new(), Vec::new());
        let (mut occurred, mut received) = (Vec::new(), Vec::new());
        let (mut traces, mut hashes, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        let (mut numbers, mut codecs, mut bodies) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen: BTreeMap<i32, (i64, i64)> = BTreeMap::new();
        for (index, again) in stored.iter().zip(&again) {
            let Prepared { new, sealed, key } = facts[*index];
            let topic = self.names().given(&new.topic)?;
            let (number, sealed) = match (again, key) {
                (Some((number, sealed)), _) => (*number, sealed),
                (None, Offered::Cached(number)) => (*number, sealed),
                (None, Offered::Fresh(_)) => (number_of(keys, new)?, sealed),
            };
            days.push(day(new.received_at));
            roots.push(new.subject.root());
            children.push(child(&new.subject));
            domains.push(self.names().given(new.domain.as_str())?);
            sources.push(self.names().given(new.source.as_str())?);
            topics.push(topic);
            kinds.push(fact_number(new.kind));
            vias.push(via_number(new.via));
            versions.push(new.version.as_ref().map(version_bytes));
            occurred.push(nanos(new.occurred_at));
            received.push(nanos(new.received_at));
            traces.push(&new.trace.0[..]);
            hashes.push(&new.raw_hash[..]);
            lengths.push(i64::from(new.raw_bytes));
            numbers.push(number);
            codecs.push(i32::from(sealed.codec));
            bodies.push(&sealed.body[..]);
            if matches!(new.via, Via::Webhook | Via::Ingest) {
                let seen = seen.entry(topic).or_insert((i64::MIN, 0));
                *seen = (seen.0.max(nanos(new.received_at)), seen.1 + 1);
            }
        }
        let node = &self.shared.node;
        let bytes: i64 = bodies.iter().map(|body| i64::try_from(body.len()).unwrap_or(i64::MAX)).sum();
        let count = i64::try_from(stored.len()).unwrap_or(i64::MAX);
        let inserted = async {
            let values = args![
                shop, days, roots, children, domains, sources, topics, kinds, vias, versions, occurred,
                received, traces, hashes, lengths, numbers, codecs, bodies, node
            ];
            self.all(APPEND, values).await
        };
        // Sums come last: whoever else counts waits for this commit.
        let counted = async {
            later!(self, TALLY, shop, count, bytes)?;
            self.saw_topics(shop, &seen).await?;
            if last { self.close().await } else { Ok(()) }
        };
        let (rows, ()) = try_join(inserted, counted).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    async fn saw_topics(&self, shop: i32, seen: &BTreeMap<i32, (i64, i64)>) -> Done<()> {
        if seen.is_empty() {
            return Ok(());
        }
        let topics: Vec<i32> = seen.keys().copied().collect();
        let last: Vec<i64> = seen.values().map(|seen| seen.0).collect();
        let counts: Vec<i64> = seen.values().map(|seen| seen.1).collect();
        later!(self, SAW_TOPICS, shop, topics, last, counts)
    }

    /// Sealed under the key in force, where that is not the one that was offered.
    fn sealed_anew(&self, fact: &Prepared, keys: &BTreeMap<String, InForce>) -> Done<Option<(i64, Sealed)>> {
        let new = &fact.new;
        let in_force = keys.get(new.subject.root()).ok_or_else(|| bug("a fact without a key"))?;
        let fits = match &fact.key {
            Offered::Cached(number) => *number == in_force.number,
            Offered::Fresh(fresh) => fresh.wrapped == in_force.wrapped,
        };
        if fits {
            return Ok(None);
        }
        let place = payload_place(&new.subject, &new.topic, &new.raw_hash);
        let sealed = in_force.key.seal_plain(&*self.vault().random, &place, &new.payload)?;
        Ok(Some((in_force.number, sealed)))
    }
}

fn put_keys<'a>(
    keys: &mut BTreeMap<String, WrappedKey>,
    rows: impl IntoIterator<Item = &'a tokio_postgres::Row>,
) -> Done<()> {
    for row in rows {
        if let Some(key) = key_of(row, 1)? {
            keys.insert(row.try_get(0)?, key);
        }
    }
    Ok(())
}

/// Why there is none although one was offered.
pub(crate) fn no_key(shop: &ShopId, root: &str) -> Fail {
    unavailable(format!(
        "no data key for {shop}/{root}: another node has replaced the master key; start this one again with the new one"
    ))
}

fn number_of(keys: &BTreeMap<String, InForce>, new: &NewEnvelope) -> Done<i64> {
    Ok(keys.get(new.subject.root()).ok_or_else(|| bug("a fact without a key"))?.number)
}

/// Which facts are stored, and the answers to the others.
fn judge(facts: &[&Prepared], ids: &NewIds, known: &BTreeMap<Id, Body>) -> (Vec<usize>, Vec<Appended>) {
    let mut taken = std::collections::BTreeSet::new();
    let (mut stored, mut answers) = (Vec::new(), Vec::with_capacity(facts.len()));
    for (index, fact) in facts.iter().enumerate() {
        let body = body_start(&fact.new.raw_hash);
        let first = fact.new.dedupe.and_then(|id| match known.get(&id.0) {
            Some(first) => Some(*first),
            None if taken.insert(id.0) => None,
            None => ids.get(&id.0).map(|(_, first)| *first),
        });
        match first {
            Some(first) => answers.push(Appended::Duplicate { same_body: first == body }),
            None => {
                stored.push(index);
                answers.push(Appended::Duplicate { same_body: true });
            }
        }
    }
    (stored, answers)
}

pub(crate) const NEW_ROOTS: &str = "INSERT INTO roots (shop, root) SELECT $1, root FROM unnest($2::text[]) AS new (root) ON CONFLICT DO NOTHING";

/// A key under a master key that another node has replaced is not put in force: nobody could open it later.
///
/// A server that loses power may draw a number again of which nothing is on disk, yet a process may remember a key by it:
/// the digits behind it differ even then.
pub(crate) const NEW_KEYS: &str = "INSERT INTO data_keys (shop, root, id, master, wrapped) \
     SELECT $1, root, nextval('data_key_ids') * 1048576 + floor(random() * 1048576)::int8, master, wrapped \
     FROM unnest($2::text[], $3::int4[], $4::bytea[]) AS new (root, master, wrapped) \
     WHERE EXISTS (SELECT 1 FROM installation i WHERE i.master = new.master) ON CONFLICT DO NOTHING \
     RETURNING root, id, master, wrapped";

pub(crate) const KEYS: &str = "SELECT k.root, k.id, k.master, k.wrapped FROM unnest($2::text[]) AS n (root) CROSS JOIN LATERAL \
     (SELECT * FROM data_keys WHERE shop = $1 AND root = n.root FOR KEY SHARE) k";

pub(crate) const APPEND: &str = "WITH new AS MATERIALIZED (SELECT nextval('positions') AS position, n.* FROM unnest( \
     $2::int4[], $3::text[], $4::text[], $5::int4[], $6::int4[], $7::int4[], $8::int4[], $9::int4[], $10::bytea[], \
     $11::int8[], $12::int8[], $13::bytea[], $14::bytea[], $15::int8[], $16::int8[], $17::int4[], $18::bytea[]) \
     AS n (day, root, child, domain, source, topic, kind, via, version, occurred_at, received_at, trace, raw_hash, \
     raw_bytes, data_key, codec, body)), \
     e AS (INSERT INTO envelopes (shop, day, position, root, child, domain, source, topic, kind, via, version, \
     occurred_at, received_at, trace, raw_hash, raw_bytes) SELECT $1, day, position, root, child, domain, source, \
     topic, kind, via, version, occurred_at, received_at, trace, raw_hash, raw_bytes FROM new), \
     p AS (INSERT INTO payloads (shop, day, position, data_key, codec, body) \
     SELECT $1, day, position, data_key, codec, body FROM new), \
     u AS (INSERT INTO unrouted (shop, position, day, root, node) SELECT $1, position, day, root, $19 FROM new) \
     SELECT position FROM new ORDER BY position";

/// A slot for each server process: nobody else writes to it at the same time, or hardly ever.
pub(crate) const TALLY: &str = "INSERT INTO tallies (shop, slot, envelopes, payload_bytes) \
     VALUES ($1, pg_backend_pid() % 64, $2, $3) ON CONFLICT (shop, slot) DO UPDATE SET \
     envelopes = tallies.envelopes + excluded.envelopes, \
     payload_bytes = tallies.payload_bytes + excluded.payload_bytes";

pub(crate) const SAW_TOPICS: &str = "INSERT INTO topics (shop, topic, slot, last, count) \
     SELECT $1, topic, pg_backend_pid() % 64, last, count \
     FROM unnest($2::int4[], $3::int8[], $4::int8[]) AS new (topic, last, count) \
     ON CONFLICT (shop, topic, slot) DO UPDATE SET last = greatest(topics.last, excluded.last), \
     count = topics.count + excluded.count";

/// The hot statements of appending, for the test that looks at their plans.
pub(crate) fn statements() -> Vec<(&'static str, &'static str)> {
    vec![
        ("append.insert_ids", crate::webhook_ids::INSERT_IDS),
        ("append.known_ids", crate::webhook_ids::KNOWN_IDS),
        ("append.new_roots", NEW_ROOTS),
        ("append.new_keys", NEW_KEYS),
        ("append.keys", KEYS),
        ("append.facts", APPEND),
        ("append.tally", TALLY),
        ("append.saw_topics", SAW_TOPICS),
    ]
}
