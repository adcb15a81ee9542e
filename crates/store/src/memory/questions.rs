//! What people and the engine ask the memory store.

use super::rows::{Row, State};
use crate::delivery::{Delivery, DeliveryKind, DeliveryState, Outcome};
use crate::query::{
    Backlog, DeadLetter, DeadLetterGroup, DeliveryFilter, LagSample, Life, LogSize, Phase, SubjectStatus,
    TopicSeen,
};
use bytes::Bytes;
use jiff::Timestamp;
use kernel::clock::elapsed_ms;
use kernel::envelope::{Envelope, FactKind, Via};
use kernel::id::{DeliveryId, FlowName, Position, ShopId, SystemName};
use kernel::subject::Subject;
use std::collections::BTreeMap;

impl State {
    fn newest_first<'a>(&'a self, which: &'a DeliveryFilter) -> impl Iterator<Item = &'a Row> {
        let before = which.before.unwrap_or(DeliveryId(i64::MAX));
        let rows = self.rows.range(..before).rev().map(|(_, row)| row);
        rows.filter(|row| self.matches(which, row))
    }

    pub(super) fn deliveries(&self, which: &DeliveryFilter) -> Vec<Delivery> {
        self.newest_first(which).take(which.page()).map(|row| row.delivery.clone()).collect()
    }

    pub(super) fn dead_letters(&self, which: &DeliveryFilter, closed: bool) -> Vec<DeadLetter> {
        let letters = self.newest_first(which).filter_map(|row| {
            let letter = self.dead_letter(row)?;
            let wanted = if closed { letter.closed.is_some() } else { row.is_dead() };
            wanted.then_some(letter)
        });
        letters.take(which.page()).collect()
    }

    fn dead_letter(&self, row: &Row) -> Option<DeadLetter> {
        let dead = self.dead.get(&row.delivery.id)?;
        Some(DeadLetter {
            delivery: row.delivery.id,
            shop: row.delivery.lane.shop.clone(),
            system: row.delivery.lane.system.clone(),
            flow: row.delivery.flow.clone(),
            subject: row.delivery.subject.clone(),
            label: self.abouts.get(&row.delivery.subject).map(|about| about.label.clone()),
            fingerprint: dead.fingerprint.clone(),
            fault: dead.fault.clone(),
            dead_at: dead.dead_at,
            closed: dead.closed.clone(),
        })
    }

    pub(super) fn dead_letter_groups(&self) -> Vec<DeadLetterGroup> {
        let mut groups: BTreeMap<(String, SystemName), DeadLetterGroup> = BTreeMap::new();
        for (id, dead) in &self.dead {
            let Some(row) = self.rows.get(id).filter(|row| row.is_dead()) else { continue };
            let key = (dead.fingerprint.clone(), row.delivery.lane.system.clone());
            let group = groups.entry(key).or_insert_with(|| DeadLetterGroup {
                fingerprint: dead.fingerprint.clone(),
                system: row.delivery.lane.system.clone(),
                flow: row.delivery.flow.clone(),
                kind: dead.fault.kind,
                code: dead.fault.code.clone(),
                field: dead.fault.field.clone(),
                example: dead.fault.clone(),
                count: 0,
                oldest: dead.dead_at,
                newest: dead.dead_at,
            });
            group.count += 1;
            group.oldest = group.oldest.min(dead.dead_at);
            if dead.dead_at >= group.newest {
                group.newest = dead.dead_at;
                group.example = dead.fault.clone();
            }
        }
        groups.into_values().collect()
    }

