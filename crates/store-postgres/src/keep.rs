//! Housekeeping: cursors, leases, redaction, rotation of the master key, what is in force.

use crate::bind::args;
use crate::codec::{nanos, time};
use crate::deliveries::Because;
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::migrate::PROGRAMS;
use crate::view::subject;
use crate::work::{Numbers, Work};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::id::ShopId;
use kernel::subject::Subject;
use std::collections::BTreeSet;
use std::time::Duration;
use store::Schema;
use store::delivery::{DeliveryState, Outcome};
use store::operate::{Beat, By, Certificate, EVERY_ROOT, Installation};
use store::seal::MasterKey;

const FORGOTTEN_AFTER_NS: i64 = 3_600_000_000_000;

impl Desk {
    pub(crate) async fn cursor(&self, name: &str) -> Done<Option<String>> {
        let row = self.one("SELECT value FROM cursors WHERE name = $1", args![name]).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    pub(crate) async fn leased(&self, name: &str, now: Timestamp) -> Done<Option<(String, Timestamp)>> {
        let sql = "SELECT owner, ends_at FROM leases WHERE name = $1 AND ends_at > $2";
        let Some(row) = self.one(sql, args![name, nanos(now)]).await? else { return Ok(None) };
        Ok(Some((row.try_get(0)?, time(row.try_get(1)?))))
    }

    pub(crate) async fn set_cursor(&self, name: &str, value: &str) -> Done<()> {
        let sql = "INSERT INTO cursors (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.execute(sql, args![name, value]).await.map(drop)
    }

    pub(crate) async fn lease(
        &self,
        name: &str,
        owner: &str,
        now: Timestamp,
        length: Duration,
    ) -> Done<bool> {
        let sql = "INSERT INTO leases (name, owner, ends_at) VALUES ($1, $2, $4) ON CONFLICT (name) DO UPDATE \
                   SET owner = excluded.owner, ends_at = excluded.ends_at \
                   WHERE leases.owner = excluded.owner OR leases.ends_at <= $3";
        let ends_at = nanos(after(now, length));
        Ok(self.execute(sql, args![name, owner, nanos(now), ends_at]).await? > 0)
    }

    /// Beats stand among the leases, under names that no lease has. Those that ended are left for an hour: whoever writes
    /// them again finds room in their page.
    pub(crate) async fn beat(&self, beat: &Beat, now: Timestamp, length: Duration) -> Done<Vec<Beat>> {
        // A migration that takes away what this program uses waits until no such node runs any more.
        let sql = "INSERT INTO leases (name, owner, ends_at) VALUES ($1, '', $2) \
                   ON CONFLICT (name) DO UPDATE SET ends_at = greatest(leases.ends_at, excluded.ends_at)";
        let program = format!("{PROGRAMS}{}", self.shared.schema);
        self.execute(sql, args![program, nanos(after(now, length))]).await?;
        let sql = "INSERT INTO leases (name, owner, ends_at) VALUES ('node/' || $1, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, ends_at = excluded.ends_at";
        self.execute(sql, args![beat.node.as_str(), beat.says.as_str(), nanos(after(now, length))]).await?;
        let sql = "SELECT substr(name, 6), owner, ends_at, \
                   (SELECT max(coalesce((to_jsonb(m) ->> 'oldest')::integer, m.number)) FROM migrations m), \
                   (SELECT max(number) FROM migrations) \
                   FROM leases WHERE name >= 'node/' AND name < 'node0' ORDER BY name";
        let rows = self.all(sql, &[]).await?;
        let (mut live, mut forgotten) = (Vec::new(), false);
        for row in &rows {
            let (oldest, number): (i32, i32) = (row.try_get(3)?, row.try_get(4)?);
            let schema = Schema { number: number.cast_unsigned(), oldest: oldest.cast_unsigned() };
            schema.admit(self.shared.schema)?;
            let ends_at: i64 = row.try_get(2)?;
            forgotten |= ends_at < nanos(now) - FORGOTTEN_AFTER_NS;
            if ends_at > nanos(now) {
                live.push(Beat { node: row.try_get(0)?, says: row.try_get(1)? });
            }
        }
        if forgotten {
            let sql = "DELETE FROM leases WHERE name >= 'node/' AND name < 'node0' AND ends_at < $1";
            self.execute(sql, args![nanos(now) - FORGOTTEN_AFTER_NS]).await?;
        }
        Ok(live)
    }

    pub(crate) async fn installation(&self) -> Done<Installation> {
        let sql = "SELECT i.id, i.created_at, i.epoch, i.revision, i.place, (SELECT max(number) FROM migrations) \
                   FROM installation i";
        let row = self.one(sql, &[]).await?.ok_or_else(|| bug("the store has lost its installation row"))?;
        Ok(Installation {
            id: row.try_get(0)?,
            schema: crate::view::unsigned(row.try_get(5)?),
            created_at: time(row.try_get(1)?),
            epoch: crate::view::unsigned(row.try_get(2)?),
            revision: row.try_get(3)?,
            place: row.try_get(4)?,
        })
    }

    pub(crate) async fn set_in_force(&self, revision: &str, place: &str) -> Done<()> {
        let sql = "UPDATE installation SET revision = $1, place = $2";
        self.execute(sql, args![revision, place]).await.map(drop)
    }

    /// Roots of these customers.
    async fn roots_of(&self, shop: i32, customers: &[String]) -> Done<BTreeSet<String>> {
        let sql = "SELECT root FROM roots WHERE shop = $1 AND customer = ANY($2)";
        let rows = self.all(sql, args![shop, customers]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    async fn every_root(&self, shop: i32) -> Done<BTreeSet<String>> {
        let rows = self.all("SELECT root FROM roots WHERE shop = $1", args![shop]).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    pub(crate) async fn held(&self, shop: &ShopId, customers: &[String]) -> Done<Vec<Subject>> {
        let Some(number) = self.names().shop_number(shop) else { return Ok(Vec::new()) };
        let roots = self.roots_of(number, customers).await?;
        Ok(roots.into_iter().map(|root| subject(shop.clone(), &root, "")).collect())
    }

    pub(crate) async fn certificates(&self) -> Done<Vec<Certificate>> {
        let rows = self.all("SELECT certificate FROM certificates ORDER BY id", &[]).await?;
        let certificates = rows.iter().map(|row| {
            serde_json::from_str(row.try_get(0)?)
                .map_err(|error| bug(format!("a certificate that no program of this schema wrote: {error}")))
        });
        certificates.collect()
    }

    pub(crate) async fn redact(
        &self,
        shop: &ShopId,
        roots: &[String],
        customers: &[String],
        requested: &str,
        at: Timestamp,
    ) -> Done<Certificate> {
        let number = self.names().given_shop(shop)?;
        let mut all = self.roots_of(number, customers).await?;
        if roots.iter().any(|root| root == EVERY_ROOT) {
            all.extend(self.every_root(number).await?);
        } else {
            all.extend(roots.iter().cloned());
        }
        // A root that is named and never was is in the certificate, and nowhere else.
        let named: Vec<&str> = all.iter().map(String::as_str).collect();
        let sql = "SELECT root FROM roots WHERE shop = $1 AND root = ANY($2)";
        let known = self.all(sql, args![number, named]).await?;
        let known = known.iter().map(|row| Ok(row.try_get(0)?)).collect::<Done<BTreeSet<String>>>()?;
        let mut work = Work::on(self, shop, &known, &[], Numbers::default()).await?;
        let open: Vec<i64> = work.rows.keys().copied().collect();
        for id in &open {
            let redacted = DeliveryState::Ended(Outcome::Redacted);
            work.set_state(*id, &redacted, at, Because::default()).await?;
        }
        work.flush().await?;
        let keys_destroyed = self.destroy(number, shop, &known).await?;
        // One certificate after the other: the number is the next one once the lock is ours.
        self.batch("LOCK TABLE certificates IN EXCLUSIVE MODE").await?;
        let row = self.one("SELECT count(*) + 1 FROM certificates", &[]).await?;
        let next: i64 = row.ok_or_else(|| bug("a count without a row"))?.try_get(0)?;
        let certificate = Certificate {
            id: format!("R-{next:06}"),
            shop: shop.clone(),
            requested: requested.to_owned(),
            at,
            roots: all.into_iter().collect(),
            keys_destroyed,
            duties_ended: open.len() as u64,
        };
        let text = serde_json::to_string(&certificate).map_err(|error| bug(error.to_string()))?;
        self.execute(
            "INSERT INTO certificates (id, certificate) VALUES ($1, $2)",
            args![certificate.id, text],
        )
        .await?;
        let by = By { who: requested.to_owned(), why: certificate.id.clone(), at };
        let target = format!("{shop}: {} roots", certificate.roots.len());
        self.note("redact", &target, &by, certificate.duties_ended).await?;
        Ok(certificate)
    }

    /// Destroys the keys of roots, and the payloads and calls, which nobody could open any more. How many keys there
    /// were. An append that has read a key is waited for.
    async fn destroy(&self, shop: i32, shop_id: &ShopId, roots: &BTreeSet<String>) -> Done<u64> {
        let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
        let locked = "SELECT 1 FROM data_keys WHERE shop = $1 AND root = ANY($2) ORDER BY root FOR UPDATE";
        self.all(locked, args![shop, roots]).await?;
        let sql = "DELETE FROM data_keys WHERE shop = $1 AND root = ANY($2)";
        let destroyed = self.execute(sql, args![shop, roots]).await?;
        let mut bytes = 0;
        for table in ["payloads", "payloads_kept"] {
            let sql = format!(
                "WITH gone AS (DELETE FROM {table} p USING envelopes e WHERE e.shop = $1 AND e.root = ANY($2) \
                 AND p.shop = e.shop AND p.day = e.day AND p.position = e.position RETURNING length(p.body) AS bytes) \
                 SELECT coalesce(sum(bytes), 0)::int8 FROM gone"
            );
            if let Some(row) = self.one(&sql, args![shop, roots]).await? {
                bytes += row.try_get::<_, i64>(0)?;
            }
        }
        self.execute(crate::append::TALLY, args![shop, 0_i64, -bytes]).await?;
        self.execute("UPDATE records SET body = '' WHERE shop = $1 AND root = ANY($2)", args![shop, roots])
            .await?;
        let sql = "UPDATE attempts a SET call = NULL FROM deliveries d WHERE d.shop = $1 AND d.root = ANY($2) \
                   AND a.shop = d.shop AND a.delivery = d.id AND a.call IS NOT NULL";
        self.execute(sql, args![shop, roots]).await?;
        for root in roots {
            self.vault().forget(shop_id.as_str(), root);
        }
        Ok(destroyed)
    }

    /// Wraps every data key under a new master key, all or none. Returns the number of that key, and how many.
    pub(crate) async fn rotate(&self, new: &MasterKey) -> Done<(i32, u64)> {
        // Nobody puts a key under the old one in force meanwhile.
        self.batch("LOCK TABLE data_keys IN SHARE ROW EXCLUSIVE MODE").await?;
        let row = self.one("SELECT id, master FROM installation FOR UPDATE", &[]).await?;
        let row = row.ok_or_else(|| bug("the store has lost its installation row"))?;
        let (installation, number): (String, i32) = (row.try_get(0)?, row.try_get::<_, i32>(1)? + 1);
        let (mut count, mut last) = (0, (i32::MIN, String::new()));
        loop {
            let sql = "SELECT shop, root, master, wrapped FROM data_keys WHERE (shop, root) > ($1, $2) \
                       ORDER BY shop, root LIMIT 1000";
            let rows = self.all(sql, args![last.0, last.1]).await?;
            let Some(newest) = rows.last() else { break };
            last = (newest.try_get(0)?, newest.try_get(1)?);
            let (mut shops, mut roots, mut again) = (Vec::new(), Vec::new(), Vec::new());
            for row in &rows {
                let (shop, root): (i32, String) = (row.try_get(0)?, row.try_get(1)?);
                let shop_id = self.names().shop(shop)?;
                let key = self.vault().unwrap(row.try_get(2)?, shop_id.as_str(), &root, row.try_get(3)?)?;
                again.push(self.vault().wrap_under(new, &key, shop_id.as_str(), &root)?);
                shops.push(shop);
                roots.push(root);
            }
            let sql = "UPDATE data_keys k SET master = $1, wrapped = n.wrapped \
                       FROM unnest($2::int4[], $3::text[], $4::bytea[]) AS n (shop, root, wrapped) \
                       WHERE k.shop = n.shop AND k.root = n.root";
            count += self.execute(sql, args![number, shops, roots, again]).await?;
        }
        let check = new.check_value(&installation).to_vec();
        self.execute("UPDATE installation SET key_check = $1, master = $2", args![check, number]).await?;
        Ok((number, count))
    }
}
