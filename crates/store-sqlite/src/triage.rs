//! What operators and triage do: release, skip, references that are awaited, pauses, the audit.

use crate::codec::{self, nanos};
use crate::deliveries::{BY_A_PERSON, Because, RELEASED, SLIM, Slim, slim_of};
use crate::desk::Desk;
use crate::error::{Done, bug};
use crate::filter::Wanted;
use crate::letters::{AWAITED_REFERENCE, reference_hash};
use crate::roots::{NO_ROOT, shop_id};
use crate::view::{View, system_name};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::fault::Reference;
use kernel::id::{ShopId, SystemName};
use rusqlite::params;
use std::time::Duration;
use store::delivery::{DeliveryState, Outcome, Wait};
use store::operate::{AuditEntry, By, Pause, PauseScope};
use store::query::{Awaited, Closed, DeliveryFilter};
use store::seal::vault::column_place;

impl Desk {
    pub(crate) fn release(
        &mut self,
        which: &DeliveryFilter,
        by: &By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> Done<u64> {
        let rows = self.selected(which, "d.phase = 2")?;
        self.release_these(&rows, by, due_from, ramp)?;
        self.note("release", &which.to_string(), by, rows.len() as u64)?;
        Ok(rows.len() as u64)
    }

    fn selected(&self, which: &DeliveryFilter, condition: &str) -> Done<Vec<Slim>> {
        let Some(wanted) = Wanted::of(&self.names, which) else { return Ok(Vec::new()) };
        let limit = if which.limit == 0 { -1 } else { i64::from(which.limit) };
        let sql = format!("{SLIM} {} AND {condition} ORDER BY d.id LIMIT {limit}", wanted.sql);
        self.view().all(&sql, rusqlite::params_from_iter(&wanted.values), slim_of)
    }

    fn release_these(&mut self, rows: &[Slim], by: &By, due_from: Timestamp, ramp: Duration) -> Done<()> {
        let mut due_at = due_from;
        for row in rows {
            let touched = if by.is_person() { BY_A_PERSON } else { RELEASED };
            let sql = "UPDATE deliveries SET spent = 0, failures = 0, touched = touched | ?2 WHERE id = ?1";
            self.execute(sql, [row.id, touched])?;
            let waiting = DeliveryState::Waiting { due_at: Some(due_at), wait: Wait::Turn };
            self.set_state(row, &waiting, by.at, Because::default())?;
            due_at = after(due_at, ramp);
        }
        Ok(())
    }

    pub(crate) fn skip(&mut self, which: &DeliveryFilter, by: &By) -> Done<u64> {
        let rows = self.selected(which, "d.phase IN (0, 2)")?;
        for row in &rows {
            let touched = if by.is_person() { BY_A_PERSON } else { 0 };
            self.execute("UPDATE deliveries SET touched = touched | ?2 WHERE id = ?1", [row.id, touched])?;
            let outcome = Outcome::Skipped { who: by.who.clone(), why: by.why.clone() };
            let closed = Closed { at: by.at, who: by.who.clone(), why: by.why.clone() };
            let because = Because { fault: None, closing: Some(closed) };
            self.set_state(row, &DeliveryState::Ended(outcome), by.at, because)?;
        }
        self.note("skip", &which.to_string(), by, rows.len() as u64)?;
        Ok(rows.len() as u64)
    }

    pub(crate) fn note(&self, action: &str, target: &str, by: &By, count: u64) -> Done<()> {
        self.audit(&AuditEntry {
            at: by.at,
            who: by.who.clone(),
            action: action.into(),
            target: target.into(),
            why: by.why.clone(),
            count,
        })
    }

    pub(crate) fn audit(&self, entry: &AuditEntry) -> Done<()> {
        let sql = "INSERT INTO audit (at, who, action, target, why, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let AuditEntry { at, who, action, target, why, count } = entry;
        self.execute(sql, params![nanos(*at), who, action, target, why, count.cast_signed()])?;
        Ok(())
    }

    fn awaited_row(&self, shop: &ShopId, system: &SystemName, reference: &Reference) -> Done<Option<i64>> {
        let (Some(shop), Some(system)) =
            (self.names.number(shop.as_str()), self.names.number(system.as_str()))
        else {
            return Ok(None);
        };
        let sql = "SELECT id FROM awaited WHERE shop = ?1 AND system = ?2 AND hash = ?3";
        let key = params![shop, system, &reference_hash(reference)[..]];
        self.view().one(sql, key, |row| Ok(row.get(0)?))
    }

    pub(crate) fn awaited_again(
        &mut self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) -> Done<()> {
        let id = self.awaited_row(shop, system, reference)?;
        self.execute(
            "UPDATE awaited SET looks = looks + 1, next_look_at = ?2 WHERE id = ?1",
            params![id, nanos(next)],
        )?;
        Ok(())
    }

    pub(crate) fn awaited_found(
        &mut self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: &By,
    ) -> Done<u64> {
        let Some(id) = self.awaited_row(shop, system, reference)? else { return Ok(0) };
        let sql = [
            SLIM,
            " JOIN dead_letters l ON l.delivery = d.id WHERE l.awaits = ?1 AND l.open = 1 ORDER BY d.id",
        ]
        .concat();
        let rows = self.view().all(&sql, [id], slim_of)?;
        self.release_these(&rows, by, by.at, Duration::ZERO)?;
        let target = format!("{shop}: {reference} at {system}");
        self.note("release", &target, by, rows.len() as u64)?;
        Ok(rows.len() as u64)
    }

    pub(crate) fn pause(&mut self, pause: &Pause) -> Done<()> {
        let sql = "INSERT OR REPLACE INTO pauses (scope, who, why, at, ends_at) VALUES (?1, ?2, ?3, ?4, ?5)";
        let By { who, why, at } = &pause.by;
        self.execute(sql, params![scope_text(&pause.scope)?, who, why, nanos(*at), pause.until.map(nanos)])?;
        self.note("pause", &pause.scope.to_string(), &pause.by, 1)
    }

    pub(crate) fn resume(&mut self, scope: &PauseScope, by: &By) -> Done<bool> {
        let was = self.execute("DELETE FROM pauses WHERE scope = ?1", [scope_text(scope)?])? > 0;
        if was {
            self.note("resume", &scope.to_string(), by, 1)?;
        }
        Ok(was)
    }
}

/// The scope as a key.
fn scope_text(scope: &PauseScope) -> Done<String> {
    serde_json::to_string(scope).map_err(|error| bug(format!("a scope that is no JSON: {error}")))
}

impl View<'_> {
    pub(crate) fn awaited(&self, due: Option<Timestamp>, limit: u32) -> Done<Vec<Awaited>> {
        let sql = "SELECT a.shop, a.system, a.hash, a.reference, a.looks, a.next_look_at, \
                   (SELECT count(*) FROM dead_letters l WHERE l.awaits = a.id AND l.open = 1) FROM awaited a \
                   WHERE coalesce(a.next_look_at <= ?1, 1) ORDER BY a.next_look_at, a.id LIMIT ?2";
        self.all(sql, params![due.map(nanos), limit], |row| {
            let shop = shop_id(self.names, row.get(0)?)?;
            let hash: Vec<u8> = row.get(2)?;
            let first = hash.first_chunk().copied().map(i64::from_be_bytes).unwrap_or_default();
            let place = column_place(AWAITED_REFERENCE, first);
            let opened = self.open_column(shop.as_str(), NO_ROOT, &place, &row.get::<_, Vec<u8>>(3)?)?;
            let reference = serde_json::from_slice(&opened.unwrap_or_default())
                .map_err(|error| bug(format!("an awaited reference that cannot be read: {error}")))?;
            Ok(Awaited {
                shop,
                system: system_name(self.names, row.get(1)?)?,
                reference,
                looks: row.get(4)?,
                next_look_at: codec::time(row.get(5)?),
                waiting: row.get::<_, i64>(6)?.unsigned_abs(),
            })
        })
    }

