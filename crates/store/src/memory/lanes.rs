//! Lanes of the memory store: claims, fences, moves, and the one place where a delivery changes its state.

use super::bug::{self, Bug};
use super::rows::{AttemptStored, AwaitedRow, DeadRow, Holder, LaneRow, State};
use crate::dead::{closed_because, fingerprint};
use crate::delivery::{
    Claim, DeliveryKind, DeliveryState, EndedAttempt, Move, Moved, NewAttempt, Outcome, Wait,
};
use crate::lane::{self, Member};
use crate::port::ClaimRequest;
use crate::query::{AttemptRow, Closed};
use jiff::Timestamp;
use kernel::clock::after;
use kernel::envelope::Priority;
use kernel::fault::{Fault, FaultKind};
use kernel::id::{AttemptId, DeliveryId, SystemName};
use kernel::subject::Lane;
use std::collections::BTreeMap;

impl State {
    /// Changes the state of a delivery with all that it implies: its lane, its dead letter, what waits for a
    /// reference, and an older state that leaves `Unknown` while a newer one is there.
    pub(super) fn set_state(
        &mut self,
        id: DeliveryId,
        mut state: DeliveryState,
        at: Timestamp,
        fault: Option<Fault>,
        closing: Option<Closed>,
    ) {
        if let Some(by) = self.overtaken_by(id, &state) {
            state = DeliveryState::Ended(Outcome::Superseded { by });
        }
        let Some(row) = self.rows.get_mut(&id) else { return };
        let lane = row.delivery.lane.clone();
        let was_dead = row.is_dead();
        row.delivery.state = state.clone();
        if was_dead {
            self.forget_awaited(id, &lane);
        }
        match state {
            DeliveryState::Dead => self.bury(id, at, fault, &lane),
            DeliveryState::Ended(outcome) => self.end(id, &outcome, at, closing, &lane),
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {}
        }
        self.refresh(&lane);
    }

    /// The newer state (or step) that stands open or dead while this one leaves `Unknown` unfinished.
    fn overtaken_by(&self, id: DeliveryId, state: &DeliveryState) -> Option<kernel::id::Position> {
        let row = self.rows.get(&id)?;
        let leaves = matches!(state, DeliveryState::Waiting { .. } | DeliveryState::Dead);
        let replaces = matches!(row.delivery.kind, DeliveryKind::State | DeliveryKind::Step);
        if !leaves || !row.is_unknown() || !replaces {
            return None;
        }
        let known = self.known(&row.delivery.flow, &row.delivery.subject)?;
        let mut newer = known.deliveries.iter().rev().filter_map(|other| self.rows.get(other));
        newer
            .find(|other| {
                other.delivery.kind == row.delivery.kind && other.delivery.id > id && !other.is_ended()
            })
            .map(|other| other.delivery.position)
    }

    fn bury(&mut self, id: DeliveryId, at: Timestamp, fault: Option<Fault>, lane: &Lane) {
        let Some(row) = self.rows.get(&id) else { return };
        let fault = fault
            .unwrap_or_else(|| Fault::new(FaultKind::Bug, "no_reason", "it was given up without a reason"));
        if let Some(reference) = fault.missing.clone() {
            let key = (lane.shop.clone(), lane.system.clone(), reference);
            let fresh = || AwaitedRow { looks: 0, next_look_at: at, waiting: Default::default() };
            self.awaited.entry(key).or_insert_with(fresh).waiting.insert(id);
        }
        let fingerprint = fingerprint(&row.delivery.flow, &fault);
        self.dead.insert(id, DeadRow { fingerprint, fault, dead_at: at, closed: None });
    }

    fn forget_awaited(&mut self, id: DeliveryId, lane: &Lane) {
        let Some(reference) = self.dead.get(&id).and_then(|dead| dead.fault.missing.clone()) else { return };
        let key = (lane.shop.clone(), lane.system.clone(), reference);
        if let Some(row) = self.awaited.get_mut(&key) {
            row.waiting.remove(&id);
            if row.waiting.is_empty() {
                self.awaited.remove(&key);
            }
        }
    }

    fn end(
        &mut self,
        id: DeliveryId,
        outcome: &Outcome,
        at: Timestamp,
        closing: Option<Closed>,
        lane: &Lane,
    ) {
        if let Some(row) = self.lanes.get_mut(lane) {
            row.members.remove(&id);
        }
        if let Some(row) = self.rows.get_mut(&id) {
            row.delivery.ended_at = Some(at);
            if matches!(outcome, Outcome::Delivered { .. })
                && matches!(row.delivery.kind, DeliveryKind::State | DeliveryKind::Event)
            {
                self.delivered.insert((at, id));
            }
        }
        if let Some(dead) = self.dead.get_mut(&id).filter(|dead| dead.closed.is_none()) {
            let by_hub = || Closed { at, who: "tidegate".into(), why: closed_because(outcome) };
            dead.closed = Some(closing.unwrap_or_else(by_hub));
        }
    }

