//! What operators and triage do: release, skip, references that are awaited, pauses, the audit.

use crate::bind::args;
use crate::codec::{self, nanos};
use crate::deliveries::{BY_A_PERSON, Because, RELEASED};
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::filter::Wanted;
use crate::letters::{NO_ROOT, reference_hash, reference_place};
use crate::view::key_of;
use crate::work::{Numbers, Work};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::fault::Reference;
use kernel::id::{ShopId, SystemName};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use store::delivery::{DeliveryState, Outcome, Wait};
use store::operate::{AuditEntry, By, Pause, PauseScope};
use store::query::{Awaited, Closed, DeliveryFilter};

/// Deliveries of one shop with their roots.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    pub ids: Vec<i64>,
    pub roots: BTreeSet<String>,
}

impl Desk {
    pub(crate) async fn release(
        &self,
        which: &DeliveryFilter,
        by: &By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> Done<u64> {
        let mut due_at = due_from;
        let mut count = 0;
        for (shop, selected) in self.selected(which, "d.phase = 2").await? {
            count += self.release_these(&shop, &selected, by, &mut due_at, ramp).await?;
        }
        self.note("release", &which.to_string(), by, count).await?;
        Ok(count)
    }

    /// By shop; of each, oldest first.
    async fn selected(&self, which: &DeliveryFilter, condition: &str) -> Done<BTreeMap<ShopId, Selected>> {
        let Some(wanted) = Wanted::of(self.names(), which) else { return Ok(BTreeMap::new()) };
        let limit = if which.limit == 0 { "ALL".to_owned() } else { which.limit.to_string() };
        let sql = format!(
            "SELECT d.shop, d.id, d.root FROM deliveries d {} AND {condition} ORDER BY d.id LIMIT {limit}",
            wanted.sql
        );
        let mut selected: BTreeMap<ShopId, Selected> = BTreeMap::new();
        for row in wanted.rows(self, &sql).await? {
            let of_shop = selected.entry(self.names().shop(row.try_get(0)?)?).or_default();
            of_shop.ids.push(row.try_get(1)?);
            of_shop.roots.insert(row.try_get(2)?);
        }
        Ok(selected)
    }

    /// Those that are still dead once their roots are locked.
    async fn release_these(
        &self,
        shop: &ShopId,
        selected: &Selected,
        by: &By,
        due_at: &mut Timestamp,
        ramp: Duration,
    ) -> Done<u64> {
        let mut work = Work::on(self, shop, &selected.roots, &selected.ids, Numbers::default()).await?;
        let mut count = 0;
        for id in &selected.ids {
            if work.row(*id)?.phase != codec::DEAD {
                continue;
            }
            let row = work.row_mut(*id)?;
            row.spent = 0;
            row.failures = 0;
            row.touched |= if by.is_person() { BY_A_PERSON } else { RELEASED };
            let waiting = DeliveryState::Waiting { due_at: Some(*due_at), wait: Wait::Turn };
            work.set_state(*id, &waiting, by.at, Because::default()).await?;
            *due_at = after(*due_at, ramp);
            count += 1;
        }
        work.flush().await?;
        Ok(count)
    }

    pub(crate) async fn skip(&self, which: &DeliveryFilter, by: &By) -> Done<u64> {
        let mut count = 0;
        for (shop, selected) in self.selected(which, "d.phase IN (0, 2)").await? {
            let mut work = Work::on(self, &shop, &selected.roots, &selected.ids, Numbers::default()).await?;
            for id in &selected.ids {
                if ![codec::WAITING, codec::DEAD].contains(&work.row(*id)?.phase) {
                    continue;
                }
                if by.is_person() {
                    work.row_mut(*id)?.touched |= BY_A_PERSON;
                }
                let outcome = Outcome::Skipped { who: by.who.clone(), why: by.why.clone() };
                let closed = Closed { at: by.at, who: by.who.clone(), why: by.why.clone() };
                let because = Because { fault: None, closing: Some(closed) };
                work.set_state(*id, &DeliveryState::Ended(outcome), by.at, because).await?;
                count += 1;
            }
            work.flush().await?;
        }
        self.note("skip", &which.to_string(), by, count).await?;
        Ok(count)
    }

    pub(crate) async fn note(&self, action: &str, target: &str, by: &By, count: u64) -> Done<()> {
        self.audit(&AuditEntry {
            at: by.at,
            who: by.who.clone(),
            action: action.into(),
            target: target.into(),
            why: by.why.clone(),
            count,
        })
        .await
    }

    pub(crate) async fn audit(&self, entry: &AuditEntry) -> Done<()> {
        let sql = "INSERT INTO audit (at, who, action, target, why, count) VALUES ($1, $2, $3, $4, $5, $6)";
        let AuditEntry { at, who, action, target, why, count } = entry;
        self.execute(sql, args![nanos(*at), who, action, target, why, count.cast_signed()]).await.map(drop)
    }

    /// Shop and system, by number; `None`: no row can have them.
    fn awaiting(&self, shop: &ShopId, system: &SystemName) -> Option<(i32, i32)> {
        Some((self.names().shop_number(shop)?, self.names().number(system.as_str())?))
    }

    pub(crate) async fn awaited_again(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) -> Done<()> {
        let Some((shop, system)) = self.awaiting(shop, system) else { return Ok(()) };
        let sql = "UPDATE awaited SET looks = looks + 1, next_look_at = $4 \
                   WHERE shop = $1 AND system = $2 AND hash = $3";
        let hash = reference_hash(reference).to_vec();
        self.execute(sql, args![shop, system, hash, nanos(next)]).await.map(drop)
    }

    pub(crate) async fn awaited_found(
        &self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: &By,
    ) -> Done<u64> {
        let Some((number, system_number)) = self.awaiting(shop, system) else { return Ok(0) };
        let hash = reference_hash(reference).to_vec();
        let sql = "SELECT delivery, root FROM dead_letters WHERE shop = $1 AND system = $2 AND awaits = $3 AND open \
                   ORDER BY delivery";
        let mut selected = Selected::default();
        for row in self.all(sql, args![number, system_number, hash]).await? {
            selected.ids.push(row.try_get(0)?);
            selected.roots.insert(row.try_get(1)?);
        }
        if selected.ids.is_empty() {
            return Ok(0);
        }
        let mut due_at = by.at;
        let count = self.release_these(shop, &selected, by, &mut due_at, Duration::ZERO).await?;
        self.note("release", &format!("{shop}: {reference} at {system}"), by, count).await?;
        Ok(count)
    }

    pub(crate) async fn pause(&self, pause: &Pause) -> Done<()> {
        let sql = "INSERT INTO pauses (scope, who, why, at, ends_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (scope) DO UPDATE SET who = excluded.who, why = excluded.why, at = excluded.at, \
                   ends_at = excluded.ends_at";
        let By { who, why, at } = &pause.by;
        self.execute(sql, args![scope_text(&pause.scope)?, who, why, nanos(*at), pause.until.map(nanos)])
            .await?;
        self.note("pause", &pause.scope.to_string(), &pause.by, 1).await
    }

    pub(crate) async fn resume(&self, scope: &PauseScope, by: &By) -> Done<bool> {
        let was = self.execute("DELETE FROM pauses WHERE scope = $1", args![scope_text(scope)?]).await? > 0;
        if was {
            self.note("resume", &scope.to_string(), by, 1).await?;
        }
        Ok(was)
    }

    pub(crate) async fn awaited(&self, due: Option<Timestamp>, limit: u32) -> Done<Vec<Awaited>> {
        let sql = "SELECT a.shop, a.system, a.hash, a.reference, a.looks, a.next_look_at, \
                   (SELECT count(*) FROM dead_letters l WHERE l.shop = a.shop AND l.system = a.system \
                   AND l.awaits = a.hash AND l.open), k.id, k.master, k.wrapped FROM awaited a \
                   LEFT JOIN data_keys k ON k.shop = a.shop AND k.root = '' \
                   WHERE coalesce(a.next_look_at <= $1, true) ORDER BY a.next_look_at, a.shop, a.system, a.hash LIMIT $2";
        let mut awaited = Vec::new();
        for row in self.all(sql, args![due.map(nanos), i64::from(limit)]).await? {
            let shop = self.names().shop(row.try_get(0)?)?;
            let (hash, sealed): (Vec<u8>, Vec<u8>) = (row.try_get(2)?, row.try_get(3)?);
            let key = key_of(&row, 7)?;
            let opened =
                self.shared.open_column(&shop, NO_ROOT, key.as_ref(), &reference_place(&hash), &sealed)?;
            let reference = serde_json::from_slice(&opened.unwrap_or_default())
                .map_err(|error| bug(format!("an awaited reference that cannot be read: {error}")))?;
            awaited.push(Awaited {
                shop,
                system: self.names().system(row.try_get(1)?)?,
                reference,
                looks: crate::view::unsigned(row.try_get(4)?),
                next_look_at: codec::time(row.try_get(5)?),
                waiting: row.try_get::<_, i64>(6)?.unsigned_abs(),
            });
        }
        Ok(awaited)
    }

    pub(crate) async fn pauses(&self, now: Timestamp) -> Done<Vec<Pause>> {
        let sql = "SELECT scope, who, why, at, ends_at FROM pauses WHERE coalesce(ends_at > $1, true)";
        let mut pauses = Vec::new();
        for row in self.all(sql, args![nanos(now)]).await? {
            let scope: String = row.try_get(0)?;
            let scope = serde_json::from_str(&scope)
                .map_err(|error| bug(format!("a pause that no program of this schema wrote: {error}")))?;
            let by = By { who: row.try_get(1)?, why: row.try_get(2)?, at: codec::time(row.try_get(3)?) };
            let until: Option<i64> = row.try_get(4)?;
            pauses.push(Pause { scope, by, until: until.map(codec::time) });
        }
        pauses.sort_by(|a, b| a.scope.cmp(&b.scope));
        Ok(pauses)
    }

    pub(crate) async fn audit_entries(&self, limit: u32) -> Done<Vec<AuditEntry>> {
        let sql = "SELECT at, who, action, target, why, count FROM audit ORDER BY id DESC LIMIT $1";
        let rows = self.all(sql, args![i64::from(limit)]).await?;
        let entries = rows.iter().map(|row| {
            Ok(AuditEntry {
                at: codec::time(row.try_get(0)?),
                who: row.try_get(1)?,
                action: row.try_get(2)?,
                target: row.try_get(3)?,
                why: row.try_get(4)?,
                count: row.try_get::<_, i64>(5)?.unsigned_abs(),
            })
        });
        entries.collect()
    }
}

/// The scope as a key.
fn scope_text(scope: &PauseScope) -> Done<String> {
    serde_json::to_string(scope).map_err(|error| bug(format!("a scope that is no JSON: {error}")))
}