    pub(crate) fn pauses(&self, now: Timestamp) -> Done<Vec<Pause>> {
        let sql = "SELECT scope, who, why, at, ends_at FROM pauses WHERE coalesce(ends_at > ?1, 1)";
        let mut pauses = self.all(sql, [nanos(now)], |row| {
            let scope: String = row.get(0)?;
            let scope = serde_json::from_str(&scope)
                .map_err(|error| bug(format!("a pause that no program of this schema wrote: {error}")))?;
            let by = By { who: row.get(1)?, why: row.get(2)?, at: codec::time(row.get(3)?) };
            let until: Option<i64> = row.get(4)?;
            Ok(Pause { scope, by, until: until.map(codec::time) })
        })?;
        pauses.sort_by(|a, b| a.scope.cmp(&b.scope));
        Ok(pauses)
    }

    pub(crate) fn audit_entries(&self, limit: u32) -> Done<Vec<AuditEntry>> {
        let sql = "SELECT at, who, action, target, why, count FROM audit ORDER BY id DESC LIMIT ?1";
        self.all(sql, [limit], |row| {
            Ok(AuditEntry {
                at: codec::time(row.get(0)?),
                who: row.get(1)?,
                action: row.get(2)?,
                target: row.get(3)?,
                why: row.get(4)?,
                count: row.get::<_, i64>(5)?.unsigned_abs(),
            })
        })
    }
}
