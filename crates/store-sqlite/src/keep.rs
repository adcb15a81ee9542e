//! Housekeeping: cursors, leases, redaction, retention in small bites, rotation of the master key.

use crate::append::day;
use crate::codec::{nanos, time};
use crate::deliveries::{Because, SLIM, slim_of};
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::roots::{Root, path, subject};
use crate::route::customer_number;
use crate::view::View;
use jiff::Timestamp;
use kernel::clock::after;
use kernel::id::ShopId;
use kernel::subject::Subject;
use rusqlite::params;
use std::collections::BTreeMap;
use std::time::Duration;
use store::delivery::{DeliveryState, Outcome};
use store::operate::{Beat, By, Certificate, EVERY_ROOT, Installation, Retained};
use store::seal::MasterKey;

/// Payloads looked at in one transaction of retention.
const BITE: i64 = 500;
/// Series of lags are kept this long.
const LAG_DAYS: u64 = 7;

/// Number, root, number of the master key, wrapped bytes.
type WrappedKey = (i64, Root, i32, Vec<u8>);

impl View<'_> {
    pub(crate) fn cursor(&self, name: &str) -> Done<Option<String>> {
        self.one("SELECT value FROM cursors WHERE name = ?1", [name], |row| Ok(row.get(0)?))
    }

    pub(crate) fn leased(&self, name: &str, now: Timestamp) -> Done<Option<(String, Timestamp)>> {
        let sql = "SELECT owner, ends_at FROM leases WHERE name = ?1 AND ends_at > ?2";
        self.one(sql, params![name, nanos(now)], |row| Ok((row.get(0)?, time(row.get(1)?))))
    }

    /// Roots of these customers.
    pub(crate) fn roots_of(&self, shop: &ShopId, customers: &[String]) -> Done<BTreeMap<String, Root>> {
        let mut found = BTreeMap::new();
        let Some(number) = self.names.number(shop.as_str()) else { return Ok(found) };
        for customer in customers {
            let sql = "SELECT id, data_key, kind, number, key FROM roots \
                       WHERE shop = ?1 AND customer_number = ?2 AND customer = ?3";
            let rows = self.all(sql, params![number, customer_number(customer), customer], |row| {
                let kind = self.names.name(row.get(2)?)?;
                let root = Root { id: row.get(0)?, shop: number, data_key: row.get(1)? };
                Ok((path(&kind, row.get(3)?, &row.get::<_, String>(4)?), root))
            })?;
            found.extend(rows);
        }
        Ok(found)
    }

    fn every_root(&self, shop: &ShopId) -> Done<BTreeMap<String, Root>> {
        let Some(number) = self.names.number(shop.as_str()) else { return Ok(BTreeMap::new()) };
        let sql = "SELECT id, data_key, kind, number, key FROM roots WHERE shop = ?1";
        let rows = self.all(sql, params![number], |row| {
            let kind = self.names.name(row.get(2)?)?;
            let root = Root { id: row.get(0)?, shop: number, data_key: row.get(1)? };
            Ok((path(&kind, row.get(3)?, &row.get::<_, String>(4)?), root))
        })?;
        Ok(rows.into_iter().collect())
    }

    pub(crate) fn held(&self, shop: &ShopId, customers: &[String]) -> Done<Vec<Subject>> {
        let roots = self.roots_of(shop, customers)?;
        Ok(roots.into_keys().map(|path| subject(shop.clone(), &path, "")).collect())
    }

    pub(crate) fn certificates(&self) -> Done<Vec<Certificate>> {
        self.all("SELECT certificate FROM certificates ORDER BY id", [], |row| {
            serde_json::from_str(&row.get::<_, String>(0)?)
                .map_err(|error| bug(format!("a certificate that no program of this schema wrote: {error}")))
        })
    }

    pub(crate) fn installation(&self) -> Done<Installation> {
        let sql = "SELECT id, created_at, epoch, revision, place FROM installation";
        let schema = self.count("SELECT max(number) FROM migrations", [])?;
        let found = self.one(sql, [], |row| {
            Ok(Installation {
                id: row.get(0)?,
                schema: u32::try_from(schema).unwrap_or(u32::MAX),
                created_at: time(row.get(1)?),
                epoch: row.get(2)?,
                revision: row.get(3)?,
                place: row.get(4)?,
            })
        })?;
        found.ok_or_else(|| bug("the store has lost its installation row"))
    }
}

impl Desk {
    pub(crate) fn set_cursor(&self, name: &str, value: &str) -> Done<()> {
        self.execute("INSERT OR REPLACE INTO cursors (name, value) VALUES (?1, ?2)", [name, value])?;
        Ok(())
    }

