//! Moves: what an outcome implies, in one transaction; fenced, and lost where the lane or the delivery is another's.

use crate::append::{Keys, Prepared, prepare};
use crate::claims::LaneNumber;
use crate::codec::nanos;
use crate::deliveries::{Because, Slim};
use crate::desk::Desk;
use crate::error::Done;
use crate::letters::json;
use crate::roots::Root;
use jiff::Timestamp;
use kernel::clock::after;
use kernel::id::AttemptId;
use rusqlite::params;
use store::StoreError;
use store::delivery::{DeliveryState, EndedAttempt, Move, Moved, NewAttempt, StoredRef, Wait};
use store::seal::Sealed;
use store::seal::vault::{Vault, call_place, column_place};

/// The place of the fault of an attempt.
pub(crate) const ATTEMPT_FAULT: &str = "attempts.fault";

/// A move with what could be sealed on the caller's side.
#[derive(Debug)]
pub(crate) struct PreparedMove {
    step: Move,
    follow_ups: Vec<Prepared>,
    /// The frozen call, sealed under the key with this number.
    frozen: Option<(i64, Sealed)>,
}

impl PreparedMove {
    /// Whether an attempt begins with it.
    pub(crate) fn begins(&self) -> bool {
        self.step.begun.is_some()
    }

    /// Whether it may put a data key in force.
    pub(crate) fn brings_a_key(&self) -> bool {
        self.follow_ups.iter().any(Prepared::brings_a_key)
    }
}

pub(crate) fn prepare_moves(vault: &Vault, moves: Vec<Move>) -> Result<Vec<PreparedMove>, StoreError> {
    moves
        .into_iter()
        .map(|mut step| {
            let follow_ups = prepare(vault, std::mem::take(&mut step.follow_ups))?;
            let cached = vault.cached(&step.lane.shop, &step.lane.root);
            let frozen = match (&step.begun, cached) {
                (Some(new), Some((number, key))) => {
                    let place = call_place(new.call_key.as_str());
                    Some((number, key.seal_plain(&*vault.random, &place, &new.frozen)?))
                }
                _ => None,
            };
            Ok(PreparedMove { step, follow_ups, frozen })
        })
        .collect()
}

impl Desk {
    pub(crate) fn advance(&mut self, moves: Vec<PreparedMove>, keys: &mut Keys) -> Done<Vec<Moved>> {
        moves.into_iter().map(|step| self.move_on(step, keys)).collect()
    }

    fn move_on(&mut self, prepared: PreparedMove, keys: &mut Keys) -> Done<Moved> {
        let Some((root, lane)) = self.held_under(&prepared.step.lane, prepared.step.fence)? else {
            return Ok(Moved::Lost);
        };
        let row = self.slim(prepared.step.delivery.0)?;
        let row = row.filter(|row| row.root.id == root.id && row.system == lane.1);
        match row {
            Some(row) if row.is_open() || prepared.step.begun.is_none() => {
                self.apply(row, root, lane, prepared, keys)
            }
            // Superseded, skipped or redacted before its attempt began: the lane is free for what comes next.
            _ => {
                self.set_hold(lane, None);
                Ok(Moved::Lost)
            }
        }
    }

    fn apply(
        &mut self,
        row: Slim,
        root: Root,
        lane: LaneNumber,
        prepared: PreparedMove,
        keys: &mut Keys,
    ) -> Done<Moved> {
        let PreparedMove { step, follow_ups, frozen } = prepared;
        if let Some(ended) = &step.ended {
            self.end_attempt(&row, ended)?;
        }
        if let Some(external) = &step.external {
            self.link(&row, external)?;
        }
        if let Some((version, digest)) = &step.delivered {
            let version = version.as_ref().map(crate::codec::version_bytes);
            let sql = "UPDATE standings SET delivered = ?5, digest = ?6 \
                       WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4";
            let key = params![root.shop, root.id, row.child, row.flow, version, &digest[..]];
            self.execute(sql, key)?;
        }
        let begun = match &step.begun {
            Some(new) => Some(self.begin(&row, new, frozen)?),
            None => None,
        };
        if row.is_open() {
            let sql = "UPDATE deliveries SET spent = ?2, failures = ?3, calls = calls + ?4 WHERE id = ?1";
            self.execute(sql, params![row.id, step.spent, step.failures, i64::from(begun.is_some())])?;
            if let Some(state) = state_after(&step, begun.is_some()) {
                let because = Because { fault: step.dead.as_ref(), closing: None };
                self.set_state(&row, &state, step.at, because)?;
            }
        }
        if !follow_ups.is_empty() {
            self.append(&follow_ups, keys)?;
        }
        for later in step.schedule {
            let of = self.root_or_new(later.subject.shop.as_str(), later.subject.root())?;
            self.insert_delivery(of, later, kernel::id::Position(row.position), step.at)?;
        }
        if step.keep {
            self.renew(lane, step.at)
        } else {
            self.set_hold(lane, None)
        }
        Ok(Moved::Done { begun })
    }