    pub(super) fn claim(&mut self, request: &ClaimRequest, owner: &str) -> Vec<Claim> {
        let lapsed = self.lapse(request.now);
        let mut claims = Vec::new();
        for priority in [Priority::Live, Priority::Sweep, Priority::Backfill] {
            let wanted = (request.limit as usize).saturating_sub(claims.len());
            for (lane, delivery) in self.due_heads(request, priority, wanted) {
                claims.extend(self.hold(lane, delivery, request, owner));
            }
        }
        self.hold_on(lapsed);
        claims
    }

    /// Lanes whose hold has ended by this claim's clock are offered to it. Until somebody takes one over, its holder is
    /// heard all the same.
    fn lapse(&mut self, now: Timestamp) -> Vec<Lane> {
        if self.bug == Some(Bug::LeaseNeverEnds) {
            return Vec::new();
        }
        let ended: Vec<Lane> =
            self.held.iter().take_while(|(until, _)| *until <= now).map(|(_, lane)| lane.clone()).collect();
        for lane in &ended {
            if let Some(holder) = self.lanes.get_mut(lane).and_then(|row| row.holder.as_mut()) {
                holder.lapsed = true;
            }
            self.refresh(lane);
        }
        ended
    }

    fn hold_on(&mut self, lapsed: Vec<Lane>) {
        for lane in lapsed {
            let holder = self.lanes.get_mut(&lane).and_then(|row| row.holder.as_mut());
            let Some(holder) = holder.filter(|holder| holder.lapsed) else { continue };
            holder.lapsed = false;
            self.refresh(&lane);
        }
    }

    fn due_heads(
        &self,
        request: &ClaimRequest,
        priority: Priority,
        wanted: usize,
    ) -> Vec<(Lane, DeliveryId)> {
        let Some(due) = self.due.get(&(request.system.clone(), priority)) else { return Vec::new() };
        due.iter()
            .take_while(|(due_at, _)| *due_at <= request.now)
            .filter(|(_, lane)| !request.except_lanes.contains(lane))
            .filter_map(|(_, lane)| Some((lane.clone(), self.head(lane, request)?)))
            .take(wanted)
            .collect()
    }

    fn head(&self, lane: &Lane, request: &ClaimRequest) -> Option<DeliveryId> {
        let ids = self.lanes.get(lane)?.members.iter();
        let mut members: Vec<_> = ids.filter_map(|id| Member::of(&self.rows.get(id)?.delivery)).collect();
        bug::spoil(self.bug, &mut members);
        lane::head(&members, request.now, |flow| request.except_flows.contains(flow))
    }

    fn hold(
        &mut self,
        lane: Lane,
        delivery: DeliveryId,
        request: &ClaimRequest,
        owner: &str,
    ) -> Option<Claim> {
        let bug = self.bug;
        let row = self.lanes.get_mut(&lane)?;
        if row.fence == 0 || bug != Some(Bug::FenceStays) {
            self.fence += 1;
            row.fence = self.fence;
        }
        let length = if bug == Some(Bug::LeaseTooLong) { request.lease * 100 } else { request.lease };
        let until = after(request.now, length);
        let (owner, lapsed) = (owner.to_owned(), false);
        let before = row.holder.replace(Holder { owner, until, length, delivery, lapsed });
        let fence = row.fence;
        if let Some(before) = &before {
            self.held.remove(&(before.until, lane.clone()));
        }
        let forgets = bug == Some(Bug::TakeOverForgets) && before.is_some();
        self.held.insert((until, lane.clone()));
        self.refresh(&lane);
        let row = self.rows.get(&delivery)?;
        let fact = self.facts.get(&row.delivery.position)?;
        Some(Claim {
            lane,
            fence,
            delivery: row.delivery.clone(),
            envelope: fact.envelope.clone(),
            payload: fact.payload.clone(),
            standing: self.standing(&row.delivery.flow, &row.delivery.subject),
            open_attempt: self.open_attempt(row).filter(|_| row.is_unknown() && !forgets),
        })
    }

    pub(super) fn advance(&mut self, step: Move) -> Moved {
        let forget = self.bug == Some(Bug::ForgetFence);
        let held = |row: &LaneRow| forget || (row.holder.is_some() && row.fence == step.fence);
        if !self.lanes.get(&step.lane).is_some_and(held) {
            return Moved::Lost;
        }
        let open = self.rows.get(&step.delivery).is_some_and(|row| row.is_open());
        if step.begun.is_some() && !open {
            self.free(&step.lane);
            return Moved::Lost;
        }
        self.apply(step, open)
    }