    pub(crate) fn set_in_force(&self, revision: &str, place: &str) -> Done<()> {
        self.execute("UPDATE installation SET revision = ?1, place = ?2", [revision, place])?;
        Ok(())
    }

    pub(crate) fn lease(&self, name: &str, owner: &str, now: Timestamp, length: Duration) -> Done<bool> {
        let sql = "INSERT INTO leases (name, owner, ends_at) VALUES (?1, ?2, ?4) ON CONFLICT DO UPDATE \
                   SET owner = ?2, ends_at = ?4 WHERE owner = ?2 OR ends_at <= ?3";
        let ends_at = nanos(after(now, length));
        Ok(self.execute(sql, params![name, owner, nanos(now), ends_at])? > 0)
    }

    /// Beats stand among the leases, under names that no lease has.
    pub(crate) fn beat(&self, beat: &Beat, now: Timestamp, length: Duration) -> Done<Vec<Beat>> {
        let sql = "INSERT OR REPLACE INTO leases (name, owner, ends_at) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![format!("node/{}", beat.node), beat.says, nanos(after(now, length))])?;
        self.execute("DELETE FROM leases WHERE name GLOB 'node/*' AND ends_at <= ?1", [nanos(now)])?;
        let sql = "SELECT substr(name, 6), owner FROM leases WHERE name GLOB 'node/*' ORDER BY name";
        self.view().all(sql, [], |row| Ok(Beat { node: row.get(0)?, says: row.get(1)? }))
    }

