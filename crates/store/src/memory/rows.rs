//! The rows of the memory store and how one row is looked up by another: plain maps, no rule of delivery.

use super::bug::{self, Bug};
use crate::delivery::{Delivery, DeliveryState, OpenAttempt, Standing, StoredRef};
use crate::lane::{self, Member};
use crate::log::{About, DedupeKey, Record};
use crate::operate::{AuditEntry, Certificate, Pause, PauseScope};
use crate::query::{AttemptRow, Closed};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::envelope::{Envelope, Priority};
use kernel::fault::{Fault, Reference};
use kernel::id::{AttemptId, DeliveryId, FlowName, Position, ShopId, SystemName};
use kernel::key::CallKey;
use kernel::subject::{Lane, Subject};
use kernel::version::{Digest, EffectiveVersion};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Fact {
    pub envelope: Envelope,
    pub payload: Option<Bytes>,
    pub routed: bool,
    pub deliveries: Vec<DeliveryId>,
}

#[derive(Debug)]
pub(super) struct Row {
    pub delivery: Delivery,
    pub hands: bool,
    pub released: bool,
    pub attempts: Vec<AttemptId>,
}

#[derive(Debug)]
pub(super) struct AttemptStored {
    pub row: AttemptRow,
    pub frozen: Bytes,
}

#[derive(Debug)]
pub(super) struct DeadRow {
    pub fingerprint: String,
    pub fault: Fault,
    pub dead_at: Timestamp,
    pub closed: Option<Closed>,
}

#[derive(Debug)]
pub(super) struct Holder {
    pub owner: String,
    pub until: Timestamp,
    pub length: Duration,
    pub delivery: DeliveryId,
    /// Its time has ended by the clock of the claim that is being made.
    pub lapsed: bool,
}

#[derive(Debug, Default)]
pub(super) struct LaneRow {
    pub members: BTreeSet<DeliveryId>,
    pub fence: i64,
    pub holder: Option<Holder>,
    /// Where the lane stands in the index of those that are due; absent while it is held.
    pub indexed: Option<(Timestamp, Priority)>,
}

/// The small row of (flow, subject).
#[derive(Debug, Default)]
pub(super) struct Known {
    pub routed: Option<EffectiveVersion>,
    pub routed_position: Option<Position>,
    pub delivered: Option<EffectiveVersion>,
    pub delivered_digest: Option<Digest>,
    pub attempted: bool,
    /// Where the flow delivers it; a read alone does not tell.
    pub target: Option<SystemName>,
    pub deliveries: Vec<DeliveryId>,
}

#[derive(Debug, Default)]
pub(super) struct RootRow {
    pub positions: Vec<Position>,
    pub deliveries: Vec<DeliveryId>,
}

#[derive(Debug)]
pub(super) struct AwaitedRow {
    pub looks: u32,
    pub next_look_at: Timestamp,
    pub waiting: BTreeSet<DeliveryId>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub position: i64,
    pub delivery: i64,
    pub attempt: i64,
    pub fence: i64,
    pub facts: BTreeMap<Position, Fact>,
    pub unrouted: BTreeSet<Position>,
    /// By UTC day: the body's hash of each webhook id.
    pub webhook_ids: BTreeMap<i64, BTreeMap<DedupeKey, [u8; 32]>>,
    pub rows: BTreeMap<DeliveryId, Row>,
    pub attempts: BTreeMap<AttemptId, AttemptStored>,
    pub dead: BTreeMap<DeliveryId, DeadRow>,
    pub lanes: BTreeMap<Lane, LaneRow>,
    pub due: BTreeMap<(SystemName, Priority), BTreeSet<(Timestamp, Lane)>>,
    pub held: BTreeSet<(Timestamp, Lane)>,
    pub known: BTreeMap<Subject, BTreeMap<FlowName, Known>>,
    pub external: BTreeMap<(Subject, SystemName), StoredRef>,
    pub abouts: BTreeMap<Subject, About>,
    pub records: BTreeMap<(Subject, SystemName), Record>,
    pub names: BTreeMap<String, BTreeSet<Subject>>,
    pub subjects: BTreeMap<Subject, Vec<Position>>,
    pub roots: BTreeMap<(ShopId, String), RootRow>,
    pub awaited: BTreeMap<(ShopId, SystemName, Reference), AwaitedRow>,
    pub pauses: BTreeMap<PauseScope, Pause>,
    pub audit: Vec<AuditEntry>,
    pub cursors: BTreeMap<String, String>,
    pub series: BTreeMap<String, super::series::Series>,
    pub leases: BTreeMap<String, (String, Timestamp)>,
    pub beats: BTreeMap<String, (String, Timestamp)>,
    pub certificates: Vec<Certificate>,
    pub topics: BTreeMap<(ShopId, String), (Timestamp, u64)>,
    /// Deliveries that were delivered, by when.
    pub delivered: BTreeSet<(Timestamp, DeliveryId)>,
    pub revision: Option<String>,
    pub place: Option<String>,
    /// Planted by the simulation.
    pub bug: Option<Bug>,
}