    pub(super) fn life(&self, shop: &ShopId, root: &str) -> Life {
        let Some(row) = self.roots.get(&(shop.clone(), root.to_owned())) else { return Life::default() };
        let of_root = Subject { shop: shop.clone(), path: root.to_owned() };
        let rows: Vec<&Row> = row.deliveries.iter().filter_map(|id| self.rows.get(id)).collect();
        let facts = row.positions.iter().filter_map(|position| self.facts.get(position));
        let attempts = rows.iter().flat_map(|row| &row.attempts).filter_map(|id| self.attempts.get(id));
        let external =
            self.external.iter().filter(|((subject, _), _)| subject.shop == *shop && subject.root() == root);
        Life {
            about: self.abouts.get(&of_root).cloned(),
            envelopes: facts.map(|fact| (fact.envelope.clone(), fact.routed)).collect(),
            deliveries: rows.iter().map(|row| row.delivery.clone()).collect(),
            attempts: attempts.map(|attempt| attempt.row.clone()).collect(),
            dead_letters: rows.iter().filter_map(|row| self.dead_letter(row)).collect(),
            external: external
                .map(|((subject, system), link)| (system.clone(), subject.clone(), link.clone()))
                .collect(),
        }
    }

    pub(super) fn find(&self, text: &str) -> Vec<Subject> {
        self.names.get(text).map(|subjects| subjects.iter().cloned().collect()).unwrap_or_default()
    }

    pub(super) fn status(&self, flow: &FlowName, subject: &Subject) -> SubjectStatus {
        let ids = self.of_subject(flow, subject);
        let rows: Vec<&Row> = ids.iter().filter_map(|id| self.rows.get(id)).collect();
        let stands =
            |row: &&&Row| !matches!(row.delivery.state, DeliveryState::Ended(Outcome::Superseded { .. }));
        let of_state = |row: &&&Row| row.delivery.kind == DeliveryKind::State;
        let newest = rows.iter().rev().filter(stands).find(of_state);
        let newest = newest.or_else(|| rows.iter().rev().find(stands)).copied();
        // A later copy that was found unchanged hides nothing of what it is a copy of.
        let is_copy = |row: &&Row| row.delivery.state == DeliveryState::Ended(Outcome::Unchanged);
        let first = rows.iter().rev().filter(stands).filter(of_state).find(|row| !is_copy(row)).copied();
        let newest = if newest.is_some_and(|row| is_copy(&row)) { first.or(newest) } else { newest };
        let target = self.known(flow, subject).and_then(|known| known.target.clone());
        SubjectStatus {
            subject: subject.clone(),
            about: self.abouts.get(subject).cloned(),
            outcome: newest.and_then(|row| match &row.delivery.state {
                DeliveryState::Ended(outcome) => Some(outcome.clone()),
                _ => None,
            }),
            fault: newest.and_then(|row| self.fault_of(row)),
            delivery: newest.map(|row| row.delivery.clone()),
            routed: self.known(flow, subject).and_then(|known| known.routed.clone()),
            external: target.and_then(|system| self.external.get(&(subject.clone(), system)).cloned()),
            hands: rows.iter().any(|row| row.hands),
            released: rows.iter().any(|row| row.released),
            swept: self.was_swept(subject),
        }
    }

    /// Why a delivery is dead, or what its last attempt met while it waits.
    fn fault_of(&self, row: &Row) -> Option<kernel::fault::Fault> {
        match &row.delivery.state {
            DeliveryState::Dead => self.dead.get(&row.delivery.id).map(|dead| dead.fault.clone()),
            DeliveryState::Waiting { .. } | DeliveryState::Unknown { .. } => {
                row.attempts.iter().rev().find_map(|id| self.attempts.get(id)?.row.fault.clone())
            }
            DeliveryState::Ended(_) => None,
        }
    }

    fn was_swept(&self, subject: &Subject) -> bool {
        let positions = self.subjects.get(subject).into_iter().flatten();
        positions.filter_map(|position| self.facts.get(position)).any(|fact| fact.envelope.via == Via::Sweep)
    }