    pub(crate) fn redact(
        &mut self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> Done<Certificate> {
        let mut all: BTreeMap<String, Option<Root>> = self
            .view()
            .roots_of(shop, customers)?
            .into_iter()
            .map(|(path, root)| (path, Some(root)))
            .collect();
        if roots.iter().any(|root| root == EVERY_ROOT) {
            let every = self.view().every_root(shop)?;
            all.extend(every.into_iter().map(|(path, root)| (path, Some(root))));
        } else {
            for path in roots {
                let root = self.view().root(shop.as_str(), path)?;
                all.entry(path.clone()).or_insert(root);
            }
        }
        let (mut keys_destroyed, mut duties_ended) = (0, 0);
        for root in all.values().flatten() {
            duties_ended += self.end_redacted(*root, at)?;
            keys_destroyed += u64::from(self.destroy(*root)?);
        }
        let number = self.view().count("SELECT count(*) FROM certificates", [])? + 1;
        let certificate = Certificate {
            id: format!("R-{number:06}"),
            shop: shop.clone(),
            requested: requested.to_owned(),
            at,
            roots: all.into_keys().collect(),
            keys_destroyed,
            duties_ended,
        };
        let text = serde_json::to_string(&certificate).map_err(|error| bug(error.to_string()))?;
        self.execute("INSERT INTO certificates (id, certificate) VALUES (?1, ?2)", [&certificate.id, &text])?;
        let by = By { who: requested.to_owned(), why: certificate.id.clone(), at };
        self.note("redact", &format!("{shop}: {} roots", certificate.roots.len()), &by, duties_ended)?;
        Ok(certificate)
    }

    /// Ends the open duties of a root, whatever their state.
    fn end_redacted(&mut self, root: Root, at: Timestamp) -> Done<u64> {
        let sql = [SLIM, " WHERE d.shop = ?1 AND d.root = ?2 AND d.phase < 3"].concat();
        let rows = self.view().all(&sql, [root.shop, root.id], slim_of)?;
        for row in &rows {
            self.set_state(row, &DeliveryState::Ended(Outcome::Redacted), at, Because::default())?;
        }
        Ok(rows.len() as u64)
    }

    /// Destroys the keys of a root, and the payloads, which nobody could open any more. Whether there was a key.
    fn destroy(&mut self, root: Root) -> Done<bool> {
        let key = [root.shop, root.id];
        let payloads = "SELECT coalesce(sum(length(body)), 0) FROM payloads WHERE position IN \
                        (SELECT position FROM envelopes WHERE shop = ?1 AND root = ?2)";
        let bytes = self.view().count(payloads, key)?;
        let sql = "DELETE FROM payloads WHERE position IN \
                   (SELECT position FROM envelopes WHERE shop = ?1 AND root = ?2)";
        self.execute(sql, key)?;
        self.add_payload_bytes(-bytes.cast_signed());
        let sql = "DELETE FROM frozen_calls WHERE attempt IN \
                   (SELECT a.id FROM attempts a JOIN deliveries d ON d.id = a.delivery \
                   WHERE d.shop = ?1 AND d.root = ?2)";
        self.execute(sql, key)?;
        self.execute("UPDATE records SET body = zeroblob(0) WHERE shop = ?1 AND root = ?2", key)?;
        // Overwritten before it is deleted, so that the page does not keep it.
        self.execute(
            "UPDATE data_keys SET wrapped = zeroblob(length(wrapped)) WHERE shop = ?1 AND root = ?2",
            key,
        )?;
        let destroyed = self.execute("DELETE FROM data_keys WHERE shop = ?1 AND root = ?2", key)?;
        self.execute("UPDATE roots SET data_key = NULL WHERE id = ?1", [root.id])?;
        let (shop, path) = self.view().root_names(root)?;
        self.vault.forget(shop.as_str(), &path);
        Ok(destroyed > 0)
    }

    /// Brings the log into the database and empties it: what was destroyed is in neither.
    pub(crate) fn forget_the_log(&self) -> Done<()> {
        let _turn = self.checkpoints.turn();
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// One bite of retention from a position on; with the position for the next one, `None` at the end.
    pub(crate) fn retain(&mut self, past: Timestamp, from: i64) -> Done<(Retained, Option<i64>)> {
        let sql = "SELECT p.position, e.received_at, e.shop, e.root, e.routed_at IS NULL, length(p.body) \
                   FROM payloads p JOIN envelopes e ON e.position = p.position WHERE p.position >= ?1 \
                   ORDER BY p.position LIMIT ?2";
        let rows = self.view().all(sql, [from, BITE], |row| {
            let old: i64 = row.get(1)?;
            let place: (i64, i64, i64) = (row.get(0)?, row.get(2)?, row.get(3)?);
            Ok((place, old < nanos(past), row.get::<_, bool>(4)?, row.get::<_, i64>(5)?))
        })?;
        let mut retained = Retained::default();
        let mut bytes = 0;
        for ((position, shop, root), old, unrouted, length) in &rows {
            let sql =
                "SELECT 1 FROM deliveries WHERE shop = ?1 AND root = ?2 AND phase < 3 AND position = ?3";
            if !old {
                continue;
            } else if *unrouted || self.view().count(sql, [shop, root, position])? > 0 {
                retained.kept_for_duty += 1;
            } else {
                self.execute("DELETE FROM payloads WHERE position = ?1", [position])?;
                retained.payloads_dropped += 1;
                bytes += length;
            }
        }
        self.add_payload_bytes(-bytes);
        // Facts are received in order, but for what clocks differ: a bite without an old one is the end.
        let any_old = rows.iter().any(|(_, old, _, _)| *old);
        let next = rows.last().filter(|_| any_old).map(|((position, ..), ..)| position + 1);
        Ok((retained, next))
    }

    /// What retention drops besides payloads. Returns how many webhook ids.
    pub(crate) fn retain_rest(&mut self, now: Timestamp) -> Done<u64> {
        let past = now.checked_sub(Duration::from_secs(LAG_DAYS * 86_400)).unwrap_or(Timestamp::MIN);
        self.execute("DELETE FROM lags WHERE ended_at < ?1", [nanos(past)])?;
        self.drop_webhook_days(day(now) - 6)
    }

    /// Wraps every data key under a new master key, all or none. Returns the number of that key, and how many.
    pub(crate) fn rotate(&mut self, new: &MasterKey) -> Done<(i32, u64)> {
        let number = self.vault.master_number() + 1;
        let (mut count, mut last) = (0, 0);
        loop {
            let keys = self.keys_after(last)?;
            let Some((id, ..)) = keys.last() else { break };
            last = *id;
            count += keys.len() as u64;
            for (id, root, master, wrapped) in keys {
                let (shop, path) = self.view().root_names(root)?;
                let key = self.vault.unwrap(master, shop.as_str(), &path, &wrapped)?;
                let again = self.vault.wrap_under(new, &key, shop.as_str(), &path)?;
                let sql = "UPDATE data_keys SET master = ?2, wrapped = ?3 WHERE id = ?1";
                self.execute(sql, params![id, number, again])?;
            }
        }
        let installation = self.view().installation()?;
        let check = new.check_value(&installation.id);
        self.execute("UPDATE installation SET key_check = ?1, master = ?2", params![&check[..], number])?;
        Ok((number, count))
    }

    /// A few wrapped keys with their roots.
    fn keys_after(&self, last: i64) -> Done<Vec<WrappedKey>> {
        let sql =
            "SELECT id, shop, root, master, wrapped FROM data_keys WHERE id > ?1 ORDER BY id LIMIT 1000";
        self.view().all(sql, [last], |row| {
            let root = Root { id: row.get(2)?, shop: row.get(1)?, data_key: None };
            Ok((row.get(0)?, root, row.get(3)?, row.get(4)?))
        })
    }
}