impl State {
    pub(super) fn known_mut(&mut self, flow: &FlowName, subject: &Subject) -> &mut Known {
        self.known.entry(subject.clone()).or_default().entry(flow.clone()).or_default()
    }

    pub(super) fn known(&self, flow: &FlowName, subject: &Subject) -> Option<&Known> {
        self.known.get(subject)?.get(flow)
    }

    /// Deliveries of (flow, subject), oldest first.
    pub(super) fn of_subject(&self, flow: &FlowName, subject: &Subject) -> Vec<DeliveryId> {
        self.known(flow, subject).map(|known| known.deliveries.clone()).unwrap_or_default()
    }

    pub(super) fn standing(&self, flow: &FlowName, subject: &Subject) -> Standing {
        let Some(known) = self.known(flow, subject) else { return Standing::default() };
        let mut standing = Standing {
            routed: known.routed.clone(),
            routed_position: known.routed_position,
            delivered: known.delivered.clone(),
            delivered_digest: known.delivered_digest,
            external: None,
            attempted: known.attempted,
            reading: false,
            waiting_condition: false,
        };
        if let Some(target) = &known.target {
            standing.external = self.external.get(&(subject.clone(), target.clone())).cloned();
        }
        for row in known.deliveries.iter().filter_map(|id| self.rows.get(id)) {
            standing.reading |= row.is_open_read();
            standing.waiting_condition |= row.waits_for_condition();
        }
        standing
    }

    pub(super) fn open_attempt(&self, row: &Row) -> Option<OpenAttempt> {
        let stored = self.attempts.get(row.attempts.last()?)?;
        stored.row.ended_at.is_none().then(|| OpenAttempt {
            id: stored.row.id,
            step: stored.row.step.clone(),
            call_key: CallKey(stored.row.call_key.clone()),
            frozen: stored.frozen.clone(),
            started_at: stored.row.started_at,
        })
    }

    /// Brings the lane's place in the index of due lanes in step with its members; drops the row of an idle lane.
    pub(super) fn refresh(&mut self, lane: &Lane) {
        let Some(row) = self.lanes.get_mut(lane) else { return };
        if let Some((due_at, priority)) = row.indexed.take()
            && let Some(index) = self.due.get_mut(&(lane.system.clone(), priority))
        {
            index.remove(&(due_at, lane.clone()));
        }
        let is_held = row.holder.as_ref().is_some_and(|holder| !holder.lapsed);
        if is_held && self.bug != Some(Bug::ClaimNotExclusive) {
            return;
        }
        if row.members.is_empty() {
            if row.holder.is_none() {
                self.lanes.remove(lane);
            }
            return;
        }
        let rows = &self.rows;
        let mut members: Vec<_> =
            row.members.iter().filter_map(|id| Member::of(&rows.get(id)?.delivery)).collect();
        bug::spoil(self.bug, &mut members);
        row.indexed = lane::due(&members);
        if let Some((due_at, priority)) = row.indexed {
            let index = self.due.entry((lane.system.clone(), priority)).or_default();
            index.insert((due_at, lane.clone()));
        }
    }

    /// Ends the hold on a lane.
    pub(super) fn free(&mut self, lane: &Lane) {
        if let Some(holder) = self.lanes.get_mut(lane).and_then(|row| row.holder.take()) {
            self.held.remove(&(holder.until, lane.clone()));
            self.refresh(lane);
        }
    }
}

impl Row {
    pub(super) fn is_open(&self) -> bool {
        matches!(self.delivery.state, DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. })
    }
    pub(super) fn is_unknown(&self) -> bool {
        matches!(self.delivery.state, DeliveryState::Unknown { .. })
    }
    pub(super) fn is_dead(&self) -> bool {
        self.delivery.state == DeliveryState::Dead
    }
    pub(super) fn is_ended(&self) -> bool {
        matches!(self.delivery.state, DeliveryState::Ended(_))
    }
    fn is_open_read(&self) -> bool {
        self.delivery.kind == crate::delivery::DeliveryKind::Read && self.is_open()
    }
    fn waits_for_condition(&self) -> bool {
        use crate::delivery::Wait;
        matches!(&self.delivery.state, DeliveryState::Waiting { wait: Wait::Condition { .. }, .. })
    }
}