    pub(super) fn filtered_by(&self, flow: &FlowName, rule: &str, limit: u32) -> Vec<Subject> {
        let newest_state = |ids: &Vec<DeliveryId>| {
            let mut rows = ids.iter().rev().filter_map(|id| self.rows.get(id));
            rows.find(|row| row.delivery.kind == DeliveryKind::State)
        };
        let filtered = |row: &Row| match &row.delivery.state {
            DeliveryState::Ended(Outcome::Filtered { rule: by }) => by == rule,
            DeliveryState::Ended(Outcome::Shadowed { .. }) => rule == "shadow",
            _ => false,
        };
        let subjects = self.known.iter().filter(|(_, flows)| {
            flows.get(flow).and_then(|known| newest_state(&known.deliveries)).is_some_and(filtered)
        });
        subjects.map(|(subject, _)| subject.clone()).take(limit as usize).collect()
    }

    pub(super) fn backlog(&self, now: Timestamp) -> Vec<Backlog> {
        let mut systems: BTreeMap<SystemName, Backlog> = BTreeMap::new();
        let members = self.lanes.iter().flat_map(|(lane, row)| row.members.iter().map(move |id| (lane, id)));
        for (lane, id) in members {
            let Some(row) = self.rows.get(id) else { continue };
            let system = systems.entry(lane.system.clone()).or_insert_with(|| Backlog {
                system: lane.system.clone(),
                waiting: 0,
                due: 0,
                unknown: 0,
                dead: 0,
                oldest_changed_at: None,
                next_due_at: None,
            });
            let due_at = match &row.delivery.state {
                DeliveryState::Waiting { due_at, .. } => {
                    system.waiting += 1;
                    system.due += u64::from(due_at.is_some_and(|due_at| due_at <= now));
                    *due_at
                }
                DeliveryState::Unknown { due_at, .. } => {
                    system.unknown += 1;
                    Some(*due_at)
                }
                DeliveryState::Dead | DeliveryState::Ended(_) => {
                    system.dead += u64::from(row.is_in(Phase::Dead));
                    continue;
                }
            };
            let changed_at = row.delivery.changed_at;
            let oldest = system.oldest_changed_at.get_or_insert(changed_at);
            *oldest = (*oldest).min(changed_at);
            if let Some(due_at) = due_at {
                let next = system.next_due_at.get_or_insert(due_at);
                *next = (*next).min(due_at);
            }
        }
        systems.into_values().collect()
    }

    pub(super) fn lags(&self, since: Timestamp, limit: u32) -> Vec<LagSample> {
        let ended = self.delivered.range((since, DeliveryId(i64::MIN))..).rev();
        let samples = ended.filter_map(|(ended_at, id)| {
            let delivery = &self.rows.get(id)?.delivery;
            let lag_ms = elapsed_ms(delivery.changed_at, *ended_at);
            Some(LagSample { flow: delivery.flow.clone(), ended_at: *ended_at, lag_ms })
        });
        samples.take(limit as usize).collect()
    }

    pub(super) fn topics_seen(&self) -> Vec<TopicSeen> {
        let topics = self.topics.iter().map(|((shop, topic), (last, count))| TopicSeen {
            shop: shop.clone(),
            topic: topic.clone(),
            last: *last,
            count: *count,
        });
        topics.collect()
    }

    pub(super) fn log_size(&self) -> LogSize {
        let bytes = |payload: &Bytes| payload.len() as u64;
        LogSize {
            envelopes: self.facts.len() as u64,
            last: (self.position > 0).then_some(Position(self.position)),
            payload_bytes: self.facts.values().filter_map(|fact| fact.payload.as_ref()).map(bytes).sum(),
            unrouted: self.unrouted.len() as u64,
        }
    }

    pub(super) fn newest_payload(&self, subject: &Subject) -> Option<(Envelope, Bytes)> {
        let mut positions = self.subjects.get(subject)?.iter().rev();
        positions.find_map(|position| {
            let fact = self.facts.get(position)?;
            if matches!(fact.envelope.kind, FactKind::Hint | FactKind::Unreadable) {
                return None;
            }
            Some((fact.envelope.clone(), fact.payload.clone()?))
        })
    }

    pub(super) fn delivery_payload(&self, delivery: DeliveryId) -> Option<Bytes> {
        let position = self.rows.get(&delivery)?.delivery.position;
        self.facts.get(&position)?.payload.clone()
    }
}