    fn end_attempt(&mut self, row: &Slim, ended: &EndedAttempt) -> Done<()> {
        let fault = match &ended.fault {
            // What a redacted root's target says is not kept.
            Some(fault) if row.root.data_key.is_some() => {
                Some(self.seal_for(row, &column_place(ATTEMPT_FAULT, ended.id.0), &json(fault)?)?)
            }
            _ => None,
        };
        let sql = "UPDATE attempts SET ended_at = ?2, by_look_up = ?3, fault = ?4 WHERE id = ?1";
        self.execute(sql, params![ended.id.0, nanos(ended.ended_at), ended.by_look_up, fault])?;
        self.execute("DELETE FROM frozen_calls WHERE attempt = ?1", [ended.id.0])?;
        Ok(())
    }

    fn link(&self, row: &Slim, external: &StoredRef) -> Done<()> {
        let sql = "INSERT OR REPLACE INTO external_refs (shop, root, child, system, object_key, id, number, state, \
                   created_at, adopted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        self.execute(
            sql,
            params![
                row.root.shop,
                row.root.id,
                row.child,
                row.system,
                external.object_key.as_str(),
                external.id,
                external.number,
                external.state,
                nanos(external.created_at),
                external.adopted,
            ],
        )?;
        Ok(())
    }

    /// Commits an attempt as `sending`, with its frozen call.
    fn begin(&mut self, row: &Slim, new: &NewAttempt, frozen: Option<(i64, Sealed)>) -> Done<AttemptId> {
        let (step, revision) = (self.number(&new.step)?, self.number(&new.revision)?);
        let sql = "INSERT INTO attempts (shop, root, delivery, step, revision, call_key, started_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let key = new.call_key.as_str();
        let started_at = nanos(new.started_at);
        let values = params![row.root.shop, row.root.id, row.id, step, revision, key, started_at];
        self.execute(sql, values)?;
        let id = self.connection.last_insert_rowid();
        let call = match frozen {
            Some((number, sealed)) if row.root.data_key == Some(number) => sealed.to_column(number),
            _ => self.seal_for(row, &call_place(key), &new.frozen)?,
        };
        self.execute("INSERT INTO frozen_calls (attempt, call) VALUES (?1, ?2)", params![id, call])?;
        let sql = "UPDATE standings SET attempted = 1 \
                   WHERE shop = ?1 AND root = ?2 AND child = ?3 AND flow = ?4 AND attempted = 0";
        self.execute(sql, params![row.root.shop, row.root.id, row.child, row.flow])?;
        Ok(AttemptId(id))
    }

    fn renew(&mut self, lane: LaneNumber, at: Timestamp) {
        let renewed = self.claims.hold(lane).cloned().map(|mut hold| {
            hold.until = hold.until.max(after(at, hold.length));
            hold
        });
        self.set_hold(lane, renewed);
    }

    /// Ends the holds of an owner's earlier life and hands out attempts without an answer at once. Returns how many.
    pub(crate) fn begin_epoch(&mut self, owner: &str, now: Timestamp) -> Done<u64> {
        for lane in self.claims.of_owner(owner) {
            self.set_hold(lane, None);
        }
        let sql = "SELECT shop, root, system FROM lanes WHERE unknown > 0";
        let lanes = self.view().all(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let mut found = 0;
        for (shop, root, system) in lanes {
            if self.claims.hold((root, system)).is_some() {
                continue;
            }
            // Whoever looks up counts from when it found the attempt: look-ups so far count no more.
            let sql = "UPDATE deliveries SET due_at = ?4, wait = 2, detail = '0' \
                       WHERE shop = ?1 AND root = ?2 AND phase = 1 AND system = ?3";
            found += self.execute(sql, params![shop, root, system, nanos(now)])?;
            self.refresh(shop, root, system)?;
        }
        Ok(found as u64)
    }
}

/// Where the delivery goes: as the move says, and `Unknown` wherever an attempt begins.
fn state_after(step: &Move, begun: bool) -> Option<DeliveryState> {
    match &step.state {
        Some(state @ DeliveryState::Unknown { .. }) => Some(state.clone()),
        _ if begun => Some(DeliveryState::Unknown { due_at: step.at, wait: Wait::Settle { not_there: 0 } }),
        state => state.clone(),
    }
}