    fn apply(&mut self, step: Move, open: bool) -> Moved {
        let Some(row) = self.rows.get_mut(&step.delivery) else {
            self.free(&step.lane);
            return Moved::Lost;
        };
        if open {
            row.delivery.spent = step.spent;
            row.delivery.failures = step.failures;
        }
        let (flow, subject) = (row.delivery.flow.clone(), row.delivery.subject.clone());
        let position = row.delivery.position;
        if let Some(ended) = step.ended {
            self.end_attempt(ended);
        }
        if let Some(external) = step.external {
            self.external.insert((subject.clone(), step.lane.system.clone()), external);
        }
        if let Some((version, digest)) = step.delivered {
            let known = self.known_mut(&flow, &subject);
            known.delivered = version;
            known.delivered_digest = Some(digest);
        }
        let begun = step.begun.map(|new| self.begin(step.delivery, new));
        let state = match (step.state, begun) {
            (Some(state @ DeliveryState::Unknown { .. }), _) => Some(state),
            (_, Some(_)) => {
                Some(DeliveryState::Unknown { due_at: step.at, wait: Wait::Settle { not_there: 0 } })
            }
            (state, None) => state,
        };
        if let Some(state) = state.filter(|_| open) {
            self.set_state(step.delivery, state, step.at, step.dead, None);
        }
        self.append(step.follow_ups);
        for later in step.schedule {
            self.insert(later, position, step.at);
        }
        match step.keep {
            true => self.renew(&step.lane, step.at),
            false => self.free(&step.lane),
        }
        Moved::Done { begun }
    }

    fn end_attempt(&mut self, ended: EndedAttempt) {
        if let Some(attempt) = self.attempts.get_mut(&ended.id) {
            attempt.row.ended_at = Some(ended.ended_at);
            attempt.row.fault = ended.fault;
            attempt.row.by_look_up = ended.by_look_up;
        }
    }

    fn begin(&mut self, delivery: DeliveryId, new: NewAttempt) -> AttemptId {
        self.attempt += 1;
        let id = AttemptId(self.attempt);
        if let Some(row) = self.rows.get_mut(&delivery) {
            row.attempts.push(id);
            row.delivery.calls += 1;
            let (flow, subject) = (row.delivery.flow.clone(), row.delivery.subject.clone());
            self.known_mut(&flow, &subject).attempted = true;
        }
        let row = AttemptRow {
            id,
            delivery,
            step: new.step,
            call_key: new.call_key.0,
            started_at: new.started_at,
            ended_at: None,
            fault: None,
            by_look_up: None,
            revision: new.revision,
        };
        self.attempts.insert(id, AttemptStored { row, frozen: new.frozen });
        id
    }

    fn renew(&mut self, lane: &Lane, at: Timestamp) {
        let Some(holder) = self.lanes.get_mut(lane).and_then(|row| row.holder.as_mut()) else { return };
        self.held.remove(&(holder.until, lane.clone()));
        holder.until = holder.until.max(after(at, holder.length));
        self.held.insert((holder.until, lane.clone()));
    }

    pub(super) fn give_back(&mut self, lane: &Lane, fence: i64, due_at: Option<Timestamp>) {
        let Some(row) = self.lanes.get(lane).filter(|row| row.fence == fence) else { return };
        let Some(delivery) = row.holder.as_ref().map(|holder| holder.delivery) else { return };
        if let (Some(again), Some(row)) = (due_at, self.rows.get_mut(&delivery)) {
            match &mut row.delivery.state {
                DeliveryState::Waiting { due_at, .. } => *due_at = Some(again),
                DeliveryState::Unknown { due_at, .. } => *due_at = again,
                DeliveryState::Dead | DeliveryState::Ended(_) => {}
            }
        }
        self.free(lane);
    }

    pub(super) fn begin_epoch(&mut self, owner: &str, now: Timestamp) -> u64 {
        let held: Vec<Lane> = self.held.iter().map(|(_, lane)| lane.clone()).collect();
        for lane in held {
            let holder = self.lanes.get(&lane).and_then(|row| row.holder.as_ref());
            if holder.is_some_and(|holder| holder.owner == owner) {
                self.free(&lane);
            }
        }
        let mut found = Vec::new();
        for (lane, row) in self.lanes.iter().filter(|(_, row)| row.holder.is_none()) {
            let unknown = |id: &&DeliveryId| self.rows.get(id).is_some_and(|row| row.is_unknown());
            found.extend(row.members.iter().filter(unknown).map(|id| (lane.clone(), *id)));
        }
        for (lane, id) in &found {
            if let Some(row) = self.rows.get_mut(id) {
                // Whoever looks up counts from when it found the attempt.
                row.delivery.state =
                    DeliveryState::Unknown { due_at: now, wait: Wait::Settle { not_there: 0 } };
            }
            self.refresh(lane);
        }
        found.len() as u64
    }

    pub(super) fn next_due(&self) -> BTreeMap<SystemName, Timestamp> {
        let mut next = BTreeMap::new();
        for ((system, _), due) in &self.due {
            if let Some((due_at, _)) = due.first() {
                let earliest = next.entry(system.clone()).or_insert(*due_at);
                *earliest = (*earliest).min(*due_at);
            }
        }
        // What another node holds is free again when its lease ends.
        for (until, lane) in &self.held {
            let Some(row) = self.lanes.get(lane) else { continue };
            let members: Vec<_> =
                row.members.iter().filter_map(|id| Member::of(&self.rows.get(id)?.delivery)).collect();
            if let Some((due_at, _)) = lane::due(&members) {
                let at = due_at.max(*until);
                let earliest = next.entry(lane.system.clone()).or_insert(at);
                *earliest = (*earliest).min(at);
            }
        }
        next
    }
}
