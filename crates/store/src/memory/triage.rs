//! What operators and triage do in the memory store: release, skip, references that are awaited, pauses, the audit.

use super::rows::{Row, State};
use crate::delivery::{DeliveryState, Outcome, Wait};
use crate::operate::{AuditEntry, By, Pause, PauseScope};
use crate::query::{Awaited, Closed, DeliveryFilter, Phase};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::fault::Reference;
use kernel::id::{DeliveryId, ShopId, SystemName};
use std::time::Duration;

impl State {
    /// Whether a delivery is one of those. `limit` and `before` are the caller's.
    pub(super) fn matches(&self, which: &DeliveryFilter, row: &Row) -> bool {
        let delivery = &row.delivery;
        which.shop.as_ref().is_none_or(|shop| *shop == delivery.lane.shop)
            && which.system.as_ref().is_none_or(|system| *system == delivery.lane.system)
            && which.flow.as_ref().is_none_or(|flow| *flow == delivery.flow)
            && which.root.as_ref().is_none_or(|root| *root == delivery.lane.root)
            && which.phase.is_none_or(|phase| row.is_in(phase))
            && (which.ids.is_empty() || which.ids.contains(&delivery.id))
            && which.fingerprint.as_ref().is_none_or(|wanted| {
                self.dead.get(&delivery.id).is_some_and(|dead| dead.fingerprint == *wanted)
            })
    }

    fn selected(&self, which: &DeliveryFilter, wanted: impl Fn(&Row) -> bool) -> Vec<DeliveryId> {
        let limit = if which.limit == 0 { usize::MAX } else { which.limit as usize };
        let before = which.before.unwrap_or(DeliveryId(i64::MAX));
        let rows = self.rows.range(..before).map(|(_, row)| row);
        rows.filter(|row| wanted(row) && self.matches(which, row))
            .map(|row| row.delivery.id)
            .take(limit)
            .collect()
    }

    pub(super) fn release(
        &mut self,
        which: &DeliveryFilter,
        by: &By,
        due_from: Timestamp,
        ramp: Duration,
    ) -> u64 {
        let ids = self.selected(which, Row::is_dead);
        self.release_these(&ids, by, due_from, ramp);
        self.note("release", which.to_string(), by, ids.len() as u64);
        ids.len() as u64
    }

    fn release_these(&mut self, ids: &[DeliveryId], by: &By, due_from: Timestamp, ramp: Duration) {
        let mut due_at = due_from;
        for id in ids {
            if let Some(row) = self.rows.get_mut(id) {
                row.delivery.spent = 0;
                row.delivery.failures = 0;
                row.hands |= by.is_person();
                row.released |= !by.is_person();
            }
            let waiting = DeliveryState::Waiting { due_at: Some(due_at), wait: Wait::Turn };
            self.set_state(*id, waiting, by.at, None, None);
            due_at = after(due_at, ramp);
        }
    }

    pub(super) fn skip(&mut self, which: &DeliveryFilter, by: &By) -> u64 {
        let ids = self.selected(which, |row| !row.is_ended() && !row.is_unknown());
        for id in &ids {
            if let Some(row) = self.rows.get_mut(id) {
                row.hands |= by.is_person();
            }
            let outcome = Outcome::Skipped { who: by.who.clone(), why: by.why.clone() };
            let closed = Closed { at: by.at, who: by.who.clone(), why: by.why.clone() };
            self.set_state(*id, DeliveryState::Ended(outcome), by.at, None, Some(closed));
        }
        self.note("skip", which.to_string(), by, ids.len() as u64);
        ids.len() as u64
    }

    pub(super) fn note(&mut self, action: &str, target: String, by: &By, count: u64) {
        self.audit.push(AuditEntry {
            at: by.at,
            who: by.who.clone(),
            action: action.into(),
            target,
            why: by.why.clone(),
            count,
        });
    }

    pub(super) fn awaited(&self, due: Option<Timestamp>, limit: u32) -> Vec<Awaited> {
        let mut rows: Vec<Awaited> = self
            .awaited
            .iter()
            .filter(|(_, row)| due.is_none_or(|due| row.next_look_at <= due))
            .map(|((shop, system, reference), row)| Awaited {
                shop: shop.clone(),
                system: system.clone(),
                reference: reference.clone(),
                looks: row.looks,
                next_look_at: row.next_look_at,
                waiting: row.waiting.len() as u64,
            })
            .collect();
        rows.sort_by_key(|row| row.next_look_at);
        rows.truncate(limit as usize);
        rows
    }

    pub(super) fn awaited_again(
        &mut self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        next: Timestamp,
    ) {
        let key = (shop.clone(), system.clone(), reference.clone());
        if let Some(row) = self.awaited.get_mut(&key) {
            row.looks += 1;
            row.next_look_at = next;
        }
    }

    pub(super) fn awaited_found(
        &mut self,
        shop: &ShopId,
        system: &SystemName,
        reference: &Reference,
        by: &By,
    ) -> u64 {
        let key = (shop.clone(), system.clone(), reference.clone());
        let Some(row) = self.awaited.get(&key) else { return 0 };
        let ids: Vec<DeliveryId> = row.waiting.iter().copied().collect();
        self.release_these(&ids, by, by.at, Duration::ZERO);
        self.note("release", format!("{shop}: {reference} at {system}"), by, ids.len() as u64);
        ids.len() as u64
    }

    pub(super) fn pause(&mut self, pause: Pause) {
        self.note("pause", pause.scope.to_string(), &pause.by, 1);
        self.pauses.insert(pause.scope.clone(), pause);
    }

    pub(super) fn resume(&mut self, scope: &PauseScope, by: &By) -> bool {
        let was = self.pauses.remove(scope).is_some();
        if was {
            self.note("resume", scope.to_string(), by, 1);
        }
        was
    }

    pub(super) fn pauses(&self, now: Timestamp) -> Vec<Pause> {
        self.pauses.values().filter(|pause| pause.until.is_none_or(|until| until > now)).cloned().collect()
    }
}

impl Row {
    pub(super) fn is_in(&self, phase: Phase) -> bool {
        match phase {
            Phase::Open => self.is_open(),
            Phase::Waiting => self.is_open() && !self.is_unknown(),
            Phase::Unknown => self.is_unknown(),
            Phase::Dead => self.is_dead(),
            Phase::Ended => self.is_ended(),
        }
    }
}
